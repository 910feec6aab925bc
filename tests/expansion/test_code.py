"""The einsum of a term and the code of an expansion, executed, give the term's value and the forward pass."""

import numpy as np
import opt_einsum
import pytest
from evaluation import einsum_value, term_value
from hypothesis import given
from strategies import freeze_at_random, frozen_models

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.expansion.code import LIBRARIES
from symbolic_circuits.syntax.names import identifier

EINSUMS = [  # text, number -> einsum string, operands
    ("", 0, "ab,cb,dc->ad", ("t", "W_E", "W_U")),
    ("[no embed, no unembed]", 0, "ab->ab", ("X",)),
    ("attn(2)", 2, "ab,bc,dc,ed,fe->af", ("A[1]", "t", "W_E", "W_OV[1]", "W_U")),
    ("[no embed, no unembed] bilinear", 1, "ab,cb,ad,cd,ec->ae", ("X", "W_1", "X", "W_2", "W_out")),
    ("[no embed, no unembed] bilinear(no out, tied)", 1, "ab,cb,ad,cd->ac", ("X", "W_1", "X", "W_1")),
    (
        "[no embed, no unembed] attn(1) bilinear(tied)",
        3,
        ",ab,cb,ad,de,fe,cf,gc->ag",
        ("2", "X", "W_1", "A[0]", "X", "W_OV[0]", "W_1", "W_out"),
    ),
]
LONG = "[no embed, no unembed] bilinear(no residual)*5"


def run(code, frozen, wrap=np.asarray):
    """The result of the function in ``code``, its arguments by name."""
    scope = {}
    exec(code, scope)
    function = scope["path_expansion"]
    arrays = {identifier(str(symbol)): array for symbol, array in sc.operands(frozen).items()}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return np.asarray(function(*(wrap(arrays[name]) for name in names)))


@pytest.mark.parametrize(("text", "k", "subscripts", "names"), EINSUMS)
def test_einsums(text, k, subscripts, names):
    assert sc.path_expansion(text)[k].to_einsum() == (subscripts, names)


@given(frozen_models(max_terms=40))
def test_einsums_of_all_terms(frozen):
    terms = list(sc.path_expansion(frozen.model))
    values = [einsum_value(term, frozen) for term in terms]
    for term, found in zip(terms, values, strict=True):
        np.testing.assert_allclose(found, term_value(term, frozen), atol=1e-12)
    np.testing.assert_allclose(sum(values), frozen.forward().output, atol=1e-11)


@pytest.mark.parametrize("text", ["bilinear(tied)*2", "bilinear(tied, no out)*2", "bilinear(tied)*3"])
def test_einsums_of_tied_terms_use_tensors_of_the_model(text):
    """A term such as 2 B(B(x, x), x): no operand but the model's tensors and the coefficient."""
    frozen = freeze_at_random(text)
    known = set(sc.named_operands(frozen)) | {"2", "4", "8", "16"}
    for term in sc.path_expansion(text):
        assert set(term.to_einsum()[1]) <= known
        np.testing.assert_allclose(einsum_value(term, frozen), term_value(term, frozen), atol=1e-12)


