"""``symbolic-circuits ablate``: its table, JSON, CSV, causal graphs and exit codes."""

import csv
import io
import json

import networkx
import numpy as np
import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.numeric.interventions.ablate import ablate


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["ablate", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("attn.0[1] > bilinear.1",), "5 terms of '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=128)'"),
        (("attn.0[1]", "--tokens", "3 4 31"), "(7 is the model's prediction)"),
        (("attn.0[1]", "--tokens", "3 4 31", "--token", "7", "--against", "9"), "logit 7 - logit 9 at position 2: +"),
        (("attn.0[1]", "--tokens", "3 4 31", "--against", "runner-up"), "the runner-up"),
        (("attn.0[1]", "attn(2)", "--by", "resample", "--tokens", "1 2", "--other", "3 4"), "those of another input"),
        (("attn.0[1]", "attn(2)", "--by", "resample"), "those of another input in their place, patterns frozen"),
        (("attn.0[1]", "--by", "mean"), "their mean over 32 other inputs"),
        (("attn.0[1]", "attn(2)*2", "--by", "mean", "--batch", "3", "--patterns", "recomputed"), "patterns recomputed"),
        (("attn.0[1]", "attn(2)*2", "--by", "mean", "--replace", "activations"), "put in as activations"),
        (("attn.0", "attn(2)", "--top", "2"), "9 more are in --csv and --json"),
        (("attn.0 >> output", "[no embed, no unembed] attn(2)"), "coordinate"),
        (("attn.1", "[no embed] attn(2)*2", "--by", "resample"), "the output changes by"),
        (("embed > embed", "attn(2)"), "no term belongs to the query, so the output stays as it is"),
        (("--help",), "symbolic-circuits ablate"),
    ],
)
def test_output(words: tuple[str, ...], expected: str) -> None:
    code, text = run(*words)
    assert code == 0
    assert expected in text


def test_json_and_csv_hold_what_the_library_finds() -> None:
    words = ("attn.0[1]", "attn(2) bilinear", "--seed", "3", "--tokens", "1 2 3", "--position", "1", "--token", "4")
    weights = sc.Weights.random("attn(2) bilinear", seed=3)
    expected = ablate("attn(2) bilinear", "attn.0[1]", weights, [1, 2, 3])
    data = json.loads(run(*words, "--json")[1])
    assert np.array_equal(data["after"], expected.after) and data["number_of_terms"] == 6 and data["verdict"] == "agrees"
    assert data["effect"]["change"] == expected.effect(1, token=4)
    assert np.isclose(data["effect"]["after"] - data["effect"]["before"], data["effect"]["change"])
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv")[1])))
    assert [int(row["token"]) for row in rows] == [row["token"] for row in expected.rows(1)]
    assert [float(row["change"]) for row in rows] == [row["change"] for row in expected.rows(1)]


def test_a_file_of_sequences_is_the_batch(tmp_path) -> None:
    path = tmp_path / "inputs.txt"
    path.write_text("1 2 31\n4,5,31\n")
    words = ("attn.0[1]", "--tokens", "3 4 31", "--by", "mean", "--sequences", str(path), "--json")
    weights = sc.Weights.example()
    expected = ablate(weights.model, "attn.0[1]", weights, [3, 4, 31], by="mean", batch=[[1, 2, 31], [4, 5, 31]])
    data = json.loads(run(*words)[1])
    assert data["inputs"] == 2 and np.array_equal(np.float32(data["after"]), expected.after)


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG"), ("a.json", b"{")])
def test_causal_graphs(tmp_path, name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / name
    words = ("attn.0[1]", "attn(2) bilinear", "-o", str(path), "--token", "3")
    code, text = run(*words)
    assert code == 0 and path.read_bytes().startswith(start) and "5 components, 9 edges" in text
    assert run(*words)[0] == 2
    assert run(*words, "--force", "--json")[0] == 0
    if name == "a.json":
        graph = networkx.node_link_graph(json.loads(path.read_text()), edges="edges")
        assert graph.graph["readout"] == "logit 3 at position 4" and "left" in graph.edges["embed", "bilinear.1"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("attn.0[7]", "attn(2)"), 2, "did you mean attn.0[1]"),
        (("attn.0 >", "attn(2)"), 2, "cannot read the query"),
        (("attn.0", "attn(H)"), 2, "the number of heads of"),
        (("attn.0", "attn(2)", "--by", "noise"), 2, "'noise' is not one of"),
        (("attn.0", "attn(2)", "--other", "1 2 3"), 2, "--other is for --by resample"),
        (("attn.0", "attn(2)", "--batch", "3"), 2, "--batch and --sequences are for --by mean"),
        (("attn.0", "attn(2)", "--by", "resample", "--other", "1"), 2, "other has 1 positions, but the input at hand has 5"),
        (("attn.0", "attn(2)", "--position", "9"), 2, "position 9 is outside"),
        (("attn.0", "attn(2)", "--token", "99"), 2, "token 99 is outside"),
        (("attn.0", "attn(2)", "-o", "a.pdf"), 2, "ends in none of"),
        (("attn.0", "attn(2)", "--json", "--csv"), 2, "one or the other"),
        (("attn.0", "[no unembed] attn(2)", "-o", "a.svg"), 2, "give --token"),
        (("bilinear.0", "bilinear*40"), 2, "not finite after bilinear."),
        (("attn.0", "--weights", "none.npz"), 2, "there is no weights file"),
        (("(" * 101 + "attn.0" + ")" * 101, "attn(2)"), 3, "nested at most 100 deep"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, message: str) -> None:
    found, text = run(*words)
    assert found == code
    assert message in text
