"""Defects that a review found: false derivations that were checked, rules that were wrong, lines that said something else."""

import numpy as np
import pytest
from sympy import (
    BlockMatrix,
    DiagMatrix,
    Integer,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Mul,
    Symbol,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixElement

import symbolic_circuits as sc
from symbolic_circuits.derivation import rules
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.files import read_derivation
from symbolic_circuits.errors import NotationError, SymbolicCircuitsError
from symbolic_circuits.report.derivations.convention import Columns
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

g, h, k, s, u, v = (Symbol(name, integer=True, nonnegative=True) for name in "ghksuv")
A, B, C, X, Y = (MatrixSymbol(name, 2, 2) for name in "ABCXY")
F, G = MatrixFamily("F", 4, 2, 2), MatrixFamily("G", 4, 2, 2)


def refused(make):
    """Whether making and checking a derivation ends with an error of the package."""
    try:
        make().check()
    except SymbolicCircuitsError:
        return True
    return False


def test_a_lemma_does_not_contradict_a_definition():  # X := 2 A, and yet X Y = A Y was checked
    lemma = Derivation.begin(A, name=X)
    assert refused(lambda: Derivation.begin(X * Y, {X: 2 * A}, lemmas=(lemma,)).then(rules.Substitute(X, A), at=X))


def test_two_lemmas_do_not_derive_one_tensor():  # Y = X = A, then X = B: X - Y = B - A was checked
    first, second = Derivation.begin(A, name=X), Derivation.begin(B, name=X)
    between = Derivation.begin(X, name=Y, lemmas=(first,)).then(rules.Substitute(X, A))
    whole = lambda: (  # noqa: E731
        Derivation.begin(X - Y, lemmas=(first, between, second))
        .then(rules.Substitute(X, B), at=X)
        .then(rules.Substitute(Y, A), at=Y)
    )
    assert refused(whole)


def test_lemmas_agree_on_definitions():  # X = A = B with A := B, Y = A = C with A := C: X - Y = B - C was checked
    one = Derivation.begin(A, {A: B}, name=X).then(rules.Substitute(A, B))
    two = Derivation.begin(A, {A: C}, name=Y).then(rules.Substitute(A, C))
    whole = lambda: (  # noqa: E731
        Derivation.begin(X - Y, lemmas=(one, two)).then(rules.Substitute(X, B), at=X).then(rules.Substitute(Y, C), at=Y)
    )
    assert refused(whole)


def test_a_lemma_and_what_it_is_for_agree_on_definitions():  # A := 2 B in the lemma, A := B outside: X - A = B was checked
    lemma = Derivation.begin(A, {A: MatMul(2, B)}, name=X).then(rules.Substitute(A, MatMul(2, B)))
    whole = lambda: (  # noqa: E731
        Derivation.begin(X - A, {A: B}, lemmas=(lemma,))
        .then(rules.Substitute(X, MatMul(2, B)), at=X)
        .then(rules.Substitute(A, B), at=A)
    )
    assert refused(whole)


@pytest.mark.parametrize(
    ("start", "given"),
    [(A, {X: 2 * A}), (X * Y, {X: 2 * A}), (X * Y, {}), (MatrixSymbol("Q", 3, 3), {})],
    ids=["defined otherwise", "defined and in itself", "in itself", "another shape"],
)
def test_the_name_of_the_first_line_is_a_definition_too(start, given):  # written as X = A, X = X Y
    assert refused(lambda: Derivation.begin(start, given, name=X))


def test_lines_of_arrays_keep_their_shape():  # a row times a scalar that is zero became the scalar 0
    line = Mul(Row(A, 0), Trace(ZeroMatrix(2, 2)))
    try:
        chain = Derivation.begin(line).then(rules.Claim(Integer(0)), at=Trace(ZeroMatrix(2, 2)))
    except SymbolicCircuitsError:
        return
    assert array_shape(chain.result) == (2,)
    chain.check()


@pytest.mark.parametrize(
    ("rule", "expr"),
    [
        (rules.CollectTerms(), MatAdd(F[g], F[h])),  # became 2 F^g
        (rules.ToIndex(), MatrixElement(MatMul(F[h], MatrixSum(G[h], (h, 0, 3))), s, v)),  # the free h was bound
        (rules.ToIndex(), MatrixElement(MatrixSum(MatMul(F[s], X), (s, 0, 3)), s, v)),  # the free s was bound
        (rules.ToTensor(), Row(MatrixSum(MatMul(F[s], X), (s, 0, 3)), s)),  # likewise
    ],
    ids=["collect", "index, factor", "index, own", "tensor"],
)
def test_free_symbols_stay_free(rule, expr):
    try:
        result = rule.apply(expr)
    except SymbolicCircuitsError:
        return
    assert result.free_symbols == expr.free_symbols


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (
            IndexSum(IndexSum(F[h][0, 0], (h, 0, 3)) * IndexSum(G[h][0, 0], (h, 0, 3)), (g, 0, 1)),
            rules.Distribute(),  # takes g as the new symbol, which the outer sum binds
        ),
        (IndexSum(Trace(X), (u, 0, 1)), rules.TraceAsSum(u)),
    ],
    ids=["distribute", "trace"],
)
def test_sums_in_sums_over_one_symbol(line, rule):  # ValueError: the limits of a sum bind different symbols
    try:
        chain = Derivation.begin(line).then(rule, at=(0,))
    except SymbolicCircuitsError:
        return
    chain.check()


