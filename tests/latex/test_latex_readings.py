r"""One text, several declarations, several meanings: names, indices, labels, powers, transposes, scopes; and what can be read in two ways."""

import numpy as np
import pytest
from latex_arrays import array, at_arrays, known_for, read, scalar, verdicts
from opt_einsum import contract

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError

n, d, m, H, k = 3, 2, 4, 5, 6
A, A3 = array("A", n, n), array("A", H, n, n)
W, W1, W3 = array("W", m, d), array("W_1", m, d), array("W", k, m, d)
OV, WO = array("W_OV", H, d, d), array("W_OV", d, d)
x, y, X = array("x", d), array("y", d), array("X", n, d)
h1, h2 = array("A", 2, n, n), array("A^h2", 4, n, n)

# text -> declarations, free indices, the value; and another declaration under which the same text has another value
BY_DECLARATIONS = [
    (r"W_{1j}", [("W : m x d", "j", W[1]), ("W_1 : d", "j", array("W_1", d)), ("W_{1j} : d", "", array("W_1j", d))]),
    (r"W_1", [("W : m x d", "", W[1]), ("W_1 : m x d; W : m x d", "", W1), ("W_l : m x d for l in k", "", W3[1])]),
    (r"W_{1 j i}", [("W : k x m x d", "j i", W3[1]), ("W_1 : m x d", "j i", W1), ("W_l : m x d for l in k", "j i", W3[1])]),
    (r"W_{OV}", [("W_{OV} : d x d; W : m x d", "", WO), ("W : n x n; O, V in n", "O V", array("W", n, n))]),
    (r"W_{ij}", [("W : m x d", "i j", W), ("W_{ij} : d", "", array("W_ij", d)), ("W_i : d for i in m", "i j", W)]),
    (r"A^2", [("A : n x n", "", A @ A), ("A^h : n x n for h in H", "", A3[2]), ("A^2 : n x n", "", array("A^2", n, n))]),
    (r"A^{3}", [("A : n x n", "", A @ A @ A), ("A^{3} : n x n", "", array("A^3", n, n))]),
    (r"A^h", [("A^h : n x n for h in H", "h", A3), ("A^h : n x n", "", array("A^h", n, n))]),
    (r"A^T", [("A : n x n", "", A.T), ("A : n x n; T : n x n", "", A.T)]),
    (r"T A", [("T, A : n x n", "", array("T", n, n) @ A), ("T : scalar; A : n x n", "", scalar("T") * A)]),
    (r"I A", [("A : n x n", "", A), ("I, A : n x n", "", array("I", n, n) @ A)]),
    (r"I_{ij}", [("I : n x n", "i j", array("I", n, n)), ("i, j in n", "i j", np.eye(n))]),
    (r"I_{n} A", [("A : n x n", "", A), ("I_n, A : n x n", "", array("I_n", n, n) @ A)]),
    (r"\delta_{ij} x_j", [("x : d", "i j", np.diag(x)), (r"x : d; \delta : m x d", "i j", array("delta", m, d) * x)]),
    (r"a(x + y)", [("a : scalar; x, y : d", "", scalar("a") * (x + y)), (r"x, y : d; a(z) := z \odot z", "", (x + y) ** 2)]),
    (r"W(x)", [("W : m x d; x : d", "", W @ x), (r"W(z) := z \odot z; x : d", "", x * x)]),
    (r"e^2", [("e : scalar", "", scalar("e") ** 2), ("x : e", "", 49), ("", "", np.exp(2))]),
    (r"x^\top y", [("x, y : d", "", x @ y), ("x : d; y : scalar", "", (scalar("y") * x)[None])]),
    (r"\sum_{i} x_i", [("x : d", "", x.sum()), ("x_i : d for i in H", "", array("x", H, d).sum(0))]),
    (r"n", [("x : n", "", n), ("n : scalar", "", scalar("n"))]),
    (r"\lambda_l v_l", [(r"v_l : d for l in k; \lambda : k", "l", array("lambda", k)[:, None] * array("v", k, d)),
                        (r"v : k; \lambda : k", "l", array("lambda", k) * array("v", k))]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "readings"), BY_DECLARATIONS, ids=[text for text, _ in BY_DECLARATIONS])
