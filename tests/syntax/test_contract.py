"""contract(...) means what numpy.einsum means: as a value, a polynomial, running code; and is a node as all others are."""

import copy
import pickle

import numpy as np
import opt_einsum
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Identity,
    ImmutableMatrix,
    IndexedBase,
    MatrixSymbol,
    Symbol,
    Trace,
    Tuple,
    ZeroMatrix,
    lambdify,
    symbols,
)
from sympy.core.symbol import Str
from sympy.printing.latex import LatexPrinter
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter
from sympy.tensor.array.expressions import ArrayContraction, ArraySymbol, ArrayTensorProduct, OneArray

import symbolic_circuits as sc
from symbolic_circuits.algebra.values import value
from symbolic_circuits.errors import BudgetError, CodeError, NotationError, ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.contract import MatrixContraction, ScalarContraction, TensorContraction, contract
from symbolic_circuits.syntax.einsum import EinsumPrinter
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering import lower
from symbolic_circuits.syntax.subscripts import read, written
from symbolic_circuits.syntax.vec import Vec

n, d, H = symbols("n d H", integer=True, positive=True)
s, u = symbols("s u", integer=True, nonnegative=True)
c = Symbol("c", real=True)
A, X, W = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
B, F, G = ArraySymbol("B", (d, d, d)), MatrixFamily("F", H, n, n), IndexedBase("G", shape=(n, d))
NUMBERS = {n: 3, d: 2, H: 2}
SHAPES = {"A": (3, 3), "X": (3, 2), "W": (2, 2), "B": (2, 2, 2), "F": (2, 3, 3), "G": (3, 2)}
generator = np.random.default_rng(0)
V = {name: generator.integers(-4, 5, shape).astype(object) for name, shape in SHAPES.items()}
LEAVES = {"A": A, "X": X, "W": W, "B": B, "F": F, "G": G}

CASES = [  # subscripts, names; the value is that of numpy.einsum
    ("ij,jk->ik", "AX"),
    ("ij,jk", "AX"),
    ("ji", "X"),
    ("ij,ij->", "XX"),
    ("ii", "A"),
    ("ii->i", "A"),
    ("ij->i", "X"),
    ("ij->", "X"),
    ("ij,ik->ijk", "AX"),
    ("ijk,sj,sk->si", "BXX"),
    ("hst,ti->si", "FX"),
    ("hst,hts->", "FF"),
    ("hst->ht", "F"),
    ("si,si->s", "GX"),
    ("ij,ij,jk->ik", "AAX"),
    (" i j , j k -> i k ", "AX"),
]
NODES = [
    contract("ij,jk->ik", A, X),
    contract("ij,ij->", A, A.T),
    contract("i->ii", Row(X, s)),
    contract("ij,ik->ijk", A, X),
    contract("ij->(ij)()", X),
    contract("hst,,ti->si", F, c, X),
    contract([["row", "j"], ["j", "col_1"], ["row", "col_1"]], A, X),
]
ALL = pytest.mark.parametrize("node", NODES, ids=str)


def exact(expr) -> np.ndarray:
    """The value of the polynomial of an expression."""
    (polynomial,) = lower(expr)
    return value(polynomial, V, {"n": 3, "d": 2, "H": 2}, {"c": 5}).get((), np.zeros((), dtype=object))


def explicit(name: str):
    """A tensor as a symbol whose size is fixed, or as an explicit array."""
    return sympy.ImmutableDenseNDimArray(V[name].tolist()) if V[name].ndim != 2 else ImmutableMatrix(V[name].tolist())


