"""Composition scores against tensors multiplied out, their invariances, and what the pairs are against the model's graph."""

import networkx
import numpy as np
import pytest
from explicit_tensors import MODELS, tensors_of, weights_of
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import NUMBERS, transformers, with_numbers

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, TermError, TermIndexError
from symbolic_circuits.numeric.circuits import products
from symbolic_circuits.numeric.circuits.composition import composition
from symbolic_circuits.numeric.circuits.joint import joint_composition
from symbolic_circuits.numeric.circuits.ov_qk import ov_circuit, qk_circuit
from symbolic_circuits.numeric.weights import layout

READ = {"left": "cad,aw->cdw", "right": "cda,aw->cdw", "input": "cad,aw->cdw"}  # of B, on the axis that is read


def multiplied_out(tensors: dict[str, np.ndarray], writer: str, reader: str) -> float:
    """The score of one pair, from the whole product."""
    R, W, port = tensors[reader], tensors[writer], reader.rpartition(".")[2]
    W = W.reshape(len(W), -1)
    product = np.einsum(READ.get(port, "ca,aw->cw"), R, W)
    return np.linalg.norm(product) / np.linalg.norm(R) / np.linalg.norm(W)


def direct_pairs(model: sc.Transformer) -> set[tuple[str, str]]:
    """Writer and reader, by the paths of the graph of the model that pass streams only."""
    graph, pairs = sc.model_graph(model), set()
    kind = networkx.get_node_attributes(graph, "kind")
    components = [node for node in graph if kind[node] in ("head", "bilinear")]
    for writer in components:
        seen, front = set(), [node for node in graph.successors(writer) if kind[node] == "stream"]
        while front:
            stream = front.pop()
            for node in graph.successors(stream):
                if kind[node] == "stream" and node not in seen:
                    seen.add(node)
                    front.append(node)
                elif kind[node] == "head":
                    pairs.add((writer, node))
                elif kind[node] == "side":
                    pairs.add((writer, node.rpartition(".")[0]))
    return pairs


# tables


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("model", MODELS)
def test_scores_are_norms_of_tensors_multiplied_out(model: str, symmetric: bool) -> None:
    weights = weights_of(model)
    found, tensors = composition(weights, symmetric=symmetric), tensors_of(weights, symmetric)
    rows = found.rows()
    assert {(row["writer"], row["reader"].rpartition(".")[0]) for row in rows} == direct_pairs(weights.model)
    for row in rows:
        assert np.isclose(row["score"], multiplied_out(tensors, row["writer"], row["reader"]), rtol=1e-10, atol=1e-12)
        assert np.isclose(row["excess"], row["score"] - 1 / np.sqrt(6)) and np.isfinite(row["deviations"])
        assert 0 <= row["score"] <= 1 and found.score(row["writer"], row["reader"]) == row["score"]
    assert int(found.reads.sum()) == len(rows) == len(np.argwhere(~np.isnan(found.scores)))


def test_ports_and_kinds() -> None:
    weights = weights_of("attn(1) bilinear bilinear(tied)")
    assert composition(weights).kinds == (
        *("attention -> left", "attention -> right", "attention -> input", "bilinear -> input"),
    )
    assert composition(weights, symmetric=True).kinds == ("attention -> input", "bilinear -> input")
    heads = composition(weights_of("attn(2) attn(1)"))
    assert heads.kinds == ("attention -> query", "attention -> key", "attention -> value")
    assert heads.readers == ("attn.1[0].query", "attn.1[0].key", "attn.1[0].value")
    assert heads.writers == ("attn.0[0]", "attn.0[1]")


def test_scores_of_heads_are_those_of_their_circuits() -> None:
    weights = weights_of("attn(2) attn(2)")
    found = composition(weights)
    OV, QK = (circuit(weights, 1, 0, full=False) for circuit in (ov_circuit, qk_circuit))
    before = ov_circuit(weights, 0, 1, full=False)
    for port, reads in (("query", QK.T), ("key", QK), ("value", OV)):
        expected = (reads @ before).norm() / reads.norm() / before.norm()
        assert np.isclose(found.score("attn.0[1]", f"attn.1[0].{port}"), expected)


