r"""Tokens -> tree by an LALR grammar; terms are flat there, and their operations are arranged afterwards.

From tight to loose: scripts, juxtaposition, ``\cdot``, one of ``\otimes``, ``\odot`` (``\circ``), ``\cdot_{jk}`` (which are not mixed
without brackets), + and -. A ``\sum`` reaches to the end of its term.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Transformer, v_args
from lark import Token as LarkToken
from lark.exceptions import UnexpectedInput, VisitError
from lark.lexer import Lexer

from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.tree import (
    Angle,
    Big,
    Binary,
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
    Product,
    Root,
    Scripted,
    Sum,
)

__all__ = ["parse"]

GRAMMAR = r"""
start: sum
sum: sign? term (sign term)*
!sign: PLUS | MINUS
term: item+
?item: scripted | operation
!operation: CDOT | TIMES | ODOT | OTIMES | SLASH
!dotted: CDOT SUB
?scripted: atom | dotted | big | with_scripts
with_scripts: atom script+
big: BIG script*
!script: SUB | SUP | PRIME
?atom: name | number | identity | ones | function | group | fraction | root | angle | norm | grid | lambda
name: NAME
number: NUMBER
identity: IDENTITY
ones: ONES
function: FUNCTION
group: OPEN sum (COMMA sum)* CLOSE | LBRACE sum (COMMA sum)* RBRACE
    | LBRACE RBRACE -> empty
lambda: OPEN NAME MAPSTO sum CLOSE | LBRACE NAME MAPSTO sum RBRACE
fraction: FRAC LBRACE sum RBRACE LBRACE sum RBRACE
root: SQRT LBRACE sum RBRACE
angle: ANGLE_OPEN sum (COMMA | BAR) sum ANGLE_CLOSE
norm: NORM_OPEN sum NORM_CLOSE
grid: BEGIN row (ROWSEP row)* END
row: [sum] (AMP [sum])*
%declare PLUS MINUS CDOT TIMES ODOT OTIMES SLASH SUB SUP PRIME BIG NAME NUMBER IDENTITY ONES FUNCTION OPEN CLOSE LBRACE RBRACE
%declare COMMA MAPSTO FRAC SQRT ANGLE_OPEN ANGLE_CLOSE BAR NORM_OPEN NORM_CLOSE BEGIN END ROWSEP AMP
"""
WORDS = {
    "PLUS": "+",
    "MINUS": "-",
    "NAME": "a symbol",
    "NUMBER": "a number",
    "OPEN": "an opening bracket",
    "CLOSE": "a closing bracket",
    "LBRACE": "{",
    "RBRACE": "}",
    "COMMA": "a comma",
    "ODOT": "\\odot",
    "OTIMES": "\\otimes",
    "$END": "the end",
    "AMP": "&",
    "ROWSEP": "\\\\",
    "END": "the end of the matrix",
    "NORM_CLOSE": "\\|",
    "ANGLE_CLOSE": "\\rangle",
    "BAR": "|",
    "SUB": "a subscript",
    "SUP": "a superscript",
    "MAPSTO": "\\mapsto",
}
LOOSE = {"OTIMES": "\\otimes", "ODOT": "\\odot", "DOT": "\\cdot_{jk}"}
OPERATIONS = {"CDOT", "TIMES", "ODOT", "OTIMES", "SLASH"}


class Given(Lexer):
    """Hands on the tokens that the scanner made."""

    def __init__(self, conf: object) -> None:
        pass

    def lex(self, data: list[Token]) -> Iterator[LarkToken]:
        """Tokens as lark has them; the token of the scanner is the value."""
        for token in data:
            yield LarkToken(token.kind, token)


def parse(tokens: list[Token], source: Source) -> Node:
    """The tree of an expression.

    Raises
    ------
    LatexError
        The tokens are no expression; the message shows where and what was expected.
    """
    if not tokens:
        raise source.error("an expression was expected, and there is nothing", Span(0, 1))
    here = tokens[0].span.to(tokens[-1].span)
    try:
        return parser().parse(tokens).resolved(source)
    except UnexpectedInput as error:
        found = getattr(error, "token", None)
        if found is None or not isinstance(found.value, Token):
            after = Span(here.end - 1, here.end)
            raise source.error(f"the formula ends too early; expected {expected(error)}", after) from None
        raise source.error(f"unexpected {says(found.value)}; expected {expected(error)}", found.value.span) from None
    except VisitError as error:
        raise error.orig_exc from None
    except Misshapen as error:
        raise source.error(error.message, error.span) from None


def expected(error: UnexpectedInput) -> str:
    """What could have come, in words."""
    options = getattr(error, "accepts", None) or getattr(error, "expected", None) or set()
    if "NAME" in options:
        closing = [WORDS[o] for o in sorted(options) if o in ("CLOSE", "RBRACE", "NORM_CLOSE", "ANGLE_CLOSE", "END")]
        return " or ".join(["a symbol, a number or a bracket", *closing])
    return " or ".join(sorted({WORDS.get(option, option.lower()) for option in options})[:8]) or "something else"


def says(token: Token) -> str:
    """A token for messages."""
    if token.kind in ("SUB", "SUP"):
        return "subscript" if token.kind == "SUB" else "superscript"
    value = str(token.value)
    return {"AMP": "&", "ROWSEP": "line break \\\\"}.get(
        token.kind, f"\\{value}" if value.isalpha() and len(value) > 1 else value
    )


@cache
def parser() -> Lark:
    """The parser, made once."""
    return Lark(GRAMMAR, parser="lalr", lexer=Given, transformer=Builder(), propagate_positions=False)


class Pending:
    """A term before its operations are arranged: nodes, and (kind, payload, span) for operations and big sums."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def resolved(self, source: Source) -> Node:
        """The tree."""
        return arranged([item.resolved(source) if isinstance(item, Late) else item for item in self.items], source)


