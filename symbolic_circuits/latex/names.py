r"""What a name with scripts stands for: ``W_{OV}^{h\top}`` is a name, a label and a transpose, by what is declared.

Every way to split the scripts into name, indices, label and actions that the declarations allow is a reading. The whole name counts
first; if several other readings are left, that is an error which shows them.
"""

from dataclasses import replace
from fractions import Fraction

from sympy import Pow, Rational, Symbol, exp
from sympy.core.basic import Basic

from symbolic_circuits.latex import tree
from symbolic_circuits.latex.actions import acted_on, entry_acted_on, is_action, scripted_value
from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.calls import unfolded
from symbolic_circuits.latex.declared import Abbreviation, Entry, Family, Index, Key, Scalar, Tensor
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.grammar import parse
from symbolic_circuits.latex.meaning import (
    identity_of,
    inner,
    meaning,
    require_vector,
    script_atoms,
    whole_power,
)
from symbolic_circuits.latex.readings import Reading, chosen, is_label, readings
from symbolic_circuits.latex.sizes import Axis, axis_text
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.units import delta, sized
from symbolic_circuits.latex.values import Value, contracted, scalar
from symbolic_circuits.syntax.arrays import Row

__all__: list[str] = []


@meaning.register
def _name(node: tree.Name, state: Elaboration) -> Value:
    """A name without scripts."""
    return named(node.text, (), (), node.span, state)


@meaning.register
def _scripted(node: tree.Scripted, state: Elaboration) -> Value:
    """A name or any part with scripts."""
    base, sub, sups = node.base, node.sub, node.sups
    while (
        isinstance(base, tree.Group)
        and len(base.parts) == 1
        and base.bracket == "{"
        and isinstance(base.parts[0], tree.Name | tree.Group)
    ):
        base = base.parts[0]
    if isinstance(base, tree.Norm):
        return norm_squared(base, node, state)
    if is_exponential(base, node, state):
        power = meaning(parse(list(sups[0]), state.source), state)
        if power.order:
            raise state.error("an exponential of a matrix: functions of entries are written for scalars", node.span)
        return scalar(lambda: exp(power.build()), node.span, power.indices)
    below = script_atoms(sub, state)
    if any(has_fraction(sup) for sup in sups):
        return rooted(meaning(base, state), node, state)
    above = tuple(atom for sup in sups for atom in script_atoms(sup, state))
    if isinstance(base, tree.Name):
        return named(base.text, below, above, node.span, state)
    if isinstance(base, tree.Identity | tree.Ones):
        return acted_on(sized(base, below, node.span, state), above, node.span, state)
    if isinstance(base, tree.Number) and below:
        raise state.error("a number has no subscript", node.span)
    return scripted_value(meaning(base, state), node, state)


def is_exponential(base: tree.Node, node: tree.Scripted, state: Elaboration) -> bool:
    """Whether this is e to a power that is no number, e being neither declared nor a size."""
    if base != tree.Name(base.span, "e") or node.sub or len(node.sups) != 1:
        return False
    taken = state.is_known("e") or "e" in state.symbols.sizes
    return not taken and all(
        token.kind in ("NAME", "NUMBER", "MINUS", "PLUS", "SUB", "SUP", "FRAC", "LBRACE", "RBRACE") for token in node.sups[0]
    )


def named(name: str, below: tuple[Atom, ...], above: tuple[Atom, ...], span: Span, state: Elaboration) -> Value:
    """The value of a name with its scripts."""
    if name in state.arguments:
        value = replace(state.arguments[name], span=span)  # a place in the definition, not in the call
        for k in range(1, len(below) + 1):
            if Key(name, "".join(atom.text for atom in below[:k])) in state.symbols.entries:
                raise state.error(
                    f"an entry of the argument {name}, or the {name} with a subscript that is declared? rename one of them", span
                )
        return entry_acted_on(value, below, actions_only(above, name, state), span, state)
    found = readings(name, below, above, state)
    letters = name.rstrip("0123456789")
    if not found and letters and letters != name:  # X0 is X_0
        digits = name[len(letters) :]
        below = (Atom("number", digits, span, Fraction(digits)), *below)
        name, found = letters, readings(letters, below, above, state)
    if not found:
        return undeclared(name, below, above, span, state)
    reading = chosen(found, span, state)
    value = value_of(reading, span, state)
    if reading.label is not None and reading.entry.place == "sup" and reading.label.kind == "word":
        for atom in reading.actions[:1]:
            if atom.kind == "number":
                raise state.error(
                    f"is {reading.label.text}{atom.text} one label, or is this a power? write (..)^{atom.text} for a power", span
                )
    return entry_acted_on(value, reading.indices, reading.actions, span, state)


