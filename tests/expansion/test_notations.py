"""The value of every term, in each notation, is that of the forward pass; so is the value of their sum and of the closed form."""

import numpy as np
import pytest
import sympy
from evaluation import NOTATIONS, is_linear, source, term_value, value
from hypothesis import given, settings
from strategies import freeze_at_random, frozen_models, size_values, transformers
from sympy import Identity, KroneckerProduct, MatrixSymbol, Symbol

import symbolic_circuits as sc
from symbolic_circuits.errors import CodeError, NotationError
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.vec import Vec

TEXTS = [  # text, number, notation -> as printed
    ("attn(2)", 0, "matrix", "t*W_E.T*W_U.T"),
    ("attn(2)", 2, "matrix", "A[1]*t*W_E.T*W_OV[1].T*W_U.T"),
    ("attn(2)*2", 4, "matrix", "A^1[0]*A^0[0]*t*W_E.T*W_OV^0[0].T*W_OV^1[0].T*W_U.T"),
    ("[no embed, no unembed] attn(2)", 1, "matrix", "A[0]*X*W_OV[0].T"),
    ("[no embed, no unembed] bilinear", 1, "matrix", "(HadamardProduct(X*W_1.T, X*W_2.T))*W_out.T"),
    ("attn(2)", 0, "tensor", "W_U ._21 (W_E ._21 t[s,:])"),
    ("[no embed, no unembed] bilinear", 1, "tensor", "X[s,:] ._12 B ._21 X[s,:]"),
    ("[no embed, no unembed] attn(1)", 1, "tensor", "sum[u=0..n - 1] A[0][s, u]*(W_OV[0] ._21 X[u,:])"),
    ("[no embed, no unembed] bilinear", 1, "operator", "B(vec(X), vec(X))"),
]

TIED = [
    "bilinear(tied)*2",
    "bilinear(tied, no out)*2",
    "attn(2) bilinear(tied)",
    "[no embed, no unembed] bilinear(tied, no out)*2",
]


@pytest.mark.parametrize(("text", "k", "notation", "printed"), TEXTS)
def test_printed(text, k, notation, printed):
    assert str(sc.path_expansion(text)[k].expr(notation)) == printed


def test_the_linear_operator_of_elhage():
    """B16, B24: A^{h2} A^{h1} (x) W_U W_OV^{h2} W_OV^{h1} W_E."""
    expansion = sc.path_expansion("attn(2)*2")
    t, blocks = expansion.tensors, expansion.tensors.blocks
    embed = KroneckerProduct(Identity(t.model.n), t.W_U * t.W_E)
    assert expansion[0].expr("operator") == embed
    term = expansion.parse("attn.1[1](attn.0[0](embed))")
    A, W = blocks[1].A[1] * blocks[0].A[0], t.W_U * blocks[1].W_OV[1] * blocks[0].W_OV[0] * t.W_E
    assert term.expr("operator") == KroneckerProduct(A, W)


def test_the_bilinear_operator_keeps_left_and_right():
    """B(x, y) is not B(y, x) (A9)."""
    expansion = sc.path_expansion("[no embed, no unembed] attn(1) bilinear")
    t = expansion.tensors
    x, B, head = Vec(t.source), t.block(1).B, KroneckerProduct(t.block(0).A[0], t.block(0).W_OV[0])
    assert expansion[3].expr("operator") == ApplyBilinear(B, x, head * x)
    assert expansion[4].expr("operator") == ApplyBilinear(B, head * x, x)


def test_tensor_names_are_numbered_where_there_are_several():
    names = lambda text: [str(b.A if hasattr(b, "A") else b.B) for b in ModelTensors(sc.Transformer.parse(text)).blocks]  # noqa: E731
    assert names("attn(2) bilinear") == ["A", "B"]
    assert names("attn(2) bilinear bilinear attn(1)") == ["A^0", "B^1", "B^2", "A^3"]


