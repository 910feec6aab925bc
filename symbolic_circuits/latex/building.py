"""What the parser reduces -> nodes; terms wait until the whole formula is read, and are arranged then."""

from typing import Any

from lark import Token as LarkToken
from lark import Transformer, v_args

from symbolic_circuits.latex.arranging import Based, Late, Operation, Pending
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.tree import (
    Angle,
    Fraction_,
    Function,
    Grid,
    Group,
    Identity,
    Lambda,
    Name,
    Node,
    Norm,
    Number,
    Ones,
    Root,
    Scripted,
    Sum,
)

__all__ = ["Builder", "Misshapen"]


@v_args(inline=True)
class Builder(Transformer):
    """Nodes from what the parser reduces."""

    def start(self, value: Any) -> Any:
        return value

    def sum(self, *parts: Any) -> Any:
        terms, sign = [], 1
        for part in parts:
            if isinstance(part, int):
                sign = part
            else:
                terms.append((sign, part))
                sign = 1
        if len(terms) == 1 and terms[0][0] == 1:
            return terms[0][1]
        span = span_of(terms[0][1]).to(span_of(terms[-1][1]))
        signs = tuple(sign for sign, _ in terms)
        return Late(span, lambda at, *nodes: Sum(at, tuple(zip(signs, nodes, strict=True))), tuple(part for _, part in terms))

    def sign(self, token: LarkToken) -> int:
        return -1 if token.type == "MINUS" else 1

    def term(self, *items: Any) -> Pending:
        return Pending(list(items))

    def operation(self, token: LarkToken) -> Operation:
        return Operation(token.type, token.value.span, token.value.value)

    def dotted(self, dot: LarkToken, sub: LarkToken) -> Any:
        inside = [token for token in sub.value.value if token.kind != "COMMA"]
        digits = "".join(str(token.value) for token in inside)
        span = dot.value.span.to(sub.value.span)
        if len(digits) != 2 or not digits.isdigit():
            return Late(span, wrong_axes, ())
        return Operation("DOT", span, (int(digits[0]), int(digits[1])))

    def big(self, token: LarkToken, *scripts: LarkToken) -> Any:
        subs = [s.value.value for s in scripts if s.type == "SUB"]
        sups = [s.value.value for s in scripts if s.type == "SUP"]
        span = token.value.span
        for script in scripts:
            span = span.to(script.value.span)
        return Operation("BIG", span, (token.value.value, subs[0] if subs else (), sups[0] if sups else ()))

    def script(self, token: LarkToken) -> LarkToken:
        return token

    def with_scripts(self, base: Any, *scripts: LarkToken) -> Any:
        span = span_of(base)
        for script in scripts:
            span = span.to(script.value.span)
        primes, scripts = primes_of(scripts)
        if primes:
            base = plain_name(base)
        if primes and isinstance(base, Name):
            base = Name(base.span, base.text + "prime" * primes)
        elif primes:
            return Late(span_of(base), primed, ())
        sub = tuple(token for s in scripts if s.type == "SUB" for token in s.value.value)
        sups = tuple(s.value.value for s in scripts if s.type == "SUP")
        if isinstance(base, Name) and not sub and not sups:
            return Name(span, base.text)
        return Based(span, lambda at, inner: Scripted(at, inner, sub, sups), (base,))

    def name(self, token: LarkToken) -> Name:
        return Name(token.value.span, token.value.value)

    def number(self, token: LarkToken) -> Number:
        return Number(token.value.span, token.value.value)

    def identity(self, token: LarkToken) -> Identity:
        return Identity(token.value.span)

    def ones(self, token: LarkToken) -> Ones:
        return Ones(token.value.span)

    def function(self, token: LarkToken) -> Function:
        return Function(token.value.span, token.value.value)

    def group(self, opened: LarkToken, *rest: Any) -> Any:
        parts = tuple(part for part in rest[:-1] if not isinstance(part, LarkToken))
        span = opened.value.span.to(rest[-1].value.span)
        bracket = opened.value.value
        return Late(span, lambda at, *nodes: Group(at, nodes, bracket), parts)

    def empty(self, opened: LarkToken, closed: LarkToken) -> Any:
        return Group(opened.value.span.to(closed.value.span), (), "{")

    def fraction(self, token: LarkToken, _1: Any, over: Any, _2: Any, _3: Any, under: Any, last: LarkToken) -> Any:
        return Late(token.value.span.to(last.value.span), Fraction_, (over, under))

    def root(self, token: LarkToken, _1: Any, inside: Any, last: LarkToken) -> Any:
        return Late(token.value.span.to(last.value.span), Root, (inside,))

    def angle(self, token: LarkToken, left: Any, _1: Any, right: Any, last: LarkToken) -> Any:
        return Late(token.value.span.to(last.value.span), Angle, (left, right))

    def norm(self, token: LarkToken, inside: Any, last: LarkToken) -> Any:
        return Late(token.value.span.to(last.value.span), Norm, (inside,))

    def lambda_(self, token: LarkToken, variable: LarkToken, _: Any, body: Any, last: LarkToken) -> Any:
        name = variable.value.value
        return Late(token.value.span.to(last.value.span), lambda at, inner: Lambda(at, name, inner), (body,))

    def row(self, *cells: Any) -> list[Any]:
        return [cell for cell in cells if not isinstance(cell, LarkToken)]

    def grid(self, token: LarkToken, *rest: Any) -> Any:
        rows = [row for row in rest[:-1] if isinstance(row, list)]
        if len(rows) > 1 and rows[-1] == [None]:
            rows.pop()  # a line break behind the last row
        widths = [len(row) for row in rows]
        cells = tuple(cell for row in rows for cell in row)
        return Late(token.value.span.to(rest[-1].value.span), lambda at, *nodes: grid(at, widths, nodes), cells)


