r"""What a block of declarations says: shapes, laws, hypotheses, definitions, macros, conventions; each claim with a near-miss."""

import re

import pytest
from latex_arrays import claims, verdicts

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError, ShapeError

SHAPES = [  # declaration, name, shape as it is printed
    ("A : n x d", "A", "n x d"),
    ("A : n × d", "A", "n x d"),
    (r"A : n \times d", "A", "n x d"),
    ("A:n x d", "A", "n x d"),
    ("A, C : n x d", "C", "n x d"),
    ("x : d", "x", "d"),
    ("x : 7", "x", "7"),
    ("A : 3x4", "A", "3 x 4"),
    ("B : m x d x d", "B", "m x d x d"),
    ("Y : n*d x d + 1", "Y", "n*d x (d + 1)"),
    ("x : d_{model}", "x", "d_model"),
    (r"x : d_{\mathrm{model}}", "x", "d_model"),
    ("A : n x d # the stream", "A", "n x d"),
    ("A : n x d % the stream", "A", "n x d"),
    ("# first\n\n  A : n x d ;  C : d x n", "C", "d x n"),
]


@pytest.mark.parametrize(("symbols", "name", "shape"), SHAPES, ids=[case[0] for case in SHAPES])
def test_shapes(symbols: str, name: str, shape: str) -> None:
    with pytest.raises(LatexError) as found:  # the shape stands in what is said of a wrong sum
        sc.read_latex(f"{name} + u", f"{symbols}\nu : 99 x 98")
    assert f"{shape} and 99 x 98" in str(found.value)


