"""Certificates with function nodes, written by hand, and values of the functions: the smallest valid proofs of each kind."""

from fractions import Fraction

import numpy as np
from certificates import certificate, step, term

__all__ = ["FUNCTIONS", "value_of_node"]

TWO = [0, 1]


def proof(terms: list[list], classes: list[list], vanishing: list = ()) -> dict:
    """A proof from its parts: terms as [raw, steps...], classes as lists of [final, labels]."""
    return {
        "terms": [{"raw": raw, "steps": steps} for raw, *steps in terms],
        "classes": [{"members": members} for members in classes],
        "vanishing": list(vanishing),
    }


def node(
    name: str,
    function: str,
    sizes: list,
    argument: list[dict],
    equal: tuple | None = None,
    exchanges: list = (),
    rows: bool = False,
) -> dict:
    """A function node; what it is equal to as (node, legs, proof), exchanges as (a, b, proof)."""
    return {
        "name": name,
        "function": function,
        "rows": rows,
        "sizes": sizes,
        "argument": argument,
        "equal": equal and dict(zip(("node", "legs", "proof"), equal, strict=True)),
        "exchanges": [{"legs": [a, b], "proof": shown} for a, b, shown in exchanges],
    }


def with_functions(
    functions: list[dict], lhs: str, rhs: str | dict, terms: list[list], classes: list[list], laws: list[str] = (), **more
) -> dict:
    """A certificate of one term on each side, with function nodes."""
    sides, names = [term(lhs), term(rhs) if isinstance(rhs, str) else rhs], {item["name"] for item in functions}
    every = [*sides, *(found for item in functions for found in item["argument"])]
    plain = [t | {"factors": [factor for factor in t["factors"] if factor[0] not in names]} for t in every]
    found = certificate(plain, [], terms, classes, laws, **more)
    found["statement"].update(lhs=sides[:1], rhs=sides[1:])
    return found | {"functions": functions}


def value_of_node(data: dict, argument: np.ndarray) -> np.ndarray:
    """The value of a node at the value of its argument; functions are told apart by their names and depend on every place of a row."""
    weight = sum(map(ord, data["function"])) % 97 + 2
    out = np.empty(argument.shape, dtype=object)
    for place in np.ndindex(argument.shape):
        x = Fraction(argument[place])
        if data["rows"]:
            row = argument[place[:-1]]
            out[place] = weight * x**3 + sum((k + 2) * Fraction(y) ** 2 for k, y in enumerate(row)) * (place[-1] + 1)
        else:
            out[place] = max(x, Fraction(0)) if data["function"] == "relu" else x**3 + weight * x**2 - 1
    return out


SAME = proof([[0], [1]], [[[0, TWO], [1, TWO]]])  # both sides are one term with two indices
TURNED = proof([[0], [1]], [[[0, TWO], [1, [1, 0]]]])
SUM = [term("A_ij -> ij"), term("A_ji -> ij")]
EXCHANGED = proof([[0], [1], [2], [3]], [[[0, TWO], [3, TWO]], [[1, TWO], [2, TWO]]])
PLUS = [term("A_ij -> ij"), term("B_ij -> ij")]
REORDERED = proof([[0], [1], [2], [3]], [[[0, TWO], [3, TWO]], [[1, TWO], [2, TWO]]])
REPEATED = proof([[0], [1], [2], [3]], [[[0, TWO], [2, TWO]], [[1, TWO], [3, TWO]]])
CUT = step("orthonormal_columns of O", TWO, TWO, TWO)
f = "undefined f"

