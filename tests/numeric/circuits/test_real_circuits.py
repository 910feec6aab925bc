"""Circuits and composition of models with norms, biases, rotary positions, scales, gates and polynomial scores, against terms and dense matrices."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError, TermError
from symbolic_circuits.numeric.circuits.baseline import random_composition
from symbolic_circuits.numeric.circuits.bias_effects import bias_effects
from symbolic_circuits.numeric.circuits.composition import composition
from symbolic_circuits.numeric.circuits.joint import joint_composition
from symbolic_circuits.numeric.circuits.ov_qk import ov_circuit, qk_circuit
from symbolic_circuits.numeric.circuits.qk_parts import qk_parts
from symbolic_circuits.numeric.circuits.spectra import circuit_spectra
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.folds.norms import fold_norms
from symbolic_circuits.numeric.folds.scales import fold_scales
from symbolic_circuits.numeric.reference import forward
from symbolic_circuits.numeric.weights import norms_of
from symbolic_circuits.spec import Attention

TOKENS = np.array([1, 2, 3, 0, 6])
D = 6


def weights_of(model: str, seed: int = 1) -> sc.Weights:
    return sc.Weights.random(model, d=D, e=4, m=5, V=7, seed=seed)


def term_value(weights: sc.Weights, text: str) -> np.ndarray:
    """The output (n, V) of one term."""
    expansion = sc.path_expansion(weights.model)
    return output_values(expansion, sc.freeze(weights, TOKENS))[expansion.index(expansion.parse(text))]


def norm_matrix(weights: sc.Weights, number: int) -> np.ndarray:
    """diag(w) C, multiplied out."""
    C = np.eye(D) - np.ones((D, D)) / D if weights.model.norm == "layer" else np.eye(D)
    return np.diag(weights.arrays[f"norm.{number}.w"]) @ C if weights.model.gains else C


# tables


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("attn(2, output_scale)", "attn.0[1](embed)"),
        ("[rms_norm, gains] attn(2) bilinear", "norm.2(attn.0[1](norm.0(embed)))"),
        ("[layer_norm, gains] attn(2, bias, output_scale) bilinear", "norm.2(attn.0[1](norm.0(embed)))"),
        ("[layer_norm, no final_norm, rotary] attn(2)", "attn.0[1](norm.0(embed))"),
        ("[layer_norm, gains, post_norm] bilinear attn(2) bilinear", "norm.2(norm.1(attn.1[1](norm.0(embed))))"),
        ("[rms_norm, gains, post_norm] attn(2)|bilinear", "norm.1(attn.0[1](embed))"),
    ],
)
def test_ov_circuits_are_what_terms_do(model: str, text: str) -> None:
    """The term through one head: its circuit between the pattern, with the scales of the norms at source and destination."""
    weights = weights_of(model)
    frozen = sc.freeze(weights, TOKENS)
    layer = next(index for index, spec in weights.model.numbered() if isinstance(spec, Attention))
    before, after = np.ones(5), np.ones(5)
    for number in norms_of(weights.model):
        if number < layer or (number == layer and not weights.model.post_norm):
            before = before * frozen.scales[number]
        elif weights.model.post_norm or number == weights.model.number_of_blocks:
            after = after * frozen.scales[number]
    circuit = ov_circuit(weights, layer, 1)
    columns = circuit.to_array()[:, TOKENS] * before
    assert np.allclose(after[:, None] * (frozen.patterns[layer][1] @ columns.T), term_value(weights, text), rtol=0, atol=1e-12)
    assert circuit.width == 4


def with_one_score(weights: sc.Weights, other: int) -> sc.Weights:
    """The weights with the queries and keys of one pair made constant: their product is 1, in a coordinate that does not turn."""
    arrays = dict(weights.arrays)
    for name in (f"attn.0.{letter}{other}" for letter in ("W_Q", "W_K", "b_Q", "b_K")):
        arrays[name] = np.zeros_like(arrays[name])
        if ".b_" in name:
            arrays[name][:, -1] = 1
    return sc.Weights(weights.model, arrays)


@pytest.mark.parametrize("which", [None, 1, 2])
@pytest.mark.parametrize(
    "fields", ["", "[rms_norm, gains] ", "[layer_norm, gains, rotary] ", "[rotary] ", "[layer_norm, post_norm] "]
)
def test_qk_circuits_are_scores(fields: str, which: int | None) -> None:
    """Patterns without softmax are products of queries and keys."""
    weights = weights_of(f"{fields}attn(2, {'linear' if which is None else 'bilinear'}, b_Q, b_K)")
    if "rotary" in fields:
        weights = sc.Weights(weights.model, dict(weights.arrays) | {"rotary.inv_freq": np.array([0.7])})
    weights = weights if which is None else with_one_score(weights, 3 - which)
    run = forward(weights.model, weights.arrays, TOKENS)
    x = weights.arrays["W_E"].T[TOKENS] * (
        np.ones((5, 1)) if weights.model.post_norm or not run.scales else run.scales[0][:, None]
    )
    for head, s, t in zip(*np.nonzero(np.tri(5)[None].repeat(2, 0)), strict=True):
        parts = qk_parts(weights, 0, head, offset=t - s if "rotary" in fields else None, which=which)
        found = parts(x[s : s + 1], x[t : t + 1])[0, 0] / (2 if which is None else 4)  # sqrt(e), of each score
        assert np.isclose(found, run.patterns[0][head, s, t], rtol=0, atol=1e-12)


def test_full_qk_circuits_are_those_of_the_stream_between_embeddings() -> None:
    weights = weights_of("[layer_norm, gains, rotary] attn(2)")
    W_E, inside = weights.arrays["W_E"], norm_matrix(weights, 0)
    angles = 2 * weights.arrays["rotary.inv_freq"]
    R = np.zeros((4, 4))
    for k, angle in enumerate(angles):
        R[[k, k, k + 2, k + 2], [k, k + 2, k, k + 2]] = np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)
    W_Q, W_K = (weights.arrays[f"attn.0.W_{letter}"][1] @ inside for letter in "QK")
    assert np.allclose(qk_circuit(weights, 0, 1, offset=-2).to_array(), W_E.T @ W_Q.T @ R @ W_K @ W_E)
    assert np.allclose(qk_circuit(weights, 0, 1, offset=-2, full=False).to_array(), W_Q.T @ R @ W_K)


@pytest.mark.parametrize(
    ("model", "places"),
    [
        ("[layer_norm, gains] attn(2, output_scale) attn(1)", {}),
        ("[layer_norm, gains, post_norm] attn(2) bilinear attn(2)", {}),
        ("[rotary, rms_norm, gains] attn(2)*2", {"offset": -3}),
        ("attn(2, bilinear) attn(1)", {"which": 2}),
    ],
)
@pytest.mark.parametrize("full", [True, False])
def test_spectra_are_those_of_the_circuits(model: str, places: dict, full: bool) -> None:
    weights = weights_of(model)
    blocks = dict(weights.model.numbered())
    for circuit, of in (("OV", ov_circuit), ("QK", qk_circuit)):
        found = circuit_spectra(weights, circuit, full=full, **(places if circuit == "QK" else {}))
        for name, eigenvalues, singular_values in zip(found.heads, found.eigenvalues, found.singular_values, strict=True):
            layer, head = int(name[5]), int(name[7])
            own = places if circuit == "QK" and ("which" not in places or blocks[layer].scores == "bilinear") else {}
            one = of(weights, layer, head, full=full, **own)
            assert np.allclose(np.poly(eigenvalues), np.poly(one.eigenvalues()), atol=1e-9)
            assert np.allclose(singular_values, one.singular_values())


def tensors(weights: sc.Weights, offset: int) -> tuple[dict, dict]:
    """What is written, (d, ...), and what is read, (..., d), by name; the norm before it multiplied out. With the step of each."""
    written, read, model = {}, {}, weights.model
    for number, step in enumerate(model.steps):
        for index, spec in step.blocks:
            inside = norm_matrix(weights, index) if model.norm and not model.post_norm else np.eye(D)
            array = lambda name, index=index: weights.arrays.get(name.replace("*", str(index)))  # noqa: E731
            if isinstance(spec, Attention):
                for head in range(spec.heads):
                    OV = array("attn.*.W_O")[head] @ array("attn.*.W_V")[head] @ inside
                    name = f"attn.{index}[{head}]"
                    written[name], read[f"{name}.value"] = (OV, number), (OV, number)
                    for pair in ("1", "2") if spec.scores == "bilinear" else ("",):
                        W_Q, W_K = (array(f"attn.*.W_{letter}{pair}")[head] for letter in "QK")
                        QK = inside.T @ W_Q.T @ rotation(weights, offset, len(W_K)) @ W_K @ inside
                        read[f"{name}.key{pair}"], read[f"{name}.query{pair}"] = (QK, number), (QK.T, number)
            elif spec.gate is not None:
                written[f"gated.{index}"] = array("bilinear.*.W_out"), number
                read[f"gated.{index}.gate"] = array("bilinear.*.W_1") @ inside, number
                read[f"gated.{index}.linear"] = array("bilinear.*.W_2") @ inside, number
            else:
                W_1, W_2, P = (array(f"bilinear.*.W_{k}") for k in ("1", "2", "out"))
                B = np.einsum("ip,pj,pk->ijk", P, W_1 @ inside, W_2 @ inside)
                written[f"bilinear.{index}"] = B.reshape(D, -1), number
                read[f"bilinear.{index}.left"] = B.transpose(0, 2, 1).reshape(-1, D), number
                read[f"bilinear.{index}.right"] = B.reshape(-1, D), number
    written["embed"] = weights.arrays["W_E"], -1
    if model.positions == "learned":
        written["position"] = weights.arrays["W_pos"].T, -1
    last = norm_matrix(weights, model.number_of_blocks) if model.has_final_norm else np.eye(D)
    read["unembed"] = weights.arrays["W_U"] @ last, len(model.steps)
    return written, read


def rotation(weights: sc.Weights, offset: int, e: int) -> np.ndarray:
    R = np.eye(e)
    if weights.model.positions == "rotary":
        pairs = len(weights.arrays["rotary.inv_freq"])
        for k, angle in enumerate(offset * weights.arrays["rotary.inv_freq"]):
            places = [k, k, k + pairs, k + pairs], [k, k + pairs, k, k + pairs]
            R[places] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return R


@pytest.mark.parametrize(
    "model",
    [
        "[learned] attn(2) bilinear attn(1)",
        "[rms_norm, gains] attn(2, bias) bilinear(bias) attn(1, bilinear)",
        "[layer_norm, gains, learned] attn(2)|bilinear(relu, b_1) bilinear attn(1, linear)",
        "[layer_norm, gains, post_norm] attn(2) bilinear(silu) bilinear attn(1)",
        "[layer_norm, post_norm] attn(1) bilinear attn(1)",
        "[rotary, rms_norm] attn(2) bilinear attn(2)",
        "attn(2) bilinear(no residual) attn(1, bilinear) bilinear(silu)",
    ],
)
def test_composition_is_the_norm_of_products(model: str) -> None:
    weights = weights_of(model)
    rotary = weights.model.positions == "rotary"
    written, read = tensors(weights, -1)
    found = composition(weights, ends=True, offset=-1 if rotary else None)
    steps, pairs = weights.model.steps, set()
    for writer, (W, wrote) in written.items():
        for reader, (R, at) in read.items():
            if wrote >= at or any(not step.residual for step in steps[wrote + 1 : at]):
                continue
            pairs.add((writer, reader))
            arrives = W
            for number in (norms_of(weights.model) if weights.model.post_norm else [])[max(wrote, 0) : at]:
                arrives = norm_matrix(weights, number) @ arrives
            score = np.linalg.norm(R @ arrives) / np.linalg.norm(R) / np.linalg.norm(arrives)
            assert np.isclose(found.score(writer, reader), score, rtol=1e-9, atol=1e-10), (writer, reader)
    assert {(row["writer"], row["reader"]) for row in found.rows()} == pairs
    assert found.components[0] == "embed" and found.components[-1] == "unembed"
    inner = composition(weights, offset=-1 if rotary else None)
    assert {(row["writer"], row["reader"]) for row in inner.rows()} == {
        p for p in pairs if {*p}.isdisjoint({"embed", "position", "unembed"})
    }


def test_kinds_of_the_ends_and_gates() -> None:
    found = composition(weights_of("[learned] attn(1, bilinear) bilinear(relu)"), ends=True)
    assert found.kinds[:4] == ("embed -> query1", "position -> query1", "embed -> key1", "position -> key1")
    assert {"attention -> gate", "embed -> linear", "gated -> unembed", "position -> unembed"} <= set(found.kinds)
    graph = found.graph(0.0)
    assert graph.has_edge("embed", "unembed") and set(graph.edges["gated.1", "unembed"]) == {"weight", "unembed"}
    assert {row["port"] for row in random_composition(weights_of("attn(1, bilinear) bilinear(relu)"), seed=0)} == {
        *("query1", "key1", "query2", "key2", "value", "gate", "linear")
    }


@pytest.mark.parametrize(
    "model", ["[layer_norm, gains, learned] attn(2) bilinear(bias)", "[rms_norm, gains, post_norm] attn(2) bilinear"]
)
def test_joint_composition_with_embeddings(model: str) -> None:
    weights = weights_of(model)
    found, (written, _) = joint_composition(weights, 1, ends=True), tensors(weights, 0)
    inside = np.eye(D) if weights.model.post_norm else norm_matrix(weights, 1)
    W_1, W_2, P = (weights.arrays[f"bilinear.1.W_{k}"] for k in ("1", "2", "out"))
    B = np.einsum("ip,pj,pk->ijk", P, W_1 @ inside, W_2 @ inside)
    assert found.writers[0] == "embed" and found.writers[-1] == "attn.0[1]"
    behind = norm_matrix(weights, 0) if weights.model.post_norm else np.eye(D)
    sides = [behind @ written[name][0] for name in found.writers]
    for a, left in enumerate(sides):
        for b, right in enumerate(sides):
            size = np.linalg.norm(np.einsum("ijk,ja,kb->iab", B, left, right)) / np.linalg.norm(B)
            assert np.isclose(found.scores[a, b], size / np.linalg.norm(left) / np.linalg.norm(right))


@pytest.mark.parametrize(
    ("model", "terms"),
    [
        (
            "[b_U] attn(2, b_V, b_O, output_scale) bilinear(bias)",
            {
                "attn.0[1]": "attn.0[1](one)",
                "bias.0": "bias.0",
                "bilinear.1": "bilinear.1(one, one)",
                "bias.1": "bias.1",
                "output": "one",
            },
        ),
        (
            "[layer_norm, gains, b_U] attn(2, b_O) bilinear(b_out)",
            {"attn.0[1]": "norm.2(attn.0[1](normbias.0))", "bias.0": "norm.2(bias.0)", "bias.1": "norm.2(bias.1)"}
            | {"bilinear.1": "norm.2(bilinear.1(normbias.1, normbias.1))", "norm.2": "normbias.2", "output": "one"},
        ),
        (
            "[layer_norm, gains, post_norm] attn(1, b_V) bilinear",
            {"attn.0[0]": "norm.1(norm.0(attn.0[0](one)))", "norm.1": "normbias.1"},
        ),
        ("[rms_norm, gains] bilinear(relu, b_out)", {"bias.0": "norm.1(bias.0)"}),
    ],
)
def test_effects_of_biases_are_terms(model: str, terms: dict[str, str]) -> None:
    weights = weights_of(model)
    found, frozen = bias_effects(weights), sc.freeze(weights, TOKENS)
    scale = np.prod([frozen.scales[k] for k in norms_of(weights.model)], axis=0) if weights.model.post_norm else np.ones(5)
    scale = frozen.scales[weights.model.number_of_blocks] if weights.model.has_final_norm else scale
    for name, text in terms.items():
        effect = scale[:, None] * found.scaled[name] if name in found.scaled else np.ones((5, 1)) * found.constant[name]
        assert np.allclose(effect, term_value(weights, text), rtol=0, atol=1e-12), name


def test_effects_that_depend_on_the_input_are_left_out() -> None:
    found = bias_effects(weights_of("attn(1, linear, b_V, b_O) bilinear(silu, b_2)"))
    assert list(found.scaled) == ["bias.0"] and found.constant == {}
    assert list(bias_effects(weights_of("attn(1, b_V) bilinear(b_out, no residual)")).scaled) == ["bias.1"]
    without = bias_effects(weights_of("[no unembed, layer_norm, gains] bilinear(b_out)"))
    assert without.scaled["bias.0"].shape == without.constant["norm.1"].shape == (6,)


# laws


def test_circuits_of_folded_weights_are_the_same() -> None:
    weights = weights_of("[layer_norm, gains] attn(2, output_scale) bilinear attn(1)")
    folded = fold_scales(fold_norms(weights, centre=True))
    for circuit in (ov_circuit, qk_circuit):
        assert np.allclose(circuit(folded, 0, 1).to_array(), circuit(weights, 0, 1).to_array())
    assert np.allclose(composition(fold_scales(fold_norms(weights))).scores, composition(weights).scores, equal_nan=True)
    assert not np.allclose(
        composition(folded).scores, composition(weights).scores, equal_nan=True
    )  # means that nothing reads, of what is written


# errors


def test_offsets_are_of_rotary_positions() -> None:
    rotary, plain = weights_of("[rotary] attn(2)*2"), weights_of("attn(2)*2")
    assert (
        qk_circuit(rotary, 0, 0, offset=0).norm() > 0
        and composition(rotary, offset=0).rows()
        and qk_circuit(plain, 0, 0).norm() > 0
    )
    for ask in (lambda: qk_circuit(rotary, 0, 0), lambda: circuit_spectra(rotary, "QK"), lambda: composition(rotary)):
        with pytest.raises(SpecError, match=r"rotary positions.*give offset="):
            ask()
    for ask in (lambda: qk_circuit(plain, 0, 0, offset=1), lambda: composition(plain, offset=1)):
        with pytest.raises(SpecError, match="not rotary: give no offset"):
            ask()
    with pytest.raises(SpecError, match=r"an offset is an integer.*got 0\.5"):
        qk_circuit(rotary, 0, 0, offset=0.5)
    with pytest.raises(TermError, match="OV circuits have no queries and keys"):
        circuit_spectra(rotary, "OV", offset=1)


def test_pairs_of_scores() -> None:
    twice, once = weights_of("attn(2, bilinear)"), weights_of("attn(2, linear)")
    assert (
        qk_circuit(twice, 0, 0, which=1).norm() != qk_circuit(twice, 0, 0, which=2).norm() and qk_circuit(once, 0, 0).norm() > 0
    )
    for ask in (lambda: qk_circuit(twice, 0, 0), lambda: qk_circuit(twice, 0, 0, which=3), lambda: circuit_spectra(twice, "QK")):
        with pytest.raises(TermError, match=r"products of two, .*which=1 or which=2"):
            ask()
    for ask in (lambda: qk_circuit(once, 0, 0, which=1), lambda: circuit_spectra(once, "QK", which=1)):
        with pytest.raises(TermError, match="has one pair of queries and keys"):
            ask()


def test_gated_layers_have_no_tensor() -> None:
    assert joint_composition(weights_of("attn(2) bilinear(bias)"), 1).scores.shape == (2, 2)
    with pytest.raises(SpecError, match=r"bilinear\.1 .* is gated \(relu\).*W_out diag\(G\) W_2"):
        joint_composition(weights_of("attn(2) bilinear(relu)"), 1)
