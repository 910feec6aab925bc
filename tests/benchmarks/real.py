"""A real size: [rms_norm] (attn(8) bilinear)*12, d=512, m=2048, V=50,000, n=256, float32, from a safetensors file, against its limits.

Usage: ``PYTHONPATH=. python tests/benchmarks/real.py [--runs 5] [--no-norm] [--cpu] [--circuits]``. The weights are random,
written once to a temporary folder; every stage reads them in a process of its own. The forward pass is the reference's with patterns and scales held fixed, without any logit
(stricter than with them: 50,000 logits at 256 positions are half a forward pass more). Grading is ``graded(..., up_to=K,
positions=[-1])`` as users call it: the check against the reference, and the logits of each grade at that position, included.

Times are of the clock, or with ``--cpu``, for a machine that is busy otherwise, processor seconds with one thread.

Memory: the most that arrays take while grading, beyond what was held before (the weights and patterns), by ``tracemalloc``, against
3 (K + 1) streams (n, m) of a block's hidden width. The peak of the whole process, by ``getrusage``, is reported beside it: it comes from
loading, which holds the weights twice for a moment.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.numeric.activations import last_stream
from symbolic_circuits.numeric.circuits.composition import composition
from symbolic_circuits.numeric.circuits.spectra import circuit_spectra
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded import graded

BLOCKS, POSITIONS, VOCABULARY = "(attn(8, e=64) bilinear)*12", 256, 50_000
SIZES = {"d": 512, "m": 2048}
ORDERS = (2, 4)
LOADING, PASSES, STREAMS = 5.0, 1.5, 3  # seconds; forward passes and streams, each times K + 1
MIB = 2**20
PATTERNS = 12 * 8 * POSITIONS**2 * 4 / MIB  # they belong to what is held fixed, as the weights do


clock = time.process_time if os.environ.get("OPENBLAS_NUM_THREADS") == "1" else time.perf_counter


def seconds(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    start = clock()
    work()
    return clock() - start


def peak() -> float:
    """The largest size of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write(path: str, model: str) -> dict:
    """Random weights in single precision, as a file."""
    sc.Weights.random(model, **SIZES, V=VOCABULARY, seed=0).astype(np.float32).save(path)
    return {"peak": peak()}


def load(path: str) -> tuple[sc.Weights, dict]:
    """The weights, with what loading took."""
    before, start = peak(), clock()
    weights = sc.Weights.load(path)
    took = clock() - start
    size = sum(array.nbytes for array in weights.arrays.values()) / MIB
    return weights, {"loading": took, "weights": size, "before": before, "peak": peak()}


def freeze(weights: sc.Weights) -> Frozen:
    """At random tokens."""
    return sc.freeze(weights, np.random.default_rng(0).integers(0, VOCABULARY, POSITIONS))


def speed(path: str, runs: int) -> dict:
    """Seconds of forward passes and of grading, medians of runs in turns."""
    weights, found = load(path)
    expansion, frozen = sc.path_expansion(weights.model), freeze(weights)
    works = {"forward": lambda: last_stream(frozen), "with logits": frozen.forward}
    works |= {f"to {K}": lambda K=K: graded(expansion, frozen, up_to=K, positions=[-1]) for K in ORDERS}
    times = {name: [] for name in works}
    for _ in range(runs):  # in turns, so that noise falls on all of them
        for name, work in works.items():
            times[name].append(seconds(work))
    complete = graded(sc.path_expansion(weights.model), frozen, by="height", positions=[-1])
    found |= {name: statistics.median(times[name]) for name in works}
    return found | {"remainder": complete.remainder, "tolerance": complete.tolerance, "verdict": complete.verdict}


