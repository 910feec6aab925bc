"""Diagnosis: of a true statement with one planted edit, the first suggestion is proved and takes the edit back, or does as much."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity_texts import einsum, identity

import symbolic_circuits as sc
from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.diagnosis import Edit, diagnosis
from symbolic_circuits.algebra.normal_form import normal_form
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.identities.files import parse_identity, prove_identity

SQUARE = "A:n,n B:n,n C:n,n X:n,m x:n y:n T:n,n,n W:m,m"

# shapes, laws; lhs; rhs as it is true; rhs with the edit; the kind of the edit
PLANTED = [
    ("transpose", "ij,jk->ik A B", "ij,jk->ik A B", "ji,jk->ik A B", {}),
    ("transpose", "ij,j->i A x", "ij,j->i A x", "ji,j->i A x", {}),
    ("transpose of a long chain", "ij,jk,kl->il A B C", "ij,jk,kl->il A B C", "ij,kj,kl->il A B C", {}),
    ("transpose of three axes", "ijk,j,k->i T x y", "ijk,j,k->i T x y", "jik,j,k->i T x y", {}),
    ("order of factors", "ij,jk->ik A B", "ij,jk->ik A B", "ij,jk->ik B A", {}),
    ("order of three", "ij,jk,kl->il A B C", "ij,jk,kl->il A B C", "ij,jk,kl->il A C B", {}),
    ("exchanged inputs", "ijk,j,k->i T x y", "ijk,j,k->i T x y", "ijk,j,k->i T y x", {}),
    ("another tensor", "ij,jk->ik A B", "ij,jk->ik A B", "ij,jk->ik A C", {}),
    ("factor 2", "ij,jk->ik A B", "ij,jk->ik A B", "2 ij,jk->ik A B", {}),
    ("factor 1/2", "ij,jk->ik A B", "ij,jk->ik A B", "1/2 ij,jk->ik A B", {}),
    ("factor 3/4", "ij,jk->ik A B", "ij,jk->ik A B", "3/4 ij,jk->ik A B", {}),
    ("sign", "ij,jk->ik A B + ij->ij C", "ij,jk->ik A B + ij->ij C", "ij,jk->ik A B + -1 ij->ij C", {}),
    ("extra term", "ij->ij A", "ij->ij A", "ij->ij A + ij->ij B", {}),
    ("extra term", "ij,jk->ik A B", "ij,jk->ik A B", "ij,jk->ik A B + ij,jk->ik B A", {}),
    ("missing term", "ij->ij A + ij->ij B", "ij->ij A + ij->ij B", "ij->ij A", {}),
    ("missing cross term", "ij,jk->ik S S", "ij,jk->ik A A + ij,jk->ik A B + ij,jk->ik B A + ij,jk->ik B B", "ij,jk->ik A A + ij,jk->ik A B + ij,jk->ik B B", {}),
    ("symmetrise", "ij,i,j-> M x y", "1/2 ij,i,j-> A x y + 1/2 ji,i,j-> A x y", "ij,i,j-> A x y", {}),
    ("output", "ij,jk->ik A B", "ij,jk->ik A B", "ij,jk->ki A B", {}),
    ("an index", "ij,j,i->i A x x", "ij,j,i->i A x x", "ij,i,i->i A x x", {}),
    ("an index of the output", "ij->ii A", "ij->ii A", "ij->jj A", {}),
    ("indices", "ij,kl,k->ijl A B x", "ij,kl,k->ijl A B x", "ij,kl,i->kjl A B x", {}),
    ("rectangular", "ij,jk->ik X W", "ij,jk->ik X W", "ij,kj->ik X W", {}),
    ("under a law", "ij,jk->ik A C", "ij,jk->ik A C", "2 ij,jk->ik A C", {"A": ["symmetric"]}),
    ("under orthonormality", "ij,ik,kl->jl A A B", "jl->jl B", "jl->lj B", {"A": ["orthonormal_columns"]}),
    ("under an inverse", "ij,jk,kl->il A B C", "il->il C", "-1 il->il C", {"A": ["inverse(B)"]}),
]  # fmt: skip
DEFS = {"S": einsum("ij->ij A + ij->ij B"), "M": einsum("1/2 ij->ij A + 1/2 ij->ji A")}


def claim(lhs: str, rhs: str, laws: dict) -> dict:
    """An identity of matrices, and of those defined above where it names them."""
    defs = {name: value for name, value in DEFS.items() if any(name in text.split() for text in (lhs, rhs))}
    return identity(lhs, rhs, SQUARE) | {"given": laws, "defs": defs}


def same_side(one: Statement, side: str, other: Statement) -> bool:
    """Whether a side of two statements is equal under the laws."""
    both = Statement(getattr(one, side), getattr(other, side), one.axes, one.laws, one.definitions, size_symbols=one.size_symbols)
    return normal_form(both).is_zero


def is_proved(edit: Edit) -> bool:
    return decide(edit.statement).verdict == "proved"


CASES = [pytest.param(*p, id=f"{p[0]}: {p[3]}") for p in PLANTED]


@pytest.mark.parametrize(("kind", "lhs", "true", "wrong", "laws"), CASES)
def test_the_planted_edit_comes_first(kind: str, lhs: str, true: str, wrong: str, laws: dict) -> None:
    assert prove_identity(claim(lhs, true, laws)).verdict == "proved"
    verdict = prove_identity(claim(lhs, wrong, laws))
    correct = parse_identity(claim(lhs, true, laws)).statement
    assert verdict.verdict == "refuted" and all(map(is_proved, verdict.diagnosis))
    right = [edit.side == "rhs" and same_side(edit.statement, "rhs", correct) for edit in verdict.diagnosis]
    assert right[0] or (kind == "missing term" and any(right)), str(
        verdict.diagnosis[0]
    )  # one side may have a term too few, or the other too many


KINDS = [
    ("ij,jk->ik A B", "ji,jk->ik A B", "transpose", "transpose A (factor 0)"),
    ("ij->ij A", "ij->ji A", "transpose", "transpose A (factor 0)"),
    ("ij,jk->ik A B", "ij,jk->ik B A", "factors", "exchange B (factor 0) and A (factor 1)"),
    ("ij->ij A", "2 ij->ij A", "coefficient", "multiply it by 1/2"),
    ("ij->ij A", "-1 ij->ij A", "coefficient", "change its sign"),
    ("ij->ij A", "3 ij->ij A", "coefficient", "multiply it by 1/3"),
    ("ij->ij A", "ij->ij A + ij,jk->ik B C", "extra term", "remove it"),
    ("ij->ij A + ij,jk->ik B C", "ij->ij A", "extra term", "remove it"),
    ("ij->ij A", "ij->ij B", "tensor", "write A for B (factor 0)"),
    ("ijk,j,k->i T x y", "ijk,j,k->i T y x", "transpose", "exchange axes 1 and 2 of T (factor 0)"),
    ("ij,i,j-> M x y", "ij,i,j-> A x y", "symmetrise", "symmetrise A (factor 0) in its axes 0 and 1"),
]  # fmt: skip


@pytest.mark.parametrize(("lhs", "rhs", "kind", "words"), KINDS, ids=[f"{k[0]} = {k[1]}" for k in KINDS])
def test_kinds_and_words(lhs: str, rhs: str, kind: str, words: str) -> None:
    found = [(edit.kind, edit.words) for edit in prove_identity(claim(lhs, rhs, {})).diagnosis]
    assert (kind, words) in found[:2], found


def test_edits_are_few_and_differ() -> None:
    found = prove_identity(claim("ij,jk,kl->il A B C", "ij,kj,kl->il A B C", {})).diagnosis
    assert 1 <= len(found) <= 5
    assert len({str(edit) for edit in found}) == len(found)
    assert diagnosis(found[0].statement) == []
    assert len(diagnosis(prove_identity(claim("ij->ij A", "ij->ij B", {})).statement, limit=1)) == 1


def test_no_edit_makes_both_sides_zero() -> None:
    verdict = prove_identity(claim("ij->ij A", "0", {}))
    assert verdict.verdict == "refuted"
    for edit in verdict.diagnosis:
        assert normal_form(Statement(edit.statement.lhs, Open(edit.statement.lhs.axes, ()), edit.statement.axes)).residue.terms


def test_two_edits_are_too_many() -> None:
    assert prove_identity(claim("ij,jk->ik A B + ij->ij C", "3 ij,kj->ik A B + ij->ji C", {})).diagnosis == []


def test_the_residue_is_accounted_for_once() -> None:
    """Edits of statements with several terms replace one term and leave the others."""
    verdict = prove_identity(claim("ij,jk->ik A B + ij->ij C + ij->ji A", "ij,jk->ik A B + ij->ij C + ij->ij A", {}))
    first = verdict.diagnosis[0]
    assert (first.kind, first.side, first.term) == ("transpose", "rhs", 2)
    assert [len(side.terms) for side in (first.statement.lhs, first.statement.rhs)] == [3, 3]


def test_an_undecided_statement_may_have_a_diagnosis() -> None:
    data = identity("ij->j U", "2 j->j o", "U:n,m o:m", U="orthonormal_rows; row_stochastic", o="ones")
    verdict = prove_identity(data)
    assert verdict.verdict in ("undecided", "refuted")
    assert all(map(is_proved, verdict.diagnosis))


@given(st.sampled_from([(p[1], p[3], p[4]) for p in PLANTED]), st.permutations(range(4)))
def test_the_order_of_terms_does_not_change_the_first_edit(case: tuple, order: list) -> None:
    lhs, rhs, laws = case
    data = claim(lhs, rhs, laws)
    moved = data | {"rhs": [data["rhs"][k] for k in order if k < len(data["rhs"])]}
    one, other = prove_identity(data).diagnosis, prove_identity(moved).diagnosis
    assert [e.kind for e in one] == [e.kind for e in other]


def test_an_edit_is_plain_data() -> None:
    data = sc.verdict_data(prove_identity(claim("ij->ij A", "ij->ji A", {})))
    assert json.loads(json.dumps(data))["diagnosis"][0]["kind"] == "transpose"
    assert str(prove_identity(claim("ij->ij A", "ij->ji A", {})).diagnosis[0]) == "rhs, term 0: transpose A (factor 0)"
