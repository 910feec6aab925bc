"""Derivations of real transformers: norms, biases, positions, gates, scales, patterns that are expanded, scores; in every notation."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import real_transformers
from sympy import HadamardProduct, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol, OneMatrix, symbols
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.derivation import derivation, step
from symbolic_circuits.derivation.files import derivation_data, from_derivation_data
from symbolic_circuits.derivation.rules import FoldAffineLayer, FoldGatedLayer, RowsOfOnes, ToNotation
from symbolic_circuits.derivation.step import is_exact
from symbolic_circuits.errors import DerivationError, NotationError
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.vec import Vec

NOTATIONS = ["operator", "matrix", "index", "tensor"]
MODELS = [
    "attn(2, bias)",
    "bilinear(bias)",
    "[b_U] attn(H) bilinear(b_1)",
    "attn(2, b_V)|bilinear(tied, b_1)",
    "[rms_norm] attn(2)",
    "[layer_norm, gains, b_U, learned] attn(2, b_V, b_O, output_scale)",
    "[rms_norm, gains, post_norm] attn(1) bilinear(tied, b_1, b_out)",
    "[no unembed, layer_norm, gains, no final_norm] attn(1) bilinear(silu)",
    "bilinear(silu, no out, b_2)",
    "[rms_norm] attn(1, linear)",
    "[shortformer] attn(1, bilinear, output_scale)",
    "attn(1, linear, b_K, no residual, e=4) bilinear(b_2, no residual)",
    "[no embed, no unembed, layer_norm] attn(2, linear, frozen) bilinear(no out)",
    "[n=2, d=1] attn(1, b_O) bilinear(relu)",
]
ROTARY = "[rotary, b_U] attn(1, linear, b_Q)"


@pytest.fixture(autouse=True, scope="module")
def proved_once():
    """Steps that the derivations in different notations share are proved once: the lemmas of streams and norms, over half of all steps."""
    known = {}

    def prove(lhs, rhs, *, given):
        key = lhs, rhs, tuple((tensor, tuple(said) if isinstance(said, list) else said) for tensor, said in given.items())
        if key not in known:
            known[key] = sc.prove(lhs, rhs, given=given)
        return known[key]

    with pytest.MonkeyPatch.context() as patched:
        for module in (step, derivation):
            patched.setattr(module, "prove", prove)
        yield


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("text", MODELS)
def test_models(text, notation):
    found = sc.derive(text, notation=notation)
    assert found.check().result == sc.path_expansion(text).closed_form(notation)
    assert all(not part.gaps for part in found.parts())


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(
    ("text", "layer"), [("[layer_norm] attn(2) attn(1)", 1), ("bilinear(b_1) attn(1, b_K)", 1), ("attn(1, bilinear, b_Q)", 0)]
)
def test_scores(text, layer, notation):
    expansion = sc.scores(text, layer, 0)
    found = sc.derive(expansion, notation=notation)
    assert found.check().result == expansion.closed_form(notation)
    assert all(not part.gaps for part in found.parts())


@settings(max_examples=12)
@given(real_transformers(max_blocks=2, max_terms=20), st.sampled_from(NOTATIONS))
def test_every_architecture(model, notation):
    expansion = sc.path_expansion(model)
    if expansion.path_classes().number_of_terms > 12:
        return
    try:
        target = expansion.closed_form(notation)
    except NotationError:
        with pytest.raises(NotationError, match="use index or tensor notation"):
            sc.derive(expansion, notation=notation)
        return
    found = sc.derive(expansion, notation=notation)
    found.replay()
    assert found.result == target
    assert is_exact(found.prove())


@pytest.mark.parametrize("notation", ["index", "tensor"])
def test_rotary_positions(notation):
    found = sc.derive(ROTARY, notation=notation)
    assert found.check().result == sc.path_expansion(ROTARY).closed_form(notation)
    for refused in ("operator", "matrix"):
        with pytest.raises(NotationError, match=rf"{refused} notation has no products of queries and keys at rotary.*use index"):
            sc.derive(ROTARY, notation=refused)


def test_the_first_lines_are_the_model():
    """The definitions of streams and norms, put into each other, are the model as it stands."""
    expansion = sc.path_expansion("[layer_norm, gains, learned, b_U] attn(2, b_V, b_O, output_scale) bilinear(bias)")
    found = sc.derive(expansion, notation="matrix")
    names = [str(part.name) for part in found.parts()]
    assert names == ["X_0", "N_0", "X_1", "N_1", "X_2", "N_2", "T"]
    streams, value = {part.name: part.start for part in found.parts()}, found.name
    for _ in streams:
        value = value.xreplace(streams)
    assert sc.prove(value, expansion.unexpanded()).verdict == "proved"


def test_norms_after_each_step_are_of_sums():
    found = sc.derive("[rms_norm, post_norm] attn(2) bilinear", notation="matrix")
    assert [str(part.name) for part in found.parts()] == ["X_0", "Y_1", "X_1", "Y_2", "X_2", "T"]


def test_linear_models_stay_operators():
    linear = sc.derive("[layer_norm, post_norm] attn(2, output_scale)")
    assert len(list(linear.parts())) == 1
    assert {one.rule.name for one in linear.steps} <= {"distribute", "fuse identity", "mixed product"}
    assert len(list(sc.derive("[layer_norm, gains] attn(2)").parts())) > 1  # a bias of a norm is added: columns


def test_files():
    for text in ("[layer_norm, gains] attn(1, b_V)", "bilinear(bias)", "bilinear(silu, b_2)"):
        for notation in ("operator", "tensor"):
            found = sc.derive(text, notation=notation)
            assert from_derivation_data(derivation_data(found)) == found


@pytest.mark.parametrize("kind", [FoldAffineLayer, FoldGatedLayer, ToNotation, RowsOfOnes])
def test_mutants_are_caught(kind, monkeypatch):
    text, notation = {
        FoldAffineLayer: ("bilinear(bias)", "operator"),
        FoldGatedLayer: ("bilinear(silu, b_2)", "operator"),
        ToNotation: ("attn(1, b_V)", "index"),
        RowsOfOnes: ("bilinear(b_1, b_2)", "matrix"),
    }[kind]
    good, right = sc.derive(text, notation=notation), kind.apply
    monkeypatch.setattr(kind, "apply", lambda self, expr: 2 * right(self, expr))
    with pytest.raises(DerivationError, match="does not replay"):
        good.replay()
    with pytest.raises(DerivationError, match="is not proved: refuted"):
        sc.derive(text, notation=notation).check()


n, d, m = symbols("n d m", integer=True, positive=True)
x, y, ones = MatrixSymbol("x", n * d, 1), MatrixSymbol("y", n * d, 1), OneMatrix(n, 1)
W_1, W_2, W_out = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d), MatrixSymbol("W_out", d, m)
b_1, b_2, b_B = MatrixSymbol("b_1", m, 1), MatrixSymbol("b_2", m, 1), MatrixSymbol("b_B", d, 1)
W_L, W_R, B, G = MatrixSymbol("W_L", d, d), MatrixSymbol("W_R", d, d), ArraySymbol("B", (d, d, d)), MatrixSymbol("G", n, m)


def at(matrix, column):
    return MatMul(KroneckerProduct(Identity(n), matrix), column)


def test_an_affine_layer_is_folded():
    layer = at(W_out, HadamardProduct(MatAdd(at(W_1, x), at(b_1, ones)), MatAdd(at(W_2, y), at(b_2, ones))))
    rule = FoldAffineLayer(B, W_1, W_2, W_out, b_1, b_2, W_L, W_R, b_B)
    folded = rule.apply(layer)
    assert len(folded.args) == 4
    given_ = {
        B: contract("ip,pj,pk->ijk", W_out, W_1, W_2),
        W_L: contract("ip,pz,pj->ij", W_out, b_2, W_1),
        W_R: contract("ip,pz,pk->ik", W_out, b_1, W_2),
        b_B: W_out * HadamardProduct(b_1, b_2),
    }
    assert sc.prove(layer, folded, given=given_).verdict == "proved"
    without = at(W_out, HadamardProduct(at(W_1, x), MatAdd(at(W_2, y), at(b_2, ones))))
    with pytest.raises(DerivationError, match="fold an affine layer does not apply"):
        rule.apply(without)
    with pytest.raises(DerivationError, match="fold a gated layer does not apply"):
        FoldGatedLayer(B, G, W_2, W_out).apply(layer)
    gated = at(W_out, HadamardProduct(Vec(G), at(W_2, x)))
    assert FoldGatedLayer(ArraySymbol("B", (d, m, d)), G, W_2, W_out).apply(gated).args[1] == Vec(G)


def test_rows_of_ones():
    rows = HadamardProduct(ones * b_1.T, ones * b_2.T)
    assert sc.prove(rows, RowsOfOnes().apply(rows)).verdict == "proved"
    with pytest.raises(DerivationError, match="rows of ones does not apply"):
        RowsOfOnes().apply(HadamardProduct(ones * b_1.T, G))


def test_only_terms_of_the_model_are_read():
    [row] = [s for s in sc.path_expansion("attn(1, b_O)").closed_form("matrix").args if s.has(OneMatrix)]
    assert ToNotation("attn(1, b_O)", "operator").apply(Vec(row)) != Vec(row)
    with pytest.raises(DerivationError, match="notation of a term does not apply"):
        ToNotation("attn(1)", "operator").apply(Vec(row))
    with pytest.raises(DerivationError, match="notation of a term does not apply"):
        ToNotation("attn(1, b_O)", "prose").apply(Vec(row))


def test_terms_of_a_query():
    part = sc.path_expansion("attn(2, b_V)").where("attn.0[1]")
    with pytest.raises(DerivationError, match=r"only those where attn.0\[1\]"):
        sc.derive(part, notation="matrix")
    found = sc.derive(part.unexpanded(), part.closed_form("matrix"))
    assert found.check().result == part.closed_form("matrix")