def memory(path: str, largest: int) -> dict:
    """The most that arrays take while grading, in MiB, and the peak of the process."""
    weights, _ = load(path)
    expansion, frozen = sc.path_expansion(weights.model), freeze(weights)
    frozen.arrays, frozen.x0  # noqa: B018 (made once)
    tracemalloc.start()
    graded(expansion, frozen, up_to=largest, positions=[-1])
    return {"arrays": tracemalloc.get_traced_memory()[1] / MIB, "peak": peak()}


def circuits(path: str) -> dict:
    """Seconds for eigenvalues of all heads, and for composition scores of all pairs."""
    weights, _ = load(path)
    found = {circuit: seconds(lambda circuit=circuit: circuit_spectra(weights, circuit)) for circuit in ("OV", "QK")}
    return found | {"composition": seconds(lambda: composition(weights)), "peak": peak()}


def in_a_process(*words: object) -> dict:
    """What a stage prints."""
    done = subprocess.run([sys.executable, __file__, *map(str, words)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def report(path: Path, runs: int, with_circuits: bool) -> bool:
    """Print every figure; whether all limits are kept."""
    found, kept = in_a_process("--stage", "speed", "--path", path, "--runs", runs), True

    def line(words: str, value: float, limit: float, unit: str) -> None:
        nonlocal kept
        kept &= value <= limit
        print(f"  {words:58} {value:9.2f} {unit} (limit {limit:.2f}){'' if value <= limit else '  EXCEEDED'}")

    print(
        f"  {found['weights']:.0f} MiB of weights; forward pass {1e3 * found['forward']:.0f} ms, with all logits {1e3 * found['with logits']:.0f} ms"
    )
    line("loading", found["loading"], LOADING, "s")
    for K in ORDERS:
        name = f"orders to {K}, {1e3 * found[f'to {K}']:.0f} ms"
        line(name, found[f"to {K}"] / found["forward"], PASSES * (K + 1), "forward passes")
    line("remainder of all heights over what rounding explains", found["remainder"] / found["tolerance"], 1.0, "")
    for K in ORDERS:
        stage = in_a_process("--stage", "memory", "--path", path, "--order", K)
        streams = STREAMS * (K + 1) * POSITIONS * SIZES["m"] * 4 / MIB
        line(f"arrays while grading to {K}, beyond the weights", stage["arrays"], streams, "MiB")
        beyond = stage["peak"] - found["before"] - found["weights"] - PATTERNS
        print(f"  the process itself, from loading to grading to {K}: {beyond:.0f} MiB beyond weights and patterns")
    if not with_circuits:
        return kept
    stage = in_a_process("--stage", "circuits", "--path", path)
    for circuit in ("OV", "QK"):
        print(f"  eigenvalues and singular values of 96 full {circuit} circuits in {stage[circuit]:.2f} s")
    print(f"  composition scores of all pairs in {stage['composition']:.2f} s; peak {stage['peak']:.0f} MiB")
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--no-norm", action="store_true")
    parser.add_argument("--cpu", action="store_true")
    parser.add_argument("--circuits", action="store_true")
    parser.add_argument("--model", help=argparse.SUPPRESS)
    parser.add_argument("--stage", choices=["write", "speed", "memory", "circuits"], help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    parser.add_argument("--order", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage is not None:
        stages = {
            "write": lambda: write(given.path, given.model),
            "speed": lambda: speed(given.path, given.runs),
            "memory": lambda: memory(given.path, given.order),
            "circuits": lambda: circuits(given.path),
        }
        print(json.dumps(stages[given.stage]()))
        return
    if given.cpu:
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
    model = BLOCKS if given.no_norm else f"[rms_norm] {BLOCKS}"
    print(f"{model}, " + ", ".join(f"{k}={v}" for k, v in SIZES.items()) + f", V={VOCABULARY:,}, n={POSITIONS}, float32")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.safetensors"
        in_a_process("--stage", "write", "--path", path, "--model", model)
        if not report(path, given.runs, given.circuits):
            raise SystemExit("a limit is exceeded")


if __name__ == "__main__":
    main()
