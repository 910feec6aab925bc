"""The worked study: every number in proofs/study-addition.md is recomputed, and what it says in words is tried."""

import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.examples.addition import accuracy, all_pairs, answers, sequences
from symbolic_circuits.examples.study.__main__ import main
from symbolic_circuits.examples.study.figure import draw_study
from symbolic_circuits.examples.study.findings import CROSSING, FREQUENCIES, REST, SELECTED, Study, findings, recomputed
from symbolic_circuits.examples.study.reading import made_to_order, scores, values
from symbolic_circuits.examples.study.subsets import accuracies, members
from symbolic_circuits.examples.study.sum_tables import amplitudes, by_class, centred, energies, kept_frequencies, share
from symbolic_circuits.examples.study.term_outputs import TermOutputs
from symbolic_circuits.numeric.reference import forward

DOCUMENT = Path(__file__).parents[2] / "proofs" / "study-addition.md"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
NUMBER = re.compile(r"(?P<number>[−-]?\d+(?:\.(?P<decimals>\d+))?|[a-z]+)(?P<percent> %)?<!--=(?P<key>.+?)-->")
NO_PROSE = r"```.*?```|^    .*?$|`[^`\n]+`|\$[^$\n]+\$|^#.*?$|\]\([^)]*\)|\*\*S\d\.\*\*|\bS8\b|[Hh]ead [01]|modulo 31|float(?:32|64)|<!--.*?-->"
P = 31


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.of_example()


@pytest.fixture(scope="module")
def found(study: Study) -> dict[str, float]:
    return findings(study)


# tables


def test_every_number_of_the_document(found):
    text, wrong = DOCUMENT.read_text(encoding="utf-8"), []
    quoted = list(NUMBER.finditer(text))
    for match in quoted:
        word = match["number"].replace("−", "-")
        said = float(WORDS.index(word)) if word in WORDS else float(word)
        is_value = found[match["key"]] * (100 if match["percent"] else 1)
        unit = 10.0 ** -len(match["decimals"] or "")
        if abs(said - is_value) > 0.5001 * unit:
            wrong.append(f"{match['key']}: {match[0]} is {is_value:.6g}")
    assert not wrong
    assert len(quoted) > 150 and text.count("<!--=") == len(quoted)


def test_no_other_number_in_the_prose():
    text = DOCUMENT.read_text(encoding="utf-8").split("## Sources")[0]
    prose = re.sub(NO_PROSE, "", NUMBER.sub("", text), flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r".*\d.*", prose)


@pytest.mark.parametrize("among", ["all", "held"])
def test_the_selected_terms_make_the_behaviour(found, among):
    assert found["share.selected"] > 0.94
    for way in ("zero", "mean", "recomputed"):
        assert found[f"{way}.selected.{among}"] < 0.06
        assert found[f"{way}.rest.{among}"] > 0.9
    assert found[f"mean.rest.{among}"] > 0.96


def test_what_the_document_says_in_words(found):
    assert found["float32.change"] < 1e-6 and found["float32.accuracy"] == found["accuracy.all"]
    waves = sum(found[f"table.crossing.energy.{k}"] for k in FREQUENCIES)
    assert 0 < found["table.crossing.sum"] - waves < 0.01
    assert {found[f"frequency.{place}"] for place in range(3)} == set(FREQUENCIES)
    assert found["table.selected.sum"] == pytest.approx(0.75, abs=0.01)
    assert found["asymmetry"] < 1e-10 and found["constant.spread"] < 1e-10
    assert all(found[f"order.{k}.loss"] > np.log(32) for k in (0, 1, 2))


# laws


def test_the_terms_with_two_heads(study):
    texts = [str(term) for term in study.terms.expansion]
    two = [k for k, text in enumerate(texts) if text.count("attn") == 2]
    for query in (SELECTED, "order = 3", "attn.* = 2", "*=5"):
        assert study.terms.places(query) == two
    assert sorted(two + study.terms.places(REST)) == list(range(12))
    assert set(study.terms.places(CROSSING)) == {k for k in two if "[0]" in texts[k] and "[1]" in texts[k]}


def test_no_shorter_query(study):
    alphabet = "abdehilmnoprstu0123456789*.[]<>=(),- "
    for text in ("".join(letters) for size in (1, 2) for letters in product(alphabet, repeat=size)):
        try:
            query = sc.parse_query(text)
        except SymbolicCircuitsError:
            continue
        assert study.terms.expansion.where(query).number_of_terms in (0, 12)


def test_subsets_by_brute_force(study):
    for means in (False, True):
        found = accuracies(study.terms.logits, means)
        mean = study.terms.logits.mean(axis=0) * means
        for subset in [0, 4095, *np.random.default_rng(7).integers(4096, size=30)]:
            inside = members(12)[subset]
            logits = study.terms.logits[:, inside].sum(axis=1) + mean[~inside].sum(axis=0)
            assert found[subset] == accuracy(logits, all_pairs()) or not inside.any()


def test_the_phase_of_opposite_heads():
    rng = np.random.default_rng(8)
    p, a, b = rng.uniform(size=1000), *rng.uniform(0, 2 * np.pi, size=(2, 1000))
    alpha, beta, q = np.exp(1j * a), np.exp(1j * b), 1 - p
    opposite = (p * alpha + q * beta) * (q * alpha + p * beta) / (alpha * beta)
    assert np.allclose(opposite, p**2 + q**2 + 2 * p * q * np.cos(a - b)) and (opposite.real >= 0).all()
    both = ((p * alpha + q * beta) ** 2 + (q * alpha + p * beta) ** 2) / (alpha * beta)
    assert np.allclose(both, 4 * p * q + 2 * (p**2 + q**2) * np.cos(a - b))
    assert (both.real < 0).any() and (both.real > 0).any()
    alike = (p * alpha + q * beta) ** 2 / (alpha * beta)
    assert np.abs(alike.imag).max() > 0.5


