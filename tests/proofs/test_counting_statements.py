r"""Statements of proofs/counting-and-deciding.md that are no algebraic identities: trees by brute force, zeros counted, exact integers.

A term is a tree of tuples: ``"x"`` the input, ``(layer, "mlp", left, right)``, ``(layer, head, term)``. All evaluations are in exact
integers or modulo a prime.
"""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import combinations, pairwise, permutations, product
from math import prod

import networkx
import numpy as np
import pytest
import sympy
from sympy.combinatorics import Permutation

import symbolic_circuits as sc

z = sympy.Symbol("z")
PRIME = 10_007


def bilinear(terms: list, layer: int, inputs: int = 2) -> list:
    """What is there, and every choice of inputs for one more layer."""
    return terms + [(layer, "mlp", *chosen) for chosen in product(terms, repeat=inputs)]


def heads_of(terms: list, layer: int, heads: int) -> list:
    return terms + [(layer, head, term) for head in range(heads) for term in terms]


def trees(layers: int, heads: int = 0, inputs: int = 2) -> list:
    """All terms, layer by layer."""
    terms = ["x"]
    for layer in range(layers):
        terms = bilinear(heads_of(terms, layer, heads), layer, inputs)
    return terms


def mirrored(term: object) -> object:
    """The children of each bilinear node sorted: one tree for all that differ by exchanging inputs."""
    if term == "x":
        return term
    layer, kind, *children = term
    children = [mirrored(child) for child in children]
    return (layer, kind, *(sorted(children, key=repr) if kind == "mlp" else children))


def leaves(term: object) -> int:
    return 1 if term == "x" else sum(map(leaves, term[2:]))


def recursion(step: object, count: int) -> list[int]:
    values = [1]
    while len(values) < count:
        values.append(step(values[-1]))
    return values


def counted(text: str, layers: int) -> list[int]:
    """What the package counts, for 0, 1, 2, ... blocks."""
    return [sc.path_expansion(f"({text})*{k}" if k else "").number_of_terms for k in range(layers)]


# how many terms


def test_ordered_terms():
    """E1: 1, 2, 6, 42, 1806, 3263442."""
    expected = [1, 2, 6, 42, 1806, 3263442]
    assert [len(set(trees(k))) for k in range(5)] == expected[:5]
    assert recursion(lambda a: a + a**2, 6) == counted("bilinear", 6) == expected


