"""Seconds that the prover takes: labelling, hard graphs, small identities, expansions; each with its target and a peer of the same run.

Peers are SymPy and networkx where they can do the task, tensorgrad where ``--peer`` names the Python of an environment that has it, and
a bare dictionary as the limit for path terms. Times are medians of processor time; the
best run stands in brackets. MISSED marks a median beyond its target.

Usage: python tests/benchmarks/proving.py [--peer PYTHON] [--limit SECONDS] [NAME ...]
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "algebra"))  # its test has the hard graphs

import networkx as nx
import sympy
from sympy import HadamardProduct, Identity, KroneckerProduct, MatrixSymbol, OneMatrix, Symbol, Trace, ZeroMatrix
from sympy.core.cache import clear_cache
from sympy.matrices.expressions.kronecker import combine_kronecker
from sympy.tensor.array.expressions import ArraySymbol
from test_canonical import HARD, copies, graph_network, hadamard_graph, network, scrambled

import symbolic_circuits as sc
from symbolic_circuits.algebra.canonical import canonical
from symbolic_circuits.algebra.network import Network
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.expansion.interpret import fold, interpret_grammar
from symbolic_circuits.expansion.networks import Networks
from symbolic_circuits.expansion.proof import total_of_terms
from symbolic_circuits.expansion.trees import Trees
from symbolic_circuits.identities.prove import statement_of
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

PEER_LIMIT = 5.0  # seconds that networkx is given for a graph
LARGER = {"Hadamard 32"}  # beyond what has a target


class Times(NamedTuple):
    """Seconds of a call."""

    median: float
    best: float


def times(function: Callable[[], object], runs: int = 9) -> Times:
    """Seconds of a call, a few times over."""
    taken = []
    for _ in range(runs):
        start = time.process_time()
        function()
        taken.append(time.process_time() - start)
    return Times(statistics.median(taken), min(taken))


def show(name: str, found: Times, target: float | None, note: str = "") -> None:
    """One line: milliseconds and their target."""
    goal = f"target {target * 1e3:g}" + (" MISSED" if found.median > target else "") if target else ""
    print(f"  {name:<42} {found.median * 1e3:9.2f} ms ({found.best * 1e3:.2f})  {goal:<18} {note}", flush=True)


def show_rate(name: str, count: int, found: Times, target: float, note: str = "") -> None:
    """One line: how many a second, and their target."""
    rate = count / found.median
    goal = f"target {target:,.0f}" + (" MISSED" if rate < target else "")
    print(f"  {name:<42} {rate:9,.0f} /s ({count / found.best:,.0f})  {goal:<18} {note}", flush=True)


class OutOfTime(Exception):
    """The limit of time is reached."""


def limited(function: Callable[[], object], seconds: float) -> float | None:
    """Seconds of a call; None where it is stopped."""

    def stop(signum: int, frame: object) -> None:
        raise OutOfTime

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    start = time.process_time()
    try:
        function()
        return time.process_time() - start
    except (OutOfTime, RecursionError):
        return None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# --- labelling --------------------------------------------------------------------------------------------------------


def labelled(net: Network) -> tuple:
    """The canonical form with the map of indices, which is what a certificate is made of."""
    return canonical(net, dict.fromkeys(net.indices(), "d"))


def paired_network(names: Sequence[str], rng: Random) -> Network:
    """Matrices and tensors of order 3, whatever the name says, their axes joined in pairs at random; two or three stay open."""
    tensors = [Tensor(name, ("d",) * (2 + sum(map(ord, name)) % 2)) for name in names]
    count = sum(len(tensor.shape) for tensor in tensors)
    left_open = 2 + count % 2
    axes = [*range(left_open), *(left_open + k // 2 for k in range(count - left_open))]
    rng.shuffle(axes)
    ends = iter(axes)
    return network(*((t, tuple(next(ends) for _ in t.shape)) for t in tensors), output=tuple(range(left_open)))


def symmetric_network(rng: Random) -> Network:
    """12 factors of one symmetric name: a random graph of 8 nodes and 12 edges."""
    return graph_network(nx.gnm_random_graph(8, 12, rng.randrange(10**9)))


def labelling() -> None:
    """Networks of 12 factors a second, the map of indices included; networkx decides isomorphism of a pair instead."""
    rng = Random(0)
    kinds = {
        "12 factors, distinct names": ([paired_network([f"T{k}" for k in range(12)], rng) for _ in range(500)], 10_000),
        "12 factors, three names": ([paired_network(rng.choices("ABC", k=12), rng) for _ in range(500)], 5_000),
        "12 factors, one symmetric name": ([symmetric_network(rng) for _ in range(500)], 2_000),
    }
    for name, (nets, target) in kinds.items():
        sized = [(net, dict.fromkeys(net.indices(), "d")) for net in nets]
        found = times(lambda sized=sized: [canonical(net, sizes) for net, sizes in sized], 15)
        pairs = [(incidence(net), incidence(scrambled(net, k))) for k, net in enumerate(nets[:50])]
        peer = times(lambda pairs=pairs: [nx.vf2pp_is_isomorphic(a, b, node_label="is") for a, b in pairs], 3)
        ratio = peer.median / len(pairs) / (2 * found.median / len(nets))
        show_rate(name, len(nets), found, target, f"networkx VF2++ on a pair: {ratio:.0f} times slower than two labellings")


def incidence(net: Network) -> nx.Graph:
    """The coloured graph whose isomorphisms are those of the network: indices, factors, and axes of factors."""
    graph = nx.Graph()
    for index in net.indices():
        graph.add_node(("index", index), **{"is": f"output {[k for k, i in enumerate(net.output) if i == index]}"})
    for k, factor in enumerate(net.factors):
        graph.add_node(("factor", k), **{"is": factor.operand.name})
        for axis, (index, label) in enumerate(zip(factor.indices, factor.operand.labels, strict=True)):
            graph.add_node(("axis", k, axis), **{"is": f"axis {label}"})
            graph.add_edges_from([(("factor", k), ("axis", k, axis)), (("axis", k, axis), ("index", index))])
    return graph


# --- hard graphs ------------------------------------------------------------------------------------------------------


def cai_fuerer_immerman(base: nx.Graph, twisted: bool) -> nx.Graph:
    """The graph of Cai, Fuerer and Immerman over a graph: even subsets of the edges at each node; one edge may be twisted."""
    graph = nx.Graph()
    for node in base:
        edges = [frozenset((node, other)) for other in base[node]]
        for size in range(0, len(edges) + 1, 2):
            for chosen in combinations(edges, size):
                graph.add_edges_from(((node, frozenset(chosen)), (node, edge, edge in chosen)) for edge in edges)
    for k, (a, b) in enumerate(base.edges):
        edge = frozenset((a, b))
        graph.add_edges_from(((a, edge, value), (b, edge, value ^ (twisted and k == 0))) for value in (False, True))
    return graph


def latin_square_graph(table: Callable[[int, int], int], order: int = 8) -> nx.Graph:
    """Cells of a Latin square, joined where row, column or symbol agree."""
    cells = [(a, b, table(a, b)) for a, b in product(range(order), repeat=2)]
    return nx.Graph((x, y) for x, y in combinations(cells, 2) if any(p == q for p, q in zip(x, y, strict=True)))


def hard_graphs() -> dict[str, nx.Graph]:
    """Graphs that colour refinement alone does not solve; a name with a stroke ends a pair that is not isomorphic."""
    cubic, ladder = nx.random_regular_graph(3, 20, 1), nx.circular_ladder_graph(10)
    out = {
        "two triangles": copies(nx.cycle_graph(3), 2),
        "/ hexagon": nx.cycle_graph(6),
        "ten triangles": HARD["ten triangles"],
        "/ five hexagons": HARD["five hexagons"],
        "rook(4,4)": HARD["rook"],
        "/ Shrikhande": HARD["Shrikhande"],
        "CFI of a cubic graph of 20": cai_fuerer_immerman(cubic, False),
        "/ the same, twisted": cai_fuerer_immerman(cubic, True),
        "CFI of a circular ladder": cai_fuerer_immerman(ladder, False),
        "/ the ladder's, twisted": cai_fuerer_immerman(ladder, True),
        "Latin square of Z_8": latin_square_graph(lambda a, b: (a + b) % 8),
        "/ Latin square of Z_2^3": latin_square_graph(lambda a, b: a ^ b),
        "48 equal factors (quartic 24)": nx.random_regular_graph(4, 24, 1),
        "cubic 20": cubic,
        "cubic 40": nx.random_regular_graph(3, 40, 1),
        "cubic 80": HARD["cubic 80"],
    }
    named = ("Petersen", "Q_4", "Q_6", "K_16", "Paley 29", "Paley 61", "PG(2,7)", "Hadamard 16")
    return out | {name: HARD[name] for name in named} | {"Hadamard 32": hadamard_graph(5)}


def hard() -> None:
    """One symmetric matrix on each edge of a graph: labelling it, renamed; networkx decides isomorphism of the two, or of a pair."""
    before: tuple[Network, set] | None = None
    for name, graph in hard_graphs().items():
        net = graph_network(graph)
        renamed = [scrambled(net, seed) for seed in range(5)]
        forms = {labelled(other).form for other in [net, *renamed]}
        other = before[0] if before and name.startswith("/") else renamed[0]
        wrong = len(forms) > 1 or (other is not renamed[0] and before[1] == forms)
        taken = iter(renamed)
        found = times(lambda taken=taken: labelled(next(taken)), len(renamed))
        peer = limited(lambda n=net, o=other: nx.vf2pp_is_isomorphic(plain_graph(n), plain_graph(o)), PEER_LIMIT)
        ratio = f"over {PEER_LIMIT:g} s" if peer is None else f"{peer * 1e3:.1f} ms, {peer / found.median:.1f} times ours"
        target = None if name in LARGER else 0.5
        show(f"{name} ({len(net.factors)} factors)", found, target, f"VF2++ {ratio}{'; WRONG FORM' * wrong}")
        before = net, forms


def plain_graph(net: Network) -> nx.Graph:
    """The graph of a network of matrices."""
    return nx.Graph(factor.indices for factor in net.factors)


# --- identities -------------------------------------------------------------------------------------------------------


class Case(NamedTuple):
    """A true identity and a near-miss: the same left side, or both sides, with something changed."""

    name: str
    lhs: sympy.Expr
    rhs: sympy.Expr
    near: sympy.Expr | tuple[sympy.Expr, sympy.Expr]
    given: Mapping[Any, Any] = {}

    def near_miss(self) -> tuple[sympy.Expr, sympy.Expr]:
        """Both sides of the near-miss."""
        return self.near if isinstance(self.near, tuple) else (self.lhs, self.near)


def cases() -> list[Case]:
    """Identities of under ten factors from papers on transformers, with a slip that a hand makes in each."""
    n, d, e, m, v, H = (Symbol(name, integer=True, positive=True) for name in "ndemvH")
    h = Symbol("h", integer=True, nonnegative=True)
    A, C, P = (MatrixSymbol(name, n, n) for name in "ACP")
    W, V, Q, K, R, J, Ji = (MatrixSymbol(name, d, d) for name in ("W", "V", "Q", "K", "R", "J", "Ji"))
    G, Gi, WO, U = MatrixSymbol("G", e, e), MatrixSymbol("Gi", e, e), MatrixSymbol("WO", d, e), MatrixSymbol("U", d, e)
    WV, t, WE, WU = MatrixSymbol("WV", e, d), MatrixSymbol("t", n, v), MatrixSymbol("WE", d, v), MatrixSymbol("WU", v, d)
    L1, L2, L3 = MatrixSymbol("L1", m, d), MatrixSymbol("L2", m, d), MatrixSymbol("L3", d, m)
    X, Y, x, y = MatrixSymbol("X", n, d), MatrixSymbol("Y", n, d), MatrixSymbol("x", d, 1), MatrixSymbol("y", d, 1)
    b, c, B = MatrixSymbol("b", m, 1), MatrixSymbol("c", m, 1), ArraySymbol("B", (d, d, d))
    F, WF, Id = MatrixFamily("F", H, n, n), MatrixFamily("WF", H, d, d), Identity(d)

    def kron(*factors: sympy.Expr) -> sympy.Expr:
        return KroneckerProduct(*factors)

    def layer(z: sympy.Expr, w: sympy.Expr) -> sympy.Expr:
        return L3 * HadamardProduct(L1 * z, L2 * w)

    def apply(z: sympy.Expr, w: sympy.Expr) -> sympy.Expr:
        return sc.contract("ijk,ja,ka->ia", B, z, w)

    cubic = HadamardProduct(L1 * x, L2 * x)
    defined = {B: sc.contract("ip,pj,pk->ijk", L3, L1, L2)}
    heads = MatrixSum(F[h] * X * WF[h].T, (h, 0, H - 1)) * Q
    swapped = MatrixSum(F[h] * X * WF[h].T * Q, (h, 0, H - 1)), MatrixSum(F[h] * X * WF[h] * Q, (h, 0, H - 1))
    return [
        Case("mixed product", kron(A, W) * kron(C, V), kron(A * C, W * V), kron(C * A, W * V)),
        Case("B13, three heads", kron(A, W) * kron(C, V) * kron(P, Q), kron(A * C * P, W * V * Q), kron(A * C * P, W * Q * V)),
        Case("B16, one head", (kron(A, W) + kron(Identity(n), Id)) * kron(C, V), kron(A * C, W * V) + kron(C, V), kron(A * C, W * V)),
        Case("vec", kron(A, W) * Vec(X), Vec(A * X * W.T), Vec(A * X * W)),
        Case("transposed product", (A * X * W).T, W.T * X.T * A.T, W * X.T * A.T),
        Case("square of a sum", (W + V) ** 2, W**2 + W * V + V * W + V**2, W**2 + 2 * W * V + V**2),
        Case("two residual layers", (Id + W) * (Id + V) * x, x + W * x + V * x + W * V * x, x + W * x + V * x + V * W * x),
        Case("scores of a sum", (X + Y) * Q * (X + Y).T, X * Q * X.T + X * Q * Y.T + Y * Q * X.T + Y * Q * Y.T,
             X * Q * X.T + 2 * X * Q * Y.T + Y * Q * Y.T),
        Case("sum over heads", heads, swapped[0], swapped[1]),
        Case("cyclic trace", Trace(W * V * Q), Trace(Q * W * V), Trace(W * Q * V)),
        Case("trace of heads", Trace(kron(A, W) * kron(C, V)), Trace(A * C) * Trace(W * V), Trace(A) * Trace(C) * Trace(W * V)),
        Case("trace of the identity", Trace(Id) * W, d * W, Trace(W) * Id),
        Case("square of a norm", Trace((W - V).T * (W - V)), Trace(W.T * W) - 2 * Trace(W.T * V) + Trace(V.T * V),
             Trace(W.T * W) - 2 * Trace(W * V) + Trace(V.T * V)),
        Case("square of a product", Trace(x.T * y) ** 2, Trace(x * x.T * y * y.T), Trace(x.T * x) * Trace(y.T * y)),
        Case("bilinear layer of a sum", layer(x + y, x + y), layer(x, x) + layer(x, y) + layer(y, x) + layer(y, y),
             layer(x, x) + 2 * layer(x, y) + layer(y, y)),
        Case("C10, biases", HadamardProduct(L1 * x + b, L2 * x + c),
             cubic + HadamardProduct(c, L1 * x) + HadamardProduct(b, L2 * x) + HadamardProduct(b, c),
             cubic + HadamardProduct(b, L1 * x) + HadamardProduct(c, L2 * x) + HadamardProduct(b, c)),
        Case("symmetric B", apply(x + y, x + y), apply(x, x) + 2 * apply(x, y) + apply(y, y), apply(x, x) + apply(x, y) + apply(y, y),
             {B: "symmetric(1,2)"}),
        Case("B of a layer", apply(x, y), layer(x, y), layer(y, x), defined),
        Case("antisymmetric form", x.T * K * x, ZeroMatrix(1, 1), (x.T * K * y, ZeroMatrix(1, 1)), {K: "antisymmetric(0,1)"}),
        Case("B12, values", WO * G * Gi * WV, WO * WV, (WO * G * Gi.T * WV, WO * WV), {G: "inverse(Gi)"}),
        Case("B12 of a head", kron(A, WO * G * Gi * WV) * Vec(X), Vec(A * X * WV.T * WO.T), Vec(A * X * WO * WV), {G: "inverse(Gi)"}),
        Case("B14, rotated stream", WU * R.T * R * WE, WU * WE, (WU * R * R * WE, WU * WE), {R: "orthonormal_columns"}),
        Case("projector", U * U.T * U * U.T * W, U * U.T * W, W, {U: "orthonormal_columns"}),
        Case("bias through a head", A * OneMatrix(n, 1) * x.T, OneMatrix(n, 1) * x.T, (A.T * OneMatrix(n, 1) * x.T, OneMatrix(n, 1) * x.T),
             {A: "row_stochastic"}),
        Case("one-hot tokens", HadamardProduct(t, t) * WE.T, t * WE.T, (t * t.T, Identity(n)), {t: "one_hot_rows"}),
        Case("gauge of a pair", J * W * Ji * J * V * Ji, J * W * V * Ji, J * V * W * Ji, {J: "inverse(Ji)"}),
    ]  # fmt: skip


def as_data(statement: Statement) -> dict:
    """The object of an identity file for a statement."""
    shapes = {name: [size for axis in axes for size in axis] for name, axes in statement.axes.items()}
    laws: dict[str, list[str]] = {}
    for law in statement.laws:
        laws.setdefault(law.tensor, []).append(str(law))
    defs = {name: data_terms(value) for name, value in statement.definitions.items()}
    shapes = {name: sizes for name, sizes in shapes.items() if name not in defs}
    return {"lhs": data_terms(statement.lhs), "rhs": data_terms(statement.rhs), "shapes": shapes, "given": laws, "defs": defs}


def data_terms(value: Open) -> list:
    """Terms ``[coefficient, [[inputs...], output], [names]]``; a size in a coefficient is a sum over an index that is not used."""
    out = []
    for term in value.terms:
        if term.scalar.monomial or set(term.legs) - {i for _, indices in term.factors for i in indices}:
            raise ValueError("the term has a scalar or an identity, which the file writes with tensors of their own")
        inputs = [[f"i{i}" for i in indices] for _, indices in term.factors]
        out.append(
            [str(term.scalar.rational), [inputs, [f"i{i}" for i in term.legs]], [tensor.name for tensor, _ in term.factors]]
        )
    return out


def identities() -> None:
    """Identities of under ten factors, from SymPy trees and from identity files; SymPy's answer: doit and expand of lhs - rhs."""
    proved: dict[str, list[float]] = {"SymPy trees": [], "files": []}
    refuted: dict[str, list[float]] = {"SymPy trees": [], "files": []}
    by_sympy: list[float] = []
    for case in cases():
        left, right = case.near_miss()
        row, verdicts = [], Counter()
        ways = {
            "SymPy trees": (
                lambda c=case: sc.prove(c.lhs, c.rhs, c.given),
                lambda a=left, b=right, c=case: sc.prove(a, b, c.given),
            ),
        }
        try:
            data = [as_data(statement_of(*sides, case.given)) for sides in ((case.lhs, case.rhs), (left, right))]
            ways["files"] = (lambda a=data[0]: sc.prove_identity(a), lambda a=data[1]: sc.prove_identity(a))
        except ValueError:
            pass
        for way, (true, false) in ways.items():
            verdicts[true().verdict] += 1
            near = false()
            verdicts[near.verdict] += 1
            if near.verdict == "refuted":
                verdicts["wrong witness"] += not near.witness.verify()
                verdicts["witness not minimal"] += not (near.witness.minimal or case.given)
            seconds = times(cold(true)), times(cold(false))
            proved[way].append(seconds[0].median)
            refuted[way].append(seconds[1].median)
            row += [f"{seconds[0].median * 1e3:5.2f} {seconds[1].median * 1e3:6.2f}"]
        own = sympy_answer(case)
        by_sympy += [own] if own is not None else []
        wrong = set(+verdicts) - {"proved", "refuted"} or verdicts["proved"] != verdicts["refuted"]
        shown = "-" if own is None else f"{own * 1e3:.2f}"
        print(
            f"  {case.name:<26} proved, refuted in ms: {' | '.join(row):<30} SymPy {shown:>6} {dict(+verdicts) if wrong else ''}"
        )
    for way in proved:
        for name, found, target in (("proved", proved[way], 0.002), ("refuted, with witness", refuted[way], 0.02)):
            summary = Times(statistics.median(found), min(found))
            over = sum(seconds > target for seconds in found)
            show(
                f"median {name}, {way}",
                summary,
                target,
                f"{over} of {len(found)} over the target, slowest {max(found) * 1e3:.1f} ms",
            )
    total = len(cases())
    print(
        f"  SymPy reduces lhs - rhs to 0 for {len(by_sympy)} of {total}, median {statistics.median(by_sympy) * 1e3:.2f} ms; it refutes none"
    )


