"""Batches of inputs: sequences of a file, the held-out pairs of the example, or random ones."""

from pathlib import Path

import numpy as np

from symbolic_circuits.cli.inputs import read_tokens
from symbolic_circuits.errors import TokensError
from symbolic_circuits.examples.addition import held_out_pairs, sequences
from symbolic_circuits.numeric.weights import Weights

__all__ = ["example_batch", "random_batch", "read_batch"]

MAX_BYTES = 64 * 2**20  # of a file of sequences


def read_batch(path: Path, most: int | None) -> list[np.ndarray]:
    """The sequences of a file, one a line, ``3 4 31`` or ``3,4,31``; empty lines are left out.

    Parameters
    ----------
    most : how many of them, from the first on; all by default

    Raises
    ------
    TokensError
        The file is not there, too large, not text, or has a line that is no sequence; the message has its number.
    """
    if not path.is_file():
        raise TokensError(f"there is no file of sequences {path}")
    if path.stat().st_size > MAX_BYTES:
        raise TokensError(f"{path.name} has {path.stat().st_size:,} bytes; the limit is {MAX_BYTES:,}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise TokensError(f"{path.name} is not text in UTF-8") from error
    found = []
    for number, line in enumerate(lines, start=1):
        words = line.replace(",", " ").split()
        if any(not (word.isascii() and word.isdigit() and len(word) < 10) for word in words):
            raise TokensError(f"line {number} of {path.name} is not a sequence of token numbers such as '3 4 31': {line[:40]!r}")
        if words:
            found.append(np.array([int(word) for word in words]))
    if not found or (most is not None and most > len(found)):
        raise TokensError(f"{path.name} has {len(found)} sequences; at least {1 if most is None else most} are wanted")
    return found[:most]


def example_batch(count: int, seed: int) -> list[np.ndarray]:
    """Held-out pairs of the example as sequences, drawn by the seed, in their order."""
    pairs = held_out_pairs()
    if count > len(pairs):
        raise TokensError(f"the example has {len(pairs)} held-out pairs; {count:,} were asked for")
    chosen = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:count])
    return list(sequences(pairs[chosen]))


def random_batch(weights: Weights, count: int, seed: int) -> list[np.ndarray]:
    """Random sequences (residual inputs without embedding), each of its own seed."""
    return [read_tokens(None, weights, seed + k) for k in range(count)]
