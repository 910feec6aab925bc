r"""Lists, numbers, texts and scalars read from plain data: c in Q times powers, written ["2/3", {"n": "1/2"}].

The data come from a file of unknown origin; whatever is wrong is a CertificateError that says where.
"""

import re
from fractions import Fraction

from symbolic_circuits.identities.checker_data import Scalar, Size, fail, scalar

__all__ = ["entry", "to_bool", "to_dict", "to_int", "to_ints", "to_list", "to_scalar", "to_size", "to_text"]

MAX_DIGITS = 4000  # of a rational number, within what Python reads
NUMBER = re.compile(r"-?[0-9]+(/[0-9]+)?")


def to_list(value: object, where: str, length: int | None = None) -> list:
    """A list."""
    if not isinstance(value, list | tuple):
        fail(where, f"a list is expected; got {type(value).__name__}")
    if length is not None and len(value) != length:
        fail(where, f"a list of {length} is expected; got {len(value)} elements")
    return list(value)


def to_dict(value: object, where: str) -> dict:
    """An object whose keys are texts."""
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        fail(where, f"an object is expected; got {type(value).__name__}")
    return value


def entry(value: object, key: str, where: str) -> object:
    """What an object has at a key."""
    if key not in to_dict(value, where):
        fail(where, f"{key!r} is missing")
    return value[key]


def to_int(value: object, where: str, below: int | None = None) -> int:
    """A whole number from 0, below a limit."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0 or (below is not None and value >= below):
        shown = str(value)[:50] if not isinstance(value, int) or abs(value) < 10**50 else "a larger number"
        fail(where, f"a whole number from 0{'' if below is None else f' and below {below}'} is expected; got {shown}")
    return int(value)


def to_ints(value: object, where: str, below: int | None = None) -> tuple[int, ...]:
    """Whole numbers."""
    return tuple(to_int(item, where, below) for item in to_list(value, where))


def to_bool(value: object, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        fail(where, f"true or false is expected; got {type(value).__name__}")
    return value


def to_text(value: object, where: str) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value:
        fail(where, f"a text is expected; got {type(value).__name__!s}")
    return value


def to_size(value: object, where: str) -> Size:
    """A positive number, or the name of a size."""
    if isinstance(value, str):
        if value.isdigit():
            fail(where, f"a size is called {value!r}, which is a number")
        return to_text(value, where)
    if to_int(value, where, 10**18) == 0:
        fail(where, "a size is 0")
    return int(value)


def to_fraction(value: object, where: str) -> Fraction:
    """A rational number from its text."""
    text = to_text(value, where)
    if len(text) > MAX_DIGITS or not NUMBER.fullmatch(text) or not Fraction(int((text + "/1").split("/")[1])):
        fail(where, f"a rational number such as '2/3' is expected; got {text[:50]!r}")
    return Fraction(text)


def to_scalar(value: object, where: str) -> Scalar:
    """A scalar from its pair."""
    rational, powers = to_list(value, where, 2)
    exponents = {}
    for name, exponent in to_dict(powers, where).items():
        exponents[to_text(name, where)] = found = to_fraction(exponent, where)
        if name.isdigit() and not (name.isascii() and 2 <= int(name[:19]) < 10**18 and 0 < found < 1):
            fail(where, f"a root of a number has a prime and an exponent between 0 and 1; got {name[:50]} to the {found}")
    return scalar(to_fraction(rational, where), exponents)
