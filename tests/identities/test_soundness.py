"""No wrong verdict on random identities, judged by evaluation modulo a prime; and the oracle itself, held to loops and known cases."""

import os
import subprocess
import sys
from collections import Counter
from random import Random

import pytest
from soundness import (
    agrees_at,
    equal_identity,
    fixed_size,
    judge,
    loops_agree,
    near_miss,
    plant_edit,
    planted_identity,
    random_identity,
    unrelated,
)
from soundness_edits import SHARES
from soundness_judge import TooLarge, judging_cost
from soundness_rewrites import REWRITES
from soundness_statement import names_of, read, written

from symbolic_circuits.identities.files import prove_identity

PAIRS, SEED = 5_000, 20260

SQUARE = {name: ["n", "n"] for name in "ABCDISP"} | {name: ["n"] for name in "uvxy"} | {"K": ["n"] * 3, "one": ["n"]}
GIVEN = {"I": ["identity"], "S": ["symmetric(0,1)"], "P": ["antisymmetric(0,1)"], "K": ["copy"], "one": ["ones"]}


def identity(lhs: list, rhs: list, **more: dict) -> dict:
    """An identity in square matrices A, B, C, D, an identity I, a symmetric S, an antisymmetric P, vectors, ones and a copy K."""
    return {"id": "known", "lhs": lhs, "rhs": rhs, "shapes": SQUARE, "given": GIVEN} | more


# --- tables --------------------------------------------------------------------------------------------------------------------

TRUE = {
    "cyclic": identity([[1, "ij,jk,ki->", list("ABC")]], [[1, "ij,jk,ki->", list("BCA")]]),
    "symmetric": identity([[1, "i,ij,j->", list("xSy")]], [[1, "i,ij,j->", list("ySx")]]),
    "antisymmetric": identity([[1, "i,ij,j->", list("xPx")]], []),
    "identity": identity([[1, "ij,jk->ik", list("AI")]], [[1, "ik->ik", ["A"]]]),
    "diagonal": identity([[1, "i->ii", ["x"]]], [[1, "ij,j->ij", list("Ix")]]),
    "copy": identity([[1, "ijk,j,k->i", list("Kxy")]], [[1, "i,i->i", list("yx")]]),
    "size": identity([[1, "ii,ab->ab", list("IA")]], [[1, "i,ab->ab", ["one", "A"]]]),
    "halves": identity([[1, "ij->ij", ["A"]]], [["1/2", "ab->ab", ["A"]], ["1/2", "cd->cd", ["A"]]]),
    "definition": identity(
        [[1, "ij,jk->ik", list("MC")]],
        [[1, "ij,jk->ik", list("AC")], [2, "ij,ja,ak->ik", list("ABC")]],
        defs={"M": [[1, "ij->ij", ["A"]], [2, "ij,jk->ik", list("AB")]]},
    ),
    "nothing": identity([], []),
}
FALSE = {
    "reversed": identity([[1, "ij,jk,ki->", list("ABC")]], [[1, "ij,jk,ki->", list("CBA")]]),
    "transposed": identity([[1, "ij->ij", ["A"]]], [[1, "ij->ji", ["A"]]]),
    "Cayley and Hamilton": identity(
        [[1, "ij,jk->ik", list("AA")], [-1, "jj,ik->ik", list("AA")]],
        [["-1/2", "aa,bb,ik->ik", list("AAI")], ["1/2", "ab,ba,ik->ik", list("AAI")]],
    ),
    "Gram": identity([[1, "i,i,j,j->", list("uuvv")]], [[1, "i,i,j,j->", list("uvuv")]]),
    "size is no number": identity([[1, "ii,ab->ab", list("IA")]], [[3, "ab->ab", ["A"]]]),
    "two triangles": identity([[1, "ab,bc,ca,de,ef,fd->", ["S"] * 6]], [[1, "ab,bc,cd,de,ef,fa->", ["S"] * 6]]),
    "sign": identity([[1, "ij->ij", ["P"]]], [[1, "ij->ji", ["P"]]]),
    "factor": identity([[1, "i,i->i", list("xx")]], [[2, "i,i->i", list("xx")]]),
    "diagonal": identity([[1, "i->ii", ["x"]]], [[1, "i,j->ij", ["x", "one"]]]),
    "zero": identity([[1, "ij->ij", ["A"]]], []),
}


@pytest.mark.parametrize("name", TRUE)
def test_the_judge_accepts(name: str) -> None:
    assert judge(TRUE[name])
    assert all(loops_agree(TRUE[name], size) for size in (1, 2, 3))


@pytest.mark.parametrize("name", FALSE)
def test_the_judge_rejects(name: str) -> None:
    assert not judge(FALSE[name])
    assert not all(loops_agree(FALSE[name], size) for size in (2, 3, 4))


def test_sizes_at_which_a_false_one_holds() -> None:
    sizes = {name: [size for size in range(1, 5) if agrees_at(FALSE[name], size)] for name in FALSE}
    assert sizes["Cayley and Hamilton"] == [1, 2]
    assert sizes["size is no number"] == [3]
    assert sizes["reversed"] == sizes["transposed"] == sizes["Gram"] == sizes["two triangles"] == sizes["diagonal"] == [1]
    assert sizes["sign"] == [1] and not sizes["factor"] and not sizes["zero"]


def test_the_judge_at_fixed_sizes() -> None:
    cayley, gram = FALSE["Cayley and Hamilton"], FALSE["Gram"]
    at = {n: {name: [n] * len(shape) for name, shape in SQUARE.items()} for n in (1, 2, 3)}
    assert [judge({**cayley, "shapes": at[n]}) for n in (1, 2, 3)] == [True, True, False]
    assert [judge({**gram, "shapes": at[n]}) for n in (1, 2, 3)] == [True, False, False]


