r"""Formulas that are easily read as something else: each has the value that a mathematician gives it, or is an error that says what is unclear.

Values are NumPy's at small arrays of whole numbers; all sizes differ, except where coinciding sizes are the point.
"""

import numpy as np
import pytest
from latex_values import softmax, value

from symbolic_circuits.documents.formulas import prove_latex
from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import Declarations, read_equations, read_latex

SYMBOLS = r"""
A, C, M : n x n; X, Y : n x d; W, D : d x d; x, y, z : d; p : n; a, b, c : scalar; B : m x d x d; U : m x d
Z^h : n x n for h in H; F^h : d x d for h in H; i, j in d; s in n; g in H; f : function
"""
SIZES = {"n": 2, "d": 3, "m": 4, "H": 5}
SQUARE = dict.fromkeys(SIZES, 3)


def arrays(sizes: dict[str, int]) -> dict[str, object]:
    """Operands of whole numbers, scalars, indices and sizes."""
    generator = np.random.default_rng(5)
    shapes = {"ACM": "nn", "XY": "nd", "WD": "dd", "xyz": "d", "p": "n", "B": "mdd", "U": "md", "Z": "Hnn", "F": "Hdd"}
    found = {name: generator.integers(-4, 6, [sizes[k] for k in shape]) for names, shape in shapes.items() for name in names}
    return {**found, "a": 3, "b": -2, "c": 5, "i": 1, "j": 2, "s": 1, "h": 1, "g": 0, "f": lambda entry: entry**2 + 1, **sizes}


# a formula, and what it means: v has the operands, e is einsum
MEANINGS = [
    (r"\sum_h Z^h X + Y", lambda v, e: e("hst,ti->si", v.Z, v.X) + v.Y),
    (r"X - \sum_h Z^h X F^{h\top} - Y", lambda v, e: v.X - e("hst,tj,hij->si", v.Z, v.X, v.F) - v.Y),
    (r"\sum_h Z^h \otimes F^h", lambda v, e: sum(np.kron(*pair) for pair in zip(v.Z, v.F, strict=True))),
    (r"\sum_h Z^h \sum_h Z^h", lambda v, e: v.Z.sum(0) @ v.Z.sum(0)),
    (r"\sum_i x_i y_i z", lambda v, e: (v.x @ v.y) * v.z),
    (r"\sum_i x_i \sum_i y_i", lambda v, e: v.x.sum() * v.y.sum()),
    (r"(\sum_i x_i)^2", lambda v, e: v.x.sum() ** 2),
    (r"\sum_i x_i^2 / 2", lambda v, e: (v.x**2).sum() / 2),
    (r"-A^2 X", lambda v, e: -v.A @ v.A @ v.X),
    (r"(-A)^2 - A C^2", lambda v, e: v.A @ v.A - v.A @ v.C @ v.C),
    (r"1/2 A C", lambda v, e: v.A @ v.C / 2),
    (r"a b/c - a", lambda v, e: v.a * v.b / v.c - v.a),
    (r"\frac{a}{\frac{b}{c}} x", lambda v, e: v.a * v.c / v.b * v.x),
    (r"A \otimes W D - C \otimes D", lambda v, e: np.kron(v.A, v.W @ v.D) - np.kron(v.C, v.D)),
    (r"A C \odot M", lambda v, e: (v.A @ v.C) * v.M),
    (r"W x \cdot y", lambda v, e: v.W @ v.x @ v.y),
    (r"x^\top y z", lambda v, e: (v.x @ v.y) * v.z),
    (r"x y^\top z", lambda v, e: v.x * (v.y @ v.z)),
    (r"\operatorname{tr} A C + b", lambda v, e: np.trace(v.A @ v.C) + v.b),
    (r"\operatorname{tr} A \operatorname{tr} C", lambda v, e: np.trace(v.A) * np.trace(v.C)),
    (r"\operatorname{tr}(A)^2 - \operatorname{tr}(A^2)", lambda v, e: np.trace(v.A) ** 2 - np.trace(v.A @ v.A)),
    (r"(A \otimes W) X", lambda v, e: v.A @ v.X @ v.W.T),
    (r"(A \otimes W)(C \otimes D) X", lambda v, e: v.A @ v.C @ v.X @ v.D.T @ v.W.T),
    (r"\operatorname{diag}(p) (A \otimes W) X", lambda v, e: np.diag(v.p) @ v.A @ v.X @ v.W.T),
    (r"x \cdot_{12} B \cdot_{21} y", lambda v, e: e("j,ijk,k->i", v.x, v.B, v.y)),
    (r"x \cdot_{13} B \cdot_{21} y", lambda v, e: e("k,ijk,j->i", v.x, v.B, v.y)),
    (r"B(W X^\top X x, y)", lambda v, e: e("ijk,j,k->i", v.B, v.W @ v.X.T @ v.X @ v.x, v.y)),
    (r"B(X, Y)_s", lambda v, e: e("ijk,sj,sk->si", v.B, v.X, v.Y)[v.s]),
    (r"(W^\top)_{ij} + W_{ij}^2", lambda v, e: v.W[v.j, v.i] + v.W[v.i, v.j] ** 2),
    (r"(Z^h X)_{si}", lambda v, e: (v.Z[v.h] @ v.X)[v.s, v.i]),
    (r"(Z^h)^2 Z^{g\top}", lambda v, e: v.Z[v.h] @ v.Z[v.h] @ v.Z[v.g].T),
    (r"\operatorname{softmax}(A) X", lambda v, e: softmax(v.A) @ v.X),
    (r"f(x) \odot y", lambda v, e: (v.x**2 + 1) * v.y),
    (r"(x_i y_j)_{ji}", lambda v, e: np.outer(v.y, v.x)),
    (r"\begin{pmatrix} x & y \end{pmatrix}^\top z", lambda v, e: np.array([v.x @ v.z, v.y @ v.z])),
]