def cold(function: Callable[[], object]) -> Callable[[], object]:
    """A call after which SymPy remembers nothing of it."""

    def run() -> object:
        value = function()
        clear_cache()
        return value

    return run


def sympy_answer(case: Case) -> float | None:
    """Seconds in which SymPy finds that lhs - rhs is 0, with or without combining Kronecker products; None where it does not."""
    if case.given:
        return None
    for prepare in (lambda side: side, combine_kronecker):

        def is_zero(prepare: Callable = prepare) -> bool:
            clear_cache()
            difference = sympy.expand((prepare(case.lhs) - prepare(case.rhs)).doit()).doit()
            return difference == 0 or getattr(difference, "is_ZeroMatrix", False)

        try:
            if is_zero():
                return times(is_zero, 3).median
        except (AttributeError, NotImplementedError, TypeError, ValueError):
            continue
    return None


# --- expansions -------------------------------------------------------------------------------------------------------

MODELS = {"attn(12)*3": 0.1, "bilinear*3": 0.01, "bilinear*4": 0.5}


def keys() -> None:
    """Path terms keyed bottom up, a second, against a bare dictionary that numbers the same keys."""
    for model, target in (("attn(12)*4", 500_000), ("bilinear*4", 500_000), ("bilinear(tied)*5", 100_000)):
        expansion = sc.path_expansion(model)
        trees = Trees()
        interpret_grammar(expansion.grammar, trees)
        found = times(lambda e=expansion: interpret_grammar(e.grammar, Trees()))
        limit = times(lambda made=list(trees.numbers): numbered(made))
        ratio = f"{found.median / limit.median:.1f} times the time of a bare dictionary"
        show_rate(f"{model}, {len(trees.numbers):,} trees", len(trees.numbers), found, target, ratio)


