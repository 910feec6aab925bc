"""States and times of ten typical queries on a model of 10^9000 terms; counting each takes at most 50 ms.

``PYTHONPATH=. python tests/benchmarks/queries.py [--model "(attn(12) bilinear)*12"] [--repeat 7]``
"""

import argparse
import sys
import time
from statistics import median

import symbolic_circuits as sc
from symbolic_circuits.expansion.queries.compiling import compile_query
from symbolic_circuits.expansion.queries.language import parse_query
from symbolic_circuits.expansion.queries.product import largest_step

LIMIT = 0.05
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


def count(model: str, query: str) -> tuple[float, int]:
    """Seconds from the text to the number of terms, and that number."""
    expansion = sc.path_expansion(model)
    start = time.perf_counter()
    number = expansion.where(query).number_of_terms
    return time.perf_counter() - start, number


def main() -> int:
    """Print a line a query; 1 where one took too long."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="(attn(12) bilinear)*12")
    parser.add_argument("--repeat", type=int, default=7)
    given = parser.parse_args()
    expansion, slowest = sc.path_expansion(given.model), 0.0
    print(f"{given.model}: {expansion.number_of_terms.bit_length():,} bits; limit {1000 * LIMIT:.0f} ms a count")
    print(f"{'ms':>7} {'states':>6} {'in all':>6} {'bits':>7}  query")
    for query in QUERIES:
        times, numbers = zip(*(count(given.model, query) for _ in range(given.repeat)), strict=True)
        states = largest_step(expansion.grammar, compile_query(parse_query(query), expansion.model))
        total = len(expansion.where(query).grammar.nonterminals)
        seconds = median(times)
        slowest = max(slowest, seconds)
        print(f"{1000 * seconds:7.1f} {states:6} {total:6} {numbers[0].bit_length():7,}  {query}")
    print(f"slowest {1000 * slowest:.1f} ms: {'within' if slowest < LIMIT else 'OVER'} the limit")
    return int(slowest >= LIMIT)


if __name__ == "__main__":
    sys.exit(main())