FUNCTIONS = {
    "relu of a symmetric sum": with_functions(
        [node("r0", "relu", ["n", "n"], SUM, exchanges=[(0, 1, EXCHANGED)])],
        "r0_ij x_j -> i", "r0_ji x_j -> i", [[0], [1]], [[[0, TWO], [1, [1, 0]]]],
    ),
    "transposed argument": with_functions(
        [node("f0", f, ["n", "n"], [term("A_ij -> ij")]), node("f1", f, ["n", "n"], [term("A_ij -> ji")], ("f0", [1, 0], SAME))],
        "f1_ij x_j -> i", "f0_ji x_j -> i", [[0], [1]], [[[0, TWO], [1, [1, 0]]]],
    ),
    "an argument that does not depend on a leg": with_functions(
        [node("f0", f, ["n"], [term("x_i -> i")]), node("f1", f, ["n", "n"], [term("x_i -> ij")], ("f0", [0], SAME))],
        "f1_ij y_j -> i", "f0_i y_j -> i", [[0], [1]], [[[0, TWO], [1, TWO]]],
    ),
    "a sum over a leg that is dropped": with_functions(
        [node("f0", f, ["n"], [term("x_i -> i")]), node("f1", f, ["n", "n"], [term("x_i -> ij")], ("f0", [0], SAME))],
        "f1_ij -> i", term("f0_i -> i", unused="j"), [[0], [1]], [[[0, [0]], [1, [0]]]],
    ),
    "rows": with_functions(
        [
            node("s0", "softmax", ["n", "n"], PLUS, rows=True),
            node("s1", "softmax", ["n", "n"], PLUS[::-1], ("s0", TWO, REORDERED), rows=True),
        ],
        "s1_ij x_j -> i", "s0_ij x_j -> i", [[0], [1]], [[[0, TWO], [1, TWO]]],
    ),
    "rows of a constant": with_functions(
        [
            node("s0", "softmax", ["n"], [term("-> i")], rows=True),
            node("s1", "softmax", ["n", "n"], [term("-> ij")], ("s0", [1], TURNED), rows=True),
        ],
        "s1_ij x_j -> i", "s0_j x_j -> i", [[0], [1]], [[[0, TWO], [1, [1, 0]]]],
    ),
    "nested": with_functions(
        [
            node("f0", f, ["n", "n"], [term("A_ij -> ij")]),
            node("f1", f, ["n", "n"], [term("A_ij -> ji")], ("f0", [1, 0], SAME)),
            node("r2", "relu", ["n", "n"], [term("f0_ij B_ik -> jk")]),
            node("r3", "relu", ["n", "n"], [term("f1_ij B_jk -> ik")], ("r2", TWO, proof([[0], [1]], [[[0, [0, 1, 2]], [1, [1, 0, 2]]]]))),
        ],
        "r3_ij r3_ij ->", "r2_ij r3_ij ->", [[0], [1]], [[[0, TWO], [1, TWO]]],
    ),
    "a law in the argument": with_functions(
        [
            node("f0", f, ["n"], [term("x_i -> i")]),
            node("f1", f, ["n"], [term("O_ai O_aj x_j -> i")], ("f0", [0], proof([[0, CUT], [1]], [[[0, [1]], [1, [0]]]]))),
        ],
        "f1_i y_i ->", "f0_i y_i ->", [[0], [1]], [[[0, [0]], [1, [0]]]], ["O orthonormal_columns"],
    ),
    "a definition in the argument": with_functions(
        [
            node("f0", f, ["n", "n"], PLUS),
            node("f1", f, ["n", "n"], [term("C_ij -> ij")], ("f0", TWO, REPEATED)),
        ],
        "f1_ii ->", "f0_ii ->", [[0], [1]], [[[0, [0]], [1, [0]]]], definitions={"C": PLUS},
    ),
    "a function of a number": with_functions(
        [
            node("f0", f, [], [term("->", "2", {"n": "1"})]),
            node("f1", f, [], [term("->", "1", unused="ip")], ("f0", [], proof([[0], [1]], [[[0, []], [1, []]]]))),
        ],
        "f1_ x_i -> i", "x_i f0_ -> i", [[0], [1]], [[[0, [0]], [1, [0]]]],
    ),
}  # fmt: skip
