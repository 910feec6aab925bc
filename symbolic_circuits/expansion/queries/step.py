"""One step of a path: a set of components, and the input of a bilinear layer by which the path comes in.

``attn.0[1]`` is head 1 of block 0, ``attn.*[1]`` head 1 of any block, ``attn.0`` (or ``attn.0[*]``) any head of block 0,
``bilinear.1.left`` the left input of layer 1. Numbers may be lists and ranges: ``attn.0-2[1,3]``.
"""

import re
from dataclasses import dataclass

from symbolic_circuits.errors import BudgetError, TermError
from symbolic_circuits.expansion.grammar import Component

__all__ = ["LEAVES", "SIDES", "Step"]

SIDES = {  # kind -> what its inputs are called: the two sides of a layer; of a head whose pattern is expanded, one or both of its queries
    "bilinear": ("left", "right"),
    "attn": ("query", "key", "value", "query1", "key1", "query2", "key2"),
    "scores": ("query", "key", "query1", "key1", "query2", "key2"),
}
LAYERED = ("attn", "bilinear", "gated", "bias", "normbias")
LEAVES = ("embed", "input", "position", "one")
KINDS = (*LAYERED, *LEAVES, "scores", "*")
MAX_NUMBERS = 4096

WRITTEN = re.compile(
    r"(?P<kind>\*|[A-Za-z]+)(?:\.(?P<layers>[0-9*,-]+))?(?:\[(?P<heads>[^\]]*)\])?(?:\.(?P<side>[A-Za-z]+[12]?))?"
)
NUMBERS = re.compile(r"[0-9]{1,6}(-[0-9]{1,6})?(,[0-9]{1,6}(-[0-9]{1,6})?)*")


@dataclass(frozen=True, slots=True)
class Step:
    """Components of one kind; None stands for any layer, any head, either input.

    >>> Step.parse("attn.0[1]")
    Step(kind='attn', layers=(0,), heads=(1,), side=None)
    >>> str(Step.parse("attn.*[0-2]"))
    'attn.*[0,1,2]'
    """

    kind: str  # "attn", "bilinear", "gated", "bias", "normbias", "embed", "input", "position", "one", or "*" for every component
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None  # of attention
    side: str | None = None  # "left" or "right" of bilinear layers; "query", "key" or "value" of heads without softmax

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TermError(f"a step is one of {', '.join(KINDS[:-1])} and *; got {self.kind!r}")
        if self.layers is not None and self.kind not in LAYERED:
            raise TermError(f"attention blocks and bilinear layers have numbers; got one for {self.kind}")
        if self.heads is not None and self.kind != "attn":
            raise TermError(f"heads are of attention blocks; got some for {self.kind}")
        if self.side is not None and self.side not in SIDES.get(self.kind, ()):
            raise TermError(
                f"bilinear layers have a left and a right input; got {self.kind} and {self.side!r} (heads without softmax have query, "
                "key and value)"
            )

    @classmethod
    def parse(cls, text: str) -> "Step":
        """The step that a text describes."""
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise TermError(f"a component reads like attn.0[1], attn.*, bilinear.1.left or embed; got {text!r}")
        return cls(found["kind"], numbers(found["layers"], text), numbers(found["heads"], text), found["side"])

    def __str__(self) -> str:
        layers = "" if self.kind not in LAYERED else f".{joined(self.layers)}"
        heads = "" if self.kind != "attn" else f"[{joined(self.heads)}]"
        return f"{self.kind}{layers}{heads}{'' if self.side is None else f'.{self.side}'}"

    def matches(self, component: Component) -> bool:
        """Whether a component is one of those of the step; the side is not asked for.

        A component that stands for any head matches where all heads of its block do.
        """
        if self.kind == "*":
            return True
        if self.kind in ("embed", "input"):
            return component.kind == "input"
        if self.kind != component.kind or (self.layers is not None and component.layer not in self.layers):
            return False
        if self.heads is None:
            return True
        return component.head in self.heads if component.head is not None else covers(self.heads, component.spec.heads)

    def enters(self, slot: str | None) -> bool:
        """Whether a path that comes in by an input of this name is meant; "query" is meant by both queries."""
        return self.side is None or slot is None or slot == self.side or slot.rstrip("12") == self.side


def covers(heads: tuple[int, ...], number: object) -> bool:
    """Whether these are all heads of a block with so many."""
    return isinstance(number, int) and set(range(number)) <= set(heads)


def joined(given: tuple[int, ...] | None) -> str:
    """``*``, or the numbers with commas."""
    return "*" if given is None else ",".join(map(str, given))


def numbers(text: str | None, step: str) -> tuple[int, ...] | None:
    """``0,2-4`` as (0, 2, 3, 4); None for ``*``."""
    text = None if text is None else text.replace(" ", "")
    if text in (None, "*"):
        return None
    if not NUMBERS.fullmatch(text):
        raise TermError(f"numbers read like 1, 0,2 or 0-3, or * for any; got {text!r} in {step!r}")
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        low, high = int(first), int(last or first)
        if high < low:
            raise TermError(f"a range runs upwards; got {part!r} in {step!r}")
        if high - low >= MAX_NUMBERS:
            raise BudgetError(f"a range has at most {MAX_NUMBERS:,} numbers; {part!r} in {step!r} has {high - low + 1:,}")
        found |= set(range(low, high + 1))
    return tuple(sorted(found))