class Operands:
    """Operands as attributes."""

    def __init__(self, known: dict[str, object]) -> None:
        self.__dict__.update(known)


@pytest.mark.parametrize("sizes", [SIZES, SQUARE], ids=["different sizes", "one size"])
@pytest.mark.parametrize(("formula", "meant"), MEANINGS, ids=[formula for formula, _ in MEANINGS])
def test_a_formula_means_what_it_says(formula, meant, sizes):
    known = arrays(sizes)
    found, expected = np.asarray(value(read_latex(formula, SYMBOLS), known)), np.asarray(meant(Operands(known), np.einsum))
    assert found.shape == expected.shape or (expected.ndim == 1 and found.shape == (*expected.shape, 1))
    np.testing.assert_allclose(found.reshape(expected.shape).astype(float), expected.astype(float))


UNCLEAR = {
    r"W_{ij}^\top": "entry of the transpose",
    r"W^\top_{ij}": "entry of the transpose",
    r"(W D)^\top_{ij}": "entry of the transpose",
    r"W_{ij}^{-1}": "entry of the inverse",
    r"Z^{h\top}_{st}": "entry of the transpose",
    r"Z^{h2}": "power",
    r"Z^{h 2} X": "power",
    r"\|X\|_2^2": "which norm",
    r"\|X\|_2": "which norm",
    r"\|W\|^2": "which norm",
    r"\exp a \exp b": "where does the argument",
    r"\sin a \cos b": "where does the argument",
    r"{A + C} M": "braces",
    r"M {A + C}": "braces",
    r"{A C}^2": "braces",
    r"{A C}^\top": "braces",
    r"A {-C}": "braces",
    r"{\sum_h Z^h} A": "braces",
    r"x \times y": "which product",
    r"x * y": "which product",
    r"A * C": "which product",
    r"1 \otimes W": "identity",
    r"(A \otimes W) X D": "what does the operator act on",
    r"x_12": "first digit",
    r"a^10": "first digit",
    r"W_{12}": "several",
    r"2 A/3 C": "brackets",
    r"a/b c": "brackets",
    r"A \odot C \otimes M": "brackets",
    r"x + y^\top": "vectors are columns",
    r"\sum_j (x_i y_j)_{ij}": "0 axes",
    r"\sum_d x_d / d": "an index here, and a size",
}


@pytest.mark.parametrize("formula", UNCLEAR)
def test_what_can_be_read_in_two_ways_is_an_error(formula):
    with pytest.raises(LatexError, match=UNCLEAR[formula]):
        read_latex(formula, SYMBOLS + "t in n")