@pytest.mark.parametrize(("subscripts", "names"), CASES)
def test_value(subscripts: str, names: str) -> None:
    node = contract(subscripts, *(LEAVES[name] for name in names))
    expected = np.asarray(np.einsum(subscripts.replace(" ", ""), *(V[name] for name in names)))
    assert np.array_equal(exact(node), expected)
    assert tuple(array_shape(node.subs(NUMBERS, simultaneous=True))) == expected.shape
    worked_out = contract(subscripts, *map(explicit, names)).doit()
    assert np.array_equal(np.array(worked_out.tolist() if expected.ndim else worked_out), expected)
    args = [LEAVES[name] for name in dict.fromkeys(names) if name != "G"]
    if "G" not in names:
        assert np.array_equal(sc.lambdify(args, node)(*(V[str(arg)] for arg in args)), expected)
    if not {"G", "F", "B"} & set(names):  # SymPy's own printer knows only matrices
        assert np.array_equal(lambdify(args, node, "numpy")(*(V[str(arg)] for arg in args)), expected)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (contract("ij->(ij)()", X), V["X"].reshape(-1, 1)),
        (contract("ab,cd->(ac)(bd)", A, W), np.kron(V["A"], V["W"])),
        (contract("i->ii", Row(X, 1)), np.diag(V["X"][1])),
        (contract("ij->iij", X), np.einsum("ij,ik->ikj", V["X"], np.eye(3, dtype=int))),
        (contract("(ij)(),jk->ik", Vec(X), W), V["X"] @ V["W"]),
        (contract("i->ii", OneArray(n)), np.eye(3)),
        (contract("i,j->ij", OneArray(n), OneArray(d)), np.ones((3, 2))),
    ],
    ids=str,
)
def test_repeated_and_composite_axes(node, expected: np.ndarray) -> None:
    assert np.array_equal(exact(node).reshape(expected.shape), expected)
    if node.has(OneArray):  # SymPy's lambdify goes through such an array entry by entry
        assert EinsumPrinter().doprint(node).startswith("contract(")
        return
    args = sorted(node.free_symbols & {A, X, W, n, d}, key=str)
    numbers = [V[str(a)] if str(a) in V else NUMBERS[a] for a in args]
    assert np.array_equal(sc.lambdify(args, node)(*numbers), expected)
    if not node.has(Vec, Row):
        assert np.array_equal(lambdify([*args, n, d], node, "numpy")(*numbers, 3, 2), expected)


def test_kinds() -> None:
    assert type(contract("ij,ij->", A, A)) is ScalarContraction
    assert type(contract("ij,jk->ik", A, X)) is MatrixContraction and (contract("ij,jk->ik", A, X) + X).shape == (n, d)
    assert type(contract("ij->i", X)) is TensorContraction
    assert TensorDot(W, 2, contract("ij->j", X), 1).shape == (d,)
    assert contract("ij,jk->ki", A, X) == contract("ij,jk->ik", A, X).T
    assert contract([["i", "j"], ["j", "k"], ["i", "k"]], A, X) == contract("ij,jk->ik", A, X) == contract("ij,jk", A, X)
    assert contract([[0, 1], [1, 2], [0, 2]], A, X).lists[-1] == (("0",), ("2",))
    assert contract("ij,ij->", A, A) + 1 == 1 + contract("ij,ij->", A, A)


def test_many_labels() -> None:
    rows = [[f"i{k}", f"i{k + 1}"] for k in range(60)]
    node = contract([*rows, ["i0", "i60"]], *[A] * 60)
    (one,) = lower(node)
    assert len(next(iter(one.terms))[0][0]) == 60 and one == lower(A**60)[0]
    assert np.array_equal(sc.lambdify([A], node)(np.eye(3)), np.eye(3))
    with pytest.raises(CodeError, match=r"numpy\.einsum has 52 letters"):
        lambdify([A], node, "numpy")


def test_entries_and_explicit_matrices() -> None:
    P, Q = MatrixSymbol("P", 2, 2), MatrixSymbol("Q", 2, 2)
    assert contract("ij,jk->ik", P, Q).as_explicit() == (P * Q).as_explicit()
    one, other = lower(contract("ij,jk->ik", A, X)[s, 0], (A * X)[s, 0])
    assert one == other
    (trace, same) = lower(Trace(contract("ij,jk->ik", A, A)), Trace(A * A))
    assert trace == same
    assert contract("ij,jk->ik", A, X).diff(c) == ZeroMatrix(n, d)
    with pytest.raises(UnsupportedNodeError, match="has no derivative"):
        contract("ij,jk->ik", c * A, X).diff(c)
    with pytest.raises(BudgetError, match="products was asked to be written out"):
        contract("i,j->", *[OneArray(2000)] * 2).doit()


