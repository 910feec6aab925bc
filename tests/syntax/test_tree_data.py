"""Trees as data: what is read is what was written, for every node type; whatever else is read is refused with a NotationError."""

import json
import re

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from nodes import NODES, A, B, H, P, X, d, h, n, s
from sympy import (
    Add,
    Adjoint,
    BlockDiagMatrix,
    BlockMatrix,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Dummy,
    Expr,
    Function,
    HadamardPower,
    HadamardProduct,
    Identity,
    ImmutableDenseNDimArray,
    ImmutableMatrix,
    Integer,
    Inverse,
    KroneckerDelta,
    KroneckerProduct,
    Lambda,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Max,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    S,
    Sum,
    Symbol,
    Trace,
    Transpose,
    Tuple,
    ZeroMatrix,
    exp,
    sqrt,
    srepr,
    symbols,
)
from sympy.combinatorics import Permutation
from sympy.core.basic import Basic
from sympy.core.symbol import Str
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)
from sympy.tensor.indexed import Idx, IndexedBase

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax import tree_data, tree_nodes
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.contract import Contracted, contract
from symbolic_circuits.syntax.functions import RowFunction, relu, softmax
from symbolic_circuits.syntax.lowering.context import open_form
from symbolic_circuits.syntax.sums import IndexSum
from symbolic_circuits.syntax.tree_data import from_data, to_data
from symbolic_circuits.syntax.vec import Vec

x, y, c = symbols("x y c")
i, j = symbols("i j", integer=True, nonnegative=True)
Y, column = MatrixSymbol("Y", n, n), MatrixSymbol("v", n, 1)
T = ArraySymbol("T", (n, d, d))
J = IndexedBase("J", shape=(n, d))

