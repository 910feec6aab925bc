r"""Chains of equations -> claims: both sides as SymPy expressions, with what is given about the tensors in them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sympy import Expr, IndexedBase, MatrixSymbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.errors import LatexError, SymbolicCircuitsError
from symbolic_circuits.latex.chains import RawChain
from symbolic_circuits.latex.declared import Symbols
from symbolic_circuits.latex.definitions import defined
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.grammar import parse
from symbolic_circuits.latex.meaning import meaning, same_shape
from symbolic_circuits.latex.sizes import unknowns
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.summing import summed_over
from symbolic_circuits.latex.tree import Node, Sum
from symbolic_circuits.latex.values import Value, array_of, plus, zero
from symbolic_circuits.syntax.family import MatrixFamily

SIZED = re.compile(r"\\(?:left|[bB]igg?l?)\s*\Z")

__all__ = ["Chain", "Claim", "built", "read_chain", "side_values"]


@dataclass(frozen=True)
class Claim:
    """That two sides are equal, or that they are not."""

    lhs: Expr
    rhs: Expr
    relation: str  # "=" or "!="
    source: str  # as it was written
    lhs_source: str
    rhs_source: str
    line: int
    column: int
    given: tuple[Any, ...]  # laws, definitions and rewrites, as symbolic_circuits.prove takes them
    at: Mapping[str, int]  # sizes for which alone it is claimed


@dataclass(frozen=True)
class Chain:
    """The claims of one chain of equations, and what is declared when it is read."""

    claims: tuple[Claim, ...]
    tag: str | None
    remarks: tuple[str, ...]
    line: int
    declarations: Any


def read_chain(raw: RawChain, symbols: Symbols, source: Source) -> tuple[tuple[Claim, ...], Symbols]:
    """The claims of a chain; where its first relation is ``:=``, the left side is defined from here on.

    Raises
    ------
    LatexError
        There is no relation, a name is not declared, shapes do not fit.
    """
    if not raw.relations:
        raise source.error("this is no equation: there is no =, \\neq or := in it", raw.span)
    nodes = [parse(list(side), source) for side in raw.sides]
    kinds = [str(token.value) for token in raw.relations]
    if ":=" in kinds[1:]:
        raise source.error(
            "a definition has one name on its left and stands first in a chain", raw.relations[kinds.index(":=", 1)].span
        )
    if kinds[0] == ":=":
        symbols = defined(nodes[0], nodes[1], symbols, source)
        nodes, raw, kinds = nodes[1:], replace(raw, sides=raw.sides[1:], relations=raw.relations[1:]), kinds[1:]
        if not kinds:
            return (), symbols
    expressions = side_expressions(nodes, symbols, source)
    return tuple(claim(k, expressions, raw, kinds[k], symbols, source) for k in range(len(kinds))), symbols


def claim(k: int, expressions: list[Expr], raw: RawChain, kind: str, symbols: Symbols, source: Source) -> Claim:
    """The claim between side k and the next."""
    lhs, rhs = expressions[k], expressions[k + 1]
    texts = [side_text(raw, side, source) for side in (k, k + 1)]
    line, column = source.position(raw.sides[k + 1][0].span.start)
    shown = {"=": "=", "!=": r"\neq"}[kind]
    at = {name: number for name, number in symbols.at.items() if name in size_names(lhs, rhs)}
    return Claim(lhs, rhs, kind, f"{texts[0]} {shown} {texts[1]}", *texts, line, column, given_for((lhs, rhs), symbols), at)


def side_text(raw: RawChain, k: int, source: Source) -> str:
    """Side k as it was written."""
    start = raw.relations[k - 1].span.end if k else raw.span.start
    end = raw.relations[k].span.start if k < len(raw.relations) else raw.span.end
    if not k:
        start -= len(source.text[:start]) - len(SIZED.sub("", source.text[:start]))
    return source.slice(Span(start, end)).strip("& ").removesuffix("\\\\").rstrip()


def side_expressions(nodes: list[Node], symbols: Symbols, source: Source) -> list[Expr]:
    """The expressions of the sides; where a column of numbers does not fit, its zeros are blocks, if they fit then."""
    state = Elaboration(symbols, source)
    try:
        return built(side_values(nodes, state), state)
    except LatexError as error:
        again = Elaboration(symbols, source)
        again.zeros_are_blocks = True
        try:
            return built(side_values(nodes, again), again)
        except LatexError:
            raise error from None


def side_values(nodes: list[Node], state: Elaboration) -> list[Value]:
    """The values of all sides, of one shape and with the same free indices."""
    if state.symbols.einstein:
        state.summed = frozenset(singly_free(nodes, state))
        values = [einstein(node, state) for node in nodes]
    else:
        values = [meaning(node, state) for node in nodes]
    whole = Span(nodes[0].span.start, nodes[-1].span.end)
    values = same_shape(values, "an equation", whole, state)
    names = list(dict.fromkeys(name for value in values for name in value.indices))
    return [value if value.is_zero else state.with_indices(value, names, "both sides of the equation") for value in values]


def singly_free(nodes: list[Node], state: Elaboration) -> set[str]:
    """The indices that stand only once in some term: those that the Einstein convention leaves free."""
    trial = Elaboration(state.symbols, state.source)
    trial.summed = frozenset()
    found = set()
    for node in nodes:
        for _, term in terms_of(node):
            value = meaning(term, trial)
            found |= {trial.by_symbol[name].name for name, count in value.indices.items() if count == 1}
    return found


def terms_of(node: Node) -> tuple[tuple[int, Node], ...]:
    """The terms of a side."""
    return node.terms if isinstance(node, Sum) else ((1, node),)


def einstein(node: Node, state: Elaboration) -> Value:
    """A side, every term summed over the indices that stand in it more than once and are free nowhere."""
    values = []
    for _, term in terms_of(node):
        value = meaning(term, state)
        over = [state.by_symbol[name] for name in value.indices if state.by_symbol[name].name not in state.summed]
        values.append(summed_over(over, value, term.span, state) if over else value)
    if len(values) == 1 and not isinstance(node, Sum):
        return values[0]
    signs = [sign for sign, _ in terms_of(node)]
    values = same_shape(values, "a sum of terms", node.span, state)
    names = list(dict.fromkeys(name for value in values for name in value.indices))
    values = [value if value.is_zero else state.with_indices(value, names) for value in values]
    return plus(values, signs, node.span)


def built(values: list[Value], state: Elaboration) -> list[Expr]:
    """The expressions of sides of one shape."""
    state.settle()
    open_axes = [axis for value in values for axis in value.axes] + [index.axis for index in state.free.values()]
    state.any_size |= {unknown for axis in open_axes for unknown in unknowns(state.known(axis))}
    shape = next((value for value in values if not value.is_zero), values[0])
    as_columns = shape.order == 1 and all(value.form == "column" or value.is_zero for value in values)
    out = []
    for value in values:
        if value.is_zero:
            out.append(zero(shape.axes if not as_columns else (shape.axes[0], ()), state.known))
            continue
        try:
            out.append((value.build if as_columns else array_of(value))())
        except SymbolicCircuitsError as error:
            if hasattr(error, "line") and error.line:
                raise
            raise state.error(str(error), value.span) from error
        except (ValueError, TypeError, NotImplementedError, ArithmeticError, AttributeError) as error:
            raise state.error(f"this has no expression: {error}", value.span) from error
    return out


def leaves(*expressions: Basic) -> set[Basic]:
    """The tensors in expressions."""
    return (
        set().union(*(expr.atoms(MatrixSymbol, ArraySymbol, MatrixFamily, IndexedBase) for expr in expressions))
        if expressions
        else set()
    )


def size_names(*expressions: Basic) -> set[str]:
    """The names of sizes in expressions."""
    found = set()
    for expr in expressions:
        found |= {symbol.name for leaf in leaves(expr) for size in leaf.shape for symbol in getattr(size, "free_symbols", ())}
        found |= {
            symbol.name for symbol in expr.free_symbols if hasattr(symbol, "name") and symbol.is_integer and symbol.is_positive
        }
    return found


def given_for(expressions: tuple[Expr, ...], symbols: Symbols) -> tuple[Any, ...]:
    """What is declared about the tensors in expressions, and about those in their definitions."""
    there = leaves(*expressions)
    definitions: dict[Basic, Expr] = {}
    grown = True
    while grown:
        before = len(there)
        for symbol, value in symbols.definitions:
            if symbol in there:
                definitions[symbol] = value
                there |= leaves(value)
        for rewrite in symbols.rewrites:
            if leaves(rewrite.lhs) <= there:
                there |= leaves(rewrite.rhs)
        grown = len(there) > before
    laws: dict[Basic, list[str]] = {}
    names = {getattr(leaf, "name", str(leaf)): leaf for leaf in there}
    for law in symbols.laws:
        other = law.text.partition("(")[2].rstrip(")") if law.text.startswith("inverse") else ""
        if law.symbol in there and (not other or other in map(str, names)):
            laws.setdefault(law.symbol, []).append(law.text)
    out: list[Any] = []
    ordered = sorted(laws, key=str)
    if ordered:
        out.append({symbol: laws[symbol] for symbol in ordered})
    if definitions:
        out.append({symbol: definitions[symbol] for symbol in sorted(definitions, key=str)})
    out += [rewrite for rewrite in symbols.rewrites if leaves(rewrite.lhs) <= there]
    return tuple(out)
