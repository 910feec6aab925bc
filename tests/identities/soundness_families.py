"""``A^2 - tr(A) A + (tr(A)^2 - tr(A^2)) Id/2 = 0`` and others that hold at small sizes only, each beside a true relative.

A family is a function of a random generator with the statement as its value. Those of ``FALSE`` hold at size 1, many at size 2 or 3,
and fail for all sizes; those of ``TRUE`` hold for all sizes.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

import networkx as nx
from soundness_statement import Statement, Term, signed_permutations

__all__ = ["FALSE", "TRUE", "graph_term"]

ONE = Fraction(1)
LAWS = {"symmetric": ("symmetric(0,1)",), "antisymmetric": ("antisymmetric(0,1)",)}


def term(coefficient: Fraction | int, output: Sequence[int], *factors: tuple[str, tuple[int, ...]]) -> Term:
    """A term."""
    return Term(Fraction(coefficient), factors, tuple(output))


def matrices(names: str, law: str = "") -> dict:
    """Shapes and laws of square matrices."""
    return {"shapes": dict.fromkeys(names, ("n", "n")), "given": dict.fromkeys(names, LAWS[law]) if law else {}}


def word(names: Sequence[str], start: int = 0) -> tuple[tuple[str, tuple[int, int]], ...]:
    """The factors of a product of matrices, with indices from start on."""
    return tuple((name, (start + k, start + k + 1)) for k, name in enumerate(names))


def power(names: Sequence[str], coefficient: Fraction | int = 1) -> Term:
    """A product of matrices."""
    return term(coefficient, (0, len(names)), *word(names))


def cycle(names: Sequence[str], start: int = 0) -> tuple[tuple[str, tuple[int, int]], ...]:
    """The factors of the trace of a product."""
    return tuple((name, (start + k, start + (k + 1) % len(names))) for k, name in enumerate(names))


def traces(coefficient: Fraction | int, *words: Sequence[str]) -> Term:
    """A product of traces of words."""
    starts = [sum(map(len, words[:k])) for k in range(len(words))]
    return term(coefficient, (), *(f for w, start in zip(words, starts, strict=True) for f in cycle(w, start)))


def graph_term(graph: nx.Graph, name: str = "S") -> Term:
    """A factor for each edge, an index for each node, all summed."""
    number = {node: k for k, node in enumerate(graph)}
    return term(1, (), *((name, (number[a], number[b])) for a, b in graph.edges))


def relabelled(rng: Random, graph: nx.Graph) -> nx.Graph:
    """The same graph with other nodes, edges in another order and direction."""
    names = rng.sample(range(len(graph)), len(graph))
    to = dict(zip(graph, names, strict=True))
    edges = [rng.sample([to[a], to[b]], 2) for a, b in graph.edges]
    result = nx.Graph()
    result.add_edges_from(rng.sample(edges, len(edges)))
    return result


def graphs_equal(rng: Random, left: nx.Graph, right: nx.Graph) -> Statement:
    """Homomorphism counts of two graphs into one symmetric matrix."""
    sides = [(graph_term(relabelled(rng, graph)),) for graph in (left, right)]
    return Statement(*sides, **matrices("S", "symmetric"))


# --- false, true at small sizes ------------------------------------------------------------------------------------------------


def antisymmetriser(rng: Random) -> Statement:
    """``sum_s sgn(s) prod_a M_a[i_a, j_s(a)] = 0`` at sizes below k, with some pairs i_a = j_a traced: Cayley and Hamilton among them."""
    k = rng.choice([2, 3, 3, 3, 3, 4])
    names = rng.choice(["A" * k, "AB" * k, "ABCD"])[: k - 1]
    operands = [*names, "I"] if rng.random() < 0.7 else [*names, "C"]
    free = 1 if rng.random() < 0.7 or k > 3 else rng.randint(0, 2)
    return permutation_sum(operands, free)


def permutation_sum(operands: Sequence[str], free: int) -> Statement:
    """The antisymmetriser over the columns of matrices, the last ``free`` of them not traced."""
    k = len(operands)
    terms = []
    for sign, p in signed_permutations(k):
        columns = [k + a if a >= k - free else a for a in range(k)]
        # row a of operand a; its column is that of p(a), which is the row of p(a) where that is traced
        factors = [(name, (a, columns[p[a]])) for a, name in enumerate(operands)]
        output = [i for a in range(k - free, k) for i in (a, columns[a])]
        terms.append(term(sign, output, *factors))
    declared = matrices("".join(sorted(set(operands))))
    return Statement(tuple(terms), (), declared["shapes"], {"I": ("identity",)} if "I" in operands else {})


def gram_determinant(rng: Random) -> Statement:
    """``det(v_a . v_b) = 0`` of k vectors: at sizes below k."""
    k = rng.choice([2, 3, 3, 3, 4])
    one_matrix = rng.random() < (0.05 if k == 4 else 0.3)
    names = ["v"] * k if one_matrix else rng.sample("uvwxyz", k)
    shape = ("m", "n") if one_matrix else ("n",)
    terms = []
    for sign, p in signed_permutations(k):
        # v_a is the a-th row of v where there is one matrix: row indices are k.. and outputs twice
        factors = [
            f for a in range(k) for f in ((names[a], (*row(a, one_matrix), a)), (names[p[a]], (*row(p[a], one_matrix), a)))
        ]
        terms.append(term(sign, [100 + a for a in range(k)] if one_matrix else [], *factors))
    return Statement(tuple(terms), (), dict.fromkeys(names, shape))


def row(a: int, is_matrix: bool) -> tuple[int, ...]:
    """The row index of the a-th vector."""
    return (100 + a,) if is_matrix else ()


def reversed_word(rng: Random) -> Statement:
    """``tr(w) = tr(w reversed)``: at size 2 for two letters."""
    letters = rng.choice(["AB", "AB", "ABC", "ABCD"])
    w = [rng.choice(letters) for _ in range(rng.randint(6, 8) if letters == "AB" else rng.randint(3, 6))]
    return Statement((traces(1, w),), (traces(1, w[::-1]),), **matrices(letters))


def commuting(rng: Random) -> Statement:
    """``u v = v u`` for words, ``[A, B]^2 C = C [A, B]^2`` (at size 2), and the latter with the commutator defined."""
    u, v = ("".join(rng.choice("ABC") for _ in range(rng.randint(1, 3))) for _ in range(2))
    if rng.random() < 0.4:
        return Statement((power(u + v),), (power(v + u),), **matrices("ABC"))
    if rng.random() < 0.5:
        declared = matrices("ABCK")
        return Statement((power("KKC"),), (power("CKK"),), declared["shapes"], {}, {"K": (power("AB"), power("BA", -1))})
    squares = [("ABAB", 1), ("ABBA", -1), ("BAAB", -1), ("BABA", 1)]
    left, right = [tuple(power(f(w), c) for w, c in squares) for f in (lambda w: w + "C", lambda w: "C" + w)]
    return Statement(left, right, **matrices("ABC"))


def standard_polynomial(rng: Random) -> Statement:
    """``sum_s sgn(s) A_s(1) ... A_s(k) = 0``: for k = 4 at sizes up to 2 (Amitsur and Levitzki)."""
    names = rng.choice(["ABC", "ABCD"])
    return Statement(tuple(power([names[a] for a in p], s) for s, p in signed_permutations(len(names))), (), **matrices(names))


def cycles(rng: Random) -> Statement:
    """Disjoint cycles of a symmetric matrix against others of the same total length: two triangles against a hexagon."""
    options = rng.choice([[(3, 3), (6,)], [(6, 4), (10,), (5, 5), (3, 7), (3, 3, 4)], [(3, 5), (4, 4), (8,)], [(3, 4), (7,)]])
    left, right = rng.sample(options, 2)
    return graphs_equal(rng, *(nx.disjoint_union_all(map(nx.cycle_graph, lengths)) for lengths in (left, right)))


def regular_graphs(rng: Random) -> Statement:
    """Regular graphs of one degree and size; by chance the same one."""
    degree, nodes = rng.choice([(3, 6), (3, 8), (4, 7), (3, 8)])
    return graphs_equal(rng, *(nx.random_regular_graph(degree, nodes, seed=rng.randrange(10**9)) for _ in range(2)))


def rook_and_shrikhande(rng: Random) -> Statement:
    """Strongly regular graphs with one set of parameters."""
    return graphs_equal(rng, rook(), shrikhande())


def rook() -> nx.Graph:
    """Squares of a board of 4 x 4, joined in rows and columns."""
    return nx.cartesian_product(nx.complete_graph(4), nx.complete_graph(4))


def shrikhande() -> nx.Graph:
    """``Z_4 x Z_4`` with differences +-(1,0), +-(0,1), +-(1,1)."""
    nodes = [(a, b) for a in range(4) for b in range(4)]
    steps = [(1, 0), (0, 1), (1, 1)]
    return nx.Graph([((a, b), ((a + x) % 4, (b + y) % 4)) for a, b in nodes for x, y in steps])


def elementwise(rng: Random) -> Statement:
    """``(A x) . (A x) = (A . A)(x . x)`` and ``U (y . z) = (U y) . (U z)``: at size 1 the first, never the second."""
    shapes = {"A": ("m", "n"), "x": ("n",), "y": ("n",)}
    left = term(1, (0,), ("A", (0, 1)), ("x", (1,)), ("A", (0, 2)), (rng.choice("xy"), (2,)))
    right = term(1, (0,), ("A", (0, 1)), ("A", (0, 1)), ("x", (1,)), (rng.choice("xy"), (1,)))
    if rng.random() < 0.3:
        right = term(1, (0,), ("A", (0, 1)), ("x", (1,)), ("y", (1,)))
    return Statement((left,), (right,), shapes)


# --- true ----------------------------------------------------------------------------------------------------------------------


def same_graph(rng: Random) -> Statement:
    """A regular graph, relabelled."""
    degree, nodes = rng.choice([(3, 6), (3, 8), (4, 7), (2, 10), (3, 14), (4, 12)])
    graph = nx.random_regular_graph(degree, nodes, seed=rng.randrange(10**9))
    graph = rng.choice([graph] * 12 + [rook(), shrikhande()])
    return graphs_equal(rng, graph, graph)


def rotated_trace(rng: Random) -> Statement:
    """The trace of a word, rotated."""
    w = [rng.choice("AB") for _ in range(rng.randint(3, 8))]
    k = rng.randrange(len(w))
    return Statement((traces(1, w),), (traces(1, w[k:] + w[:k]),), **matrices("AB"))


def reversed_symmetric(rng: Random) -> Statement:
    """``tr(w) = (+-1)^length tr(w reversed)`` for symmetric (antisymmetric) letters."""
    law = rng.choice(list(LAWS))
    w = [rng.choice("ABC") for _ in range(rng.randint(2, 6))]
    sign = (-1) ** len(w) if law == "antisymmetric" else 1
    return Statement((traces(1, w),), (traces(sign, w[::-1]),), **matrices("ABC", law))


def odd_antisymmetric(rng: Random) -> Statement:
    """``x^T A x = 0``, ``tr(A^3) = 0``, ``tr(A S) = 0`` for antisymmetric A and symmetric S."""
    found = [
        term(1, (), ("x", (0,)), ("A", (0, 1)), ("x", (1,))),
        traces(1, "AAA"),
        traces(1, "AAAAA"),
        traces(1, "AS"),
        term(1, (2,), ("A", (0, 1)), ("S", (0, 1)), ("x", (2,))),
    ]
    given = {"A": LAWS["antisymmetric"], "S": LAWS["symmetric"]}
    return Statement((rng.choice(found),), (), {"A": ("n", "n"), "S": ("n", "n"), "x": ("n",)}, given)


def jacobi(rng: Random) -> Statement:
    """``[A, [B, C]] + [B, [C, A]] + [C, [A, B]] = 0`` with inner commutators defined."""
    names = matrices("ABCXYZ")["shapes"]
    inner = {"X": "BC", "Y": "CA", "Z": "AB"}
    defs = {k: (power(w), power(w[::-1], -1)) for k, w in inner.items()}
    terms = tuple(t for a, k in zip("ABC", "XYZ", strict=True) for t in (power(a + k), power(k + a, -1)))
    return Statement(terms, (), names, {}, defs)


def binomial(rng: Random) -> Statement:
    """``(A + B)^k`` by words, with the sum defined."""
    k = rng.choice([2, 3])
    words = [format(number, f"0{k}b").replace("0", "A").replace("1", "B") for number in range(2**k)]
    names = matrices("ABM")["shapes"]
    return Statement((power("M" * k),), tuple(map(power, words)), names, {}, {"M": (power("A"), power("B"))})


def symmetrised(rng: Random) -> Statement:
    """``Q(x, y) = (B(x, y) + B(y, x))/2`` with ``Q_ijk = (B_ijk + B_ikj)/2`` defined, by entries or applied."""
    half, B = Fraction(1, 2), "B"
    Q = (Term(half, ((B, (0, 1, 2)),), (0, 1, 2)), Term(half, ((B, (0, 1, 2)),), (0, 2, 1)))
    x, y = rng.choice(["xy", "xx", "yx"])
    left = term(1, (0,), ("Q", (0, 1, 2)), (x, (1,)), (y, (2,)))
    right = (term(half, (0,), (B, (0, 1, 2)), (x, (1,)), (y, (2,))), term(half, (0,), (B, (0, 2, 1)), (x, (1,)), (y, (2,))))
    if x == y:
        right = (term(1, (0,), (B, (0, 1, 2)), (x, (1,)), (x, (2,))),)
    return Statement((left,), right, {"B": ("m", "d", "d"), "Q": ("m", "d", "d"), "x": ("d",), "y": ("d",)}, {}, {"Q": Q})


FALSE: dict[Callable[[Random], Statement], float] = {
    antisymmetriser: 10,
    gram_determinant: 8,
    reversed_word: 8,
    commuting: 8,
    standard_polynomial: 2,
    cycles: 4,
    regular_graphs: 3,
    rook_and_shrikhande: 0.1,
    elementwise: 2,
}
TRUE: dict[Callable[[Random], Statement], float] = {
    same_graph: 3,
    rotated_trace: 3,
    reversed_symmetric: 4,
    odd_antisymmetric: 3,
    jacobi: 2,
    binomial: 3,
    symmetrised: 5,
}
