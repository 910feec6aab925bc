"""States and times of ten typical queries: counting each on a model of 10^9000 terms takes at most 50 ms, summing each on weights of
a smaller model at most as many frozen forward passes as the square of its states (a pass for each pair of states at a bilinear layer).

``PYTHONPATH=. python tests/benchmarks/queries.py [--model "(attn(12) bilinear)*12"] [--summed "(attn(12) bilinear)*4"] [--repeat 7]``
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.expansion.queries.compiling import compile_query
from symbolic_circuits.expansion.queries.language import parse_query
from symbolic_circuits.expansion.queries.product import largest_step

LIMIT = 0.05
SIZES, POSITIONS = {"d": 128, "e": 16, "m": 512}, 64
QUERIES = (
    "attn.0[1]",
    "not attn.4",
    "attn.0[1] > bilinear.1.left",
    "attn.*[3] > bilinear.5.left > attn.10[0]",
    "attn.0[1] >> bilinear.1 and not bilinear.23",
    "attn.* <= 2",
    "bilinear.* = 3 and attn.*[0] >= 1",
    "height <= 4",
    "order <= 8",
    "attn.20[1] >> output or attn.2[1] > attn.4[2] > attn.6[3] > attn.8[4]",
)

SUMMED = (
    "attn.0[1]",
    "not attn.4",
    "attn.0[1] > bilinear.1.left",
    "attn.*[3] > bilinear.5.left > attn.6[0]",
    "attn.0[1] >> bilinear.1 and not bilinear.7",
    "attn.* <= 2",
    "bilinear.* = 3 and attn.*[0] >= 1",
    "height <= 4",
    "order <= 8",
    "attn.6[1] >> output or attn.0[1] > attn.2[2] > attn.4[3]",
)


def count(model: str, query: str) -> tuple[float, int]:
    """Seconds from the text to the number of terms, and that number."""
    expansion = sc.path_expansion(model)
    start = time.perf_counter()
    number = expansion.where(query).number_of_terms
    return time.perf_counter() - start, number


def fewest_seconds(work: Callable[[], object], repeat: int) -> float:
    """The least seconds of several calls."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def counts(model: str, repeat: int) -> bool:
    """Print a line a query; whether each count is within the limit."""
    expansion, slowest = sc.path_expansion(model), 0.0
    print(f"{model}: {expansion.number_of_terms.bit_length():,} bits; limit {1000 * LIMIT:.0f} ms a count")
    print(f"{'ms':>7} {'states':>6} {'in all':>6} {'bits':>7}  query")
    for query in QUERIES:
        times, numbers = zip(*(count(model, query) for _ in range(repeat)), strict=True)
        states = largest_step(expansion.grammar, compile_query(parse_query(query), expansion.model))
        total = len(expansion.where(query).grammar.nonterminals)
        seconds = median(times)
        slowest = max(slowest, seconds)
        print(f"{1000 * seconds:7.1f} {states:6} {total:6} {numbers[0].bit_length():7,}  {query}")
    print(f"slowest {1000 * slowest:.1f} ms: {'within' if slowest < LIMIT else 'OVER'} the limit")
    return slowest < LIMIT


def totals(model: str, repeat: int) -> bool:
    """Print a line a query; whether the total of each takes at most the square of its states, in frozen forward passes."""
    weights = sc.Weights.random(model, **SIZES, V=50, seed=0)
    frozen, expansion = sc.freeze(weights, np.random.default_rng(0).integers(0, 50, POSITIONS)), sc.path_expansion(model)
    forward, fine = fewest_seconds(frozen.forward, repeat), True
    print(
        f"{model}, n={POSITIONS}, " + ", ".join(f"{k}={v}" for k, v in SIZES.items()) + f": forward pass {1000 * forward:.2f} ms"
    )
    print(f"{'passes':>7} {'states':>6} {'square':>6}  query")
    for query in SUMMED:
        part = expansion.where(query)
        states = largest_step(expansion.grammar, compile_query(parse_query(query), expansion.model))
        passes = fewest_seconds(lambda part=part: sc.total(part, frozen), repeat) / forward
        fine &= passes <= states**2 + 0.5  # a query of one state is a forward pass, but for noise
        print(f"{passes:7.1f} {states:6} {states**2:6}  {query}")
    print("all within the square of the states" if fine else "OVER the square of the states")
    return fine


def main() -> int:
    """Both benchmarks; 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="(attn(12) bilinear)*12")
    parser.add_argument("--summed", default="(attn(12) bilinear)*4")
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    found = [counts(given.model, given.repeat), totals(given.summed, given.repeat)]
    return int(not all(found))


if __name__ == "__main__":
    sys.exit(main())