def numbered(made: list[tuple]) -> dict[tuple, int]:
    """Keys, numbered."""
    known: dict[tuple, int] = {}
    for key in made:
        known.setdefault(key, len(known))
    return known


def expansions() -> None:
    """Every term of a model listed and keyed, and proved equal to the model; SymPy expands words of noncommutative symbols."""
    for model, target in MODELS.items():
        count = sc.path_expansion(model).number_of_terms
        found = times(lambda m=model: total_of_terms(sc.path_expansion(m), Trees()))
        peer = times(lambda m=model: expand_by_sympy(m), 3)
        ratio = f"SymPy expands in {peer.median * 1e3:.1f} ms, {peer.median / found.median:.0f} times ours"
        show(f"{model}, {count:,} terms: expanded", found, target, ratio)
        proof = times(lambda m=model: sc.path_expansion(m).prove())
        verdict = sc.path_expansion(model).prove().verdict
        show(
            "  proved" if verdict == "proved" else f"  {verdict.upper()}",
            proof,
            2 * target,
            f"{proof.median / found.median:.2f} times expanded (target 2)",
        )
        general = times(lambda m=model: expanded_networks(m), 3)
        show("  as networks, labelled one by one", general, None, f"{count / general.median:,.0f} terms/s")
        if sc.path_expansion(model).path_classes().number_of_terms < 100:
            closed = times(lambda m=model: sc.path_expansion(m).prove("matrix"), 3)
            show("  closed form in SymPy, proved", closed, None)
        certified = times(lambda m=model: sc.path_expansion(m).prove().certificate, 1)
        show("  proved, with certificate", certified, None)


