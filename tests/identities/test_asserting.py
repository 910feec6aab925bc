"""Assertions for test suites: silent where an identity is as claimed, else residue, counterexample and diagnosis in one message."""

import subprocess
import sys

import pytest
from sympy import HadamardProduct, Identity, MatrixSymbol, OneMatrix, Trace, ZeroMatrix, sin, sqrt, symbols

import symbolic_circuits as sc
from symbolic_circuits.errors import LawError, ShapeError, UnsupportedNodeError

n, d = symbols("n d", integer=True, positive=True)
A, B, C = (MatrixSymbol(name, n, n) for name in "ABC")
U, X = MatrixSymbol("U", n, d), MatrixSymbol("X", n, d)

TRUE = [
    (A * B * C, A * (B * C), {}, {}, "proved"),
    (U.T * U, Identity(d), {U: "orthonormal_columns"}, {}, "proved"),
    (A * B, B * A, {}, {n: 1}, "holds_at"),
    (n * A, 3 * A, {}, {n: 3}, "holds_at"),
]
FALSE = [
    (A * B, B * A, {}, {}),
    (U * U.T, Identity(n), {U: "orthonormal_columns"}, {}),
    (A * B, B * A, {}, {n: 2}),
    (A.T, A, {B: "symmetric"}, {}),
]
OPEN = [  # neither follows by the rules known, nor is a counterexample at hand
    (OneMatrix(1, n) * U, OneMatrix(1, d), {U: ["orthonormal_rows", "row_stochastic"]}),
    (A.T * A, A, [sc.Rewrite("projector", A * A, A)]),
]


@pytest.mark.parametrize(("lhs", "rhs", "given", "at", "verdict"), TRUE)
def test_true_ones_pass_one_assertion_and_fail_the_other(lhs, rhs, given, at, verdict: str) -> None:
    assert sc.assert_identity(lhs, rhs, given, at=at).verdict == verdict
    with pytest.raises(AssertionError, match="not refuted: "):
        sc.assert_not_identity(lhs, rhs, given, at=at)


@pytest.mark.parametrize(("lhs", "rhs", "given", "at"), FALSE)
def test_false_ones_pass_the_other(lhs, rhs, given, at) -> None:
    assert sc.assert_not_identity(lhs, rhs, given, at=at).witness.verify()
    with pytest.raises(AssertionError, match="not an identity: "):
        sc.assert_identity(lhs, rhs, given, at=at)


@pytest.mark.parametrize(("lhs", "rhs", "given"), OPEN)
def test_what_is_open_passes_neither(lhs, rhs, given) -> None:
    for claim in (sc.assert_identity, sc.assert_not_identity):
        with pytest.raises(AssertionError, match="undecided: "):
            claim(lhs, rhs, given)


MESSAGES = [
    (
        A * B,
        2 * A * B,
        {},
        ["not an identity: A*B = 2*A*B", "refuted at n = 1", "lhs - rhs = -A*B", "A = [[1]]", "multiply it by"],
    ),
    (A, A.T, {}, ["lhs - rhs = A - A.T|-A.T + A", "n = 2", "lhs = 1, rhs = 0 at [0, 1]", "transpose A"]),
    (A + B, A, {}, ["remove it", "B = [[1]]"]),
    (Trace(A), Trace(B), {}, ["lhs = 1, rhs = 0", "write"]),
    (sqrt(2) * A, A, {}, ["2^(1/2)"]),
    (A * B, B * A, {A: "permutation"}, ["refuted at n = ", "A = ", "exchange"]),
]


@pytest.mark.parametrize(("lhs", "rhs", "given", "words"), MESSAGES, ids=[f"{c[0]} = {c[1]}" for c in MESSAGES])
def test_the_message(lhs, rhs, given, words: list[str]) -> None:
    with pytest.raises(AssertionError) as caught:
        sc.assert_identity(lhs, rhs, given)
    assert all(any(choice in str(caught.value) for choice in word.split("|")) for word in words), str(caught.value)


def test_the_message_of_a_true_one() -> None:
    with pytest.raises(AssertionError, match="not refuted: A = A\nproved: for all sizes and all real tensors"):
        sc.assert_not_identity(A, A)
    with pytest.raises(AssertionError, match="that satisfy the laws"):
        sc.assert_not_identity(A, A.T, {A: "symmetric"})
    with pytest.raises(AssertionError, match="holds_at: true at n = 1; not for all sizes"):
        sc.assert_not_identity(A, A.T, at={n: 1})


def test_a_long_residue_and_large_tensors_are_cut_short() -> None:
    many = sum((MatrixSymbol(f"M{k}", n, n) * A for k in range(60)), ZeroMatrix(n, n))
    with pytest.raises(AssertionError) as caught:
        sc.assert_identity(many, A)
    assert "more terms" in str(caught.value) and len(str(caught.value)) < 10_000
    with pytest.raises(AssertionError) as caught:
        sc.assert_identity(A[0, 20], B[20, 0])
    assert "other entries 0" in str(caught.value) and len(str(caught.value)) < 2_000


def test_mistakes_are_no_failures() -> None:
    """What has no meaning raises as prove does, and is not taken for false."""
    for claim in (sc.assert_identity, sc.assert_not_identity):
        with pytest.raises(ShapeError):
            claim(A, X)
        with pytest.raises(LawError):
            claim(A, A, {A: "symetric"})
        with pytest.raises(UnsupportedNodeError):
            claim(A.I.det(), sin(n))


TEST = """
import symbolic_circuits as sc
from sympy import MatrixSymbol, Symbol
n = Symbol("n", integer=True, positive=True)
A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
def test_one():
    sc.assert_identity(A * B, B * A)
def test_two():
    sc.assert_not_identity(A * B, B * A)
"""


def test_frames_of_the_package_are_hidden(tmp_path) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    env = {"PYTHONPATH": ":".join(sys.path)}
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    found = subprocess.run(words, env=env, capture_output=True, text=True, check=False).stdout
    assert "1 failed, 1 passed" in found and "not an identity: A*B = B*A" in found
    assert "asserting.py" not in found.split("short test summary")[0].replace("test_it.py", "")


def test_it_returns_the_verdict() -> None:
    assert isinstance(sc.assert_identity(A, A), sc.Proved)
    assert isinstance(sc.assert_not_identity(A, B), sc.Refuted)
    assert isinstance(sc.assert_identity(HadamardProduct(A, OneMatrix(n, n)), A), sc.Proved)
