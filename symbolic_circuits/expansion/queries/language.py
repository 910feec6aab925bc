r"""The pattern language of queries: a set of terms, written as conditions on the paths of a term and on numbers of its nodes.

A term is a tree; a *path* of it runs from a leaf (the input) to the root (what the output reads).

=============================================  ========================================================================
``attn.0[1]``                                  some path passes head 1 of block 0
``attn.*[1]``, ``attn.0[*]``, ``attn.0``       head 1 of any block; any head of block 0
``attn.0,2[1]``, ``attn.0-2[1,3]``             lists and ranges of blocks and of heads
``attn``, ``bilinear``, ``bilinear.*``         any attention head; any bilinear layer; ``gated.1`` a layer with a gate
``embed`` (``input`` where there is no ``W_E``), ``*``  the input of the model; any component
``position``, ``one``, ``bias.0``              the positional embedding; the constant, of which blocks make their biases; b_O or b_out
``normbias.2``                                 b of norm 2: of the norm that block 2 reads, or that follows it
``attn.0[1] > bilinear.1``                     some path passes head 0.1 and, later on the way to the output, bilinear 1
``attn.0[1] >> bilinear.1``                    bilinear 1 reads the output of head 0.1 directly
``attn.0[1] > bilinear.1.left``                and the path comes into the left input of bilinear 1 (untied layers only)
``attn.0 > attn.1[0].query``                   and the path comes into the query of head 1.0 (``key``, ``value``; heads without softmax)
``attn.0[1] > scores.query``                   of the terms of scores: and the path comes into the query
``attn.0[1] >> output``                        the output reads head 0.1 directly: it is the last component of the term
``attn.* <= 2``, ``>= 2``, ``= 2``             at most, at least, exactly so many nodes of the whole term, with repetition
``attn.* < 2``, ``> 2``                        fewer, more: the same as ``<= 1``, ``>= 3``
``order``, ``height``, ``degree``, ``heads``, ``bilinears``  so counted: ``order <= 3``; height is the longest path
``not q``, ``q and r``, ``q or r``, ``(q)``    ``not`` binds tightest, then ``and``, then ``or``
=============================================  ========================================================================

Norms are no steps of a path: ``>>`` looks through them. ``not attn.0[1] > bilinear.1`` denies the whole path: no path of the term is of that kind.
"""

from itertools import accumulate
from typing import NoReturn

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken, VisitError

from symbolic_circuits.errors import BudgetError, SymbolicCircuitsError, TermError
from symbolic_circuits.expansion.queries.query import MEASURES, And, Count, Or, Passes, Query
from symbolic_circuits.expansion.queries.step import Step

__all__ = ["as_query", "parse_query"]

MAX_CHARACTERS = 20_000
MAX_DEPTH = 100

GRAMMAR = r"""
?start: either
?either: both (_OR both)*
?both: negation (_AND negation)*
?negation: _NOT negation -> complement
         | "(" either ")"
         | count
         | path
count: COMPONENT (RELATION|ARROW) NUMBER
path: COMPONENT (ARROW COMPONENT)*
COMPONENT: /(\*|[A-Za-z]+)(\.[0-9*,\-]+)?(\[[^\]]*\])?(\.[A-Za-z]+[12]?)?/
ARROW: />>|>(?!=)/
RELATION: /<=?|>=|==?/
NUMBER: /[0-9]{1,9}/
_AND.1: /and\b/
_OR.1: /or\b/
_NOT.1: /not\b/
%ignore /[ \t\r\n]+/
"""

EXPECTED = {
    "COMPONENT": "a component (attn.0[1], bilinear.*, embed)",
    "ARROW": '">" or ">>"',
    "RELATION": '"<=", ">=", "<" or "="',
    "NUMBER": "a number",
    "LPAR": '"("',
    "RPAR": '")"',
    "_AND": '"and"',
    "_OR": '"or"',
    "_NOT": '"not"',
    "$END": "the end",
}


