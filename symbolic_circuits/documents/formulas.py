r"""Identities in LaTeX from Python: ``prove_latex(r"(A \otimes B)(C \otimes D) = A C \otimes B D", "A, C : n x n; B, D : d x d")``."""

from collections.abc import Mapping
from typing import Any

from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.documents.proving import is_shown
from symbolic_circuits.errors import IdentityError
from symbolic_circuits.identities.asserting import text_of
from symbolic_circuits.identities.prove import Given, prove
from symbolic_circuits.latex.claims import Claim
from symbolic_circuits.latex.declarations import Declarations
from symbolic_circuits.latex.reading import read_equations

__all__ = ["assert_latex", "prove_latex"]


def prove_latex(
    text: str, symbols: str = "", *, given: Given = (), at: Mapping[Any, int] | None = None, seed: int = 0
) -> Verdict:
    r"""The verdict on an equation in LaTeX; of ``\neq`` it is the verdict on the equality.

    Parameters
    ----------
    text : one equation
    symbols : declarations, as in a ``symbols`` block of a document
    given, at, seed : as of :func:`~symbolic_circuits.identities.prove.prove`, besides what the declarations say

    Raises
    ------
    LatexError
        Text or declarations cannot be read; the message has line, column and what was expected.
    IdentityError
        There is not exactly one equation.

    Examples
    --------
    >>> prove_latex(r"(A \otimes B)(C \otimes D) = A C \otimes B D", "A, C : n x n; B, D : d x d").verdict
    'proved'
    >>> prove_latex(r"A C = C A", "A, C : n x n").witness.sizes
    {'n': 2}
    """
    claims = claims_of(text, symbols)
    if len(claims) != 1:
        sources = "".join(f"\n  {claim.source}" for claim in claims)
        advice = "assert_latex takes a chain" if claims else "write lhs = rhs"
        raise IdentityError(f"prove_latex takes one equation; there are {len(claims)}: {advice}{sources}")
    return verdict_with(claims[0], given, at, seed)


def assert_latex(
    text: str, symbols: str = "", *, given: Given = (), at: Mapping[Any, int] | None = None, seed: int = 0
) -> tuple[Verdict, ...]:
    r"""Fail unless each ``=`` of a chain of equations is proved, and each ``\neq`` refuted; the verdicts are returned.

    Parameters and errors are those of :func:`prove_latex`; chains and several lines are fine.

    Raises
    ------
    AssertionError
        A step is not as claimed; the message has the step, what is left of lhs - rhs, a counterexample and a diagnosis.

    Examples
    --------
    >>> [verdict.verdict for verdict in assert_latex(r"(A B)^\top = B^\top A^\top \neq A^\top B^\top", "A, B : n x n")]
    ['proved', 'refuted']
    """
    __tracebackhide__ = True
    claims = claims_of(text, symbols)
    if not claims:
        raise IdentityError("there is nothing to assert: write lhs = rhs")
    verdicts = []
    for claim in claims:
        verdict = verdict_with(claim, given, at, seed)
        if not is_shown(claim, verdict):
            failed = "not refuted" if claim.relation == "!=" else "not an identity"
            raise AssertionError(f"{failed}: {claim.source}\n{text_of(verdict, claim.lhs, claim.rhs, all_given(claim, given))}")
        verdicts.append(verdict)
    return tuple(verdicts)


def claims_of(text: str, symbols: str) -> list[Claim]:
    """The claims of a text."""
    return [claim for chain in read_equations(text, Declarations.parse(symbols)) for claim in chain.claims]


def all_given(claim: Claim, given: Given) -> list[Any]:
    """What a claim takes as given by its declarations, and what is given besides."""
    return [*claim.given, *([given] if isinstance(given, Mapping) else given)]


def verdict_with(claim: Claim, given: Given, at: Mapping[Any, int] | None, seed: int) -> Verdict:
    """The verdict on a claim under what is given besides."""
    return prove(claim.lhs, claim.rhs, all_given(claim, given), at={**claim.at, **(at or {})}, seed=seed)
