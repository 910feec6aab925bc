"""What SymPy's printer and this package's print reads back, with the declarations that the expression implies, as something proved equal."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sympy import (
    Basic,
    BlockMatrix,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Function,
    HadamardPower,
    HadamardProduct,
    Identity,
    IndexedBase,
    KroneckerDelta,
    KroneckerProduct,
    Matrix,
    MatrixSymbol,
    Rational,
    Sum,
    Trace,
    exp,
    latex,
    sqrt,
    symbols,
    tanh,
)
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted, contract
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.functions import relu, softmax
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
i, j, k, s, t, h, g = symbols("i j k s t h g", integer=True, nonnegative=True)
a, alpha = symbols("a alpha", real=True)
A, C, X, Y = MatrixSymbol("A", n, n), MatrixSymbol("C", n, n), MatrixSymbol("X", n, d), MatrixSymbol("Y", n, d)
W, Q, V = MatrixSymbol("W", d, d), MatrixSymbol("Q", d, d), MatrixSymbol("V", m, d)
W1, W2, hat = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d), MatrixSymbol("What", n, n)
x, y, z = MatrixSymbol("x", d, 1), MatrixSymbol("y", d, 1), MatrixSymbol("z", n * d, 1)
B, P = ArraySymbol("B", (m, d, d)), ArraySymbol("P", (d, d, d))
F, OV = MatrixFamily("F", H, n, n), MatrixFamily("W_OV^0", H, d, d)
G = IndexedBase("G", shape=(n, d))
f = symbols("f", cls=Function)

EXPRESSIONS = [
    A * C * X,
    A + 2 * C - Identity(n) / 3,
    (A + C) ** 2 * X,
    A.T * C.T,
    (A * C).T,
    X.T * A * X,
    A.I * C,
    A**-2,
    (A * C) ** 3,
    sqrt(n) * A / 2,
    a * A / alpha + C / sqrt(d),
    Rational(3, 7) * (A - A.T),
    -A * (C - 2 * A),
    Trace(A * C) * A,
    Trace(A) ** 2 - Trace(A**2),
    HadamardProduct(A, C, A.T),
    HadamardProduct(A + C, A * C),
    HadamardPower(A, 3),
    HadamardProduct(W1 * x, W2 * y),
    KroneckerProduct(A, W),
    KroneckerProduct(A + C, W * Q) * Vec(X),
    KroneckerProduct(A, W) * KroneckerProduct(Identity(n), Q) + KroneckerProduct(C, Identity(d)),
    KroneckerProduct(A, W).T,
    KroneckerProduct(A, W) * z,
    Vec(X),
    Vec(A * X * W.T) + KroneckerProduct(A, W) * Vec(X),
    DiagMatrix(x) * W,
    DiagonalMatrix(A) * X,
    DiagonalOf(A),
    BlockMatrix([[A, X], [X.T, W]]),
    BlockMatrix([[A, X]]) * BlockMatrix([[X], [W]]),
    Matrix([[1, a], [alpha, 2]]) * MatrixSymbol("u", 2, 1),
    x * y.T,
    x.T * W * y,
    X[s, i],
    (A * X)[s, i] + X[s, i],
    X[1, 0] * A[s, 2],
    B[i, j, k] * x[j, 0],
    G[s, i] * X[s, j],
    ArrayElement(P, (i, 0, k)),
    Identity(n)[s, t],
    Row(X, s),
    Row(A * X, s) + 2 * Row(X, s),
    Row(X, 2),
    F[0] * F[1],
    F[h] * X,
    (F[h] * X).T,
    F[h].T * OV[g][0, 1],
    MatrixSum(F[h] * X * OV[h].T, (h, 0, H - 1)),
    MatrixSum(F[h] * F[g], (h, 0, H - 1), (g, 0, H - 1)),
    MatrixSum(MatrixSum(F[g], (g, 0, H - 1)) * F[h], (h, 0, H - 1)) + A,
    KroneckerProduct(A, W) + MatrixSum(KroneckerProduct(F[h], OV[h]), (h, 0, H - 1)),
    IndexSum(X[s, i] * Row(Y, s), (s, 0, n - 1)),
    IndexSum(A[s, t] * X[t, i] + X[s, i], (t, 0, n - 1)),
    Sum(X[s, i] ** 2, (i, 0, d - 1)),
    Sum(A[s, t] * X[t, i], (s, 0, n - 1), (t, 0, n - 1)),
    Sum(B[i, j, k] * x[j, 0] * y[k, 0], (j, 0, d - 1), (k, 0, d - 1)),
    IndexSum(TensorDot(V, 2, Row(X, t), 1) * A[s, t], (t, 0, n - 1)),
    TensorDot(TensorDot(Row(X, s), 1, B, 2), 2, Row(Y, s), 1),
    TensorDot(B, 3, x.T * W, 2),
    TensorDot(W, 2, Row(X, s), 1) + Row(X, s),
    ApplyBilinear(P, Vec(X), Vec(Y)),
    ApplyBilinear(P, z, KroneckerProduct(A, W) * z),
    contract("ij,jk->ki", A, X),
    contract("ij,jk->", A, C),
    contract("ijk,jl->ilk", B, W),
    contract("ij,ij->ij", A, C) * X,
    contract("ii->", A),
    softmax(A * C / sqrt(d)) * X,
    softmax(X * W * X.T).T,
    (A * X).applyfunc(relu),
    (V * x).applyfunc(relu),
    A.applyfunc(tanh),
    A.applyfunc(f),
    exp(A[s, t]) / a,
    relu(A[s, t]) * f(a),
    a**2 * sqrt(alpha**2 + 1) * A,
    hat * MatrixSymbol("Wprime", n, n) * MatrixSymbol("Wtilde", n, n) * MatrixSymbol("Wbar_2", n, n),
    MatrixSymbol("W_QK", d, d) * MatrixSymbol("Omega_alpha", d, d),
    MatrixSymbol("X0", n, d) * MatrixSymbol("theta", d, d),
    n * d * A + n**2 * C,
    Trace(Identity(n)) * A,
]
PRINTERS = [latex, sc.to_latex]


def read_back(text: str, expr: Basic) -> Basic:
    """The expression that a text is, with the declarations of the one that it was printed from; a vector as a column where that is one."""
    found = sc.read_latex(text, sc.declarations_of(expr))
    shape = array_shape(expr)
    if len(array_shape(found)) == 1 and len(shape) == 2 and shape[1] == 1:
        found = contract([["i"], ["i", []]], found)
    if shape == (1, 1) and array_shape(found) == ():
        found = found * Identity(1)
    free = [size for size in found.free_symbols if str(size) == "N_1"]  # the size of identities that nothing tells
    return found.subs(free[0], n) if free else found


def is_proved(text: str, expr: Basic) -> bool:
    """Whether a text reads back as the expression."""
    found = read_back(text, expr)
    return found == expr or sc.prove(found, expr).verdict == "proved"


@pytest.mark.parametrize("printer", PRINTERS, ids=["sympy", "package"])
@pytest.mark.parametrize("expr", EXPRESSIONS, ids=str)
def test_nodes(expr: Basic, printer: Callable[[Basic], str]) -> None:
    assert is_proved(printer(expr), expr)


NEAR_MISSES = [(A * C, C * A), (A.T, A), (X[s, i], X[i, s].subs({s: 0})), (F[0], F[1]), (B[i, j, k], B[i, k, j]), (KroneckerProduct(A, C), KroneckerProduct(C, A)),
               (HadamardPower(A, 2), A**2), (Row(X, s), Row(X, t)), (softmax(A), softmax(A.T).T), (2 * A, A), (A.applyfunc(relu), A)]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), NEAR_MISSES, ids=str)
def test_near_misses(one: Basic, other: Basic) -> None:
    """The comparison can fail: what is printed of another expression is not proved equal."""
    try:
        verdict = sc.prove(sc.read_latex(latex(other), sc.declarations_of(one, other)), one).verdict
    except (LatexError, ValueError):
        return
    assert verdict != "proved"


MODELS = ["attn(H)", "attn(2)", "bilinear", "attn(H) bilinear", "attn(2) bilinear", "attn(1) bilinear(tied)", "attn(H1) attn(H2)",
          "attn(H_0) attn(H_1)", "attn(H1)|bilinear", "bilinear*2", "attn(1) bilinear attn(1)", "[no embed, no unembed] attn(2)|bilinear(tied, no out)"]  # fmt: skip
NOTATIONS = ("operator", "matrix", "index", "tensor")


def forms(model: str) -> Iterator[Basic]:
    """The closed forms of a model, and some of its terms."""
    expansion = sc.path_expansion(model)
    for notation in NOTATIONS:
        yield expansion.closed_form(notation)
        if not expansion.model.has_symbolic_heads:
            count = expansion.number_of_terms
            yield from (expansion[place].expr(notation) for place in {0, count // 2, count - 1})


@pytest.mark.parametrize("model", MODELS)
def test_closed_forms_and_terms(model: str) -> None:
    seen = 0
    for expr in forms(model):
        for printer in PRINTERS:
            assert is_proved(printer(expr), expr), printer(expr)
            seen += 1
    assert seen >= 8


@pytest.fixture(scope="module")
def lines() -> list[Basic]:
    """All lines of the derivations in proofs/derivations, but entries of contractions, which the documents write in other words."""
    folder = Path(__file__).parents[2] / "proofs" / "derivations"
    spec = importlib.util.spec_from_file_location("derivation_sources", folder / "sources.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
        derivations = [section.derivation for document in module.documents() for section in document.sections]
    finally:
        del sys.modules[spec.name]
    found = dict.fromkeys(line for derivation in derivations for line in derivation.lines)
    return [line for line in found if not any(isinstance(entry.args[0], Contracted) for entry in line.atoms(ArrayElement))]


def test_derivations(lines: list[Basic]) -> None:
    assert len(lines) > 60
    for line in lines:
        for text in dict.fromkeys(printer(line) for printer in PRINTERS):
            assert is_proved(text, line), text


def test_declarations_of() -> None:
    found = sc.declarations_of(F[h] * X * W + hat[0, 0] * X, a * B[i, j, k] + f(a))
    names = {entry.shown: type(entry).__name__ for group in found.symbols.entries.values() for entry in group}
    assert names == {
        "F": "Family",
        "X": "Tensor",
        "W": "Tensor",
        "What": "Tensor",
        "B": "Tensor",
        "a": "Scalar",
        "f": "OpaqueFunction",
    }
    assert found.symbols.sizes == {"n", "d", "m", "H"}


def test_names_that_fall_together() -> None:
    with pytest.raises(LatexError, match=r"two symbols are called W_\{1\} in LaTeX"):
        sc.declarations_of(MatrixSymbol("W_1", n, n) * MatrixSymbol("W1", n, n))
    assert sc.declarations_of(MatrixSymbol("W_1", n, n) * MatrixSymbol("W2", n, n)) is not None


def test_what_has_no_range_is_no_expression_here() -> None:
    with pytest.raises(UnsupportedNodeError, match="does not say how far"):
        sc.prove(KroneckerDelta(i, j), KroneckerDelta(i, j))
    assert is_proved(latex(Identity(n)[i, j] * A), Identity(n)[i, j] * A)
