"""Laws as they are declared behind a shape: ``row stochastic``, ``symmetric(1,2)``, ``inverse(N)``."""

import re
from dataclasses import replace
from difflib import get_close_matches

from symbolic_circuits.algebra.laws import parse_law
from symbolic_circuits.errors import LawError
from symbolic_circuits.latex.declared import (
    Law,
    Symbols,
    symbol_name,
)
from symbolic_circuits.latex.declared_names import names_of
from symbolic_circuits.latex.source import Source, Span

__all__ = ["with_laws"]

ALIASES = {"orthogonal": ("orthonormal_columns", "orthonormal_rows"), "orthonormal": ("orthonormal_columns", "orthonormal_rows")}
KNOWN_LAWS = [
    "symmetric",
    "antisymmetric",
    "diagonal",
    "orthonormal_columns",
    "orthonormal_rows",
    "inverse",
    "row_stochastic",
    "column_stochastic",
    "one_hot_rows",
    "one_hot_columns",
    "permutation",
    "exclusive_rows",
    "exclusive_columns",
    "signs",
    "identity",
    "copy",
    "ones",
]


def with_laws(symbols: Symbols, symbol: object, laws: list[str], statement: Source, order: int) -> Symbols:
    """The laws behind a shape."""
    found = []
    for text in laws:
        name, bracket, inside = text.strip().partition("(")
        if not name:
            raise statement.error("a law was expected behind the comma", Span(0, len(statement.text)))
        plain = re.sub(r"[\s-]+", "_", name.strip())
        for one in ALIASES.get(plain, (plain,)):
            other = inverse_name(inside.rstrip(") "), statement, symbols) if one == "inverse" else inside.rstrip(") ")
            law = f"{one}({other})" if bracket else one
            if one in ("symmetric", "antisymmetric") and not bracket and order != 2:
                raise statement.error(
                    f"{one} of {order} axes: say which, counting from 0, as in {one}(1,2)", Span(0, len(statement.text))
                )
            try:
                parse_law(str(getattr(symbol, "name", symbol)), law)
            except LawError as error:
                close = get_close_matches(plain, KNOWN_LAWS, n=1)
                hint = f"; did you mean {close[0]}?" if close and close[0] != plain else ""
                raise statement.error(f"{error}{hint}", Span(0, len(statement.text))) from None
            found.append(Law(symbol, law))
    return replace(symbols, laws=(*symbols.laws, *found))


def inverse_name(text: str, statement: Source, symbols: Symbols) -> str:
    """The name of the symbol that is the inverse."""
    names = names_of(text, statement, symbols) if text.strip() else []
    if len(names) != 1:
        raise statement.error("the law is written inverse(N), with the name of the inverse", Span(0, len(statement.text)))
    return symbol_name(names[0][0])