@given(transformers(max_terms=12, symbolic_heads=True, max_blocks=2))
def test_free_symbols(model):
    """The tensors, the free indices of the notation, and no summation index or size (a size in an end of a sum apart)."""
    classes = sc.path_expansion(model).path_classes()
    position, last = (symbol.name for symbol in output_indices(model))
    indices = {"operator": set(), "matrix": set(), "index": {position, last}, "tensor": {position}}
    for term in classes[:4]:
        for notation in NOTATIONS:
            free = term.expr(notation).free_symbols
            found = {
                s.name for s in free if isinstance(s, Symbol) and not s.is_positive and s.name not in ("B",) and "^" not in s.name
            }
            assert found <= indices[notation] | {b.B.name.name for b in classes.tensors.blocks if hasattr(b, "B")}


@given(transformers(max_terms=8))
def test_expressions_rebuild_and_repeat(model):
    for term in sc.path_expansion(model)[:5]:
        for notation in NOTATIONS:
            expr = term.expr(notation)
            assert expr == term.expr(notation)
            for node in sympy.preorder_traversal(expr):
                if node.args:
                    assert node.func(*node.args) == node
            assert sympy.latex(expr)
            assert str(expr)


@settings(max_examples=12)
@given(frozen_models(max_terms=10))
@pytest.mark.parametrize("notation", NOTATIONS)
def test_each_term(notation, frozen):
    expansion, total = sc.path_expansion(frozen.model), 0
    for term in expansion:
        found = value(term.expr(notation), notation, frozen)
        np.testing.assert_allclose(found, term_value(term, frozen), atol=1e-12)
        total = total + found
    np.testing.assert_allclose(total, frozen.forward().output, atol=1e-11)


@settings(max_examples=20)
@given(frozen_models(max_terms=20))
@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_sum_of_all_terms(notation, frozen):
    found = value(sc.path_expansion(frozen.model).expr(notation), notation, frozen)
    np.testing.assert_allclose(found, frozen.forward().output, atol=1e-11)


@settings(max_examples=30)
@given(frozen_models(max_terms=60))
@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_closed_form(notation, frozen):
    found = value(sc.path_expansion(frozen.model).closed_form(notation), notation, frozen)
    np.testing.assert_allclose(found, frozen.forward().output, atol=1e-11)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("text", TIED)