def test_aligned_and_orthogonal_components() -> None:
    """Heads of rank one that write and read single directions: scores are 1 and 0, to the last digit."""
    one, two = np.eye(4)[:1], np.eye(4)[1:2]
    zero = {"attn.0.W_Q": one[None], "attn.0.W_K": one[None], "attn.0.W_V": two[None], "attn.0.W_O": one.T[None]}
    later = {"attn.1.W_Q": two[None], "attn.1.W_K": one[None], "attn.1.W_V": two[None], "attn.1.W_O": one.T[None]}
    layer = {
        "bilinear.2.W_1": np.vstack([one, one]),
        "bilinear.2.W_2": np.vstack([two, two]),
        "bilinear.2.W_out": np.ones((4, 2)),
    }
    weights = sc.Weights("[no embed, no unembed] attn(1) attn(1) bilinear", zero | later | layer)
    found = composition(weights)
    expected = {"attn.1[0].query": 0, "attn.1[0].key": 1, "attn.1[0].value": 0, "bilinear.2.left": 1, "bilinear.2.right": 0}
    for reader, score in expected.items():
        assert abs(found.score("attn.0[0]", reader) - score) < 1e-15
    assert np.isclose(composition(weights, symmetric=True).score("attn.0[0]", "bilinear.2.input"), 1 / np.sqrt(2))
    assert found.largest(2, kind="attention -> left")[0]["deviations"] > 0 > found.rows("attention -> right")[0]["deviations"]


def test_a_component_of_zeros_has_no_scores() -> None:
    weights = weights_of("attn(2) bilinear")
    arrays = dict(weights.arrays) | {"attn.0.W_O": weights.arrays["attn.0.W_O"] * np.array([0, 1])[:, None, None]}
    found = composition(sc.Weights(weights.model, arrays))
    assert np.isnan(found.score("attn.0[0]", "bilinear.1.left")) and np.isfinite(found.score("attn.0[1]", "bilinear.1.left"))
    assert [row["writer"] for row in found.largest(10)] == ["attn.0[1]"] * 2 and len(found.rows()) == 4
    assert list(found.graph(0.0).edges) == [("attn.0[1]", "bilinear.1")]


def test_what_cancels_has_no_scores() -> None:
    """A head whose W_O W_V vanishes, a layer whose hidden units cancel, and one that is antisymmetric in its inputs."""
    weights = weights_of("attn(1) bilinear(m=4) attn(1)")
    arrays, basis = dict(weights.arrays), np.linalg.qr(np.random.default_rng(0).standard_normal((3, 3)))[0]
    L, R = arrays["bilinear.1.W_1"][:2], arrays["bilinear.1.W_2"][:2]
    heads = {"attn.0.W_V": np.outer(basis[0], np.arange(6) + 1)[None], "attn.0.W_O": np.outer(np.arange(6) - 0.3, basis[1])[None]}
    nothing = arrays | heads | {"bilinear.1.W_1": np.vstack([L, L]), "bilinear.1.W_2": np.vstack([R, R])}
    P = arrays["bilinear.1.W_out"][:, :2]
    nothing |= {"bilinear.1.W_out": np.hstack([P, -P])}
    found = composition(sc.Weights(weights.model, nothing))
    assert np.isnan(found.scores).all() and found.largest(5) == [] and found.graph(0.0).number_of_edges() == 0
    odd = arrays | {
        "bilinear.1.W_1": np.vstack([L, R]),
        "bilinear.1.W_2": np.vstack([R, L]),
        "bilinear.1.W_out": np.hstack([P, -P]),
    }
    odd = sc.Weights(weights.model, odd)
    assert np.isfinite(composition(odd).score("bilinear.1", "attn.2[0].key"))
    assert np.isnan(composition(odd, symmetric=True).score("bilinear.1", "attn.2[0].key"))
    assert np.isfinite(composition(odd, symmetric=True).score("attn.0[0]", "attn.2[0].key"))
    assert (
        np.isfinite(joint_composition(odd, 1).scores).all() and np.isnan(joint_composition(odd, 1, symmetric=True).scores).all()
    )