def actions_only(above: tuple[Atom, ...], name: str, state: Elaboration) -> tuple[Atom, ...]:
    """Superscripts that can only be actions."""
    for atom in above:
        if not is_action(atom):
            raise state.error(f"{name} has no label; ^{{{atom.text}}} is no transpose, inverse or power", atom.span)
    return above


def value_of(reading: Reading, span: Span, state: Elaboration) -> Value:
    """The value without its indices and actions."""
    declared = reading.entry
    if isinstance(declared, Scalar):
        return scalar(lambda: declared.symbol, span)
    if isinstance(declared, Abbreviation):
        return unfolded(declared, (), span, state)
    if isinstance(declared, Family):
        return member(declared, reading.label, span, state)
    operator = len(declared.axes) == 2 and all(len(axis) > 1 for axis in declared.axes)
    return tensor(declared.symbol, declared.axes, span, operator)


def tensor(symbol: Basic, axes: tuple[Axis, ...], span: Span, operator: bool = False) -> Value:
    """A declared tensor."""
    return Value(axes, lambda: symbol, span, "column" if len(axes) == 1 else "plain", operator=operator)


def member(family: Family, label: Atom, span: Span, state: Elaboration) -> Value:
    """A member of a family."""
    place, names = state.place(label, family.heads, f"the heads of {family.shown}")
    indices = dict.fromkeys(names, 1)
    if len(family.axes) <= 2:
        form = "column" if len(family.axes) == 1 else "plain"
        return Value(family.axes, lambda: family.symbol[place], span, form, indices)
    head = Value((family.heads,), lambda: Row(state_identity(family, state, span), place), span, "array", indices)
    whole = Value((family.heads, *family.axes), lambda: family.symbol, span)
    labels = [f"a{k}" for k in range(len(family.axes))]
    return contracted(span, [["h", *labels], ["h"], labels], [whole, head], family.axes)


def state_identity(family: Family, state: Elaboration, span: Span) -> Basic:
    """The identity matrix on heads, whose rows are unit vectors."""
    return identity_of(family.heads, span, state).build()


def undeclared(name: str, below: tuple[Atom, ...], above: tuple[Atom, ...], span: Span, state: Elaboration) -> Value:
    """A name that is not declared: an identity matrix, a delta, a size, or an error."""
    if name == "I" and not state.is_known("I"):
        return acted_on(sized(tree.Identity(span), below, span, state), above, span, state)
    if name == "delta" and len(below) >= 2 and not above:
        return delta(below, span, state)
    text = name + (f"_{''.join(a.text for a in below)}" if below else "")
    if text in state.symbols.sizes:
        if state.lookup(text) is not None:
            raise state.error(f"{text} is an index here, and a size: an index is no number; rename one of them", span)
        size = Symbol(text, integer=True, positive=True)
        return acted_on(scalar(lambda: size, span), actions_only(above, text, state), span, state)
    for atom in below:
        if atom.is_action or atom.text in ("plus", "star"):
            raise state.error(
                "a position is a name or a number: a shifted or negative one cannot be read", below[0].span.to(atom.span)
            )
    entries = like(name, below, state)
    if not entries:
        raise undeclared_name(name, below, above, span, state)
    [first, *_] = entries
    if isinstance(first, Family):
        raise unlabelled(first, below, above, span, state)
    if any(atom.kind == "word" and not state.may_be_index(atom) for atom in below):
        raise undeclared_name(name, below, above, span, state)
    if isinstance(first, Index):
        raise state.error(f"{first.shown} is an index: it stands in subscripts and under sums", span)
    for atom in above:
        if not is_action(atom):
            raise state.error(f"{first.shown} is no family: ^{{{atom.text}}} is no label, transpose, inverse or power", atom.span)
    if below and isinstance(first, Scalar):
        raise state.error(f"{first.shown} is a scalar, and has no indices", span)
    if below and isinstance(first, Tensor):
        axes = "1 axis" if len(first.axes) == 1 else f"{len(first.axes)} axes"
        letters = "".join(a.text for a in below)
        hint = f", and {name}_{{{letters}}} is not declared" if len(below) > len(first.axes) else ""
        raise state.error(f"{first.shown} has {axes}, but {len(below)} indices {', '.join(a.text for a in below)}{hint}", span)
    raise undeclared_name(name, below, above, span, state)