LAW = r",\s*[a-z_ -]+(?:\([^)]*\))?(?=;|$| for)"
PROVED = [  # declarations, what they make true, what they do not
    ("S : n x n, symmetric", r"S^\top = S", r"S^\top = -S"),
    ("S : n x n, antisymmetric", r"S^\top = -S", r"S^\top = S"),
    ("S : n x n, diagonal; C : n x n, diagonal", "S C = C S", r"S C = C"),
    ("U : m x k, orthonormal columns", r"U^\top U = I", r"U U^\top = I"),
    ("U : m x k, orthonormal_rows", r"U U^\top = I", r"U^\top U = I"),
    ("U : n x n, orthogonal", r"U^\top U = U U^\top", "U = I"),
    ("A : n x n, row stochastic", r"A \mathbf{1} = \mathbf{1}", r"A^\top \mathbf{1} = \mathbf{1}"),
    ("A : n x n, column-stochastic", r"\mathbf{1}^\top A = \mathbf{1}^\top", r"A \mathbf{1} = \mathbf{1}"),
    ("A : n x n, row stochastic; s in n", r"\sum_t A_{st} = 1", r"\sum_t A_{ts} = 1"),
    ("t : n x V, one-hot rows", r"t_{sv} t_{sw} = \delta_{vw} t_{sv}", r"t_{sv} t_{uv} = \delta_{su} t_{sv}"),
    ("P : n x n, permutation", r"P P^\top = I", "P P = I"),
    ("M : d x d, inverse(N); N : d x d", "N M = I", "M M = I"),
    ("M : d x d, inverse(N); N : d x d", "M^{-1} = N", "M^{-1} = M"),
    ("B : d x d x d, symmetric(1,2); x, y : d", "B(x, y) = B(y, x)", "B(x, y) = B(x, x)"),
    ("B : d x d x d, antisymmetric(1, 2); x, y : d", "B(x, y) = -B(y, x)", "B(x, y) = B(y, x)"),
    ("A^h : n x n for h in H, row stochastic", r"\sum_h A^h \mathbf{1} = H \mathbf{1}", r"\sum_h A^h \mathbf{1} = \mathbf{1}"),
    ("A^h : n x n, row stochastic for h in H", r"A^0 \mathbf{1} = \mathbf{1}", r"A^0 \mathbf{1} = 0"),
    ("A, C : n x n, symmetric", r"(A C)^\top = C A", r"(A C)^\top = A C"),
]
HYPOTHESES = [  # an equation, the law that it is or "" for one of its own, what follows, what does not
    (r"U^\top U = I", "orthonormal_columns", r"\|U w\|^2 = \|w\|^2", r"U U^\top = I"),
    (r"I = U^\top U", "orthonormal_columns", r"\|U w\|^2 = \|w\|^2", r"U U^\top = I"),
    (r"U U^\top = I", "orthonormal_rows", r"U U^\top = I", r"U^\top U = I"),
    ("M N = I", "inverse(N)", "N M = I", "M M = I"),
    ("S^T = S", "symmetric", "(S M)^T = M^T S", "(S M)^T = S M"),
    ("S = S^T", "symmetric", "(S M)^T = M^T S", "(S M)^T = S M"),
    ("S^T = -S", "antisymmetric", "S^T = -S", "S^T = S"),
    ("S_{ij} = S_{ji}", "symmetric(0,1)", "S^T = S", "S^T = -S"),
    (r"M \mathbf{1} = \mathbf{1}", "row_stochastic", r"M M \mathbf{1} = \mathbf{1}", r"M^\top \mathbf{1} = \mathbf{1}"),
    (
        r"M^\top \mathbf{1} = \mathbf{1}",
        "column_stochastic",
        r"M^\top M^\top \mathbf{1} = \mathbf{1}",
        r"M \mathbf{1} = \mathbf{1}",
    ),
    ("B_{ijk} = B_{ikj}", "symmetric(1,2)", "B(x, y) = B(y, x)", "B(x, y) = B(x, x)"),
    ("B_{ijk} = -B_{ikj}", "antisymmetric(1,2)", "B(x, x) = 0", "B(x, y) = 0"),
    (r"P^{h\top} P^h = I", "", r"\sum_h P^{h\top} P^h = H I", r"\sum_h P^h P^{h\top} = H I"),
    ("M S = S", "", "M M S = S", "S = M^T S"),
    ("M^2 = M", "", "M^3 = M", "M = I"),
    (r"\sum_t M_{st} = 1", "", r"M \mathbf{1} = \mathbf{1}", r"M^\top \mathbf{1} = \mathbf{1}"),
    (
        r"\sum_{ij} Z_{aij} Z_{bij} = \delta_{ab}",
        "",
        r"\sum_{c,i,j} Z_{aij} Z_{cij} w_c = w_a",
        r"\sum_{c,i,j} Z_{aij} Z_{cij} w_c = w_0",
    ),
    (r"x^\top y = 0", "", r"x^\top y \, x = 0", r"x^\top x = 0"),
]
TENSORS = "U : m x k; w : k; M, N, S : d x d; x, y : d; B : d x d x d; Z : k x d x d; P^h : m x k for h in H; s, i, j in d; a, b, c in k\n"


@pytest.mark.parametrize(("symbols", "true", "other"), PROVED, ids=[f"{case[0]}: {case[1]}" for case in PROVED])
def test_laws(symbols: str, true: str, other: str) -> None:
    assert verdicts(true, symbols) == ["proved"]
    assert verdicts(other, symbols)[0] in ("refuted", "undecided")
    assert verdicts(true, re.sub(LAW, "", symbols)) == ["refuted"]


@pytest.mark.parametrize(("given", "law", "true", "other"), HYPOTHESES, ids=[case[0] for case in HYPOTHESES])
def test_hypotheses(given: str, law: str, true: str, other: str) -> None:
    declarations = sc.Declarations.parse(f"{TENSORS} given {given}")
    assert [one.text for one in declarations.symbols.laws] == [law] * bool(law)
    assert len(declarations.symbols.rewrites) == (not law)
    assert verdicts(true, f"{TENSORS} given {given}") == ["proved"]
    assert verdicts(other, f"{TENSORS} given {given}")[0] in ("refuted", "undecided")
    assert verdicts(true, TENSORS) == ["refuted"]