def test_tied_weights(text, notation):
    frozen = freeze_at_random(text)
    for expr in (sc.path_expansion(text).expr(notation), sc.path_expansion(text).closed_form(notation)):
        np.testing.assert_allclose(value(expr, notation, frozen), frozen.forward().output, atol=1e-12)


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(
    "text", ["[n=1, d=1, V=1] attn(2) bilinear", "[n=2, d=2, V=2] attn(2) bilinear", "[d=n] attn(2) bilinear", "[V=d] attn(2)"]
)
def test_sizes_that_coincide(text, notation):
    frozen = freeze_at_random(text, seed=3)
    found = value(sc.path_expansion(text).closed_form(notation), notation, frozen)
    np.testing.assert_allclose(found, frozen.forward().output, atol=1e-12)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_terms_of_more_than_fifty_two_indices(notation):
    text = "[no embed, no unembed, d=2, n=2] bilinear(no residual)*5"
    frozen = freeze_at_random(text)
    found = value(sc.path_expansion(text)[0].expr(notation), notation, frozen)
    np.testing.assert_allclose(found, frozen.forward().output, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("notation", NOTATIONS)
def test_the_model_that_is_its_input(notation):
    """Neither embedding, blocks nor unembedding: X is the output."""
    frozen = freeze_at_random("[no embed, no unembed]")
    np.testing.assert_allclose(value(sc.path_expansion(frozen.model).closed_form(notation), notation, frozen), frozen.source)


def near_misses(t):
    """The closed form of ``[no embed, no unembed] attn(2) bilinear``, and transposes, another head, missing or doubled terms."""
    X, A, W, layer = t.source, t.block(0).A, t.block(0).W_OV, t.block(1)
    bilinear = lambda x, y: sympy.HadamardProduct(x * layer.W_1.T, y * layer.W_2.T) * layer.W_out.T  # noqa: E731
    h = [A[k] * X * W[k].T for k in (0, 1)]
    right = X + h[0] + h[1] + bilinear(X + h[0] + h[1], X + h[0] + h[1])
    yield right, True
    yield X + A[0] * X * W[0] + h[1] + bilinear(X + h[0] + h[1], X + h[0] + h[1]), False
    yield X + A[0].T * X * W[0].T + h[1] + bilinear(X + h[0] + h[1], X + h[0] + h[1]), False
    yield X + A[1] * X * W[0].T + h[1] + bilinear(X + h[0] + h[1], X + h[0] + h[1]), False
    yield X + h[0] + h[1] + bilinear(X, X) + bilinear(h[0] + h[1], h[0] + h[1]) + 2 * bilinear(X, h[0] + h[1]), False
    yield X + h[0] + h[1] + bilinear(X + h[0] + h[1], X + h[0]), False
    yield right - X, False


def test_near_misses_are_told_apart():
    frozen = freeze_at_random("[no embed, no unembed] attn(2) bilinear", seed=5)
    known = sc.operands(frozen)
    for expr, is_right in near_misses(ModelTensors(frozen.model)):
        found = sc.lambdify(list(known), expr)(*known.values())
        assert np.allclose(found, frozen.forward().output) is is_right


@pytest.mark.parametrize("notation", NOTATIONS)
def test_a_term_is_not_its_neighbour(notation):
    """No two terms have one value, so that a check of single terms cannot pass by chance."""
    frozen = freeze_at_random("attn(2) bilinear", seed=2)
    values = [value(term.expr(notation), notation, frozen) for term in sc.path_expansion(frozen.model)]
    for k, left in enumerate(values):
        assert not any(np.allclose(left, right) for right in values[:k])


def test_the_operator_acts_on_row_major_vec():
    frozen = freeze_at_random("[V=2] attn(2)", seed=1)
    assert is_linear(frozen.model)
    known = sc.operands(frozen) | size_values(frozen.model)
    operator = sc.lambdify(list(known), sc.path_expansion(frozen.model).closed_form("operator"))(*known.values())
    output = frozen.forward().output
    np.testing.assert_allclose(operator @ source(frozen).reshape(-1), output.reshape(-1))
    assert not np.allclose(operator @ source(frozen).T.reshape(-1), output.T.reshape(-1))


@pytest.mark.parametrize("name", ["", "Matrix", "einsum", "latex"])
def test_unknown_notations(name):
    expansion = sc.path_expansion("attn(2)")
    for use in (expansion[0].expr, expansion.expr, expansion.closed_form):
        with pytest.raises(
            NotationError, match=f"there is no notation {name!r}; there are 'operator', 'matrix', 'index', 'tensor'"
        ):
            use(name)
        use("tensor")


def test_missing_arguments_are_named():
    expr = sc.path_expansion("attn(2)")[1].expr("matrix")
    args = sorted(expr.free_symbols, key=str)
    with pytest.raises(CodeError, match="uses A, not among the arguments W_E, W_OV, W_U, t"):
        sc.lambdify(args[1:], expr)
    sc.lambdify(args, expr)
    with pytest.raises(CodeError, match="uses s, v"):
        sc.lambdify(args, sc.path_expansion("attn(2)")[1].expr("index"))


def test_a_size_that_no_operand_tells_is_named():
    """Id (x) W_U W_E has n rows of blocks, and neither W_U nor W_E has an axis n."""
    frozen = freeze_at_random("")
    sizes = size_values(frozen.model)
    expr, known = sc.path_expansion("")[0].expr("operator"), {s: a for s, a in sc.operands(frozen).items() if s not in sizes}
    with pytest.raises(CodeError, match="n"):
        sc.lambdify(list(known), expr)(*known.values())
    assert sc.lambdify([*known, *sizes], expr)(*known.values(), *sizes.values()).shape == (6 * 2, 6 * 2)


def test_arguments_are_tensors_sizes_and_indices():
    X = MatrixSymbol("X", 2, 2)
    with pytest.raises(CodeError, match="an argument is a symbol"):
        sc.lambdify([X, X + X], X)
    assert sc.lambdify([X], X * X)(np.eye(2)).tolist() == np.eye(2).tolist()
