"""Functions of rows and relu as SymPy nodes: rebuilt, copied, pickled, printed; values of relu where its argument is known."""

import copy
import pickle

import pytest
from sympy import Identity, MatrixSymbol, Rational, Symbol, latex, srepr, symbols

import symbolic_circuits as sc
from symbolic_circuits.syntax.functions import RowFunction

n, d = symbols("n d", integer=True, positive=True)
S = MatrixSymbol("S", n, n)
NODE = sc.softmax(S)


def test_node_manners() -> None:
    assert NODE.func(*NODE.args) == NODE and copy.deepcopy(NODE) == NODE == pickle.loads(pickle.dumps(NODE))
    names = {}
    exec(
        "from sympy import *; from sympy.core.symbol import Str; from symbolic_circuits.syntax.functions import RowFunction",
        names,
    )
    assert eval(srepr(NODE), names) == NODE
    assert NODE.shape == (n, n) and NODE.free_symbols == S.free_symbols
    assert NODE.subs(n, 3).shape == (3, 3) and NODE.name == "softmax" and NODE.matrix == S
    assert (NODE * S).args[0] == NODE


def test_printing() -> None:
    assert str(NODE) == "softmax(S)" and latex(NODE) == r"\operatorname{softmax}\left(S\right)"
    x = Symbol("x")
    assert latex(sc.relu(x) ** 2) == r"\operatorname{relu}^{2}\left(x\right)" and str(sc.relu(x)) == "relu(x)"


@pytest.mark.parametrize(("x", "value"), [(-3, 0), (0, 0), (Rational(1, 2), Rational(1, 2)), (-d, 0), (d, d)])
def test_relu(x, value) -> None:
    assert sc.relu(x) == value


def test_errors() -> None:
    with pytest.raises(TypeError, match="softmax is a function of the rows of a matrix; got x"):
        sc.softmax(Symbol("x"))
    assert RowFunction("softmax", Identity(n)).shape == (n, n)
