"""The checker of certificates: valid ones pass, every near-miss is refused, hostile data is an error, laws and their consequences hold."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from certificates import ARRAYS, CERTIFICATES, SIZES, SPLIT, certificate, step, term
from function_certificates import FUNCTIONS, value_of_node
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities import checker_steps
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.checker_data import Term, scalar
from symbolic_circuits.identities.checker_laws import Law, all_laws, exchanges_of, follows, rules_of_laws
from symbolic_circuits.identities.expansion import evaluate

TWO, THREE = [0, 1], [0, 1, 2]
VALID = CERTIFICATES | FUNCTIONS


@pytest.mark.parametrize("name", VALID)
def test_valid(name: str) -> None:
    check_certificate(VALID[name])


# --- near-misses ------------------------------------------------------------------------------------------------------


def put(*path: object) -> Callable[[dict], None]:
    """A change: the last of the path is put where the others lead."""

    def change(data: dict) -> None:
        *where, last, value = path
        for key in where:
            data = data[key]
        data[last] = value

    return change


def members(*classes: list) -> Callable[[dict], None]:
    """Other classes."""
    return put("classes", [{"members": list(found)} for found in classes])


def in_order(key: str, *order: int) -> Callable[[dict], None]:
    """A change: the elements of a list in another order."""

    def change(data: dict) -> None:
        data[key] = [data[key][k] for k in order]

    return change


NOTHING = {"terms": [], "classes": [], "vanishing": []}
NEAR_MISSES = [
    # classes
    ("trace of a product", members([[0, TWO], [1, TWO]]), "differ in their factors"),
    ("trace of a product", members([[0, TWO], [1, [1, 1]]]), "labels of final term 1 are not its indices"),
    ("trace of a product", members([[0, TWO], [1, [1]]]), "labels of final term 1 are not its indices"),
    ("trace of a product", members([[0, TWO]], [[1, [1, 0]]]), "class 0: its coefficients add up to 1"),
    ("trace of a product", members([[0, TWO], [1, [1, 0]]], []), "class 1: it has no members"),
    ("trace of a product", members([[0, TWO], [1, [1, 0]], [1, [1, 0]]]), "final term 1: it is 2 times"),
    ("trace of a product", members([[0, TWO], [1, [1, 0]]], [[0, TWO]]), "final term 0: it is 2 times"),
    ("trace of a product", members(), "final term 0: it is in no class"),
    ("trace of a product", members([[0, TWO], [2, [1, 0]]]), "there are 2 final terms"),
    ("trace of a product", put("vanishing", [[0, [[0, 1], [1, 0]]]]), "final term 0: it is 2 times"),
    ("two and one make three", members([[0, TWO], [1, [1, 0]]], [[2, TWO]]), "add up to 3"),
    ("two and one make three", members([[0, TWO], [1, [1, 0]]]), "final term 2: it is in no class"),
    # statements
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ij ->")), "differ in their factors"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji ->", "-1")), "add up to 2"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji ->", "2")), "add up to -1"),
    ("row-stochastic", members([[0, TWO], [1, TWO]]), None),
    ("all entries of a row-stochastic matrix", put("statement", "rhs", 0, term("P_ij ->")), "labels of final term 1"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji B_ij ->")), "differ in their factors"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji ->", unused="k")), "have the monomials"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji -> i")), "different numbers of outputs"),
    ("trace of a product", put("statement", "rhs", 0, term("B_ij A_ji ->", names="i")), "different numbers of outputs"),
    ("trace of a product", put("statement", "rhs", 0, "factors", 0, 1, [0]), "B has 2 legs; 1 indices are given"),
    ("trace of a product", put("statement", "rhs", []), "there are 1 raw terms, and none with the number 1"),
    ("trace of a product", put("statement", "tensors", "B", [["m"], ["n"]]), "B has a leg of size m"),
    ("trace of a product", put("statement", "lhs", [term("A_ij B_ji ->")] * 2), "raw term 2: no final term comes from it"),
    ("trace of a product", put("terms", 1, {"raw": 0, "steps": []}), "it repeats final term 0"),
    ("an unused index is its size", put("statement", "rhs", 0, term("x_i -> i", "2")), "have the monomials"),
    ("an unused index is its size", put("statement", "rhs", 0, term("x_i -> i", "1", {"n": "1"})), "add up to 1"),
    ("an unused index is its size", put("statement", "rhs", 0, term("x_i -> i", "2", {"n": "2"})), "have the monomials"),
    ("roots", put("statement", "lhs", 1, term("x_i -> i", "-1", {"3": "1/2", "n": "1/2"})), "have the monomials"),
    ("roots", put("statement", "lhs", 1, term("x_i -> i", "-1", {"2": "3/2", "n": "1/2"})), "an exponent between 0 and 1"),
    ("open names", put("statement", "rhs", 0, term("B_jk A_ij ->", names="jk")), "different numbers of outputs"),
    ("open names", members([[0, THREE], [1, [1, 0, 2]]]), "class 0: final terms 0 and 1 differ in their outputs"),
    ("two and one make three", put("statement", "rhs", 0, term("A_ij x_j e0_p -> p")), "labels|outputs"),
    ("one output of two sizes", put("statement", "rhs", 0, term("x_j y_j e0_k -> k")), "differ in their outputs"),
    # steps
    ("orthonormal columns", put("terms", 0, "steps", 0, 0, "orthonormal_rows of O"), "there is no rule 'orthonormal_rows of O'"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 1, [0, 2]), "needs O at position 2; there is x"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 1, [0, 0]), "are not those of different factors"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 1, [0, 3]), "are not those of different factors among 3"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 1, [0]), "has 2 factors; 1 positions"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 2, [[0, 1], [1, 0]]), "may not be read in the order"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 2, [[0, 1], [0]]), "may not be read in the order"),
    ("orthonormal columns", put("terms", 0, "steps", 0, 3, 1), "has 1 results; result 1 is followed"),
    ("orthonormal columns", put("terms", 0, "steps", []), "class 0: the labels of final term 0"),
    ("orthonormal columns", put("statement", "lhs", 0, term("O_ai O_bj x_j -> i")), "needs one index on two legs of O"),
    ("orthonormal columns", put("statement", "lhs", 0, term("O_ai O_aj x_j O_ak -> i")), "occurs elsewhere"),
    ("orthonormal columns", put("statement", "laws", []), "there is no rule"),
    ("orthonormal columns", put("statement", "laws", [["O", "orthonormal_rows"]]), "there is no rule"),
    ("orthonormal columns", put("statement", "laws", [["x", "orthonormal_columns"]]), "does not fit x, which has 1 axes"),
    ("orthonormal rows of a square matrix", put("derived", []), "there is no rule"),
    ("orthonormal rows of a square matrix", put("derived", 0, 3, []), "it does not follow from nothing"),
    ("orthonormal rows of a square matrix", put("statement", "laws", []), "its premise orthonormal_columns of U is not known"),
    ("a trace of orthonormal columns", put("statement", "rhs", 0, term("->", "1", {"m": "1"})), "have the monomials"),
    ("inverse", put("statement", "lhs", 0, term("A_ij M_jk N_lk x_l -> i")), "needs one index on two legs of N"),
    ("inverse", put("statement", "laws", 0, 1, "inverse(A)"), "there is no rule"),
    ("inverse", put("terms", 0, "steps", 0, 1, [2, 1]), "needs M at position 2"),
    ("inverse from the other side, read through a symmetry", put("statement", "laws", 1, 1, "orthonormal_rows"), "may not be read"),
    ("the inverse of an orthonormal matrix", put("derived", 0, 1, "equal(U)"), "does not follow"),
    ("the inverse of an orthonormal matrix", members([[0, TWO], [1, TWO]]), "differ in their outputs"),
    ("row-stochastic", put("statement", "lhs", 0, term("A_ki P_ij -> j")), "row_stochastic of P sums over index 2, which occurs"),
    ("row-stochastic", put("statement", "lhs", 0, term("A_kj P_ij -> k")), "which occurs elsewhere"),
    ("row-stochastic", put("statement", "lhs", 0, term("A_ki P_jj -> k")), "which occurs elsewhere"),
    ("row-stochastic", put("statement", "lhs", 0, term("A_ki P_ij P_ij -> k")), "which occurs elsewhere"),
    ("all entries of a row-stochastic matrix", put("statement", "rhs", 0, term("->", "1", {"n": "2"})), "have the monomials"),
    ("a family", put("statement", "lhs", 0, term("F_hij x_j -> h")), "which occurs elsewhere"),
    ("one-hot rows", put("statement", "lhs", 0, term("R_ia R_jb z_b -> ia")), "needs one index on two legs of R"),
    ("one-hot rows", put("statement", "rhs", 0, term("R_ia z_b -> ia")), "labels of final term 1"),
    ("identity, copy and ones", put("statement", "rhs", 0, term("A_ij -> i")), "labels of final term 1"),
    ("diagonal", put("terms", 1, "steps", []), "labels of final term 1"),
    ("diagonal inverses", put("statement", "lhs", 0, term("D_ij x_i G_ij -> i")), "needs one index on two legs of D"),
    ("diagonal inverses", put("derived", []), "there is no rule 'diagonal inverse"),
    ("signs", put("statement", "lhs", 0, term("H_ij H_ij x_i ->")), "needs one index on two legs of H"),
    # exchanges
    ("symmetric", put("statement", "laws", []), "differ in their factors"),
    ("symmetric", put("statement", "laws", 0, 1, "antisymmetric(0,1)"), "add up to 2"),
    ("symmetric", put("statement", "laws", 0, 1, "symmetric(0,2)"), "does not fit S, which has 2 axes"),
    ("symmetric", put("statement", "laws", 0, 1, "symmetric(0,0)"), "does not fit S"),
    ("symmetric", put("statement", "laws", 0, 1, "symmetric(0)"), "is not a law"),
    ("symmetric", put("statement", "laws", 0, 1, "transpose(S)"), "it can only follow from others"),
    ("symmetric in three axes", put("statement", "laws", 0, 1, "symmetric(0,2)"), None),
    ("symmetric in three axes", put("statement", "laws", [["T", "symmetric(0,1)"]]), "differ in their factors"),
    ("symmetric in three axes", put("statement", "laws", 0, 1, "antisymmetric(0,1)"), "both symmetric and antisymmetric"),
    ("antisymmetric", put("statement", "rhs", 0, term("E_ij y_i x_j ->")), "add up to 2"),
    ("antisymmetric", put("statement", "laws", 0, 1, "symmetric(0,1)"), "add up to 2"),
    ("an antisymmetric square", put("statement", "laws", 0, 1, "symmetric(0,1)"), "to itself, not to minus itself"),
    ("an antisymmetric square", put("statement", "lhs", 0, term("E_ij x_i x_i x_j ->")), "not map the term to a multiple of itself"),
    ("an antisymmetric square", put("vanishing", 0, 1, []), "to itself, not to minus itself"),
    ("an antisymmetric square", put("vanishing", 0, 1, [[0, 1]]), "not one of its indices among themselves"),
    ("an antisymmetric square", put("vanishing", 0, 1, [[0, 1], [0, 0], [1, 0]]), "not one of its indices among themselves"),
    ("an antisymmetric square", put("vanishing", 1, 0, 0), "final term 0: it is 2 times"),
    ("an antisymmetric square", put("statement", "lhs", [term("E_ij x_i x_j -> ij"), term("E_ii A_jk -> jk")]), "moves the output"),
    ("composite axes", put("statement", "rhs", 0, term("L_jqkp L_iqjp ->")), "needs|differ|labels"),
    ("composite axes", put("statement", "tensors", "L", [["n", 2], [2, "n"]]), "L has a leg of size 2"),
    ("trace through a composite symmetric matrix", put("statement", "laws", []), "differ in their factors"),
    ("trace through a composite symmetric matrix", put("statement", "rhs", 0, term("L_iqjp A_ij ->")), "differ in their factors"),
    ("trace through a composite symmetric matrix", put("statement", "rhs", 0, term("L_jpip A_ij ->")), "labels of final term 1"),
    # definitions
    ("definitions", put("statement", "definitions", "C", [term("B_ij -> ij")]), "the definition of B: it is cyclic"),
    ("definitions", put("statement", "definitions", "C", [term("A_ij -> ji")]), "differ in their factors"),
    ("definitions", put("statement", "definitions", "C", []), "raw terms, and none with the number 3"),
    ("definitions", put("statement", "definitions", "C", [term("A_ij -> i")]), "the outputs of its terms are of the sizes"),
    ("definitions", put("statement", "definitions", "Z", []), "the tensor is not declared"),
    ("definitions", put("statement", "rhs", 1, term("x_i x_j y_j -> i", "3")), "have the monomials"),
    ("a definition with a diagonal output", put("statement", "rhs", 0, term("x_i A_ij ->")), "labels of final term 1"),
    # held indices
    ("elements", put("statement", "rhs", 0, term("A_ij e0_j x_k e0_i -> k")), "differ in their factors"),
    ("elements", put("statement", "rhs", 0, term("A_ij e1_j x_k -> k")), "labels of final term 1"),
    ("elements", put("statement", "lhs", 0, term("A_ij e0_i e1_j x_k e2_k -> k")), "labels of final term 0"),
    ("one index held for two factors", put("statement", "rhs", 0, term("x_j e1_j y_i e0_i ->")), "differ in their factors"),
    ("held at two places", put("vanishing", []), None),
    ("held at two places", put("classes", [{"members": [[0, []]]}]), "final term 0 is zero, and belongs in no class"),
    ("held at two places", put("statement", "lhs", 1, term("x_i e1_i ->")), "to itself, not to minus itself"),
    # laws of users
    ("a user's law with two results", put("terms", 0, "steps", 0, 3, 0), "result 1 of AB splits is not followed"),
    ("a user's law with two results", put("statement", "rules", 0, "result", 1, "factors", 0, 1, [0, 1]), "summed variable 1 stands"),
    ("a user's law with two results", put("statement", "rules", 0, "result", 1, "factors", 0, 1, [0, 5]), "below 4 is expected"),
    ("a user's law with two results", put("statement", "rules", 0, "result", 1, "fresh", ["m"]), "has the sizes m and n"),
    ("a user's law with two results", put("statement", "rules", 0, "name", "identity of I"), "another rule or law of that name"),
    ("a user's law with two results", put("statement", "rules", 0, "result", 0, "coefficient", ["2", {}]), "add up to 1"),
    ("a user's law with two results", put("statement", "rules", 0, "result", []), "has 0 results"),
    ("a user's law with two results", put("statement", "rules", 0, "summed", []), "have the monomials"),
    ("a user's law with two results", put("terms", 0, "steps", 0, 1, [1, 0]), "take different steps from one term"),
    ("a user's law with two results", put("statement", "rules", 0, "factors", 1, 0, "R"), "is not declared"),
    ("a user's law with two results", put("statement", "tensors", "B", [["m"], ["n"]]), "has the sizes n and m|a leg of size m"),
    # laws that do not fit
    ("symmetric", put("statement", "laws", [["x", "diagonal"], ["S", "identity"], ["S", "inverse(x)"]]), "inverse.x. does not fit"),
    ("one-hot rows", put("statement", "laws", [["R", "diagonal"]]), "compares axes of different sizes"),
    ("one-hot rows", put("statement", "laws", [["R", "symmetric(0,1)"]]), "compares axes of different sizes"),
    ("one-hot rows", put("statement", "laws", [["R", "permutation"]]), "compares axes of different sizes"),
    # function nodes
    ("relu of a symmetric sum", put("functions", 0, "exchanges", []), "differ in their factors"),
    ("relu of a symmetric sum", put("functions", 0, "argument", 1, "coefficient", 0, "2"), "legs 0 and 1: class 0: its coefficients"),
    ("relu of a symmetric sum", put("functions", 0, "argument", 1, "coefficient", 0, "-1"), "legs 0 and 1: class 0: its coefficients"),
    ("relu of a symmetric sum", put("functions", 0, "exchanges", 0, "legs", [0, 0]), "not two legs of one size"),
    ("relu of a symmetric sum", put("functions", 0, "exchanges", 0, "legs", [0, 2]), "below 2 is expected; got 2"),
    ("relu of a symmetric sum", put("functions", 0, "rows", True), "keeps the leg that it runs along"),
    ("relu of a symmetric sum", put("functions", 0, "rows", 1), "true or false is expected"),
    ("relu of a symmetric sum", put("functions", 0, "name", "A"), "the name of something else as well"),
    ("relu of a symmetric sum", put("functions", 0, "name", "unit 3"), "the name of something else as well"),
    ("relu of a symmetric sum", put("functions", 0, "name", "r9"), "the tensor r0 is not declared"),
    ("relu of a symmetric sum", put("functions", 0, "sizes", ["n", "m"]), "r0 has a leg of size m|are of the sizes"),
    ("relu of a symmetric sum", put("functions", 0, "exchanges", 0, "proof", "classes", []), "is in no class"),
    ("relu of a symmetric sum", put("functions", []), "the tensor r0 is not declared"),
    ("relu of a symmetric sum", put("statement", "laws", [["r0", "symmetric(0,1)"]]), "the tensor r0 is not declared"),
    ("transposed argument", put("functions", 1, "equal", "legs", [0, 1]), "differ in their outputs"),
    ("transposed argument", put("functions", 1, "equal", "legs", [1, 1]), "are not different ones"),
    ("transposed argument", put("functions", 1, "equal", "legs", [1]), "are not different ones"),
    ("transposed argument", put("functions", 1, "equal", "node", "f1"), "no node before it that stands for itself"),
    ("transposed argument", put("functions", 1, "equal", "node", "A"), "no node before it that stands for itself"),
    ("transposed argument", put("functions", 1, "function", "g"), "it is another function"),
    ("transposed argument", put("functions", 1, "rows", True), "it is another function"),
    ("transposed argument", put("functions", 1, "equal", None), "differ in their factors"),
    ("transposed argument", put("functions", 1, "argument", [term("A_ij -> ij")]), "differ in their outputs"),
    ("transposed argument", put("functions", 1, "argument", [term("A_ii -> ij")]), "differ|labels"),
    ("transposed argument", put("functions", 1, "argument", []), "none with the number 1"),
    ("transposed argument", put("functions", 1, "argument", [term("f1_ij -> ij")]), "the definition of f1: it is cyclic"),
    ("transposed argument", put("functions", 1, "argument", 0, "names", [["s", 0]]), "without names"),
    ("transposed argument", put("functions", 0, "equal", {"node": "f1", "legs": TWO, "proof": NOTHING}), "no node before it"),
    ("an argument that does not depend on a leg", put("functions", 1, "argument", [term("x_i y_j -> ij")]), "differ|labels"),
    ("an argument that does not depend on a leg", put("functions", 1, "equal", "legs", [1]), "differ|labels"),
    ("an argument that does not depend on a leg", put("functions", 1, "sizes", ["n", "m"]), "has a leg of size m|are of the sizes"),
    ("rows", put("functions", 0, "rows", False), "it is another function"),
    ("rows", put("functions", 1, "equal", "legs", [1, 0]), "keeps the leg that it runs along|differ"),
    ("rows", put("functions", 1, "equal", "legs", [0]), "are not different ones"),
    ("rows of a constant", put("functions", 0, "rows", False), "add up|differ|another"),
    ("nested", put("functions", 1, "equal", None), "differ in their factors|is needed"),
    ("nested", in_order("functions", 0, 2, 3, 1), "is needed before the certificate has come to it"),
    ("nested", in_order("functions", 0, 2, 1, 3), None),
    ("nested", in_order("functions", 1, 0, 2, 3), "no node before it"),
    ("nested", put("functions", 3, "argument", [term("f1_ij B_jk -> ki")]), "differ in their"),
    ("a law in the argument", put("statement", "laws", []), "there is no rule"),
    ("a law in the argument", put("functions", 1, "argument", [term("O_ai O_bj x_j -> i")]), "needs one index on two legs"),
    ("a definition in the argument", put("statement", "definitions", "C", 1, term("B_ij -> ji")), "differ in their"),
    ("a definition in the argument", put("statement", "definitions", "C", 1, term("f1_ij -> ij")), "the definition of C: it is cyclic"),
    ("a function of a number", put("functions", 1, "argument", 0, "coefficient", ["1", {"n": "2"}]), "have the monomials"),
    # the shape of the data
    ("nothing", put("statement", "lhs", [term("e1_p ->"), term("e2_p ->")]), "unit 2 stands on an index of size 2"),
    ("open names", put("statement", "lhs", 0, "names", [["k", 2], ["i", 0]]), "not sorted and different"),
    ("trace of a product", put("version", 2), "reads version 1; got 2"),
    ("trace of a product", put("version", True), "a whole number"),
    ("trace of a product", put("format", "other"), "its format is not"),
    ("trace of a product", put("statement", "lhs", 0, "coefficient", ["1/0", {}]), "a rational number"),
    ("trace of a product", put("statement", "lhs", 0, "coefficient", ["1e9", {}]), "a rational number"),
    ("trace of a product", put("statement", "lhs", 0, "coefficient", [1, {}]), "a text is expected; got int"),
    ("trace of a product", put("statement", "lhs", 0, "coefficient", ["1", {"²": "1/2"}]), "a root of a number"),
    ("trace of a product", put("statement", "lhs", 0, "sizes", ["n", 0]), "a size is 0"),
    ("trace of a product", put("statement", "lhs", 0, "sizes", ["n", "2"]), "a size is called '2'"),
    ("trace of a product", put("statement", "lhs", 0, "factors", 0, 0, "Z"), "the tensor Z is not declared"),
    ("trace of a product", put("statement", "tensors", "unit 0", [["n"]]), "is the name of a unit vector"),
    ("trace of a product", put("terms", 0, "raw", 5), "there are 2 raw terms|no final term comes from it"),
]  # fmt: skip


@pytest.mark.parametrize("k", range(len(NEAR_MISSES)), ids=[f"{k} {case[0]}" for k, case in enumerate(NEAR_MISSES)])
def test_near_misses(k: int) -> None:
    name, change, message = NEAR_MISSES[k]
    changed = deepcopy(VALID[name])
    change(changed)
    if message is None:  # another valid one
        check_certificate(changed)
        return
    with pytest.raises(CertificateError, match=message):
        check_certificate(changed)


def test_variables_of_a_rule_have_one_size() -> None:
    """A rule whose variable runs along axes of different sizes is refused, used or not."""
    rule = SPLIT | {"factors": [["O", [0, 1]], ["O", [1, 2]]], "result": []}
    with pytest.raises(CertificateError, match="rule 0: the variable 1 has the sizes n and m"):
        check_certificate(certificate([], [], [], [], rules=[rule]))


def test_members_with_more_indices() -> None:
    changed = certificate([term("A_ij ->")], [term("A_ii ->")], [[0], [1]], [[[0, TWO], [1, [0]]]])
    with pytest.raises(CertificateError, match="final terms 0 and 1 have 2 and 1 indices"):
        check_certificate(changed)


def test_a_choice_that_is_not_followed() -> None:
    changed = deepcopy(CERTIFICATES["a user's law with two results"])
    del changed["terms"][1]
    changed["classes"] = [{"members": [[0, [2, 3, 0]], [2, [1, 2, 0]]]}]
    with pytest.raises(CertificateError, match="result 0 of AB splits is not followed by any final term"):
        check_certificate(changed)
    changed["statement"]["rules"][0]["result"][0]["coefficient"][0] = "0"
    changed["statement"]["rhs"][0]["coefficient"][0] = "0"
    changed["vanishing"] = [[1, []]]
    check_certificate(changed)


def one_by_one(laws: list, steps: list, vanishing: list) -> dict:
    """A certificate that an antisymmetric matrix of size 1 x 1 times x is zero."""
    found = certificate([term("x_i -> i")], [], [[0, *steps]], [], vanishing=vanishing)
    found["statement"]["lhs"][0]["factors"].append(["Y", []])
    found["statement"]["tensors"]["Y"] = [[], []]
    found["statement"]["laws"] = laws
    return found


def test_an_antisymmetric_number_is_zero() -> None:
    """The law is T = 0 where two axes have size 1; the final term is then zero, and is listed or not."""
    anti, zero = [["Y", "antisymmetric(0,1)"]], step("antisymmetric(0,1) of Y", [0], [])
    zero[1] = [1]
    for steps in ([], [zero]):
        check_certificate(one_by_one(anti, steps, [[0, []]]))
    check_certificate(one_by_one(anti, [zero], []))
    for laws, steps, vanishing, message in [
        ([], [], [[0, []]], "to itself, not to minus itself"),
        ([["Y", "symmetric(0,1)"]], [], [[0, []]], "to itself, not to minus itself"),
        ([["Y", "symmetric(0,1)"]], [zero], [[0, []]], "there is no rule"),
        (anti, [], [], "in no class and does not vanish"),
        (anti, [zero], [[0, [[0, 1]]]], None),
    ]:
        changed = one_by_one(laws, steps, vanishing)
        if message is None:
            check_certificate(changed)
            continue
        with pytest.raises(CertificateError, match=message):
            check_certificate(changed)
    members_of_zero = one_by_one(anti, [zero], []) | {"classes": [{"members": [[0, [0]]]}]}
    with pytest.raises(CertificateError, match="is zero, and belongs in no class"):
        check_certificate(members_of_zero)


def test_antisymmetric_axes_of_other_sizes_have_no_rule() -> None:
    laws = [Law("T", "antisymmetric", (0, 1)), Law("L", "antisymmetric", (0, 2))]
    assert not rules_of_laws(laws, {"T": (("n",), ("n",)), "L": ((), ("n",), (2,))})
    assert rules_of_laws(laws[1:], {"L": ((), ("n",), ())})["antisymmetric(0,2) of L"].results[0].scalar == scalar(0)


def test_a_law_without_results_makes_a_term_zero() -> None:
    """A user's law A B = 0: the final term times zero vanishes, and another does not."""
    rule = SPLIT | {"name": "AB is zero", "result": [{"coefficient": ["0", {}], "factors": [], "united": [], "fresh": []}]}
    cut = step("AB is zero", TWO, TWO, TWO)
    lhs = [term("A_ij B_jk -> ik")]
    check_certificate(certificate(lhs, [], [[0, cut]], [], rules=[rule], vanishing=[[0, []]]))
    check_certificate(certificate(lhs, [], [[0, cut]], [], rules=[rule]))
    for change, terms, message in [
        (lhs, [[0]], "to itself, not to minus itself"),
        ([term("A_ij B_kj -> ik")], [[0, cut]], "needs one index on two legs"),
    ]:
        with pytest.raises(CertificateError, match=message):
            check_certificate(certificate(change, [], terms, [], rules=[rule], vanishing=[[0, []]]))