@v_args(inline=True)
class Build(Transformer):
    """Rules of the grammar as functions from their parts to queries."""

    def either(self, *parts: Query) -> Query:
        return parts[0] if len(parts) == 1 else Or(parts)

    def both(self, *parts: Query) -> Query:
        return parts[0] if len(parts) == 1 else And(parts)

    def complement(self, query: Query) -> Query:
        return ~query

    def count(self, what: Token, relation: Token, number: Token) -> Query:
        if relation == ">>":
            raise TermError(f"a number is compared by >, >=, <, <= or =; got >> at character {relation.start_pos} of the query")
        counted = str(what) if str(what) in MEASURES else step_of(what)
        return placed(what, lambda: Count(counted, "=" if relation == "==" else str(relation), int(number)))

    def path(self, *parts: Token) -> Query:
        steps, arrows = list(parts[::2]), [arrow == ">>" for arrow in parts[1::2]]
        ends = len(steps) > 1 and steps[-1] == "output"
        last = arrows.pop() if ends else False
        found = tuple(step_of(step) for step in (steps[:-1] if ends else steps))
        return Passes(found, tuple(arrows), last)  # "> output" says nothing: every path ends there


def step_of(token: Token) -> Step:
    """The step that a token names, or an error with its position."""
    if token == "output":
        raise TermError(f"output stands at the end of a path, attn.0[1] >> output; here it is at character {token.start_pos}")
    if token in MEASURES:
        raise TermError(f"{token} is a number of the term: {token} <= 3; here it is a step, at character {token.start_pos}")
    return placed(token, lambda: Step.parse(str(token)))


def placed(token: Token, make: object) -> object:
    """A value, or its error with the position of a token."""
    try:
        return make()
    except TermError as error:
        raise TermError(f"{error}, at character {token.start_pos} of the query") from None


PARSER = Lark(GRAMMAR, parser="lalr", lexer="contextual", transformer=Build())


def parse_query(text: str) -> Query:
    """The query that a text describes; see the table of :mod:`symbolic_circuits.expansion.queries.language`.

    Raises
    ------
    TermError
        The text is not a query; the message has the position and what was expected there.
    BudgetError
        It is too long, or its brackets are nested too deep.

    Examples
    --------
    >>> parse_query("not attn.0[1] > bilinear.1.left and attn.* <= 2") == (
    ...     ~parse_query("attn.0[1] > bilinear.1.left") & parse_query("attn.* <= 2")
    ... )
    True
    """
    if len(text) > MAX_CHARACTERS:
        raise BudgetError(f"a query has at most {MAX_CHARACTERS:,} characters; this one has {len(text):,}")
    depth = max(accumulate((character == "(") - (character == ")") for character in text), default=0)
    if depth > MAX_DEPTH:
        raise BudgetError(f"brackets of a query are nested at most {MAX_DEPTH} deep; here {depth}")
    try:
        return PARSER.parse(text)
    except UnexpectedInput as error:
        raise_syntax_error(text, error)
    except VisitError as error:
        if isinstance(error.orig_exc, SymbolicCircuitsError):
            raise error.orig_exc from None
        raise


def as_query(query: Query | str) -> Query:
    """A query, given as such or as its text."""
    if isinstance(query, str):
        return parse_query(query)
    if not isinstance(query, Query):
        raise TypeError(f"a query is a text or a Query; got {type(query).__name__}")
    return query


def raise_syntax_error(text: str, error: UnexpectedInput) -> NoReturn:
    """Raise TermError with position, caret and what was expected."""
    position = error.pos_in_stream
    at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    position = len(text) if at_end or position is None or position < 0 else position
    allowed = error.allowed if isinstance(error, UnexpectedCharacters) else getattr(error, "accepts", None) or error.expected
    expected = ", ".join(sorted(EXPECTED.get(str(name), str(name)) for name in allowed or ()))
    start = max(0, position - 40)
    shown = "".join(c if c.isprintable() else " " for c in text[start : position + 40])  # nothing that a terminal obeys
    caret = f"\n  {shown}\n  {' ' * (position - start)}^"
    raise TermError(f"cannot read the query: expected {expected} at character {position}{caret}") from None