def test_declarations_decide(text: str, readings: list) -> None:
    values = [np.asarray(expected) for _, _, expected in readings]
    for (symbols, free, _), expected in zip(readings, values, strict=True):
        found = read(text, symbols, free, expected.shape)
        assert found.shape == expected.shape and np.allclose(found, expected), symbols
    first, *others = values
    if text != "A^T":
        assert all(first.shape != other.shape or not np.allclose(first, other) for other in others[:1])


TWO_READINGS = [  # text, declarations, both readings as they are shown, the declarations of one, its text
    (r"W_{1j}", "W, W_1 : m x d", ["W with the indices 1, j", "W_{1} with the index j"], "W : m x d"),
    (r"2 W_{1 j}", "W : k x m x d\nW_1 : m x d", ["W with the indices 1, j (declared in line 1)", "in line 2"], "W : k x m x d"),
    (r"W_{ij}", "W : m x d; W_i : d for i in m", None, "W : m x d"),
    (r"\sum_h A^h", "A^{h_1} : n x n for h_1 in H_1; A^{h_2} : n x n for h_2 in H_2", ["A over H_1", "A over H_2"], "A^h : n x n for h in H"),
    (r"A^0", "A^{h_1} : n x n for h_1 in H_1; A^{h_2} : n x n for h_2 in H_2", ["A over H_1, of head 0", "A over H_2"], "A : n x n"),
    (r"A \odot C \otimes A", "A, C : n x n", [r"(a \odot b) \otimes c or a \odot (b \otimes c)"], None),
    (r"A^{h 2}", "A^h : n x n for h in H", ["is h2 one label, or is this a power?"], "A^{h 2} : n x n"),
    (r"A_{12}", "A : n x n", ["is 12 one position or 1, 2?", "{1,2}", "{12,}"], "A_{12} : n x n"),
    (r"A_{01}", "A : n x n; A_1 : n", ["is 01 one position or 0, 1?"], "A_{01} : n"),
    (r"B_{i12}", "B : n x n x n", ["is 12 one position or 1, 2?"], "B_{i12} : n"),
    (r"a / b c", "a, b, c : scalar", [r"is it (a / b) c or a / (b c)?"], None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "symbols", "words", "one"), TWO_READINGS, ids=[case[0] for case in TWO_READINGS])
def test_two_readings(text: str, symbols: str, words: list[str] | None, one: str | None) -> None:
    with pytest.raises(LatexError) as found:
        sc.read_latex(text, symbols)
    assert all(word in str(found.value) for word in words or ["declared twice"]), found.value
    if one is not None:
        assert sc.read_latex(text, one) is not None


SAME_NAME = [  # ways to write one name
    (r"W_{OV} W_\mathrm{OV} W_{\mathrm{OV}} W_{\text{OV}} W_{O V} W_{OV}", "W_OV : d x d", 6, WO),
    (r"W_{\mathit{OV}} \mathbf{W}_{OV} \boldsymbol{W}_{OV}", r"W_{\mathrm{OV}} : d x d", 3, WO),
    (r"\hat W \widehat{W} \hat{W} {\hat W}", r"\hat W : d x d", 4, array("What", d, d)),
    (r"\bar W \overline{W}", r"\bar{W} : d x d", 2, array("Wbar", d, d)),
    (r"\tilde W \widetilde W", r"\tilde W : d x d", 2, array("Wtilde", d, d)),
    (r"W' W^{\prime} W^\prime", "W' : d x d", 3, array("Wprime", d, d)),
    (r"W'_1 W_1' {W'}_1", "W_1' : d x d", 3, array("Wprime_1", d, d)),
    (r"W'' W^{\prime\prime}", "W'' : d x d", 2, array("Wprimeprime", d, d)),
    (r"\widehat{W_1} \hat W_1 \hat{W}_{1}", r"\hat W_1 : d x d", 3, array("What_1", d, d)),
    (r"W^{(1)} {W}^{(1)}", "W^{(1)} : d x d", 2, array("W^1", d, d)),
    (r"A^* A^{\ast}", "A^* : d x d", 2, array("A^star", d, d)),
    (r"A^+", "A^+ : d x d", 1, array("A^plus", d, d)),
    (r"\mathrm{key} \operatorname{key}", r"\mathrm{key} : d x d", 2, array("key", d, d)),
    (r"\mathcal{L} \mathbf{L} L", "L : d x d", 3, array("L", d, d)),
    (r"\Omega_{\alpha}", r"\Omega_\alpha : d x d", 1, array("Omega_alpha", d, d)),
]