def test_the_leg_of_a_row_stays_where_it_is() -> None:
    """Arguments are equal as the certificate says, but the leg that the function runs along is moved or dropped."""
    turned = deepcopy(FUNCTIONS["transposed argument"])
    dropped = deepcopy(FUNCTIONS["an argument that does not depend on a leg"])
    for changed in (turned, dropped):
        check_certificate(changed)
        for node in changed["functions"]:
            node["rows"] = True
        with pytest.raises(CertificateError, match="a function of rows keeps the leg that it runs along"):
            check_certificate(changed)


def test_proofs_of_nodes_share_the_budget(monkeypatch) -> None:
    """Many nodes, each with a proof of its own that multiplies out: refused as one large one is."""
    found = deepcopy(FUNCTIONS["a definition in the argument"])
    found["functions"] += [found["functions"][1] | {"name": f"g{k}"} for k in range(40)]
    check_certificate(found)
    monkeypatch.setattr(checker_steps, "MAX_WORK", 400)
    with pytest.raises(CertificateError, match="multiplying them out makes more"):
        check_certificate(found)


def test_definitions_that_explode(monkeypatch) -> None:
    """A short certificate whose definitions multiply out to 2^60 factors, or to 2^60 times nothing, is refused quickly."""
    monkeypatch.setattr(checker_steps, "MAX_WORK", 20_000)
    for body in ("-> ij", None):
        names = [f"X{k}" for k in range(60)]
        found = certificate([term("A_ij -> ij")], [], [[0]], [[[0, TWO]]])
        statement = found["statement"]
        statement["tensors"] |= {name: [["n"], ["n"]] for name in names}
        for one, other in zip(names[1:], names, strict=False):
            inner = [[other, [0, 1]], [other, [0, 1]]]
            statement["definitions"][one] = [term("-> ij") | {"factors": inner[: 2 if body else 1]}] * (1 if body else 2)
        statement["definitions"]["X0"] = []
        if body:
            statement["definitions"]["X0"] = [term("A_ij -> ij")]
        statement["lhs"] = [term("-> ij") | {"factors": [["X59", [0, 1]]]}]
        with pytest.raises(CertificateError, match="multiplying them out makes more"):
            check_certificate(found)


