r"""A contraction by index lists in LaTeX, (sum_j A_{ij} B_{jk})_{ik}, and as a call of numpy.einsum."""

from collections.abc import Iterable
from itertools import chain
from string import ascii_letters
from typing import TYPE_CHECKING

from sympy.printing.precedence import PRECEDENCE

from symbolic_circuits.errors import CodeError
from symbolic_circuits.syntax.subscripts import Labels, call

if TYPE_CHECKING:
    from symbolic_circuits.syntax.contract import Contracted

__all__ = ["to_latex", "to_numpy"]


def to_latex(node: "Contracted", printer: object) -> str:
    r"""Entries and their sum, :math:`(\sum_j A_{ij} B_{jk})_{ik}`; an output label that repeats is primed, with a delta."""
    *inputs, output = node.lists
    parts, seen, free = [], [], []
    for part, operand in zip(inputs, node.operands, strict=True):
        text = printer.parenthesize(operand, PRECEDENCE["Atom"] if part else PRECEDENCE["Mul"], strict=True)
        parts.append(f"{{{text}}}_{{{latex_axes(part)}}}" if part else text)
    for axis in output:
        free.append(tuple(label + "'" * (seen + list(axis[:k])).count(label) for k, label in enumerate(axis)))
        seen += axis
    deltas = dict.fromkeys(label for axis in free for label in axis if label.endswith("'"))
    parts += [rf"\delta_{{{latex_label(label[:-1])} {latex_label(label)}}}" for label in deltas]
    body = " ".join(parts)
    if node.summed:
        body = rf"\sum_{{{' '.join(map(latex_label, node.summed))}}} {body}"
    return rf"\left({body}\right)_{{{latex_axes(free)}}}" if output else body


def latex_axes(axes: Iterable[Labels]) -> str:
    """The subscript of an entry."""
    return " ".join(
        latex_label(axis[0]) if len(axis) == 1 else f"({' '.join(map(latex_label, axis))})" if axis else "0" for axis in axes
    )


def latex_label(label: str) -> str:
    """A label in LaTeX: words upright, a subscript below.

    >>> latex_label("i"), latex_label("row"), latex_label("i_1")
    ('i', '\\\\mathrm{row}', 'i_{1}')
    """
    text, primes = label.rstrip("'"), "'" * label.count("'")
    letter, _, below = text.partition("_")
    shown = letter if len(letter) == 1 else rf"\mathrm{{{letter}}}"
    return f"{shown}_{{{below}}}{primes}" if below else shown + primes


def to_numpy(node: "Contracted", printer: object) -> str:
    """A call of numpy.einsum; identity matrices for output labels that repeat, axes of products split and merged."""
    labels = list(node.sizes)
    if len(labels) > len(ascii_letters):
        raise CodeError(
            f"numpy.einsum has {len(ascii_letters)} letters, but {call(node.lists, node.operands)} has {len(labels)} labels"
        )
    letters = {label: label if label in ascii_letters else None for label in labels}
    unused = iter([letter for letter in ascii_letters if letter not in labels])
    letters = {label: letter or next(unused) for label, letter in letters.items()}
    einsum, reshape, eye = (printer._module_format(f"numpy.{name}") for name in ("einsum", "reshape", "eye"))
    inputs, codes, output = [], [], []
    for part, operand in zip(node.lists, node.operands, strict=False):
        code = printer._print(operand)
        if any(len(axis) != 1 for axis in part):
            code = f"{reshape}({code}, ({''.join(printer._print(node.sizes[label]) + ', ' for axis in part for label in axis)}))"
        inputs.append("".join(letters[label] for axis in part for label in axis))
        codes.append(code)
    for label in chain.from_iterable(node.lists[-1]):
        letter = letters[label]
        if letter in output:
            fresh = next(unused, None)
            if fresh is None:
                raise CodeError(f"{call(node.lists, node.operands)} needs more letters than numpy.einsum has")
            codes.append(f"{eye}({printer._print(node.sizes[label])})")
            inputs.append(letter + fresh)
            letter = fresh
        output.append(letter)
    code = f"{einsum}('{','.join(inputs)}->{''.join(output)}', {', '.join(codes)})"
    if any(len(axis) != 1 for axis in node.lists[-1]):
        return f"{reshape}({code}, ({''.join(printer._print(size) + ', ' for size in node.shape)}))"
    return code
