"""Verdicts against the truth on random identities. Usage: python tests/benchmarks/soundness.py [--pairs 100000] [--seed 0]"""

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "identities"))  # before this folder: its soundness is the generator

from soundness import agrees_at, judge, random_identity

from symbolic_circuits.identities.files import prove_identity


def proved_or_failed(identity: dict):
    """What the prover says; the name of the error where it fails, which counts as wrong."""
    try:
        return prove_identity(identity)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


MOST_SHOWN = 50  # wrong verdicts shown in full


class Clock:
    """Seconds and calls of each thing timed."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.calls: Counter = Counter()
        self.slowest: dict[str, tuple[float, str]] = defaultdict(lambda: (0.0, ""))

    def timed(self, name, function, *arguments, label=""):
        """The value of a function."""
        start = time.perf_counter()
        result = function(*arguments)
        taken = time.perf_counter() - start
        self.seconds[name] += taken
        self.calls[name] += 1
        self.slowest[name] = max(self.slowest[name], (taken, label))
        return result


def run(pairs: int, seed: int) -> int:
    """Print counts, wrong verdicts and rates; the number of wrong verdicts."""
    rng, clock, counts, near, wrong = Random(seed), Clock(), Counter(), Counter(), 0
    for number in range(1, pairs + 1):
        identity, truth = clock.timed("generator", random_identity, rng)
        kind, name, _ = identity["id"].split(":")
        if truth is None:
            truth = clock.timed("judge", judge, identity, label=name)
        result = clock.timed(f"prover, {'true' if truth else 'false'}", proved_or_failed, identity, label=name)
        verdict = result if isinstance(result, str) else result.verdict
        counts[kind, truth, verdict] += 1
        right = verdict == ("proved" if truth else "refuted")
        if right and not truth and number % 20 == 0:
            right = clock.timed("witness", result.witness.verify, label=name)
        if not right:
            wrong += 1
            if wrong <= MOST_SHOWN:
                print(f"WRONG: {verdict}, truth {truth}: {json.dumps(identity)}", flush=True)
        if kind == "near" and not truth and number % 10 == 0:
            near.update({"false": 1, "size 1": agrees_at(identity, 1), "size 2": agrees_at(identity, 2)})
        if number % 10_000 == 0:
            print(f"  {number:,} of {pairs:,}, {wrong} wrong", flush=True)
    report(counts, near, clock, wrong, pairs, seed)
    return wrong


def report(counts: Counter, near: Counter, clock: Clock, wrong: int, pairs: int, seed: int) -> None:
    """What was found, as a table."""
    print(f"{pairs:,} random identities, seed {seed}")
    for (kind, truth, verdict), number in sorted(counts.items()):
        print(f"  {kind:<9} {'true' if truth else 'false':<5} {verdict:<9} {number:>8,}")
    print(f"  wrong verdicts: {wrong} (must be 0)")
    if near["false"]:
        shares = ", ".join(f"{near[size] / near['false']:.0%} at {size}" for size in ("size 1", "size 2"))
        print(f"  false near-misses that hold all the same: {shares} (a tenth of them tried)")
    for name, seconds in sorted(clock.seconds.items()):
        slowest, label = clock.slowest[name]
        rate = clock.calls[name] / seconds
        print(f"  {name}: {clock.calls[name]:,} calls, {rate:,.0f}/s; slowest {1000 * slowest:.0f} ms {label and f'({label})'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sys.exit(1 if run(arguments.pairs, arguments.seed) else 0)
