"""Certified rankings: seconds, share of the terms that is evaluated, and agreement with brute force where there is one.

Usage: ``PYTHONPATH=. python tests/benchmarks/ranking.py [CASE ...]``; cases: small, pairs, example, gains, deep. The unit is a frozen forward pass.
"""

import argparse
import sys
import time

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.frozen import Frozen

TOP = 20


def seconds(work: object, runs: int = 1) -> float:
    """Least seconds of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def at_random(model: str, n: int = 32, **sizes: int) -> Frozen:
    """Random weights, frozen at random tokens."""
    weights = sc.Weights.random(model, V=50, seed=0, **sizes)
    return sc.freeze(weights, np.random.default_rng(0).integers(0, 50, n))


def with_gain(gain: float, layers: int = 12, heads: int = 12, d: int = 64, e: int = 8, n: int = 32, seed: int = 0) -> Frozen:
    """Attention only, with random causal patterns: each head keeps the norm of a random vector, times the gain."""
    generator = np.random.default_rng(seed)
    arrays = {"W_E": generator.standard_normal((d, 50)), "W_U": generator.standard_normal((50, d)) / np.sqrt(d)}
    patterns = {}
    for layer in range(layers):
        for letter in "QKV":
            arrays[f"attn.{layer}.W_{letter}"] = generator.standard_normal((heads, e, d)) / np.sqrt(d)
        arrays[f"attn.{layer}.W_O"] = gain * generator.standard_normal((heads, d, e)) / np.sqrt(e)
        scores = generator.standard_normal((heads, n, n))
        scores[:, np.triu(np.ones((n, n), dtype=bool), 1)] = -np.inf
        weights = np.exp(scores)
        patterns[layer] = weights / weights.sum(axis=-1, keepdims=True)
    model = sc.Transformer.parse(f"[n={n}, d={d}, V=50] attn({heads}, e={e})*{layers}")
    return Frozen(model, arrays, patterns, generator.integers(0, 50, n))


def ranked(name: str, frozen: Frozen, limit: float, *, method: str = "search", token: int = 3) -> bool:
    """Print a line for one ranking; whether it closed within the limit, and agreed with brute force."""
    expansion = sc.path_expansion(frozen.model)
    forward = seconds(frozen.forward, 5)
    found = sc.rank(expansion, frozen, token=token, top=TOP, method=method)
    words, fine = "", found.is_certified and found.seconds < limit
    if expansion.number_of_terms < 1_000_000:
        values = contributions(expansion, frozen.astype(np.float64), direction=token)
        largest = np.sort(np.abs(values))[::-1][: len(found.terms)]
        agrees = np.allclose([abs(value) for _, value in found], largest, rtol=1e-9)
        share = found.evaluated / expansion.number_of_terms
        words = f"; brute force {'agrees' if agrees else 'DIFFERS'}, {100 * share:.1f} % evaluated (limit 20 %)"
        fine = fine and agrees and (share <= 0.2 or method != "search")
    print(
        f"  {name}: {expansion.number_of_terms:.2e} terms, {'closed' if found.is_certified else 'NOT CLOSED'} in {found.seconds:.2f} s "
        f"(limit {limit:g}) = {found.seconds / forward:,.0f} forward passes; {found.evaluated:.1e} values, {found.bounded:.1e} bounds, "
        f"20th {found.smallest:.4g}, margin {found.margin:.0e}{words}",
        flush=True,
    )
    return fine


def small() -> bool:
    """Models that brute force can do."""
    first = ranked("attn(12)*4", at_random("attn(12)*4", d=64, e=8), 5)
    return first & ranked("(attn(4) bilinear)*2", at_random("(attn(4) bilinear)*2", d=64, e=16, m=256), 5)


def pairs() -> bool:
    """Three bilinear layers, 12.8e9 pairs at the last one."""
    return ranked("(attn(4) bilinear)*3", at_random("(attn(4) bilinear)*3", d=64, e=16, m=256), 5)


def example() -> bool:
    """The trained model that ships."""
    weights = sc.Weights.example()
    return ranked("example", sc.freeze(weights, [3, 4, 31]), 1, method="auto", token=7)


def gains() -> bool:
    """13^12 paths at five gains of a head."""
    limits = {0.05: 15, 0.2: 15, 0.35: 15, 0.5: 15, 0.7: 30, 1.0: 30}
    results = [ranked(f"attn(12)*12, gain {gain}", with_gain(gain), limit) for gain, limit in limits.items()]
    return all(results)


def deep() -> bool:
    """Wider heads and more layers; no limit is stated for these."""
    return all(
        [
            ranked("attn(12)*12, gain 0.5, e=16", with_gain(0.5, e=16), 60),
            ranked("attn(12)*24, gain 0.3", with_gain(0.3, layers=24), 60),
            ranked("bilinear attn(12)*8", at_random("bilinear attn(12)*8", d=64, e=8, m=256), 60),
        ]
    )


CASES = [small, pairs, example, gains, deep]


def main() -> int:
    """Run the cases; 1 where a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(case.__name__ for case in CASES))
    wanted = parser.parse_args().names
    fine = True
    for case in CASES:
        if not wanted or case.__name__ in wanted:
            print(f"{case.__name__}: {case.__doc__}")
            fine &= case()
    print("all within their limits" if fine else "A LIMIT IS EXCEEDED")
    return int(not fine)


if __name__ == "__main__":
    sys.exit(main())
