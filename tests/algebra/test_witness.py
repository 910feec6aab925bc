"""Counterexamples: they verify, run as code, have least sizes and least entries, and obey laws; verdicts do not depend on order."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import prod
from random import Random

import numpy as np
import opt_einsum
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sympy import (
    Determinant,
    HadamardProduct,
    Identity,
    Matrix,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Symbol,
    Trace,
    ZeroMatrix,
    cbrt,
    sqrt,
    symbols,
)

import symbolic_circuits as sc
from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.errors import CodeError, IdentityError
from symbolic_circuits.identities.files import prove_identity

n, d, m = symbols("n d m", integer=True, positive=True)
c, e = symbols("c e", positive=True)
A, B, C, P, Q = (MatrixSymbol(name, n, n) for name in "ABCPQ")
X, W = MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
x, y, z, w = (MatrixSymbol(name, n, 1) for name in "xyzw")


def run_code(verdict: Verdict) -> None:
    """Run the test that a counterexample writes."""
    names: dict = {}
    exec(verdict.witness.to_code(), names)
    names["test_sides_differ"]()


def refuted(lhs, rhs, **options) -> Verdict:
    """The verdict, which has a counterexample that verifies and runs."""
    verdict = sc.prove(lhs, rhs, **options)
    assert verdict.verdict == "refuted" and verdict.witness.verify()
    run_code(verdict)
    return verdict


# ---- tables ----

FALSE = [
    (A, A.T, {"n": 2}),
    (A, 2 * A, {"n": 1}),
    (A * B, B * A, {"n": 2}),
    (Trace(A * B), Trace(A) * Trace(B), {"n": 2}),
    (Trace(A * B * C), Trace(C * B * A), {"n": 2}),
    (Trace(A * A * B * B), Trace(A * B * A * B), {"n": 2}),
    (Trace(A * A * B * B * A * B), Trace(B * A * B * B * A * A), {"n": 3}),  # E12: a word and its reverse, equal at 2
    (HadamardProduct(A, B), A * B, {"n": 2}),
    (HadamardProduct(A * x, A * x), A * HadamardProduct(x, x), {"n": 1}),
    (HadamardProduct(X * W, X * W), HadamardProduct(X, X) * HadamardProduct(W, W), {"d": 2, "n": 1}),
    (X * W * X.T, X * W.T * X.T, {"d": 2, "n": 2}),
    (Trace(X.T * X), Trace(X * X.T) * 2, {"d": 1, "n": 1}),
    (n * A, A, {"n": 2}),
    (n * A, d * A, {"n": 1}),
    (sqrt(n) * A, n * A, {"n": 2}),
    (sqrt(n * d) * X, sqrt(n) * d * X, {"d": 2, "n": 1}),
    (Trace(Identity(n)), n**2, {"n": 2}),
    (OneMatrix(n, n), Identity(n), {"n": 2}),
    (OneMatrix(n, n) * A, A, {"n": 2}),
    (A[0, 3], A[1, 0], {"n": 4}),
    (A[0, 0], Trace(A), {"n": 2}),
    (A[0, 0] + A[1, 1], Trace(A), {"n": 3}),
    (A**2 - Trace(A) * A + (Trace(A) ** 2 - Trace(A**2)) / 2 * Identity(n), ZeroMatrix(n, n), {"n": 3}),
    (sqrt(2) * A, A, {"n": 1}),
    (sqrt(2) * A + sqrt(3) * B, sqrt(5) * A, {"n": 1}),
    (c * A, e * A, {"n": 1}),
    (c * A, A, {"n": 1}),
    (sqrt(c) * A, c * A, {"n": 1}),
    (c**2 * A, (2 * c - 1) * A, {"n": 1}),
    (cbrt(c) * A, A, {"n": 1}),
    (A / sqrt(d) * sqrt(n), A, {"n": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("lhs", "rhs", "sizes"), FALSE, ids=[f"{lhs} = {rhs}"[:70] for lhs, rhs, _ in FALSE])
def test_least_sizes(lhs, rhs, sizes: dict[str, int]) -> None:
    assert refuted(lhs, rhs).witness.sizes == sizes


def gram(vectors: list[MatrixSymbol]) -> object:
    """The determinant of the inner products of vectors, written out."""
    return Matrix(len(vectors), len(vectors), lambda i, j: Trace(vectors[i] * vectors[j].T)).det(method="berkowitz").expand()


@pytest.mark.parametrize("k", [2, 3, 4])
def test_gram_determinant(k: int) -> None:
    """The Gram determinant of k vectors is zero below size k only (E12)."""
    value = gram([x, y, z, w][:k])
    verdict = refuted(value, 0)
    assert verdict.witness.sizes == {"n": k} and verdict.witness.minimal
    for size in range(1, k):
        held = sc.prove(value, 0, at={n: size})
        assert (held.verdict, held.sizes, held.error_probability) == ("holds_at", {"n": size}, None)
    assert refuted(value, 0, at={n: k}).witness.sizes == {"n": k}


def test_cayley_hamilton() -> None:
    """E12: true at 2 x 2 only."""
    left = A**2 - Trace(A) * A + (Trace(A) ** 2 - Trace(A**2)) / 2 * Identity(n)
    zero = ZeroMatrix(n, n)
    assert sc.prove(left, zero, at={n: 2}).verdict == "holds_at"
    assert sc.prove(left, zero, at={n: 1}).verdict == "holds_at"
    for size in (3, 4):
        assert refuted(left, zero, at={n: size}).witness.sizes == {"n": size}
    M = MatrixSymbol("M", 2, 2)
    assert sc.prove(left.subs({A: M, n: 2}), ZeroMatrix(2, 2)).verdict in ("holds_at", "proved")
    M = MatrixSymbol("M", 3, 3)
    assert refuted(M**2 - Trace(M) * M + (Trace(M) ** 2 - Trace(M**2)) / 2 * Identity(3), ZeroMatrix(3, 3)).witness.sizes == {}


@pytest.mark.parametrize("k", [2, 3, 4])
def test_antisymmetrisers_vanish_below_their_order(k: int) -> None:
    """E12: the sum over orders, with signs, of k - 1 dimensional delta tensors applied to vectors of size k - 1."""
    letters = "abcd"[:k]
    terms = []
    for order in product(range(k), repeat=k):
        if len(set(order)) == k:
            sign = (-1) ** sum(order[a] > order[b] for b in range(k) for a in range(b))
            terms.append([sign, f"{','.join(letters[i] for i in order)}->{letters}", ["u", "v", "s", "t"][:k]])
    data = {"lhs": terms, "rhs": [], "shapes": {name: ["n"] for name in ["u", "v", "s", "t"][:k]}}
    verdict = prove_identity(data)
    assert verdict.verdict == "refuted" and verdict.witness.sizes == {"n": k}
    fixed = data | {"shapes": {name: [k - 1] for name in data["shapes"]}}
    assert prove_identity(fixed).verdict in ("holds_at", "proved")
    fixed = data | {"shapes": {name: [k] for name in data["shapes"]}}
    assert prove_identity(fixed).verdict == "refuted"


# ---- laws of counterexamples ----

SHAPES = {"A": ["n", "n"], "X": ["n", "d"], "x": ["n"], "y": ["d"], "T": ["d", "n", "d"]}
LETTERS = {"a": "n", "b": "n", "c": "n", "p": "d", "q": "d"}


@st.composite
def term(draw: st.DrawFn) -> list:
    """A random einsum with the output a, p."""
    names = draw(st.lists(st.sampled_from(sorted(SHAPES)), min_size=1, max_size=3))
    parts = [
        "".join(draw(st.sampled_from([i for i, s in LETTERS.items() if s == size])) for size in SHAPES[name]) for name in names
    ]
    for letter, vector in (("a", "x"), ("p", "y")):
        if letter not in "".join(parts):
            parts, names = [*parts, letter], [*names, vector]
    return [draw(st.sampled_from([1, 1, 2, -1, "1/2"])), f"{','.join(parts)}->ap", names]


def random_value(data: dict, sizes: dict[str, int]) -> np.ndarray:
    """lhs - rhs at large random integers, exactly: zero where the sides agree at these sizes, with overwhelming probability."""
    rng = Random(0)
    shapes = {name: [size if isinstance(size, int) else sizes[size] for size in axes] for name, axes in data["shapes"].items()}
    arrays = {
        name: np.array([rng.randint(-(10**6), 10**6) for _ in range(prod(shape))], dtype=object).reshape(shape)
        for name, shape in shapes.items()
    }
    total = 0
    for sign, side in ((1, "lhs"), (-1, "rhs")):
        for coefficient, string, names in data[side]:
            total = total + sign * Fraction(coefficient) * opt_einsum.contract(string, *(arrays[name] for name in names))
    return np.asarray(total)


@given(st.lists(term(), min_size=1, max_size=2), st.lists(term(), min_size=1, max_size=2))
def test_no_smaller_sizes_differ(lhs: list, rhs: list) -> None:
    data = {"lhs": lhs, "rhs": rhs, "shapes": SHAPES}
    verdict = prove_identity(data)
    if verdict.verdict == "proved":
        assert not random_value(data, {"d": 2, "n": 3}).any()
        return
    witness = verdict.witness
    assert verdict.verdict == "refuted" and witness.minimal and witness.verify()
    run_code(verdict)
    least_d, least_n = witness.sizes["d"], witness.sizes["n"]
    for smaller in [(k, j) for k in range(1, least_d + 1) for j in range(1, 4 if k < least_d else least_n)]:
        assert not random_value(data, dict(zip("dn", smaller, strict=True))).any()


COMMUTATORS = [  # equal at n = 1, some at n = 2
    ("ij,jk->ik", ["A", "B"], "ij,jk->ik", ["B", "A"]),
    ("ij,jk,kl->il", ["A", "B", "C"], "ij,jk,kl->il", ["C", "B", "A"]),
    ("ij,jk,kl,lm,mp,pi->", ["A", "A", "B", "B", "A", "B"], "ij,jk,kl,lm,mp,pi->", ["B", "A", "B", "B", "A", "A"]),
    ("ij,ik,jk->", ["A", "B", "C"], "ij,ik,kj->", ["A", "B", "C"]),
    ("ii,jj->", ["A", "B"], "ij,ji->", ["A", "B"]),
]


@pytest.mark.parametrize(("left", "first", "right", "second"), COMMUTATORS)
def test_no_smaller_sizes_differ_where_many_agree(left: str, first: list, right: str, second: list) -> None:
    data = {"lhs": [[1, left, first]], "rhs": [[1, right, second]], "shapes": {name: ["n", "n"] for name in "ABC"}}
    verdict = prove_identity(data)
    assert verdict.verdict == "refuted" and verdict.witness.verify() and verdict.witness.sizes["n"] > 1
    for size in range(1, verdict.witness.sizes["n"]):
        assert not random_value(data, {"n": size}).any()


@pytest.mark.parametrize(
    ("lhs", "rhs", "entries"),
    [(A, B, 1), (A * B, B * A, 2), (A, A.T, 1), (A * A, A, 1), (X * W * X.T, X * W.T * X.T, 3), (x * x.T, x * y.T, 1)],
)
def test_few_entries_are_not_zero(lhs, rhs, entries: int) -> None:
    witness = refuted(lhs, rhs).witness
    assert sum(int((array != 0).sum()) for array in witness.arrays.values()) <= entries


# ---- the order of things does not matter ----

DATA = {
    "lhs": [[1, "ij,jk,k->i", ["A", "B", "x"]], [2, "ij,j->i", ["S", "x"]], ["1/3", "ii,j->j", ["A", "y"]]],
    "rhs": [[1, "ij,jk,k->i", ["B", "A", "x"]], [1, "ij,j->i", ["S", "x"]], [1, "ji,j->i", ["S", "x"]]],
    "shapes": {"A": ["n", "n"], "B": ["n", "n"], "S": ["n", "n"], "x": ["n"], "y": ["n"]},
    "given": {"S": ["symmetric(0,1)"]},
}


@given(st.permutations(range(3)), st.permutations(range(3)), st.permutations("abcdefgijk"), st.booleans())
def test_order_and_names_of_indices_do_not_matter(left: list, right: list, letters: list, reverse: bool) -> None:
    table = str.maketrans("ijk", "".join(letters[:3]))

    def moved(term: list) -> list:
        coefficient, string, names = term
        inputs, _, output = string.translate(table).partition("->")
        parts = inputs.split(",")
        return [coefficient, f"{','.join(parts[::-1] if reverse else parts)}->{output}", names[::-1] if reverse else names]

    data = DATA | {"lhs": [moved(DATA["lhs"][k]) for k in left], "rhs": [moved(DATA["rhs"][k]) for k in right]}
    found, expected = sc.verdict_data(prove_identity(data)), sc.verdict_data(prove_identity(DATA))
    assert found["verdict"] == expected["verdict"] == "refuted"
    assert found["witness"]["sizes"] == expected["witness"]["sizes"]
    assert found["witness"]["tensors"] == expected["witness"]["tensors"]
    assert sorted(map(str, found["residue"])) == sorted(map(str, expected["residue"]))


SCRIPT = """
import json
from sympy import MatrixSymbol, Symbol, Trace
import symbolic_circuits as sc
n, d = Symbol("n", integer=True, positive=True), Symbol("d", integer=True, positive=True)
A, B, U = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n), MatrixSymbol("U", n, d)
out = [sc.verdict_data(sc.prove(*pair, **more)) for pair, more in [
    ((A * B + B, B * A + A), {}),
    ((Trace(A * B), Trace(B * A)), {}),
    ((U * U.T * A, A), {"given": {U: "orthonormal_columns", A: ["symmetric", "row_stochastic"]}}),
    ((A * B * A, B), {"given": {A: ["permutation", "symmetric"]}}),
]]
out.append(sc.prove((A + B) ** 3, A**3 + A**2 * B + A * B * A + B * A**2 + A * B**2 + B * A * B + B**2 * A + B**3).certificate)
out.append(str(sc.difference((A + B) ** 3, A**3 + B**3)))
print(json.dumps(out))
"""


def test_the_hash_seed_does_not_matter() -> None:
    found = [
        subprocess.run([sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}, capture_output=True, check=True).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert found[0] == found[1] and len(json.loads(found[0])) == 6


# ---- verdicts as objects ----


@pytest.mark.parametrize("verdict", [sc.prove(A, A), sc.prove(A, B), sc.prove(A * B, B * A, at={n: 1})], ids=lambda v: v.verdict)
def test_a_verdict_is_no_boolean(verdict: Verdict) -> None:
    assert verdict.verdict in ("proved", "refuted", "holds_at")
    with pytest.raises(TypeError, match="a verdict is not a boolean"):
        bool(verdict)


@pytest.mark.parametrize(
    ("lhs", "rhs", "given"),
    [
        (A, A, {}),
        ((A + B) ** 2, A**2 + A * B + B * A + B**2, {}),
        (X.T * X, Identity(d), {X: "orthonormal_columns"}),
        (Trace(A**3), 0, {A: "antisymmetric"}),
        (sqrt(n) * A * sqrt(n), n * A, {}),
        (A, B * B, {A: B * B}),
    ],
)
def test_a_certificate_is_plain_data(lhs, rhs, given) -> None:
    certificate = sc.prove(lhs, rhs, given=given).certificate
    assert json.loads(json.dumps(certificate)) == certificate
    assert certificate["format"] == "symbolic_circuits certificate"


def test_a_changed_witness_does_not_verify() -> None:
    witness = refuted(A, A.T).witness
    assert not replace(witness, arrays={"A": np.zeros((2, 2), dtype=object)}).verify()
    assert not replace(witness, entry=(0, 0)).verify()
    witness = sc.prove(A * B, B * A, given={A: "symmetric"}).witness
    assert not replace(witness, arrays=witness.arrays | {"A": np.array([[1, 1], [0, 1]], dtype=object)}).verify()


WEAK = [
    ("permutation", [[1, 1], [0, 1]]),
    ("one_hot_rows", [[1, 1], [0, 1]]),
    ("one_hot_columns", [[1, 1], [0, 1]]),
]


@pytest.mark.parametrize(("law", "wrong"), WEAK, ids=[law for law, _ in WEAK])
def test_a_witness_that_breaks_a_law_does_not_verify(law: str, wrong: list) -> None:
    witness = sc.prove(A * B, B * A, given={A: law}).witness
    arrays = {"A": np.array(wrong, dtype=object), "B": np.array([[1, 2], [3, 5]], dtype=object)}
    places = [replace(witness, sizes={"n": 2}, arrays=arrays, entry=place) for place in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    assert not any(changed.verify() for changed in places)


def test_a_witness_that_states_other_values_does_not_verify() -> None:
    witness = refuted(A, A.T).witness
    assert not replace(witness, lhs={}).verify()


NAMES = [
    "A'",
    "W_OV^h",
    "class",
    "lhs",
    "np",
    "1",
    "Fraction",
    "Rational",
    "ünïcode",
    "a b",
    "test_sides_differ",
    "while",
    "print",
]


@pytest.mark.parametrize(
    "name",
    [word for word in NAMES if " " not in word],
)
def test_code_with_awkward_names(name: str) -> None:
    T, other = MatrixSymbol(name, n, n), MatrixSymbol("A_", n, n)
    run_code(sc.prove(sqrt(2) * T * other, other * T * Rational(1, 3)))


def test_code_with_more_indices_than_letters() -> None:
    count = 60
    rows = [f"i{k}" for k in range(count)]
    data = {
        "lhs": [[1, [[[i] for i in rows], []], ["x"] * count]],
        "rhs": [[2, [[[i] for i in rows], []], ["x"] * count]],
        "shapes": {"x": ["n"]},
    }
    verdict = prove_identity(data)
    assert verdict.verdict == "refuted" and verdict.witness.verify()
    with pytest.raises(CodeError, match="60 indices"):
        verdict.witness.to_code()


def test_code_does_not_run_what_a_file_says() -> None:
    size = 'n"""; ran.append(1); """'
    with pytest.raises(IdentityError, match="a size of x is a positive integer or a name"):
        prove_identity({"lhs": [[1, "i->i", ["x"]]], "rhs": [], "shapes": {"x": [size]}})
    name = 'x"""; ran.append(1); """'
    verdict = prove_identity({"lhs": [[1, "i->i", [name]]], "rhs": [], "shapes": {name: ["n"]}})
    ran: list[int] = []
    names = {"ran": ran}
    exec(verdict.witness.to_code(), names)
    names["test_sides_differ"]()
    assert not ran


# ---- sizes asked for, fixed sizes ----


def test_fixed_sizes() -> None:
    square = {"A": [2, 2], "B": [2, 2]}
    reverse = {
        "lhs": [[1, "ij,jk,kl,lm,mp,pi->", list("AABBAB")]],
        "rhs": [[1, "ij,jk,kl,lm,mp,pi->", list("BABBAA")]],
    }
    assert prove_identity(reverse | {"shapes": square}).verdict == "holds_at"
    assert prove_identity(reverse | {"shapes": {"A": [3, 3], "B": [3, 3]}}).verdict == "refuted"
    assert prove_identity(reverse | {"shapes": {"A": [1, 1], "B": [1, 1]}}).verdict == "proved"  # an axis of size 1 is none
    assert prove_identity(reverse | {"shapes": {"A": ["n", "n"], "B": ["n", "n"]}}).verdict == "refuted"


@pytest.mark.parametrize(("at", "verdict"), [({n: 1}, "holds_at"), ({n: 2}, "refuted"), ({"n": 1}, "holds_at"), ({}, "refuted")])
def test_sizes_asked_for(at: dict, verdict: str) -> None:
    assert sc.prove(A * B, B * A, at=at).verdict == verdict


def test_some_sizes_asked_for_and_others_found() -> None:
    verdict = refuted(X * W, X, at={n: 3})
    assert verdict.witness.sizes == {"d": 1, "n": 3}
    assert sc.prove(X * W * X.T, X * W.T * X.T, at={d: 1}).verdict == "holds_at"
    assert sc.prove(n * d * X, 6 * X, at={n: 2, d: 3}).verdict == "holds_at"
    assert sc.prove(n * d * X, 6 * X, at={n: 2}).verdict == "refuted"
    assert sc.prove(A, A, at={n: 2}).verdict == "proved"


def test_sizes_that_are_none() -> None:
    assert sc.prove(A, B, at={n: 2}).verdict == "refuted"
    with pytest.raises(IdentityError, match="d is not a size of the identity; its sizes are n"):
        sc.prove(A, B, at={d: 2})


@pytest.mark.parametrize("size", [0, -1])
def test_a_size_is_positive(size: int) -> None:
    with pytest.raises(IdentityError):
        sc.prove(A, B, at={n: size})


@pytest.mark.parametrize("size", [1.5, "2"])
def test_a_size_is_an_integer(size: object) -> None:
    with pytest.raises(IdentityError):
        sc.prove(A, B, at={n: size})


def test_a_size_asked_for_that_a_held_index_exceeds() -> None:
    assert sc.prove(A[0, 3], B[0, 3], at={n: 4}).verdict == "refuted"
    with pytest.raises(IdentityError):
        sc.prove(A[0, 3], B[0, 3], at={n: 2})


# ---- budgets ----


def test_too_large_is_undecided_and_says_so() -> None:
    large = {"lhs": [[1, "ij->ij", ["A"]]], "rhs": [[2, "ij->ij", ["A"]]]}
    assert prove_identity(large | {"shapes": {"A": [20, 20]}}).verdict == "refuted"
    verdict = prove_identity(large | {"shapes": {"A": [10**9, 10**9]}})
    assert verdict.verdict == "undecided" and "entries; the limit is" in verdict.reason


def test_a_large_tensor_that_does_not_occur() -> None:
    data = {"lhs": [[1, "i->i", ["x"]]], "rhs": [[2, "i->i", ["x"]]], "shapes": {"x": ["n"], "Z": [10**12, 10**12]}}
    assert prove_identity(data).verdict == "refuted"


def test_a_high_power() -> None:
    assert sc.prove(A**20, A).verdict == "refuted"
    assert sc.prove(A**64, A).verdict == "refuted"


@pytest.mark.parametrize("factor", [sqrt(n + 1), sqrt(Symbol("t") ** 2), abs(Symbol("t", real=True))], ids=str)
def test_functions_of_numbers(factor) -> None:
    assert sc.prove(factor * A, factor * A).verdict == "proved"
    assert sc.prove(factor * A, A).verdict in ("refuted", "undecided")


@pytest.mark.parametrize("given", [{}, {A: "one_hot_rows"}], ids=str)
def test_free_indices_and_zero(given: dict) -> None:
    s = Symbol("s", integer=True, nonnegative=True)
    refuted(A[0, s] * A[1, s], A[1, s], given=given)
    refuted(A[0, s] * A[1, s], 0, given=given)


def test_determinant_has_no_rule() -> None:
    from symbolic_circuits.errors import UnsupportedNodeError

    with pytest.raises(UnsupportedNodeError, match="Determinant"):
        sc.prove(Determinant(A), Symbol("D", real=True))