def expanded_networks(model: str) -> Polynomial:
    """The sum of all terms as networks, collected by their canonical forms: what serves any expression, not only path terms."""
    expansion = sc.path_expansion(model)
    return Polynomial.collect(interpret_grammar(expansion.grammar, Networks(expansion.tensors))[-1])


def expand_by_sympy(model: str) -> sympy.Expr:
    """SymPy's expand of X + sum_h a_h X and of X + L X R X, from an empty cache; letters before and between tell the terms apart."""
    clear_cache()
    stream = sympy.Symbol("x", commutative=False)
    for layer, block in enumerate(sc.path_expansion(model).model.steps):
        stream = stream_after(stream, layer, getattr(block.blocks[0].spec, "heads", 0))
    return sympy.expand(stream)


def stream_after(stream: sympy.Expr, layer: int, heads: int) -> sympy.Expr:
    """The stream after a layer of heads, or after a bilinear one."""
    if heads:
        return (1 + sympy.Add(*(sympy.Symbol(f"a{layer}_{k}", commutative=False) for k in range(heads)))) * stream
    left, right = (sympy.Symbol(f"{side}{layer}", commutative=False) for side in "LR")
    return stream + left * stream * right * stream


# --- tensorgrad -------------------------------------------------------------------------------------------------------