# --- nothing but CertificateError, and nothing false ------------------------------------------------------------------


def leaves(data: object, path: tuple = ()) -> Iterator[tuple]:
    """The paths to all values in a certificate, containers too."""
    if path:
        yield path
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield from leaves(value, (*path, key))


HOSTILE = [
    None,
    True,
    -1,
    0,
    1,
    2,
    3,
    10**30,
    0.5,
    "",
    "0",
    "-1",
    "n",
    "m",
    "A",
    "unit 0",
    "\ud800",
    [],
    [[]],
    {},
    {"a": 1},
    ["1", {}],
]


def holds(data: dict) -> bool | None:
    """Whether the statement is true for arrays that satisfy the laws; None where its hypotheses are others."""
    statement = data["statement"]
    original = next(c["statement"] for c in VALID.values() if c["statement"]["laws"] == statement["laws"])
    if (statement["laws"] and statement["laws"] != original["laws"]) or any(r != SPLIT for r in statement["rules"]):
        return None
    arrays = dict(ARRAYS)
    if statement["rules"]:
        arrays["B"] = np.zeros((2, 2), dtype=int)
        arrays["C"] = [[Fraction(-half, 2) for half in row] for row in np.outer(ARRAYS["x"], ARRAYS["y"])]  # 0 = x y + 2 C
    nodes = {node["name"]: node for node in data.get("functions", [])}
    waiting = dict(statement["definitions"]) | {name: node["argument"] for name, node in nodes.items()}
    for name in waiting:
        arrays.pop(name, None)
    while waiting:
        ready = [
            name for name, terms in waiting.items() if all(f in arrays or "unit" in f for t in terms for f, _ in t["factors"])
        ]
        for name in ready:
            legs = nodes[name]["sizes"] if name in nodes else [size for axis in statement["tensors"][name] for size in axis]
            values = evaluate(map(as_term, waiting.pop(name)), arrays, SIZES)
            arrays[name] = np.zeros(
                [SIZES.get(size, 2) if isinstance(size, str) else min(size, 9) for size in legs], dtype=object
            )
            for at, place in values.items():
                arrays[name][at] = place[()]
            if name in nodes:
                arrays[name] = value_of_node(nodes[name], arrays[name])
    sides = [evaluate(map(as_term, statement[side]), arrays, SIZES) for side in ("lhs", "rhs")]
    return sides[0] == sides[1]