@pytest.mark.parametrize(("text", "symbols", "count", "one"), SAME_NAME, ids=[case[0] for case in SAME_NAME])
def test_ways_to_write_a_name(text: str, symbols: str, count: int, one: np.ndarray) -> None:
    assert np.array_equal(read(text, symbols, shape=one.shape), np.linalg.matrix_power(one, count))
    with pytest.raises(LatexError, match=r"not declared|no family|takes a label"):
        sc.read_latex(text, "Y : d x d")


TOLD_APART = [
    ("W", "W'"),
    ("W'", "W''"),
    (r"\hat W", "W"),
    (r"\hat W", r"\tilde W"),
    ("W_1", "W^1"),
    ("W_{12}", "W_1"),
    ("w", "W"),
]


@pytest.mark.parametrize(("one", "other"), TOLD_APART)
def test_names_told_apart(one: str, other: str) -> None:
    symbols = f"{one}, {other} : d x d"
    assert verdicts(f"{one} {other} = {one} {other}", symbols) == ["proved"]
    assert verdicts(f"{one} = {other}", symbols) == ["refuted"]


SAME_READING = [  # two ways to write one expression
    (r"I_{n \times n} A", "I_n A"),
    (r"\sum_{\substack{0 \leq s \leq n - 1 \\ 0 \leq t \leq n - 1}} A_{st}", r"\sum_{s, t} A_{st}"),
    (r"\sum_{1 \le s \le n} A_{st}", r"\sum_{s=1}^{n} A_{st}"),
    (r"\sum_{\substack{s \in n \\ t \in n}} A_{st}", r"\sum_{s \in n, t \in n} A_{st}"),
    (r"\mathrm{X0}", "X_0"),
    (r"x^{\prime\top} x'", r"(x')^\top x'"),
    (r"A_{0,1}", "A_{0 1}"),
    (r"\text{tr}(A)", r"\operatorname{tr}(A)"),
    (r"\operatorname{Tr}(A)", r"\operatorname{tr} A"),
    (r"A \textstyle C", "A C"),
    (r"\sum\limits_{s} A_{st}", r"\sum_s A_{st}"),
    (r"A^{\mathsf{T}}", r"A^\intercal"),
]


@pytest.mark.parametrize(("one", "other"), SAME_READING)
def test_ways_to_write_a_formula(one: str, other: str) -> None:
    symbols = "A, C : n x n; X_0 : n x d; x' : d"
    assert sc.read_latex(one, symbols) == sc.read_latex(other, symbols) != sc.read_latex("C", symbols)


LABELS = [
    (r"W_{OV}^{h\top}", "h", OV.transpose(0, 2, 1)),
    (r"W_{OV}^{h \mathsf T}", "h", OV.transpose(0, 2, 1)),
    (r"W_{OV}^{h T}", "h", OV.transpose(0, 2, 1)),
    (r"(W_{OV}^{h})^\top", "h", OV.transpose(0, 2, 1)),
    (r"{W_{OV}^{h}}^{\top}", "h", OV.transpose(0, 2, 1)),
    (r"W_{OV}^{3\top}", "", OV[3].T),
    (r"(W_{OV}^{h})^2", "h", OV @ OV),
    (r"(W_{OV}^{h})_{ij}", "h i j", OV),
    (r"W_{OV \, ij}^{h}", "h i j", OV),
    (r"W_{OV,ij}^{h}", "h i j", OV),
    (r"(W_{OV}^{h\top})_{ij}", "h i j", OV.transpose(0, 2, 1)),
    (r"W_{OV}^{h} x_i", "h i", contract("hab,i->hiab", OV, x)),
    (r"\sum_g W_{OV}^{g}", "", OV.sum(0)),
]


@pytest.mark.parametrize(("text", "free", "expected"), LABELS, ids=[case[0] for case in LABELS])
def test_labels(text: str, free: str, expected: np.ndarray) -> None:
    symbols = "W_{OV}^h : d x d for h in H; x : d"
    assert np.array_equal(read(text, symbols, free, expected.shape), expected)
    assert not np.array_equal(read(text.replace("OV", "VO"), symbols.replace("OV", "VO"), free, expected.shape), expected)


