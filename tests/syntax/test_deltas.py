"""Repeated output labels written as identity matrices: the value stays, and what is not such a label stays as it is."""

import pytest
from sympy import Identity, MatrixSymbol, symbols
from sympy.tensor.array.expressions import OneArray

import symbolic_circuits as sc
from symbolic_circuits.syntax.deltas import with_deltas

n, d = symbols("n d", integer=True, positive=True)
X, A = MatrixSymbol("X", n, d), MatrixSymbol("A", n, n)
ones = OneArray(n)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (sc.contract("ab,c->cabc", X, ones), sc.contract("ab,cd->cabd", X, Identity(n))),
        (sc.contract("ab,c->cccab", X, ones), sc.contract("ab,cd->cdcab", X, Identity(n))),
        (sc.contract("ab,c->(ca)(cb)", X, ones), sc.contract("ab,cd->(ca)(db)", X, Identity(n))),
        (sc.contract("ab,c,d->cabcdd", X, ones, ones), sc.contract("ab,ce,df->cabedf", X, Identity(n), Identity(n))),
        (2 * sc.contract("a,b->aab", ones, ones), 2 * sc.contract("ac,b->acb", Identity(n), ones)),
    ],
)
def test_deltas(before, after) -> None:
    assert with_deltas(before) == after == with_deltas(after)
    assert sc.prove(before, after).verdict == "proved"


@pytest.mark.parametrize("expr", [sc.contract("ab,c->abc", X, ones), sc.contract("ab->aab", X), A * X, X.shape[0] + 1])
def test_others_stay(expr) -> None:
    assert with_deltas(expr) == expr