SAMPLES = {name: node for name, (node, _) in NODES.items()} | {
    "numbers": Add(x, Rational(1, 3), sqrt(2), sympy.pi, exp(1)),
    "large number": x + Integer(10) ** 300,
    "symbol": Symbol("λ_{0}", real=True, zero=False),
    "scalars": 3 * x**2 * y**-1 + sqrt(x + y),
    "functions": relu(x) + exp(x * y) + Function("f")(x, y) + Function("g", real=True)(2) + sympy.floor(x),
    "maximum": Max(x * y + 1, 0),
    "family": A,
    "sum of matrices": Y * X + 2 * X * P,
    "scaled by a sum": MatMul(x + y, X * P, P),
    "scaled by a large number": MatMul(Rational(1, 10**100), X, P),
    "powers": MatAdd(MatMul(MatPow(Y, 3), Inverse(Y)), MatPow(Y * Y, n)),
    "transposes": Transpose(MatMul(Y, X)) + Adjoint(X),
    "trace": Trace(MatMul(Y, Y)) * c + 1,
    "element": Y[i, j] + MatrixElement(MatMul(Y, X), i, 0),
    "hadamard": HadamardProduct(X, MatMul(Y, X)) + HadamardPower(X, 2),
    "kronecker": KroneckerProduct(MatMul(Y, X), P),
    "constants": MatAdd(Identity(n), ZeroMatrix(n, n), OneMatrix(n, n)),
    "diagonals": DiagMatrix(MatMul(Y, column)) + DiagonalMatrix(MatMul(Y, Y)) + DiagMatrix(column) + DiagMatrix(DiagonalOf(Y)),
    "blocks": BlockMatrix([[Y, MatMul(Y, X)], [X.T, P]]),
    "diagonal blocks": BlockDiagMatrix(Y, MatMul(Y, X)),
    "explicit matrix": ImmutableMatrix([[x, 1], [y + 1, 3]]) * ImmutableMatrix([[1, 2], [3, 4]]) * MatrixSymbol("Z", 2, 2),
    "empty matrix": sympy.zeros(0, 3).as_immutable(),
    "function of entries": X.applyfunc(Lambda(x, relu(x) + x**2)),
    "softmax": softmax(Y * Y.T),
    "softmax of a matrix": RowFunction("softmax", X),
    "delta": KroneckerDelta(i, j) + KroneckerDelta(i, j, (0, n - 1)),
    "sum": Sum(MatrixElement(MatMul(Y, X), i, j), (i, 0, n - 1), (j, 0, d - 1)),
    "index sum": IndexSum(A[0][s, i] * TensorDot(P, 2, Row(MatMul(Y, X), i), 1), (i, 0, n - 1)),
    "rows": 2 * Row(X, s) + TensorDot(P, 1, Row(MatMul(Y, X), 1), 1),
    "vec": Vec(MatMul(Y, X)),
    "entry of vec": Vec(X)[i, 0],
    "matrix contraction": contract("ij,jk->ik", MatMul(X, P), P),
    "scalar contraction": contract("ij,ij->", X, MatMul(X, P)) * c,
    "tensor contraction": contract("hij,jk,->hik", A, MatMul(X, P), c),
    "grouped contraction": contract("ij,(ik)l->lkj", X, MatrixSymbol("K", n * H, d)),
    "array element": T[i, 0, 1],
    "array product": ArrayTensorProduct(X, T, MatMul(X, P)),
    "array contraction": ArrayContraction(ArrayTensorProduct(MatMul(X, P), X.T), (1, 2)),
    "nested contraction": ArrayContraction(ArrayContraction(ArrayTensorProduct(MatMul(X, P), X.T, T), (1, 2)), (0, 1)),
    "array diagonal": ArrayDiagonal(ArrayTensorProduct(MatMul(X, P), P), (1, 2)),
    "permuted": PermuteDims(T, [2, 0, 1]),
    "reshaped": Reshape(PermuteDims(T, [1, 0, 2]), (n * d, d)),
    "array sum": ArrayAdd(T, PermuteDims(T, [0, 2, 1]), ZeroArray(n, d, d)),
    "ones": ArrayTensorProduct(OneArray(n), OneArray(d)),
    "explicit array": ImmutableDenseNDimArray([[x * y, 1], [2, 3]]),
    "array of order 0": ImmutableDenseNDimArray(5),
    "bilinear, explicit": TensorDot(ImmutableDenseNDimArray([[1, x], [2, 3]]), 2, ArraySymbol("q", (2, 2)), 1),
    "indexed": J[i, j] + J[Idx("k", n), 0] + IndexedBase("g")[i],
    "base": J,
    "tuple": Tuple(X, Tuple(1, 2), Str("a"), Permutation([1, 0])),
    "empty tuple": Tuple(),
    "lambda": Lambda((x, y), x * y),
    "identity function": S.IdentityFunction,
    "imaginary unit": S.ImaginaryUnit,
    "power as it stands": Pow(10, 10, evaluate=False),
    "sum as it stands": Add(x, x, Mul(2, 3, evaluate=False), evaluate=False),
    "product as it stands": Mul(x, Pow(x, 1, evaluate=False), Rational(1, 2), evaluate=False),
}


def read(nodes, *roots):
    """The tree of the last node, or of those asked for, after a trip through text."""
    trees = from_data(json.loads(json.dumps({"nodes": nodes, "roots": list(roots) or [len(nodes) - 1]})))
    return trees if roots else trees[0]


def again(*exprs):
    """What is read of what was written."""
    return from_data(json.loads(json.dumps(to_data(*exprs))))


# tables


@pytest.mark.parametrize(
    ("expr", "nodes"),
    [
        (x, [["Symbol", "x", {}]]),
        (d, [["Symbol", "d", {"integer": True, "positive": True}]]),
        (Integer(-12), [["Integer", "-12"]]),
        (Rational(-1, 3), [["Rational", "-1", "3"]]),
        (Str("A"), [["Str", "A"]]),
        (x + x**2, [["Symbol", "x", {}], ["Integer", "2"], ["Pow", 0, 1], ["Add", 0, 2]]),
        (Function("f")(x), [["Symbol", "x", {}], ["Function", "f", {}, 0]]),
        (ImmutableMatrix([[1, x]]), [["Integer", "1"], ["Symbol", "x", {}], ["ImmutableDenseMatrix", 1, 2, 0, 1]]),
        (PermuteDims(MatrixSymbol("A", 2, 2), [1, 0]), None),
    ],
)
def test_format(expr, nodes):
    data = to_data(expr)
    assert set(data) == {"nodes", "roots"}
    if nodes is not None:
        assert data == {"nodes": nodes, "roots": [len(nodes) - 1]}


