"""What chance makes of a score, against rotations and Gaussian matrices that are sampled."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.numeric.circuits.baseline import deviations, expected_square, random_composition
from symbolic_circuits.numeric.circuits.composition import composition


def gram(generator: np.random.Generator, d: int, rank: int) -> np.ndarray:
    F = generator.standard_normal((rank, d)) * generator.uniform(0.1, 2, (rank, 1))
    return F.T @ F / np.linalg.norm(F) ** 2


# tables


@pytest.mark.parametrize(("d", "ranks"), [(2, (1, 1)), (3, (1, 2)), (6, (2, 3)), (9, (9, 1))])
def test_random_rotations_have_the_moments_that_are_stated(d: int, ranks: tuple[int, int]) -> None:
    generator = np.random.default_rng(d)
    G, H = (gram(generator, d, rank) for rank in ranks)
    Q, R = np.linalg.qr(generator.standard_normal((20_000, d, d)))
    Q = Q * np.sign(np.diagonal(R, axis1=1, axis2=2))[:, None, :]  # uniform
    squares = np.einsum("ij,njk,kl,nil->n", G, Q, H, Q)
    assert squares.mean() == pytest.approx(expected_square(d), rel=0.03)
    spreads = [np.array([np.linalg.norm(x) ** 2]) for x in (G, H)]
    found = np.array([deviations(np.sqrt(np.maximum(x, 0)).reshape(1, 1), *spreads, d)[0, 0] for x in squares])
    assert abs(found.mean()) < 0.03 and found.std() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("symmetric", [False, True])
def test_random_weights_have_a_root_mean_square_of_the_baseline(symmetric: bool) -> None:
    weights = sc.Weights.random("attn(1) bilinear bilinear(tied) bilinear(no out) attn(1)", d=9, e=3, m=7, V=2, seed=0)
    rows = random_composition(weights, samples=150, symmetric=symmetric, seed=1)
    assert {row["writer"] for row in rows} == {"attn.0", "bilinear.1", "bilinear.2", "bilinear.3"}
    for row in rows:
        assert row["expected"] == pytest.approx(1 / 3) == pytest.approx(composition(weights).baseline)
        assert row["root_mean_square"] == pytest.approx(1 / 3, rel=0.1)
        assert row["mean"] <= row["root_mean_square"] and row["samples"] == 150


def test_one_row_for_each_shape_and_input() -> None:
    weights = sc.Weights.random("attn(3)*2 bilinear attn(1, e=2)", d=4, e=3, m=5, V=2, seed=0)
    rows = random_composition(weights, samples=2, seed=0)
    names = ["attn.0", "bilinear.2", "attn.3"]
    ports = {"attn.0": ["query", "key", "value"], "bilinear.2": ["left", "right"], "attn.3": ["query", "key", "value"]}
    expected = [(writer, reader, port) for writer in names for reader in names for port in ports[reader]]
    assert [(row["writer"], row["reader"], row["port"]) for row in rows] == expected
    assert rows == random_composition(weights, samples=2, seed=0) != random_composition(weights, samples=2, seed=1)


# laws


def test_no_rotation_changes_a_score_with_a_multiple_of_the_identity() -> None:
    arrays = {f"attn.{k}.W_{letter}": np.eye(4)[None] for k in (0, 1) for letter in "QKVO"}
    found = composition(sc.Weights("[no embed, no unembed] attn(1)*2", arrays))
    assert np.allclose(found.scores, 0.5) and np.isnan(found.deviations).all() and found.baseline == 0.5


def test_a_stream_of_one_direction() -> None:
    found = composition(sc.Weights.random("attn(1)*2", d=1, e=2, V=3, seed=0))
    assert np.allclose(found.scores, 1) and np.isnan(found.deviations).all()


# errors


def test_too_few_samples() -> None:
    weights = sc.Weights.random("attn(1)", d=4, e=2, V=2, seed=0)
    assert len(random_composition(weights, samples=2, seed=0)) == 3
    for samples in (1, 2.5, True):
        with pytest.raises(TermIndexError, match="an integer of at least 2; got"):
            random_composition(weights, samples=samples, seed=0)
