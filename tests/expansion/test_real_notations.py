"""Terms of real transformers in each notation have the value that the evaluation of all terms gives; so have sums, closed forms, einsums, code."""

import numpy as np
import pytest
from hypothesis import given, settings
from real_evaluation import NOTATIONS, code_value, real_einsum_value, real_value, require_agreement
from strategies import freeze_real, real_transformers
from sympy import ZeroMatrix

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.notation.operator import is_linear
from symbolic_circuits.expansion.term import subterms
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen

MODELS = [  # each feature at least once, and how they meet
    "attn(2, bias) bilinear(bias)",
    "[b_U] attn(2) bilinear(b_1)",
    "attn(2, b_V)|bilinear(tied, b_1)",
    "[rms_norm] attn(2) bilinear",
    "[layer_norm, gains, b_U, no final_norm] attn(2, b_V, output_scale)",
    "[layer_norm, gains] bilinear(tied, b_out)",
    "[learned, no unembed] attn(2, b_V, b_O, output_scale) bilinear(b_2)",
    "[rms_norm, gains, post_norm] attn(2)|bilinear(tied, b_1, b_out)",
    "bilinear(silu)*2",
    "[rotary, rms_norm] attn(2) bilinear(relu, bias)",
    "attn(1, linear)*2",
    "attn(1, bilinear, b_Q, b_O)",
    "[rotary, b_U] attn(2, linear, b_K, b_V)",
    "[shortformer, rms_norm] attn(2, linear) bilinear(no out)",
    "[no embed, no unembed, layer_norm, gains] attn(2, b_V) bilinear(no out)",
    "attn(2, linear, frozen) bilinear(gelu, b_2)",
    "[no unembed] bilinear(no out, tied, b_1)",
    "[rotary] attn(1, linear, no score_scale, e=4) attn(1, output_scale, b_O)",
]
SCORES = [  # model, block
    ("attn(2)*2", 1),
    ("[rms_norm, gains] bilinear attn(2, b_Q, b_K)", 1),
    ("[layer_norm] attn(2, b_V)|attn(1) attn(1)", 2),
    ("[rotary] attn(2, b_V) attn(1)", 1),
    ("[shortformer] bilinear(silu) attn(1, bilinear)", 1),
    ("[no embed] attn(1, linear) attn(1, no score_scale)", 1),
]
PRINTED = [  # text, number, notation -> as printed
    ("[no embed, no unembed] attn(1, b_V)", 2, "matrix", "A[0]*1*b_OV[0].T"),
    ("[no embed, no unembed] attn(1, b_V)", 2, "operator", "(KroneckerProduct(A[0], b_OV[0]))*1"),
    ("[no embed, no unembed] attn(1, b_V)", 2, "index", "sum[u=0..n - 1] A[0][s, u]*b_OV[0][b, 0]"),
    ("[no embed, no unembed] attn(1, output_scale)", 1, "matrix", "alpha*A[0]*X*W_OV[0].T"),
    ("[no embed, no unembed] bilinear(b_2)", 2, "matrix", "(HadamardProduct(X*W_1.T, 1*b_2.T))*W_out.T"),
    ("[no embed, no unembed] bilinear(b_2)", 2, "operator", "(KroneckerProduct(I, W_L))*vec(X)"),
    ("[no embed, no unembed] bilinear(b_2)", 2, "tensor", "W_L ._21 X[s,:]"),
    ("[no embed, no unembed] bilinear(silu)", 1, "matrix", "(HadamardProduct(G, X*W_2.T))*W_out.T"),
    ("[no embed, no unembed] bilinear(silu)", 1, "tensor", "G[s,:] ._12 B ._21 X[s,:]"),
    ("[no embed, no unembed] bilinear(silu)", 1, "operator", "B(vec(G), vec(X))"),
    ("[no embed, no unembed, layer_norm, gains]", 0, "matrix", "DiagMatrix(r)*X*C*DiagMatrix(w)"),
    ("[no embed, no unembed, rms_norm]", 0, "operator", "KroneckerProduct(DiagMatrix(r), I)"),
    ("[no embed, no unembed] attn(1, linear)", 1, "matrix", "1/sqrt(e)*(HadamardProduct(M, X*W_QK[0]*X.T))*X*W_OV[0].T"),
    ("[learned, no unembed]", 1, "matrix", "W_pos"),
]


def near(found, expected, scale):
    np.testing.assert_allclose(found, expected, atol=1e-12 * max(1, scale), rtol=0)


def uses_rotation(term):
    """Whether a term has products of rotated queries and keys."""
    return any(len(x.inputs) > 1 and x.component.kind in ("attn", "scores") for x in subterms(term))


def some(count, k=5):
    """A few numbers of range(count), its ends among them."""
    return sorted({round(x) for x in np.linspace(0, count - 1, k)})


