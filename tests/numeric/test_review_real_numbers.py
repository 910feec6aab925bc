"""What a hostile review of real transformers found, one test a finding, each beside a valid twin."""

import numpy as np
import pytest
from requirements import require

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError, WeightsError

TOY = {"left.weight": np.ones((4, 3)), "right.weight": np.ones((4, 3)), "head.weight": np.ones((2, 4))}


def rotary(frequencies: list[float]) -> sc.Weights:
    """Random weights of one rotary block with these frequencies."""
    weights = sc.Weights.random("[rotary] attn(2, e=4)", seed=0)
    return sc.Weights(weights.model, dict(weights.arrays) | {"rotary.inv_freq": np.array(frequencies)})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("second", [0.0, 1e-300, 1e300, -0.5])
def test_frequencies_of_no_base_are_refused(second):
    """A second frequency of 0 has the base infinity, which is no number."""
    assert sc.export_weights(rotary([1.0, 0.01]), "transformer-lens").config["rotary_base"] == 10_000
    with pytest.raises(WeightsError, match=r"rotary.inv_freq is not base"):
        sc.export_weights(rotary([1.0, second]), "transformer-lens")


def test_rows_of_several_lengths_are_refused():
    nested = TOY | {"left.weight": np.ones((4, 3)).tolist()}
    assert sc.load_weights(nested).arrays["bilinear.0.W_1"].shape == (4, 3)
    with pytest.raises(WeightsError, match=r"left.weight must hold real numbers in a dense array; got list"):
        sc.load_weights(TOY | {"left.weight": [[1, 2], [3]]})
    with pytest.raises(WeightsError, match=r"W_E must hold real numbers in a dense array; got list"):
        sc.Weights("", {"W_E": [[1, 2], [3]], "W_U": np.ones((2, 2))})


@pytest.mark.parametrize("kind", ["meta", "sparse", "float8"])
def test_tensors_without_dense_numbers_are_refused(kind):
    require("torch")
    import torch

    made = {
        "meta": lambda x: x.to("meta"),
        "sparse": lambda x: x.to_sparse(),
        "float8": lambda x: x.to(torch.float8_e4m3fn),
    }[kind]
    tensors = {key: torch.from_numpy(array) for key, array in TOY.items()}
    assert sc.load_weights(tensors).arrays["bilinear.0.W_1"].shape == (4, 3)
    with pytest.raises(WeightsError, match=r"left.weight must hold real numbers in a dense array; got a Tensor of torch.float"):
        sc.load_weights({key: made(tensor) for key, tensor in tensors.items()})


def test_one_key_to_skip_is_one_pattern():
    """Of the characters of a text, * would skip whatever is not known."""
    more = TOY | {"buffer.mask": np.ones(1), "left.scale": np.ones(1)}
    for skip in (["buffer.*", "left.scale"], ("*.mask", "*.scale")):
        assert str(sc.load_weights(more, skip=skip).model) == str(sc.load_weights(TOY).model)
    with pytest.raises(WeightsError, match=r"left.scale, which the format toy does not know"):
        sc.load_weights(more, skip="buffer.*")
    with pytest.raises(SpecError, match=r"skipped lists keys, with \* for any text; got \[3\]"):
        sc.WeightFormat("mine", (), skipped=[3])
    with pytest.raises(WeightsError, match=r"skip lists keys, with \* for any text; got \[3\]"):
        sc.load_weights(TOY, skip=[3])


def test_rounding_of_a_small_set_is_not_that_of_all_terms():
    """Together 176,820 terms may round by 18 times the total, the few of an explanation by nothing that shows."""
    model = "[rms_norm, gains, post_norm] attn(2) bilinear(bias) bilinear bilinear"
    weights, expansion = sc.Weights.random(model, seed=0), sc.path_expansion(model)
    values = sc.contributions(expansion, sc.freeze(weights, [1, 2, 3, 4]), direction=0)
    along = np.sort(values * np.sign(values.sum()))[::-1].cumsum() / abs(values.sum())
    found = sc.explain(expansion, weights, [1, 2, 3, 4], token=0, fraction=0.9)
    assert found.is_minimal and found.size == found.lower_bound == 1 + int(np.argmax(along >= 0.9))
    assert not found.is_up_to_rounding and found.rounding < 1e-6 * abs(found.total)


def test_rounding_that_is_visible_is_said():
    """Nothing but the rounding of the terms themselves: a total that cancels has no explanation."""
    weights = sc.Weights.random("bilinear*3", seed=0)
    frozen = sc.freeze(weights, [1, 2])
    total = frozen.forward().output[-1]
    across = np.ones_like(total) - total * total.sum() / (total @ total)
    assert sc.explain(weights.model, weights, [1, 2], direction=total).is_minimal
    found = sc.explain(weights.model, weights, [1, 2], direction=across)
    assert not found.is_explained and "the total cancels" in found.stopped


def test_a_constant_that_no_term_contains_is_no_node_of_the_causal_graph():
    """A bias of queries is inside the softmax: the constant is carried for it, but nothing is made of it."""
    for model, nodes in {
        "attn(1, b_Q)": ["embed", "attn.0[0]", "output"],
        "attn(1, b_Q, b_V)": ["embed", "attn.0[0]", "one", "output"],
        "attn(1, b_Q, linear)": ["embed", "attn.0[0]", "one", "output"],
        "[b_U] attn(1)": ["embed", "attn.0[0]", "one", "output"],
    }.items():
        graph = sc.causal_graph(model, sc.Weights.random(model, seed=0), [1, 2], token=0)
        assert sorted(graph) == sorted(nodes) and all(graph.out_degree(name) for name in graph if name != "output")
