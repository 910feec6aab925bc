"""The naive expansion of functions, inverses and blocks against NumPy: every node has its value."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from sympy import (
    BlockDiagMatrix,
    BlockMatrix,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    Lambda,
    MatPow,
    MatrixSymbol,
    Max,
    OneMatrix,
    Rational,
    Sum,
    Trace,
    sqrt,
)
from test_expansion import SIZES, A, F, P, V, W, X, Z, a, c, d, f, generator, h, half, n, p, phi, s, t, u, w, xx, y, yv, z

from symbolic_circuits.identities.expansion_terms import expanded
from symbolic_circuits.identities.expansion_values import evaluate
from symbolic_circuits.identities.expansion_walk import Walk, entries
from symbolic_circuits.syntax.functions import relu, softmax
from symbolic_circuits.syntax.sums import MatrixSum

H = F.shape[0]

# --- functions --------------------------------------------------------------------------------------------------------


def value_at(function: str, row: np.ndarray, place: int) -> Fraction:
    """Some function by its name: max(x, 0) for relu, else a polynomial; that of a row depends on every place."""
    if function == "softmax":
        return sum((k + 1) * x**2 for k, x in enumerate(row)) * (place + 2) + row[place]
    return max(row[place], 0) if function == "relu" else row[place] ** 3 + sum(map(ord, function)) * row[place] - 1


def applied(function: str, array: np.ndarray) -> np.ndarray:
    """A function applied along the last axis."""
    rows = np.asarray(array, dtype=object)
    out = np.empty(rows.shape, dtype=object)
    for at in np.ndindex(rows.shape):
        out[at] = value_at(function, rows[at[:-1]] if at else rows.reshape(1), at[-1] if at else 0)
    return out


def array_of_nodes(expr, shape: tuple[int, ...]) -> np.ndarray:
    """The value of an expression with function nodes."""
    found = expanded([expr])
    arrays = dict(V)
    for name, node in found.nodes.items():
        values = evaluate(node.argument, arrays, SIZES)
        array = np.zeros([SIZES.get(size, size) for size in node.sizes], dtype=object)
        for at, place in values.items():
            array[at] = place[()]
        arrays[name] = applied(node.function, array)
    out = np.zeros(shape, dtype=object)
    for at, place in evaluate(found.sides[0], arrays, SIZES).items():
        out.reshape(-1)[np.ravel_multi_index(at, [k for k in shape if k > 1] or [1]) if at else 0] = place[()]
    return out


def ap(name: str):
    """A function of arrays by its name."""
    return lambda array: applied(name, array)


relu_, f_, soft = ap("relu"), ap("undefined f"), ap("softmax")
FUNCTIONS = {
    "of entries": (A.applyfunc(phi), f_(a)),
    "of a product": ((A * X).applyfunc(relu) * W, relu_(a @ xx) @ w),
    "of a transpose": (P * (A * X).applyfunc(relu).T.T, p @ relu_(a @ xx)),
    "of a function": ((A.applyfunc(phi) * X).applyfunc(relu), relu_(f_(a) @ xx)),
    "of a broadcast row": ((y * OneMatrix(1, n)).applyfunc(phi) * A, f_(np.outer(yv, np.ones(3, int))) @ a),
    "a polynomial": (A.applyfunc(Lambda(t, 2 * t**2 - t + 3)), 2 * a**2 - a + 3),
    "a polynomial of functions": (A.applyfunc(Lambda(t, t * phi(t + 1) ** 2 - relu(t))), a * f_(a + 1) ** 2 - relu_(a)),
    "max": (A.applyfunc(Lambda(t, Max(t, 0))) * Max(A[0, 1], 0), relu_(a) * max(a[0, 1], 0)),
    "powers": (A.applyfunc(Lambda(t, t ** Rational(1, 2))) * sqrt(A[0, 0] + c), ap("power 1/2")(a) * ap("power 1/2")(a[:1, 0] + 5)[0]),
    "of rows": (softmax(A * X) * W, soft(a @ xx) @ w),
    "of a number": (phi(Trace(A)) * X * phi(c), f_(np.trace(a)) * f_(5) * xx),
    "in a sum": (Sum(phi(A[s, u]) * P[u, s], (s, 0, n - 1), (u, 0, n - 1)), np.trace(f_(a) @ p)),
    "of an inner sum": (Sum(phi(Sum(A[s, u], (u, 0, n - 1))), (s, 0, n - 1)), f_(a.sum(1)).sum()),
    "of a family": (MatrixSum(F[h].applyfunc(phi) * X, (h, 0, H - 1)), sum(f_(part) @ xx for part in f)),
    "rows of a family": (MatrixSum(softmax(F[h] * A) * X, (h, 0, H - 1)), sum(soft(part @ a) @ xx for part in f)),
    "one symbol in two sums": (Sum(phi(A[s, s]), (s, 0, n - 1)) * Sum(phi(X[0, s]), (s, 0, d - 1)), f_(np.diag(a)).sum() * f_(xx[0]).sum()),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_value_of_functions(name: str) -> None:
    expr, expected = FUNCTIONS[name]
    expected = np.asarray(expected, dtype=object)
    assert np.array_equal(array_of_nodes(expr, expected.shape), expected)


def test_functions_written_alike_are_one() -> None:
    found = expanded([A.applyfunc(phi) * A.applyfunc(phi), A.applyfunc(phi) + A.applyfunc(relu)])
    assert [node.function for node in found.nodes.values()] == ["undefined f", "relu"]
    named = expanded([phi(A[s, u]) * phi(A[s, u]) + phi(A[u, s]) * phi(A[s, u])])
    assert [node.sizes for node in named.nodes.values()] == [("n", "n")] * 2
    assert {name for name, _ in named.sides[0][0].names} == {"s", "u"}


# --- inverses ---------------------------------------------------------------------------------------------------------


def test_an_index_bound_and_open() -> None:
    """f(A_ss) under a sum over s, and with s open, are two nodes: one has a summed leg, the other a named one."""
    summed = Sum(phi(A[s, s]), (s, 0, n - 1))
    for expr in (phi(A[s, s]) * summed, summed * phi(A[s, s]) * 1):
        found = expanded([expr])
        arrays = V | {name: f_(np.diag(a)) for name in found.nodes}
        expected = f_(np.diag(a)) * f_(np.diag(a)).sum()
        assert evaluate(found.sides[0], arrays, SIZES) == {(k,): {(): Fraction(expected[k])} for k in range(3)}
    walk = Walk()
    for scope in ({s: walk.fresh(n)}, {}, {s: walk.fresh(n)}):
        walk.scope = scope
        [term] = entries(phi(A[s, s]), (), walk)
        assert bool(term.names) == (not scope)
    assert len(walk.opaque) == 2


INVERSES = {
    "an inverse": (Inverse(A) * X, lambda i: i["A"] @ xx),
    "of a transpose": (Inverse(A.T) * X, lambda i: i["A"].T @ xx),
    "a power": (MatPow(A, -2, evaluate=False) * X, lambda i: i["A"] @ i["A"] @ xx),
    "of a product": (Inverse(2 * A * P) * X, lambda i: i["P"] @ i["A"] @ xx * half),
    "of a kronecker product": (Inverse(KroneckerProduct(A, W)) * Z, lambda i: (np.kron(i["A"], i["W"]) @ z)[:, None]),
    "of an inverse": (Inverse(Inverse(A)) * X, lambda i: a @ xx),
    "of an identity": (Inverse(Identity(n)) * X, lambda i: xx),
}


@pytest.mark.parametrize("name", INVERSES)
def test_value_of_inverses(name: str) -> None:
    expr, expected = INVERSES[name]
    inverses = {key: generator.integers(-4, 5, V[key].shape).astype(object) for key in "APW"}
    found = expanded([expr])
    arrays = V | {f"{key} ^-1": array for key, array in inverses.items()}
    [terms] = found.sides
    out = np.asarray(expected(inverses), dtype=object) * Fraction(1)
    values = evaluate(terms, arrays, SIZES)
    places = [k for k in out.shape if k > 1] if out.shape[1] > 1 else [3, 2]
    assert all(values.get(at, {}).get((), 0) == out.reshape(places)[at] for at in product(*map(range, places)))
    assert all(name == f"{of} ^-1" for name, of in found.inverses.items())


# --- blocks -----------------------------------------------------------------------------------------------------------

Q, R = MatrixSymbol("Q", d, n), MatrixSymbol("R", d, d)
N = MatrixSymbol("N", n + d, d)
K = BlockMatrix([[A, X], [Q, R]])
q, r, nn = (generator.integers(-4, 5, shape).astype(object) for shape in [(2, 3), (2, 2), (5, 2)])
k = np.block([[a, xx], [q, r]])
PARTS = {"N [0,:]": nn[2:], "N [1,:]": nn[:2], "Q": q, "R": r}  # by name: d before n
BLOCKS = {
    "blocks": (K, k),
    "a product": (K * K, k @ k),
    "a transpose": (K.T * K, k.T @ k),
    "a sum": (K + 2 * BlockDiagMatrix(A, R) - Identity(n + d), k + 2 * np.block([[a, 0 * xx], [0 * q, r]]) - np.eye(5, dtype=int)),
    "a trace": (Trace(K * K) + Trace(Identity(n + d)), np.trace(k @ k) + 5),
    "ones": (K * OneMatrix(n + d, d), k @ np.ones((5, 2), int)),
    "hadamard": (HadamardProduct(K, K.T), k * k.T),
    "one row": (BlockMatrix([[A, X]]) * BlockMatrix([[X], [R]]), np.block([[a, xx]]) @ np.block([[xx], [r]])),
    "a tensor": (Trace(N * N.T) * W, np.trace(nn @ nn.T) * w),
    "a tensor that meets blocks": (K * N, k @ np.block([[nn[2:]], [nn[:2]]])),
    "a part of size 1": (BlockMatrix([[A, y], [y.T, OneMatrix(1, 1)]]) * BlockMatrix([[X], [y.T * X]]),
        np.block([[a, yv[:, None]], [yv[None], np.ones((1, 1), int)]]) @ np.block([[xx], [(yv @ xx)[None]]])),
    "blocks of one size": (BlockMatrix([[A], [P]]).T * BlockMatrix([[P], [A]]), a.T @ p + p.T @ a),
    "a function of blocks": (BlockMatrix([[A.applyfunc(relu)], [X.T]]) * X, np.block([[relu_(a)], [xx.T]]) @ xx),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKS)
def test_value_of_blocks(name: str) -> None:
    """Along an axis of blocks a term has an index held at the block, and the place in it."""
    expr, expected = BLOCKS[name]
    expected = np.asarray(expected, dtype=object)
    found = expanded([expr])
    arrays = V | PARTS | {name: relu_(a) for name in found.nodes}
    if name == "a tensor that meets blocks":  # there n comes before d
        arrays |= {"N [0,:]": nn[2:], "N [1,:]": nn[:2]}
    elif "N [0,:]" in found.tensors:
        arrays |= {"N [0,:]": nn[:2], "N [1,:]": nn[2:]}
    out = np.zeros(expected.shape, dtype=object)
    for term in found.sides[0]:
        held = {indices[0]: int(name.removeprefix("unit ")) for name, indices in term.factors if name.startswith("unit ")}
        for at, place in evaluate([term], arrays, SIZES).items():
            where, waiting = [], list(zip(term.output, at, strict=True))
            while waiting:
                index, value = waiting.pop(0)
                if index in held:
                    axis = len(where)
                    first = (
                        0
                        if value == 0
                        else expected.shape[axis] - SIZES.get(term.sizes[waiting[0][0]], term.sizes[waiting[0][0]])
                    )
                    value = first + waiting.pop(0)[1]
                where.append(value)
            out[tuple(where)] += place[()]
    assert np.array_equal(out, expected)