def test_graph_and_plain_data() -> None:
    found = composition(weights_of("attn(2) bilinear attn(1)"))
    whole = found.graph(0.0)
    assert list(whole.nodes) == ["attn.0[0]", "attn.0[1]", "bilinear.1", "attn.2[0]"] and whole.number_of_edges() == 5
    edge = whole.edges["attn.0[1]", "attn.2[0]"]
    assert set(edge) == {"weight", "query", "key", "value"} and edge["weight"] == max(edge[p] for p in ("query", "key", "value"))
    kept = {(u, v) for u, v, weight in whole.edges(data="weight") if weight >= found.baseline}
    assert set(found.graph().edges) == kept and found.graph(1.01).number_of_edges() == 0
    assert found.to_dict()["rows"] == found.rows() and found.to_dict()["kinds"] == list(found.kinds)
    assert str(found).startswith("composition in 'attn(2) bilinear attn(1)': 13 pairs, baseline 0.408")


@pytest.mark.parametrize("model", ["attn(2)", "bilinear", ""])
def test_models_without_pairs(model: str) -> None:
    found = composition(weights_of(model or sc.Transformer()))
    assert found.rows() == [] == found.largest(3) and found.kinds == () and found.scores.shape == (0, 0)


# laws


@settings(max_examples=25, deadline=None)
@given(transformers(max_blocks=4, max_terms=10**6), st.integers(0, 2**16), st.booleans())
def test_any_model(model: sc.Transformer, seed: int, symmetric: bool) -> None:
    model = with_numbers(model)
    if not layout(model):
        return
    weights = sc.Weights.random(model, sizes=NUMBERS, d=2, V=4, e=2, m=3, seed=seed)
    found, tensors = composition(weights, symmetric=symmetric), tensors_of(weights, symmetric)
    assert {(row["writer"], row["reader"].rpartition(".")[0]) for row in found.rows()} == direct_pairs(model)
    for row in found.rows():
        assert np.isclose(row["score"], multiplied_out(tensors, row["writer"], row["reader"]), rtol=1e-6, atol=1e-7)


def changed(weights: sc.Weights, change: dict[str, object]) -> sc.Weights:
    """Weights with a function applied to each array whose name ends so."""
    arrays = {name: change.get(name.rpartition(".")[2], lambda x: x)(array) for name, array in weights.arrays.items()}
    return sc.Weights(weights.model, arrays)


@pytest.mark.parametrize("symmetric", [False, True])
def test_what_scores_do_not_see(symmetric: bool) -> None:
    """Scale, bases inside heads, rotations of the stream, the order and scale of hidden units; but not any basis of the stream."""
    weights = weights_of("attn(2) bilinear attn(2) bilinear")
    generator = np.random.default_rng(0)
    N, X = generator.standard_normal((3, 3)) + 3 * np.eye(3), np.linalg.qr(generator.standard_normal((6, 6)))[0]
    order, scale, inverse = generator.permutation(8), generator.uniform(0.5, 2, 8), np.linalg.inv(N)
    reads, writes = dict.fromkeys(["W_Q", "W_K", "W_V", "W_1", "W_2", "W_U"]), ["W_O", "W_out", "W_E"]
    same = {
        "scale": {name: (lambda x: 3e-170 * x) for name in ("W_Q", "W_V", "W_1", "W_out")},
        "inside": {"W_V": lambda x: N @ x, "W_O": lambda x: x @ inverse, "W_K": lambda x: N @ x, "W_Q": lambda x: inverse.T @ x},
        "rotation": {name: (lambda x: x @ X.T) for name in reads} | {name: (lambda x: X @ x) for name in writes},
        "units": {
            "W_1": lambda x: (scale[:, None] * x)[order],
            "W_2": lambda x: x[order],
            "W_out": lambda x: (x / scale)[:, order],
        },
    }
    before = composition(weights, symmetric=symmetric)
    for change in same.values():
        after = composition(changed(weights, change), symmetric=symmetric)
        assert np.allclose(after.scores, before.scores, rtol=1e-9, equal_nan=True)
        assert np.allclose(after.deviations, before.deviations, rtol=1e-6, equal_nan=True)
    D = generator.standard_normal((6, 6))
    general = {name: (lambda x: x @ np.linalg.inv(D)) for name in reads} | {name: (lambda x: D @ x) for name in writes}
    assert not np.allclose(composition(changed(weights, general)).scores, composition(weights).scores, equal_nan=True)


