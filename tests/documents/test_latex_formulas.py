"""``prove_latex`` and ``assert_latex``: verdicts on text."""

import pytest

from symbolic_circuits.documents.formulas import assert_latex, prove_latex
from symbolic_circuits.errors import IdentityError, LatexError, LawError

SYMBOLS = "A, C : n x n; B, D : d x d; U : n x k"

VERDICTS = [
    (r"(A \otimes B)(C \otimes D) = A C \otimes B D", "proved"),
    (r"(A \otimes B)(C \otimes D) = A C \otimes D B", "refuted"),
    (r"(A C)^\top = C^\top A^\top", "proved"),
    (r"A C \neq C A", "refuted"),
    (r"A C \neq A C", "proved"),
]


@pytest.mark.parametrize(("text", "verdict"), VERDICTS)
def test_verdicts(text: str, verdict: str) -> None:
    assert prove_latex(text, SYMBOLS).verdict == verdict


def test_what_is_given_besides() -> None:
    text = r"U^\top U = I"
    assert prove_latex(text, SYMBOLS).verdict == "refuted"
    assert prove_latex(text, SYMBOLS, given={"U": "orthonormal_columns"}).verdict == "proved"
    assert prove_latex(text, SYMBOLS, given=[{"U": "orthonormal_columns"}]).verdict == "proved"
    assert prove_latex(text, f"{SYMBOLS}; given {text}").verdict == "proved"
    assert prove_latex("A C = C A", SYMBOLS, at={"n": 1}).verdict == "holds_at"
    assert prove_latex("A C = C A", f"{SYMBOLS}; at n = 2", at={"n": 1}).verdict == "holds_at"
    with pytest.raises(LawError):
        prove_latex(text, SYMBOLS, given={"U": "orthonormal"})


WRONG = [
    (r"A C = C A = A", "takes one equation; there are 2: assert_latex takes a chain\n  A C = C A\n  C A = A"),
    (r"Q := A C", "there are 0: write lhs = rhs"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_not_one_equation(text: str, message: str) -> None:
    with pytest.raises(IdentityError) as found:
        prove_latex(text, SYMBOLS)
    assert message in str(found.value)
    assert prove_latex(r"Q := A C, \qquad Q = A C", SYMBOLS).verdict == "proved"


def test_unreadable() -> None:
    with pytest.raises(LatexError, match=r"line 1, column 5: Q is not declared"):
        prove_latex("A = Q", SYMBOLS)
    with pytest.raises(LatexError):
        prove_latex("A = A", "A : ")
    assert prove_latex("A = A", "A : n").verdict == "proved"


def test_chains() -> None:
    verdicts = assert_latex(r"(A C)^\top &= C^\top A^\top \\ &\neq A^\top C^\top", SYMBOLS)
    assert [verdict.verdict for verdict in verdicts] == ["proved", "refuted"]
    assert assert_latex("A C = C A", SYMBOLS, at={"n": 1})[0].verdict == "holds_at"


FAILS = [
    ("A A = A A = A A + A C", ["not an identity: A A = A A + A C", "refuted at n = 1", "lhs - rhs = -A*C", "one edit"]),
    (r"A C \neq A C", ["not refuted: A C \\neq A C", "proved"]),
]


@pytest.mark.parametrize(("text", "parts"), FAILS)
def test_failures(text: str, parts: list[str]) -> None:
    with pytest.raises(AssertionError) as found:
        assert_latex(text, SYMBOLS)
    for part in parts:
        assert part in str(found.value)


def test_nothing_to_assert() -> None:
    with pytest.raises(IdentityError, match="nothing to assert"):
        assert_latex("Q := A C", SYMBOLS)