def test_shared_parts_are_stored_once_in_all_of_the_trees():
    data = to_data(MatMul(Y, X), MatAdd(MatMul(Y, X), X), X)
    assert len(data["nodes"]) == 8  # two names, two sizes, two symbols, their product and the sum
    assert data["roots"] == [6, 7, 5]
    product, total, symbol = from_data(data)
    assert total.args[0] is product or total.args[1] is product
    assert symbol is product.args[1]


# laws


@pytest.mark.parametrize("node", SAMPLES.values(), ids=SAMPLES)
def test_what_is_read_is_what_was_written(node):
    (found,) = again(node)
    assert found == node
    assert hash(found) == hash(node)
    assert srepr(found) == srepr(node)
    assert found.func == node.func
    assert found.args == node.args
    assert getattr(found, "shape", None) == getattr(node, "shape", None)
    assert str(getattr(found, "__dict__", None)) == str(getattr(node, "__dict__", None))
    assert to_data(found) == to_data(node)


def test_every_node_with_a_rule_for_lowering_can_be_written():
    held = {"Symbol", "Rational", "ImmutableDenseMatrix", "BlockMatrix", "ImmutableDenseNDimArray"}
    kinds = {"object", "MatrixBase", "NDimArray", "Function", "Contracted"}  # of which some member is
    names = {cls.__name__ for cls in open_form.registry}
    assert names <= set(tree_nodes.PATTERNS) | held | kinds
    assert {cls.__name__ for cls in Contracted.__subclasses__()} <= set(tree_nodes.PATTERNS)


def test_every_node_type_has_a_sample():
    found = {type(part).__name__ for node in SAMPLES.values() for part in preorder(node)}
    alike = {"Mod", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "atan", "erf", "erfc", "Abs", "sign", "ceiling", "Min"}
    assert set(tree_nodes.PATTERNS) - alike <= found


def preorder(node):
    """Nodes of a tree; the symbols in a permutation are none."""
    return [node] if isinstance(node, Permutation) else [node, *(part for arg in node.args for part in preorder(arg))]


SCALARS = st.recursive(
    st.sampled_from([x, y, c, n, d, Integer(0), Integer(1), Integer(-2), Rational(2, 3), Y[i, j], Trace(Y)]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, inner).map(lambda p: Add(*p, evaluate=False)),
        st.tuples(inner, inner).map(lambda p: Mul(*p, evaluate=False)),
        st.tuples(inner, st.integers(0, 3)).map(lambda p: p[0] ** p[1]),
        inner.map(relu),
        inner.map(Function("f")),
        inner.map(lambda e: Trace(MatMul(e, Y, Y.T))),
        inner.map(lambda e: IndexSum(e * Y[i, i], (i, 0, n - 1))),
    ),
    max_leaves=8,
)
SQUARES = st.recursive(
    st.sampled_from([Y, A[h], A[0], Identity(n), MatrixSymbol("Z", n, n), OneMatrix(n, n)]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: p[0] + p[1]),
        st.tuples(inner, inner).map(lambda p: p[0] * p[1]),
        st.tuples(inner, inner).map(lambda p: MatMul(*p)),
        st.tuples(inner, inner).map(lambda p: MatAdd(*p)),
        st.tuples(SCALARS, inner).map(lambda p: MatMul(*p)),
        st.tuples(inner, inner).map(lambda p: HadamardProduct(*p)),
        st.tuples(inner, inner).map(lambda p: contract("ij,kj->ik", *p)),
        inner.map(Transpose),
        inner.map(softmax),
        inner.map(DiagonalMatrix),
        inner.map(lambda e: contract("ij,jk,ik->ik", e, Y, e)),
    ),
    max_leaves=8,
)
TREES = st.one_of(
    SCALARS,
    SQUARES,
    SQUARES.map(Vec),
    SQUARES.map(lambda e: Row(e, s)),
    SQUARES.map(lambda e: KroneckerProduct(e, P)),
    SQUARES.map(lambda e: BlockMatrix([[e, X], [X.T, P]])),
    SQUARES.map(lambda e: ArrayContraction(ArrayTensorProduct(e, T), (1, 2))),
    SQUARES.map(lambda e: TensorDot(T, 1, Row(e, 0) + 2 * Row(Y, s), 1)),
)


