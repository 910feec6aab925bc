"""Every change of basis applied by the package against the forward pass; a wrong one is found, and the report says so."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import TokensError, WeightsError
from symbolic_circuits.numeric.bilinear.gauge import Change, all_changes, derangement, random_invertible
from symbolic_circuits.numeric.bilinear.gauge_report import checked, gauge_report, outputs, random_inputs

MODELS = [
    "attn(2) bilinear",
    "attn(3, e=1)|bilinear(no out) bilinear(tied)",
    "[no embed, no unembed] bilinear(no out, tied) attn(2)",
    "[no unembed] bilinear attn(1) bilinear(no residual)",
    "[n=1] attn(2) bilinear(tied)",
    "(attn(2) bilinear)*3",
    "bilinear(m=1)",
]


def weights_of(model: str, seed: int = 0) -> sc.Weights:
    return sc.Weights.random(model, d=6, V=7, e=3, m=5, seed=seed)


# tables


@pytest.mark.parametrize("model", MODELS)
def test_every_change_is_as_claimed(model: str) -> None:
    for seed in range(3):
        report = gauge_report(weights_of(model, seed), seed=seed)
        assert report.as_claimed, str(report)
        assert {check.is_gauge for check in report.checks} == {True, False} and report.tolerance < 1e-8
        assert all(check.difference > 1e-4 for check in report.checks if not check.is_gauge)


def test_what_is_reported_of_a_model() -> None:
    found = {(check.name, check.is_gauge) for check in gauge_report(weights_of("attn(1)|bilinear(no out)")).checks}
    assert ("stream", True) in found and ("attn.0", True) in found and ("bilinear.1", False) in found
    text = str(gauge_report(weights_of("attn(2) bilinear")))
    assert "W_Q -> M W_Q, W_K -> M^-T W_K" in text and "NOT AS CLAIMED" not in text


@pytest.mark.parametrize(("model", "is_gauge"), [("bilinear", True), ("bilinear bilinear(no out)", False)])
def test_a_rotation_of_the_stream_meets_layers_without_output_matrix(model: str, is_gauge: bool) -> None:
    (rotation,) = [check for check in gauge_report(weights_of(model)).checks if "invertible" in check.words]
    assert rotation.is_gauge == is_gauge and rotation.verdict == ("unchanged" if is_gauge else "changed")
    assert ("bilinear.1 has no output matrix" in rotation.words) == (not is_gauge)


# laws


def test_the_shipped_model_and_any_tokens() -> None:
    report = gauge_report(sc.Weights.example(), tokens=[[3, 4, 31], [30, 1, 31]])
    assert report.as_claimed and len(report.checks) == 15 and all(c.difference < 1e-12 for c in report.checks if c.is_gauge)


def test_the_same_seed_makes_the_same_changes() -> None:
    weights = weights_of("attn(2) bilinear")
    one, other, third = (gauge_report(weights, seed=seed) for seed in (5, 5, 6))
    assert one == other and one != third
    for size in (2, 3, 8):
        assert (derangement(size, np.random.default_rng(size)) != np.arange(size)).all()
        assert np.linalg.cond(random_invertible(size, np.random.default_rng(size))) <= 4


def test_a_wrong_claim_is_found() -> None:
    weights = weights_of("bilinear")
    sources = random_inputs(weights, 0)
    before = outputs(weights, sources)
    wrong = Change("bilinear.0", "P -> 2 P", True, lambda w: {"bilinear.0.W_out": 2 * w["bilinear.0.W_out"]})
    right = next(change for change in all_changes(weights, 0) if change.is_gauge)
    assert not checked(weights, sources, before, wrong, 1e-12).as_claimed
    assert checked(weights, sources, before, right, 1e-12).as_claimed
    near = checked(weights, sources, before, wrong._replace(is_gauge=False), 1.0)
    assert near.verdict in ("unchanged", "undecided") and not near.as_claimed


# errors


def test_sequences_and_outputs_that_do_not_fit() -> None:
    weights = weights_of("bilinear")
    assert gauge_report(weights, tokens=[[1, 2]]).as_claimed
    with pytest.raises(TokensError, match="at least one sequence"):
        gauge_report(weights, tokens=[])
    with pytest.raises(TokensError, match="outside the vocabulary"):
        gauge_report(weights, tokens=[[7]])
    huge = sc.Weights(weights.model, {name: array * 1e200 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match="not finite"):
        gauge_report(huge)
    nothing = sc.Weights(weights.model, {name: 0 * array for name, array in weights.arrays.items()})
    assert all(check.verdict == "undecided" for check in gauge_report(nothing).checks)
