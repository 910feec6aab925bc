"""Scores as expansions: counts, names, queries, and each term against products of explicit arrays (B27, B28, B30, B44)."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError, TermError
from symbolic_circuits.numeric.evaluate import contributions, output_values


@pytest.mark.parametrize(
    ("text", "layer", "number"),
    [
        ("attn(3)", 0, 1),
        ("attn(3) attn(2)", 1, 16),  # E5
        ("attn(2) attn(2) attn(1)", 2, 81),
        ("attn(8) bilinear attn(8)", 2, 90**2),
        ("attn(2)|bilinear attn(1)", 1 + 1, 16),
        ("attn(2, b_Q) attn(2, b_Q)", 1, (3 + 1) * 3),
        ("[learned] attn(2)", 0, 4),
        ("[shortformer] attn(2) attn(1)", 1, 4**2),
        ("[layer_norm, gains] attn(2)", 0, 4),
        ("attn(2) attn(1, bilinear)", 1, 81),
        ("attn(1, linear) attn(1, linear)", 1, 4),
    ],
)
def test_number_of_terms(text, layer, number):
    expansion = sc.scores(text, layer)
    assert expansion.number_of_terms == number
    if number < 1000:
        assert [expansion.index(term) for term in expansion] == list(range(number))


def test_symbolic_heads():
    assert str(sc.scores("attn(H) attn(H)", 1).number_of_terms) == "H**2 + 2*H + 1"


def test_composition_is_four_kinds_of_terms():
    """B28: neither, Q-, K- and QK-composition, each product of explicit arrays."""
    weights = sc.Weights.random("attn(2) attn(2)", d=6, e=3, V=7, seed=0)
    tokens, expansion = [3, 1, 4, 1], sc.scores(weights.model, 1, 1)
    frozen, arrays = sc.freeze(weights, tokens), weights.arrays
    x = arrays["W_E"].T[tokens]
    heads = [frozen.patterns[0][h] @ x @ (arrays["attn.0.W_O"][h] @ arrays["attn.0.W_V"][h]).T for h in range(2)]
    W_QK = arrays["attn.1.W_Q"][1].T @ arrays["attn.1.W_K"][1] / np.sqrt(3)
    named = {"embed": x, "attn.0[0](embed)": heads[0], "attn.0[1](embed)": heads[1]}
    values = output_values(expansion, frozen)
    for term, value in zip(expansion, values, strict=True):
        query, key = (named[str(x)] for x in term.inputs)
        assert np.allclose(value, query @ W_QK @ key.T, atol=1e-13)
    for query, number in (("attn > scores.query and not attn > scores.key", 2), ("attn > scores.query and attn > scores.key", 4)):
        assert expansion.where(query).number_of_terms == number
    assert np.allclose(values.sum(0), sc.total(expansion, frozen))
    stream = x + heads[0] + heads[1]
    assert np.allclose(values.sum(0), stream @ W_QK @ stream.T)
    assert np.allclose(contributions(expansion, frozen, position=-1, direction=2), values[:, -1, 2])


def test_the_pattern_is_the_softmax_of_the_scores():
    for text in ("attn(2) bilinear(bias) attn(2, bias)", "[rotary, rms_norm] attn(2) attn(2)", "[shortformer] bilinear attn(1)"):
        weights = sc.Weights.random(text, d=6, e=4, V=7, seed=3)
        frozen = sc.freeze(weights, [1, 2, 3, 4])
        layer = weights.model.number_of_blocks - 1
        found = sc.total(sc.scores(weights.model, layer, 0), frozen)
        found = np.where(np.tri(4, dtype=bool), found, -np.inf)
        expected = np.exp(found) / np.exp(found).sum(-1, keepdims=True)
        assert np.allclose(frozen.patterns[layer][0], expected, atol=1e-13)


def test_rotary_scores_depend_on_the_offset_alone():
    weights = sc.Weights.random("[rotary] attn(1)", d=6, e=4, V=7, seed=3)
    found = sc.total(sc.scores(weights.model, 0), weights, [5, 5, 5, 5])
    assert np.allclose(np.diag(found, -1), found[1, 0]) and np.allclose(np.diag(found, 2), found[0, 2])
    assert not np.isclose(found[1, 0], found[2, 0])


def test_a_key_side_constant_row_does_not_change_the_pattern():
    """B46: what only the query side of a row adds alike to every key is invisible to the softmax."""
    weights = sc.Weights.random("[b_U] attn(1, b_Q, b_K)", d=6, e=3, V=7, seed=1)
    expansion = sc.scores(weights.model, 0)
    constant = sc.total(expansion.where("one > scores.key"), weights, [1, 2, 3])
    assert np.allclose(constant, constant[:, :1])
    varying = sc.total(expansion.where("one > scores.query and not one > scores.key"), weights, [1, 2, 3])
    assert not np.allclose(varying, varying[:, :1])


def test_check_and_empty_queries():
    weights = sc.Weights.random("attn(2) attn(2, bilinear)", d=6, e=3, V=7, seed=0)
    expansion = sc.scores(weights.model, 1, 0)
    assert sc.check(expansion, weights, [1, 2, 3]).agrees
    nothing = expansion.where("attn.0 > scores.query1 and order = 0")
    assert nothing.is_empty and not sc.total(nothing, weights, [1, 2, 3]).any()
    assert output_values(nothing, sc.freeze(weights, [1, 2, 3])).shape == (0, 3, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("attn(2) bilinear", 1), SpecError, "1 is not the number of one.*has attn.0"),
        (("bilinear", 0), SpecError, "which has none"),
        (("attn(2)", 0, 2), TermError, "heads 0 to 1; got 2"),
        (("attn(2)", 0, -1), TermError, "numbered from 0"),
        ((3, 0), SpecError, "its text form; got int"),
    ],
)
def test_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        sc.scores(*arguments)
    assert sc.scores("attn(2)", 0, 1).number_of_terms == 1


@pytest.mark.parametrize("by", ["order", "height", "degree", "heads"])
@pytest.mark.parametrize(
    "text", ["attn(2) bilinear attn(2)", "[layer_norm, gains, rotary] attn(2, bias) attn(2, bias)", "attn(2) attn(1, bilinear)"]
)
def test_grades_add_up(text, by):
    weights = sc.Weights.random(text, d=6, e=4, V=7, m=5, seed=2)
    expansion = sc.scores(text, weights.model.number_of_blocks - 1)
    frozen = sc.freeze(weights, [1, 2, 3])
    sums, values = sc.graded(expansion, frozen, by=by), output_values(expansion, frozen)
    assert sums.verdict == "agrees" and sums.is_complete
    grades = [str(term).count("attn.") if by == "heads" else getattr(term, by) for term in expansion]
    for grade, found, number in zip(sums.grades, sums.streams, sums.terms, strict=True):
        chosen = [k for k, other in enumerate(grades) if other == grade]
        assert len(chosen) == number
        assert np.allclose(found, values[chosen].sum(0), atol=1e-12)
    part = sc.graded(expansion.where("order <= 1"), frozen, by=by, up_to=1, positions=[-1])
    assert part.streams.shape[1:] == (1, 3)
    with pytest.raises(SpecError, match="of the output"):
        sc.graded(expansion, frozen, logits=[1])


@pytest.mark.parametrize("read", [sc.rank, sc.explain])
def test_rankings_are_of_the_output(read):
    weights = sc.Weights.random("attn(2) attn(2)", seed=0)
    with pytest.raises(SpecError, match=r"scores.1\[0\] of .*contributions"):
        read(sc.scores(weights.model, 1), weights, [1, 2, 3], token=1)
    assert read(sc.path_expansion(weights.model), weights, [1, 2, 3], token=1)
