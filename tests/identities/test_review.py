"""Statements that a prover may get wrong: names that meet, ranges cut short, functions of constants; and random statements, judged by NumPy."""

import json
from collections.abc import Callable, Mapping
from random import Random

import numpy as np
import pytest
from sympy import (
    BlockMatrix,
    DiagMatrix,
    Dummy,
    Expr,
    HadamardProduct,
    Identity,
    IndexedBase,
    KroneckerProduct,
    Lambda,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Sum,
    Symbol,
    Trace,
    Transpose,
    ZeroMatrix,
    exp,
    floor,
    log,
    sin,
    sqrt,
    symbols,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

import symbolic_circuits as sc
from symbolic_circuits.errors import CodeError, SymbolicCircuitsError
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum

n, d, m = symbols("n d m", integer=True, positive=True)
i, j, x, y = symbols("i j x y")
A, B, C = (MatrixSymbol(name, n, n) for name in "ABC")
D, Q, S = MatrixSymbol("D", n, d), MatrixSymbol("Q", d, d), MatrixSymbol("S", n + m, d)
c, one = MatrixSymbol("c", 1, d), OneMatrix(n, 1)
v, w = (IndexedBase(name, shape=(n,)) for name in "vw")
t = Dummy("t")


def verdict(lhs: Expr, rhs: Expr, given: object = (), **options: object) -> str:
    """The word of a verdict, or ``error`` where the statement is turned down."""
    try:
        return sc.prove(lhs, rhs, given, **options).verdict
    except SymbolicCircuitsError:
        return "error"


part = BlockMatrix([[Identity(n), ZeroMatrix(n, m)]])
same_name = Symbol("i", integer=True)
FALSE = {  # statement -> sides and laws; none of them is true
    "free indices that differ between terms": (v[i] + w[j], v[j] + w[i], {}),
    "two index symbols of one name": (A[i, same_name], A[same_name, i], {}),
    "a sum over n - 1 places": (Sum(v[i], (i, 0, n - 2)), Sum(v[i], (i, 0, n - 1)), {}),
    "a sum over n + 1 places": (Sum(v[i], (i, 0, n)), Sum(v[i], (i, 0, n - 1)), {}),
    "a sum over n d places of an axis of size n": (Sum(v[i], (i, 0, n * d - 1)), Sum(v[i], (i, 0, n - 1)), {}),
    "part of a trace": (Sum(A[i, i], (i, 0, n - 2)), Trace(A), {}),
    "a function of a definition that is constant along an axis": (D.applyfunc(exp), (n * one * c).applyfunc(exp), {D: one * c}),
    "a function of ones": (D.applyfunc(exp), (n * d * OneMatrix(n, d)).applyfunc(exp), {D: "ones"}),
    "a function of row sums": ((A * one).applyfunc(exp), (n * one).applyfunc(exp), {A: "row_stochastic"}),
    "rows of a stochastic mixture": (sc.softmax(A * D), sc.softmax(n * one * c), {D: one * c, A: "row_stochastic"}),
    "a tensor called like a unit vector": (MatrixSymbol("unit 0", n, 1).T * MatrixSymbol("unit 0", n, 1), Identity(1), {}),
    "a free index called like a bound one": (Sum(A[i, Symbol("#1")], (i, 0, n - 1)), Trace(A), {}),
    "a tensor called like an inverse": (A.I + MatrixSymbol("A^-1", n, n), 2 * A.I, {}),
    "a tensor called like a part": (part * S, MatrixSymbol("S[0,:]", n, d), {}),
}  # fmt: skip
TRUE = {  # statements that are true, and must not be refuted
    "the number of places of n + m": (Sum(1, (i, 0, n + m - 1)), n + m, {}),
    "the number of places from 0 to n": (Sum(1, (i, 0, n)), n + 1, {}),
    "a triangular sum": (Sum(1, (i, 0, j), (j, 0, n - 1)), n * (n + 1) / 2, {}),
    "an index as a number": (i * Identity(n)[i, j], j * Identity(n)[i, j], {}),
    "an odd number halved": (floor(Symbol("q", odd=True) / 2), (Symbol("q", odd=True) - 1) / 2, {}),
    "a tensor along n + m defined by blocks": (S, BlockMatrix([[D], [MatrixSymbol("E", m, d)]]), {S: BlockMatrix([[D], [MatrixSymbol("E", m, d)]])}),
}  # fmt: skip
PROVABLE = {  # true by the definitions of the nodes, whatever the function: proved
    "a function of a definition that is constant along an axis": (D.applyfunc(exp), (one * c).applyfunc(exp), {D: one * c}),
    "softmax of a definition": (sc.softmax(A * D), sc.softmax(one * c), {D: one * c, A: "row_stochastic"}),
    "a function of ones": (D.applyfunc(exp), OneMatrix(n, d).applyfunc(exp), {D: "ones"}),
    "a function of row sums": ((A * one).applyfunc(exp), one.applyfunc(exp), {A: "row_stochastic"}),
}  # fmt: skip
WELL_BEHAVED = {  # an answer or an error of this package, and no other exception
    "a definition by itself through a function": (A, B, {A: A.applyfunc(sc.relu)}),
    "two definitions by each other through functions": (A, B, {A: B.applyfunc(sc.relu) + C, B: A.applyfunc(sc.relu)}),
    "a scalar in a function": (sc.relu(x * A[0, 0]), x * sc.relu(A[0, 0]), {}),
    "a size in a function": (sc.relu(n * A[0, 0]), 2 * sc.relu(A[0, 0]), {}),
    "a far entry in a function": (sc.relu(A[3, 0]), A[3, 0], {}),
    "a logarithm of a product": (log(x * y), log(x) + log(y), {}),
    "an exact function beside one in intervals": (exp(A[0, 0]) + floor(A[0, 1]), exp(A[0, 0]) - floor(A[0, 1]), {}),
    "a quadratic sum over blocks": (
        Sum(S[i, 0] * S[i, 1], (i, 0, n + m - 1)), (S.T * S)[0, 1], {},
    ),
    "rows of softmax add up to one": (C * one, one, {C: sc.softmax(A)}),
    "softmax of two zero matrices": (sc.softmax(ZeroMatrix(n, d)) * sc.softmax(ZeroMatrix(d, n)), OneMatrix(n, n), {}),
    "one index along two sizes": (D[i, i] * A[2, 0], 2 * D[i, i] * A[2, 0], {}),
    "a definition of a scalar": (x, Trace(A), {x: Trace(A)}),
}  # fmt: skip


def cases(table: Mapping[str, tuple]) -> list:
    """The statements of a table."""
    return [pytest.param(*case, id=name) for name, case in table.items()]


@pytest.mark.parametrize(("lhs", "rhs", "given"), cases(FALSE))
def test_what_is_false_is_not_proved(lhs: Expr, rhs: Expr, given: dict) -> None:
    assert verdict(lhs, rhs, given) not in ("proved", "holds_at")


@pytest.mark.parametrize(("lhs", "rhs", "given"), cases(TRUE))
def test_what_is_true_is_not_refuted(lhs: Expr, rhs: Expr, given: dict) -> None:
    assert verdict(lhs, rhs, given) != "refuted"


@pytest.mark.parametrize(("lhs", "rhs", "given"), cases(PROVABLE))
def test_what_is_true_by_definition_is_proved(lhs: Expr, rhs: Expr, given: dict) -> None:
    assert verdict(lhs, rhs, given) == "proved"


@pytest.mark.parametrize(("lhs", "rhs", "given"), cases(WELL_BEHAVED))
def test_an_answer_or_an_error_of_this_package(lhs: Expr, rhs: Expr, given: dict) -> None:
    assert verdict(lhs, rhs, given) in ("refuted", "undecided", "error")


def test_a_product_of_sizes_does_not_meet_another_size() -> None:
    with pytest.raises(SymbolicCircuitsError):
        sc.prove(MatrixSymbol("P", n, n * d) * MatrixSymbol("R", m, n), A)


def test_witness_of_a_copy_along_a_product() -> None:
    X, ones = MatrixSymbol("X", n * d, n * d), KroneckerProduct(OneMatrix(n, n), OneMatrix(d, d))
    assert sc.prove(ones * X, X.T, {X: "copy"}, at={n: 2, d: 2}).witness.verify()


def replayed(lhs: Expr, rhs: Expr, given: object = ()) -> None:
    """Check the certificate of a proof."""
    proof = sc.prove(lhs, rhs, given)
    assert proof.verdict == "proved"
    sc.check_certificate(json.loads(json.dumps(proof.certificate)))


def test_certificate_of_ones_along_an_axis_of_size_1() -> None:
    U = MatrixSymbol("U", n, 1)
    replayed(U * U.T * U, n * U, {U: "ones"})


def test_certificate_of_a_function_of_equal_rows() -> None:
    replayed(sc.softmax(OneMatrix(n, d)).applyfunc(sc.relu), sc.softmax(OneMatrix(n, d)).applyfunc(sc.relu))


def large() -> Expr:
    """A matrix of 390,625 terms."""
    inner = MatAdd(*(MatrixSymbol(f"a{k}", n, n) * MatrixSymbol(f"b{k}", n, n) for k in range(25)))
    return inner * inner * inner * inner


def test_witness_of_a_large_statement_with_scalars() -> None:
    assert sc.prove(x * large(), y * large()).witness.verify()


def test_large_blocks() -> None:
    side = BlockMatrix([[large() * D], [MatrixSymbol("E", m, d)]])
    assert verdict(side, side) in ("holds_at", "proved", "undecided")


def test_code_of_a_witness_with_blocks_of_different_sizes() -> None:
    blocks = BlockMatrix([[D], [MatrixSymbol("E", m, d)]])
    witness = sc.prove(S + blocks, 2 * S + blocks, at={n: 2, m: 3}).witness
    assert witness.verify()
    with pytest.raises(CodeError, match="along an axis of blocks"):
        witness.to_code()


def test_rewrites_use_what_is_given() -> None:
    traceless = Rewrite("traceless", Trace(A), Trace(ZeroMatrix(n, n)))
    assert verdict(Trace(A), Trace(ZeroMatrix(n, n)), [traceless]) == "proved"
    assert verdict(Trace(A * B), Trace(ZeroMatrix(n, n)), [traceless]) == "undecided"
    square = Rewrite("square", A[0, 0] * A[0, 0], A[0, 0])
    assert verdict(A[0, 1] * A[0, 1], A[0, 1], [square]) == "undecided"


SIZES = ({n: 3, d: 2}, {n: 2, d: 3}, {n: 1, d: 2}, {n: 2, d: 1})
LAWS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {  # a random matrix made to satisfy a law
    "symmetric(0,1)": lambda a, rng: a + a.T,
    "antisymmetric(0,1)": lambda a, rng: a - a.T,
    "diagonal": lambda a, rng: np.diag(np.diag(a)),
    "orthonormal_columns": lambda a, rng: np.linalg.qr(a)[0] * rng.choice([-1, 1], len(a)),
    "row_stochastic": lambda a, rng: a / a.sum(axis=1, keepdims=True),
    "column_stochastic": lambda a, rng: a / a.sum(axis=0, keepdims=True),
    "one_hot_rows": lambda a, rng: np.eye(len(a))[rng.integers(len(a), size=len(a))],
    "permutation": lambda a, rng: np.eye(len(a))[rng.permutation(len(a))],
    "ones": lambda a, rng: np.ones_like(a),
}


def random_matrix(rng: Random, rows: object, columns: object, depth: int) -> Expr:
    """A random matrix expression."""
    make: Callable[[object, object], Expr] = lambda r, k: random_matrix(rng, r, k, depth - 1)  # noqa: E731
    kinds = ["leaf", "sum", "product", "product", "transpose", "entries", "function", "diagonal", "scaled"]
    kind = rng.choice(kinds) if depth else "leaf"
    if kind == "sum":
        return MatAdd(make(rows, columns), make(rows, columns))
    if kind == "product":
        middle = rng.choice([n, d])
        return MatMul(make(rows, middle), make(middle, columns))
    if kind == "transpose":
        return Transpose(make(columns, rows))
    if kind == "entries":
        return HadamardProduct(make(rows, columns), make(rows, columns))
    if kind == "function":
        return ElementwiseApplyFunction(Lambda(t, rng.choice([sin(t), t * sc.relu(t), t**2 - x])), make(rows, columns))
    if kind == "diagonal" and rows == columns:
        return DiagMatrix(MatMul(make(rows, n), OneMatrix(n, 1)))
    if kind == "scaled":
        return MatMul(rng.choice([x, n, sqrt(n), Trace(make(n, n))]), make(rows, columns))
    if rng.random() < 0.15:
        return OneMatrix(rows, columns)
    return (
        Identity(rows)
        if rows == columns and rng.random() < 0.2
        else MatrixSymbol(f"{rng.choice('UV')}{rows}{columns}", rows, columns)
    )


def value(expr: Expr, sizes: Mapping, arrays: Mapping[str, np.ndarray]) -> np.ndarray | float:
    """An expression of these in floating point."""
    if isinstance(expr, sc.contract("ij->ij", A).func):
        return value(expr.operands[0], sizes, arrays)
    inner = [] if isinstance(expr, Identity | OneMatrix | MatrixSymbol | ElementwiseApplyFunction) else expr.args
    parts = [value(arg, sizes, arrays) for arg in inner]
    match type(expr).__name__:
        case "MatrixSymbol":
            return arrays[expr.name]
        case "Identity" | "OneMatrix":
            shape = [int(size.subs(sizes)) for size in expr.shape]
            return np.eye(*shape) if isinstance(expr, Identity) else np.ones(shape)
        case "MatAdd" | "Add":
            return sum(parts)
        case "MatMul":
            matrices = [part for arg, part in zip(expr.args, parts, strict=True) if arg.is_Matrix]
            scalars = [part for arg, part in zip(expr.args, parts, strict=True) if not arg.is_Matrix]
            return np.prod(scalars) * np.linalg.multi_dot(matrices) if len(matrices) > 1 else np.prod(scalars) * matrices[0]
        case "HadamardProduct" | "Mul":
            return np.prod(np.array(parts), axis=0)
        case "MatPow":
            return np.linalg.matrix_power(parts[0], int(expr.exp))
        case "HadamardPower" | "Pow":
            return parts[0] ** parts[1]
        case "Transpose":
            return parts[0].T
        case "Trace":
            return np.trace(parts[0])
        case "DiagMatrix":
            return np.diag(parts[0].ravel())
        case "ElementwiseApplyFunction":
            of, (variable,) = expr.function.expr, expr.function.variables
            return np.vectorize(lambda number: value(of, {**sizes, variable: number}, arrays), otypes=[float])(
                value(expr.expr, sizes, arrays)
            )
        case "sin":
            return np.sin(parts[0])
        case "relu":
            return np.maximum(parts[0], 0)
    return float(expr.subs(sizes))


def agree(lhs: Expr, rhs: Expr, sizes: Mapping, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether two expressions have one value."""
    one_value, other = value(lhs, sizes, arrays), value(rhs, sizes, arrays)
    return bool(np.allclose(one_value, other, rtol=1e-8, atol=1e-8 * (1 + np.abs(other).max())))


def drawn(laws: Mapping[str, str], sizes: Mapping, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Random tensors that satisfy laws."""
    out = {}
    for name in ("U", "V"):
        for rows in (n, d):
            for columns in (n, d):
                full = f"{name}{rows}{columns}"
                out[full] = rng.normal(size=(sizes[rows], sizes[columns]))
                if full in laws:
                    out[full] = LAWS[laws[full]](out[full], rng)
    return out


def rewritten(expr: Expr, rng: Random) -> Expr:
    """The same in other words, or, at times, something else."""
    leaf = rng.choice([*sorted(expr.atoms(MatrixSymbol), key=str), A])
    false = [2 * leaf, leaf.T if leaf.rows == leaf.cols else 3 * leaf]
    true = [leaf.T.T, MatAdd(3 * leaf, -2 * leaf), sc.contract("ij->ij", leaf), MatMul(leaf, Identity(leaf.cols), evaluate=False)]
    return expr.xreplace({leaf: rng.choice(false if rng.random() < 0.4 else true)})


@pytest.mark.parametrize("seed", range(6))
def test_random_statements(seed: int) -> None:
    rng, numbers = Random(seed), np.random.default_rng(seed)
    for _ in range(60):
        shape = rng.choice([n, d]), rng.choice([n, d])
        lhs = random_matrix(rng, *shape, rng.choice([1, 2, 3]))
        rhs = rewritten(lhs, rng) if rng.random() < 0.7 else random_matrix(rng, *shape, 2)
        used = sorted({part.name for side in (lhs, rhs) for part in side.atoms(MatrixSymbol) if part.name in ("Unn", "Vnn")})
        laws = {name: rng.choice(sorted(LAWS)) for name in used if rng.random() < 0.5}
        try:
            found = sc.prove(lhs, rhs, {MatrixSymbol(name, n, n): law for name, law in laws.items()})
        except SymbolicCircuitsError:
            continue
        sc.explanation(found)
        json.dumps(sc.verdict_data(found))
        if found.verdict == "proved":
            for sizes in SIZES:
                assert agree(lhs, rhs, {**sizes, x: 0.7}, drawn(laws, sizes, numbers)), (lhs, rhs, laws)
        elif found.verdict == "refuted":
            sizes = {size: found.witness.sizes.get(size.name, found.witness.scalars.get(size.name, 2)) for size in (n, d)}
            scalars = {x: found.witness.scalars.get("x", 1)}
            assert not agree_exactly(lhs, rhs, {**sizes, **scalars}, found.witness.arrays), (lhs, rhs, laws)
            assert found.witness.verify()
        else:
            assert laws or (lhs - rhs).has(ElementwiseApplyFunction), (lhs, rhs)


def agree_exactly(lhs: Expr, rhs: Expr, sizes: Mapping, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether two expressions agree at a witness, up to rounding."""
    one_value, other = (np.asarray(value(side, sizes, {k: a.astype(float) for k, a in arrays.items()})) for side in (lhs, rhs))
    return bool((np.abs(one_value - other) <= 1e-12 * (np.abs(one_value) + np.abs(other))).all())


def test_definitions_sum_over_symbols_of_their_own():
    """X := sum_h F^h stands beside a free h, and within a sum over h; F^h alone, or summed along with what is beside it, is not X."""
    h, g = (Symbol(name, integer=True, nonnegative=True) for name in "hg")
    n, H = (Symbol(name, integer=True, positive=True) for name in "nH")
    F, G, X = MatrixFamily("F", H, n, n), MatrixFamily("G", H, n, n), MatrixSymbol("X", n, n)
    over = lambda body, *symbols: MatrixSum(body, *((symbol, 0, H - 1) for symbol in symbols))  # noqa: E731
    given = {X: over(F[h], h)}
    assert sc.prove(G[h] * X, over(G[h] * F[g], g), given).verdict == "proved"
    assert sc.prove(over(G[h] * X, h), over(G[h] * F[g], g, h), given).verdict == "proved"
    assert sc.prove(G[h] * X, G[h] * F[h], given).verdict == "refuted"
    assert sc.prove(over(G[h] * X, h), over(G[h] * F[h], h), given).verdict == "refuted"