def test_products_of_sums_inside_of_a_sum_are_multiplied_out_with_new_symbols():  # g within g, which no later step could prove
    inner = MatAdd(MatMul(X, MatrixSum(F[h], (h, 0, 3)), MatrixSum(G[h], (h, 0, 3))), Y)
    chain = Derivation.begin(MatrixSum(MatMul(F[g], inner), (g, 0, 3))).then(rules.Distribute(), at=(0, 1, 0))
    chain.then(rules.Distribute(), at=(0,)).check()


def test_a_definition_may_bind_a_symbol_that_is_bound_where_it_is_put():  # derive: IdentityError, summed in one place and free in another
    given = {X: MatrixSum(F[h], (h, 0, 3))}
    target = MatrixSum(MatMul(G[h], F[g]), (h, 0, 3), (g, 0, 3))
    sc.derive(MatrixSum(MatMul(G[h], X), (h, 0, 3)), target, given=given).check()


def test_tensors_may_be_given_by_name():  # derive takes {"U": ...}; begin took it, used it nowhere and said "refuted"
    chain = Derivation.begin(X.T * X * A, {"X": "orthonormal_columns"}).then(rules.CancelPair(X, "orthonormal_columns"))
    assert chain.check().result == A


def test_errors_of_steps_are_read_by_people():  # the repr of the verdict, 2000 characters of OpenTerm(...)
    with pytest.raises(SymbolicCircuitsError, match="not proved") as error:
        Derivation.begin(A * B).then(rules.Claim(B * A))
    assert "OpenTerm(" not in str(error.value)


# ---- column convention: expressions evaluated with X transposed, vec column by column

P3, W = MatrixSymbol("P", 3, 3), MatrixSymbol("W", 2, 2)
Z, T = MatrixSymbol("Z", 3, 2), MatrixSymbol("T", 3, 2)
w = MatrixSymbol("w", 2, 1)
STREAMS = {"Z", "T"}


def value(expr, column):
    """An expression as a reader of its convention takes it."""
    of = lambda part: value(part, column)  # noqa: E731
    if isinstance(expr, MatrixSymbol):
        rows, cols = map(int, expr.shape)
        if column and expr.name in STREAMS:
            return value(MatrixSymbol(expr.name, cols, rows), False).T
        return np.random.default_rng(list(expr.name.encode())).integers(-4, 5, (rows, cols))
    if isinstance(expr, Transpose):
        return of(expr.arg).T
    if isinstance(expr, Vec):
        return of(expr.matrix).reshape(-1, 1, order="F" if column else "C")
    if isinstance(expr, DiagMatrix):
        return np.diag(of(expr.args[0]).ravel())
    if isinstance(expr, BlockMatrix):
        rows, cols = expr.blockshape
        return np.block([[of(expr.blocks[i, j]) for j in range(cols)] for i in range(rows)])
    parts = [of(part) for part in expr.args]
    if isinstance(expr, KroneckerProduct):
        return np.kron(*parts)
    assert isinstance(expr, MatMul)
    return np.linalg.multi_dot(parts)