BOTH_FAMILIES = "A^{h_1} : n x n for h_1 in H_1; A^{h_2} : n x n for h_2 in H_2"
FAMILIES = [
    (r"\sum_{h_1} A^{h_1}", "", h1.sum(0)),
    (r"\sum_{h_2} A^{h_2}", "", h2.sum(0)),
    (r"\sum_{h_1, h_2} A^{h_1} A^{h_2}", "", h1.sum(0) @ h2.sum(0)),
    (r"\sum_{h \in H_2} A^h", "", h2.sum(0)),
    (r"\sum_{h \in H_1 \cup H_2} A^h", "", h1.sum(0) + h2.sum(0)),
    (r"\sum_{h=1}^{H_2} A^h", "", h2.sum(0)),
    (r"A^g", "; g in H_2", h2),
]


@pytest.mark.parametrize(("text", "more", "expected"), FAMILIES, ids=[case[0] for case in FAMILIES])
def test_two_families_of_one_letter(text: str, more: str, expected: np.ndarray) -> None:
    assert np.array_equal(read(text, BOTH_FAMILIES + more, "g" if more else "", expected.shape), expected)


SCOPES = [  # an index of a sum is its own, whatever is called so further out
    (r"\sum_i x_i \left(\sum_i y_i\right) x_i", "", "", y.sum() * (x @ x)),
    (r"\sum_i (\sum_i x_i y_i) x_i", "", "", (x @ y) * x.sum()),
    (r"x_i \sum_i y_i", "", "i", x * y.sum()),
    (r"\left(\sum_i y_i\right) x_i", "", "i", x * y.sum()),
    (r"\sum_i (x_i + \sum_{i,j} x_i y_j)", "", "", x.sum() + d * x.sum() * y.sum()),
    (r"\sum_s X_s \sum_s X_{s0}", "", "", X.sum(0) * X[:, 0].sum()),
    (r"\sum_j g(x_j)", r"g(z) := \sum_j z y_j", "", x.sum() * y.sum()),
    (r"g(x_j)", r"g(z) := \sum_j z y_j", "j", x * y.sum()),
    (r"g(x_i y_j)", r"g(z) := \sum_{ij} z x_i y_j", "i j", np.outer(x, y) * x.sum() * y.sum()),
    (r"\sum_s g(X_s)_i", r"g(z) := \sum_{s} X_{s0} z", "i", X.sum(0) * X[:, 0].sum()),
    (r"g(g(X_s))", r"g(z) := \sum_{s} X_{s0} z", "s", X * X[:, 0].sum() ** 2),
    (r"\sum_i g(x)_i x_i", r"g(z) := \sum_i z_i z", "", x.sum() * (x @ x)),
    (r"f(y, x)", r"f(x, y) := x y^\top", "", np.outer(y, x)),
    (r"f(y)", r"f(x) := x \odot y", "", y * y),
    (r"f(W)", r"f(W) := W y", "", WO @ y),
    (r"c_j", r"c_i := \sum_j x_i y_j", "j", x * y.sum()),
]


@pytest.mark.parametrize(("text", "more", "free", "expected"), SCOPES, ids=[case[0] + case[1] for case in SCOPES])
def test_scopes(text: str, more: str, free: str, expected: np.ndarray) -> None:
    expected = np.asarray(expected)
    symbols = f"x, y : d; X : n x d; {more}"
    if "W" in text:
        symbols, text = symbols + "; W_{OV} : d x d", text.replace("f(W)", "f(W_{OV})")
    declarations = sc.Declarations.parse(symbols)
    assert np.allclose(with_definitions(text, declarations, free, expected.shape), expected)


def with_definitions(text: str, declarations: sc.Declarations, free: str, shape: tuple[int, ...]) -> np.ndarray:
    """The value where what is defined has the value of its definition."""
    expr = sc.read_latex(text, declarations)
    definitions = dict(declarations.symbols.definitions)
    known = known_for(expr, *definitions.values())
    for symbol, meant in definitions.items():
        known[str(symbol.name)] = at_arrays(
            meant, "", tuple(known[str(symbol.name)].shape) if str(symbol.name) in known else (), known
        )
    return at_arrays(expr, free, shape, known)