def check_terms(expansion: sc.PathExpansion, frozen: Frozen, k: int) -> None:
    """Terms in every notation and as an einsum, against the evaluation of all terms."""
    values, root = output_values(expansion, frozen), expansion.grammar.root
    scale = np.abs(values).max()
    for number in some(len(values), k):
        term = expansion[number]
        near(real_einsum_value(term, frozen), values[number], scale)
        for notation in NOTATIONS:
            if frozen.model.positions == "rotary" and notation in ("operator", "matrix") and uses_rotation(term):
                continue
            require_agreement(term.expr(notation), notation, frozen, values[number], scale, root)


def check_sums(expansion: sc.PathExpansion, frozen: Frozen) -> None:
    """Closed forms, the model as it stands and code, against the forward pass."""
    values, root = output_values(expansion, frozen), expansion.grammar.root
    total, scale = values.sum(axis=0), 10 * np.abs(values).max()
    if root is None:
        near(total, frozen.forward().output, scale)
    near(real_value(expansion.unexpanded(), "matrix", frozen, root), total, scale)
    near(code_value(expansion.to_code(), frozen), total, scale)
    rotated = frozen.model.positions == "rotary" and any(map(uses_rotation, expansion.path_classes()))
    for notation in ("index", "tensor") if rotated else NOTATIONS:
        require_agreement(expansion.closed_form(notation), notation, frozen, total, scale, root)


@pytest.mark.parametrize(("text", "k", "notation", "printed"), PRINTED)
def test_printed(text, k, notation, printed):
    assert str(sc.path_expansion(text)[k].expr(notation)) == printed


@pytest.mark.parametrize("text", MODELS)
def test_models(text):
    frozen, expansion = freeze_real(text), sc.path_expansion(text)
    check_terms(expansion, frozen, 5)
    check_sums(expansion, frozen)


@pytest.mark.parametrize(("text", "block"), SCORES)
def test_scores(text, block):
    expansion, frozen = sc.scores(text, block), freeze_real(text)
    check_terms(expansion, frozen, 5)
    check_sums(expansion, frozen)


@settings(max_examples=8, deadline=None)
@given(real_transformers(max_blocks=2, max_terms=30).filter(lambda model: model.steps))
def test_random_models(model):
    frozen, expansion = freeze_real(model), sc.path_expansion(model)
    check_terms(expansion, frozen, 3)
    check_sums(expansion, frozen)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("attn(2, b_V) bilinear(b_2)", "attn.0[1] > bilinear.1"),
        ("[layer_norm, b_U] attn(2, linear, b_K)", "attn.0[1].key"),
        ("[rms_norm, b_U] attn(2, bias)", "one"),
        ("[rms_norm] bilinear(tied, b_1)*2", "order <= 2"),
        ("bilinear(silu, b_2)*2", "gated.1"),
    ],
)
def test_terms_of_a_query(text, query):
    """The sum over what a query leaves: closed, as it stands, and as code."""
    expansion, frozen = sc.path_expansion(text).where(query), freeze_real(text)
    total = output_values(expansion, frozen).sum(axis=0)
    near(real_value(expansion.unexpanded(), "matrix", frozen), total, 10)
    near(code_value(expansion.to_code(), frozen), total, 10)
    for notation in NOTATIONS:
        require_agreement(expansion.closed_form(notation), notation, frozen, total, 10)


def test_scores_without_terms_are_zero():
    empty = sc.scores("attn(2)*2", 1).where("attn.0[0] = 3")
    frozen = freeze_real("attn(2)*2")
    assert empty.is_empty
    assert empty.closed_form("matrix").doit() in (0, ZeroMatrix(empty.model.n, empty.model.n))
    some_terms = sc.scores("attn(2)*2", 1).where("attn.0[0] = 2")
    near(code_value(some_terms.to_code(), frozen), output_values(some_terms, frozen).sum(axis=0), 1)


def test_every_term_of_a_layer_with_biases():
    """Interaction, two linear parts and the constant (C10), each by its definition."""
    frozen = freeze_real("[no embed, no unembed] bilinear(no residual, b_1, b_2)")
    arrays, x = frozen.weights, frozen.source
    W_1, W_2, W_out, b_1, b_2 = (arrays[f"bilinear.0.{name}"] for name in ("W_1", "W_2", "W_out", "b_1", "b_2"))
    parts = [(x @ W_1.T, x @ W_2.T), (x @ W_1.T, b_2), (b_1, x @ W_2.T), (b_1, b_2)]
    terms = {str(term): term for term in sc.path_expansion(frozen.model)}
    names = ["(input, input)", "(input, one)", "(one, input)", "(one, one)"]
    for name, (left, right) in zip(names, parts, strict=True):
        for notation in NOTATIONS:
            found = real_value(terms[f"bilinear.0{name}"].expr(notation), notation, frozen)
            near(found, np.broadcast_to((left * right) @ W_out.T, x.shape), 1)