def test_what_holds_is_not_everything() -> None:
    changed = deepcopy(CERTIFICATES["trace of a product"])
    changed["statement"]["rhs"][0] = term("B_ij A_ij ->")
    assert holds(changed) is False


def as_term(data: dict) -> Term:
    """A term from its data."""
    rational, powers = data["coefficient"]
    value = scalar(Fraction(rational), {name: Fraction(e) for name, e in powers.items()})
    factors = tuple((name, tuple(indices)) for name, indices in data["factors"])
    return Term(value, factors, tuple(data["sizes"]), tuple(data["output"]), tuple(map(tuple, data["names"])))


@pytest.mark.parametrize("name", VALID)
def test_the_statements_are_true(name: str) -> None:
    assert holds(VALID[name])


@pytest.mark.parametrize("name", VALID)
def test_changed_certificates_are_refused_or_true(name: str) -> None:
    """Every value replaced by every hostile one, every key and element removed: an error of the right class, or still a proof."""
    text = json.dumps(VALID[name])
    for path in leaves(VALID[name]):
        if name in FUNCTIONS and path[0] != "functions":  # what those have in common with the others
            continue
        for value in [*HOSTILE, "gone"]:
            changed = json.loads(text)
            target = changed
            for key in path[:-1]:
                target = target[key]
            if value == "gone":
                del target[path[-1]]
            else:
                target[path[-1]] = deepcopy(value)
            try:
                check_certificate(changed)
            except CertificateError:
                continue
            if path[:2] not in (("statement", "laws"), ("statement", "tensors"), ("statement", "rules")):
                assert holds(changed) is not False, (path, value)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_two_changes_are_refused_or_true(data) -> None:
    """Two small numbers or two elements of lists exchanged: a proof of something false is never accepted."""
    changed = deepcopy(VALID[data.draw(st.sampled_from(sorted(VALID)))])
    for _ in range(2):
        places = [path for path in leaves(changed) if path[:2] not in (("statement", "laws"), ("statement", "rules"))]
        lists = [path for path in places if isinstance(at(changed, path), list) and len(at(changed, path)) > 1]
        numbers = [path for path in places if type(at(changed, path)) is int]
        if lists and data.draw(st.booleans()):
            target = at(changed, data.draw(st.sampled_from(lists)))
            i, j = data.draw(st.integers(0, len(target) - 1)), data.draw(st.integers(0, len(target) - 1))
            target[i], target[j] = target[j], target[i]
        elif numbers:
            path = data.draw(st.sampled_from(numbers))
            at(changed, path[:-1])[path[-1]] = data.draw(st.integers(0, 4))
    try:
        check_certificate(changed)
    except CertificateError:
        return
    assert holds(changed) is not False


