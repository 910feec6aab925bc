"""Readable term names and their inverse: ``bilinear.1(embed, attn.0[1](embed))``."""

from itertools import accumulate

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, UnexpectedToken, VisitError

from symbolic_circuits.errors import BudgetError, TermError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.term import Term

__all__ = ["parse_term"]

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 256  # as many blocks as a model may have

GRAMMAR = r"""
term: COMPONENT ["(" term ("," term)* ")"]
COMPONENT: /[a-z]+(\.[0-9]{1,9})?(\[([0-9]{1,9}|\*)\])?/
%ignore /[ \t\r\n]+/
"""


@v_args(inline=True)
class Build(Transformer):
    """Builds terms bottom up from the components that a name may use."""

    def __init__(self, components: dict[str, Component]) -> None:
        super().__init__()
        self.components = components

    def term(self, name: Token, *inputs: Term | None) -> Term:
        component = self.components.get(str(name))
        if component is None:
            known = ", ".join(list(self.components)[:12]) + (", ..." if len(self.components) > 12 else "")
            raise TermError(f"there is no component {str(name)!r} (character {name.start_pos}) in this expansion; it has {known}")
        given = tuple(x for x in inputs if x is not None)
        slots = component.slots
        if len(given) != len(slots):
            raise TermError(f"{component.name} takes {len(slots)} inputs; got {len(given)} at character {name.start_pos}")
        return Term(component, given)


def parse_term(text: str, components: dict[str, Component]) -> Term:
    """The term with this name, made of the given components.

    Raises
    ------
    TermError
        The text is not a term name, or uses a component that is not there; the message has the position.
    """
    if len(text) > MAX_CHARACTERS:
        raise BudgetError(f"a term name has at most {MAX_CHARACTERS:,} characters; this one has {len(text):,}")
    depth = max(accumulate((character == "(") - (character == ")") for character in text), default=0)
    if depth > MAX_DEPTH:
        raise BudgetError(f"a term name is nested at most {MAX_DEPTH} deep; this one is {depth}")
    try:
        return Lark(GRAMMAR, start="term", parser="lalr", transformer=Build(components)).parse(text)
    except UnexpectedInput as error:
        at_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
        position = len(text) if at_end or error.pos_in_stream is None or error.pos_in_stream < 0 else error.pos_in_stream
        example = "a term reads like bilinear.1(embed, attn.0[1](embed))"
        raise TermError(f"cannot read the term {text[:200]!r} at character {position}: {example}") from None
    except VisitError as error:
        if isinstance(error.orig_exc, TermError):
            raise error.orig_exc from None
        raise