@given(st.lists(TREES, min_size=1, max_size=3))
@settings(max_examples=80, deadline=None)
def test_drawn_trees_are_read_as_they_were_written(trees):
    found = again(*trees)
    assert found == trees
    assert [srepr(tree) for tree in found] == [srepr(tree) for tree in trees]


def test_dummies_stay_apart_and_one_in_all_of_the_trees():
    first, second = Dummy("u", integer=True), Dummy("u", integer=True)
    u = Symbol("u", integer=True)
    total, product, alone = again(first + second + u, second * u, second)
    assert len(total.free_symbols) == 3
    assert product == alone * u
    assert total == Add(*total.args)  # their order is kept
    assert alone != second  # nothing else in the session is captured
    assert total.subs(dict(zip(sorted(total.atoms(Dummy), key=str), (first, second), strict=True))) == first + second + u


def test_data_do_not_depend_on_the_numbers_of_dummies():
    assert to_data(X.applyfunc(relu)) == to_data(X.applyfunc(relu))
    assert to_data(*again(X.applyfunc(relu))) == to_data(X.applyfunc(relu))


def raw(cls, *args):
    """A node whose class is not asked."""
    return Basic.__new__(cls, *args)


def residual(e):
    """A residual stream with attention; SymPy would look at the shapes along all of its paths."""
    scores = raw(MatMul, e, P, raw(Transpose, e))
    return raw(MatAdd, e, raw(MatMul, raw(RowFunction, Str("softmax"), scores), e))


@pytest.mark.parametrize(
    ("start", "step"),
    [
        (x, lambda e: Add(e, e, evaluate=False)),
        (x, lambda e: Mul(e, Add(e, 1, evaluate=False), evaluate=False)),
        (x, lambda e: Add(Pow(e, 2, evaluate=False), 1, evaluate=False)),
        (x, lambda e: Add(Expr.__new__(relu, e), e, evaluate=False)),
        (X, lambda e: MatAdd(MatMul(Y, e, P), e)),
        (X, residual),
        (Y, lambda e: raw(Transpose, e)),
    ],
)
def test_trees_of_thousands_of_levels(start, step):
    tree = start
    for _ in range(1000):
        tree = step(tree)
    data = to_data(tree)
    assert len(data["nodes"]) < 6_500
    (found,) = from_data(data)
    assert to_data(found) == data
    assert to_data(*from_data(data), tree)["roots"] == [data["roots"][0]] * 2  # nor does SymPy keep the other and compare


# errors