class Late:
    """A node whose parts are not arranged yet."""

    def __init__(self, span: Span, make: Any, parts: tuple[Any, ...]) -> None:
        self.span, self.make, self.parts = span, make, parts

    def resolved(self, source: Source) -> Node:
        """The node."""
        return self.make(self.span, *(part.resolved(source) if isinstance(part, Late | Pending) else part for part in self.parts))


class Operation:
    """An operation between factors, or a big sum before its body."""

    def __init__(self, kind: str, span: Span, payload: Any = None) -> None:
        self.kind, self.span, self.payload = kind, span, payload


def arranged(items: list[Any], source: Source) -> Node:
    """The tree of a flat term."""
    for place, item in enumerate(items):
        if isinstance(item, Operation) and item.kind == "BIG":
            rest = items[place + 1 :]
            if not rest:
                raise source.error(f"nothing stands behind this {item.payload[0]}", item.span)
            body = arranged(rest, source)
            big = Big(item.span.to(body.span), *item.payload, body)
            return arranged([*items[:place], big], source)
    found = {item.kind for item in items if isinstance(item, Operation)}
    loose = sorted(found & set(LOOSE))
    if len(loose) > 1:
        operation = next(item for item in items if isinstance(item, Operation) and item.kind == loose[1])
        first, second = (LOOSE[kind] for kind in loose)
        raise source.error(
            f"{first} and {second} without brackets: is it (a {first} b) {second} c or a {first} (b {second} c)? write the brackets",
            operation.span,
        )
    if loose:
        return joined(items, {loose[0]}, loose[0], source)
    if found & {"CDOT", "TIMES"}:
        return joined(items, {"CDOT", "TIMES"}, "CDOT", source)
    return tight(items, source)


def joined(items: list[Any], kinds: set[str], name: str, source: Source) -> Node:
    """Parts between operations of one kind."""
    parts: list[Node] = []
    axes: list[tuple[int, int]] = []
    current: list[Any] = []
    for item in [*items, None]:
        if item is not None and not (isinstance(item, Operation) and item.kind in kinds):
            current.append(item)
            continue
        if not current:
            where = item if item is not None else items[-1]
            side = "right" if item is None or parts else "left"
            raise source.error(f"an operation has nothing on its {side}; expected a symbol, a number or a bracket", where.span)
        parts.append(arranged(current, source))
        current = []
        if item is not None and name == "DOT":
            axes.append(item.payload)
    if name != "DOT":
        return Binary(parts[0].span.to(parts[-1].span), name, tuple(parts))
    value = parts[0]
    for pair, part in zip(axes, parts[1:], strict=True):
        value = Binary(value.span.to(part.span), "DOT", (value, part), pair)
    return value


def tight(items: list[Any], source: Source) -> Node:
    """Juxtaposed factors, with at most one slash."""
    slashes = [k for k, item in enumerate(items) if isinstance(item, Operation)]
    if not slashes:
        return items[0] if len(items) == 1 else Product(items[0].span.to(items[-1].span), tuple(items))
    place = slashes[0]
    over, under = items[:place], items[place + 1 :]
    if not over or not under or isinstance(under[0], Operation):
        raise source.error("a quotient has two sides; expected a symbol, a number or a bracket", items[place].span)
    plain = len(under) == 1
    if not plain and not (isinstance(under[0], Number) and all(isinstance(item, Number) for item in over)):
        raise source.error("is it (a / b) c or a / (b c)? write the brackets, or \\frac", items[place].span)
    top, bottom = tight(over, source), under[0]
    quotient = Binary(top.span.to(bottom.span), "SLASH", (top, bottom))
    return quotient if plain else tight([quotient, *under[1:]], source)


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
        return Operation(token.type, token.value.span)

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
        primes = sum(s.type == "PRIME" for s in scripts)
        if primes:
            base = plain_name(base)
        if primes and isinstance(base, Name):
            base = Name(base.span, base.text + "prime" * primes)
        elif primes:
            return Late(span_of(base), primed, ())
        sub = tuple(token for s in scripts if s.type == "SUB" for token in s.value.value)
        sups = tuple(s.value.value for s in scripts if s.type == "SUP")
        span = span_of(base)
        for script in scripts:
            span = span.to(script.value.span)
        if isinstance(base, Name) and not sub and not sups:
            return Name(span, base.text)
        return Late(span, lambda at, inner: Scripted(at, inner, sub, sups), (base,))

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
