"""Circuits of (attn(8) bilinear)*12, d=512, e=64, m=2048, V=50,000, from weights: eigenvalues of all heads; composition scores of all pairs.

Usage: ``PYTHONPATH=. python tests/benchmarks/circuits.py [--layers 12] [--vocabulary 50000] [--dtype float64]``. Composition is
timed against the low-rank products alone, in the same run: for every pair the product of the matrix that is read through and the one
that is written through (W_K W_O, W_1 W_O, W_Q W_out, W_1 W_out, ...), all heads of a block in one call, in double precision. A second
figure is for an attention-only model of as many layers, where these products are as small as they can be.
"""

import argparse
import resource
import time
from collections.abc import Callable

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.numeric.circuits.composition import composition
from symbolic_circuits.numeric.circuits.joint import joint_composition
from symbolic_circuits.numeric.circuits.spectra import circuit_spectra
from symbolic_circuits.spec import Attention

SIZES = {"d": 512, "e": 64, "m": 2048}
LIMIT = 2.0


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def read_and_written(weights: sc.Weights) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """For every block the matrices that it reads through (a, d), all heads on one axis, and the one that it writes through (d, b)."""
    out, d = [], SIZES["d"]
    for index, spec in weights.model.numbered():
        at = lambda letter, index=index: weights.arrays[f"attn.{index}.W_{letter}"].astype(np.float64, copy=False)  # noqa: E731
        if isinstance(spec, Attention):
            out.append(([at(letter).reshape(-1, d) for letter in "QKV"], at("O").transpose(1, 0, 2).reshape(d, -1)))
        else:
            W_1, W_2, W_out = (
                weights.arrays[f"bilinear.{index}.W_{k}"].astype(np.float64, copy=False) for k in ("1", "2", "out")
            )
            out.append(([W_1, W_2], W_out))
    return out


def products_alone(blocks: list[tuple[list[np.ndarray], np.ndarray]]) -> None:
    """All products of what a block reads through and an earlier one writes through."""
    for later, (read, _) in enumerate(blocks):
        for _, written in blocks[:later]:
            for matrix in read:
                matrix @ written


def compare(model: str, dtype: str, runs: int) -> float:
    """Scores of all pairs over the products alone, the best of some runs each, in turns."""
    weights = sc.Weights.random(model, **SIZES, V=7, seed=0).astype(dtype)
    blocks, ours, alone = read_and_written(weights), [], []
    for _ in range(runs):
        ours.append(seconds(lambda: composition(weights)))
        alone.append(seconds(lambda: products_alone(blocks)))
    pairs = int(composition(weights).reads.sum())
    ratio = min(ours) / min(alone)
    print(f"  {model}: {pairs:,} scores in {min(ours):.2f} s; low-rank products alone {min(alone):.2f} s: {ratio:.2f} times them")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--vocabulary", type=int, default=50_000)
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float64")
    parser.add_argument("--runs", type=int, default=2)
    given = parser.parse_args()
    model = f"(attn(8) bilinear)*{given.layers}"
    print(f"{model}, " + ", ".join(f"{k}={v}" for k, v in SIZES.items()) + f", V={given.vocabulary:,}, {given.dtype}")
    ratios = [compare(text, given.dtype, given.runs) for text in (f"attn(8)*{given.layers}", model)]
    weights = sc.Weights.random(model, **SIZES, V=given.vocabulary, seed=0).astype(given.dtype)
    for circuit in ("OV", "QK"):
        took = seconds(lambda circuit=circuit: circuit_spectra(weights, circuit))
        print(f"  eigenvalues and singular values of {8 * given.layers} full {circuit} circuits in {took:.2f} s")
    last = 2 * given.layers - 1
    print(f"  all pairs of inputs of bilinear.{last} in {seconds(lambda: joint_composition(weights, last)):.2f} s")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if max(ratios) > LIMIT:
        raise SystemExit("a limit is exceeded")


if __name__ == "__main__":
    main()
