"""The totals of a batch through a process pool and a dask cluster, against a bare process pool of the same run; limit: 0.8 of its speed-up.

Usage: ``PYTHONPATH=. python tests/benchmarks/scaling.py [--runs 7] [--workers 2] [--inputs 240]``. The bare pool is the best that is
usual: expansion and weights are handed to its workers once, when they start, and inputs go in chunks of a quarter of a worker's
share. BLAS has one thread in every process. All take turns on the same batch; each worker has worked before it is timed. Workers of
dask keep freed memory, as those of a pool do: by default they give it back at once, so that every array is made of new pages.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.numeric.scaling.outcome import in_order
from symbolic_circuits.numeric.scaling.over_inputs import each_input

MODEL, POSITIONS, SIZES = "(attn(4) bilinear)*3", 64, {"d": 128, "V": 64, "e": 32, "m": 256}
LIMIT = 0.8
KEEP_MEMORY = {f"distributed.nanny.pre-spawn-environ.MALLOC_{name}_THRESHOLD_": 2**28 for name in ("TRIM", "MMAP")}
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

held: tuple = ()  # of a worker of the bare pool


def hold(*arguments: object) -> None:
    """Start a worker of the bare pool."""
    global held
    held = arguments


def bare(tokens: np.ndarray) -> np.ndarray:
    """The raw function in a worker of the bare pool."""
    return sc.total(*held, tokens)


def pinned() -> bool:
    """Whether BLAS has one thread; else this program is run again so that it has."""
    if all(os.environ.get(name) == "1" for name in THREADS):
        return True
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | dict.fromkeys(THREADS, "1"))


def seconds(work: Callable[[], list]) -> tuple[float, list]:
    """Seconds of one call, and what it gave."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def measured(works: dict[str, Callable[[], list]], runs: int) -> dict[str, list[float]]:
    """The seconds of each run of each, in turns so that noise falls on all of them; all must give the same bits."""
    times, bits = {name: [] for name in works}, set()
    for run in range(runs + 1):
        for name, work in works.items():
            took, found = seconds(work)
            bits.add(b"".join(array.tobytes() for array in found))
            if run:  # the first one starts workers
                times[name].append(took)
    if len(bits) != 1:
        raise SystemExit("the values differ")
    return times


def median_ratio(others: list[float], mine: list[float]) -> float:
    """How many times as fast as another, turn by turn."""
    return statistics.median(other / own for other, own in zip(others, mine, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--inputs", type=int, default=240)
    asked = parser.parse_args()
    import dask
    from distributed import Client, LocalCluster

    weights = sc.Weights.random(MODEL, **SIZES, seed=0)
    expansion = sc.path_expansion(MODEL)
    batch = np.random.default_rng(0).integers(0, SIZES["V"], (asked.inputs, POSITIONS))
    share, spawn = max(1, asked.inputs // (4 * asked.workers)), get_context("spawn")
    with (
        dask.config.set(KEEP_MEMORY),
        ProcessPoolExecutor(asked.workers, spawn, hold, (expansion, weights)) as plain,
        ProcessPoolExecutor(asked.workers, spawn) as pool,
        LocalCluster(n_workers=asked.workers, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        through = lambda executor: in_order(each_input(sc.total, expansion, weights, batch, executor=executor))  # noqa: E731
        works = {
            "in place": lambda: through(None),
            "bare pool": lambda: list(plain.map(bare, batch, chunksize=share)),
            "process pool": lambda: through(pool),
            "dask": lambda: through(client.get_executor()),
        }
        took = measured(works, asked.runs)
    print(f"{asked.inputs} totals of {MODEL}, n={POSITIONS}, {asked.workers} workers, one BLAS thread each")
    worst = 1.0
    for name, found in took.items():
        speed_up, ratio = (median_ratio(took[other], found) for other in ("in place", "bare pool"))
        print(f"  {name:12} {statistics.median(found):6.2f} s, speed-up {speed_up:.2f}, {ratio:.2f} of the bare pool's")
        worst = min(worst, ratio if name in ("process pool", "dask") else 1.0)
    if worst < LIMIT:
        raise SystemExit(f"the limit of {LIMIT} is missed")


if __name__ == "__main__":
    if pinned():
        main()