def tensorgrad(python: str | None, limit: float) -> None:
    """Seconds to expand and to compare two shuffled expansions, here by the shared route and as networks, and in tensorgrad 0.3.0."""
    if python is None:
        print("  not run: --peer names the Python of an environment that has it")
        return
    script = Path(__file__).with_name("tensorgrad_peer.py")
    with subprocess.Popen([python, str(script), str(limit)], stdout=subprocess.PIPE, text=True) as process:
        rows = [json.loads(line) for line in process.stdout or ()]
    if process.returncode:
        print(f"  FAILED: {script.name} exited with {process.returncode}")
    for row in rows:
        print(f"  {row['case']:<18} tensorgrad, {row['mode']:<12} expand {in_seconds(row, 'expand', limit)}  equal {in_seconds(row, 'equal', limit)}"
              f"  {ours(row, limit)}{'' if row['found'] in (True, None) else '  WRONG: not equal'}", flush=True)  # fmt: skip


def in_seconds(row: Mapping[str, Any], key: str, limit: float) -> str:
    """A time of a row of tensorgrad."""
    if row[key] is not None:
        return f"{row[key]:8.4f} s"
    if key == "expand" and row["mode"] == "as it comes" and row["terms"] == 1:
        return "       -  "
    return f"over {limit:3g} s" if key == "expand" or row["terms"] is not None else "       -  "


