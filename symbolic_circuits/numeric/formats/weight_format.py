"""A format is a table, our array -> their key, axes and part: read one way it loads, read the other way it exports.

| field of a name or key | number |
| --- | --- |
| {l} in a key | of the layer |
| {attn}, {mlp} in a name | of the block that is the l-th attention block, or the l-th bilinear layer |
| {end} in a name | of blocks, which is the number of the final norm |

A key with {l} for a name without number (``rotary.inv_freq``) is stored once a layer; all of these must be equal.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.formats.axes_pattern import AxesPattern
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Place", "StoredArray", "WeightFormat", "key_patterns", "layers_of", "numbered", "places"]

FIELDS = re.compile(r"\{(\w*)\}")
OURS, THEIRS = ("attn", "mlp", "end"), ("l",)


@dataclass(frozen=True)
class StoredArray:
    """One line of a format: which part of which stored array an array of ours is, and in which order its axes are stored.

    Raises
    ------
    SpecError
        A field, an axis or a part is none.

    Examples
    --------
    Queries are the first third of the rows of a matrix that maps d to 3 H e, for a Linear layer of PyTorch (out x in):

    >>> StoredArray("attn.{attn}.W_Q", "h.{l}.qkv.weight", "(H e) d -> H e d", part=(0, 3)).pattern.ours
    ('H', 'e', 'd')
    """

    name: str  # ours, as in ``Weights``: "attn.{attn}.W_Q"
    key: str  # theirs: "h.{l}.qkv.weight"
    axes: str = ""  # "(H e) d -> H e d", stored -> ours; nothing for a number
    part: tuple[int, int] = (0, 1)  # (k, of): part k of so many equal parts of the first stored axis

    def __post_init__(self) -> None:
        require_fields(self.name, OURS, "a name of ours")
        require_fields(self.key, THEIRS, "a key")
        stored, (k, of) = self.pattern.stored, self.part
        if not 0 <= k < of or (of > 1 and not stored):
            raise SpecError(f"part (k, of) of {self.key} is one of so many equal parts of its first axis; got {self.part}")

    @cached_property
    def pattern(self) -> AxesPattern:
        """The axes, parsed."""
        return AxesPattern.parse(self.axes)


@dataclass(frozen=True, eq=False)
class WeightFormat:
    """How a family of models is stored.

    Parameters
    ----------
    name : of the format, for messages
    arrays : the table
    constants : arrays of ours that the file does not have, by name: ``{"norm.eps": 1e-5}``
    zeros : keys that hold nothing but zeros, with their axes in letters (``"H e"``); written as such
    skipped : keys that carry nothing, with ``*`` for any text; one, or several

    Examples
    --------
    >>> linear = WeightFormat("mine", (StoredArray("W_E", "embed", "V d -> d V"), StoredArray("W_U", "head", "V d -> V d")))
    >>> [place.key for _, found in places(linear, Transformer.parse("")).items() for place in found]
    ['embed', 'head']
    """

    name: str
    arrays: tuple[StoredArray, ...]
    constants: Mapping[str, object] = field(default_factory=dict)
    zeros: Mapping[str, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "arrays", tuple(self.arrays))
        object.__setattr__(self, "skipped", key_patterns(self.skipped, "skipped"))
        for name in ("constants", "zeros"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        for name in self.constants:
            require_fields(name, OURS, "a name of ours")


def key_patterns(given: str | Iterable[str], name: str) -> tuple[str, ...]:
    """Texts that describe keys, or one of them; of the characters of one, ``*`` would describe every key."""
    found = (given,) if isinstance(given, str) else tuple(given)
    if not all(isinstance(text, str) for text in found):
        raise SpecError(f"{name} lists keys, with * for any text; got {given!r}")
    return found


@dataclass(frozen=True, slots=True)
class Place:
    """Where one array of ours is stored."""

    stored: StoredArray
    key: str


def places(format: WeightFormat, model: Transformer) -> dict[str, list[Place]]:
    """The places of every array of a model that a format has."""
    found: dict[str, list[Place]] = {}
    for stored in format.arrays:
        for name, layer in numbered(stored.name, model, "{l}" in stored.key):
            found.setdefault(name, []).append(Place(stored, stored.key.replace("{l}", str(layer))))
    return found


def numbered(name: str, model: Transformer, is_layered: bool = False) -> list[tuple[str, int]]:
    """A name with its field filled in, and the layer, once for every layer.

    >>> numbered("attn.{attn}.W_Q", Transformer.parse("(attn(2) bilinear)*2"))
    [('attn.0.W_Q', 0), ('attn.2.W_Q', 1)]
    """
    blocks = {"attn": [], "mlp": [], "end": [model.number_of_blocks]}
    for index, spec in model.numbered():
        blocks["attn" if isinstance(spec, Attention) else "mlp"].append(index)
    for kind, numbers in blocks.items():
        if f"{{{kind}}}" in name:
            return [(name.replace(f"{{{kind}}}", str(number)), layer) for layer, number in enumerate(numbers)]
    return [(name, layer) for layer in range(layers_of(model) if is_layered else 1)]


def layers_of(model: Transformer) -> int:
    """The number of layers: of attention blocks, or of bilinear layers where these are more."""
    attention = sum(isinstance(spec, Attention) for _, spec in model.numbered())
    return max(attention, model.number_of_blocks - attention)


def require_fields(text: str, allowed: tuple[str, ...], what: str) -> None:
    """Raise SpecError for fields in braces that are not offered."""
    unknown = [name for name in FIELDS.findall(text) if name not in allowed]
    if unknown or text.count("{") != text.count("}") or len(set(FIELDS.findall(text))) > 1:
        offered = ", ".join(f"{{{name}}}" for name in allowed)
        raise SpecError(f"{what} has at most one of the fields {offered}; got {text!r}")