def test_unordered_terms():
    """E2: 1, 2, 5, 20, 230, 26795, 359026205, and not 1, 2, 4, 11, 67, 2279, which forgets the layers."""
    expected = [1, 2, 5, 20, 230, 26795, 359026205]
    assert [len({mirrored(term) for term in trees(k)}) for k in range(5)] == expected[:5]
    assert recursion(lambda u: u + u * (u + 1) // 2, 7) == counted("bilinear(tied)", 7) == expected

    def without_layers(term):
        return term if term == "x" else tuple(sorted(map(without_layers, term[2:]), key=repr))

    unlabelled = [1, 2, 4, 11, 67, 2279]
    assert [len({without_layers(term) for term in trees(k)}) for k in range(5)] == unlabelled[:5]
    assert recursion(lambda u: u * (u + 1) // 2 + 1, 6) == unlabelled


def test_terms_with_heads():
    """E3: T -> (1 + H) T -> that and its square."""
    for heads, layers, expected in [(1, 1, 6), (1, 2, 156), (12, 1, 182), (2, 2, 12 * 3 + (12 * 3) ** 2), (3, 1, 20)]:
        assert len(set(trees(layers, heads))) == expected == counted(f"attn({heads}) bilinear", layers + 1)[layers]
    assert counted("attn(1) bilinear", 4) == [1, 6, 156, 97656]
    assert counted("attn(12) bilinear", 3) == [1, 182, 5600322]
    for heads in range(1, 20):
        one, two = counted(f"attn({heads}) bilinear", 3)[1:]
        assert one == (1 + heads) * (2 + heads)
        assert two == (1 + heads) ** 2 * (2 + heads) * (heads**3 + 4 * heads**2 + 5 * heads + 3)


def test_unordered_terms_with_heads():
    """E4: 5 and 65 with one head."""
    for heads, layers, expected in [(1, 1, 5), (1, 2, 65), (2, 1, 9), (3, 1, 14)]:
        assert len({mirrored(term) for term in trees(layers, heads)}) == expected
        assert counted(f"attn({heads}) bilinear(tied)", layers + 1)[layers] == expected
    for heads in range(1, 20):
        one, two = counted(f"attn({heads}) bilinear(tied)", 3)[1:]
        assert 2 * one == (1 + heads) * (4 + heads)
        assert 8 * two == (1 + heads) ** 2 * (4 + heads) * (heads**3 + 6 * heads**2 + 9 * heads + 10)


@pytest.mark.parametrize("heads", [(2,), (1, 1, 1), (2, 3), (2, 3, 4)])
def test_attention_only_paths(heads):
    """E5: prod (1 + H_l) paths; a query and a key choose theirs independently."""
    below = list(product(*[[None, *range(count)] for count in heads]))
    text = " ".join(f"attn({count})" for count in heads)
    assert len(below) == prod(1 + count for count in heads) == sc.path_expansion(text).number_of_terms
    circuit = list(product(below, repeat=2))
    assert len(set(circuit)) == prod(1 + count for count in heads) ** 2
    rng = np.random.default_rng(len(heads))
    X, Q = rng.integers(-3, 4, (2, 2)), rng.integers(-3, 4, (2, 2))
    patterns, maps = ([rng.integers(-3, 4, (count, 2, 2)) for count in heads] for _ in range(2))

    def along(path):
        stream = X
        for head, A, M in zip(path, patterns, maps, strict=True):
            stream = stream if head is None else A[head] @ stream @ M[head].T
        return stream

    full = X
    for A, M in zip(patterns, maps, strict=True):
        full = full + sum(a @ full @ b.T for a, b in zip(A, M, strict=True))
    streams = {path: along(path) for path in below}
    assert np.array_equal(sum(streams[query] @ Q @ streams[key].T for query, key in circuit), full @ Q @ full.T)


# by degree


def test_degrees():
    """E6: leaves of the trees, against the recursion and the package."""
    ordered = [
        z,
        z + z**2,
        z + 2 * z**2 + 2 * z**3 + z**4,
        z + 3 * z**2 + 6 * z**3 + 9 * z**4 + 10 * z**5 + 8 * z**6 + 4 * z**7 + z**8,
    ]
    for k, expected in enumerate(ordered):
        assert sympy.expand(sum(z ** leaves(term) for term in trees(k)) - expected) == 0
        assert sympy.expand(sc.path_expansion(f"bilinear*{k}" if k else "").count_by("degree") - expected) == 0
    unordered = [{mirrored(term) for term in trees(k)} for k in range(4)]
    polynomials = [sympy.expand(sum(z ** leaves(term) for term in terms)) for terms in unordered]
    assert polynomials[2] == z + 2 * z**2 + z**3 + z**4
    assert [polynomial.subs(z, 1) for polynomial in polynomials] == [1, 2, 5, 20]
    for k, (low, high) in enumerate(pairwise(polynomials)):
        assert sympy.expand(low + (low**2 + low.subs(z, z**2)) / 2 - high) == 0
        assert sympy.expand(sc.path_expansion(f"bilinear(tied)*{k + 1}").count_by("degree") - high) == 0


def test_every_degree_occurs():
    """E7: 1..2^L with residual stream; 2^L alone without."""
    for k in range(5):
        assert {leaves(term) for term in trees(k)} == set(range(1, 2**k + 1))
        if k:
            assert sc.path_expansion(f"bilinear(no residual)*{k}").count_by("degree") == z ** (2**k)
    degrees = sympy.Poly(sc.path_expansion("bilinear*5").count_by("degree"), z).monoms()
    assert sorted(k for (k,) in degrees) == list(range(1, 33))


# unfrozen attention, growth


@pytest.mark.parametrize(("inputs", "expected"), [(3, [1, 2, 10, 1010]), (5, [1, 2, 34, 45435458])])
def test_unfrozen_attention(inputs, expected):
    """E8: T + T^3 and T + T^5; the terms of two layers add up to the forward pass."""
    assert recursion(lambda terms: terms + terms**inputs, 4) == expected
    for layers in (1, 2) if inputs == 5 else (1, 2, 3):
        assert len(set(trees(layers, inputs=inputs))) == expected[layers]
    rng = np.random.default_rng(inputs)
    X = rng.integers(0, PRIME, (3, 2)).astype(object)
    weights = rng.integers(0, PRIME, (2, inputs // 2 + 1, 2, 2)).astype(object)

    def head(layer, *streams):
        scores = np.ones((3, 3), dtype=object)
        for k in range(inputs // 2):
            scores = scores * (streams[2 * k] @ weights[layer, k] @ streams[2 * k + 1].T) % PRIME
        return scores @ streams[-1] @ weights[layer, -1].T % PRIME

    forward = X
    for layer in range(2):
        forward = (forward + head(layer, *[forward] * inputs)) % PRIME

    @cache
    def index(term):
        return X if term == "x" else head(term[0], *map(index, term[2:]))

    terms = trees(2, inputs=inputs)
    assert np.array_equal(sum(map(index, terms)) % PRIME, forward)
    assert not np.array_equal(sum(map(index, terms[:-1])) % PRIME, forward)


def test_growth():
    """E9: a_L is c^(2^L) - 1/2 rounded down, c = 1.5979..., so that its digits double with every layer."""
    values = recursion(lambda a: a + a**2, 12)
    assert all(Fraction(b) + Fraction(1, 2) == (a + Fraction(1, 2)) ** 2 + Fraction(1, 4) for a, b in pairwise(values))
    roots = [sympy.root(sympy.Integer(a) + sympy.Rational(1, 2), 2**k).evalf(60) for k, a in enumerate(values)]
    assert all(low < high for low, high in pairwise(roots[:8]))
    assert abs(roots[-1] - sympy.Float("1.5979102180318731783")) < 1e-18
    assert [int(roots[-1] ** (2**k) - sympy.Rational(1, 2)) for k in range(7)] == values[:7]
    assert 1.99 < len(str(values[-1])) / len(str(values[-2])) < 2.01


# by evaluation


def zeros(polynomial: object, prime: int, variables: int) -> int:
    """How many points modulo a prime are zeros, by trying all."""
    points = np.indices((prime,) * variables).reshape(variables, -1)
    return int(np.count_nonzero(polynomial(*points) % prime == 0))


def test_schwartz_zippel():
    """E10: at most D/p of all points are zeros; attained; void for p <= D; a vector needs one coordinate; denominators."""
    rng = np.random.default_rng(10)
    for prime, variables, degree in [(7, 1, 3), (7, 2, 4), (5, 3, 3), (11, 2, 10)]:
        monomials = [powers for powers in product(range(degree + 1), repeat=variables) if sum(powers) <= degree]
        for _ in range(20):
            coefficients = rng.integers(0, prime, len(monomials))
            coefficients[-1 - rng.integers(len(monomials))] = 1  # not zero

            def polynomial(*xs, coefficients=coefficients, monomials=monomials):
                return sum(
                    c * prod(x**k for x, k in zip(xs, ks, strict=True)) for c, ks in zip(coefficients, monomials, strict=True)
                )

            assert zeros(polynomial, prime, variables) <= degree * prime ** (variables - 1)
    for degree in range(1, 7):
        assert zeros(lambda x, y, degree=degree: prod(x - k for k in range(degree)) + 0 * y, 7, 2) == degree * 7
    assert zeros(lambda x: x**7 - x, 7, 1) == 7  # degree 7 is too large for the prime 7
    commuting = sum(
        (np.array_equal(a @ b % 3, b @ a % 3))
        for a, b in product(np.array(list(product(range(3), repeat=4))).reshape(-1, 2, 2), repeat=2)
    )
    assert commuting == 3**6 + 3**5 - 3**3 and Fraction(commuting, 3**8) <= Fraction(2, 3)  # MN = NM, a matrix of degree 2
    assert zeros(lambda x, y: 0 * x, 5, 2) == 25 and zeros(lambda x, y: x * y, 5, 2) == 9  # (0, xy): one coordinate is enough
    assert pow(2, -1, 7) * (3 + 3) % 7 == 3  # (x + x)/2 = x
    with pytest.raises(ValueError, match="not invertible"):
        pow(2, -1, 2)


def power_of_scaling(expression: object, operands: int, size: int, prime: int = PRIME) -> int:
    """The degree in s of expression(s A, s B, ...) modulo a prime: the order of the first constant difference."""
    rng = np.random.default_rng(operands)
    matrices = rng.integers(0, prime, (operands, size, size)).astype(object)
    values = [np.array(expression(*(s * matrices))) % prime for s in range(12)]
    degree = -1
    while any(np.any(value) for value in values):
        values = [(high - low) % prime for low, high in pairwise(values)]
        degree += 1
    return degree


def test_degree_of_an_identity():
    """E11: the largest number of operands in a term, at the sizes that are drawn only."""

    def cayley(M):
        return 2 * M @ M - 2 * np.trace(M) * M + (np.trace(M) ** 2 - np.trace(M @ M)) * np.eye(len(M), dtype=object)

    cases = [
        (lambda M, N: M @ N - N @ M, 2, 2),
        (lambda M, N: M + M @ N @ M, 2, 3),
        (lambda M, N: np.trace(M @ N) * np.trace(N) + np.trace(M), 2, 3),
        (lambda M, N, K: (M @ N @ K - K @ N @ M) * (M + K), 3, 4),
        (lambda M, N: M @ M - M @ M + N, 2, 1),  # what cancels does not count
    ]
    for expression, operands, degree in cases:
        assert power_of_scaling(expression, operands, 3) == degree
    assert power_of_scaling(cayley, 1, 3) == 2
    assert power_of_scaling(cayley, 1, 2) == -1  # zero: nothing is said about size three


def word(letters: str, matrices: dict) -> int:
    value = np.eye(len(matrices["a"]), dtype=object)
    for letter in letters:
        value = value @ matrices[letter]
    return int(np.trace(value))


def is_rotation(one: str, other: str) -> bool:
    return other in one + one


def test_equality_at_some_sizes():
    """E12: Cayley-Hamilton, antisymmetric tensors, words and reversed words, commuting matrices: each at its sizes only."""
    rng = np.random.default_rng(12)

    def drawn(size):
        return {letter: rng.integers(-5, 6, (size, size)).astype(object) for letter in "abc"}

    for size in range(1, 5):
        A, B = drawn(size)["a"], drawn(size)["b"]
        eye = np.eye(size, dtype=object)
        polynomial = 2 * A @ A - 2 * np.trace(A) * A + (np.trace(A) ** 2 - np.trace(A @ A)) * eye
        assert np.any(polynomial) == (size > 2)
        assert np.any(A @ B - B @ A) == (size > 1)
        for legs in range(1, 4):
            antisymmetric = sum(
                Permutation(order).signature()
                * np.einsum(
                    ",".join("abc"[p] + "def"[q] for p, q in enumerate(order)) + "->" + "abc"[:legs] + "def"[:legs], *[eye] * legs
                )
                for order in permutations(range(legs))
            )
            assert np.any(antisymmetric) == (size >= legs)
    at_two, at_three = drawn(2), drawn(3)
    two_letters = ["".join(letters) for length in range(1, 8) for letters in product("ab", repeat=length)]
    assert all(word(w, at_two) == word(w[::-1], at_two) for w in two_letters)  # at any length
    differ = [w for w in two_letters if word(w, at_three) != word(w[::-1], at_three)]
    assert min(map(len, differ)) == 6 and "aabbab" in differ
    assert all(is_rotation(w, w[::-1]) for w in two_letters if len(w) < 6)
    assert word("abc", at_two) != word("cba", at_two)  # three letters: at size two already
    one = drawn(1)
    assert word("abcabb", one) == word("bbacba", one)


# by normal form


def partitions(legs: int) -> list[tuple[int, ...]]:
    """All ways to join legs, as the block of each leg."""
    found = [()]
    for _ in range(legs):
        found = [blocks + (new,) for blocks in found for new in range(max(blocks, default=-1) + 2)]
    return found


def relabelled(blocks: tuple[int, ...]) -> tuple[int, ...]:
    names = {}
    return tuple(names.setdefault(block, len(names)) for block in blocks)


def closed_networks(copies: int) -> list[tuple[int, ...]]:
    """Closed networks of copies of one matrix, one for each class under renaming the copies."""

    def canonical(blocks):
        return min(relabelled(sum((blocks[2 * k : 2 * k + 2] for k in order), ())) for order in permutations(range(copies)))

    return sorted({canonical(blocks) for blocks in partitions(2 * copies)})


def rank_modulo(rows: np.ndarray, prime: int = PRIME) -> int:
    """Rank by elimination modulo a prime."""
    rows, rank = rows.astype(object) % prime, 0
    for column in range(rows.shape[1]):
        pivots = [row for row in range(rank, len(rows)) if rows[row, column]]
        if pivots:
            rows[[rank, pivots[0]]] = rows[[pivots[0], rank]]
            rows[rank] = rows[rank] * pow(int(rows[rank, column]), -1, prime) % prime
            for row in range(len(rows)):
                if row != rank and rows[row, column]:
                    rows[row] = (rows[row] - rows[row, column] * rows[rank]) % prime
            rank += 1
    return rank


def values_of_networks(networks: list[tuple[int, ...]], size: int, draws: int) -> np.ndarray:
    rng = np.random.default_rng(size)
    table = []
    for _ in range(draws):
        A = rng.integers(0, PRIME, (size, size))
        row = []
        for blocks in networks:
            legs = ["".join("abcdef"[block] for block in blocks[k : k + 2]) for k in range(0, len(blocks), 2)]
            row.append(int(np.einsum(",".join(legs) + "->", *[A] * len(legs))) % PRIME)
        table.append(row)
    return np.array(table)


@pytest.mark.parametrize(("copies", "number"), [(2, 11), (3, 52)])
def test_different_networks_are_independent(copies, number):
    """E16: networks that are not isomorphic are independent functions at large sizes, and dependent at small ones."""
    networks = closed_networks(copies)
    assert len(networks) == number
    assert rank_modulo(values_of_networks(networks, 2 * copies, number + 3)) == number
    assert rank_modulo(values_of_networks(networks, 1, number + 3)) == 1
    assert rank_modulo(values_of_networks(networks, 2, number + 3)) < number


def small_graphs(vertices: int) -> list[networkx.Graph]:
    """One graph of each class, of up to so many vertices."""
    return [graph for graph in networkx.graph_atlas_g() if 1 <= len(graph) <= vertices]


def homomorphisms(pattern: networkx.Graph, host: networkx.Graph) -> int:
    adjacent = networkx.to_numpy_array(host, dtype=int)
    return sum(
        all(adjacent[image[u], image[v]] for u, v in pattern.edges) for image in product(range(len(host)), repeat=len(pattern))
    )


def test_homomorphism_counts():
    """E17: the counts tell all graphs of up to four vertices apart; those from trees alone do not."""
    graphs = small_graphs(4)
    assert len(graphs) == 1 + 2 + 4 + 11
    table = np.array([[homomorphisms(pattern, host) for host in graphs] for pattern in graphs])
    assert rank_modulo(table) == len(graphs)
    triangles, hexagon = networkx.disjoint_union(networkx.cycle_graph(3), networkx.cycle_graph(3)), networkx.cycle_graph(6)
    for tree in (networkx.path_graph(4), networkx.star_graph(3)):
        assert homomorphisms(tree, triangles) == homomorphisms(tree, hexagon)
    assert homomorphisms(networkx.cycle_graph(3), triangles) == 12 and homomorphisms(networkx.cycle_graph(3), hexagon) == 0


def stable_colours(graph: networkx.Graph) -> Counter:
    """Colour refinement until it stops; colours are histories, hence comparable between graphs."""
    colours = dict.fromkeys(graph, 0)
    for _ in graph:
        colours = {v: hash((colours[v], tuple(sorted(colours[u] for u in graph[v])))) for v in graph}
    return Counter(colours.values())


def shrikhande_graph() -> networkx.Graph:
    steps = [(0, 1), (1, 0), (1, 1)]
    points = list(product(range(4), repeat=2))
    return networkx.Graph([(p, ((p[0] + a) % 4, (p[1] + b) % 4)) for p in points for a, b in steps])


def partition_function(graph: networkx.Graph, S: np.ndarray) -> int:
    """The closed network of one symmetric 2 x 2 matrix with the graph's edges as operands, modulo a prime."""
    order = {v: k for k, v in enumerate(graph)}
    states = np.array(list(product(range(2), repeat=len(order))), dtype=np.int8)
    value = np.ones(len(states), dtype=np.int64)
    for u, v in graph.edges:
        value = value * S[states[:, order[u]], states[:, order[v]]] % PRIME
    return int(value.sum() % PRIME)


def test_colour_refinement_does_not_prove():
    """E18: equal colours, different graphs; a random evaluation refutes at once and never refutes isomorphic ones."""
    rng = np.random.default_rng(18)
    S = rng.integers(1, PRIME, (2, 2))
    S = (S + S.T) % PRIME
    triangles, hexagon = networkx.disjoint_union(networkx.cycle_graph(3), networkx.cycle_graph(3)), networkx.cycle_graph(6)
    rook = networkx.line_graph(networkx.complete_bipartite_graph(4, 4))
    shrikhande = shrikhande_graph()
    for one, other in [(triangles, hexagon), (rook, shrikhande)]:
        assert stable_colours(one) == stable_colours(other)
        assert partition_function(one, S) != partition_function(other, S)
        renamed = networkx.relabel_nodes(other, dict(zip(other, rng.permutation(len(other)).tolist(), strict=True)))
        assert stable_colours(other) == stable_colours(renamed)
        assert partition_function(other, S) == partition_function(renamed, S)
    assert stable_colours(networkx.path_graph(4)) != stable_colours(networkx.star_graph(3))  # it does refute
    for graph in (rook, shrikhande):  # strongly regular with the same parameters
        assert len(graph) == 16 and {degree for _, degree in graph.degree} == {6}
        assert {len(list(networkx.common_neighbors(graph, u, v))) for u, v in combinations(graph, 2)} == {2}
    cliques = [sum(1 for four in combinations(graph, 4) if graph.subgraph(four).size() == 6) for graph in (rook, shrikhande)]
    assert cliques == [8, 0]


def test_sorting_children_merges_mirror_images():
    """E20: 42 ordered trees are 20 classes, as are equal values with symmetric tensors; class sizes are the coefficients."""
    rng = np.random.default_rng(20)
    x = rng.integers(0, PRIME, 3).astype(object)
    tensors = rng.integers(0, PRIME, (3, 3, 3, 3)).astype(object)
    tensors = tensors + tensors.transpose(0, 1, 3, 2)

    @cache
    def value(term):
        if term == "x":
            return tuple(x)
        left, right = (np.array(value(child), dtype=object) for child in term[2:])
        return tuple(np.einsum("ijk,j,k->i", tensors[term[0]], left, right) % PRIME)

    terms = trees(3)
    classes = Counter(map(mirrored, terms))
    assert len(terms) == 42 and len(classes) == len(set(map(value, terms))) == 20
    assert all(value(mirrored(term)) == value(term) for term in terms)
    assert sorted(classes.values()) == sorted(term.coefficient for term in sc.path_expansion("bilinear(tied)*3"))


# in practice


def test_terms_add_up_to_the_forward_pass():
    """E21: 42 terms, exactly; twelve evaluations for twelve layers."""
    rng = np.random.default_rng(21)
    x, tensors = rng.integers(-3, 4, 2).astype(object), rng.integers(-3, 4, (12, 2, 2, 2)).astype(object)
    evaluations = []

    def layer(k, left, right):
        evaluations.append(k)
        return np.einsum("ijk,j,k->i", tensors[k], left, right)

    def value(term):
        return x if term == "x" else layer(term[0], *map(value, term[2:]))

    def forward(layers, prime=None):
        stream = x
        for k in range(layers):
            stream = stream + layer(k, stream, stream)
            stream = stream % prime if prime else stream
        return stream

    for layers in range(4):
        assert np.array_equal(sum(map(value, trees(layers))), forward(layers))
        if layers:
            assert not np.array_equal(sum(map(value, trees(layers)[:-1])), forward(layers))
    evaluations.clear()
    forward(12, PRIME)
    assert evaluations == list(range(12))
    assert len(str(sc.path_expansion("bilinear*12").number_of_terms)) > 500


def test_patterns_of_a_softmax():
    """E23: rows of one, causal where masked, so that constants pass and the first position sees only itself."""
    rng = np.random.default_rng(23)
    scores, X, c, M = (rng.normal(size=shape) for shape in [(5, 5), (5, 3), (3,), (3, 3)])
    powers = np.exp(np.where(np.tri(5, dtype=bool), scores, -np.inf))
    A = powers / powers.sum(axis=1, keepdims=True)
    ones = np.ones(5)
    assert np.allclose(A @ ones, ones) and not np.allclose(A.T @ ones, ones)
    assert np.allclose(A @ np.outer(ones, c) @ M.T, np.outer(ones, M @ c))
    assert np.array_equal(np.triu(A, 1), np.zeros((5, 5))) and np.array_equal(np.triu(A @ A, 1), np.zeros((5, 5)))
    assert np.allclose((A @ X)[0], X[0]) and not np.allclose((A @ X)[1], X[1])
    assert not np.allclose(np.exp(scores) @ ones, ones)  # without the division: not a pattern
    tokens = np.eye(7)[rng.integers(0, 7, 5)]
    assert np.array_equal(np.einsum("sp,sq->spq", tokens, tokens), np.einsum("pq,sp->spq", np.eye(7), tokens))
