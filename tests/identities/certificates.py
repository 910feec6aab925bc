"""Certificates written by hand, with arrays that satisfy their laws: the smallest valid proofs that use each law."""

from fractions import Fraction

__all__ = ["ARRAYS", "CERTIFICATES", "SIZES", "certificate", "term"]

LETTERS = {"i": "n", "j": "n", "k": "n", "l": "n", "a": "m", "b": "m", "p": 2, "q": 2, "h": "H"}  # letter of an index -> its size
SIZES = {"n": 2, "m": 3, "H": 2, "c": 7}
half, third = Fraction(1, 2), Fraction(1, 3)
ARRAYS = {
    "A": [[1, 2], [3, 5]],
    "B": [[7, -1], [2, 4]],
    "C": [[4, 1], [0, -3]],
    "x": [2, 3],
    "y": [5, -7],
    "z": [2, -1, 4],
    "S": [[1, 4], [4, 6]],
    "E": [[0, 3], [-3, 0]],
    "T": [[[0, 1], [1, 2]], [[1, 2], [2, 5]]],  # symmetric in all axes
    "U": [[Fraction(3, 5), Fraction(-4, 5)], [Fraction(4, 5), Fraction(3, 5)]],
    "O": [[0, 0], [1, 0], [0, 1]],  # orthonormal columns, m x n
    "M": [[2, 1], [1, 1]],
    "N": [[1, -1], [-1, 2]],
    "V": [[Fraction(3, 5), Fraction(4, 5)], [Fraction(-4, 5), Fraction(3, 5)]],  # the inverse of U
    "P": [[half, half], [third, 1 - third]],
    "F": [[[half, half], [third, 1 - third]], [[0, 1], [3, -2]]],  # a family of row-stochastic matrices
    "R": [[0, 1, 0], [0, 1, 0]],  # one-hot rows, n x m
    "I": [[1, 0], [0, 1]],
    "K": [[[1, 0], [0, 0]], [[0, 0], [0, 1]]],
    "J": [[1, 1], [1, 1]],
    "D": [[3, 0], [0, -2]],
    "G": [[third, 0], [0, -half]],  # the inverse of D
    "H": [[1, 0], [0, -1]],  # signs
    "Q": [[[2, 1], [1, 1]], [[0, 1], [5, 7]]],
    "L": [[[[1, 0], [2, 3]], [[0, 1], [4, 1]]], [[[2, 4], [0, 2]], [[3, 1], [2, 1]]]],  # symmetric, (n 2) x (n 2)
}
SHAPES: dict[str, list[list]] = {
    name: [["n"], ["n"]] for name in ["A", "B", "C", "S", "E", "U", "V", "M", "N", "P", "I", "J", "D", "G", "H"]
}
SHAPES |= {"x": [["n"]], "y": [["n"]], "z": [["m"]], "O": [["m"], ["n"]], "R": [["n"], ["m"]], "T": [["n"]] * 3, "K": [["n"]] * 3}
SHAPES |= {"F": [["H"], ["n"], ["n"]], "Q": [["n"]] * 3, "L": [["n", 2], ["n", 2]]}


def term(text: str, coefficient: str = "1", powers: dict[str, str] | None = None, unused: str = "", names: str = "") -> dict:
    """A term from an einsum-like text, ``"A_ij B_jk -> ik"``; indices are numbered as they come."""
    factors, output = text.split("->")
    pairs = [factor.split("_") for factor in factors.split()]
    letters = list(dict.fromkeys("".join(indices for _, indices in pairs) + output.strip() + names + unused))
    return {
        "coefficient": [coefficient, powers or {}],
        "factors": [[name.replace("e", "unit "), [letters.index(i) for i in indices]] for name, indices in pairs],
        "sizes": [LETTERS[letter] for letter in letters],
        "output": [letters.index(i) for i in output.strip()],
        "names": [[letter, letters.index(letter)] for letter in names],
    }


