"""Identities between einsum strings, einops patterns, and shapes as text."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Integer, MatrixSymbol, symbols
from traced_values import value

import symbolic_circuits as sc
from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Refuted
from symbolic_circuits.errors import IdentityError, ShapeError, TraceError
from symbolic_circuits.tracing.einsum_identity import prove_einsum
from symbolic_circuits.tracing.patterns import rearrange, reduce, repeat
from symbolic_circuits.tracing.shapes import parse_shape
from symbolic_circuits.tracing.sizes import size_of
from symbolic_circuits.tracing.trace import symbol_of, trace

n, d, H, k = symbols("n d H k", integer=True, positive=True)

PROVED = [
    (("ij,jk->ik", "A", "B"), ("kj,ji->ik", "B.T", "A.T"), {}),
    (("ij,jk->ik", "A", "B"), ("jk,ij->ik", "B", "A"), {}),
    (("ij,jk", "A", "B"), MatrixSymbol("A", n, d) * MatrixSymbol("B", d, n), {"A": "n x d", "B": "d x n"}),
    (("ii->", "A"), ("i i2, i i2 ->", "A", "I"), {"given": {"I": "identity"}}),
    ([("ij->ij", "A"), ("ij->ij", "A")], (2, "ij->ij", "A"), {}),
    ([("ij->ij", "A"), (-1, "ij->ji", "A")], [], {"given": {"A": "symmetric"}}),
    ((0.5, "i,j->ij", "x", "y"), (Fraction(1, 2), "j,i->ij", "y", "x"), {}),
    (("q d, k d -> q k", "Q", "K"), ("qd,kd->qk", "Q", "K"), {}),
    (("n (h e) -> h n e", "X", {"h": "H"}), ("n (h e) -> h n e", "X", {"e": "k"}), {"X": "n x H*k"}),
    (("n d -> d", "X"), ("nd->d", "X"), {}),
    (("d -> d 3", "x"), None, {}),
    (("...ij,...jk->...ik", "A", "B"), ("hij,hjk->hik", "A", "B"), {"A": "H x n x d", "B": "H x d x n"}),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(PROVED)))
def test_proved(case: int):
    left, right, options = PROVED[case]
    if right is None:
        with pytest.raises(IdentityError, match="no name of an axis"):
            prove_einsum(left, left, **options)
        return
    verdict = prove_einsum(left, right, **options)
    assert isinstance(verdict, Proved | HoldsAt), verdict


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (("ij,jk->ik", "A", "B"), ("ij,kj->ik", "A", "B")),
        (("ij,j->i", "A", "x"), ("ji,j->i", "A", "x")),
        ([("ij->ij", "A"), ("ji->ij", "A")], (2, "ij->ij", "A")),
        (("i,i->", "x", "y"), ("i,j->", "x", "y")),
        (("ij,ij->ij", "A", "A"), (3, "ij,ij->ij", "A", "A")),
    ],
)
def test_near_misses(left: tuple, right: tuple):
    assert isinstance(prove_einsum(left, right), Refuted)


@pytest.mark.parametrize(
    ("left", "right", "shapes", "message"),
    [
        (("ij,jk->ik", "A"), [], {}, "for 2 arrays; got 1"),
        (("ij->ik", "A"), [], {}, "index k, which no array has"),
        (("ij,i->j", "A", "A"), [], {}, "A has 2 axes"),
        (("ij,jk->ik", "A", "B"), [], {"A": "n x d", "B": "m x d"}, "index j has size d"),
        (("n (h e) -> h n e", "X"), [], {"X": "n x H*k"}, "give the size of one"),
        (("n (h e) -> h n e", "X"), [], {}, "shape of X is not said"),
        (("...i->...", "A"), [], {}, "shape of A is not said"),
        ([], [], {}, "both sides are empty"),
        ("ij->ij", [], {}, "a term is"),
        (("i j -> i j j", "A"), [], {}, "occurs twice"),
        (("i (j -> i", "A"), [], {}, "parentheses"),
    ],
)
def test_errors(left: object, right: object, shapes: dict, message: str):
    with pytest.raises((IdentityError, TraceError), match=message):
        prove_einsum(left, right, **shapes)


PATTERNS = [  # operation, pattern, sizes of axes, shape
    (rearrange, "n (h e) -> h n e", {"h": "H"}, "n x H*k"),
    (rearrange, "h n e -> n (h e)", {}, "H x n x k"),
    (rearrange, "... d -> d ...", {}, "H x n x d"),
    (rearrange, "n d -> (n d)", {}, "n x d"),
    (rearrange, "n d -> n 1 d", {}, "n x d"),
    (rearrange, "(n 1) d -> d n", {}, "n x d"),
    (rearrange, "(a b) c -> a (b c)", {"a": 2}, "2*k x d"),
    (reduce, "h n d -> n d", {"": "sum"}, "H x n x d"),
    (reduce, "n (h e) -> n h", {"": "mean", "e": "k"}, "n x H*k"),
    (reduce, "h n d -> () n", {"": "sum"}, "H x n x d"),
    (repeat, "d -> n d", {"n": "n"}, "d"),
    (repeat, "n d -> (h n) d", {"h": "H"}, "n x d"),
]  # fmt: skip
NUMBERS = {"n": 3, "d": 2, "H": 5, "k": 2}
VALUES = {n: 3, d: 2, H: 5, k: 2}


def as_number(size: object) -> object:
    """A size of the tests as a number."""
    return NUMBERS.get(size, size)


@pytest.mark.parametrize("case", range(len(PATTERNS)))
def test_patterns_are_those_of_einops(case: int):
    einops = pytest.importorskip("einops")
    operation, pattern, sizes, shape = PATTERNS[case]
    sizes, kind = dict(sizes), [sizes[""]] if "" in sizes else []
    sizes.pop("", None)
    value_in = symbol_of("X", shape, {})
    given = {key: size_of(parse_shape(str(size))[0]) for key, size in sizes.items()}
    found = operation(value_in, pattern, *kind, **given)
    array = np.random.default_rng(0).standard_normal([int(size.subs(VALUES)) for size in parse_shape(shape)])
    expected = getattr(einops, operation.__name__)(array, pattern, *kind, **{key: as_number(one) for key, one in sizes.items()})
    np.testing.assert_allclose(value(found.exported(), {"X": array, **NUMBERS}).reshape(expected.shape), expected)

    def code(X, **sizes):
        return getattr(einops, operation.__name__)(X, pattern, *kind, **sizes)

    sc.assert_identity(trace(code, X=shape, **{key: parse_shape(str(size))[0] for key, size in sizes.items()}), found.exported())


def test_einops_einsum():
    einops = pytest.importorskip("einops")

    def code(A, B):
        return einops.einsum(A, B, "i j, j k -> i k")

    assert trace(code, A="n x d", B="d x n") == MatrixSymbol("A", n, d) * MatrixSymbol("B", d, n)


@settings(max_examples=40, deadline=None)
@given(st.permutations("abc"), st.permutations("abc"))
def test_renaming_indices_changes_nothing(names: list, order: list):
    """An einsum is equal to itself with other letters and its arrays in another order."""
    parts = {"A": "ab", "B": "bc", "C": "ca"}
    letters = dict(zip("abc", names, strict=True))
    texts = ["".join(letters[one] for one in parts[name]) for name in (sorted(parts)[ord(o) - 97] for o in order)]
    operands = [sorted(parts)[ord(o) - 97] for o in order]
    verdict = prove_einsum(("ab,bc,ca->ab", "A", "B", "C"), (f"{','.join(texts)}->{letters['a']}{letters['b']}", *operands))
    assert isinstance(verdict, Proved)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("n x d", (n, d)),
        ("H x n*k x 3", (H, n * k, Integer(3))),
        ("n×d", (n, d)),
        (r"n \times d", (n, d)),
        ("d + 1", (d + 1,)),
        ("", ()),
        ("scalar", ()),
        ("3", (Integer(3),)),
    ],
)
def test_shapes(text: str, shape: tuple):
    assert parse_shape(text) == shape


@pytest.mark.parametrize("text", ["n x", "n, d", "0", "n x -1", "n**2", "n x d x ", "__import__", "n x 1.5", "9" * 20])
def test_shapes_that_are_none(text: str):
    with pytest.raises(ShapeError, match="in the shape"):
        parse_shape(text)


def test_sizes_are_exact_or_refuse():
    size = size_of(parse_shape("n*k")[0])
    assert (size // size_of(k), size % size_of(k), size == size, size >= 1, size > 0, size != 0) == (
        size_of(n), 0, True, True, True, True,
    )  # fmt: skip
    assert [size_of(parse_shape("d + 1")[0]) > 1, size_of(d) < size_of(d) + 1] == [True, True]
    for question in (lambda: size == 4, lambda: size // 3, lambda: int(size), lambda: size_of(n) < size_of(d), lambda: size > 1):
        with pytest.raises(TraceError):
            question()