N = ["Symbol", "n", {"integer": True, "positive": True}]
MATRIX = [N, ["Str", "A"], ["MatrixSymbol", 1, 0, 0]]  # 2: A, n x n
NUMBER = [["Integer", "10"], ["Integer", "1000000000"]]
REFUSED = {
    "unknown node": ([["Nonsense"]], r"node 0, \['Nonsense'\]: no node that can be read has this name", [["Pi"]]),
    "not listed": ([["Integer", "1"], ["Derivative", 0, 0]], "no node that can be read", None),
    "no list": (["Pi"], "begins with the name of its class", None),
    "empty": ([[]], "begins with the name of its class", None),
    "itself": ([["Transpose", 0]], "a node before, from 0 to -1; got 0", None),
    "later": ([*MATRIX, ["Transpose", 4]], "node 3.* from 0 to 2; got 4", [*MATRIX, ["Transpose", 2]]),
    "negative": ([*MATRIX, ["Transpose", -1]], "from 0 to 2; got -1", None),
    "bool": ([*MATRIX, ["Transpose", True]], "got True", None),
    "text for a number": ([*MATRIX, ["Transpose", "2"]], "got '2'", None),
    "too little": ([["Symbol"]], "Symbol holds 2 things", [["Symbol", "x", {}]]),
    "child of a leaf": ([N, ["Symbol", "x", {}, 0]], "Symbol has no children; got 1", None),
    "empty name": ([["Symbol", "", {}]], "1 to 100 printable characters; got ''", None),
    "control character": ([["Symbol", "a\nb", {}]], "printable", [["Symbol", "a b", {}]]),
    "right to left": ([["Str", "a\u202eb"]], "printable", None),
    "surrogate": ([["Str", "a\ud800"]], "printable", None),
    "long name": ([["Symbol", "a" * 101, {}]], "printable", [["Symbol", "a" * 100, {}]]),
    "no name": ([["Symbol", 3, {}]], "printable characters; got 3", None),
    "assumption": ([["Symbol", "x", {"tame": True}]], "assumptions are an object", None),
    "value of an assumption": ([["Symbol", "x", {"real": 1}]], "assumptions are an object", None),
    "contradiction": ([["Symbol", "x", {"integer": True, "real": False}]], "contradict each other", None),
    "digits": ([["Integer", "1_0"]], "at most 4000 digits; got '1_0'", [["Integer", "10"]]),
    "number for digits": ([["Integer", 10]], "got 10", None),
    "many digits": ([["Integer", "9" * 4001]], "at most 4000 digits", [["Integer", "9" * 4000]]),
    "division by zero": ([["Rational", "1", "0"]], "lowest terms", None),
    "not lowest terms": ([["Rational", "2", "4"]], "lowest terms", [["Rational", "1", "2"]]),
    "permutation": ([["Permutation", [0, 2]]], "each of its places", [["Permutation", [1, 0]]]),
    "endless permutation": ([["Permutation", list(range(2000))]], "at most 1000 numbers", None),
    "dummy": ([["Dummy", "u", "1", {}]], "told apart by a number; got '1'", [["Dummy", "u", 1, {}]]),
    "tensor name": ([N, ["Str", r"\input"], ["MatrixFamily", 1, 0, 0, 0]], "a tensor is named by", None),
    "function of rows": ([*MATRIX, ["Str", "a}b"], ["RowFunction", 3, 2]], "an identifier for a name", None),
    "function": ([N, ["Function", "f(", {}, 0]], "an identifier for a name", [N, ["Function", "f", {}, 0]]),
    "power": ([*NUMBER, ["Pow", 0, 1]], r"could be a number of \d+ bits; the limit is 100000", [*NUMBER[:1], ["Pow", 0, 0]]),
    "root of a power": ([*NUMBER, ["Rational", "1000000001", "2"], ["Pow", 0, 2]], "could be a number of", None),
    "power of a multiple": ([*NUMBER, N, ["Mul", 0, 2], ["Pow", 3, 1]], "could be a number of", [*NUMBER, N, ["Pow", 2, 1]]),
    "power of powers": ([*NUMBER, *(["Pow", k, k] for k in (0, 2, 3))], "node 3.* could be a number of", None),
    "power of a sum": ([*NUMBER, ["Add", 0, 0], ["Pow", 2, 1]], "could be a number of", None),
    "exponential tower": ([*NUMBER, ["exp", 1], ["exp", 2]], "could be a number of", [*NUMBER, ["exp", 0]]),
    "squared and squared": (
        [["Integer", "10"], *(["Mul", k, k] for k in range(100))],
        "could be a number of",
        [["Integer", "10"], *(["Mul", k, k] for k in range(10))],
    ),
    "one argument": ([N, ["Add", 0]], r"children of Add have the kinds .* got 'y'", [N, ["Add", 0, 0]]),
    "matrix among scalars": ([*MATRIX, ["Add", 0, 2]], "children of Add", None),
    "scalar for a matrix": ([*MATRIX, ["Transpose", 0]], r"children of Transpose have the kinds m; got 'y'", None),
    "scalars only": ([N, ["MatMul", 0, 0]], "children of MatMul", [*MATRIX, ["MatMul", 0, 2]]),
    "sum of a sum": (
        [
            *MATRIX,
            ["Integer", "0"],
            ["Symbol", "i", {}],
            ["Tuple", 4, 3, 0],
            ["MatrixElement", 2, 4, 4],
            ["Sum", 6, 5],
            ["Sum", 7, 5],
        ],
        "a Sum of a Sum is one sum",
        None,
    ),
    "evaluated": ([N, ["Identity", 0], ["KroneckerProduct", 1, 1]], "KroneckerProduct makes something else", None),
    "inverse that is none": ([*MATRIX, ["Integer", "2"], ["MatPow", 2, 3], ["Trace", 3]], "children of Trace", None),
    "negative size": ([["Integer", "-1"], ["Identity", 0]], "dimension specification -1", [["Integer", "1"], ["Identity", 0]]),
    "fractional size": ([["Rational", "1", "2"], ["Identity", 0]], "dimension specification 1/2", None),
    "shapes that do not meet": (
        [["Integer", "2"], ["Integer", "3"], ["Str", "A"], ["MatrixSymbol", 2, 0, 1], ["MatMul", 3, 3]],
        "(?i)not aligned|mismatch|incompatible",
        None,
    ),
    "trace": ([["Integer", "2"], ["Integer", "3"], ["OneMatrix", 0, 1], ["Trace", 2]], "non-square", None),
    "missing entries": ([["Pi"], ["ImmutableDenseMatrix", 2, 2, 0, 0, 0]], "has 4 entries; there are 3", None),
    "entries of nothing": ([["ImmutableDenseMatrix", 10**6, 10**6]], "has 1000000000000 entries; there are 0", None),
    "negative rows": ([["Pi"], ["ImmutableDenseMatrix", -1, -1, 0]], "numbers from 0 to 1000000", None),
    "sizes": ([["Pi"], ["ImmutableDenseNDimArray", 1, 0]], "list of at most 1000", [["Pi"], ["ImmutableDenseNDimArray", [1], 0]]),
    "matrices in an array": ([*MATRIX, ["ImmutableDenseMatrix", 1, 1, 2]], "entries of an array are scalars", None),
    "scalars in blocks": ([N, ["BlockMatrix", 1, 1, 0]], "entries of an array are matrices", None),
    "head": (
        [["Integer", "2"], ["Str", "A"], ["MatrixFamily", 1, 0, 0, 0], ["FamilyMember", 2, 0]],
        "A has heads 0 to 2 - 1; got head 2",
        None,
    ),
    "row": ([*MATRIX, ["Integer", "-1"], ["Row", 2, 3]], "got row -1", [*MATRIX, ["Integer", "0"], ["Row", 2, 3]]),
    "labels": ([*MATRIX, ["Str", "i"], ["Tuple", 3], ["MatrixContraction", 4, 2]], "list of labels", None),
    "axis": ([*MATRIX, ["Integer", "3"], ["TensorDot", 2, 3, 2, 3]], "has axes 1 to 2; the inner product asks for axis 3", None),
    "limits": ([*MATRIX, ["Tuple", 0], ["MatrixSum", 2, 3]], r"a limit is \(symbol, lower, upper\)", None),
    "unlike summands": ([*MATRIX, ["Row", 2, 2]], "children of Row", None),
}


