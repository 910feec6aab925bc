"""Identity files: every documented form means what numpy.einsum means, every mistake has its message, nothing else is ever raised."""

import json
from contextlib import suppress
from fractions import Fraction
from math import prod
from random import Random
from string import ascii_letters

import numpy as np
import opt_einsum
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_texts import einsum, identity

import symbolic_circuits as sc
from symbolic_circuits.algebra.witness import Witness, side_values
from symbolic_circuits.errors import BudgetError, IdentityError, LawError, ShapeError
from symbolic_circuits.identities.files import parse_identity, prove_identity

VALID = {
    "id": "product",
    "lhs": [[1, "ij,jk->ik", ["A", "B"]], ["1/2", "ik->ik", ["C"]]],
    "rhs": [[1, "ik->ik", ["D"]]],
    "shapes": {"A": ["n", "m"], "B": ["m", 3], "C": ["n", 3]},
    "given": {},
    "defs": {"D": [[1, "ij,jk->ik", ["A", "B"]], ["1/2", "ij->ij", ["C"]]]},
}


def test_the_valid_twin() -> None:
    assert prove_identity(VALID).verdict == "proved"


# ---- the meaning of a side is that of numpy.einsum ----

SIZES = {"n": 3, "m": 2, "d": 2}
SHAPES = {
    "A": ["n", "n"],
    "B": ["n", "n"],
    "X": ["n", "m"],
    "x": ["n"],
    "y": ["m"],
    "T": ["n", "m", "n"],
    "F": [2, "n"],
    "o": [1, "n"],
    "c": [],
}
EINSUMS = [
    ("ij,jk->ik", "A B"),
    ("ij,jk", "A B"),
    ("ji,kj", "A B"),
    ("ij", "A"),
    ("ba", "A"),
    ("ii", "A"),
    ("ij,kl", "A B"),
    ("Zb,ba", "A B"),
    ("i->ii", "x"),
    ("i,j->iji", "x y"),
    ("ij->iijj", "A"),
    ("ii->i", "A"),
    ("ij->", "A"),
    ("ij,ij->ij", "A B"),
    ("ij,ij->i", "X X"),
    (" i j , j k -> k i ", "A X"),
    ("ijk,ijk->j", "T T"),
    ("iji->j", "T"),
    (",i->i", "c x"),
    (",", "c c"),
    ("", "c"),
    ("->", "c"),
    ("ki,i->k", "F x"),
    ("ki,li->kl", "F F"),
    ("ai,i->a", "o x"),
    ("ai->i", "o"),
    ("ai,bi->ab", "o o"),
    ("ai,aj->aij", "o o"),
    ("ai->aai", "o"),
]  # fmt: skip


def arrays_of(shapes: dict, sizes: dict[str, int], seed: int = 0) -> dict[str, np.ndarray]:
    """Random integer arrays."""
    rng = Random(seed)
    full = {name: [size if isinstance(size, int) else sizes[size] for size in axes] for name, axes in shapes.items()}
    return {name: np.array([rng.randint(-9, 9) for _ in range(prod(s))], dtype=object).reshape(s) for name, s in full.items()}


