"""Benchmarks: figures and ratios to a peer or a limit of the same run. Usage: python tests/benchmarks/run.py [NAME ...]

The prover has its own: proving.py (with tensorgrad_peer.py, run by the Python of an environment that has tensorgrad).
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from random import Random

import numpy as np
import opt_einsum
import sympy
from sympy.core.cache import clear_cache

import symbolic_circuits as sc
from symbolic_circuits.numeric.reference import forward

LARGE = "(attn(12) bilinear)*4"


def median_time(function: Callable[[], object], runs: int = 15) -> float:
    """Median seconds of a call."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def iteration() -> None:
    """Public terms a second, from the start and from the middle, against SymPy's expand of the same kind of sum."""
    expansion = sc.path_expansion(LARGE)
    rates = {}
    for name, start in (("from term 0", 0), ("from the middle", expansion.number_of_terms // 2)):
        seconds = median_time(lambda start=start: deque(islice(expansion.terms(start), 1_000_000), 0), 3)
        rates[name] = 1_000_000 / seconds
        print(f"  {name}: {rates[name]:,.0f} terms/s (target 500,000)")
    small = "(attn(12) bilinear)*1 attn(12)"
    count = sc.path_expansion(small).number_of_terms
    seconds = median_time(expand_by_sympy, 3)
    print(f"  SymPy expands the same {count} terms as noncommutative symbols at {count / seconds:,.0f} terms/s: ", end="")
    print(f"{rates['from the middle'] * seconds / count:,.0f} times slower")


def expand_by_sympy() -> sympy.Expr:
    """SymPy's expand, without what its cache remembers of the last run."""
    clear_cache()
    return sympy.expand(noncommutative_sum())


def noncommutative_sum() -> sympy.Expr:
    """``attn(12) bilinear attn(12)`` with heads as noncommutative symbols and the layer as L x R x."""
    x, left, right = sympy.symbols("x L R", commutative=False)
    first = [sympy.Symbol(f"a{k}", commutative=False) for k in range(12)]
    second = [sympy.Symbol(f"b{k}", commutative=False) for k in range(12)]
    stream = (1 + sympy.Add(*first)) * x
    stream = stream + left * stream * right * stream
    return (1 + sympy.Add(*second)) * stream


def numbering() -> None:
    """Microseconds of [k] and of index among 10^34 terms."""
    expansion, generator = sc.path_expansion(LARGE), Random(0)
    numbers = [generator.randrange(expansion.number_of_terms) for _ in range(2000)]
    unrank = median_time(lambda: [expansion[k] for k in numbers], 5) / len(numbers)
    terms = [expansion[k] for k in numbers]
    rank = median_time(lambda: [expansion.index(term) for term in terms], 5) / len(numbers)
    print(f"  [k] {unrank * 1e6:.1f} us, index {rank * 1e6:.1f} us (target 100)")


def evaluation() -> None:
    """All 22,650 terms at one logit, in forward passes and against one einsum a term."""
    weights = sc.Weights.random("(attn(4) bilinear)*2", d=64, m=256, V=50, e=16, seed=0)
    tokens = np.random.default_rng(0).integers(0, 50, 32)
    frozen, expansion = sc.freeze(weights, tokens), sc.path_expansion(weights.model)
    one = median_time(lambda: forward(weights.model, weights.arrays, tokens), 40)
    every = median_time(lambda: sc.contributions(expansion, frozen, direction=3), 40)
    found = sc.contributions(expansion, frozen, direction=3)
    operands = sc.named_operands(frozen)
    chosen = expansion.sample(12, seed=0)

    def einsums() -> list[float]:
        return [float(logit_of(term, operands)) for term in chosen]

    single = median_time(einsums, 1) / len(chosen)
    assert np.allclose(einsums(), [found[expansion.index(term)] for term in chosen], rtol=1e-9)
    print(f"  forward pass {one * 1e3:.2f} ms; every term {every * 1e3:.2f} ms = {every / one:.1f} forward passes (target 15)")
    print(f"  one einsum a term: {single * 1e3:.1f} ms a term, {single * len(found) / every:,.0f} times slower (target 10,000)")


def logit_of(term: sc.Term, operands: dict[str, np.ndarray]) -> np.ndarray:
    """Logit 3 at the last position, by the term's own einsum."""
    subscripts, names = term.to_einsum()
    return opt_einsum.contract(subscripts, *(operands[name] for name in names))[-1, 3]


def lambdified() -> None:
    """A lambdified term against its einsum."""
    weights = sc.Weights.random("attn(2) bilinear", d=64, m=256, V=50, e=16, seed=0)
    frozen = sc.freeze(weights, np.arange(32) % 50)
    operands, named = sc.operands(frozen), sc.named_operands(frozen)
    for k in (1, 3, 7):
        term = sc.path_expansion(weights.model)[k]
        subscripts, names = term.to_einsum()
        plan = opt_einsum.contract_expression(subscripts, *(named[name].shape for name in names))
        peer = median_time(lambda plan=plan, names=names: plan(*(named[name] for name in names)), 50)
        function = sc.lambdify(list(operands), term.expr("matrix"))
        ours = median_time(lambda function=function: function(*operands.values()), 50)
        print(f"  {term}: {ours * 1e6:.0f} us, its planned einsum {peer * 1e6:.0f} us, ratio {ours / peer:.2f} (target 2)")


def starting() -> None:
    """Seconds to import the package and to print the help, against an empty Python."""
    for name, code in [
        ("python -c pass", "pass"),
        ("import symbolic_circuits", "import symbolic_circuits"),
        ("--help", "from symbolic_circuits.cli import main; main(['--help'], standalone_mode=False)"),
    ]:
        seconds = median_time(lambda code=code: subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL), 11)
        print(f"  {name}: {seconds:.3f} s")


def counting() -> None:
    """Seconds to count a model of twenty layers, whose count has hundreds of thousands of digits."""
    seconds = median_time(lambda: sc.path_expansion("(attn(12) bilinear)*18").number_of_terms, 3)
    bits = sc.path_expansion("(attn(12) bilinear)*18").number_of_terms.bit_length()
    print(f"  (attn(12) bilinear)*18: a count of {bits:,} bits in {seconds * 1e3:.1f} ms")


BENCHMARKS = [iteration, numbering, evaluation, lambdified, starting, counting]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=", ".join(b.__name__ for b in BENCHMARKS))
    wanted = parser.parse_args().names
    for benchmark in BENCHMARKS:
        if not wanted or benchmark.__name__ in wanted:
            print(f"{benchmark.__name__}: {benchmark.__doc__}")
            benchmark()


if __name__ == "__main__":
    main()
