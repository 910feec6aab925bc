"""The shipped model does what its card says, recomputed with the NumPy reference: every block is needed."""

import re
from pathlib import Path

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.examples.addition import accuracy, all_pairs, answers, held_out_pairs, sequences
from symbolic_circuits.numeric.reference import forward

CARD = Path(sc.__file__).parent / "examples" / "CARD.md"


def logits(pairs: np.ndarray, without: tuple[int, ...] = ()) -> np.ndarray:
    weights = sc.Weights.example()
    return np.array([forward(weights.model, weights.arrays, t, without=without).output[-1] for t in sequences(pairs)])


def test_the_split_is_a_split() -> None:
    held = set(map(tuple, held_out_pairs().tolist()))
    assert len(held) == 192 and held < set(map(tuple, all_pairs().tolist()))


@pytest.mark.parametrize(
    ("without", "low", "high", "words"),
    [
        ((), 0.98, 1.0, "whole model"),
        ((0,), 0.0, 0.1, "without the attention block"),
        ((1,), 0.0, 0.1, "without the bilinear layer"),
    ],
)
def test_held_out_accuracy(without: tuple, low: float, high: float, words: str) -> None:
    found = accuracy(logits(held_out_pairs(), without), held_out_pairs())
    assert low <= found <= high
    stated = re.search(rf"{words} \| ([0-9.]+)", CARD.read_text()).group(1)
    assert float(stated) == pytest.approx(found, abs=5e-4)


def test_head_head_interactions_carry_the_answer() -> None:
    weights = sc.Weights.example()
    expansion, pairs = sc.path_expansion(weights.model), all_pairs()
    by_term = sc.margins(expansion, weights, sequences(pairs), answers(pairs))
    meeting = [k for k, term in enumerate(expansion) if str(term).count("attn") == 2]
    assert by_term[meeting].sum() / by_term.sum() == pytest.approx(0.95, abs=0.005)
    assert by_term.sum() == pytest.approx(52.1, abs=0.05)
    crossing = [k for k in meeting if len(expansion[k].heads) == 2]
    assert by_term[crossing].sum() / by_term.sum() == pytest.approx(0.78, abs=0.005)