def side(data: dict, sizes: dict[str, int], arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The left side as the package reads it, with axes of size 1 where they are declared."""
    claim = parse_identity(data).statement
    flat = {name: array.reshape([k for k in array.shape if k != 1]) for name, array in arrays.items()}
    bare = Witness(claim, sizes, {}, flat, (), {}, {}, False)
    found = side_values(claim, claim.lhs, bare).get((), np.zeros(()))
    return np.asarray(found).reshape([prod(k if isinstance(k, int) else sizes[k] for k in axis) for axis in claim.lhs.axes])


def numpy_einsum(string: str, operands: list[np.ndarray]) -> np.ndarray:
    """numpy.einsum with repeated output letters, which it refuses itself, as diagonals."""
    inputs, arrow, output = string.replace(" ", "").partition("->")
    distinct = "".join(dict.fromkeys(output))
    value = np.einsum(f"{inputs}{arrow}{distinct}", *operands) if inputs or arrow else np.asarray(operands[0])
    if distinct == output:
        return value
    out = np.zeros([value.shape[distinct.index(letter)] for letter in output], dtype=int).astype(object)
    for place in np.ndindex(*value.shape):
        out[tuple(place[distinct.index(letter)] for letter in output)] = value[place]
    return out


@pytest.mark.parametrize(("string", "names"), EINSUMS, ids=[f"{string} {names}" for string, names in EINSUMS])
def test_an_einsum_means_what_numpy_means(string: str, names: str) -> None:
    arrays = arrays_of(SHAPES, SIZES)
    data = {"lhs": [["-3/2", string, names.split()]], "rhs": [], "shapes": SHAPES}
    expected = numpy_einsum(string, [arrays[name] for name in names.split()]) * Fraction(-3, 2)
    found = side(data, SIZES, arrays)
    assert found.shape == np.asarray(expected).shape and np.array_equal(found, expected)


@given(st.lists(st.sampled_from("ABX"), min_size=1, max_size=3), st.data())
def test_random_einsums_mean_what_opt_einsum_means(names: list[str], data: st.DataObject) -> None:
    letters = {"n": "abc", "m": "pq"}
    inputs = ["".join(data.draw(st.sampled_from(letters[size])) for size in SHAPES[name]) for name in names]
    used = sorted(set("".join(inputs)))
    output = "".join(data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))])
    string = f"{','.join(inputs)}->{output}"
    arrays = arrays_of(SHAPES, SIZES)
    expected = opt_einsum.contract(string, *(arrays[name] for name in names))
    assert np.array_equal(side({"lhs": [[1, string, names]], "rhs": [], "shapes": SHAPES}, SIZES, arrays), expected)


# ---- forms of the same thing ----

PLAIN = identity("ij,jk->ik A B", "ij,jk->ik A B", "A:n,m B:m,d")
FORMS = {
    "implicit output": [[1, "ij,jk", ["A", "B"]]],
    "spaces": [[1, " ij , jk -> ik ", ["A", "B"]]],
    "other letters": [[1, "Zq,qa->Za", ["A", "B"]]],
    "operands in another order": [[1, "jk,ij->ik", ["B", "A"]]],
    "a coefficient as text": [["1", "ij,jk->ik", ["A", "B"]]],
    "a fraction": [["4/4", "ij,jk->ik", ["A", "B"]]],
    "signs and spaces": [[" +6 / 6 ", "ij,jk->ik", ["A", "B"]]],
    "two halves": [["1/2", "ij,jk->ik", ["A", "B"]], ["1/2", "ij,jk->ik", ["A", "B"]]],
    "a term of zero": [[1, "ij,jk->ik", ["A", "B"]], [0, "ij,jk->ik", ["A", "B"]]],
    "lists of words": [[1, [[["i", "j"], ["j", "k"]], ["i", "k"]], ["A", "B"]]],
    "lists of numbers": [[1, [[[0, 1], [1, 2]], [0, 2]], ["A", "B"]]],
    "inputs and output in one list": [[1, [["i", "j"], ["j", "k"], ["i", "k"]], ["A", "B"]]],
    "long words": [[1, [[["row", "inner"], ["inner", "column"]], ["row", "column"]], ["A", "B"]]],
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_a_term(name: str) -> None:
    assert prove_identity(PLAIN | {"lhs": FORMS[name]}).verdict == "proved"


@pytest.mark.parametrize("count", [1, 52, 53, 80])
def test_many_indices(count: int) -> None:
    chain = [[str(k), str(k + 1)] for k in range(count)]
    left = [[1, [chain, ["0", str(count)]], ["A"] * count]]
    right = [[1, [chain[::-1], ["0", str(count)]], ["A"] * count]]
    assert prove_identity({"lhs": left, "rhs": right, "shapes": {"A": ["n", "n"]}}).verdict == "proved"


def test_more_than_52_letters_in_an_outer_product() -> None:
    words = [f"i{k}" for k in range(60)]
    assert len(words) > len(ascii_letters)
    term = [1, [[[word] for word in words], []], ["x"] * 60]
    assert prove_identity({"lhs": [term], "rhs": [], "shapes": {"x": ["n"]}}).verdict == "refuted"
    one = {"lhs": [term], "rhs": [[1, [[[word] for word in words[::-1]], []], ["x"] * 60]], "shapes": {"x": ["n"]}}
    assert prove_identity(one).verdict == "proved"


def test_zero_sides() -> None:
    assert prove_identity({"lhs": [], "rhs": [], "shapes": {}}).verdict == "proved"
    zero = [[1, "ij->ij", ["A"]], [-1, "ij->ij", ["A"]]]
    for lhs, rhs in ((zero, []), ([], zero), (zero, zero)):
        assert prove_identity({"lhs": lhs, "rhs": rhs, "shapes": {"A": ["n", "m"]}}).verdict == "proved"
    assert prove_identity({"lhs": zero[:1], "rhs": [], "shapes": {"A": ["n", "m"]}}).verdict == "refuted"
    assert prove_identity({"lhs": [[0, "ij->ij", ["A"]]], "rhs": [], "shapes": {"A": ["n", "m"]}}).verdict == "proved"


def test_definitions_in_definitions() -> None:
    data = identity("i->i z", "ij,jk,k->i A B x + ij,jk,k->i A C x", "A:n,n B:n,n C:n,n x:n")
    data["defs"] = {"z": einsum("ij,j->i A y"), "y": einsum("ij,j->i S x"), "S": einsum("ij->ij B + ij->ij C")}
    assert prove_identity(data).verdict == "proved"
    turned = data | {"defs": data["defs"] | {"S": einsum("ij->ji B + ij->ij C")}}
    assert prove_identity(turned).verdict == "refuted"
    assert prove_identity(data | {"defs": dict(reversed(data["defs"].items()))}).verdict == "proved"


def test_the_output_of_a_definition_orders_its_axes() -> None:
    data = identity("ab->ab D", "ji->ij A", "A:n,m") | {"defs": {"D": einsum("ij->ji A")}}
    assert prove_identity(data).verdict == "proved"
    data = identity("ab->ab D", "ii,ij->ij I A", "A:n,n I:n,n", I="identity") | {"defs": {"D": [[1, "i,ij->ij", ["o", "A"]]]}}
    data["shapes"]["o"], data["given"]["o"] = ["n"], ["ones"]
    assert prove_identity(data).verdict == "proved"


def test_definitions_of_zero_and_of_repeated_axes() -> None:
    data = identity("ij->ij A", "ij->ij A + ij->ij Z", "A:n,m Z:n,m") | {"defs": {"Z": []}}
    assert prove_identity(data).verdict == "proved"
    data = identity("ij,jk->ik D A", "i,ij->ij x A", "A:n,m x:n") | {"defs": {"D": einsum("i->ii x")}}
    assert prove_identity(data).verdict == "proved"


def test_sizes() -> None:
    trace = [[1, "ii->", ["I"]]]
    for size, verdict in ((3, "proved"), ("3", "proved"), ("n", "refuted")):
        data = {
            "lhs": trace,
            "rhs": [[3, "->", ["c"]]],
            "shapes": {"I": [size, size], "c": []},
            "given": {"I": ["identity"], "c": ["ones"]},
        }
        assert prove_identity(data).verdict == verdict
    one = identity("ai,bi->ab o o", "ai,bi->ba o o", "o:1,n")
    assert prove_identity(one).verdict == "proved"
    assert prove_identity(identity("ai,bi->ab o o", "ai,bi->ba o P", "o:n,1 P:n,1")).verdict == "refuted"
    two = identity("ij,jk->ik A B", "ij,jk->ik B A", "A:1,1 B:1,1")
    assert prove_identity(two).verdict == "proved"
    assert prove_identity(identity("ij,jk->ik A B", "ij,jk->ik B A", "A:2,2 B:2,2")).verdict == "refuted"


# ---- reading files ----


def write(tmp_path, data: object) -> str:
    path = tmp_path / "claims.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("content", "ids"),
    [
        (VALID, ["product"]),
        ([VALID], ["product"]),
        ([], []),
        ({"version": 1, "identities": [VALID, VALID | {"id": 7}]}, ["product", "7"]),
        ({"identities": [VALID]}, ["product"]),
        ({k: v for k, v in VALID.items() if k != "id"}, ["claims"]),
        ([{k: v for k, v in VALID.items() if k != "id"}] * 2, ["claims#0", "claims#1"]),
    ],
)
def test_a_file_holds_one_or_many(tmp_path, content: object, ids: list[str]) -> None:
    found = sc.read_identities(write(tmp_path, content))
    assert [identity.id for identity in found] == ids and not any(identity.ignored for identity in found)


def test_keys_that_mean_nothing_are_named(tmp_path) -> None:
    [found] = sc.read_identities(write(tmp_path, VALID | {"rsh": [], "comment": "remarks are fine", "laws": {}}))
    assert found.ignored == ("laws", "rsh")


TEXTS = [
    ("[1, 2", "is not JSON"),
    ("", "is not JSON"),
    ('{"lhs": [], "rhs": [], "lhs": []}', "the key 'lhs' occurs twice"),
    ('{"lhs": [[NaN, "i->i", ["x"]]], "rhs": [], "shapes": {"x": ["n"]}}', "NaN is not a number of JSON"),
    ('{"lhs": [[-Infinity, "i->i", ["x"]]], "rhs": [], "shapes": {"x": ["n"]}}', "-Infinity is not a number of JSON"),
    ('{"lhs": [[1e400, "i->i", ["x"]]], "rhs": [], "shapes": {"x": ["n"]}}', "a coefficient is an integer"),
    ('{"lhs": [[%s, "i->i", ["x"]]], "rhs": [], "shapes": {"x": ["n"]}}' % ("9" * 5000), "digits"),
    ("[" * 100_000, "nested too deeply"),
    ('{"lhs": [[1, %s, ["x"]]], "rhs": []}' % ("[" * 100_000 + "]" * 100_000), "nested too deeply"),
    ("[" * 500 + "]" * 500, "an identity is an object"),
    ('{"lhs": [[1, %s, ["x"]]], "rhs": [], "shapes": {"x": ["n"]}}' % ("[" * 900 + "]" * 900), "an einsum is a string, or"),
    ('"text"', "an identity is an object"),
    ("null", "an identity is an object"),
    ('{"version": 2, "identities": []}', "of version 2; this package reads version 1"),
    ('{"version": null, "identities": []}', "of version None"),
    ('{"identities": 3}', "an identity is an object"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), TEXTS, ids=[text[:40] for text, _ in TEXTS])
def test_files_that_are_no_identities(tmp_path, text: str, message: str) -> None:
    with pytest.raises(IdentityError, match=message):
        sc.read_identities(write(tmp_path, text))


def test_files_that_are_no_text(tmp_path) -> None:
    path = tmp_path / "claims.json"
    path.write_bytes(b'{"id": "\xff\xfe"}')
    with pytest.raises(IdentityError, match="is not UTF-8"):
        sc.read_identities(path)
    with pytest.raises(OSError, match="none"):
        sc.read_identities(tmp_path / "none.json")


# ---- mistakes, each one change away from the valid twin ----


def changed(**parts: object) -> dict:
    return VALID | parts


def with_term(*term: object) -> dict:
    return changed(lhs=[list(term), *VALID["lhs"][1:]])


MISTAKES = [
    (changed(id=1.5), IdentityError, "an id is a word or a number; got 1.5"),
    (changed(id=True), IdentityError, "an id is a word"),
    (changed(id=None), IdentityError, "an id is a word"),
    ({k: v for k, v in VALID.items() if k != "lhs"}, IdentityError, "identity 'product': there is no lhs; zero is written"),
    ({k: v for k, v in VALID.items() if k != "rhs"}, IdentityError, "there is no rhs"),
    ({k: v for k, v in VALID.items() if k != "shapes"}, IdentityError, "A is not declared; declared are none"),
    (changed(shapes=[]), IdentityError, "shapes is an object"),
    (changed(given=None), IdentityError, "given is an object"),
    (changed(defs="D"), IdentityError, "defs is an object"),
    (changed(shapes=VALID["shapes"] | {"": []}), IdentityError, "'' is not a name"),
    (changed(shapes=VALID["shapes"] | {"unit 0": ["n"]}), IdentityError, "'unit 0' is not a name"),
    (changed(shapes=VALID["shapes"] | {"a\nb": ["n"]}), IdentityError, "is not a name"),
    (changed(shapes=VALID["shapes"] | {"\ud800": ["n"]}), IdentityError, "is not a name"),
    (changed(shapes=VALID["shapes"] | {"Z": "n"}), IdentityError, "the shape of Z is a list of sizes"),
    (changed(shapes=VALID["shapes"] | {"Z": [0]}), IdentityError, "a size of Z is a positive integer or a name; got 0"),
    (changed(shapes=VALID["shapes"] | {"Z": [-1]}), IdentityError, "a size of Z"),
    (changed(shapes=VALID["shapes"] | {"Z": [2.0]}), IdentityError, "a size of Z"),
    (changed(shapes=VALID["shapes"] | {"Z": [True]}), IdentityError, "a size of Z"),
    (changed(shapes=VALID["shapes"] | {"Z": ["0"]}), IdentityError, "a size of Z"),
    (changed(shapes=VALID["shapes"] | {"Z": [""]}), IdentityError, "a size of Z"),
    (changed(shapes=VALID["shapes"] | {"Z": [["n"]]}), IdentityError, "a size of Z"),
    (changed(lhs={}), IdentityError, "lhs is a list of terms"),
    (changed(lhs=[1]), IdentityError, "term 0 of lhs is"),
    (changed(lhs=[[1, "ij->ij"]]), IdentityError, "term 0 of lhs is"),
    (with_term(1.0, "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term(True, "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term("x", "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term("1/0", "ij,jk->ik", ["A", "B"]), IdentityError, "divides by zero"),
    (with_term("1/-2", "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term("1" * 4001, "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term(None, "ij,jk->ik", ["A", "B"]), IdentityError, "a coefficient is an integer"),
    (with_term(1, "ij,jk->ik", "AB"), IdentityError, "the operands are a list of names"),
    (with_term(1, "ij,jk->ik", ["A", 2]), IdentityError, "the operands are a list of names"),
    (with_term(1, "ij,jk->ik", ["A", "Z"]), IdentityError, "Z is not declared; declared are A, B, C"),
    (with_term(1, "ij,jk->ik", ["A"]), IdentityError, "2 inputs for 1 operands"),
    (with_term(1, "ij->ij", ["A", "B"]), IdentityError, "1 inputs for 2 operands"),
    (with_term(1, "ijk,jk->ik", ["A", "B"]), IdentityError, "A has 2 axes, but 3 indices i, j, k"),
    (with_term(1, "ij,jk->il", ["A", "B"]), IdentityError, "the output index l is in none of the inputs"),
    (with_term(1, "ij,ik->jk", ["A", "B"]), ShapeError, "axis 0 of B has size m, but axis 0 of A has size n; both are the index i"),
    (with_term(1, "ij,jk->ki", ["A", "B"]), ShapeError, "term 0 has the shape 3 x n, term 1 has n x 3"),
    (with_term(1, "ij...,jk->ik", ["A", "B"]), IdentityError, "an einsum is letters and commas"),
    (with_term(1, "ij,jk->i,k", ["A", "B"]), IdentityError, "an einsum is letters and commas"),
    (with_term(1, "ij,jk->ik->", ["A", "B"]), IdentityError, "an einsum is letters and commas"),
    (with_term(1, "ıj,jk->ık", ["A", "B"]), IdentityError, "an einsum is letters and commas"),
    (with_term(1, None, ["A", "B"]), IdentityError, "an einsum is a string, or"),
    (with_term(1, [["i", "j"], ["j", "k"]], ["A", "B"]), IdentityError, "an einsum is a string, or"),
    (with_term(1, [[["i", "j"], ["j", None]], ["i", "k"]], ["A", "B"]), IdentityError, "indices are words or numbers"),
    (with_term(1, [[["i", "j"], ["j", True]], ["i", "k"]], ["A", "B"]), IdentityError, "indices are words or numbers"),
    (with_term(1, [[["i", "j"], ["j", ["k"]]], ["i", "k"]], ["A", "B"]), IdentityError, "indices are words or numbers"),
    (with_term(1, [[["i", "j"], ["j", "k"]], ["i", "l"]], ["A", "B"]), IdentityError, "the output index l"),
    (changed(rhs=[[1, "ij->ji", ["D"]]]), ShapeError, "the sides have different shapes: n x 3 and 3 x n"),
    (changed(given={"C": "diagonal"}), LawError, "the laws of C are a list of words"),
    (changed(given={"C": [1]}), LawError, "the laws of C are a list of words"),
    (changed(given={"Z": ["diagonal"]}), LawError, "laws are given for Z, which has no shape"),
    (changed(given={"C": ["diagnoal"]}), LawError, "the laws are"),
    (changed(given={"C": ["diagonal"]}), LawError, "needs axes of one size; they are n x 3"),
    (changed(given={"D": ["ones"]}), LawError, "D is defined, so that"),
    (changed(defs={"D": [[1, "ij->ij", ["D"]]]}), IdentityError, "the definition of D is circular: D -> D"),
    (changed(defs=VALID["defs"] | {"E": [[1, "ij->ij", ["F"]]], "F": [[1, "ij->ij", ["E"]]]}), IdentityError, "circular: E -> F -> E"),
    (changed(defs=VALID["defs"] | {"E": []}), IdentityError, "E is defined as zero, so that its shape must be declared"),
    (changed(defs={"D": [[1, "ij->ij", ["A"]]]}), ShapeError, "the sides have different shapes"),
    (changed(shapes=VALID["shapes"] | {"D": ["n", "n"]}), ShapeError, "D is declared as n x n and defined as n x 3"),
    (changed(defs=VALID["defs"] | {"E": 1}), IdentityError, "the definition of E is a list of terms"),
    (changed(lhs=[[1, "ij->ij", ["A"]]] * 10_001), IdentityError, "lhs is a list of terms"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "error", "message"), MISTAKES, ids=[message[:50] for _, _, message in MISTAKES])
def test_mistakes(data: dict, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        prove_identity(data)


@pytest.mark.parametrize("data", [None, 1, "text", [], [VALID]], ids=str)
def test_what_is_no_identity(data: object) -> None:
    with pytest.raises(IdentityError, match="an identity is an object with defs, given, id, lhs, rhs, shapes"):
        prove_identity(data)


def test_definitions_that_explode() -> None:
    defs = {"x0": einsum("i->i a + i->i b")}
    defs |= {f"x{k}": [[1, "i,i->i", [f"x{k - 1}"] * 2]] for k in range(1, 6)}
    data = identity("i->i x5", "i->i a", "a:n b:n") | {"defs": defs}
    verdict = prove_identity(data)
    assert verdict.verdict in ("refuted", "undecided")
    small = data | {"lhs": einsum("i->i x1"), "rhs": einsum("i,i->i a a + 2 i,i->i a b + i,i->i b b")}
    assert prove_identity(small).verdict == "proved"


# ---- hostile data raises nothing but what is documented ----

WORDS = st.sampled_from(
    ["A", "B", "C", "D", "n", "m", "i", "ij", "ij,jk->ik", "i->ii", "->", "", "1/2", "1/0", "identity", "symmetric(0,1)", "inverse(B)", "lhs",
     "rhs", "shapes", "given", "defs", "id", "unit 0", " at ", "0", "3", "x" * 100]
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 4), st.floats(), WORDS, st.text(max_size=3))
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(WORDS, st.text(max_size=2)), inner, max_size=3)), max_leaves=8
)  # fmt: skip


def places(data: object, path: tuple = ()) -> list[tuple]:
    """The places of a tree."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def put(data: object, path: tuple, value: object) -> object:
    """The tree with another value at a place."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    if isinstance(data, dict):
        return data | {key: put(data[key], rest, value)}
    return [put(item, rest, value) if k == key else item for k, item in enumerate(data)]


def accepted_or_refused(data: object) -> None:
    try:
        verdict = prove_identity(data)
    except (IdentityError, LawError, ShapeError, BudgetError):
        return
    json.dumps(sc.verdict_data(verdict))
    assert sc.explanation(verdict)
    if verdict.verdict == "proved":
        json.dumps(verdict.certificate)


@settings(max_examples=150)
@given(st.data(), st.integers(1, 3))
def test_changed_identities(data: st.DataObject, count: int) -> None:
    claim: object = VALID
    for _ in range(count):
        claim = put(claim, data.draw(st.sampled_from(places(claim))), data.draw(ANYTHING))
    accepted_or_refused(claim)


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(VALID)), ANYTHING, min_size=2))
def test_arbitrary_objects(claim: object) -> None:
    accepted_or_refused(claim)


@settings(max_examples=40)
@given(ANYTHING)
def test_arbitrary_files(tmp_path_factory, content: object) -> None:
    path = tmp_path_factory.mktemp("files") / "claims.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with suppress(IdentityError, LawError, ShapeError):
        sc.read_identities(path)


@settings(max_examples=60)
@given(st.text(max_size=30))
def test_arbitrary_text(tmp_path_factory, text: str) -> None:
    path = tmp_path_factory.mktemp("files") / "claims.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(IdentityError, LawError, ShapeError):
        sc.read_identities(path)


# ---- what is wrong today ----


def test_a_tab_in_a_coefficient() -> None:
    claim = identity("i->i x", "i->i x", "x:n")
    assert prove_identity(claim | {"lhs": [["2 / 2", "i->i", ["x"]]]}).verdict == "proved"
    assert prove_identity(claim | {"lhs": [["2\t/ 2", "i->i", ["x"]]]}).verdict == "proved"


def test_long_coefficients() -> None:
    claim = identity("i,i->i y y", "0", "x:n")
    long = claim | {"defs": {"y": [["7" * 1000, "i->i", ["x"]]]}, "lhs": [[1, "i,i,i,i,i,i->i", ["y"] * 6]]}
    with pytest.raises(IdentityError, match="a coefficient is an integer"):
        prove_identity(claim | {"defs": {"y": [["7" * 4000, "i->i", ["x"]]]}})
    assert sc.verdict_data(prove_identity(claim | {"defs": {"y": [["7" * 400, "i->i", ["x"]]]}}))["verdict"] == "refuted"
    assert sc.verdict_data(prove_identity(long))["verdict"] == "refuted"


@pytest.mark.parametrize(
    "count",
    [10, 40, 80],
)
def test_many_indices_that_differ(count: int) -> None:
    chain = [[str(k), str(k + 1)] for k in range(count)]
    left, right = ([[1, [chain, output], ["A"] * count]] for output in (["0", str(count)], [str(count), "0"]))
    found = prove_identity({"lhs": left, "rhs": right, "shapes": {"A": ["n", "n"]}}).verdict
    assert found == "refuted" if count < 20 else found in ("refuted", "undecided")


def test_keys_that_are_no_words() -> None:
    with pytest.raises(IdentityError):
        prove_identity({"lhs": [], "rhs": [], "shapes": {1: ["n"]}})