def at(data: object, path: tuple) -> object:
    """What is at a path."""
    for key in path:
        data = data[key]
    return data


@pytest.mark.parametrize("value", [None, 0, [], "certificate", {}, {"format": []}, {1: 2}])
def test_what_is_no_certificate(value: object) -> None:
    with pytest.raises(CertificateError):
        check_certificate(value)


# --- laws -------------------------------------------------------------------------------------------------------------

LAWS = {
    "row_stochastic": lambda a: (a.sum(1) == 1).all(),
    "column_stochastic": lambda a: (a.sum(0) == 1).all(),
    "exclusive_rows": lambda a: all((np.outer(row, row) == np.diag(row)).all() for row in a),
    "exclusive_columns": lambda a: all((np.outer(row, row) == np.diag(row)).all() for row in a.T),
    "one_hot_rows": lambda a: LAWS["exclusive_rows"](a) and LAWS["row_stochastic"](a),
    "one_hot_columns": lambda a: LAWS["one_hot_rows"](a.T),
    "permutation": lambda a: len(a) == len(a.T) and LAWS["one_hot_rows"](a) and LAWS["one_hot_rows"](a.T),
    "orthonormal_columns": lambda a: (a.T @ a == np.eye(a.shape[1])).all(),
    "orthonormal_rows": lambda a: (a @ a.T == np.eye(a.shape[0])).all(),
    "diagonal": lambda a: a.shape[0] == a.shape[1] and (a == np.diag(np.diag(a))).all(),
    "symmetric": lambda a: a.shape[0] == a.shape[1] and (a == a.T).all(),
    "antisymmetric": lambda a: a.shape[0] == a.shape[1] and (a == -a.T).all(),
    "identity": lambda a: a.shape[0] == a.shape[1] and (a == np.eye(len(a))).all(),
    "signs": lambda a: LAWS["diagonal"](a) and (np.diag(a) ** 2 == 1).all(),
}
PAIRS = {
    "inverse": lambda a, b: (a @ b == np.eye(len(a))).all() and (b @ a == np.eye(len(a))).all(),
    "equal": lambda a, b: (a == b).all(),
    "transpose": lambda a, b: (a == b.T).all(),
}
AXES = {"symmetric": (0, 1), "antisymmetric": (0, 1)}
MATRICES = {
    shape: [np.array(entries).reshape(shape) for entries in product(values, repeat=shape[0] * shape[1])]
    for shape, values in {
        (2, 2): (-1, 0, 1, 2),
        (2, 3): (-1, 0, 1),
        (3, 2): (-1, 0, 1),
        (1, 2): (-1, 0, 1, 2),
        (1, 1): (-1, 0, 1),
    }.items()
}


