"""What a bilinear layer makes of two components together, against its tensor multiplied out."""

import numpy as np
import pytest
from explicit_tensors import MODELS, tensors_of, weights_of

import symbolic_circuits as sc
from symbolic_circuits.errors import TermError, TermIndexError
from symbolic_circuits.numeric.circuits import joint
from symbolic_circuits.numeric.circuits.composition import composition
from symbolic_circuits.numeric.circuits.joint import joint_composition

LAYERS = [(model, k) for model in MODELS for k, spec in sc.Transformer.parse(model).numbered() if isinstance(spec, sc.Bilinear)]

# tables


@pytest.mark.parametrize("entries", [2**24, 60])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize(("model", "layer"), LAYERS)
def test_joint_scores_are_norms_of_tensors_multiplied_out(
    model: str, layer: int, symmetric: bool, entries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "ENTRIES", entries)
    weights = weights_of(model)
    found, tensors = joint_composition(weights, layer, symmetric=symmetric), tensors_of(weights, symmetric)
    whole, B = composition(weights, symmetric=symmetric), tensors[f"bilinear.{layer}"]
    read = {row["writer"] for row in whole.rows() if row["reader"].startswith(f"bilinear.{layer}.")}
    assert set(found.writers) == read and found.scores.shape == (len(read), len(read)) and found.baseline == pytest.approx(1 / 6)
    assert found.symmetric == (symmetric or dict(weights.model.numbered())[layer].tied)
    for a, left in enumerate(found.writers):
        for b, right in enumerate(found.writers):
            W, W_2 = (tensors[name].reshape(6, -1) for name in (left, right))
            product = np.linalg.norm(np.einsum("ijk,ja,kb->iab", B, W, W_2))
            expected = product / np.linalg.norm(B) / np.linalg.norm(W) / np.linalg.norm(W_2)
            assert np.isclose(found.scores[a, b], expected, rtol=1e-9, atol=1e-10)


# laws


def test_rows_of_ordered_and_unordered_pairs() -> None:
    weights = weights_of("attn(2) bilinear")
    ordered, one = joint_composition(weights, 1), joint_composition(weights, 1, symmetric=True)
    assert [(row["left"], row["right"]) for row in ordered.rows()][1:3] == [
        ("attn.0[0]", "attn.0[1]"),
        ("attn.0[1]", "attn.0[0]"),
    ]
    assert len(ordered.rows()) == 4 and len(one.rows()) == 3 and np.allclose(one.scores, one.scores.T)
    assert [row["score"] for row in ordered.largest(4)] == sorted((row["score"] for row in ordered.rows()), reverse=True)
    assert ordered.to_dict()["rows"] == ordered.rows() and ordered.rows()[0]["excess"] == ordered.scores[0, 0] - 1 / 6


def test_one_rotation_apart_from_another_makes_the_baseline() -> None:
    """The mean square over independent rotations of what the two components write."""
    weights, generator, squares = weights_of("attn(2, e=2) bilinear"), np.random.default_rng(0), []
    for _ in range(600):
        X = np.linalg.qr(generator.standard_normal((2, 6, 6)))[0]
        turned = dict(weights.arrays) | {"attn.0.W_O": X @ weights.arrays["attn.0.W_O"]}
        squares.append(joint_composition(sc.Weights(weights.model, turned), 1).scores[0, 1] ** 2)
    assert np.mean(squares) == pytest.approx(1 / 36, rel=0.1)


# errors


def test_layers_that_are_not_there() -> None:
    weights = weights_of("attn(2) bilinear")
    assert joint_composition(weights, 1).layer == "bilinear.1"
    with pytest.raises(TermError, match=r"block 0 of .* is attn\.0; its bilinear layers are bilinear\.1"):
        joint_composition(weights, 0)
    with pytest.raises(TermError, match=r"there is no block 7 in .*; its bilinear layers are bilinear\.1"):
        joint_composition(weights, 7)
    with pytest.raises(TermError, match="it has no bilinear layers"):
        joint_composition(weights_of("attn(2)"), 0)
    with pytest.raises(TermIndexError, match="positive integer; got True"):
        joint_composition(weights, 1).largest(True)
    assert joint_composition(weights_of("bilinear"), 0).rows() == []