def test_macros_hold_nothing_together():
    macros = "A, C, M : d x d\n" + r"\newcommand{\same}[1]{#1}" + "\n" + r"\newcommand{\both}{A + C}"
    with pytest.raises(LatexError, match="braces"):
        read_latex(r"\same{A + C} M", macros)
    assert read_latex(r"\both M", macros) == read_latex("A + C M", macros)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (r"(W_{ij} x_j + b_i) y_i", r"y^\top (W x + b)"),
        (r"P_{ai} (W_{ij} x_j + b_i)", r"(P (W x + b))_a"),
        (r"(W_{ii} + c) c", r"\operatorname{tr}(W) c + c^2"),
        (r"(x_i y_i)^2", r"(x \cdot y)^2"),
        (r"(x_i y_i)(y_i b_i)", r"(x \cdot y)(y \cdot b)"),
        (r"\exp(x_i y_i)", r"\exp(x \cdot y)"),
        (r"\frac{c}{x_i y_i}", r"\frac{c}{x \cdot y}"),
        (r"\sqrt{x_i x_i}", r"\sqrt{x \cdot x}"),
        (r"W_{ij} (x_j + y_j)", r"(W x + W y)_i"),
        (r"\sum_j (W_{ij} x_j)", r"(W x)_i"),
    ],
)
def test_repeated_indices_are_summed_where_they_repeat(left, right):
    symbols = "W, P : d x d; x, y, b : d; c : scalar; a, i, j in d; einstein on"
    assert prove_latex(f"{left} = {right}", symbols).verdict == "proved"


@pytest.mark.parametrize("equation", [r"x^\top = x", r"W x = x^\top W^\top", r"x = (W y)^\top", r"\langle x^\top, y \rangle = a"])
@pytest.mark.parametrize("convention", ["columns", "rows"])
def test_a_row_is_no_column(equation, convention):
    with pytest.raises(LatexError):
        read_equations(equation, Declarations.parse(f"W : d x d; x, y : d; a : scalar; convention {convention}"))


def relations(text: str) -> list[tuple[str, str]]:
    """Both sides of each claim as they were written."""
    chains = read_equations(text, Declarations.parse("A, C : n x n"))
    return [(claim.lhs_source, claim.rhs_source) for chain in chains for claim in chain.claims]


def test_equations_on_lines_of_their_own():
    assert relations(r"A &= A \\ -C &= -C") == [("A", "A"), ("-C", "-C")]
    assert len(relations(r"A &= C \\ &\quad + A - C = A")) == 2
    assert len(relations(r"A &= C \\ &\quad + A - C")) == 1
    with pytest.raises(LatexError, match="another equation"):
        relations(r"A = A \\ -C = -C")


def test_words_part_equations():
    assert relations(r"A = A \text{ and } C = C") == [("A", "A"), ("C", "C")]
    assert relations(r"A \neq C \text{ and } C \neq A") == [("A", "C"), ("C", "A")]
    assert len(relations(r"A = C \text{ (by the law)} = A")) == 2


@pytest.mark.parametrize(
    "symbols",
    [
        "d : scalar; x : d",
        "H : n x n; A^h : n x n for h in H",
        "A : d x d\nA := A + A^\\top",
        "A, C : d x d\nA := C^\\top\nC := A^\\top",
        "Z^h : d x d for h in H; A : d x d\nZ^h := Z^h A",
    ],
)
def test_declarations_that_contradict_each_other(symbols):
    with pytest.raises(LatexError):
        Declarations.parse(symbols)


def test_an_entry_of_an_argument_is_no_declared_name():
    with pytest.raises(LatexError, match="rename"):
        read_latex("f(y)", "x, y : d; x_1 : scalar\nf(x) := x_1 x")


def test_operators_on_stacked_columns_act_on_vec():
    symbols = "A, W : d x d; X : d x d; vec columns"
    assert prove_latex(r"(W \otimes A) \operatorname{vec} X = \operatorname{vec}(A X W^\top)", symbols).verdict == "proved"
    with pytest.raises(LatexError, match="stacks columns"):
        read_latex(r"(A \otimes W) X", symbols)


def test_entries_of_a_column_as_they_are_printed():
    assert read_latex("{x}_{i,0}", SYMBOLS) == read_latex("x_i", SYMBOLS)


def test_composite_axes_in_another_order_are_an_error_at_their_place() -> None:
    declared = Declarations.parse("x : 3; y : d")
    read_equations(r"x \otimes y = \operatorname{vec}(x y^\top)", declared)
    with pytest.raises(LatexError, match="different shapes: 3\\*d and d\\*3"):
        read_equations(r"\operatorname{vec}(x y^\top) \neq y \otimes x", declared)