@pytest.mark.parametrize(("nodes", "message", "valid"), REFUSED.values(), ids=REFUSED)
def test_refused(nodes, message, valid):
    with pytest.raises(NotationError, match=message):
        read(nodes)
    if valid is not None:
        assert isinstance(read(valid), Basic)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "an object with nodes and roots; got"),
        ({"nodes": []}, "an object with nodes and roots"),
        ({"nodes": [], "roots": [], "more": 1}, "an object with nodes and roots"),
        ({"nodes": {}, "roots": []}, "are lists"),
        ({"nodes": [["Pi"]], "roots": 0}, "are lists"),
        ({"nodes": [["Pi"]], "roots": [1]}, "a root is the number of a node before, from 0 to 0; got 1"),
        ({"nodes": [["Pi"]], "roots": [None]}, "got None"),
    ],
)
def test_malformed(data, message):
    with pytest.raises(NotationError, match=message):
        from_data(data)
    assert from_data({"nodes": [["Pi"]], "roots": [0, 0]}) == [sympy.pi, sympy.pi]


def test_too_many_nodes(monkeypatch):
    monkeypatch.setattr(tree_data, "MAX_NODES", 3)
    assert read([["Pi"]] * 3) == sympy.pi
    with pytest.raises(NotationError, match="lists of at most 3"):
        read([["Pi"]] * 4)


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (x + sympy.Float(1.5), "a node of type Float cannot be written"),
        (sympy.Derivative(Function("f")(x), x), "a node of type Derivative"),
        (sympy.Matrix([[x]]), "a node of type MutableDenseMatrix"),
        (3, "a node of type int"),
        (Symbol("a\tb"), "printable"),
        (Integer(10) ** 4000, "too long|at most 4000"),
        (IndexedBase("K", shape=(n,), offset=2)[i], "the base K has an offset or strides"),
        (Row(X, sympy.Abs(Symbol("q", integer=True))), "children of Row"),
        (raw(Transpose, x), "children of Transpose"),
    ],
)
def test_what_could_not_be_read_is_not_written(expr, message):
    with pytest.raises(NotationError, match=message):
        to_data(expr)


