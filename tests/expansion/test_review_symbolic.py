"""What a hostile review of symbols, statements and formulas found: zeros as blocks, laws with a diagonal, grades without terms, messages."""

import numpy as np
import pytest
from sympy import BlockMatrix, DiagMatrix, HadamardProduct, Identity, MatrixSymbol, OneMatrix, Trace, ZeroMatrix, symbols

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError, LawError, ShapeError

n, d, p = symbols("n d p", integer=True, positive=True)
A, B = MatrixSymbol("A", d, d), MatrixSymbol("B", d, d)
r, s, x = (MatrixSymbol(name, d, 1) for name in "rsx")

DECLARED = "W : m x d; b : m; x, u : d; v : p; s : scalar; E : d x d"


def column(*cells: str) -> str:
    """A column of blocks in LaTeX."""
    return r"\begin{pmatrix} " + r" \\ ".join(cells) + r" \end{pmatrix}"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (column("0", "1") + r"^\top " + column("x", "1") + " = 1", "proved"),  # the zero is as high as x, not a number
        (column("0", "s") + r"^\top " + column("x", "1") + " = s", "proved"),
        (column("0", "s") + r"^\top " + column("x", "s") + " = s", "refuted"),
        (column("W", "0") + " x + " + column("0", "1") + " = " + column("W x", "1"), "proved"),
        (column("W", "0") + " x + " + column("0", "1") + " = " + column("W x", "0"), "refuted"),
        (column("0", "1") + " = " + column("1", "0"), "refuted"),  # numbers, where they fit
    ],
)
def test_zeros_in_a_column_of_numbers_are_blocks_where_numbers_do_not_fit(text, verdict):
    assert sc.prove_latex(text, DECLARED).verdict == verdict


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        (column("E", "0") + " x = " + column("E x", "0"), "proved"),
        (column("E", "0") + " x = " + column("x", "0"), "refuted"),
        (r"\|" + column("x", "0") + r"\|^2 = x^\top x", "proved"),
        (column("x", "0") + column("u", "v") + r"^\top = " + column(r"x u^\top & x v^\top", "0 & 0"), "proved"),
        (column("0", "x", "0") + " = " + column("0", "0", "x"), "refuted"),
        (column("E", r"0 v u^\top") + " x = " + column("E x", "0 v"), "proved"),
    ],
)
def test_blocks_of_zeros_are_of_any_size_where_nothing_says_which(text, verdict):
    found = sc.prove_latex(text, DECLARED)
    assert found.verdict == verdict
    if verdict == "refuted":
        assert found.witness.verify()


def test_a_zero_with_a_shape_keeps_it():
    sc.prove_latex(column("x", "0 v") + " = " + column("x", "0"), DECLARED)
    with pytest.raises(LatexError, match=r"column 1 of the blocks has size d, but the columns of 0 v have size 1"):
        sc.prove_latex(column("E", "0 v") + " x = " + column("E x", "0 v"), DECLARED)


def test_a_size_that_stands_only_beside_blocks_of_zeros():
    left, right = (BlockMatrix([[ZeroMatrix(p, 1)], [side]]) for side in (x, 2 * x))
    assert sc.prove(left, left).verdict == "proved"
    assert sc.prove(left, right).witness.sizes == {"d": 1, "p": 1}


def test_blocks_that_stand_in_another_order():
    zero = ZeroMatrix(p, 1)
    with pytest.raises(ShapeError, match="d \\+ p x 1 and d \\+ p x 1, of blocks of different sizes"):
        sc.prove(BlockMatrix([[zero], [x]]), BlockMatrix([[x], [zero]]))


