"""Processor seconds in which tensorgrad expands models, X_l = X_{l-1} + blocks(X_{l-1}), and compares two shuffled expansions.

Run by the interpreter of an environment that has tensorgrad 0.3.0; proving.py does that with ``--peer PYTHON``. A stream without
attention has no axis of positions here, which makes its networks smaller than those of the package. Each case runs once as tensorgrad
comes and once with its options for speed, which leave products nested; a case that takes longer than the limit is null.

Usage: PYTHON tests/benchmarks/tensorgrad_peer.py [SECONDS]
"""

import json
import random
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType

import networkx as nx
from sympy import Symbol, symbols
from tensorgrad import Delta, Product, Sum, Tensor, Variable

__all__: list[str] = []

LIMIT = 60.0
FAST = {"expand": True, "memoize": True, "combine_products": False, "factor_components": False}


class TooSlow(Exception):
    """The limit of time is reached."""


def limited(function: Callable[[], object], seconds: float) -> tuple[float | None, object]:
    """Seconds that a call takes, and its value; both None where it is stopped."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    start = time.process_time()
    try:
        value = function()
        return time.process_time() - start, value
    except (TooSlow, RecursionError, MemoryError):
        return None, None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


n, d = symbols("n d")


def head(x: Tensor, layer: int, number: int) -> Tensor:
    """A_{su} W_{ab} x_{ub}."""
    pattern = Variable(f"A{layer}_{number}", s=n, u=n)
    weights = Variable(f"W{layer}_{number}", a=d, b=d)
    return Product([pattern, weights, x.rename(s="u", a="b")])


def bilinear(x: Tensor, layer: int, symmetric: bool = False) -> Tensor:
    """B_{ajk} x_j x_k, at each position s where there are positions."""
    form = Variable(f"B{layer}", a=d, j=d, k=d)
    if symmetric:
        form = form.with_symmetries("a, j k")
    if "s" not in x.edges:
        return Product([form, x.rename(a="j"), x.rename(a="k")])
    return Product([form, Delta(n, "s", "s1", "s2"), x.rename(a="j", s="s1"), x.rename(a="k", s="s2")])


def attention_only(layers: int, heads: int) -> Tensor:
    """Layers of heads."""
    x: Tensor = Variable("X", s=n, a=d)
    for layer in range(layers):
        x = Sum([x, *(head(x, layer, number) for number in range(heads))])
    return x


def bilinear_only(layers: int, symmetric: bool = False) -> Tensor:
    """Bilinear layers on a vector."""
    x: Tensor = Variable("X", a=d)
    for layer in range(layers):
        x = Sum([x, bilinear(x, layer, symmetric)])
    return x


def heads_then_bilinear() -> Tensor:
    """Two heads and a bilinear layer."""
    x = attention_only(1, 2)
    return Sum([x, bilinear(x, 1)])


def expanded(model: Tensor) -> Tensor:
    """All products multiplied out, as tensorgrad comes."""
    return model.full_simplify()


def quickly_expanded(model: Tensor) -> Tensor:
    """All products multiplied out, with options for speed, until nothing changes."""
    while True:
        new = model.simplify(dict(FAST))
        if len(getattr(new, "terms", ())) == len(getattr(model, "terms", ())):
            return new
        model = new


def shuffled(total: Tensor, rng: random.Random) -> Tensor:
    """A sum with its terms in another order, and the factors of each."""
    pairs = list(zip(total.terms, total.weights, strict=True))
    rng.shuffle(pairs)
    terms = [Product(rng.sample(t.factors, len(t.factors))) if isinstance(t, Product) else t for t, _ in pairs]
    return Sum(terms, [weight for _, weight in pairs])


def graph_network(graph: nx.Graph, size: Symbol = d) -> Tensor:
    """One symmetric matrix on every edge of a graph, summed over its nodes."""
    ends: dict[object, list[str]] = {node: [] for node in graph}
    factors: list[Tensor] = []
    for k, edge in enumerate(graph.edges):
        names = [f"e{k}_0", f"e{k}_1"]
        for node, name in zip(edge, names, strict=True):
            ends[node].append(name)
        factors.append(Variable("S", x=size, y=size).with_symmetries("x y").rename(x=names[0], y=names[1]))
    return Product([*factors, *(Delta(size, *names) for names in ends.values())])


def relabelled(graph: nx.Graph, rng: random.Random) -> nx.Graph:
    """The same graph, its nodes renamed and its edges in another order."""
    names = dict(zip(graph, rng.sample(range(len(graph)), len(graph)), strict=True))
    edges = [(names[a], names[b]) for a, b in graph.edges]
    return nx.Graph(rng.sample(edges, len(edges)))


EXPANSIONS: dict[str, Callable[[], Tensor]] = {
    "attn(4)*3": lambda: attention_only(3, 4),
    "attn(12)*3": lambda: attention_only(3, 12),
    "bilinear*3": lambda: bilinear_only(3),
    "bilinear*4": lambda: bilinear_only(4),
    "bilinear(tied)*3": lambda: bilinear_only(3, symmetric=True),
    "attn(2) bilinear": heads_then_bilinear,
}

GRAPHS: dict[str, Callable[[], nx.Graph]] = {
    "ring of 12": lambda: nx.cycle_graph(12),
    "cubic 12": lambda: nx.random_regular_graph(3, 12, 1),
    "Petersen": nx.petersen_graph,
}


def main() -> None:
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else LIMIT
    for name, make in EXPANSIONS.items():
        for mode, expand in (("as it comes", expanded), ("fast", quickly_expanded)):
            seconds, total = limited(lambda make=make, expand=expand: expand(make()), limit)
            row = {"case": name, "mode": mode, "expand": seconds, "terms": None, "equal": None, "found": None}
            if total is not None:
                row["terms"] = len(total.terms)
                one, other = shuffled(total, random.Random(1)), shuffled(total, random.Random(2))
                row["equal"], row["found"] = limited(lambda a=one, b=other: a.is_isomorphic(b, match_edges=True), limit)
            print(json.dumps(row), flush=True)
    for name, graph in GRAPHS.items():
        one, other = graph_network(graph()), graph_network(relabelled(graph(), random.Random(1)))
        seconds, found = limited(lambda a=one, b=other: a == b, limit)
        print(
            json.dumps({"case": name, "mode": "as it comes", "expand": None, "terms": 1, "equal": seconds, "found": found}),
            flush=True,
        )


if __name__ == "__main__":
    main()
