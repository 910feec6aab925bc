"""Statements too large to multiply out: true ones hold at stated sizes with a stated probability, false ones are refuted there."""

import pytest
from sympy import MatrixSymbol, Symbol

import symbolic_circuits as sc
from symbolic_circuits.algebra.shared import number_of_raw_terms
from symbolic_circuits.identities.files import parse_identity, prove_identity

n = Symbol("n", integer=True, positive=True)
A, B, S = (MatrixSymbol(name, n, n) for name in "ABS")


def tower(height: int, left: str, right: str) -> dict:
    """X_k = X_{k-1} + X_{k-1} X_{k-1} / 2, and the last step written out."""
    defs = {"X0": [[1, "ij->ij", ["A"]]]}
    for k in range(height):
        defs[f"X{k + 1}"] = [[1, "ij->ij", [f"X{k}"]], ["1/2", "ij,jk->ik", [f"X{k}", f"X{k}"]]]
    last = f"X{height - 1}"
    rhs = [[1, "ij->ij", [last]], ["1/2", "ij,jk->ik", [left.format(last=last), right.format(last=last)]]]
    return {"lhs": [[1, "ij->ij", [f"X{height}"]]], "rhs": rhs, "shapes": {"A": ["n", "n"]}, "defs": defs}


def test_number_of_raw_terms() -> None:
    assert number_of_raw_terms(parse_identity(tower(3, "{last}", "{last}")).statement) == 42 + 6 + 36


@pytest.mark.parametrize("height", [20, 60, 300])
def test_towers(height: int) -> None:
    verdict = prove_identity(tower(height, "{last}", "{last}"))
    assert verdict.verdict == "holds_at" and 0 < verdict.error_probability < 1e-20 and verdict.sizes == {"n": 2}
    wrong = prove_identity(tower(height, "{last}", "A"))
    assert wrong.verdict == "refuted" and wrong.witness.verify() and wrong.residue is None and wrong.diagnosis == []
    assert "modulo" in sc.explanation(wrong)


def test_small_towers_are_proved() -> None:
    assert prove_identity(tower(3, "{last}", "{last}")).verdict == "proved"


@pytest.mark.parametrize(("given", "verdict"), [({}, "refuted"), ({S: "symmetric"}, "holds_at")])
def test_from_sympy(given: dict, verdict: str) -> None:
    found = sc.prove((A + S) ** 20 * (A + S.T), (A + S) ** 10 * (A + S) ** 11, given)
    assert found.verdict == verdict


def test_laws_without_modular_tensors_stay_undecided() -> None:
    found = sc.prove((A + S) ** 20 * (A + S), (A + S) ** 10 * (A + S) ** 11, {A: "orthonormal_columns"})
    assert found.verdict == "undecided" and "limit" in found.reason