DEFINITIONS = [  # definitions, what follows, a near-miss
    (r"W, V : m x d; x : d; B_{ijk} := W_{ij} V_{ik}", r"B(x, x) = W x \odot V x", r"B(x, x) = W x \odot W x"),
    (r"P : d x m; W, V : m x d; x : d; B_{ijk} := \sum_p P_{ip} W_{pj} V_{pk}", r"B(x, x) = P (W x \odot V x)", r"B(x, x) = P (W x \odot W x)"),
    (r"W : m x d; Q := W^\top W", r"Q^\top = Q", r"Q Q = Q"),
    (r"W_O^h : d x e for h in H; W_V^h : e x d for h in H; W_{OV}^h := W_O^h W_V^h; x : d", r"\sum_h W_{OV}^h x = \sum_h W_O^h W_V^h x", r"\sum_h W_{OV}^h x = \sum_h W_{OV}^{h\top} x"),
    (r"v_l : d for l in k; \lambda : k; Q := \sum_l \lambda_l v_l v_l^\top; x : d", r"x^\top Q x = \sum_l \lambda_l (v_l^\top x)^2", r"x^\top Q x = \sum_l (v_l^\top x)^2"),
    (r"W, V : m x d; x, y : d; g(x) := (W x) \odot (V x)", r"g(x + y) = g(x) + g(y) + W x \odot V y + W y \odot V x", r"g(x + y) = g(x) + g(y)"),
    (r"x, y : d; f(u, v) := u v^\top", r"f(x, y) = x y^\top", r"f(x, y) = y x^\top"),
    (r"A : n x n; c := \operatorname{tr} A", r"c^2 = \operatorname{tr}(A)^2", r"c^2 = \operatorname{tr}(A^2)"),
    (r"A : n x n; u : n; y_s := \sum_t A_{st} u_t", "y = A u", r"y = A^\top u"),
    (r"A : n x n; M_{ts} := A_{st}", r"M = A^\top", "M = A"),
    (r"W : d x d; Q := W W; R := Q Q", "R = W^4", "R = W^3"),
    (r"W : d x d; Q : d x d; Q := W W", "Q = W^2", "Q = W"),
    (r"W : m x d; b : m; x : d; W' := \begin{pmatrix} W & b \end{pmatrix}; x' := \begin{pmatrix} x \\ 1 \end{pmatrix}", "W' x' = W x + b", "W' x' = W x"),
    (r"W : d x d; Q := \left( W +" + "\n  W \\right)", "Q = 2 W", "Q = W"),
    ("W_{OV}, X : d x d\n\\newcommand{\\OV}{W_{OV}}\n\\newcommand{\\by}[2]{#2 #1}", r"\by{X}{\OV} = W_{OV} X", r"\by{X}{\OV} = X W_{OV}"),
    ("A : n x n\n\\newcommand{\\T}{^{\\top}}\n\\DeclareMathOperator{\\Tr}{tr}", r"\Tr(A\T) = \Tr A", r"\Tr(A\T) = 2 \Tr A"),
    ("A : n x n\n\\def\\sq#1{#1 #1}", r"\sq{A} = A^2", r"\sq{A} = A"),
    (r"\newcommand{\z}[1]{{#1}^{2}}" + "\nA : n x n", r"\z{(A + A)} = 4 A A", r"\z{(A + A)} = 2 A A"),
]  # fmt: skip


@pytest.mark.parametrize(("symbols", "true", "other"), DEFINITIONS, ids=[f"{case[0]}: {case[1]}" for case in DEFINITIONS])
def test_definitions(symbols: str, true: str, other: str) -> None:
    assert verdicts(true, symbols) == ["proved"]
    assert verdicts(other, symbols) == ["refuted"]


