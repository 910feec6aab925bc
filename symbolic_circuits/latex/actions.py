r"""What superscripts do: transpose, invert, raise to a power; and entries and powers of the value of a function."""

from collections.abc import Sequence

from sympy import HadamardPower, Inverse, MatPow, Pow
from sympy.core.basic import Basic

from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.entries import entry
from symbolic_circuits.latex.meaning import known, script_atoms, transpose, whole_power
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.tree import Scripted
from symbolic_circuits.latex.values import Value, hadamard, scalar

__all__ = ["acted_on", "entry_acted_on", "is_action", "scripted_value"]


def is_action(atom: Atom) -> bool:
    """Whether an atom is a transpose, inverse or power."""
    return atom.is_action or atom.kind == "number" or (atom.kind == "word" and atom.text == "T")


def scripted_value(value: Value, node: Scripted, state: Elaboration) -> Value:
    """A value with the scripts of a node: entries, then transposes and powers."""
    above = tuple(atom for sup in node.sups for atom in script_atoms(sup, state))
    return entry_acted_on(value, script_atoms(node.sub, state), above, node.span, state)


def entry_acted_on(value: Value, below: Sequence[Atom], above: Sequence[Atom], span: Span, state: Elaboration) -> Value:
    r"""The entry of a value and what is done to it; of ``W^\top_{ij}`` no one knows which comes first."""
    if value.order > 1 and len(below) == value.order:
        for atom in above:
            if atom.kind in ("top", "inverse", "inverse_top") or atom.text == "T":
                action = "^{-1}" if atom.kind == "inverse" else "^\\top"
                raise state.error(
                    f"is this an entry of the {'inverse' if atom.kind == 'inverse' else 'transpose'}? write brackets: (..{action})_{{..}}",
                    span,
                )
    return acted_on(entry(value, below, span, state), above, span, state)


def acted_on(value: Value, actions: Sequence[Atom], span: Span, state: Elaboration) -> Value:
    """Transposes, inverses and powers, one after the other."""
    for atom in actions:
        value = action(known(value, state), atom, span, state)
    return value


def action(value: Value, atom: Atom, span: Span, state: Elaboration) -> Value:
    """One transpose, inverse or power."""
    if atom.kind == "top" or atom.text == "T":
        return transpose(value, span, state)
    if atom.kind == "inverse_top":
        return transpose(inverse(value, 1, span, state), span, state)
    if atom.kind == "inverse":
        return inverse(value, whole_power(atom, state), span, state)
    if atom.kind == "elementwise":
        return elementwise_power(value, whole_power(atom, state), span, state)
    if not is_action(atom):
        raise state.error(f"^{{{atom.text}}} is no transpose, inverse or power", atom.span)
    return raised(value, whole_power(atom, state), span, state)


def raised(value: Value, power: int, span: Span, state: Elaboration) -> Value:
    """A scalar or square matrix to a whole power."""
    if value.order == 0:
        indices = {name: count * max(power, 1) for name, count in value.indices.items()}
        return scalar(lambda: Pow(value.build(), power), span, indices)
    if value.order != 2:
        raise state.error(f"a power of {state.shape(value)}: write x^{{\\odot 2}} for entries, or \\|x\\|^2", span)
    state.unify(value.axes[0], value.axes[1], "the rows of a matrix under a power", "its columns", span)
    indices = {name: count * max(power, 1) for name, count in value.indices.items()}
    return Value(value.axes, lambda: MatPow(value.build(), power).doit(deep=False), span, "plain", indices, False, value.operator)


def inverse(value: Value, power: int, span: Span, state: Elaboration) -> Value:
    """The inverse of a scalar or square matrix."""
    if value.order == 0:
        if value.is_zero:
            raise state.error("a division by zero", span)
        return scalar(lambda: Pow(value.build(), -power), span, value.indices)
    if value.order != 2:
        raise state.error(f"an inverse is one of a square matrix; this is {state.shape(value)}", span)
    state.unify(value.axes[0], value.axes[1], "the rows of a matrix under an inverse", "its columns", span)

    def build() -> Basic:
        inverted = Inverse(value.build()).doit(deep=False)
        return inverted if power == 1 else MatPow(inverted, power).doit(deep=False)

    return Value(value.axes, build, span, "plain", value.indices, False, value.operator)


def elementwise_power(value: Value, power: int, span: Span, state: Elaboration) -> Value:
    r"""``x^{\odot 2}``."""
    if power < 1:
        raise state.error("an elementwise power is a positive whole number", span)
    if value.order == 0:
        return raised(value, power, span, state)
    if value.order == 2 or value.form == "column":
        return Value(
            value.axes,
            lambda: HadamardPower(value.build(), power) if power > 1 else value.build(),
            span,
            value.form,
            value.indices,
        )
    out = value
    for _ in range(min(power, 64) - 1):
        out = hadamard(out, value, span)
    return out