GRAPHS = {
    "ring of 12": lambda: nx.cycle_graph(12),
    "cubic 12": lambda: nx.random_regular_graph(3, 12, 1),
    "Petersen": nx.petersen_graph,
}


def ours(row: Mapping[str, Any], limit: float) -> str:
    """What the package takes for a case of tensorgrad."""
    if row["case"] in GRAPHS:
        one = graph_network(GRAPHS[row["case"]]())
        other = scrambled(one, 1)
        equal = times(lambda: labelled(one).form == labelled(other).form).median
        return f"ours equal {equal:.5f} s, {(row['equal'] or limit) / equal:,.0f} times{'+' * (row['equal'] is None)}"
    model = row["case"]
    expansion = sc.path_expansion(model)
    listed = times(lambda: total_of_terms(sc.path_expansion(model), Trees()), 5).median
    general = times(lambda: expanded_networks(model), 3).median
    terms = list(expansion)
    lists = [Random(seed).sample(terms, len(terms)) for seed in (1, 2)]
    equal = times(lambda: shuffled_are_equal(lists), 5).median
    same = "" if row["terms"] in (None, len(terms)) else f"  TERMS DIFFER: {row['terms']} there, {len(terms)} here"
    slower = f"{(row['expand'] or limit) / listed:,.0f} and {(row['expand'] or limit) / general:,.0f} times{'+' * (row['expand'] is None)}"
    return f"ours expand {listed:.5f} s, as networks {general:.4f} s: {slower}; equal {equal:.5f} s{same}"


def shuffled_are_equal(lists: Sequence[Sequence[sc.Term]]) -> bool:
    """Whether two lists of terms have one sum."""
    trees, sums = Trees(), []
    for terms in lists:
        known: dict = {}
        total: Counter = Counter()
        for term in terms:
            total.update(fold(term, trees, known))
        sums.append(total)
    return sums[0] == sums[1]


BENCHMARKS = [labelling, hard, identities, keys, expansions]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=", ".join([*(b.__name__ for b in BENCHMARKS), "tensorgrad"]))
    parser.add_argument("--peer", help="the Python of an environment that has tensorgrad 0.3.0")
    parser.add_argument("--limit", type=float, default=60, help="seconds that tensorgrad is given for a case")
    options = parser.parse_args()
    for benchmark in BENCHMARKS:
        if not options.names or benchmark.__name__ in options.names:
            print(f"{benchmark.__name__}: {benchmark.__doc__}")
            benchmark()
    if not options.names or "tensorgrad" in options.names:
        print(f"tensorgrad: {tensorgrad.__doc__}")
        tensorgrad(options.peer, options.limit)


if __name__ == "__main__":
    main()
