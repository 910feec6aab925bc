"""Addition modulo p as a sequence task: tokens ``a b =``, the answer (a + b) mod p read at ``=``.

Residues are the tokens 0 to p - 1, and ``=`` is the token p. One pair in five is held out of the training, by a fixed seed.
"""

import numpy as np

__all__ = ["MODULUS", "accuracy", "all_pairs", "answers", "held_out_pairs", "sequences"]

MODULUS = 31
SPLIT_SEED = 0
HELD_OUT = 5  # one pair in so many


def all_pairs(modulus: int = MODULUS) -> np.ndarray:
    """Every pair (a, b), shape (p^2, 2)."""
    return np.stack(np.meshgrid(np.arange(modulus), np.arange(modulus), indexing="ij"), axis=-1).reshape(-1, 2)


def held_out_pairs(modulus: int = MODULUS) -> np.ndarray:
    """The pairs that no training saw.

    >>> len(held_out_pairs()), len(all_pairs())
    (192, 961)
    """
    pairs = all_pairs(modulus)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pairs))
    return pairs[np.sort(order[: len(pairs) // HELD_OUT])]


def sequences(pairs: np.ndarray, modulus: int = MODULUS) -> np.ndarray:
    """Tokens ``a b =``, shape (pairs, 3).

    >>> sequences(np.array([[3, 4]])).tolist()
    [[3, 4, 31]]
    """
    return np.column_stack([pairs, np.full(len(pairs), modulus)])


def answers(pairs: np.ndarray, modulus: int = MODULUS) -> np.ndarray:
    """(a + b) mod p."""
    return pairs.sum(axis=1) % modulus


def accuracy(logits: np.ndarray, pairs: np.ndarray, modulus: int = MODULUS) -> float:
    """Share of the pairs whose largest logit (pairs, V) is the answer."""
    return float((logits.argmax(axis=1) == answers(pairs, modulus)).mean())