def test_the_qk_circuit_of_elhage():
    """B28: four pairs of paths, each (A (x) A') of the patterns and W_E^T W_OV^T W_QK W_OV W_E of the weights."""
    terms = [str(term.expr("operator")) for term in sc.scores("attn(1)*2", 1)]
    assert terms == [
        "1/sqrt(e)*(KroneckerProduct(t, t))*vec(W_E.T*W_QK^1[0]*W_E)",
        "1/sqrt(e)*(KroneckerProduct(I, A^0[0]))*(KroneckerProduct(t, t))*vec(W_E.T*W_QK^1[0]*W_OV^0[0]*W_E)",
        "1/sqrt(e)*(KroneckerProduct(A^0[0], I))*(KroneckerProduct(t, t))*vec(W_E.T*W_OV^0[0].T*W_QK^1[0]*W_E)",
        "1/sqrt(e)*(KroneckerProduct(A^0[0], A^0[0]))*(KroneckerProduct(t, t))*vec(W_E.T*W_OV^0[0].T*W_QK^1[0]*W_OV^0[0]*W_E)",
    ]


@pytest.mark.parametrize(
    ("text", "linear"),
    [
        ("[rms_norm, gains] attn(2)", True),
        ("[layer_norm] attn(2, linear, frozen, b_Q, output_scale)", False),
        ("[layer_norm] attn(2, linear, frozen, output_scale)", True),
        ("[layer_norm, gains] attn(2)", False),
        ("attn(2, b_O)", False),
        ("[learned] attn(2)", False),
        ("attn(2, linear)", False),
        ("bilinear(silu)", False),
    ],
)
def test_operators_are_written_of_linear_models(text, linear):
    """Of the others the columns, n V' x 1."""
    model = sc.Transformer.parse(text)
    assert is_linear(model) is linear
    assert (sc.path_expansion(model)[0].expr("operator").shape[1] != 1) is linear


def test_symbolic_heads_with_biases():
    """The sum over a symbolic number of heads, at two."""
    for text in ("[b_U] attn(H, bias, output_scale) bilinear(b_1)", "[rms_norm] attn(H, linear, b_K)"):
        frozen = freeze_real(text.replace("H", "2"))
        total = frozen.forward().output
        for notation in NOTATIONS:
            form = sc.path_expansion(text).closed_form(notation).subs({"H": 2})
            require_agreement(form, notation, frozen, total, 10)
        near(code_value(sc.path_expansion(text).to_code(), frozen), total, 10)


def test_torch_code():
    torch = pytest.importorskip("torch")
    for text in ("[layer_norm, gains, b_U] attn(2, b_V, output_scale) bilinear(b_2)", "[rotary] attn(1, linear, b_O)"):
        frozen = freeze_real(text)
        code = sc.path_expansion(text).to_code("torch")
        wrap = lambda array: torch.from_numpy(np.array(array, dtype=float))  # noqa: E731
        near(code_value(code, frozen, wrap), frozen.forward().output, 10)


def test_code_of_a_bias():
    assert sc.path_expansion("[no embed, no unembed] bilinear(b_out)").to_code() == (
        "import numpy as np\n\n\n"
        "def path_expansion(X, W_1, W_2, W_out, b_out):\n"
        "    # [no embed, no unembed] bilinear(b_out): 3 terms in 3 path classes\n"
        "    # X (n, d), W_1 (m, d), W_2 (m, d), W_out (d, m), b_out (d, 1)\n"
        "    ones = np.ones(len(X))\n"
        '    out = np.einsum("ab->ab", X, optimize=True)  # input\n'
        '    out = out + np.einsum("ab,cb,ad,cd,ec->ae", X, W_1, X, W_2, W_out, optimize=True)  # bilinear.0(input, input)\n'
        '    out = out + np.einsum("a,bc->ab", ones, b_out, optimize=True)  # bias.0\n'
        "    return out\n"
    )


def test_numbers_in_front_are_operands():
    """The coefficient of a tied layer, the scale of an attention block, and one over the root of e for each product."""
    expansion = sc.path_expansion("attn(1, bilinear, output_scale) bilinear(tied)")
    term = expansion.parse("bilinear.1(embed, attn.0[0](embed, embed, embed, embed, embed))")
    assert term.to_einsum()[1][:4] == ("2", "alpha", "1/sqrt(e)", "1/sqrt(e)")
    assert sc.scores("attn(1)", 0)[0].to_einsum() == (",ab,cb,cd,de,fe->af", ("1/sqrt(e)", "t", "W_E", "W_QK[0]", "W_E", "t"))


@pytest.mark.parametrize("notation", ["matrix", "operator"])
def test_rotary_scores_want_indices(notation):
    """One matrix is not enough: W_QK(delta) depends on the offset."""
    rotary, plain = sc.path_expansion("[rotary] attn(1, linear)"), sc.path_expansion("attn(1, linear)")
    with pytest.raises(
        NotationError, match=rf"{notation} notation has no .* rotary positions.*W_QK\(delta\).*use index or tensor"
    ):
        rotary[1].expr(notation)
    plain[1].expr(notation)
    rotary[1].expr("index")
    rotary[0].expr(notation)
    sc.path_expansion("[rotary] attn(1)")[1].expr(notation)  # patterns held fixed have no rotations in them
