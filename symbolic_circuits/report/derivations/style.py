"""How a derivation is written: how many of its steps, which marks, names, convention and numbers; one frozen set of options."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from numbers import Real
from types import MappingProxyType

from symbolic_circuits.errors import NotationError

__all__ = ["Style"]

CHOICES = {
    "detail": ("every", "main", "result"),
    "marked": ("colour", "underline", None),
    "convention": ("row", "column"),
    "numbering": ("chain", "line", None),
}
KINDS = {
    "document": (bool, "True or False"),
    "rename": (Mapping, "a mapping from names to how they are written"),
    "activations": (Iterable, "a tuple of names"),
    "reasons": (bool, "True or False"),
    "prefix": (str, "a text"),
    "title": (str | None, "a text or None"),
    "preamble": (str, "a text"),
    "width": (Real | None, "a number or None"),
}
MIN_WIDTH = 20


@dataclass(frozen=True, kw_only=True)
class Style:
    r"""The options of ``to_latex(derivation, style=...)``, ``to_markdown`` and ``to_text``.

    Examples
    --------
    >>> Style(detail="result", rename={"W_OV": r"\WOV"}).numbering
    'chain'
    >>> Style(detail="all")
    Traceback (most recent call last):
    ...
    symbolic_circuits.errors.NotationError: detail is one of 'every', 'main', 'result'; got 'all'

    References
    ----------
    Elhage et al. 2021, A Mathematical Framework for Transformer Circuits: the row-major operator notation.
    """

    document: bool = False  # a complete document that begins with the setting; False: a fragment, the equations alone
    detail: str = "main"  # every: each step is a line; main: each main step, long lines between left out; result: what is derived = last line
    marked: str | None = None  # how the parts that the next step changes are marked: colour or underline; text has no marks
    rename: Mapping[str, str] = field(default_factory=dict)  # name of a tensor, size or index -> how it is written
    convention: str = "row"  # whether the rows or the columns of the residual stream are positions
    activations: tuple[str, ...] = ()  # tensors of a row a position; of a model its source and lemmas are known
    numbering: str | None = "chain"  # a number for each chain of equations, for each line, or none
    reasons: bool = True  # whether each line says how it was made
    prefix: str = "derivation"  # LaTeX labels are eq:prefix-1, ...
    title: str | None = None  # of the document; plain text
    preamble: str = ""  # LaTeX that the document has before its text, such as definitions of macros
    width: float | None = None  # of a line: in em for LaTeX and Markdown, in characters for text; None: 45 and 100

    def __post_init__(self) -> None:
        for option, (kind, words) in KINDS.items():
            if not isinstance(getattr(self, option), kind):
                raise NotationError(f"{option} is {words}; got {getattr(self, option)!r}")
        for option, known in CHOICES.items():
            if getattr(self, option) not in known:
                raise NotationError(f"{option} is one of {', '.join(map(repr, known))}; got {getattr(self, option)!r}")
        if not isinstance(self.activations, str):
            object.__setattr__(self, "activations", tuple(self.activations))
        if isinstance(self.activations, str) or not all(isinstance(name, str) for name in self.activations):
            raise NotationError(f"activations are a tuple of names; got {self.activations!r}")
        if self.width is not None and not (self.width >= MIN_WIDTH and isfinite(self.width)):
            raise NotationError(f"a line is at least {MIN_WIDTH} wide; got {self.width}")
        if not self.prefix.isascii() or not self.prefix.replace("-", "").replace(":", "").replace("_", "").isalnum():
            raise NotationError(f"a prefix of labels has letters, digits, '-', '_' and ':'; got {self.prefix!r}")
        object.__setattr__(self, "rename", MappingProxyType(dict(self.rename)))