def certificate(
    lhs: list[dict],
    rhs: list[dict],
    terms: list[list],
    classes: list[list],
    laws: list[str] = (),
    derived: list[list] = (),
    vanishing: list[list] = (),
    definitions: dict[str, list[dict]] | None = None,
    rules: list[dict] = (),
) -> dict:
    """A certificate from its parts: terms as [raw, steps...], classes as lists of [final, labels], laws as ``"U orthonormal_rows"``."""
    used = {name for t in lhs + rhs for name, _ in t["factors"]} | {law.split(" ")[0] for law in laws} | set(definitions or ())
    used |= {name for ts in (definitions or {}).values() for t in ts for name, _ in t["factors"]}
    used |= {law.split("(")[1][:-1] for law in laws if "(" in law and law.split("(")[1][0].isalpha()}
    used |= {name for rule in rules for part in (rule, *rule["result"]) for name, _ in part["factors"]}
    return {
        "format": "symbolic_circuits certificate",
        "version": 1,
        "statement": {
            "lhs": lhs,
            "rhs": rhs,
            "tensors": {name: SHAPES[name] for name in sorted(used) if not name.startswith("unit")},
            "definitions": definitions or {},
            "laws": [law.split(" ") for law in laws],
            "rules": list(rules),
        },
        "derived": [[*law.split(" "), "reason", [p.split(" ") for p in premises]] for law, *premises in derived],
        "terms": [{"raw": raw, "steps": steps} for raw, *steps in terms],
        "classes": [{"members": members} for members in classes],
        "vanishing": list(vanishing),
    }


def step(rule: str, positions: list[int], *orders: list[int], choice: int = 0) -> list:
    """A step; legs are read as they are where no orders are given."""
    return [rule, positions, list(orders), choice]


TWO, THREE = [0, 1], [0, 1, 2]
SPLIT = {  # A_ij B_jk = x_i y_k + 2 C_ik, as a user's law
    "name": "AB splits",
    "factors": [["A", [0, 1]], ["B", [1, 2]]],
    "summed": [1],
    "result": [
        {"coefficient": ["1", {}], "factors": [["x", [0]], ["y", [2]]], "united": [], "fresh": []},
        {"coefficient": ["2", {}], "factors": [["C", [0, 3]], ["I", [3, 2]]], "united": [], "fresh": ["n"]},
    ],
}