def axes_of_shape(shape: tuple[int, int]) -> tuple:
    """Axes with one size name for each number."""
    return tuple(((), ("n",), ("m",))[size - 1 :][:1][0] for size in shape)


@pytest.mark.parametrize("shape", MATRICES)
def test_what_follows_of_one_matrix_is_true(shape: tuple[int, int]) -> None:
    """For every set of up to two laws: what is said to follow holds of every small matrix that satisfies them."""
    tensors = {"T": axes_of_shape(shape)}
    having = {kind: {k for k, matrix in enumerate(MATRICES[shape]) if law(matrix)} for kind, law in LAWS.items()}
    accepted = 0
    for first, second, conclusion in product(LAWS, repeat=3):
        premises = [Law("T", kind, AXES.get(kind, ())) for kind in (first, second)]
        if follows(Law("T", conclusion, AXES.get(conclusion, ())), premises, tensors):
            accepted += 1
            assert having[first] & having[second] <= having[conclusion], (first, second, conclusion)
    assert accepted > 100


def test_what_follows_of_inverses_is_true() -> None:
    """The same for laws of M and N = M^-1, and of a third matrix that is an inverse of M."""
    matrices = MATRICES[2, 2]
    inverse = [(a, b) for a in matrices for b in matrices if PAIRS["inverse"](a, b)]
    tensors = dict.fromkeys("MNP", (("n",), ("n",)))
    base = [Law("M", "inverse", (), "N")]
    for kind, conclusion in product(LAWS, repeat=2):
        for of, to in (("M", "N"), ("N", "M")):
            premises = [*base, Law(of, kind, AXES.get(kind, ()))]
            if follows(Law(to, conclusion, AXES.get(conclusion, ())), premises, tensors):
                for pair in inverse:
                    known, other = pair if of == "M" else pair[::-1]
                    assert not LAWS[kind](known) or LAWS[conclusion](other), (kind, conclusion)
    for kind, relation in product(LAWS, ("equal", "transpose")):
        premises = [*base, Law("M", kind, AXES.get(kind, ()))]
        if follows(Law("N", relation, (), "M"), premises, tensors):
            assert all(PAIRS[relation](b, a) for a, b in inverse if LAWS[kind](a)), (kind, relation)
        self_inverse = [Law("M", "inverse", (), "M"), Law("M", kind, AXES.get(kind, ()))]
        if follows(Law("M", "symmetric", (0, 1)), self_inverse, tensors):
            assert all(LAWS["symmetric"](a) for a, b in inverse if (a == b).all() and LAWS[kind](a)), kind
    assert follows(Law("P", "equal", (), "N"), [*base, Law("M", "inverse", (), "P")], tensors)
    assert not follows(Law("P", "equal", (), "M"), [*base, Law("M", "inverse", (), "P")], tensors)
    assert not follows(Law("N", "inverse", (), "P"), [*base, Law("M", "inverse", (), "P")], tensors)


