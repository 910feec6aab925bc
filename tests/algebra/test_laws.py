"""Laws by evaluation: what is declared, what follows, and every rewrite hold exactly on random tensors; near-misses are refuted."""

from fractions import Fraction
from itertools import product
from math import prod
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_texts import identity

from symbolic_circuits.algebra.lawful import lawful_arrays
from symbolic_circuits.algebra.laws import CLOSURE, Law, closed_laws, parse_law
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.rewriting import rewritten
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.errors import LawError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.files import parse_identity, prove_identity

SIZES = (
    {"n": 1, "m": 1, "H": 1},
    {"n": 2, "m": 2, "H": 2},
    {"n": 2, "m": 3, "H": 2},
    {"n": 3, "m": 2, "H": 1},
    {"n": 4, "m": 4, "H": 1},
)


# ---- an independent reading of the laws ----


def holds(law: Law, arrays: dict[str, np.ndarray]) -> bool:
    """Whether arrays satisfy a law, by its definition, entry by entry."""
    array = arrays[law.tensor]
    if law.kind in ("symmetric", "antisymmetric"):
        sign = 1 if law.kind == "symmetric" else -1
        return all((array == sign * array.swapaxes(a, b)).all() for a in law.axes for b in law.axes if a != b)
    if law.kind in ("identity", "copy", "ones", "diagonal"):
        for place in product(*map(range, array.shape)):
            on, entry = len(set(place)) <= 1, array[place]
            if (law.kind == "ones" and entry != 1) or (law.kind in ("identity", "copy") and entry != on):
                return False
            if law.kind == "diagonal" and entry and not on:
                return False
        return True
    other = arrays.get(law.other)
    lead = array.shape[:-2] if array.ndim > 1 else ()
    return all(matrix_holds(law, array[place], None if other is None else other[place]) for place in product(*map(range, lead)))


