r"""Reading LaTeX: an expression, or the equations of a display."""

from sympy import Expr

from symbolic_circuits.latex import bigs, grids, names, products  # noqa: F401  their rules register themselves
from symbolic_circuits.latex.chains import raw_chains
from symbolic_circuits.latex.claims import Chain, built, read_chain, side_values
from symbolic_circuits.latex.declarations import Declarations
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.grammar import parse
from symbolic_circuits.latex.scanner import tokens_of
from symbolic_circuits.latex.source import Source, Span

__all__ = ["read_equations", "read_latex"]


def read_equations(text: str, declarations: Declarations, *, line: int = 1, column: int = 1) -> list[Chain]:
    r"""The chains of equations in a display.

    Parameters
    ----------
    text : LaTeX, without the dollars or the fence around it; ``aligned``, ``align``, ``equation`` ... may stand in it
    declarations : what names stand for
    line, column : where the text begins in its file, for errors

    Raises
    ------
    LatexError
        The text is no LaTeX of this field, or it has no meaning with what is declared; the message shows the place.

    Examples
    --------
    >>> declarations = Declarations.parse("A : n x n; X : n x d; W : d x d")
    >>> [chain] = read_equations(r"(A \otimes W) \operatorname{vec} X = \operatorname{vec}(A X W^\top)", declarations)
    >>> chain.claims[0].rhs
    vec(A*X*W.T)
    """
    source = Source(text, line, column)
    try:
        return chains_in(source, declarations)
    except RecursionError:
        raise source.error("the formula is nested too deeply", Span(0, 1)) from None


def chains_in(source: Source, declarations: Declarations) -> list[Chain]:
    """The chains of a source."""
    found = []
    for raw in raw_chains(tokens_of(source, declarations.symbols.macros), source):
        claims, symbols = read_chain(raw, declarations.symbols, source)
        declarations = Declarations(symbols)
        found.append(Chain(claims, raw.tag, raw.remarks, source.position(raw.span.start)[0], declarations))
    if not found:
        raise source.error("there is no equation here", Span(0, 1))
    return found


def read_latex(text: str, symbols: str | Declarations = "") -> Expr:
    r"""The SymPy expression of a formula.

    Parameters
    ----------
    text : LaTeX of one expression, without a relation
    symbols : declarations, ``"A, C : n x n; x : d"``

    Raises
    ------
    LatexError
        As of :func:`read_equations`.

    Examples
    --------
    >>> read_latex(r"A X W^\top", "A : n x n; X : n x d; W : d x d")
    A*X*W.T
    >>> read_latex(r"\sum_{jk} B_{ijk} x_j x_k", "B : m x d x d; x : d")
    sum[j=0..d - 1, k=0..d - 1] B[i, j, k]*x[j, 0]*x[k, 0]
    """
    declarations = symbols if isinstance(symbols, Declarations) else Declarations.parse(symbols)
    source = Source(text)
    try:
        return expression_in(source, declarations)
    except RecursionError:
        raise source.error("the formula is nested too deeply", Span(0, 1)) from None


def expression_in(source: Source, declarations: Declarations) -> Expr:
    """The expression of a source."""
    chains = raw_chains(tokens_of(source, declarations.symbols.macros), source)
    if len(chains) != 1 or chains[0].relations:
        raise source.error(
            "one expression without a relation was expected; equations are read by read_equations", Span(0, len(source.text) or 1)
        )
    state = Elaboration(declarations.symbols, source)
    return built(side_values([parse(list(chains[0].sides[0]), source)], state), state)[0]
