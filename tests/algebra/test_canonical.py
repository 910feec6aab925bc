"""Canonical forms: equal for renamed and shuffled networks, different where values differ, on easy and hard graphs."""

import random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic_circuits.algebra.canonical import canonical
from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import ShapeError

S = Tensor("S", ("d", "d"), symmetric=((0, 1),))
K = Tensor("K", ("d", "d"), antisymmetric=((0, 1),))
A = Tensor("A", ("d", "d"))
B = Tensor("B", ("d", "d", "d"))
T = Tensor("T", ("d", "d", "d"), symmetric=((1, 2),))
E = Tensor("E", ("d", "d", "d"), antisymmetric=((0, 1, 2),))
V = Tensor("v", ("d",))


def network(*factors: tuple[Tensor, tuple[int, ...]], output: tuple[int, ...] = ()) -> Network:
    return Network(tuple(Factor(tensor, indices) for tensor, indices in factors), output)


def form(net: Network):
    return canonical(net, dict.fromkeys(net.indices(), "d"))


def scrambled(net: Network, seed: int) -> Network:
    """The same network, indices renamed, factors shuffled, exchangeable axes exchanged (symmetric ones only)."""
    generator = random.Random(seed)
    old = list(net.indices())
    new = dict(zip(old, generator.sample(range(10_000), len(old)), strict=True))
    factors = []
    for factor in net.factors:
        indices = [new[i] for i in factor.indices]
        for group in factor.operand.symmetric:
            for axis, index in zip(group, generator.sample([indices[a] for a in group], len(group)), strict=True):
                indices[axis] = index
        factors.append(Factor(factor.operand, tuple(indices)))
    generator.shuffle(factors)
    return Network(tuple(factors), tuple(new[i] for i in net.output))


def arrays(size: int, seed: int) -> dict[str, np.ndarray]:
    """Random integer tensors with their symmetries."""
    generator = np.random.default_rng(seed)

    def draw(order: int) -> np.ndarray:
        return generator.integers(-5, 6, (size,) * order).astype(object)

    s, k, t, e = draw(2), draw(2), draw(3), draw(3)
    signed = sum(np.linalg.det(np.eye(3)[list(p)]).round().astype(int) * e.transpose(p) for p in permutations())
    return {"S": s + s.T, "K": k - k.T, "A": draw(2), "B": draw(3), "T": t + t.transpose(0, 2, 1), "E": signed, "v": draw(1)}


def permutations() -> list[tuple[int, ...]]:
    return [(0, 1, 2), (1, 2, 0), (2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0)]


def value(net: Network, known: dict[str, np.ndarray], size: int) -> np.ndarray:
    """The tensor of a network, by explicit loops over all indices."""
    indices = list(net.indices())
    out = np.zeros((size,) * len(net.output), dtype=object)
    for values in np.ndindex(*[size] * len(indices)):
        at = dict(zip(indices, values, strict=True))
        product = 1
        for factor in net.factors:
            product *= known[factor.operand.name][tuple(at[i] for i in factor.indices)]
        out[tuple(at[i] for i in net.output)] += product
    return out