@ALL
def test_is_a_node(node) -> None:
    for part in sympy.preorder_traversal(node):
        assert all(isinstance(arg, sympy.Basic) for arg in part.args)
        assert not part.args or (part.func(*part.args) == part and hash(part.func(*part.args)) == hash(part))
    for again in (pickle.loads(pickle.dumps(node)), copy.copy(node), copy.deepcopy(node)):
        assert again == node and hash(again) == hash(node) and again.shape == node.shape and again.lists == node.lists
    classes = (MatrixContraction, ScalarContraction, TensorContraction, MatrixFamily, Row)
    scope = {cls.__name__: cls for cls in classes} | {"Str": Str}
    exec("from sympy import *", scope)
    assert eval(sympy.srepr(node), scope) == node
    assert not any(arg.free_symbols for arg in node.args[0].args)
    fixed = node.subs(NUMBERS, simultaneous=True)
    assert not fixed.atoms(Symbol) & NUMBERS.keys() and all(size.is_Integer for size in fixed.shape)
    other = MatrixSymbol("Y", n, d)
    assert X not in node.subs(X, other).free_symbols and node.subs(X, other).subs(other, X) == node


@pytest.mark.parametrize(
    ("node", "text", "latex"),
    [
        (NODES[0], "contract('ij,jk->ik', A, X)", r"\left(\sum_{j} {A}_{i j} {X}_{j k}\right)_{i k}"),
        (NODES[1], "contract('ij,ij->', A, A.T)", r"\sum_{i j} {A}_{i j} {\left(A^{T}\right)}_{i j}"),
        (NODES[2], "contract('i->ii', X[s,:])", r"\left({{X}_{s}}_{i} \delta_{i i'}\right)_{i i'}"),
        (NODES[4], "contract('ij->(ij)()', X)", r"\left({X}_{i j}\right)_{(i j) 0}"),
        (
            NODES[6],
            "contract([['row', 'j'], ['j', 'col_1'], ['row', 'col_1']], A, X)",
            r"\left(\sum_{j} {A}_{\mathrm{row} j} {X}_{j \mathrm{col}_{1}}\right)_{\mathrm{row} \mathrm{col}_{1}}",
        ),
        (2 * NODES[1], "2*(contract('ij,ij->', A, A.T))", r"2 \left(\sum_{i j} {A}_{i j} {\left(A^{T}\right)}_{i j}\right)"),
    ],
)
def test_prints(node, text: str, latex: str) -> None:
    assert str(node) == text
    assert sympy.latex(node) == latex


@pytest.mark.parametrize("cls", [MatrixContraction, ScalarContraction, TensorContraction])
def test_no_printer_of_sympy_knows_the_name(cls) -> None:
    for printer in (StrPrinter, LatexPrinter, NumPyPrinter):
        assert not any(hasattr(printer, f"_print_{base.__name__}") for base in cls.__mro__[:2])


@given(st.data())
def test_agrees_with_einsum_of_random_subscripts(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from("AXWBF"), min_size=1, max_size=4))
    letter = {3: "abc", 2: "ijk"}
    parts = ["".join(data.draw(st.sampled_from(letter[size])) for size in SHAPES[name]) for name in names]
    known = sorted(set("".join(parts)))
    output = "".join(data.draw(st.lists(st.sampled_from(known), unique=True, max_size=3)))
    text = f"{','.join(parts)}->{output}"
    sizes = {k: v for name, part in zip(names, parts, strict=True) for k, v in zip(part, array_shape(LEAVES[name]), strict=True)}
    node = contract(text, *(LEAVES[name] if name != "F" else ArraySymbol("F", (d, n, n)) for name in names))
    assert tuple(array_shape(node)) == tuple(sizes[k].subs(H, d) for k in output)
    assert np.array_equal(exact(node), opt_einsum.contract(text, *(V[name] for name in names)))


def test_it_is_what_other_notations_say() -> None:
    pairs = [
        (contract("ij,jk,lk->il", A, X, W), A * X * W.T),
        (contract("ijk,j,k->i", B, Row(X, s), Row(X, u)), TensorDot(TensorDot(Row(X, s), 1, B, 2), 2, Row(X, u), 1)),
        (contract("ab,bc->ac", A, X), ArrayContraction(ArrayTensorProduct(A, X), (1, 2))),
        (contract("ab->(ab)()", X), Vec(X)),
        (contract("ab,,->ab", X, c, 2), 2 * c * X),
        (contract("ij->ij", Identity(n)), Identity(n)),
    ]
    for left, right in pairs:
        one, other = lower(left, right)
        assert one == other
    one, other = lower(contract("ij,jk->ik", A, A.T), contract("ij,jk->ik", A.T, A))
    assert one != other