# --- laws: the generator and its oracle ------------------------------------------------------------------------------------------


def test_the_judge_agrees_with_loops() -> None:
    rng, compared = Random(1), Counter()
    while sum(compared.values()) < 80:
        case, _ = random_identity(rng)
        if judging_cost(case)[0] > 5_000 or max(len(side) for side in (case["lhs"], case["rhs"])) > 6:
            continue
        if max((len(set(einsum) - {",", "-", ">"}) for _, einsum, _ in case["lhs"] + case["rhs"]), default=0) > 9:
            continue
        truth = judge(case)
        for size in (1, 2):
            assert loops_agree(case, size) == agrees_at(case, size), case
            assert not truth or agrees_at(case, size), case
        compared[truth] += 1
    assert min(compared.values()) > 20


@pytest.mark.parametrize("rewrite", dict.fromkeys(REWRITES), ids=lambda rewrite: rewrite.__name__)
def test_a_rewrite_keeps_the_truth(rewrite) -> None:
    rng, done = Random(2), Counter()
    for _ in range(400):
        case = rng.choice([equal_identity, near_miss, unrelated])(rng)
        new = rewrite(rng, read(case))
        if min(done[True], done[False]) >= 8:
            break
        if new is None or judging_cost(case)[0] > 50_000:
            continue
        after = written(rng, new, "after")
        if judging_cost(after)[0] < 500_000:
            truth = judge(case)
            assert judge(after) == truth, (case, after)
            done[truth] += 1
    assert min(done[True], done[False]) >= 8


def test_the_mix() -> None:
    rng, kinds, known, near = Random(3), Counter(), Counter(), Counter()
    for _ in range(1_200):
        case, truth = random_identity(rng)
        kind = case["id"].split(":")[0]
        kinds[kind] += 1
        known[kind, truth] += 1
        if kind == "near" and not judge(case):
            near["false"] += 1
            near[1] += agrees_at(case, 1)
            near[2] += agrees_at(case, 2)
    assert set(known) == {("equal", True), ("near", None), ("unrelated", None)}
    assert abs(kinds["equal"] - 400) < 50 and abs(kinds["near"] - 600) < 50 and abs(kinds["unrelated"] - 200) < 50
    # of the near-misses 80 in 100 are false; of these 68 in 100 hold at size 1 and 25 in 100 at size 2
    assert near["false"] > 0.7 * kinds["near"] and near[1] > 0.6 * near["false"] and near[2] > 0.2 * near["false"]


def test_equal_ones_are_judged_equal() -> None:
    rng = Random(4)
    for _ in range(300):
        case = equal_identity(rng)
        try:
            assert judge(case), case
        except TooLarge:
            assert case["id"].startswith("equal:same_graph")


def test_the_same_seed_gives_the_same_identities() -> None:
    code = "from random import Random; import soundness; print([soundness.random_identity(Random(seed)) for seed in range(60)])"
    runs = [subprocess.run([sys.executable, "-c", code], env=environment(k), capture_output=True, text=True) for k in "12"]
    assert runs[0].stdout == runs[1].stdout != "", runs[0].stderr


def environment(hash_seed: str) -> dict[str, str]:
    """Of a process that finds the generator."""
    return os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_planted_edits() -> None:
    rng, kinds = Random(5), Counter()
    for _ in range(150):
        false, planted = planted_identity(rng)
        assert not judge(false) and judge(planted.true)
        assert names_of(read(false)) == names_of(read(planted.true)) and false["lhs"] + false["rhs"]
        kinds[planted.kind] += 1
    assert set(SHARES) == set(kinds)


def test_planting_needs_more_than_zero() -> None:
    with pytest.raises(ValueError, match="both sides are 0"):
        plant_edit(Random(0), TRUE["antisymmetric"])


# --- squares: verdicts against the truth -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TRUE)
def test_a_true_one_is_proved(name: str) -> None:
    assert prove_identity(TRUE[name]).verdict == "proved"


@pytest.mark.parametrize("name", FALSE)
def test_a_false_one_is_refuted(name: str) -> None:
    result = prove_identity(FALSE[name])
    assert result.verdict == "refuted" and result.witness.verify()


def test_no_wrong_verdict_on_random_identities() -> None:
    rng, wrong, verified = Random(SEED), [], 0
    for number in range(PAIRS):
        case, truth = random_identity(rng)
        truth = judge(case) if truth is None else truth
        result = prove_identity(case)
        if result.verdict != ("proved" if truth else "refuted"):
            wrong.append((case, truth, result.verdict))
        elif not truth and number % 10 == 0:
            assert result.witness.verify(), case
            verified += 1
    assert not wrong, f"{len(wrong)} wrong of {PAIRS}, seed {SEED}; the first: {wrong[0]}"
    assert verified > PAIRS / 30


def test_no_wrong_verdict_at_fixed_sizes() -> None:
    rng, wrong, found = Random(SEED + 1), [], Counter()
    for _ in range(600):
        general, truth = random_identity(rng)
        case = fixed_size(rng, general)
        if judging_cost(case)[0] > 100_000 or 3 ** judging_cost(general)[1] > 300:  # axes split into their values
            continue
        always = judge(general) if truth is None else truth
        expected = {"proved"} if always else {"proved", "holds_at"} if judge(case) else {"refuted"}
        found[verdict := prove_identity(case).verdict] += 1
        if verdict not in expected:
            wrong.append((case, expected, verdict))
    assert not wrong, f"{len(wrong)} wrong; the first: {wrong[0]}"
    assert found["refuted"] > 50 and found["proved"] > 100 and found["holds_at"] > 10