CERTIFICATES = {
    "trace of a product": certificate(
        [term("A_ij B_ji ->")], [term("B_ij A_ji ->")], [[0], [1]], [[[0, [0, 1]], [1, [1, 0]]]]
    ),
    "nothing": certificate([], [], [], []),
    "two and one make three": certificate(
        [term("A_ij x_j -> i", "2"), term("x_j A_ij -> i")],
        [term("A_ij x_j -> i", "3")],
        [[0], [1], [2]],
        [[[0, [0, 1]], [1, [1, 0]], [2, [0, 1]]]],
    ),
    "an unused index is its size": certificate(
        [term("x_i -> i", unused="jp")], [term("x_i -> i", "2", {"n": "1"})], [[0], [1]], [[[0, [0]], [1, [0]]]]
    ),
    "roots": certificate(
        [term("x_i -> i", "1", {"2": "1/2", "n": "1/2"}), term("x_i -> i", "-1", {"2": "1/2", "n": "1/2"})],
        [],
        [[0], [1]],
        [[[0, [0]], [1, [0]]]],
    ),
    "open names": certificate(
        [term("A_ij B_jk ->", names="ik")], [term("B_jk A_ij ->", names="ik")], [[0], [1]], [[[0, THREE], [1, [2, 0, 1]]]]
    ),
    "orthonormal columns": certificate(
        [term("O_ai O_aj x_j -> i")],
        [term("x_i -> i")],
        [[0, step("orthonormal_columns of O", [0, 1], TWO, TWO)], [1]],
        [[[0, [1]], [1, [0]]]],
        ["O orthonormal_columns"],
    ),
    "orthonormal rows of a square matrix": certificate(
        [term("U_ij U_kj -> ik")],
        [term("-> ii")],
        [[0, step("orthonormal_rows of U", [0, 1], TWO, TWO)], [1]],
        [[[0, [0]], [1, [0]]]],
        ["U orthonormal_columns"],
        [["U orthonormal_rows", "U orthonormal_columns"]],
    ),
    "a trace of orthonormal columns": certificate(
        [term("O_ai O_ai ->")],
        [term("->", "1", {"n": "1"})],
        [[0, step("orthonormal_columns of O", [1, 0], TWO, TWO)], [1]],
        [[[0, []], [1, []]]],
        ["O orthonormal_columns"],
    ),
    "inverse": certificate(
        [term("A_ij M_jk N_kl x_l -> i")],
        [term("A_ij x_j -> i")],
        [[0, step("inverse(N) of M", [1, 2], TWO, TWO)], [1]],
        [[[0, [0, 1]], [1, [0, 1]]]],
        ["M inverse(N)"],
    ),
    "inverse from the other side, read through a symmetry": certificate(
        [term("N_ji M_jk -> ik")],
        [term("-> ii")],
        [[0, step("inverse(M) of N", [0, 1], [1, 0], TWO)], [1]],
        [[[0, [1]], [1, [0]]]],
        ["M inverse(N)", "N symmetric(0,1)"],
        [["N inverse(M)", "M inverse(N)"]],
    ),
    "the inverse of an orthonormal matrix": certificate(
        [term("V_ij x_j -> i")],
        [term("U_ji x_j -> i")],
        [[0, step("transpose(U) of V", [0], TWO)], [1]],
        [[[0, [0, 1]], [1, [1, 0]]]],
        ["U inverse(V)", "U orthonormal_columns"],
        [["V transpose(U)", "U inverse(V)", "U orthonormal_columns"]],
    ),
    "row-stochastic": certificate(
        [term("A_ki P_ij -> k")],
        [term("A_ki -> k")],
        [[0, step("row_stochastic of P", [1], TWO)], [1]],
        [[[0, [0, 1]], [1, [0, 1]]]],
        ["P row_stochastic"],
    ),
    "all entries of a row-stochastic matrix": certificate(
        [term("P_ij ->")],
        [term("->", "1", {"n": "1"})],
        [[0, step("row_stochastic of P", [0], TWO)], [1]],
        [[[0, []], [1, []]]],
        ["P row_stochastic"],
    ),
    "a family": certificate(
        [term("F_hij x_i -> h")],
        [term("x_i -> h")],
        [[0, step("row_stochastic of F", [0], THREE)], [1]],
        [[[0, [0, 1]], [1, [1, 0]]]],
        ["F row_stochastic"],
    ),
    "one-hot rows": certificate(
        [term("R_ia R_ib z_b -> ia")],
        [term("R_ia z_a -> ia")],
        [[0, step("exclusive_rows of R", [0, 1], TWO, TWO)], [1]],
        [[[0, [0, 1]], [1, [0, 1]]]],
        ["R one_hot_rows"],
        [["R exclusive_rows", "R one_hot_rows"]],
    ),
    "identity, copy and ones": certificate(
        [term("I_ij K_jkl A_kl J_ij -> i")],
        [term("A_ii -> i")],
        [
            [
                0,
                step("identity of I", [0], TWO),
                step("copy of K", [0], THREE),
                step("ones of J", [1], TWO),
            ],
            [1],
        ],
        [[[0, [0]], [1, [0]]]],
        ["I identity", "K copy", "J ones"],
    ),
    "diagonal": certificate(
        [term("D_ij x_j -> i")],
        [term("D_ij x_i -> i")],
        [[0, step("diagonal of D", [0], TWO)], [1, step("diagonal of D", [0], TWO)]],
        [[[0, [0]], [1, [0]]]],
        ["D diagonal"],
    ),
    "diagonal inverses": certificate(
        [term("D_ii x_i G_ii -> i")],
        [term("x_i -> i")],
        [[0, step("diagonal inverse(G) of D", [0, 2], TWO, TWO)], [1]],
        [[[0, [0]], [1, [0]]]],
        ["D inverse(G)", "D diagonal"],
        [["G diagonal", "D inverse(G)", "D diagonal"]],
    ),
    "signs": certificate(
        [term("H_ii H_ii x_i ->")],
        [term("x_i ->")],
        [[0, step("signs of H", [0, 1], TWO, TWO)], [1]],
        [[[0, [0]], [1, [0]]]],
        ["H diagonal", "H orthonormal_columns"],
        [["H signs", "H diagonal", "H orthonormal_columns"]],
    ),
    "symmetric": certificate(
        [term("S_ij x_i y_j ->")], [term("S_ij y_i x_j ->")], [[0], [1]], [[[0, [0, 1]], [1, [1, 0]]]], ["S symmetric(0,1)"]
    ),
    "symmetric in three axes": certificate(
        [term("T_ijk x_i A_jk ->")],
        [term("T_kij x_i A_jk ->")],
        [[0], [1]],
        [[[0, THREE], [1, [1, 2, 0]]]],
        ["T symmetric(0,1)", "T symmetric(1,2)"],
    ),
    "antisymmetric": certificate(
        [term("E_ij x_i y_j ->")],
        [term("E_ij y_i x_j ->", "-1")],
        [[0], [1]],
        [[[0, [0, 1]], [1, [1, 0]]]],
        ["E antisymmetric(0,1)"],
    ),
    "an antisymmetric square": certificate(
        [term("E_ij x_i x_j ->"), term("E_ii A_jk ->")],
        [],
        [[0], [1]],
        [],
        ["E antisymmetric(0,1)"],
        vanishing=[[0, [[0, 1], [1, 0]]], [1, []]],
    ),
    "definitions": certificate(
        [term("B_ij y_j -> i")],
        [term("A_ij A_jk y_k -> i"), term("x_i x_j y_j -> i", "3", {"n": "1"})],
        [[0], [1], [2], [3]],
        [[[0, THREE], [2, [0, 2, 1]]], [[1, [0, 1]], [3, [0, 1]]]],
        definitions={
            "B": [term("C_ij C_jk -> ik"), term("x_i x_k -> ik", "3", {"n": "1"})],
            "C": [term("A_ij -> ij")],
        },
    ),
    "a definition with a diagonal output": certificate(
        [term("B_ij A_ij ->")],
        [term("x_i A_ii ->")],
        [[0], [1]],
        [[[0, [0]], [1, [0]]]],
        definitions={"B": [term("x_i -> ii")]},
    ),
    "elements": certificate(
        [term("A_ij e0_i e1_j x_k -> k")],
        [term("A_ij e1_j x_k e0_i e0_i -> k")],
        [[0], [1]],
        [[[0, [2]], [1, [2]]]],
    ),
    "one index held for two factors": certificate(
        [term("x_i y_i e1_i ->")], [term("x_j e1_j y_i e1_i ->")], [[0], [1]], [[[0, []], [1, []]]]
    ),
    "one output of two sizes": certificate(
        [term("x_i y_i e0_p -> p"), term("x_i y_i e0_j -> j")],
        [term("x_j y_j e0_q -> q"), term("x_j y_j e0_k -> k")],
        [[0], [1], [2], [3]],
        [[[0, [0]], [2, [0]]], [[1, [0]], [3, [0]]]],
    ),
    "held at two places": certificate([term("x_i e0_i e1_i ->"), term("x_i e1_i e0_i ->")], [], [[0], [1]], [], vanishing=[[1, []]]),
    "a user's law with two results": certificate(
        [term("A_ij B_jk C_kl -> il")],
        [term("C_kl x_i y_k -> il"), term("C_ij C_jk -> ik", "2")],
        [
            [0, step("AB splits", [0, 1], TWO, TWO, choice=1), step("identity of I", [2], TWO)],
            [0, step("AB splits", [0, 1], TWO, TWO)],
            [1],
            [2],
        ],
        [[[1, [0, 2, 3]], [2, [2, 0, 1]]], [[0, [2, 3, 0]], [3, [1, 2, 0]]]],
        ["I identity"],
        rules=[SPLIT],
    ),
    "composite axes": certificate(
        [term("L_ipjq L_jqkp ->")],
        [term("L_jqkp L_ipjq ->")],
        [[0], [1]],
        [[[0, [0, 1, 2, 3, 4]], [1, [4, 3, 0, 1, 2]]]],
    ),
    "trace through a composite symmetric matrix": certificate(
        [term("L_ipjq A_ij ->")],
        [term("L_jqip A_ij ->")],
        [[0], [1]],
        [[[0, [0, 1, 2, 3]], [1, [2, 3, 0, 1]]]],
        ["L symmetric(0,1)"],
    ),
}  # fmt: skip
