"""Tensor names: ``W_OV^0`` is the letter W with subscript OV and superscript 0; as LaTeX ``W_{OV}^{0}``.

A name is a letter or word, then subscripts (``_``) and at most one superscript (``^``), of letters and digits. Names reach LaTeX
and code, so nothing else is accepted.
"""

import re
from collections.abc import Iterable

from sympy.core.symbol import Str

from symbolic_circuits.errors import NotationError

__all__ = ["identifier", "latex_name", "tensor_name"]

PATTERN = re.compile(r"([A-Za-z][A-Za-z0-9]*)((?:_[A-Za-z0-9]+)*)(?:\^([A-Za-z0-9]+))?\Z")
UPRIGHT = re.compile(r"[a-z]{2,}\Z")  # words such as out or in are set upright, circuit letters such as OV are not


def tensor_name(name: str | Str) -> Str:
    """A checked name.

    >>> tensor_name("W_OV^0")
    W_OV^0
    """
    text = name.name if isinstance(name, Str) else name
    if not isinstance(text, str) or not PATTERN.match(text):
        raise NotationError(f"a tensor is named by a letter or word, subscripts and at most one superscript; got {text!r}")
    return Str(text)


def latex_name(name: str, extra: Iterable[str] = ()) -> str:
    """The name in LaTeX; ``extra`` labels join the superscript.

    >>> latex_name("W_out^1"), latex_name("A^0", ["2"])
    ('W_{\\\\mathrm{out}}^{1}', 'A^{0,2}')
    """
    match = PATTERN.match(name)
    if match is None:
        raise NotationError(f"{name!r} is not a tensor name")
    letter, sub, sup = match.groups()
    above = ",".join([*([sup] if sup else []), *extra])
    text = letter if len(letter) == 1 else rf"\mathrm{{{letter}}}"
    if sub:
        below = ",".join(rf"\mathrm{{{part}}}" if UPRIGHT.match(part) else part for part in sub[1:].split("_"))
        text += f"_{{{below}}}"
    return text + (f"^{{{above}}}" if above else "")


def identifier(name: str) -> str:
    """The name as a Python identifier.

    >>> identifier("W_OV^0"), identifier("A[1]")
    ('W_OV_0', 'A_1')
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")
