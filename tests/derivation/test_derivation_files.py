"""Derivation files: what is written is read, other versions and hostile files are refused."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.derivation.files import derivation_data, from_derivation_data
from symbolic_circuits.errors import DerivationError, OutputError


@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
@pytest.mark.parametrize("text", ["attn(H) bilinear", "attn(2)|bilinear(tied)", "", "[n=1] attn(2) bilinear(no out)"])
def test_written_and_read(text, notation, tmp_path):
    found = sc.derive(text, notation=notation)
    path = tmp_path / "derivation.json"
    sc.save_derivation(found, path)
    assert sc.read_derivation(path) == found
    with pytest.raises(OutputError, match="exists"):
        sc.save_derivation(found, path)
    sc.save_derivation(found, path, force=True)


@pytest.fixture
def data():
    return json.loads(json.dumps(derivation_data(sc.derive("attn(H)"))))


def test_another_version(data):
    assert from_derivation_data(data) == sc.derive("attn(H)")
    with pytest.raises(
        DerivationError, match=r"the file has version 2, written by symbolic_circuits .*; this package reads version 1"
    ):
        from_derivation_data(data | {"version": 2})
    with pytest.raises(DerivationError, match="an object with the format 'symbolic_circuits derivation'"):
        from_derivation_data({"steps": []})


def changed(data, path, value):
    *inner, last = path
    node = data
    for key in inner:
        node = node[key]
    node[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("chains", 0, "steps", 1, "rule"), "conjure", "there is no rule 'conjure'; there are"),
        (("chains", 0, "steps", 1, "rule"), "transpose of a product", "step 1 of T does not replay"),
        (("chains", 0, "steps", 1, "at"), [9], "there is no place"),
        (("chains", 0, "steps", 1, "at"), [-1], "a number from 0 on was expected; got -1"),
        (("chains", 0, "steps", 1, "at"), [True], "a number from 0 on was expected"),
        (("chains", 0, "steps", 1, "after"), 999, "the file cannot be read"),
        (("chains", 0, "steps", 1, "given"), {"power": 2}, "the rule mixed product takes nothing; got power"),
        (("chains", 0, "steps"), None, "'steps' must be of type list; got NoneType"),
        (("chains", 0, "model"), "attn(", "the file cannot be read"),
        (("chains", 0, "given"), [[0, [3]]], "laws and definitions"),
        (("chains",), [], "the file has no chain"),
        (("trees",), {"nodes": [["Popen", 0]], "roots": [0]}, "the file cannot be read"),
    ],
)
def test_malformed(data, path, value, message):
    with pytest.raises(DerivationError, match=message):
        from_derivation_data(changed(data, path, value))


def test_not_json(tmp_path):
    path = tmp_path / "bad.json"
    path.write_text("{")
    with pytest.raises(DerivationError, match="is not JSON"):
        sc.read_derivation(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["tree", "rule", "at", "after"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=150)
@given(st.data())
def test_anything_else_is_an_error_or_a_derivation(draw):
    data = json.loads(json.dumps(derivation_data(sc.derive("attn(2)"))))
    node = data
    while isinstance(node, list | dict) and node:
        key = draw.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else list(range(len(node)))))
        if draw.draw(st.booleans()) or not isinstance(node[key], list | dict):
            node[key] = draw.draw(JSON)
            break
        node = node[key]
    with contextlib.suppress(DerivationError):
        from_derivation_data(data).replay()