def matrix_holds(law: Law, matrix: np.ndarray, other: np.ndarray | None) -> bool:
    """Whether one matrix, or vector, satisfies a law."""
    rows = [list(row) for row in matrix] if matrix.ndim == 2 else [list(matrix)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    dot = lambda a, b: sum(x * y for x, y in zip(a, b, strict=True))  # noqa: E731
    gram = lambda vectors: [[dot(a, b) for b in vectors] for a in vectors]  # noqa: E731
    eye = lambda size: [[int(i == j) for j in range(size)] for i in range(size)]  # noqa: E731
    hot = lambda vector: sorted(vector) == [0] * (len(vector) - 1) + [1]  # noqa: E731
    match law.kind:
        case "row_stochastic":
            return all(sum(row) == 1 for row in rows)
        case "column_stochastic":
            return all(sum(column) == 1 for column in columns)
        case "one_hot_rows":
            return all(map(hot, rows))
        case "one_hot_columns":
            return all(map(hot, columns))
        case "permutation":
            return all(map(hot, rows)) and all(map(hot, columns))
        case "exclusive_rows" | "exclusive_columns":
            return all(hot(v) or not any(v) for v in (rows if law.kind == "exclusive_rows" else columns))
        case "orthonormal_rows":
            return gram(rows) == eye(len(rows))
        case "orthonormal_columns":
            return gram(columns) == eye(len(columns))
        case "signs":
            return all(abs(x) == (i == j) for i, row in enumerate(rows) for j, x in enumerate(row))
        case "inverse":
            return (matrix @ other == eye(len(rows))).all() and (other @ matrix == eye(len(rows))).all()
        case "transpose":
            return (matrix == other.T).all()
        case "equal":
            return (matrix == other).all()
    raise AssertionError(law)


TWINS = [
    ("symmetric", [[1, 2], [2, 3]], [[1, 2], [3, 1]]),
    ("antisymmetric", [[0, 2], [-2, 0]], [[1, 2], [-2, 0]]),
    ("identity", [[1, 0], [0, 1]], [[1, 0], [0, 2]]),
    ("ones", [[1, 1], [1, 1]], [[1, 1], [1, 0]]),
    ("diagonal", [[5, 0], [0, 0]], [[5, 0], [1, 0]]),
    ("row_stochastic", [[2, -1], [0, 1]], [[2, 0], [-1, 1]]),
    ("column_stochastic", [[2, 0], [-1, 1]], [[2, -1], [0, 1]]),
    ("one_hot_rows", [[1, 0], [1, 0]], [[1, 1], [0, 0]]),
    ("one_hot_columns", [[1, 1], [0, 0]], [[1, 0], [1, 0]]),
    ("permutation", [[0, 1], [1, 0]], [[0, 1], [0, 1]]),
    ("exclusive_rows", [[1, 0], [0, 0]], [[1, 1], [0, 0]]),
    ("exclusive_columns", [[1, 0], [0, 0]], [[1, 0], [1, 0]]),
    ("orthonormal_rows", [[0, 1, 0], [1, 0, 0]], [[0, 1], [1, 0], [0, 0]]),
    ("orthonormal_columns", [[0, 1], [1, 0], [0, 0]], [[0, 1, 0], [1, 0, 0]]),
    ("signs", [[1, 0], [0, -1]], [[1, 0], [0, 2]]),
]


@pytest.mark.parametrize(("kind", "good", "bad"), TWINS, ids=[kind for kind, _, _ in TWINS])
def test_the_oracle(kind: str, good: list, bad: list) -> None:
    law = Law("T", kind, (0, 1) if "symmetric" in kind else ())
    assert holds(law, {"T": np.array(good, dtype=object)})
    assert not holds(law, {"T": np.array(bad, dtype=object)})


# ---- declared, derived and used, on random tensors that satisfy the declared laws ----

DECLARED = {
    "identity": ("T:n,n", {"T": "identity"}),
    "copy": ("T:n,n,n", {"T": "copy"}),
    "copy of one axis": ("T:n", {"T": "copy"}),
    "ones": ("T:n,m", {"T": "ones"}),
    "diagonal": ("T:n,n", {"T": "diagonal"}),
    "diagonal of three axes": ("T:n,n,n", {"T": "diagonal"}),
    "symmetric": ("T:n,n", {"T": "symmetric"}),
    "symmetric in two of three": ("T:n,m,m", {"T": "symmetric(1,2)"}),
    "symmetric in three": ("T:m,m,m", {"T": "symmetric(0,1); symmetric(1,2)"}),
    "antisymmetric": ("T:m,m", {"T": "antisymmetric"}),
    "antisymmetric in three": ("T:m,m,m", {"T": "antisymmetric(0,1,2)"}),
    "symmetric and antisymmetric": ("T:n,n,m,m", {"T": "symmetric(0,1); antisymmetric(2,3)"}),
    "orthonormal columns": ("T:m,n", {"T": "orthonormal_columns"}),
    "orthonormal rows": ("T:n,m", {"T": "orthonormal_rows"}),
    "orthonormal square": ("T:n,n", {"T": "orthonormal_rows"}),
    "orthonormal column of size 1": ("T:n,1", {"T": "orthonormal_columns"}),
    "orthonormal row of size 1": ("T:1,n", {"T": "orthonormal_rows"}),
    "orthonormal family": ("T:H,m,n", {"T": "orthonormal_columns"}),
    "orthonormal symmetric": ("T:n,n", {"T": "orthonormal_columns; symmetric"}),
    "orthonormal antisymmetric": ("T:n,n", {"T": "orthonormal_columns; antisymmetric"}),
    "orthonormal diagonal": ("T:n,n", {"T": "orthonormal_columns; diagonal"}),
    "orthonormal rows that sum to 1": ("T:n,n", {"T": "orthonormal_columns; row_stochastic"}),
    "orthonormal columns that sum to 1": ("T:n,n", {"T": "orthonormal_rows; column_stochastic"}),
    "inverse": ("T:n,n S:n,n", {"T": "inverse(S)"}),
    "inverse family": ("T:H,n,n S:H,n,n", {"T": "inverse(S)"}),
    "inverse symmetric": ("T:n,n S:n,n", {"T": "inverse(S); symmetric"}),
    "inverse diagonal": ("T:n,n S:n,n", {"T": "inverse(S); diagonal"}),
    "inverse antisymmetric": ("T:n,n S:n,n", {"S": "inverse(T); antisymmetric"}),
    "inverse row-stochastic": ("T:n,n S:n,n", {"T": "inverse(S); row_stochastic"}),
    "inverse identity": ("T:n,n S:n,n", {"T": "inverse(S)", "S": "identity"}),
    "inverse orthonormal": ("A:n,n B:n,n", {"A": "inverse(B); orthonormal_columns"}),
    "inverse of a later orthonormal": ("A:n,n B:n,n", {"A": "inverse(B)", "B": "orthonormal_columns"}),
    "inverse permutation": ("A:n,n B:n,n", {"A": "inverse(B); permutation"}),
    "two inverses": ("A:n,n B:n,n C:n,n", {"A": "inverse(B); inverse(C)"}),
    "involution": ("T:n,n", {"T": "inverse(T)"}),
    "orthonormal involution": ("T:n,n", {"T": "inverse(T); orthonormal_rows"}),
    "row-stochastic": ("T:n,m", {"T": "row_stochastic"}),
    "row-stochastic vector": ("T:n", {"T": "row_stochastic"}),
    "row-stochastic family": ("T:H,n,m", {"T": "row_stochastic"}),
    "row-stochastic of one column": ("T:n,1", {"T": "row_stochastic"}),
    "column-stochastic": ("T:n,m", {"T": "column_stochastic"}),
    "doubly stochastic": ("T:n,n", {"T": "row_stochastic; symmetric"}),
    "diagonal row-stochastic": ("T:n,n", {"T": "diagonal; row_stochastic"}),
    "one-hot rows": ("T:n,m", {"T": "one_hot_rows"}),
    "one-hot vector": ("T:n", {"T": "one_hot_rows"}),
    "one-hot family": ("T:H,n,m", {"T": "one_hot_rows"}),
    "one-hot columns": ("T:n,m", {"T": "one_hot_columns"}),
    "one-hot rows, orthonormal rows": ("T:n,m", {"T": "one_hot_rows; orthonormal_rows"}),
    "one-hot rows, orthonormal columns": ("T:m,n", {"T": "one_hot_rows; orthonormal_columns"}),
    "one-hot columns, orthonormal columns": ("T:m,n", {"T": "one_hot_columns; orthonormal_columns"}),
    "one-hot columns, orthonormal rows": ("T:n,m", {"T": "one_hot_columns; orthonormal_rows"}),
    "exclusive rows": ("T:n,m", {"T": "exclusive_rows"}),
    "exclusive columns": ("T:n,m", {"T": "exclusive_columns"}),
    "exclusive rows symmetric": ("T:n,n", {"T": "exclusive_rows; symmetric"}),
    "permutation": ("T:n,n", {"T": "permutation"}),
    "permutation family": ("T:H,n,n", {"T": "permutation"}),
    "permutation symmetric": ("T:n,n", {"T": "permutation; symmetric"}),
    "fixed sizes": ("T:2,2 U:3,2", {"T": "permutation", "U": "orthonormal_columns"}),
}  # fmt: skip


def statement(name: str) -> Statement:
    """A statement with the declared laws, and nothing to prove."""
    shapes, laws = DECLARED[name]
    return parse_identity(identity("0", "0", shapes, **laws)).statement


def composite(*laws: Law, names: str = "T") -> Statement:
    """Laws of tensors both axes of which are n times m."""
    empty = Open((), ())
    return Statement(empty, empty, dict.fromkeys(names, (("n", "m"), ("n", "m"))), laws)


COMPOSITE = {
    "composite orthonormal": composite(Law("T", "orthonormal_columns")),
    "composite diagonal": composite(Law("T", "diagonal")),
    "composite identity": composite(Law("T", "identity")),
    "composite permutation": composite(Law("T", "permutation")),
    "composite row-stochastic": composite(Law("T", "row_stochastic")),
    "composite one-hot": composite(Law("T", "one_hot_rows")),
    "composite inverse": composite(Law("T", "inverse", (), "S"), names="ST"),
}


def lawful(claim: Statement, seed: int) -> list[tuple[dict[str, int], dict[str, np.ndarray]]]:
    """Sizes and arrays, one axis for each leg."""
    rng = Random(seed)
    found = [(sizes, lawful_arrays(claim, sizes, rng, names=claim.axes)) for sizes in SIZES]
    return [(sizes, arrays) for sizes, arrays in found if arrays is not None]


def whole(claim: Statement, arrays: dict[str, np.ndarray], sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Arrays with one axis for each axis."""
    number = lambda size: size if isinstance(size, int) else sizes[size]  # noqa: E731
    return {name: a.reshape([prod(map(number, axis)) for axis in claim.axes[name]]) for name, a in arrays.items()}


CLAIMS = {name: statement(name) for name in DECLARED} | COMPOSITE


NAMES = list(CLAIMS)


@pytest.mark.parametrize("name", NAMES)
def test_what_follows_is_true_of_what_is_declared(name: str) -> None:
    claim = CLAIMS[name]
    cases = [case for seed in range(3) for case in lawful(claim, seed)]
    assert cases
    for sizes, arrays in cases:
        values = whole(claim, arrays, sizes)
        for law in claim.laws:
            assert holds(law, values), f"the array made for {law} does not satisfy it at {sizes}"
        for law, why in claim.closed_laws.items():
            assert holds(law, values), f"{law} of {law.tensor} does not follow: {why} at {sizes}"


@pytest.mark.parametrize("name", NAMES)
def test_rules_are_true(name: str) -> None:
    claim = CLAIMS[name]
    for sizes, arrays in lawful(claim, 7):
        number = lambda size: size if isinstance(size, int) else sizes[size]  # noqa: E731, B023
        for rule in claim.rules:
            size_of: dict[int, int] = {}
            for tensor, variables in rule.factors:
                size_of |= dict(zip(variables, map(number, claim.tensors[tensor].shape), strict=True))
            free = sorted(set(size_of) - rule.summed)
            left = pattern_value([(arrays[t], v) for t, v in rule.factors], (), size_of, free)
            right = np.zeros([size_of[v] for v in free], dtype=int).astype(object)
            for new in rule.result:
                assert not new.scalar.monomial
                sizes_here = size_of | dict(enumerate(map(number, new.fresh), start=max(size_of, default=-1) + 1))
                factors = [(arrays[t.name], v) for t, v in new.factors]
                kept = {v: s for v, s in sizes_here.items() if v not in rule.summed}
                right = right + new.scalar.rational * pattern_value(factors, new.united, kept, free)
            assert np.array_equal(left, right), rule.name


def pattern_value(factors: list, united: tuple, size_of: dict[int, int], free: list[int]) -> np.ndarray:
    """Products of entries where united variables agree, summed over variables that are not free."""
    variables = sorted(size_of)
    out = np.zeros([size_of[v] for v in free], dtype=int).astype(object)
    for values in product(*(range(size_of[v]) for v in variables)):
        at = dict(zip(variables, values, strict=True))
        if all(at[a] == at[b] for a, b in united):
            out[tuple(at[v] for v in free)] += prod((array[tuple(at[v] for v in vs)] for array, vs in factors), start=Fraction(1))
    return out


def test_every_consequence_is_tested() -> None:
    reasons = {why.reason for claim in CLAIMS.values() for why in claim.closed_laws.values() if why is not None}
    assert reasons == set(CLOSURE)


@pytest.mark.parametrize("name", CLAIMS)
def test_premises_are_there_and_the_closure_is_closed(name: str) -> None:
    claim = CLAIMS[name]
    known = claim.closed_laws
    assert all(premise in known for why in known.values() if why is not None for premise in why.premises)
    assert set(closed_laws(known, claim.axes)) == set(known)


# ---- tables: proved with the law, refuted without it ----

WITH_LAWS = {
    "identity": identity("ij,jk->ik I A", "ij->ij A", "A:n,n I:n,n", I="identity"),
    "identity has trace n": identity("ii-> I", "i-> o", "I:n,n o:n", I="identity", o="ones"),
    "copy makes elementwise squares": identity("ijk,j,k->i C x x", "i,i->i x x", "C:n,n,n x:n", C="copy"),
    "copy loops": identity("ijj->i C", "i->i o", "C:n,n,n o:n", C="copy", o="ones"),
    "ones": identity("i,i-> o x", "i-> x", "o:n x:n", o="ones"),
    "diagonal commute": identity("ij,jk->ik D E", "ij,jk->ik E D", "D:n,n E:n,n", D="diagonal", E="diagonal"),
    "diagonal squares": identity("ij,ij->ij D D", "ij,jk->ik D D", "D:n,n", D="diagonal"),
    "symmetric": identity("ij,i,j-> S x y", "ij,i,j-> S y x", "S:n,n x:n y:n", S="symmetric"),
    "antisymmetric (C4)": identity("ij,i,j-> S x x", "0", "S:n,n x:n", S="antisymmetric"),
    "antisymmetric, odd power": identity("ij,jk,ki-> S S S", "0", "S:n,n", S="antisymmetric"),
    "antisymmetric, fifth power": identity("ij,jk,kl,lm,mi-> S S S S S", "0", "S:n,n", S="antisymmetric"),
    "antisymmetric in three": identity("ijk,i,j->k T x x", "0", "T:n,n,n x:n", T="antisymmetric(0,1,2)"),
    "symmetric against antisymmetric": identity("ij,ij-> S T", "0", "S:n,n T:n,n", S="symmetric", T="antisymmetric"),
    "orthonormal columns": identity("ij,ik,k->j U U x", "j->j x", "U:m,n x:n", U="orthonormal_columns"),
    "orthonormal rows": identity("ij,kj,k->i U U x", "i->i x", "U:n,m x:n", U="orthonormal_rows"),
    "orthonormal square, the other side": identity("ij,kj,k->i U U x", "i->i x", "U:n,n x:n", U="orthonormal_columns"),
    "orthonormal norm": identity("ij,ij-> U U", "j-> o", "U:m,n o:n", U="orthonormal_columns", o="ones"),
    "orthonormal projector": identity("ij,kj,kl,ml->im U U U U", "ij,kj->ik U U", "U:m,n", U="orthonormal_columns"),
    "orthonormal family": identity("hij,hik,hk->hj U U x", "hk->hk x", "U:H,m,n x:H,n", U="orthonormal_columns"),
    "orthonormal column": identity("ij,ij-> u u", "-> c", "u:n,1 c:", u="orthonormal_columns", c="ones"),
    "orthonormal keeps inner products (B14)": identity("ij,ik,j,k-> R R x y", "i,i-> x y", "R:n,n x:n y:n", R="orthonormal_rows"),
    "inverse": identity("ij,jk,k->i M N x", "i->i x", "M:n,n N:n,n x:n", M="inverse(N)"),
    "inverse, other side (B12)": identity("ij,jk,k->i N M x", "i->i x", "M:n,n N:n,n x:n", M="inverse(N)"),
    "inverse, transposed": identity("ji,kj,k->i M N x", "i->i x", "M:n,n N:n,n x:n", M="inverse(N)"),
    "inverse family": identity("hij,hjk,hk->hi M N x", "hi->hi x", "M:H,n,n N:H,n,n x:H,n", M="inverse(N)"),
    "gauge (D7, B12)": identity("ai,ij,jk,kb->ab O M N V", "ai,ib->ab O V", "O:d,n V:n,d M:n,n N:n,n", M="inverse(N)"),
    "inverse is symmetric": identity("ij->ij N", "ji->ij N", "M:n,n N:n,n", M="inverse(N); symmetric"),
    "inverse is antisymmetric": identity("ij,i,j-> N x x", "0", "M:n,n N:n,n x:n", M="inverse(N); antisymmetric"),
    "inverse is row-stochastic": identity("ij->i N", "i->i o", "M:n,n N:n,n o:n", M="inverse(N); row_stochastic", o="ones"),
    "inverse is the transpose": identity("ij->ij N", "ji->ij M", "M:n,n N:n,n", M="inverse(N); orthonormal_rows"),
    "inverse is unique": identity("ij->ij N", "ij->ij K", "M:n,n N:n,n K:n,n", M="inverse(N); inverse(K)"),
    "inverse of the inverse": identity("ij->ij M", "ij->ij K", "M:n,n N:n,n K:n,n", M="inverse(N)", N="inverse(K)"),
    "diagonal inverse": identity("ii,ii,i->i M N x", "i->i x", "M:n,n N:n,n x:n", M="inverse(N); diagonal"),
    "involution": identity("ij,jk,kl->il M M M", "ij->ij M", "M:n,n", M="inverse(M)"),
    "row-stochastic (E23)": identity("st,t->s A o", "s->s o", "A:n,n o:n", A="row_stochastic", o="ones"),
    "row-stochastic bias (E23)": identity("st,t,a->sa A o b", "s,a->sa o b", "A:n,n o:n b:d", A="row_stochastic", o="ones"),
    "row-stochastic products": identity("st,tu->s A P", "s->s o", "A:n,n P:n,n o:n", A="row_stochastic", P="row_stochastic", o="ones"),
    "row-stochastic family": identity("hst->hs A", "h,s->hs g o", "A:H,n,n g:H o:n", A="row_stochastic", g="ones", o="ones"),
    "row-stochastic vector": identity("i,a->a p x", "a->a x", "p:n x:d", p="row_stochastic"),
    "column-stochastic": identity("st,s->t A o", "t->t o", "A:n,n o:n", A="column_stochastic", o="ones"),
    "doubly stochastic": identity("st->t A", "t->t o", "A:n,n o:n", A="row_stochastic; symmetric", o="ones"),
    "one-hot rows": identity("sv,sv->sv t t", "sv->sv t", "t:n,V", t="one_hot_rows"),
    "one-hot rows, embedding": identity("sv,sw,av,bw->sab t t E F", "sv,av,bv->sab t E F", "t:n,V E:d,V F:d,V", t="one_hot_rows"),
    "one-hot rows, norm": identity("sv,sv-> t t", "s-> o", "t:n,V o:n", t="one_hot_rows", o="ones"),
    "one-hot rows, a function of the token": identity(
        "sv,v,sw,w->s t f t f", "sv,v,v->s t f f", "t:n,V f:V", t="one_hot_rows"
    ),
    "permutation and elementwise products (B42, D36)": identity(
        "ij,j,j->i P x y", "ij,j,ik,k->i P x P y", "P:n,n x:n y:n", P="permutation"
    ),
    "permutation is orthonormal": identity("ij,kj,k->i P P x", "i->i x", "P:n,n x:n", P="permutation"),
    "permutation sums": identity("ij->j P", "j->j o", "P:n,n o:n", P="permutation", o="ones"),
    "permutation of hidden units (D8)": identity(
        "ip,pq,qj,pr,rk->ijk D P L P R", "ip,pq,qj,qk->ijk D P L R", "D:d,m P:m,m L:m,d R:m,d", P="permutation"
    ),
    "exclusive columns": identity("sv,uv,u->sv t t x", "sv,s->sv t x", "t:n,V x:n", t="exclusive_columns"),
    "one-hot rows that are orthonormal": identity("sv,uv,u->sv t t x", "sv,s->sv t x", "t:n,V x:n", t="one_hot_rows; orthonormal_rows"),
    "signs": identity("ij,jk,k->i S S x", "i->i x", "S:n,n x:n", S="diagonal; orthonormal_rows"),
    "signs on one index": identity("ii,ii->i S S", "i->i o", "S:n,n o:n", S="diagonal; orthonormal_rows", o="ones"),
    "diagonal row-stochastic": identity("ij,j->i S x", "i->i x", "S:n,n x:n", S="diagonal; row_stochastic"),
    "fixed size": identity("ij,ik,k->j U U x", "j->j x", "U:3,2 x:2", U="orthonormal_columns"),
}  # fmt: skip


@pytest.mark.parametrize("name", WITH_LAWS)
def test_proved_with_the_laws_and_refuted_without(name: str) -> None:
    claim = WITH_LAWS[name]
    proof = prove_identity(claim)
    assert proof.verdict == "proved"
    check_certificate(proof.certificate)
    verdict = prove_identity(claim | {"given": {}})
    assert verdict.verdict == "refuted" and verdict.witness.verify()


@pytest.mark.parametrize("name", WITH_LAWS)
def test_each_law_is_needed(name: str) -> None:
    claim = WITH_LAWS[name]
    for tensor in claim["given"]:
        verdict = prove_identity(claim | {"given": {t: laws for t, laws in claim["given"].items() if t != tensor}})
        assert verdict.verdict == "refuted" and lawful_witness(verdict), tensor


def lawful_witness(verdict: object) -> bool:
    """Whether the counterexample satisfies the declared laws by our own reading, and verifies."""
    claim, witness = verdict.statement, verdict.witness
    return witness.verify() and all(
        holds(law, whole(claim, witness.arrays, witness.sizes)) for law in claim.laws if law.tensor in witness.arrays
    )


NEAR_MISSES = {
    "U U^T of a tall matrix (C13)": identity("ij,kj,k->i U U x", "i->i x", "U:m,n x:m", U="orthonormal_columns"),
    "U^T U of a wide matrix": identity("ij,ik,k->j U U x", "j->j x", "U:n,m x:m", U="orthonormal_rows"),
    "U U": identity("ij,jk,k->i U U x", "i->i x", "U:n,n x:n", U="orthonormal_columns"),
    "columns of a row-stochastic matrix (E23)": identity("st,s->t A o", "t->t o", "A:n,n o:n", A="row_stochastic", o="ones"),
    "rows of a column-stochastic matrix": identity("st,t->s A o", "s->s o", "A:n,n o:n", A="column_stochastic", o="ones"),
    "a weighted row sum": identity("st,t->s A x", "s->s x", "A:n,n x:n", A="row_stochastic"),
    "columns of one-hot rows": identity("sv,uv,u->sv t t x", "sv,s->sv t x", "t:n,V x:n", t="one_hot_rows"),
    "different rows of a one-hot matrix": identity("sv,uw->svuw t t", "sv,uv,vw->svuw t t I", "t:n,V I:V,V", t="one_hot_rows", I="identity"),
    "exclusive rows need not sum to 1": identity("sv->s t", "s->s o", "t:n,V o:n", t="exclusive_rows", o="ones"),
    "elementwise products and rotations (B42)": identity(
        "ij,j,j->i P x y", "ij,j,ik,k->i P x P y", "P:n,n x:n y:n", P="orthonormal_columns"
    ),
    "rotation of hidden units (D7)": identity(
        "ip,pq,qj,pr,rk->ijk D P L P R", "ip,pq,qj,qk->ijk D P L R", "D:d,m P:m,m L:m,d R:m,d", P="orthonormal_columns"
    ),
    "permutations do not commute": identity("ij,jk->ik P Q", "ij,jk->ik Q P", "P:n,n Q:n,n", P="permutation", Q="permutation"),
    "a permutation is no involution": identity("ij,jk,k->i P P x", "i->i x", "P:n,n x:n", P="permutation"),
    "reflections do not commute": identity("ij,jk->ik P Q", "ij,jk->ik Q P", "P:n,n Q:n,n", P="inverse(P)", Q="inverse(Q)"),
    "inverse and transpose": identity("ij->ij N", "ji->ij M", "M:n,n N:n,n", M="inverse(N)"),
    "inverse of a product in the wrong order": identity(
        "ij,jk,kl,lm,m->i M K N L x", "i->i x", "M:n,n N:n,n K:n,n L:n,n x:n", M="inverse(N)", K="inverse(L)"
    ),
    "inverse entry by entry": identity("ij,ij->ij M N", "ij->ij J", "M:n,n N:n,n J:n,n", M="inverse(N)", J="ones"),
    "inverse between two families": identity("hij,gjk,gk->hgi M N x", "h,gi->hgi o x", "M:H,n,n N:H,n,n x:H,n o:H", M="inverse(N)", o="ones"),
    "antisymmetric, even power": identity("ij,ji-> S S", "0", "S:n,n", S="antisymmetric"),
    "symmetric in other axes": identity("ijk,j,k->i B x y", "ijk,j,k->i B y x", "B:d,d,d x:d y:d", B="symmetric(0,1)"),
    "symmetric matrices do not commute": identity("ij,jk->ik S T", "ij,jk->ik T S", "S:n,n T:n,n", S="symmetric", T="symmetric"),
    "diagonal against full (B40)": identity("ij,jk->ik D A", "ij,jk->ik A D", "D:n,n A:n,n", D="diagonal"),
    "signs are not 1": identity("ij,j->i S x", "i->i x", "S:n,n x:n", S="diagonal; orthonormal_rows"),
    "diagonal inverse sums": identity("ii,jj-> M N", "i-> o", "M:n,n N:n,n o:n", M="inverse(N); diagonal", o="ones"),
    "copy is not the identity": identity("ijk,j,k->i C x y", "i->i x", "C:n,n,n x:n y:n", C="copy"),
    "trace of the identity": identity("ii-> I", "i-> o", "I:n,n o:d", I="identity", o="ones"),
}  # fmt: skip


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_misses_are_refuted_by_lawful_tensors(name: str) -> None:
    verdict = prove_identity(NEAR_MISSES[name])
    assert verdict.verdict == "refuted" and lawful_witness(verdict)


# Not all that follows from laws follows by these rewrites: such statements stay open, and say so.
OPEN = {
    "orthonormal rows that sum to 1": identity("ij->j U", "j->j o", "U:n,m o:m", U="orthonormal_rows; row_stochastic", o="ones"),
    "a one-sided inverse of a square product": identity(
        "ij,jk,kl->il M N M", "ij->ij M", "M:n,m N:m,n", M="orthonormal_columns", N="orthonormal_rows"
    ),
    "determinant of a rotation": identity(
        "ij,kl,ijp,klp-> U U E E", "ij,kl,ijp,klp-> I I E E", "U:2,2 I:2,2 E:2,2,3", U="orthonormal_columns", I="identity", E="antisymmetric(0,1)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OPEN)
def test_never_proved(name: str) -> None:
    assert prove_identity(OPEN[name]).verdict in ("refuted", "undecided")


# ---- random words under random laws ----

LAWS = [
    "identity", "symmetric", "antisymmetric", "diagonal", "orthonormal_columns", "permutation", "row_stochastic", "column_stochastic",
    "one_hot_rows", "one_hot_columns", "exclusive_rows", "exclusive_columns", "inverse(B)", "inverse(A)", "ones",
]  # fmt: skip


@st.composite
def words(draw: st.DrawFn) -> str:
    """An einsum of up to four factors A, B or x, in a chain or wired at random, with one free index."""
    count = draw(st.integers(0, 4))
    letters, parts, names = "abcd", [], []
    for _ in range(count):
        name = draw(st.sampled_from("AABBx"))
        parts.append("".join(draw(st.lists(st.sampled_from(letters), min_size=1 + (name != "x"), max_size=1 + (name != "x")))))
        names.append(name)
    parts, names = [*parts, "a"], [*names, "x"]
    return f"{','.join(parts)}->a {' '.join(names)}"


LAW_LISTS = st.lists(st.sampled_from(LAWS), max_size=2, unique=True)
SHORT = ["a->a x", "ab,b->a A x", "ba,b->a A x", "aa,a->a A x", "ab,b->a B x", "ab,a->a A x", "bb,a->a A x", "a,b->a x x"]


@settings(max_examples=250)
@given(words(), st.one_of(words(), st.sampled_from(SHORT)), LAW_LISTS, LAW_LISTS)
def test_no_wrong_verdict_on_random_words(left: str, right: str, of_a: list[str], of_b: list[str]) -> None:
    data = identity(left, right, "A:n,n B:n,n x:n") | {"given": {"A": of_a, "B": of_b}}
    try:
        verdict = prove_identity(data)
    except LawError:
        return  # laws that contradict each other
    if verdict.verdict == "proved":
        check_certificate(verdict.certificate)
        for size in (2, 3):
            arrays = lawful_arrays(verdict.statement, {"n": size}, Random(size), names=verdict.statement.axes)
            if arrays is not None:
                assert all(holds(law, arrays) for law in verdict.statement.laws)
                one, other = (word_value(word, arrays, size) for word in (left, right))
                assert np.array_equal(one, other), (data, size)
    else:
        assert verdict.verdict == "undecided" or lawful_witness(verdict)


def word_value(word: str, arrays: dict[str, np.ndarray], size: int) -> np.ndarray:
    """The value of an einsum by loops over all its indices."""
    string, *names = word.split()
    inputs = string.partition("->")[0].split(",")
    letters = sorted(set("".join(inputs)))
    variables = [tuple(map(letters.index, part)) for part in inputs]
    factors = [(arrays[name], v) for name, v in zip(names, variables, strict=True)]
    return pattern_value(factors, (), dict.fromkeys(range(len(letters)), size), [letters.index("a")])


@settings(max_examples=100)
@given(words(), LAW_LISTS, LAW_LISTS)
def test_rewriting_keeps_the_value_and_ends(word: str, of_a: list[str], of_b: list[str]) -> None:
    data = identity(word, "0", "A:n,n B:n,n x:n") | {"given": {"A": of_a, "B": of_b}}
    try:
        claim = parse_identity(data).statement
    except LawError:
        return
    [raw] = claim.raw_terms()
    found = [final.term for final in rewritten(raw, claim.rules)]
    assert all(len(term.factors) <= len(raw.factors) for term in found)
    assert all(final.steps == () for term in found for final in rewritten(term, claim.rules))
    for size in (2, 3):
        arrays = lawful_arrays(claim, {"n": size}, Random(size), names=claim.axes)
        if arrays is not None:
            total = sum((term_value(term, arrays, size) for term in found), np.zeros(size, dtype=int).astype(object))
            assert np.array_equal(total, word_value(word, arrays, size))


def term_value(term: OpenTerm, arrays: dict[str, np.ndarray], size: int) -> np.ndarray:
    """The value of a term with indices of one size, by loops."""
    size_of = {k: size if axis == "n" else axis for k, axis in enumerate(term.sizes)}
    factors = [(arrays[tensor.name], indices) for tensor, indices in term.factors]
    assert not term.scalar.monomial
    return term.scalar.rational * pattern_value(factors, (), size_of, list(term.legs))


# ---- errors, each beside a valid twin ----


def law(kind: str, shape: str = "n,n", other: str = "n,n") -> dict:
    """An identity with laws of T."""
    return identity("0", "0", f"T:{shape} S:{other}", T=kind)


ERRORS = [
    ("symmetric", "symetric", "the laws are"),
    ("symmetric(0,1)", "symmetric(0)", "at least two different axes"),
    ("symmetric(0,1)", "symmetric(0,0)", "at least two different axes"),
    ("symmetric(0,1)", "symmetric(0,x)", "at least two different axes"),
    ("symmetric(0,1)", "symmetric(0,2)", "its axes are 0 to 1"),
    ("symmetric(0,1)", "symmetric(0,-1)", "at least two different axes"),
    ("symmetric(0,1)", "symmetric(0,9999)", "at least two different axes"),
    ("identity", "identity(0)", "the laws are"),
    ("inverse(S)", "inverse", "the laws are"),
    ("inverse(S)", "inverse(Z)", "Z, which is not declared"),
    ("inverse(S)", "inverse(S", "the laws are"),
    ("diagonal", "", "the laws are"),
    ("identity", "identity; antisymmetric", "contradict"),
    ("identity; symmetric", "identity; ones", "contradict"),
    ("diagonal", "diagonal; antisymmetric", "contradict"),
    ("symmetric; row_stochastic", "antisymmetric; row_stochastic", "contradict"),
    ("orthonormal_columns; antisymmetric", "permutation; antisymmetric", "contradict"),
    ("symmetric", "symmetric; antisymmetric", "contradict"),
    ("inverse(S)", "inverse(S); ones", "contradict"),
]


@pytest.mark.parametrize(("valid", "wrong", "message"), ERRORS, ids=[wrong for _, wrong, _ in ERRORS])
def test_laws_that_mean_nothing(valid: str, wrong: str, message: str) -> None:
    assert prove_identity(law(valid)).verdict == "proved"
    with pytest.raises(LawError, match=message):
        prove_identity(law(wrong))


SHAPES = [
    ("identity", "n,n", "n,m", "needs axes of one size"),
    ("identity", "n,n", "n,n,n", "law of matrices"),
    ("copy", "n,n,n", "n,n,m", "needs axes of one size"),
    ("copy", "n", "", "a scalar"),
    ("diagonal", "n,n", "n,m", "needs axes of one size"),
    ("row_stochastic", "n", "", "a scalar"),
    ("column_stochastic", "n,m", "n", "law of matrices"),
    ("orthonormal_columns", "n,m", "n", "law of matrices"),
    ("permutation", "n,n", "n,m", "needs axes of one size"),
    ("permutation", "H,n,n", "n,H,n", "needs axes of one size"),
    ("symmetric(1,2)", "n,m,m", "m,m,n", "needs axes of one size"),
    ("inverse(S)", "n,n", "m,m", "S is n x n"),
    ("orthonormal_columns", "3,2", "2,3", "contradicts its shape"),
    ("orthonormal_rows", "2,3", "3,2", "contradicts its shape"),
]


@pytest.mark.parametrize(("kind", "valid", "wrong", "message"), SHAPES, ids=[f"{s[0]} of {s[2] or 'a scalar'}" for s in SHAPES])
def test_laws_that_do_not_fit(kind: str, valid: str, wrong: str, message: str) -> None:
    assert prove_identity(law(kind, valid)).verdict == "proved"
    with pytest.raises(LawError, match=message):
        prove_identity(law(kind, wrong))


@pytest.mark.parametrize("text", ["symmetric", " symmetric ( 0 , 1 ) ", "symmetric(1,0)", "symmetric(0,1)"])
def test_a_law_has_many_spellings(text: str) -> None:
    assert parse_law("T", text) == Law("T", "symmetric", (0, 1))


# ---- what is wrong today ----


@pytest.mark.parametrize("shape", ["1,1", "1,n,1"])
def test_an_antisymmetric_tensor_of_axes_of_size_1_is_zero(shape: str) -> None:
    axes = shape.count(",") + 1
    string = "abc"[:axes]
    verdict = prove_identity(identity(f"{string}->{string} T", "0", f"T:{shape}", T=f"antisymmetric(0,{axes - 1})"))
    assert verdict.verdict in ("proved", "holds_at")


@pytest.mark.parametrize(
    ("shape", "laws"),
    [("n,n,n", "copy; exclusive_rows"), ("n,1", "ones; row_stochastic"), ("n", "copy; ones"), ("1,1", "ones; identity")],
)
def test_laws_that_agree(shape: str, laws: str) -> None:
    claim = parse_identity(identity("0", "0", f"T:{shape}", T=laws.split(";")[0])).statement
    second = parse_law("T", laws.split(";")[1])
    assert all(holds(second, whole(claim, arrays, sizes)) for sizes, arrays in lawful(claim, 0))  # it does follow
    assert prove_identity(law(laws, shape)).verdict == "proved"
