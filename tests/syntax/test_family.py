"""A^0, ..., A^{H-1}: members by number or symbol, names that are checked, and their LaTeX."""

import pytest
import sympy
from nodes import A, F, H, d, h, n
from sympy import MatrixSymbol

from symbolic_circuits.errors import NotationError, ShapeError
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.names import identifier, latex_name, tensor_name

LATEX = [
    ("A", "A"),
    ("W_E", "W_{E}"),
    ("W_OV", "W_{OV}"),
    ("W_out^1", r"W_{\mathrm{out}}^{1}"),
    ("W_1^3", "W_{1}^{3}"),
    ("pos", r"\mathrm{pos}"),
]
IDENTIFIERS = [("W_OV^0", "W_OV_0"), ("A[1]", "A_1"), ("t", "t")]
BAD = ["", "1A", "A^", "A^1^2", "A_", "A B", r"A\input", "A;import os", "A\n", None, 3]


@pytest.mark.parametrize(("name", "latex"), LATEX)
def test_latex_names(name, latex):
    assert latex_name(name) == latex
    assert sympy.latex(MatrixFamily(name, H, n, n)) == latex


@pytest.mark.parametrize(("name", "text"), IDENTIFIERS)
def test_identifiers(name, text):
    assert identifier(name) == text
    assert text.isidentifier()


def test_members():
    assert A[h] == FamilyMember(A, h)
    assert A[0] != A[1] != F[1]
    assert (str(A[h]), str(A[1]), A[1].name) == ("A[h]", "A[1]", "A[1]")
    assert sympy.latex(A[1]) == "A^{1}"
    assert sympy.latex(MatrixFamily("A^0", H, n, n)[1]) == "A^{0,1}"
    assert sympy.latex(MatrixFamily("A^0", H, n, n)[h]) == "A^{h}"
    assert A[h].shape == (n, n)
    assert A[h].family == A
    assert A[h].head == h


def test_a_member_is_a_matrix():
    X = MatrixSymbol("X", n, d)
    assert (A[0] * X).shape == (n, d)
    assert A[0] == A[0].T.T
    assert A[0][1, 2].args[0] == A[0]
    assert A[0] * A[1] != A[1] * A[0]


def test_substitution():
    assert A[h].subs(h, 1) == A[1]
    assert A[h].subs(n, 3).shape == (3, 3)
    assert A[h].subs(A, MatrixFamily("C", H, n, n)) == MatrixFamily("C", H, n, n)[h]
    assert A[h].free_symbols == {A, h}
    assert A[0].xreplace({A[0]: sympy.eye(2).as_immutable()}) == sympy.eye(2)


def test_a_family_is_not_iterable():
    with pytest.raises(TypeError):
        iter(A)
    with pytest.raises(TypeError):
        list(A)


@pytest.mark.parametrize("name", BAD)
def test_bad_names(name):
    with pytest.raises(NotationError, match="a letter or word, subscripts and at most one superscript"):
        tensor_name(name)
    tensor_name("A_1^2")


@pytest.mark.parametrize("head", [2, -1, sympy.Rational(1, 2), 5])
def test_heads_that_are_not_there(head):
    family = MatrixFamily("A", 2, n, n)
    with pytest.raises(ShapeError, match=f"A has heads 0 to 2 - 1; got head {head}"):
        family[head]
    assert family[1].shape == (n, n)
    with pytest.raises(ShapeError, match="got head H"):
        A[H]
    assert A[H - 1].shape == (n, n)


def test_a_member_needs_a_family():
    with pytest.raises(TypeError, match="belongs to a MatrixFamily; got MatrixSymbol"):
        FamilyMember(MatrixSymbol("A", n, n), 0)