@pytest.mark.parametrize(
    ("lhs", "rhs", "verdict"),
    [
        (DiagMatrix(r) * DiagMatrix(s), Identity(d), "proved"),
        (DiagMatrix(s) * A * DiagMatrix(x) * DiagMatrix(r), DiagMatrix(s) * A * DiagMatrix(r) * DiagMatrix(x), "proved"),
        (A * DiagMatrix(s) * DiagMatrix(r) * B, A * B, "proved"),
        (HadamardProduct(r, s), OneMatrix(d, 1), "proved"),
        (Trace(r.T * s), d, "proved"),
        (DiagMatrix(r) * A * DiagMatrix(s), A, "undecided"),  # false: the two diagonals stand apart
        (r * s.T, Identity(d), "undecided"),
        (DiagMatrix(r), Identity(d), "undecided"),
    ],
)
def test_a_law_of_products_of_diagonals_proves_itself_and_no_more(lhs, rhs, verdict):
    found = sc.prove(lhs, rhs, given=sc.Rewrite("scales", DiagMatrix(r) * DiagMatrix(s), Identity(d)))
    assert found.verdict == verdict
    if verdict == "proved":
        sc.check_certificate(found.certificate)


def test_laws_of_a_diagonal_whose_right_side_is_none():
    left = HadamardProduct(A * B, Identity(d))
    assert sc.prove(Trace(A * B), 0, given=sc.Rewrite("traceless", left, ZeroMatrix(d, d))).verdict == "proved"
    assert sc.prove(A * B, ZeroMatrix(d, d), given=sc.Rewrite("traceless", left, ZeroMatrix(d, d))).verdict == "undecided"
    with pytest.raises(LawError, match="an axis that is free or repeated"):
        sc.prove(left, A, given=sc.Rewrite("full", left, A))


def test_a_hypothesis_with_a_diagonal_in_latex():
    declared = r"r : n; A : n x n; given \operatorname{diag}(r) \operatorname{diag}(r) = I"
    assert sc.prove_latex(r"\operatorname{diag}(r) \operatorname{diag}(r) A = A", declared).verdict == "proved"


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("b_{out} = b", r"b has 1 axis, but 3 indices o, u, t, and b_\{out\} is not declared"),
        ("W_{out} = W", r"W has 2 axes, but 3 indices o, u, t, and W_\{out\} is not declared"),
    ],
)
def test_a_name_that_is_not_declared_where_its_letter_is(formula, words):
    with pytest.raises(LatexError, match=words):
        sc.prove_latex(formula, "b : d; W : m x d")
    assert sc.prove_latex("b_{out} = b", "b, b_{out} : d").verdict == "refuted"


def test_the_diagonal_of_a_matrix_that_is_neither_row_nor_column():
    assert sc.prove(DiagMatrix(x) * A, DiagMatrix(x) * A).verdict == "proved"
    matrix = MatrixSymbol("Y", n, d)
    with pytest.raises(ShapeError, match=r"the diagonal of DiagMatrix\(Y\) is a row or a column; got \(n, d\)"):
        sc.prove(DiagMatrix(matrix), DiagMatrix(matrix))


@pytest.mark.parametrize(
    ("up_to", "grades", "terms"), [(0, (), ()), (1, (1,), (1,)), (2, (1, 2), (1, 0)), (9, (1, 2, 3), (1, 0, 1))]
)
def test_grades_without_terms_are_reported_up_to_the_grade_asked_for(up_to, grades, terms):
    sums = sc.graded("attn(1, linear)", sc.Weights.random("attn(1, linear)", seed=0), [1, 2, 3], by="degree", up_to=up_to)
    assert (sums.grades, sums.terms, len(sums.streams), len(sums.logits)) == (grades, terms, len(grades), len(grades))
    assert not np.any(sums.streams[1:2])


def test_weights_without_blocks_are_read_back():
    weights = sc.Weights.random("", seed=0)
    published = sc.export_weights(weights, "bilinear-decomposition")
    again = sc.load_weights(published.arrays, config=published.config)
    for name, array in weights.arrays.items():
        np.testing.assert_array_equal(again.arrays[name], array)