def like(name: str, below: tuple[Atom, ...], state: Elaboration) -> list[Entry]:
    """What is declared with this letter and a first part of this subscript, the longest first."""
    parts = {"".join(a.text for a in below[:k]) for k in range(len(below) + 1)}
    found = [(key, e) for key, group in state.symbols.entries.items() if key.base == name and key.sub in parts for e in group]
    return [e for _, e in sorted(found, key=lambda pair: -len(pair[0].sub))]


def unlabelled(family: Family, below: tuple[Atom, ...], above: tuple[Atom, ...], span: Span, state: Elaboration) -> Exception:
    """The error for a family without a label of its range."""
    example = f"{family.shown}{'^' if family.place == 'sup' else '_'}{{{family.label}}}"
    heads = axis_text(family.heads)
    rest = above if family.place == "sup" else below[len(family.key.sub) and 1 :]
    label = next((atom for atom in rest if not atom.is_action), None)
    if label is None:
        return state.error(f"{family.shown} is a family over {heads}: it takes a label, as in {example}", span)
    if is_label(label, family, state):
        return undeclared_name(family.key.base, below, above, span, state)
    return state.error(
        f"{label.text} is no label of {example}, which runs over {heads}: declare it ({label.text} in {heads})", label.span
    )


def undeclared_name(name: str, below: tuple[Atom, ...], above: tuple[Atom, ...], span: Span, state: Elaboration) -> Exception:
    """The error for a name that is not declared."""
    upper = [a.text for a in above if not a.is_action and a.text != "T"]
    key = Key(name, "".join(a.text for a in below), "".join(upper))
    shown = name + (f"_{{{key.sub}}}" if key.sub else "") + (f"^{{{key.sup}}}" if key.sup else "")
    return state.undeclared(shown, key, span)


def norm_squared(base: tree.Norm, node: tree.Scripted, state: Elaboration) -> Value:
    r"""``\|x\|^2``."""
    below = script_atoms(node.sub, state)
    above = tuple(atom for sup in node.sups for atom in script_atoms(sup, state))
    if any(atom.text not in ("F", "2") for atom in below):
        raise state.error("only Euclidean and Frobenius norms are known", node.span)
    value = meaning(base.inside, state)
    if "F" not in [atom.text for atom in below]:
        require_vector(value, node.span, state)
    if len(above) != 1 or above[0].kind != "number" or above[0].number.denominator != 1 or above[0].number % 2:
        if not above:
            return scalar(lambda: Pow(inner(value, value, node.span, state).build(), Rational(1, 2)), node.span, value.indices)
        raise state.error("a norm is squared here, or raised to an even power", node.span)
    square = inner(value, value, node.span, state)
    half = whole_power(above[0], state) // 2
    if half == 1:
        return square
    return scalar(lambda: Pow(square.build(), half), node.span, {name: count * half for name, count in square.indices.items()})


def has_fraction(sup: tuple) -> bool:
    """Whether a superscript is a fraction."""
    return any(token.kind in ("FRAC", "SLASH") for token in sup)


def rooted(value: Value, node: tree.Scripted, state: Elaboration) -> Value:
    """A scalar to a power that is a fraction."""
    numbers = [t.value for sup in node.sups for t in sup if t.kind == "NUMBER"]
    sign = -1 if any(t.kind == "MINUS" for sup in node.sups for t in sup) else 1
    plain = all(t.kind in ("FRAC", "SLASH", "NUMBER", "LBRACE", "RBRACE", "MINUS") for sup in node.sups for t in sup)
    if value.order or node.sub or len(numbers) != 2 or not plain or not numbers[1] or max(numbers) > 1000:
        raise state.error("a fractional power is one of a scalar, such as e^{1/2}", node.span)
    power = sign * Rational(numbers[0].numerator, numbers[0].denominator) / Rational(numbers[1].numerator, numbers[1].denominator)
    return scalar(lambda: Pow(value.build(), power), node.span, value.indices)