def test_which_is_left_is_seen_by_left_and_right_only() -> None:
    weights = weights_of("attn(2) bilinear attn(1) bilinear")
    arrays, swapped = dict(weights.arrays), np.arange(8) < 3
    W_1, W_2 = arrays["bilinear.1.W_1"], arrays["bilinear.1.W_2"]
    arrays["bilinear.1.W_1"] = np.where(swapped[:, None], W_2, W_1)
    arrays["bilinear.1.W_2"] = np.where(swapped[:, None], W_1, W_2)
    other = sc.Weights(weights.model, arrays)
    assert np.allclose(sc.freeze(weights, [1, 2]).forward().output, sc.freeze(other, [1, 2]).forward().output)
    same = composition(weights, symmetric=True).scores, composition(other, symmetric=True).scores
    assert np.allclose(*same, equal_nan=True)
    assert not np.allclose(composition(weights).scores, composition(other).scores, equal_nan=True)


def test_symmetric_parts_of_symmetric_layers_are_themselves() -> None:
    tied = weights_of("attn(2) bilinear(tied) bilinear(tied)")
    assert np.array_equal(composition(tied).scores, composition(tied, symmetric=True).scores, equal_nan=True)
    arrays = dict(tied.arrays) | {f"bilinear.{k}.W_2": tied.arrays[f"bilinear.{k}.W_1"] for k in (1, 2)}
    untied = sc.Weights("attn(2) bilinear bilinear", arrays)
    left, one = composition(untied), composition(untied, symmetric=True)
    assert np.allclose(left.scores[::2], left.scores[1::2], equal_nan=True)
    assert np.allclose(left.scores[::2], one.scores, equal_nan=True) and np.allclose(
        one.scores, composition(tied).scores, equal_nan=True
    )


def test_few_products_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = weights_of("attn(2) bilinear attn(3)")
    before = composition(weights).scores
    for entries in (1, 60):
        monkeypatch.setattr(products, "ENTRIES", entries)
        assert np.allclose(composition(weights).scores, before, equal_nan=True)


# errors


def test_names_that_are_not_there() -> None:
    found = composition(weights_of("attn(2) attn(1)"))
    assert found.score("attn.0[0]", "attn.1[0].key") > 0
    with pytest.raises(TermError, match=r"no 'attn\.1\[0\]' among the writers of .*; they are attn\.0\[0\], attn\.0\[1\]$"):
        found.score("attn.1[0]", "attn.1[0].key")
    with pytest.raises(TermError, match=r"no 'attn\.1\[0\]' among the readers of .*; they are attn\.1\[0\]\.query"):
        found.score("attn.0[0]", "attn.1[0]")
    parallel = composition(weights_of("attn(1) attn(1)|bilinear attn(1)"))
    with pytest.raises(TermError, match=r"bilinear\.2\.left does not read what attn\.1\[0\] writes directly"):
        parallel.score("attn.1[0]", "bilinear.2.left")
    assert len(found.rows("attention -> key")) == 2
    with pytest.raises(TermError, match=r"no kind 'attention -> left' in .*; there are attention -> query, attention -> key"):
        found.rows("attention -> left")


def test_choices_of_the_largest() -> None:
    found = composition(weights_of("attn(2) attn(1)"))
    assert [row["score"] for row in found.largest(99)] == sorted((row["score"] for row in found.rows()), reverse=True)
    assert found.largest(1, by="deviations")[0]["deviations"] == np.nanmax(found.deviations)
    with pytest.raises(TermIndexError, match="positive integer; got 0"):
        found.largest(0)
    with pytest.raises(NotationError, match="'score', 'excess', 'deviations'; got 'norm'"):
        found.largest(1, by="norm")