setattr(Builder, "lambda", Builder.lambda_)


def primes_of(scripts: tuple[LarkToken, ...]) -> tuple[int, list[LarkToken]]:
    r"""The number of primes, ``x'`` or ``x^{\prime}``, and the scripts that are left."""
    primes, rest = 0, []
    for script in scripts:
        inside = script.value.value if script.type == "SUP" else ()
        leading = next((k for k, token in enumerate(inside) if token.kind != "PRIME"), len(inside))
        primes += leading + (script.type == "PRIME")
        if leading:
            script = LarkToken("SUP", script.value._replace(value=inside[leading:]))
        if script.type != "PRIME" and not (leading and leading == len(inside)):
            rest.append(script)
    return primes, rest


def plain_name(part: Any) -> Any:
    """The name in braces that a part is; other parts as they are."""
    inner = part
    while isinstance(inner, Late | Pending):
        parts = inner.items if isinstance(inner, Pending) else inner.parts
        if len(parts) != 1:
            return part
        inner = parts[0]
    return inner if isinstance(inner, Name) else part


def span_of(part: Any) -> Span:
    """The span of a node that may not be arranged yet."""
    if isinstance(part, Pending):
        return span_of(part.items[0]).to(span_of(part.items[-1]))
    return part.span


def grid(span: Span, widths: list[int], cells: tuple[Node | None, ...]) -> Grid:
    """A matrix of blocks."""
    if len(set(widths)) != 1 or any(cell is None for cell in cells):
        raise Misshapen("the rows of a matrix have the same number of entries, none of them empty", span)
    width = widths[0]
    return Grid(span, tuple(cells[k : k + width] for k in range(0, len(cells), width)))


class Misshapen(Exception):
    """Something that the grammar lets pass has no meaning."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message, self.span = message, span


def wrong_axes(span: Span) -> Node:
    """A dot with a subscript that is no pair of axes."""
    raise Misshapen("the inner product \\cdot_{jk} has two axes of one digit, from 1", span)


def primed(span: Span) -> Node:
    """A prime behind something that is no name."""
    raise Misshapen("a prime belongs to a name", span)
