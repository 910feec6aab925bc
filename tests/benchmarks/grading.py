"""Sums by order against their bound and a forward pass: (attn(8) bilinear)*4, n=128, d=256, m=512, unscaled weights, 45 orders.

Usage: ``PYTHONPATH=. python tests/benchmarks/grading.py [--runs 7]``. The bound is a product for each grade and each weight matrix or
pattern, and an elementwise product for each pair of grades of a bilinear layer, timed alone with the same BLAS calls in the same
run: once with K + 1 grades and K (K + 1) / 2 pairs everywhere, once with the grades and pairs that each layer has, and no more.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.expansion.interpret import interpret_grammar
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.graded_streams import graded_streams

MODEL, POSITIONS, VOCABULARY = "(attn(8) bilinear)*4", 128, 64
SIZES = {"d": 256, "e": 32, "m": 512}
LIMIT, REMAINDER = 1.3, 1e-12


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Bound:
    """The products that no way of summing by grade can do without, on arrays of their own."""

    def __init__(self, frozen: Frozen, largest: int) -> None:
        self.frozen, generator = frozen, np.random.default_rng(1)
        n, d, m = frozen.positions, SIZES["d"], SIZES["m"]
        heads, e = frozen.arrays["attn.0.W_V"].shape[:2]
        self.narrow = generator.standard_normal((n * largest, d))
        self.wide = generator.standard_normal((n * largest, m))
        self.values = generator.standard_normal((heads, n, largest * e))
        self.mixed = generator.standard_normal((n * largest, heads * e))
        self.left, self.right = generator.standard_normal((2, n, m))
        self.hidden = np.empty((n, m))

    def attention(self, layer: int, grades: int) -> None:
        """W_V, A^h and W_O of one block."""
        arrays, n = self.frozen.arrays, self.frozen.positions
        W_V, W_O = arrays[f"attn.{layer}.W_V"], arrays[f"attn.{layer}.W_O"]
        heads, e, d = W_V.shape
        self.narrow[: n * grades] @ W_V.reshape(heads * e, d).T
        self.frozen.patterns[layer] @ self.values[:, :, : grades * e]
        self.mixed[: n * grades] @ W_O.transpose(1, 0, 2).reshape(d, heads * e).T

    def bilinear(self, layer: int, grades: int, pairs: int, products: int) -> None:
        """W_1, W_2 and W_out of one layer, and elementwise products of all pairs."""
        arrays, n = self.frozen.arrays, self.frozen.positions
        self.narrow[: n * grades] @ arrays[f"bilinear.{layer}.W_1"].T
        self.narrow[: n * grades] @ arrays[f"bilinear.{layer}.W_2"].T
        for _ in range(pairs):
            np.multiply(self.left, self.right, out=self.hidden)
        self.wide[: n * products] @ arrays[f"bilinear.{layer}.W_out"].T

    def uniform(self, largest: int) -> None:
        """K + 1 products and K (K + 1) / 2 pairs everywhere."""
        for layer in range(0, 8, 2):
            self.attention(layer, largest + 1)
            self.bilinear(layer + 1, largest + 1, largest * (largest + 1) // 2, largest + 1)

    def present(self, numbers: list[int]) -> None:
        """The grades that go in and come out of each layer."""
        for layer, (before, after) in enumerate(pairwise(numbers)):
            if layer % 2:
                self.bilinear(layer, before, before**2, after - 1)
            else:
                self.attention(layer, before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    weights = sc.Weights.random(MODEL, **SIZES, V=VOCABULARY, seed=0)
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, POSITIONS)
    frozen, expansion = sc.freeze(weights, tokens), sc.path_expansion(MODEL)
    numbers = [high - low + 1 for low, high in interpret_grammar(expansion.grammar, GradeRanges("order"))]
    bound = Bound(frozen, max(numbers))
    works = {
        "forward": frozen.forward,
        "graded": lambda: graded_streams(expansion, frozen),
        "to 16": lambda: graded_streams(expansion, frozen, up_to=16),
        "bound": lambda: bound.uniform(max(numbers) - 1),
        "least": lambda: bound.present(numbers),
    }
    times = {name: [] for name in works}
    for _ in range(runs):  # in turns, so that noise falls on all of them
        for name, work in works.items():
            times[name].append(seconds(work))
    took = {name: statistics.median(found) for name, found in times.items()}
    sums = graded(expansion, weights, tokens)
    print(f"{MODEL}, n={POSITIONS}, " + ", ".join(f"{k}={v}" for k, v in SIZES.items()) + f", orders 0 to {sums.grades[-1]}")
    print(
        f"  {sum(sums.terms):.3e} terms; remainder {sums.remainder:.1e} (limit {REMAINDER}), cancellation {sums.cancellation:.2f}"
    )
    print(f"  frozen forward pass {1e3 * took['forward']:7.1f} ms")
    print(f"  all orders          {1e3 * took['graded']:7.1f} ms = {took['graded'] / took['forward']:.1f} forward passes")
    print(f"  orders to 16        {1e3 * took['to 16']:7.1f} ms = {took['to 16'] / took['forward']:.1f} forward passes")
    print(f"  bound               {1e3 * took['bound']:7.1f} ms: {took['graded'] / took['bound']:.2f} times it (limit {LIMIT})")
    print(f"  grades present only {1e3 * took['least']:7.1f} ms: {took['graded'] / took['least']:.2f} times it")
    if sums.remainder >= REMAINDER or took["graded"] > LIMIT * took["bound"]:
        raise SystemExit("a limit is exceeded")


if __name__ == "__main__":
    main()