def doubling(start, node, times=60):
    """A tree of few nodes and 2^60 paths."""
    return [*start, *([*node, len(start) - 1 + k, len(start) - 1 + k] for k in range(times))]


@pytest.mark.parametrize(
    "nodes",
    [
        doubling(MATRIX, ["KroneckerProduct"]),
        doubling(MATRIX, ["MatMul"]),
        [*doubling(MATRIX, ["HadamardProduct"]), ["Integer", "-1"], ["Row", 62, 63]],  # an error that shows the matrix
        [*MATRIX, *(["Vec", k] for k in range(2, 60))],
        doubling([*MATRIX, ["Integer", "0"], ["Row", 2, 3]], ["Add"]),
        doubling([["Integer", "3"]], ["Add"]),
        [*doubling([N], ["Add"]), ["Identity", 60]],
        [*doubling([N], ["Mul"]), ["Identity", 60]],
        doubling([N], ["Tuple"]),
        doubling(MATRIX, ["ArrayTensorProduct"]),
        doubling(MATRIX, ["BlockDiagMatrix"]),
    ],
)
def test_many_paths_take_no_time(nodes):
    try:
        assert isinstance(read(nodes), Basic)
    except NotationError as error:
        assert len(str(error)) < 700


JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-2, 4), st.sampled_from(["Add", "Symbol", "x", "Integer", "3", "Tuple", "Pow"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["nodes", "roots", "real"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.one_of(JSON, st.builds(lambda nodes, roots: {"nodes": nodes, "roots": roots}, JSON, JSON)))
@settings(max_examples=150, deadline=None)
def test_any_json_is_a_tree_or_refused(data):
    try:
        trees = from_data(data)
    except NotationError:
        return
    assert all(isinstance(tree, Basic) for tree in trees)


LEAVES = [
    *to_data(Y[i, j] + A[h][0, 1], X, P.T, ImmutableMatrix([[1, x], [2, 3]]), Row(X, 0), B, J, T, contract("ij,jk->ik", X, P))[
        "nodes"
    ],
    ["Tuple", 0, 0],
    ["Str", "softmax"],
    ["Permutation", [1, 0]],
    ["Rational", "1", "2"],
    ["Dummy", "u", 0, {"integer": True}],
]


@st.composite
def node_lists(draw):
    """Nodes whose children mostly have the kinds that their class takes."""
    nodes, known = list(LEAVES), tree_data.Reader(LEAVES)
    for k, node in enumerate(LEAVES):
        known.read(k, node)
    for _ in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from([*tree_nodes.PATTERNS, "BlockMatrix", "ImmutableDenseMatrix"]))
        fits = re.compile(tree_nodes.PATTERNS.get(name, (None, ".*"))[1])
        places = st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=4)
        children = next((p for p in draw(st.lists(places, min_size=8, max_size=8)) if fits.fullmatch(kinds_of(known, p))), [0])
        node = [name, *([1, len(children)] if name not in tree_nodes.PATTERNS else []), *children]
        try:
            known.read(len(nodes), node)
        except Exception:  # refused: from_data says so
            continue
        nodes.append(node)
    return nodes


def kinds_of(reader, places):
    """The letters of the kinds of nodes."""
    return "".join(reader.known[place].kind for place in places)


@given(node_lists())
@settings(max_examples=60, deadline=None)
def test_drawn_nodes_are_trees_that_are_written_and_read_again(nodes):
    trees = from_data({"nodes": nodes, "roots": list(range(len(nodes)))})
    data = to_data(*trees)
    assert to_data(*from_data(data)) == data