def test_functions_of_the_sum_are_the_diagonal_of_the_transform():
    rng = np.random.default_rng(9)
    table = rng.normal(size=(P, P, 4))
    projected = by_class(table)
    shift = np.roll(np.eye(P), 1, axis=0)
    assert np.allclose(np.einsum("ab,bcx,cd->adx", shift, projected, shift), projected)
    assert not np.allclose(np.einsum("ab,bcx,cd->adx", shift, table, shift), table)
    transform = np.fft.fft2(projected, axes=(0, 1))
    off = ~np.eye(P, dtype=bool)
    assert np.allclose(transform[off], 0)
    assert np.allclose(projected, kept_frequencies(table, list(range(16))))
    assert share(table) == pytest.approx(sum(energies(table)[k, k] for k in range(1, P)))
    waves = np.array([[[np.cos(2 * np.pi * 9 * (a + b - c) / P) for c in range(P)] for b in range(P)] for a in range(P)])
    assert share(waves) == pytest.approx(1) and np.allclose(amplitudes(waves, 9), 1) and np.allclose(amplitudes(waves, 10), 0)


# squares


def test_terms_add_up_to_the_reference(study):
    w = study.weights
    logits = np.array([forward(w.model, w.arrays, tokens).output[-1] for tokens in sequences(all_pairs())])
    assert np.allclose(study.terms.total(), logits, rtol=1e-12, atol=1e-10)
    centre = logits[np.arange(len(logits)), answers(all_pairs())] - logits.mean(axis=1)
    assert study.margins.sum() == pytest.approx(centre.mean())


def test_ablations_of_the_package(study):
    terms, tokens = study.terms, sequences(all_pairs())
    for query in (SELECTED, REST):
        for place in (5, 400):
            ablated = sc.ablate(terms.expansion, query, study.weights, tokens[place], patterns="recomputed")
            assert ablated.verdict == "agrees"
            assert np.allclose(ablated.after[-1], (terms.total() - terms.total(query))[place])
    for patterns in ("frozen", "recomputed"):
        ablated = sc.ablate(terms.expansion, SELECTED, study.weights, tokens[77], by="mean", batch=tokens, patterns=patterns)
        assert np.allclose(ablated.after[-1], terms.with_means(SELECTED)[77])


def test_frozen_and_recomputed_patterns(study):
    some = replace(study, frozen=study.frozen[::9])
    for query in (SELECTED, REST):
        assert np.allclose(recomputed(some, query), (study.terms.total() - study.terms.total(query))[::9])
    blind = TermOutputs.of(some.frozen, np.full((len(some.frozen), 2, 3), 1 / 3)).total(SELECTED)
    assert np.allclose(recomputed(some, f"not {SELECTED}"), blind)


def test_the_operands_may_be_exchanged(study):
    mirror = all_pairs()[:, 0] + P * all_pairs()[:, 1]
    assert np.allclose(study.terms.logits, study.terms.logits[mirror])
    assert np.allclose(study.terms.reads[mirror], study.terms.reads[:, :, [1, 0, 2]])


def test_the_heads_take_sides(study, found):
    s = scores(study.weights)
    a, b = all_pairs().T
    odds = np.log(study.terms.reads[:, :, 0] / study.terms.reads[:, :, 1])
    assert np.allclose(odds, (s[:, a] - s[:, b]).T)
    assert found["scores.correlation"] < -0.95
    order = ["opposite", "hard", "uniform", "in order", "swapped", "same"]
    assert sorted(order, key=lambda name: -found[f"patterns.{name}"]) == order


def test_the_table_of_the_weights(study):
    w, (F_0, F_1) = study.weights.arrays, values(study.weights)
    W, V = (w[f"bilinear.1.W_{k}"] for k in (1, 2))
    readout = w["W_U"] @ w["bilinear.1.W_out"]
    left_then_right = np.einsum("cq,uq,vq->uvc", readout, F_0 @ W.T, F_1 @ V.T)
    table = left_then_right + np.einsum("cq,vq,uq->uvc", readout, F_1 @ W.T, F_0 @ V.T)
    in_order = TermOutputs.of(study.frozen, made_to_order(study.terms.reads)["in order"]).total(CROSSING)
    assert np.allclose(in_order.reshape(P, P, -1), table)
    assert np.allclose(centred(in_order).sum(axis=2), 0)


def test_the_figure(study, found, tmp_path):
    figure = draw_study(study, found)
    assert [ax.get_title(loc="left")[0] for ax in figure.axes] == list("abcd")
    assert len(figure.axes[0].patches) == 12
    picture = DOCUMENT.parent / "pictures" / "study-addition.svg"
    assert re.findall(r'id="axes_\d"', picture.read_text(encoding="utf-8")) == [f'id="axes_{k}"' for k in (1, 2, 3, 4)]


def test_the_command(monkeypatch, study, found, tmp_path):
    monkeypatch.setattr("symbolic_circuits.examples.study.__main__.findings", lambda study: found)
    monkeypatch.setattr(Study, "of_example", classmethod(lambda cls: study))
    done = CliRunner().invoke(main, ["-o", str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"study-addition.svg", "study-addition.json"}
    printed = CliRunner().invoke(main, [])
    assert re.search(r"^share.selected +0\.947", printed.output, re.MULTILINE)
