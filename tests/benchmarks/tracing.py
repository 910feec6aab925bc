"""Times of tracing: what it adds to a function of ten operations (the limit is 50 ms), and to models.

``PYTHONPATH=. python tests/benchmarks/tracing.py [--repeat 20]``
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.axes import size_symbol
from symbolic_circuits.tracing.trace import trace

LIMIT = 0.05
SIZES = {"n": 8, "d": 16, "m": 32, "H": 4, "k": 4}


def rows(S):
    """softmax of rows, of numbers too."""
    return np.exp(S) / np.exp(S).sum(-1, keepdims=True) if isinstance(S, np.ndarray) else sc.softmax(S)


def ten_operations(X, A, W, b):
    """@, @, .T, +, einsum, *, sum, reshape, maximum, -."""
    head = A @ X @ W.T + b
    scores = np.einsum("nd,md->nm", head, X) * 2
    flat = np.maximum(scores, 0).reshape(-1)
    return flat - scores.sum()


def multi_head(X, WQ, WK, WV, WO, k):
    """An attention block, heads by reshape."""
    n = X.shape[0]
    q, key, v = ((X @ M.T).reshape(n, -1, k).transpose(1, 0, 2) for M in (WQ, WK, WV))
    return X + (rows(q @ key.transpose(0, 2, 1) / k**0.5) @ v).transpose(1, 0, 2).reshape(n, -1) @ WO.T


def by_loop(X, A, W):
    """Heads one by one."""
    out = X
    for A_h, W_h in zip(A, W, strict=True):
        out = out + A_h @ X @ W_h.T
    return out


def bilinear(X, W1, W2, WO):
    """Two bilinear layers with a residual stream."""
    for _ in range(2):
        X = X + ((X @ W1.T) * (X @ W2.T)) @ WO.T
    return X


CASES = {
    "ten operations": (ten_operations, {"X": "n x d", "A": "n x n", "W": "d x d", "b": "d"}, {}),
    "multi-head": (multi_head, {"X": "n x d", "WQ": "H*k x d", "WK": "H*k x d", "WV": "H*k x d", "WO": "d x H*k"}, {"k": "k"}),
    "loop over heads": (by_loop, {"X": "n x d", "A": "H x n x n", "W": "H x d x d"}, {}),
    "two bilinear layers": (bilinear, {"X": "n x d", "W1": "m x d", "W2": "m x d", "WO": "d x m"}, {}),
}


def seconds(work: Callable, repeat: int) -> float:
    """The median time of a piece of work."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return median(times)


def measured(name: str, repeat: int) -> float:
    """Print the times of a case; the time of its trace."""
    function, shapes, sizes = CASES[name]
    generator = np.random.default_rng(0)
    number = lambda text: int(np.prod([SIZES[one] for one in text.split("*")]))  # noqa: E731
    arrays = {key: generator.standard_normal([number(one) for one in shape.split(" x ")]) for key, shape in shapes.items()}
    symbols = {key: size_symbol(one) for key, one in sizes.items()}
    plain = seconds(lambda: function(**arrays, **{key: SIZES[one] for key, one in sizes.items()}), repeat)
    first = seconds(lambda: trace(function, **shapes, **symbols), 1)
    traced = seconds(lambda: trace(function, **shapes, **symbols), repeat)
    print(
        f"  {name:20} numbers {1e6 * plain:7.0f} us  traced {1e3 * traced:6.2f} ms ({traced / plain:6.0f} times; first {1e3 * first:6.1f} ms)"
    )
    return first


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=20)
    arguments = parser.parse_args()
    print("tracing")
    slowest = max(measured(name, arguments.repeat) for name in CASES)
    sys.exit(slowest > LIMIT and f"the limit of {LIMIT} s is exceeded")