@pytest.mark.parametrize("text", ["(attn(2) bilinear)*3", "(attn(2) bilinear(tied))*3"])
def test_einsums_of_sampled_terms(text):
    frozen = freeze_at_random(text, seed=1)
    for term in sc.path_expansion(text).sample(6, seed=2):
        np.testing.assert_allclose(einsum_value(term, frozen), term_value(term, frozen), rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("coefficient", [2, 4])
def test_every_coefficient_is_a_named_operand(coefficient):
    """The operand names of to_einsum are names of named_operands."""
    frozen = freeze_at_random("bilinear(tied)*3")
    term = next(term for term in sc.path_expansion(frozen.model) if term.coefficient == coefficient)
    subscripts, names = term.to_einsum()
    known = sc.named_operands(frozen)
    np.testing.assert_allclose(
        opt_einsum.contract(subscripts, *(known[name] for name in names)), term_value(term, frozen), atol=1e-12
    )


def test_an_einsum_of_more_than_fifty_two_indices():
    frozen = freeze_at_random(f"[d=2, n=2, no embed, no unembed] {LONG.split('] ')[1]}")
    term = sc.path_expansion(frozen.model)[0]
    subscripts, _ = term.to_einsum()
    assert len(set(subscripts) - set(",->")) > 52
    np.testing.assert_allclose(einsum_value(term, frozen), frozen.forward().output, rtol=1e-9, atol=1e-300)


@given(frozen_models(max_terms=40))
def test_numpy_code(frozen):
    np.testing.assert_allclose(run(sc.path_expansion(frozen.model).to_code("numpy"), frozen), frozen.forward().output, atol=1e-11)


@given(frozen_models(max_terms=40))
def test_torch_code(frozen):
    torch = pytest.importorskip("torch")
    wrap = lambda array: torch.from_numpy(np.array(array, dtype=float))  # noqa: E731
    np.testing.assert_allclose(
        run(sc.path_expansion(frozen.model).to_code("torch"), frozen, wrap), frozen.forward().output, atol=1e-11
    )


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("text", ["bilinear(tied)*2", "attn(2) bilinear(tied)*2"])
def test_code_with_tied_weights(text, library):
    wrap = pytest.importorskip("torch").from_numpy if library == "torch" else np.asarray
    frozen = freeze_at_random(text)
    found = run(sc.path_expansion(text).to_code(library), frozen, lambda array: wrap(np.array(array, dtype=float)))
    np.testing.assert_allclose(found, frozen.forward().output, atol=1e-11)


def test_code_of_symbolic_heads_runs_for_any_number():
    code = sc.path_expansion("attn(H) bilinear").to_code()
    for heads in (1, 3):
        frozen = freeze_at_random(f"attn({heads}) bilinear", seed=heads)
        np.testing.assert_allclose(run(code, frozen), frozen.forward().output, atol=1e-12)


def test_code_of_more_than_fifty_two_indices():
    frozen = freeze_at_random("[d=2, n=2, no embed, no unembed] bilinear(no residual)*5")
    code = sc.path_expansion(frozen.model).to_code("numpy")
    assert "opt_einsum" in code
    np.testing.assert_allclose(run(code, frozen), frozen.forward().output, rtol=1e-9, atol=1e-300)


def test_code_is_told_apart_from_near_misses():
    """One letter changed, two operands exchanged, one line left out: another value."""
    frozen = freeze_at_random("[no embed, no unembed] attn(2) bilinear", seed=3)
    code, right = sc.path_expansion(frozen.model).to_code(), frozen.forward().output
    lines = code.splitlines()
    without = "\n".join(line for line in lines if "# attn.0[*]" not in line)
    wrong = [
        "\n".join(lines[:4] + [line.replace("W_2", "W_1") for line in lines[4:]]),
        without,
        code.replace("out = out + ", "out = out + 2 * ", 1),
    ]
    np.testing.assert_allclose(run(code, frozen), right)
    for text in wrong:
        assert text != code
        assert not np.allclose(run(text, frozen), right)


@given(frozen_models(max_terms=40))
def test_code_says_what_it_is(frozen):
    expansion = sc.path_expansion(frozen.model)
    code = expansion.to_code()
    assert f"{expansion.number_of_terms} terms in {expansion.path_classes().number_of_terms} path classes" in code
    for term in expansion.path_classes():
        assert f"# {term}\n" in code


@pytest.mark.parametrize("library", ["", "jax", "NumPy"])
def test_unknown_libraries(library):
    with pytest.raises(NotationError, match=f"code is written for 'numpy' or 'torch'; got {library!r}"):
        sc.path_expansion("attn(2)").to_code(library)
    sc.path_expansion("attn(2)").to_code("torch")


def test_code_that_is_too_long():
    with pytest.raises(BudgetError, match="code of 97,656 einsums was asked for; the limit is 20,000"):
        sc.path_expansion("(attn(12) bilinear)*3").to_code()
    assert sc.path_expansion("(attn(12) bilinear)*2").to_code().count("np.einsum") == 156


def test_a_path_class_is_an_einsum_over_whole_families():
    frozen = freeze_at_random("attn(3)")
    term = sc.path_expansion("attn(3)").path_classes()[1]
    subscripts, names = term.to_einsum()
    assert names == ("A", "t", "W_E", "W_OV", "W_U")
    assert subscripts == "abc,cd,ed,afe,gf->bg"
    known = sc.named_operands(frozen)
    parts = [term_value(t, frozen) for t in list(sc.path_expansion("attn(3)"))[1:]]
    np.testing.assert_allclose(opt_einsum.contract(subscripts, *(known[name] for name in names)), sum(parts), atol=1e-12)