@st.composite
def networks(draw: st.DrawFn, max_factors: int = 4, max_indices: int = 4) -> Network:
    count = draw(st.integers(1, max_indices))
    index = st.integers(0, count - 1)
    factors = []
    for tensor in draw(st.lists(st.sampled_from([S, K, A, B, T, E, V]), min_size=1, max_size=max_factors)):
        factors.append((tensor, tuple(draw(index) for _ in tensor.shape)))
    used = sorted({i for _, indices in factors for i in indices})
    output = draw(st.lists(st.sampled_from(used), max_size=2))
    return network(*factors, output=tuple(output))


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (network((A, (0, 1)), (A, (1, 2)), output=(0, 2)), network((A, (5, 3)), (A, (4, 5)), output=(4, 3)), True),
        (network((A, (0, 1)), output=(0, 1)), network((A, (1, 0)), output=(0, 1)), False),
        (network((S, (0, 1)), output=(0, 1)), network((S, (1, 0)), output=(0, 1)), True),
        (network((A, (0, 1)), (A, (1, 2)), (A, (2, 0))), network((A, (1, 2)), (A, (2, 0)), (A, (0, 1))), True),
        (network((A, (0, 1)), (A, (0, 1))), network((A, (0, 1)), (A, (1, 0))), False),
        (network((T, (0, 1, 2)), (V, (1,))), network((T, (0, 2, 1)), (V, (1,))), True),
        (network((B, (0, 1, 2)), (V, (1,))), network((B, (0, 2, 1)), (V, (1,))), False),
        (network((V, (0,)), (V, (0,))), network((V, (0,)), (V, (1,))), False),
        (network((A, (0, 0))), network((A, (0, 1))), False),
        (network((V, (0,)), output=(0, 0)), network((V, (0,)), output=(0,)), False),
    ],
)
def test_pairs(left: Network, right: Network, same: bool) -> None:
    assert (form(left).form == form(right).form) is same


@pytest.mark.parametrize(
    ("net", "sign"),
    [
        (network((K, (0, 0))), 0),
        (network((K, (0, 1)), (S, (0, 1))), 0),
        (network((K, (0, 1)), (V, (0,)), (V, (1,))), 0),
        (network((E, (0, 1, 2)), (S, (0, 1)), (V, (2,))), 0),
        (network((K, (0, 1)), (K, (1, 2)), (K, (2, 0))), 0),
    ],
)
def test_networks_that_are_zero(net: Network, sign: int) -> None:
    assert form(net).sign == sign


@pytest.mark.parametrize(
    ("left", "right", "ratio"),
    [
        (network((K, (0, 1)), output=(0, 1)), network((K, (1, 0)), output=(0, 1)), -1),
        (network((K, (0, 1)), (A, (0, 1))), network((K, (0, 1)), (A, (1, 0))), -1),
        (network((K, (0, 1)), (K, (0, 1))), network((K, (0, 1)), (K, (1, 0))), -1),
        (network((E, (2, 0, 1)), output=(0, 1, 2)), network((E, (0, 1, 2)), output=(0, 1, 2)), 1),
        (network((E, (1, 0, 2)), output=(0, 1, 2)), network((E, (0, 1, 2)), output=(0, 1, 2)), -1),
        (network((K, (0, 1)), (K, (1, 2)), output=(0, 2)), network((K, (1, 0)), (K, (2, 1)), output=(0, 2)), 1),
    ],
)
def test_signs(left: Network, right: Network, ratio: int) -> None:
    one, other = form(left), form(right)
    assert one.form == other.form and one.sign * other.sign == ratio


@given(networks(), st.integers(0, 1000))
def test_scrambling_changes_nothing(net: Network, seed: int) -> None:
    one, other = form(net), form(scrambled(net, seed))
    assert one.form == other.form or one.sign == other.sign == 0
    assert (one.sign == 0) == (other.sign == 0)


@given(networks(3, 3))
def test_the_form_has_the_value_of_the_network(net: Network) -> None:
    found, known = form(net), arrays(3, 7)
    factors, output, _ = found.form
    canonical_network = network(*factors, output=output)
    renamed = {found.indices[i] for i in net.indices()}
    assert renamed == set(range(len(renamed)))
    expected = value(net, known, 3)
    if found.sign == 0:
        assert not expected.any()
    else:
        assert (found.sign * value(canonical_network, known, 3) == expected).all()
    if found.sign:
        again = form(canonical_network)
        assert again.form == found.form


@given(networks(3, 3), networks(3, 3))
def test_different_forms_have_different_values(left: Network, right: Network) -> None:
    one, other = form(left), form(right)
    if len(left.output) != len(right.output) or not (one.sign and other.sign):
        return
    equal = (value(left, arrays(4, 1), 4) == one.sign * other.sign * value(right, arrays(4, 1), 4)).all()
    assert equal == (one.form == other.form)


def graph_network(graph: nx.Graph, tensor: Tensor = S) -> Network:
    number = {vertex: k for k, vertex in enumerate(graph)}
    return network(*((tensor, (number[a], number[b])) for a, b in graph.edges))