FAMILY = {"T": (("H",), ("n",), ("n",)), "M": (("H",), ("n",), ("n",))}


@pytest.mark.parametrize(
    ("law", "premises", "tensors", "expected"),
    [
        (Law("T", "column_stochastic"), [Law("T", "row_stochastic"), Law("T", "symmetric", (1, 2))], FAMILY, True),
        (Law("T", "column_stochastic"), [Law("T", "row_stochastic"), Law("T", "symmetric", (0, 1))], FAMILY, False),
        (Law("T", "column_stochastic"), [Law("T", "row_stochastic"), Law("T", "antisymmetric", (1, 2))], FAMILY, False),
        (Law("T", "symmetric", (0, 1)), [Law("T", "inverse", (), "M"), Law("M", "symmetric", (0, 1))], FAMILY, False),
        (Law("T", "symmetric", (1, 2)), [Law("T", "inverse", (), "M"), Law("M", "symmetric", (1, 2))], FAMILY, True),
        (Law("T", "diagonal"), [Law("T", "inverse", (), "M"), Law("M", "diagonal")], FAMILY, False),
        (Law("T", "signs"), [Law("T", "diagonal"), Law("T", "orthonormal_columns")], FAMILY, False),
        (Law("T", "identity"), [Law("T", "diagonal"), Law("T", "row_stochastic")], FAMILY, False),
        (Law("T", "symmetric", (0, 2)), [Law("T", "diagonal")], FAMILY, True),
        (Law("T", "orthonormal_rows"), [Law("T", "orthonormal_columns")], FAMILY, True),
        (Law("T", "orthonormal_rows"), [Law("T", "orthonormal_columns")], {"T": (("n",), ("n", 2))}, False),
        (Law("T", "orthonormal_rows"), [Law("M", "orthonormal_columns")], FAMILY, False),
        (Law("T", "row_stochastic"), [Law("M", "one_hot_rows")], FAMILY, False),
    ],
)
def test_what_follows(law: Law, premises: list[Law], tensors: dict, expected: bool) -> None:
    assert follows(law, premises, tensors) == expected


def test_premises_come_first() -> None:
    tensors = {"T": (("n",), ("n",))}
    chain = [("T", "one_hot_rows", (("T", "permutation"),)), ("T", "row_stochastic", (("T", "one_hot_rows"),))]
    assert len(all_laws([("T", "permutation")], chain, tensors)) == 3
    with pytest.raises(CertificateError, match="its premise one_hot_rows of T is not known before it"):
        all_laws([("T", "permutation")], chain[::-1], tensors)


