r"""Assertions for test suites: an identity is proved, or is refuted; anything else fails with residue, counterexample and diagnosis."""

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Refuted, Undecided, Verdict
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.identities.prove import Given, prove, symbols_of, written
from symbolic_circuits.identities.report import explanation

__all__ = ["assert_identity", "assert_not_identity"]


def assert_identity(lhs: Expr, rhs: Expr, given: Given = (), *, at: Mapping[Any, int] | None = None, seed: int = 0) -> Verdict:
    r"""Fail unless :math:`lhs = rhs` is proved: for all sizes, or exactly at the sizes asked for.

    Parameters, errors and meaning are those of :func:`prove`; the verdict is returned.

    Raises
    ------
    AssertionError
        The identity is refuted or undecided; the message has what is left of lhs - rhs, a counterexample and a diagnosis.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> assert_identity((A * B).T, B.T * A.T).verdict
    'proved'
    >>> assert_identity((A * B).T, A.T * B.T)
    Traceback (most recent call last):
        ...
    AssertionError: not an identity: B.T*A.T = A.T*B.T
    refuted at n = 2
      lhs - rhs = -A.T*B.T + B.T*A.T
        A = [[0, 1], [0, 0]]
        B = [[0, 0], [1, 0]]
        lhs = 1, rhs = 0 at [0, 0]
      it would be proved with one edit:
        rhs, term 0: exchange A (factor 0) and B (factor 1)
        lhs, term 0: exchange B (factor 0) and A (factor 1)
    """
    __tracebackhide__ = True
    verdict = prove(lhs, rhs, given, at=at, seed=seed)
    if isinstance(verdict, Proved) or (isinstance(verdict, HoldsAt) and verdict.error_probability is None):
        return verdict
    raise AssertionError(f"not an identity: {lhs} = {rhs}\n{text_of(verdict, lhs, rhs, given)}")


def assert_not_identity(
    lhs: Expr, rhs: Expr, given: Given = (), *, at: Mapping[Any, int] | None = None, seed: int = 0
) -> Verdict:
    r"""Fail unless :math:`lhs = rhs` is refuted by a counterexample; the verdict is returned.

    >>> from sympy import MatrixSymbol, Symbol
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> assert_not_identity(A * B, B * A).witness.sizes
    {'n': 2}
    """
    __tracebackhide__ = True
    verdict = prove(lhs, rhs, given, at=at, seed=seed)
    if isinstance(verdict, Refuted):
        return verdict
    raise AssertionError(f"not refuted: {lhs} = {rhs}\n{text_of(verdict, lhs, rhs, given)}")


def text_of(verdict: Verdict, lhs: Expr, rhs: Expr, given: Given) -> str:
    """The explanation, with the residue in the notation of the expressions where it can be written."""
    residue = None
    if isinstance(verdict, Refuted | Undecided) and verdict.residue is not None and len(verdict.residue.terms) <= 50:
        try:
            residue = str(written(verdict.residue, symbols_of(lhs, rhs, given)))
        except SymbolicCircuitsError:
            residue = None
    return explanation(verdict, residue)
