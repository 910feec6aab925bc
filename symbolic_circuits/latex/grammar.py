r"""Tokens -> tree by an LALR grammar; terms are flat there, and their operations are arranged afterwards.

From tight to loose: scripts, juxtaposition, ``\cdot``, one of ``\otimes``, ``\odot`` (``\circ``), ``\cdot_{jk}`` (which are not mixed
without brackets), + and -. A ``\sum`` reaches to the end of its term.
"""

from collections.abc import Iterator
from functools import cache

from lark import Lark
from lark import Token as LarkToken
from lark.exceptions import UnexpectedInput, VisitError
from lark.lexer import Lexer

from symbolic_circuits.latex.building import Builder, Misshapen
from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.tree import Node

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