CONVENTIONS = [  # declarations, what holds under them, what holds without them
    ("x : d; W : d x m; convention rows", r"(x W)_i = \sum_j x_j W_{ji}", None),
    ("x : d; W : d x m; convention rows", r"x W W^\top x^\top = \|x W\|^2", None),
    ("x : d; W : d x m; convention columns", r"(W^\top x)_i = \sum_j x_j W_{ji}", r"(W^\top x)_i = \sum_j x_j W_{ji}"),
    ("X : n x d; A : n x n; W : d x d; convention rows", r"(A \otimes W) X = A X W^\top", r"(A \otimes W) X = A X W^\top"),
    ("X : n x d; A : n x n; W : d x d; convention rows", r"(A X W)_s = \sum_t A_{st} X_t W", None),
    ("X : n x d; A : n x n; W : d x d; vec columns", r"\operatorname{vec}(A X W^\top) = (W \otimes A) \operatorname{vec} X", None),
    ("X : n x d; A : n x n; W : d x d; vec rows", r"\operatorname{vec}(A X W^\top) = (A \otimes W) \operatorname{vec} X",
     r"\operatorname{vec}(A X W^\top) = (A \otimes W) \operatorname{vec} X"),
    ("W : m x d; x : d; y : m; i in m; einstein on", "(W x)_i = W_{ij} x_j", None),
    ("W : d x d; einstein on", r"W_{ii} = \operatorname{tr} W", None),
    ("W : d x d; x : d; einstein on", r"x_i W_{ij} x_j = x^\top W x", None),
    ("B : d x d x d; x, y : d; einstein on", "B_{ijk} x_j y_k = B(x, y)_i", None),
    ("x, y : d; einstein on", r"x_i y_i = x \cdot y", None),
    ("x, y : d; einstein on", r"x_i x_i y_j = \|x\|^2 y_j", None),
    ("x : d; einstein on", r"\delta_{ij} x_j = x_i", None),
    ("x, y : d; einstein on", r"x_i + y_i = (x + y)_i", r"x_i + y_i = (x + y)_i"),
    ("W : d x d; x, y : d; einstein on", r"x_i + W_{ij} y_j = (x + W y)_i", None),
    ("x, y : d; einstein on", r"\sum_i x_i y_i = x_i y_i", None),
    ("x, y : d; i in d; einstein off", r"x_i y_i = (x \odot y)_i", r"x_i y_i = (x \odot y)_i"),
    ("X : n x d; einstein on", r"X_{si} X_{ti} = (X X^\top)_{st}", None),
]  # fmt: skip


@pytest.mark.parametrize(("symbols", "text", "without"), CONVENTIONS, ids=[f"{case[0]}: {case[1]}" for case in CONVENTIONS])
def test_conventions(symbols: str, text: str, without: str | None) -> None:
    assert verdicts(text, symbols) == ["proved"]
    plain = symbols.rsplit(";", 1)[0]
    if without is not None:
        assert verdicts(without, plain) == ["proved"]
        return
    try:
        assert verdicts(text, plain) == ["refuted"]
    except (LatexError, ShapeError) as error:
        assert "vectors are columns" in str(error) or "not in both" in str(error) or "n*d" in str(error)


SUMMED = [  # definitions under the Einstein convention: what they mean; indices of a definition are its own
    ("c := x_i y_i", r"c = x \cdot y", r"c = x \cdot x"),
    ("z_i := W_{ij} x_j", "z = W x", r"z = W^\top x"),
    ("M_{ik} := W_{ij} W_{jk}", "M = W W", r"M = W W^\top"),
    ("u_i := W_{ii}", r"u = \operatorname{diag}(W)", "u = x"),
    ("c := (x_i) (y_i) + a", r"c = x \cdot y + a", r"c = x \cdot y"),
    ("g(z) := W_{ij} z_i z_j + a", r"g(x) = x^\top W x + a", r"g(x) = x^\top W x"),
    ("g(z) := z x_i y_i + a", r"g(x_k) = x_k (x \cdot y) + a", r"g(x_k) = x_k^2 y_k + a"),
    ("g(z) := z x_i y_i + a", r"g(x_i) = x_i (x \cdot y) + a", r"g(x_i) = x_i x_i y_i + a"),
    ("f : function", r"f(x_i y_i) = f(x \cdot y)", r"f(x_i y_i) = f(x \cdot x)"),
]