def test_subscripts_are_written_as_read() -> None:
    for text in ("ij,jk->ik", "(ij)(),jk->ik", "->", "ii->", ",ij->()ij"):
        assert written(read(text)) == text
    assert read("ab,ba") == read("ab,ba->") and read("ba") == read("ba->ab")
    assert read(Tuple(Tuple(Str("i")), Tuple())) == read("i->")


@pytest.mark.parametrize(
    ("arguments", "valid", "error", "message"),
    [
        (("ij,jk->ik", A), ("ij->ij", A), ShapeError, r"contract\('ij,jk->ik', A\) .*are for 2 operands; there are 1"),
        (("ij->ik", A), ("ij->ij", A), NotationError, "the output has the label k, which no operand has"),
        (("ijk->i", A), ("ij->i", A), ShapeError, "A has 2 axes, but its labels are for 3: i, j, k"),
        (("i->i", B), ("ijk->i", B), ShapeError, "B has 3 axes, but its labels are for 1: i"),
        (("i,i->i", c, c), (",->", c, c), ShapeError, "c has 0 axes"),
        (("i...->i", A), ("ij->i", A), NotationError, "'.' in the subscripts 'i...->i' is not a letter; there is no ellipsis"),
        (("i1->i", A), ("ij->i", A), NotationError, "'1' in the subscripts"),
        (("i(j->i", A), ("ij->i", A), NotationError, "parenthesis in the subscripts .* is not closed"),
        (("ij)->i", A), ("ij->i", A), NotationError, r"'\)' in the subscripts"),
        ((7, A), ("ij->i", A), NotationError, "subscripts are a text such as 'ij,jk->ik' or a list of label lists; got 7"),
        ((["ij", "i"], A), ([["i", "j"], ["i"]], A), NotationError, "is a list of labels; got 'ij'"),
        (([["i", "x y"], ["i"]], A), ([["i", "x"], ["i"]], A), NotationError, "a label is a letter, or a word"),
        (("(ij)k->ijk", A), ("(ij)k,ji->k", MatrixSymbol("Z", n * d, 1), X.T), ShapeError, "whose sizes no other axis says"),
        (("ij->ij", None), ("ij->ij", A), sympy.SympifyError, "None"),
        (("ab->ab", IndexedBase("G")), ("ab->ab", G), ShapeError, "G has no shape"),
    ],
)
def test_errors(arguments: tuple, valid: tuple, error, message: str) -> None:
    contract(*valid)
    with pytest.raises(error, match=message):
        contract(*arguments)


def test_sizes_that_differ() -> None:
    P, Q, R = MatrixSymbol("P", 2, 3), MatrixSymbol("Q", 4, 5), MatrixSymbol("R", n + 1, n)
    with pytest.raises(ShapeError, match="j, which is axis 1 of P, has size 3, but axis 0 of Q has size 4"):
        contract("ij,jk->ik", P, Q)
    with pytest.raises(ShapeError, match=r"contract\('ij,jk->ik', P, Q\) with shapes \(2, 3\), \(4, 5\)"):
        contract("ij,jk->ik", P, Q)
    with pytest.raises(ShapeError, match=r"has size n \+ 1, but axis 1 of R has size n"):
        contract("ii->", R)
    with pytest.raises(ShapeError, match=r"axis 0 of Q has size 4, but \(i j\) has size 6"):
        contract("ij,(ij)k->k", P, Q)
    with pytest.raises(ShapeError, match="axis 1 of Q has size 5, which 2 does not divide"):
        contract("ij,k(il)->l", P, Q)
    contract("ij,jk->ik", P, MatrixSymbol("Q", 3, 5))
    (one,) = lower(contract("ij->i", P))
    assert one.axes == ((2,),)
    with pytest.raises(ShapeError, match="a MatrixContraction has two output axes; the subscripts give 1"):
        MatrixContraction("ij->i", P)