@pytest.mark.parametrize(
    "expr",
    [
        P3 * Z * W.T,
        DiagMatrix(Z * w) * T,  # what is in diag() stayed in row convention
        P3 * DiagMatrix(Z * w),
        Vec(W),  # vec is by columns then, so that it is vec(W^T)
        Vec(Z * W * T.T),
        MatMul(KroneckerProduct(W, W), Vec(Z.T * T)),
        BlockMatrix([[Z, T]]),  # [Z T] stayed [Z T] as a whole
    ],
    ids=str,
)
def test_column_convention_says_the_same(expr):
    columns = Columns((Z, T))
    wanted = value(expr, column=False)
    assert np.array_equal(value(columns(expr), column=True), wanted.T if columns.is_stream(expr) else wanted)


# ---- what is written


@pytest.mark.parametrize("rename", [{"A": "B"}, {"A": "K", "B": "K"}, {"C": "B"}], ids=str)
def test_names_do_not_fall_together(rename):  # A (B + C) was written B (B + C)
    with pytest.raises(NotationError):
        sc.to_latex(Derivation.begin(A * (B + C)), Style(rename=rename))


def test_indices_do_not_fall_together():  # sum_{g,g} F^g G^g
    expr = MatrixSum(MatMul(F[h], G[g]), (h, 0, 3), (g, 0, 3))
    with pytest.raises(NotationError):
        sc.to_latex(Derivation.begin(expr), Style(rename={"h": "g"}))


def test_names_that_are_sums_get_brackets_or_are_refused():  # A - P + Q for A - B with B = P + Q; P + Q^2
    try:
        found = sc.to_latex(Derivation.begin(MatAdd(A, MatMul(-1, B))), Style(rename={"B": "P + Q"}))
    except NotationError:
        return
    assert "A - P + Q" not in found


def test_numbers_side_by_side_are_not_one_number():  # 2 (3 A) was written 2 3 A
    found = sc.to_text(Derivation.begin(MatMul(2, MatMul(3, A, evaluate=False), evaluate=False)))
    assert "2 3" not in found


def test_sums_that_do_not_use_their_index_have_ends():  # sum_{i=0}^{3} tr A was written as sum_i tr A
    found = sc.to_latex(Derivation.begin(IndexSum(Trace(A), (k, 0, 3))))
    assert "3" in found.split("align", 1)[1] or "4" in found.split("align", 1)[1]


def test_negative_coefficients_in_sums_of_scalars():  # tr A + (-2) tr B
    assert "(-2)" not in sc.to_latex(Derivation.begin(Trace(A) - 2 * Trace(B)))


# ---- bad input


@pytest.mark.parametrize(
    "call",
    [
        lambda: Derivation.begin("A*B"),
        lambda: Derivation.begin(None),
        lambda: Derivation.begin(A, lemmas=(B,)).check(),
        lambda: Derivation.begin(A * B).then("distribute"),
        lambda: Derivation.begin(A * B).then(rules.Distribute),
        lambda: Derivation.begin(Trace(A)).then(rules.Claim("A")),
        lambda: Derivation.begin(A * B).then(rules.InsertIdentity("a")),
        lambda: Derivation.begin(A + B).then(rules.Reorder((None, 0))),
        lambda: Derivation.begin(Trace(A)).then(rules.TraceAsSum(h + 1)),
        lambda: rules.ToOperator(Symbol("a")).apply(Vec(MatMul(Symbol("a"), A))),
        lambda: rules.EntryOfContraction((u, u)).apply(MatrixElement(sc.contract("ij,jk,kl->il", A, B, C), s, v)),
        lambda: rules.Rename(((h, g + 1),)).apply(MatrixSum(F[h], (h, 0, 3))),
        lambda: Derivation.begin(A * B).extended("x"),
        lambda: sc.jacobian("A*B", A),
        lambda: sc.gaussian_expectation(A, A, 2),
        lambda: sc.to_text(5),
        lambda: sc.to_markdown(A),
        lambda: sc.to_latex(Derivation.begin(A), "main"),
        lambda: Style(width="x"),
        lambda: Style(prefix=5),
        lambda: Style(activations=5),
    ],
)
def test_bad_input_is_an_error_of_the_package(call):
    with pytest.raises(SymbolicCircuitsError):
        call()


def test_files_that_are_not_there(tmp_path):  # FileNotFoundError, IsADirectoryError
    for path in (tmp_path / "nothing.json", tmp_path):
        with pytest.raises(SymbolicCircuitsError):
            read_derivation(path)
