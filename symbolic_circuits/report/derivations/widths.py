"""An estimate of how wide a formula is: the sum of the widths of its symbols in em, scripts at 0.7 of their size."""

import re
from collections.abc import Iterator
from functools import lru_cache

__all__ = ["latex_width"]

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
SPACES = {r"\,": 0.17, r"\:": 0.22, r"\;": 0.28, r"\ ": 0.33, r"\!": -0.17, r"\quad": 1.0, r"\qquad": 2.0}
OPERATORS = {"+": 1.22, "-": 1.22, "=": 1.33, r"\otimes": 1.22, r"\odot": 1.22, r"\cdot": 0.72, r"\circ": 0.94, r"\times": 1.22}
NOTHING = {r"\left", r"\right", r"\displaystyle", r"\textstyle", r"\small", " ", "&", "\n", "\ue000", "\ue001", "\ue002"}
LARGER = {r"\bigl": 0.07, r"\bigr": 0.07, r"\Bigl": 0.21, r"\Bigr": 0.21, r"\biggl": 0.35, r"\biggr": 0.35}
SYMBOLS = {r"\sum": 1.6, r"\int": 1.2, r"\top": 0.78, r"\lambda": 0.58, r"\delta": 0.45, ",": 0.45, ".": 0.28, "'": 0.28}
ROMAN = {r"\mathrm", r"\text", r"\operatorname", r"\mathop", r"\mathbf", r"\mathsf"}
ONE_ARGUMENT = {r"\underline", r"\overline", r"\tilde", r"\hat", r"\mathcal", r"\mathbb"}
FRACTIONS = {r"\frac": 1.0, r"\tfrac": 0.7, r"\dfrac": 1.0}
WIDE, MACRO = {"W": 1.05, "M": 1.05, "m": 0.88, "w": 0.72}, 1.8


@lru_cache(maxsize=100_000)
def latex_width(latex: str) -> float:
    r"""The width of a formula in em.

    >>> latex_width("A") < latex_width("A^{h}") < latex_width("A X") < latex_width(r"A \otimes X")
    True
    """
    return sum(sequence(iter(TOKEN.findall(latex))))


def sequence(tokens: Iterator[str]) -> Iterator[float]:
    """The widths of atoms up to a closing brace; scripts of one atom stand above each other."""
    last, scripts, is_sum, is_small = 0.0, [0.0], False, False
    for token in tokens:
        if token == "}":
            break
        if token in "_^" and token:
            scripts.append(0.7 * argument(tokens))
            continue
        if token in NOTHING:
            is_small = is_small or token == r"\textstyle"
            continue
        yield max(last, *scripts) if is_sum else last + max(scripts)
        scripts, is_sum = [0.0], token == r"\sum" and not is_small
        last = 1.22 if token == r"\sum" and is_small else atom(token, tokens)
    yield max(last, *scripts) if is_sum else last + max(scripts)


def argument(tokens: Iterator[str]) -> float:
    """The width of what a command takes: a group or one symbol."""
    token = next((token for token in tokens if token != " "), "}")
    return atom(token, tokens)


def atom(token: str, tokens: Iterator[str]) -> float:
    """The width of one symbol, group or command with its arguments."""
    if token == "{":
        return sum(sequence(tokens))
    for table in (SPACES, OPERATORS, LARGER, SYMBOLS):
        if token in table:
            return table[token]
    if token in FRACTIONS:
        return FRACTIONS[token] * max(argument(tokens), argument(tokens)) + 0.24
    if token == r"\textcolor":
        argument(tokens)
        return argument(tokens)
    if token in ROMAN:
        return argument_of_text(tokens)
    if token in ONE_ARGUMENT:
        return argument(tokens)
    if token.startswith("\\"):
        return MACRO if len(token) > 2 else 0.6
    if token in "()[]|!":
        return 0.39
    return WIDE.get(token, 0.81 if token.isupper() else 0.53)


def argument_of_text(tokens: Iterator[str]) -> float:
    """The width of upright text, in which spaces count."""
    token, depth, total = next(tokens, "}"), 0, 0.0
    while token == " ":
        token = next(tokens, "}")
    if token != "{":
        return 0.5
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token, 0)
        if depth < 0:
            break
        total += 0.33 if token == " " else 0.0 if token in "${}" else 0.5
    return total