@pytest.mark.parametrize(("definition", "true", "other"), SUMMED, ids=[f"{case[0]}: {case[1]}" for case in SUMMED])
def test_definitions_with_einstein(definition: str, true: str, other: str) -> None:
    symbols = f"W : d x d; x, y : d; a : scalar; einstein on; i, k in d; {definition}"
    assert verdicts(true, symbols) == ["proved"]
    assert verdicts(other, symbols)[0] in ("refuted", "undecided")


def test_expressions_with_einstein() -> None:
    expr = sc.read_latex("W_{ij} x_j + y_i", "W : d x d; x, y : d; einstein on")
    assert {str(symbol) for symbol in expr.free_symbols if symbol.is_nonnegative and not symbol.is_positive} == {"i"}


AT = [
    ("A : n x n; at n = 1", r"A^2 = \operatorname{tr}(A) A", "holds_at"),
    ("A : n x n; at n = 2", r"A^2 = \operatorname{tr}(A) A", "refuted"),
    ("A : n x n", r"A^2 = \operatorname{tr}(A) A", "refuted"),
    (
        "A : n x n; at n = 2",
        r"A^2 - \operatorname{tr}(A) A + \tfrac12 (\operatorname{tr}(A)^2 - \operatorname{tr}(A^2)) I = 0",
        "holds_at",
    ),
    ("A, C : n x n; X : m x m; at n = 1, m = 3", "A C = C A", "holds_at"),
    ("A, C : n x n; X : m x m; at m = 1", "A C = C A", "refuted"),
    ("A^h : n x n for h in H; at H = 1", r"\sum_h A^h = A^0", "holds_at"),
    ("A^h : n x n for h in H; at H = 2", r"\sum_h A^h = A^0 + A^1", "holds_at"),
    ("A, C : 1 x 1", "A C = C A", "proved"),
]


@pytest.mark.parametrize(("symbols", "text", "verdict"), AT, ids=[f"{case[0]}: {case[1]}" for case in AT])
def test_at_sizes(symbols: str, text: str, verdict: str) -> None:
    assert verdicts(text, symbols) == [verdict]


def test_at_speaks_of_the_sizes_of_the_claim_only() -> None:
    [claim] = claims("A = A", "A : n x n; X : m x m; at n = 2, m = 3")
    assert dict(claim.at) == {"n": 2}


def test_given_is_what_the_tensors_of_a_claim_need() -> None:
    symbols = r"A : n x n, symmetric; C : n x n, diagonal; D : n x n; Q := A D; given D D = D"
    given = {text: claims(text, symbols)[0].given for text in ("A = A", "C = C", "D = D", "Q = Q")}
    assert [len(part) for part in given.values()] == [1, 1, 1, 3]
    assert {str(key): value for key, value in given["A = A"][0].items()} == {"A": ["symmetric"]}


def test_extended() -> None:
    """More declarations make a new object; the old one is as it was."""
    first = sc.Declarations.parse("A : n x n")
    second = first.extended("C : n x n", line=7)
    assert sc.read_latex("A C", second) is not None
    with pytest.raises(LatexError, match="C is not declared"):
        sc.read_latex("A C", first)
    with pytest.raises(LatexError, match=r"line 9, column 1: A is declared twice; first in line 1"):
        second.extended("\n\nA : d", line=7)


def test_definitions_in_chains_hold_from_there_on() -> None:
    declarations = sc.Declarations.parse("W : m x d; x : d")
    first, second = sc.read_equations(r"Q := W^\top W \\ x^\top Q x = \|W x\|^2", declarations)
    assert first.claims == () and len(second.claims) == 1
    [again] = sc.read_equations("Q^T = Q", second.declarations)
    assert sc.prove(again.claims[0].lhs, again.claims[0].rhs, given=again.claims[0].given).verdict == "proved"
    with pytest.raises(LatexError, match="Q is not declared"):
        sc.read_equations("Q^T = Q", declarations)
