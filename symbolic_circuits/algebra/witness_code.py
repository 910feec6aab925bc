r"""A counterexample as a test function that uses NumPy only: tensors as arrays of exact numbers, each side as a sum of einsums."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from keyword import iskeyword
from typing import TYPE_CHECKING

import numpy as np
import opt_einsum

from symbolic_circuits.algebra.functions import FunctionTensor
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.scalar import Monomial
from symbolic_circuits.algebra.sums import is_sum
from symbolic_circuits.algebra.units import is_unit, place_of
from symbolic_circuits.algebra.values import scalar_value, size_of
from symbolic_circuits.errors import CodeError

if TYPE_CHECKING:
    from symbolic_circuits.algebra.witness import Witness

__all__ = ["code_of_witness"]

LETTERS = 52


def code_of_witness(witness: "Witness") -> str:
    """The text of a module with one test."""
    statement = witness.statement
    if witness.modulus is not None:
        raise CodeError("a counterexample to a statement that is too large to multiply out is not written as code")
    if any(is_sum(size) for axis in statement.lhs.axes for size in axis):
        raise CodeError("a counterexample along an axis of blocks is not written as code: compare block by block")
    used: dict[str, str] = {}
    sides = []
    for side in (statement.lhs, statement.rhs):
        terms = list(statement.expanded(side.terms))
        shape = output_shape(witness, side)
        sides.append(" + ".join(term_code(term, witness, used) for term in terms) or f"np.zeros({shape}, dtype=object)")
    place = f"[{', '.join(map(str, witness.entry))}]" if witness.entry else "[()]"
    arrays = [f"    {used[name]} = {array_code(witness.arrays[name])}" for name in sorted(used)]
    sizes = ", ".join(f"{plain(name)} = {value}" for name, value in {**witness.sizes, **witness.scalars}.items())
    checks = [f"    assert {name}{place} == {sum_code(value)}" for name, value in (("lhs", witness.lhs), ("rhs", witness.rhs))]
    body = [
        "def test_sides_differ():",
        f'    """A counterexample at {sizes or "fixed sizes"}: the sides differ at {place if witness.entry else "their one entry"}."""',
        *arrays,
        f"    lhs = np.asarray({sides[0]}, dtype=object)",
        f"    rhs = np.asarray({sides[1]}, dtype=object)",
        *checks,
        f"    assert lhs{place} != rhs{place}",
    ]
    text = "\n".join(body)
    imports = ["from fractions import Fraction\n"] if "Fraction(" in text else []
    imports += ["import numpy as np"] + (["from sympy import Integer, Rational"] if "Rational(" in text else [])
    return "\n".join([*imports, "", "", text, ""])


def output_shape(witness: "Witness", side: Open) -> list[int]:
    """The shape of a side, open names after the axes; of a side that is 0, as the other has it."""
    for other in (side, witness.statement.lhs, witness.statement.rhs):
        for term in witness.statement.expanded(other.terms):
            return [size_of(term.sizes[index], witness.sizes) for index in (*term.legs, *(i for _, i in term.named))]
    return [size_of(size, witness.sizes) for axis in side.axes for size in axis]


def term_code(term: OpenTerm, witness: "Witness", used: dict[str, str]) -> str:
    """A term: number times einsum."""
    numbers = {name: Fraction(size) for name, size in witness.sizes.items()} | dict(witness.scalars)
    scalar = scalar_value(term.scalar, numbers)
    sizes = [size_of(size, witness.sizes) for size in term.sizes]
    operands, inputs = [], []
    for tensor, indices in term.factors:
        if isinstance(tensor, FunctionTensor):
            raise CodeError(f"a counterexample with the function {tensor.function} is not written as code")
        if is_unit(tensor):
            operands.append(f"np.eye({sizes[indices[0]]}, dtype=int)[{place_of(tensor)}]")
        else:
            operands.append(used.setdefault(tensor.name, python_name(tensor.name, set(used.values()))))
        inputs.append(list(indices))
    present, output, fresh = {i for part in inputs for i in part}, [], len(sizes)
    for index in term.legs + tuple(index for _, index in term.named):
        if index in output:
            operands.append(f"np.eye({sizes[index]}, dtype=int)")
            inputs.append([index, fresh])
            output.append(fresh)
            fresh += 1
        else:
            if index not in present:
                operands.append(f"np.ones({sizes[index]}, dtype=int)")
                inputs.append([index])
            output.append(index)
    coefficient = sum_code({scalar.monomial: scalar.rational})
    if not operands:
        return coefficient
    if fresh > LETTERS:
        raise CodeError(f"a term has {fresh} indices; numpy.einsum takes {LETTERS}")
    letters = [opt_einsum.get_symbol(k) for k in range(fresh)]
    string = ",".join("".join(letters[i] for i in part) for part in inputs) + "->" + "".join(letters[i] for i in output)
    einsum = f'np.einsum("{string}", {", ".join(operands)})'
    return einsum if coefficient == "1" else f"{coefficient} * {einsum}"


def plain(name: str) -> str:
    """A name that ends no string and no line."""
    return "".join(c if c.isalnum() or (c in "_^.{}'" and c.isprintable()) else "_" for c in name)


def python_name(name: str, taken: Iterable[str]) -> str:
    """A name for a variable."""
    base = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    base = f"T_{base}" if not base[:1].isalpha() else base
    while base in taken or base in TAKEN or iskeyword(base):
        base += "_"
    return base


TAKEN = {"lhs", "rhs", "np", "Fraction", "Integer", "Rational"}


def array_code(array: np.ndarray) -> str:
    """An array of exact numbers."""
    return f"np.array({nested(array.tolist())}, dtype=object)"


def nested(values: object) -> str:
    """Nested lists of exact numbers."""
    if isinstance(values, list):
        return f"[{', '.join(map(nested, values))}]"
    value = Fraction(values)  # integers as such, so that they are read at a glance
    return str(value) if value.denominator == 1 else f"Fraction({value.numerator}, {value.denominator})"


def sum_code(total: Mapping[Monomial, Fraction]) -> str:
    """An exact number; roots are SymPy's."""
    parts = []
    for monomial, value in sorted(total.items(), key=lambda pair: str(pair[0])):
        number = nested(value)
        if monomial:
            roots = [f"Integer({base}) ** Rational({e.numerator}, {e.denominator})" for base, e in monomial]
            number = " * ".join(([] if value == 1 else [f"Rational({value.numerator}, {value.denominator})"]) + roots)
        parts.append(number)
    return " + ".join(parts) or "0"