RULES = [  # law, array
    ("x ones", np.ones(2, dtype=int)),
    ("A identity", np.eye(2, dtype=int)),
    ("T copy", np.array(ARRAYS["K"])),
    ("x copy", np.ones(2, dtype=int)),
    ("J ones", np.ones((2, 2), dtype=int)),
    ("D diagonal", np.array(ARRAYS["D"])),
    ("T diagonal", np.array([[[3, 0], [0, 0]], [[0, 0], [0, 5]]])),
    ("P row_stochastic", np.array(ARRAYS["P"], dtype=object)),
    ("x row_stochastic", np.array([3, -2])),
    ("F row_stochastic", np.array(ARRAYS["F"], dtype=object)),
    ("F column_stochastic", np.array(ARRAYS["F"], dtype=object).transpose(0, 2, 1)),
    ("R exclusive_rows", np.array([[0, 1, 0], [0, 0, 0]])),
    ("R exclusive_columns", np.array([[0, 1, 0], [1, 0, 0]])),
    ("O orthonormal_columns", np.array(ARRAYS["O"])),
    ("R orthonormal_rows", np.array([[0, 1, 0], [0, 0, -1]])),
    ("F orthonormal_rows", np.array([ARRAYS["U"], ARRAYS["V"]], dtype=object)),
    ("L orthonormal_rows", np.eye(4, dtype=int)[[2, 0, 3, 1]].reshape(2, 2, 2, 2)),
    ("L identity", np.eye(4, dtype=int).reshape(2, 2, 2, 2)),
    ("L diagonal", np.diag([1, 2, 3, 4]).reshape(2, 2, 2, 2)),
    ("L row_stochastic", np.array([[1, 2, -3, 1], [0, 1, 0, 0], [1, 1, 1, -2], [4, -3, 0, 0]]).reshape(2, 2, 2, 2)),
    ("H signs", np.array(ARRAYS["H"])),
    ("M inverse(N)", np.array(ARRAYS["M"])),
    ("N transpose(M)", np.array(ARRAYS["M"]).T),
    ("N equal(M)", np.array(ARRAYS["M"])),
]


@pytest.mark.parametrize("k", range(len(RULES)), ids=[case[0] for case in RULES])
def test_rules_of_laws_are_true(k: int) -> None:
    """Both sides of the rule of a law agree at an array that satisfies the law, at every value of the indices that are not summed."""
    text, array = RULES[k]
    name, law = text.split(" ")
    kind, _, other = law.rstrip(")").partition("(")
    axes = CERTIFICATE_AXES[name]
    [rule] = rules_of_laws([Law(name, kind, (), other)], {name: axes, "N": (("n",), ("n",)), "M": (("n",), ("n",))}).values()
    arrays = ARRAYS | {name: array}
    sizes: dict[int, object] = {}
    for factor, variables in rule.factors:
        legs = [size for axis in (axes if factor == name else (("n",), ("n",))) for size in axis]
        sizes |= dict(zip(variables, legs, strict=True))
    [result] = rule.results
    output = [v for v in sizes if v not in rule.summed]
    lengths = tuple(sizes[v] for v in range(len(sizes)))
    left = evaluate([Term(scalar(1), rule.factors, lengths, tuple(output), ())], arrays, SIZES)
    factors = (*result.factors, *((f"delta {size}", pair) for pair in result.united for size in [sizes[pair[0]]]))
    deltas = {f"delta {size}": np.eye(SIZES.get(size, size), dtype=int) for size in (2, "n", "m")}
    kept = {v: place for place, v in enumerate(output)}
    moved = tuple((factor, tuple(kept[v] for v in variables)) for factor, variables in factors)
    right = evaluate(
        [Term(result.scalar, moved, tuple(lengths[v] for v in output), tuple(range(len(output))), ())], arrays | deltas, SIZES
    )
    assert left == right


CERTIFICATE_AXES = {
    name: tuple(tuple(axis) for axis in axes)
    for c in CERTIFICATES.values()
    for name, axes in c["statement"]["tensors"].items()
}  # fmt: skip


def test_exchanges_of_axes() -> None:
    """Exchanges of 0, 1 and of 1, 2 are all exchanges; of composite axes whole ones only."""
    tensors = {"T": (("n",),) * 3, "E": (("n",),) * 4, "L": (("n", 2), ("n", 2)), "A": (("n",), ("n",))}
    laws = [
        Law("T", "symmetric", (0, 1)),
        Law("T", "symmetric", (1, 2)),
        Law("E", "antisymmetric", (1, 2, 3)),
        Law("L", "symmetric", (0, 1)),
    ]
    found = exchanges_of(laws, tensors)
    assert all(found["T"].sign(order) == 1 for order in [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    assert [found["E"].sign(order) for order in [(0, 1, 2, 3), (0, 2, 1, 3), (0, 2, 3, 1), (1, 0, 2, 3)]] == [1, -1, 1, None]
    assert [found["L"].sign(order) for order in [(2, 3, 0, 1), (1, 0, 3, 2), (2, 1, 0, 3), (0, 1)]] == [1, None, None, None]
    assert found["A"].sign((1, 0)) is None
    assert found["E"].sorted(((0, 9), (0, 3), (0, 1), (0, 2))) == (((0, 9), (0, 1), (0, 2), (0, 3)), 1)
    assert found["E"].sorted(((0, 9), (0, 3), (0, 1), (0, 3)))[1] == 0


def test_a_long_chain_of_steps() -> None:
    count = 150
    factors = [["I", [k, k + 1]] for k in range(count)]
    lhs = term("-> ij") | {"factors": factors, "sizes": ["n"] * (count + 1), "output": [0, count]}
    steps = [step("identity of I", [0], TWO) for _ in range(count)]
    check_certificate(certificate([lhs], [term("-> ii")], [[0, *steps], [1]], [[[0, [0]], [1, [0]]]], ["I identity"]))
