"""Laws of every node: it lies in its arguments, survives pickle, copy and srepr, prints, substitutes, and has its NumPy value."""

import copy
import pickle

import numpy as np
import pytest
import sympy
from nodes import ARRAYS, H_VALUE, NODES, NUMBERS, A, B, F, P, W, X, d, h, n, s
from sympy.printing.latex import LatexPrinter
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.str import StrPrinter
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.syntax import arrays, bilinear, family, sums, vec
from symbolic_circuits.syntax.arrays import array_shape

CLASSES = [
    family.MatrixFamily,
    family.FamilyMember,
    arrays.TensorDot,
    arrays.Row,
    vec.Vec,
    bilinear.ApplyBilinear,
    sums.MatrixSum,
    sums.IndexSum,
]
ALL = pytest.mark.parametrize(("node", "expected"), NODES.values(), ids=NODES)


def test_every_node_class_has_an_example():
    found = {type(part) for node, _ in NODES.values() for part in sympy.preorder_traversal(node)}
    assert set(CLASSES) <= found


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("printer", [StrPrinter, LatexPrinter, NumPyPrinter])
def test_no_printer_of_sympy_knows_the_name(cls, printer):
    """Printers dispatch on class names: a clash would print a node as something else."""
    assert not hasattr(printer, f"_print_{cls.__name__}")
    assert hasattr(printer, "_print_MatMul")


@ALL
def test_rebuilds_from_its_arguments(node, expected):
    for part in sympy.preorder_traversal(node):
        assert all(isinstance(arg, sympy.Basic) for arg in part.args)
        if part.args:
            assert part.func(*part.args) == part
            assert hash(part.func(*part.args)) == hash(part)


@ALL
def test_survives_pickle_and_copy(node, expected):
    for again in (pickle.loads(pickle.dumps(node)), copy.copy(node), copy.deepcopy(node)):
        assert again == node
        assert hash(again) == hash(node)
        assert again.shape == node.shape


@ALL
def test_srepr_round_trip(node, expected):
    scope = {cls.__name__: cls for cls in CLASSES} | {"ArraySymbol": ArraySymbol}
    exec(
        "from sympy import *; from sympy.core.symbol import Str; from sympy.matrices.expressions.matexpr import MatrixElement",
        scope,
    )
    assert eval(sympy.srepr(node), scope) == node


@ALL
def test_prints(node, expected):
    assert str(node)
    assert "Matrix" not in str(node)
    text = sympy.latex(node)
    assert text.count("{") == text.count("}")
    assert "mathtt" not in text


@ALL
def test_free_symbols_are_tensors_and_free_indices(node, expected):
    free = {symbol for symbol in node.free_symbols if symbol not in NUMBERS}
    assert free <= {A, F, X, W, P, h, s, sympy.Symbol("B")} | node.atoms(ArraySymbol)
    if isinstance(node, sums.BoundSum):
        assert not free & set(node.bound_symbols)


@ALL
def test_subs_of_sizes(node, expected):
    fixed = node.subs(NUMBERS, simultaneous=True)
    sizes = fixed.shape if fixed.is_Matrix else array_shape(fixed)
    assert tuple(sizes) == expected.shape
    assert not fixed.atoms(sympy.Symbol) & NUMBERS.keys()


@ALL
def test_subs_of_a_tensor(node, expected):
    other = sympy.MatrixSymbol("Y", n, d)
    replaced = node.subs(X, other)
    assert X not in replaced.free_symbols
    assert (other in replaced.free_symbols) is (X in node.free_symbols)
    assert replaced.subs(other, X) == node


@ALL
def test_value(node, expected):
    f = sc.lambdify([*ARRAYS, h, s], node)
    np.testing.assert_allclose(f(*ARRAYS.values(), H_VALUE, 2), expected)


@ALL
def test_value_at_fixed_sizes(node, expected):
    fixed = node.subs(NUMBERS, simultaneous=True)
    args = [arg.subs(NUMBERS, simultaneous=True) for arg in ARRAYS if arg != B] + [ArraySymbol("B", (2, 2, 2)), h, s]
    values = [array for arg, array in ARRAYS.items() if arg != B] + [ARRAYS[B], H_VALUE, 2]
    np.testing.assert_allclose(sc.lambdify(args, fixed)(*values), expected)


@ALL
def test_a_neighbour_has_another_value(node, expected):
    """h or s one less, or X another array: the test of values can fail."""
    other = [array + 1 for array in ARRAYS.values()]
    assert not np.allclose(sc.lambdify([*ARRAYS, h, s], node)(*other, 0, 1), expected)