def shrikhande() -> nx.Graph:
    graph = nx.Graph()
    for a in range(4):
        for b in range(4):
            for x, y in ((0, 1), (1, 0), (1, 1)):
                graph.add_edge((a, b), ((a + x) % 4, (b + y) % 4))
    return graph


def paley(prime: int) -> nx.Graph:
    squares = {x * x % prime for x in range(1, prime)}
    return nx.Graph((a, b) for a in range(prime) for b in range(a) if (a - b) % prime in squares)


def plane(q: int) -> nx.Graph:
    points = [(1, a, b) for a in range(q) for b in range(q)] + [(0, 1, a) for a in range(q)] + [(0, 0, 1)]
    meet = lambda p, line: sum(x * y for x, y in zip(p, line, strict=True)) % q == 0  # noqa: E731
    return nx.Graph((("point", p), ("line", line)) for p in points for line in points if meet(p, line))


def hadamard_graph(order: int) -> nx.Graph:
    rows = [[1]]
    for _ in range(order):
        rows = [r + r for r in rows] + [r + [-x for x in r] for r in rows]
    graph = nx.Graph()
    for i, row in enumerate(rows):
        for j, sign in enumerate(row):
            graph.add_edges_from([(("r", i, 1), ("c", j, sign)), (("r", i, -1), ("c", j, -sign))])
        graph.add_edges_from([(("r", i, 1), ("r", i, -1)), (("c", i, 1), ("c", i, -1))])
    return graph


def copies(graph: nx.Graph, count: int) -> nx.Graph:
    return nx.disjoint_union_all([graph] * count)


HARD = {
    "Shrikhande": shrikhande(),
    "rook": nx.line_graph(nx.complete_bipartite_graph(4, 4)),
    "Petersen": nx.petersen_graph(),
    "K_16": nx.complete_graph(16),
    "Q_4": nx.hypercube_graph(4),
    "Q_6": nx.hypercube_graph(6),
    "ten triangles": copies(nx.cycle_graph(3), 10),
    "five hexagons": copies(nx.cycle_graph(6), 5),
    "cubic 80": nx.random_regular_graph(3, 80, 1),
    "Paley 29": paley(29),
    "Paley 61": paley(61),
    "PG(2,7)": plane(7),
    "Hadamard 16": hadamard_graph(4),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_graphs_keep_their_form(name: str) -> None:
    net = graph_network(HARD[name])
    assert form(net).form == form(scrambled(net, 5)).form


@pytest.mark.parametrize(("left", "right"), [("Shrikhande", "rook"), ("ten triangles", "five hexagons")])
def test_regular_graphs_that_refinement_does_not_tell_apart(left: str, right: str) -> None:
    assert len(HARD[left].edges) == len(HARD[right].edges)
    assert form(graph_network(HARD[left])).form != form(graph_network(HARD[right])).form


@pytest.mark.parametrize("seed", range(20))
def test_cubic_graphs_are_told_apart_as_networkx_does(seed: int) -> None:
    one, other = nx.random_regular_graph(3, 10, seed), nx.random_regular_graph(3, 10, seed + 100)
    equal = form(graph_network(one)).form == form(graph_network(other)).form
    assert equal == nx.is_isomorphic(one, other)


def test_symmetries_that_are_none() -> None:
    Tensor("S", ("d", "d"), symmetric=((0, 1),))
    with pytest.raises(ShapeError, match=r"axes \(0, 1\) of S are exchanged, but their sizes are \['d', 'm'\]"):
        Tensor("S", ("d", "m"), symmetric=((0, 1),))
    with pytest.raises(ShapeError, match=r"S has axes 0 to 1; a symmetry names \(0, 2\)"):
        Tensor("S", ("d", "d"), symmetric=((0, 2),))
    with pytest.raises(ShapeError, match="belongs to two groups"):
        Tensor("S", ("d", "d", "d"), symmetric=((0, 1),), antisymmetric=((1, 2),))
