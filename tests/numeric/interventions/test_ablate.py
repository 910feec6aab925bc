"""Ablations against sums of term values, patterns recomputed stream by stream term by term, and forward passes written by hand."""

import runpy
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from numpy.testing import assert_allclose

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, NotationError, SpecError, TermError, TokensError, WeightsError
from symbolic_circuits.expansion.grammar import Grammar
from symbolic_circuits.expansion.queries.language import parse_query
from symbolic_circuits.expansion.queries.query import And, Count, Not, Or, Passes, Query
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.interventions.ablate import ablate
from symbolic_circuits.numeric.reference import causal_softmax, forward
from symbolic_circuits.spec import Attention

RANDOM = runpy.run_path(str(Path(__file__).parents[2] / "expansion" / "queries" / "random_queries.py"))
MODELS, random_query, holds = RANDOM["MODELS"], RANDOM["random_query"], RANDOM["holds"]
OTHERS = {"zero": 0, "resample": 1, "mean": 3}
TWO_LAYERS = "attn(2) bilinear attn(2) bilinear(tied)"


def weights_of(model: str, seed: int = 1) -> sc.Weights:
    return sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=seed)


def inputs_of(weights: sc.Weights, number: int, seed: int = 2) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    if weights.model.embedding:
        return list(generator.integers(0, 7, (number, 4)))
    return list(generator.standard_normal((number, 4, 5)))


def options(by: str, others: list[np.ndarray]) -> dict:
    return {"zero": {}, "resample": {"other": others[0]} if others else {}, "mean": {"batch": others}}[by] | {"by": by}


class TermByTerm:
    """The definition of :mod:`symbolic_circuits.numeric.interventions.levels`, each term on its own."""

    def __init__(self, frozen: Frozen, sources: list[Frozen], query: Query, replace: str, recomputed: bool) -> None:
        self.frozen, self.sources, self.query, self.replace = frozen, sources, query, replace
        self.patterns = {} if recomputed else dict(frozen.patterns)
        self.known: dict = {}
        self.read: dict[int, list[sc.Term]] = {}  # the terms that a block reads
        model, rules = frozen.model, sc.path_expansion(frozen.model).grammar.nonterminals
        for level, step in enumerate(model.steps):
            terms = sc.PathExpansion(Grammar(model, rules[: level + 1]))
            self.read |= {index: list(terms) for index, _ in step.blocks}
            stream = sum(self.put_in(y) if self.inside(y) else self.kept(y) for y in terms)
            for index, spec in step.blocks:
                if isinstance(spec, Attention) and recomputed:
                    W_Q, W_K = (frozen.arrays[f"attn.{index}.W_{letter}"] for letter in "QK")
                    self.patterns[index] = causal_softmax(stream, W_Q, W_K)
        terms = list(sc.path_expansion(model))
        nothing = np.zeros_like(frozen.x0, dtype=float)
        self.kept_total = sum((self.kept(y) for y in terms if not holds(query, y)), nothing)
        chosen = [y for y in terms if holds(query, y)]
        self.put_in_total = sum((self.put_in(y) if self.inside(y) else self.fresh(y) for y in chosen), nothing)

    def inside(self, term: sc.Term) -> bool:
        key = ("inside", term)
        if key not in self.known:
            self.known[key] = holds(without_output(self.query), term)
        return self.known[key]

    def kept(self, term: sc.Term) -> np.ndarray:
        key = ("kept", term)
        if key not in self.known:
            inputs = [self.kept(x) for x in term.inputs]
            self.known[key] = apply(self.frozen, self.patterns, term, inputs)
        return self.known[key]

    def own(self, term: sc.Term, k: int) -> np.ndarray:
        key = (k, term)
        if key not in self.known:
            run = self.sources[k]
            self.known[key] = apply(run, run.patterns, term, [self.own(x, k) for x in term.inputs])
        return self.known[key]

    def fresh(self, term: sc.Term) -> np.ndarray:
        if not self.sources:
            return np.zeros_like(self.frozen.x0, dtype=float)
        return sum(self.own(term, k) for k in range(len(self.sources))) / len(self.sources)

    def put_in(self, term: sc.Term) -> np.ndarray:
        key = ("put in", term)
        if key not in self.known:
            self.known[key] = self.put_in_anew(term)
        return self.known[key]

    def put_in_anew(self, term: sc.Term) -> np.ndarray:
        component, inputs = term
        if self.replace == "terms" or not inputs or self.covers(component, [None] * len(inputs)):
            return self.fresh(term)
        alone = [self.covers(component, [x if j == k else None for j in range(len(inputs))]) for k, x in enumerate(inputs)]
        if not any(self.inside(x) or decisive for x, decisive in zip(inputs, alone, strict=True)):
            return self.fresh(term)
        values = [
            self.put_in(x) if self.inside(x) else self.fresh(x) if decisive else self.kept(x)
            for x, decisive in zip(inputs, alone, strict=True)
        ]
        return apply(self.frozen, self.patterns, term, values)

    def covers(self, component: object, inputs: list) -> bool:
        """Whether all terms of a component with these inputs are in the query; None stands for any input."""
        key = ("covers", component, tuple(inputs))
        if key not in self.known:
            choices = [self.read[component.layer] if x is None else [x] for x in inputs]
            self.known[key] = all(self.inside(sc.Term(component, pair)) for pair in product(*choices))
        return self.known[key]


def without_output(query: Query) -> Query:
    """The query with every path that ends at the output false."""
    if isinstance(query, Not):
        return Not(without_output(query.query))
    if isinstance(query, And | Or):
        return type(query)(tuple(map(without_output, query.parts)))
    return Count("degree", "=", 0) if isinstance(query, Passes) and query.ends else query


def apply(frozen: Frozen, patterns: dict, term: sc.Term, inputs: list[np.ndarray]) -> np.ndarray:
    """One component at arrays, with the factor 2 of a pair of different terms of a tied layer."""
    component, arrays = term.component, frozen.arrays
    if component.kind == "input":
        return frozen.x0
    name = f"{component.kind}.{component.layer}"
    if component.kind == "attn":
        h = component.head
        return patterns[component.layer][h] @ inputs[0] @ (arrays[f"{name}.W_O"][h] @ arrays[f"{name}.W_V"][h]).T
    W_1 = arrays[f"{name}.W_1"]
    hidden = (inputs[0] @ W_1.T) * (inputs[1] @ arrays.get(f"{name}.W_2", W_1).T)
    out = hidden @ arrays[f"{name}.W_out"].T if f"{name}.W_out" in arrays else hidden
    return 2 * out if component.is_tied and term.inputs[0] != term.inputs[1] else out


def by_hand(
    weights: sc.Weights, tokens: np.ndarray, head: np.ndarray | None = None, read: np.ndarray | None = None
) -> np.ndarray:
    """``TWO_LAYERS`` with the output of head 0.1 overwritten everywhere, or (read) only where bilinear 1 reads it."""
    a = weights.arrays
    x = a["W_E"].T[tokens]
    A = causal_softmax(x, a["attn.0.W_Q"], a["attn.0.W_K"])
    first, second = (A[h] @ x @ a["attn.0.W_V"][h].T @ a["attn.0.W_O"][h].T for h in (0, 1))
    second = second if head is None else head
    seen = x + first + (second if read is None else read)
    x = x + first + second
    x = x + ((seen @ a["bilinear.1.W_1"].T) * (seen @ a["bilinear.1.W_2"].T)) @ a["bilinear.1.W_out"].T
    A = causal_softmax(x, a["attn.2.W_Q"], a["attn.2.W_K"])
    x = x + sum(A[h] @ x @ a["attn.2.W_V"][h].T @ a["attn.2.W_O"][h].T for h in (0, 1))
    return (x + (x @ a["bilinear.3.W_1"].T) ** 2 @ a["bilinear.3.W_out"].T) @ a["W_U"].T


def head_output(weights: sc.Weights, tokens: np.ndarray) -> np.ndarray:
    """The output of head 0.1."""
    a = weights.arrays
    x = a["W_E"].T[tokens]
    return causal_softmax(x, a["attn.0.W_Q"], a["attn.0.W_K"])[1] @ x @ a["attn.0.W_V"][1].T @ a["attn.0.W_O"][1].T


# tables


@pytest.mark.parametrize("query", ["attn.0[1]", "attn.0[0] > bilinear.1.left", "attn.0[1] >> output", "bilinear.* <= 1"])
@pytest.mark.parametrize("by", OTHERS)
def test_frozen_terms_keep_the_value_of_their_own_run(by: str, query: str) -> None:
    weights = weights_of("attn(2) bilinear attn(1)")
    tokens, *others = inputs_of(weights, 1 + OTHERS[by])
    whole = sc.path_expansion(weights.model)
    runs = [sc.freeze(weights, x) for x in (tokens, *others)]
    chosen = [holds(parse_query(query), term) for term in whole]
    here, *elsewhere = (output_values(whole, run) for run in runs)
    found = ablate(whole, query, weights, tokens, **options(by, others))
    assert found.number_of_terms == sum(chosen) and found.verdict == "agrees" and found.inputs == len(others)
    assert_allclose(found.removed, here[chosen].sum(0), atol=1e-12)
    put_in = sum((values[chosen].sum(0) for values in elsewhere), np.zeros_like(found.before)) / max(1, len(others))
    assert_allclose(found.put_in, put_in, atol=1e-12)
    assert_allclose(found.after, here[np.logical_not(chosen)].sum(0) + put_in, atol=1e-12)
    assert_allclose(found.before, runs[0].forward().output, atol=1e-12)


@pytest.mark.parametrize("seed", range(60))
def test_every_option_against_the_definition_term_by_term(seed: int) -> None:
    random = Random(seed)
    model = sc.Transformer.parse(random.choice([m for m in MODELS if m and sc.path_expansion(m).number_of_terms < 150]))
    weights, query = weights_of(str(model), seed), random_query(random, model)
    by, replace, patterns = (
        random.choice(list(OTHERS)),
        *random.choice([("terms", "recomputed"), ("activations", "frozen")] * 2 + [("activations", "recomputed")]),
    )
    compare(weights, query, by, replace, patterns, seed)


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("attn(2) bilinear(tied) attn(1)", "attn.0[1] >= 2"),  # two inputs together make it, neither of them alone
        ("attn(2) bilinear attn(1)", "attn.0[1] >= 2"),
        ("attn(2) bilinear(tied) attn(1)", "attn.0[0] >> bilinear.1"),
        ("attn(2) bilinear attn(1)", "attn.0[0] >> bilinear.1.left or attn.0[1] >> bilinear.1.right"),
        ("attn(2) bilinear attn(2)", "attn.0[0] or attn.2[1]"),
        ("attn(1)|bilinear(tied) attn(2)", "bilinear.1 >> attn.2[0] and not attn.0"),
        ("bilinear(tied)*3", "bilinear.0 and degree <= 4"),  # lost again on the way up
    ],
)
@pytest.mark.parametrize("by", OTHERS)
@pytest.mark.parametrize(
    ("replace", "patterns"), [("terms", "recomputed"), ("activations", "frozen"), ("activations", "recomputed")]
)
def test_queries_that_tell_inputs_apart(model: str, query: str, by: str, replace: str, patterns: str) -> None:
    compare(weights_of(model), parse_query(query), by, replace, patterns, seed=5)


def compare(weights: sc.Weights, query: Query, by: str, replace: str, patterns: str, seed: int) -> None:
    """The library against the definition."""
    model = weights.model
    tokens, *others = inputs_of(weights, 1 + OTHERS[by], seed)
    found = ablate(model, query, weights, tokens, **options(by, others), replace=replace, patterns=patterns)
    frozen, *sources = (sc.freeze(weights, x) for x in (tokens, *others))
    if not found.number_of_terms:
        assert np.array_equal(found.after, found.before)
        return
    expected = TermByTerm(frozen, sources, query, replace, patterns == "recomputed")
    after, put_in = expected.kept_total + expected.put_in_total, expected.put_in_total
    after, put_in = (x @ weights.arrays["W_U"].T if model.unembedding else x for x in (after, put_in))
    scale = 1 + np.abs(found.before).max() + np.abs(after).max()
    assert_allclose(found.after, after, atol=1e-11 * scale)
    assert_allclose(found.put_in, put_in, atol=1e-11 * scale)
    assert found.remainder < 1e-10 * max(1, found.cancellation)


# laws


@pytest.mark.parametrize("query", ["attn.0[1]", "not attn.0[1] > bilinear.1", "order <= 2", "degree = 1"])
def test_frozen_zero_ablation_is_the_total_of_the_other_terms(query: str) -> None:
    weights = weights_of(TWO_LAYERS)
    (tokens,) = inputs_of(weights, 1)
    expansion = sc.path_expansion(TWO_LAYERS)
    for replace in ("terms", "activations"):
        found = ablate(expansion, query, weights, tokens, replace=replace)
        assert_allclose(found.after, sc.total(expansion.where(f"not ({query})"), weights, tokens), atol=1e-12)
        assert_allclose(found.before - found.after, found.removed, atol=1e-10)


@pytest.mark.parametrize("query", ["bilinear.0 >> bilinear.1.left", "degree >= 3"])
@pytest.mark.parametrize("by", OTHERS)
@pytest.mark.parametrize("replace", ["terms", "activations"])
def test_without_attention_there_are_no_patterns_to_recompute(query: str, by: str, replace: str) -> None:
    weights = weights_of("bilinear*3")
    tokens, *others = inputs_of(weights, 1 + OTHERS[by])
    frozen, anew = (
        ablate("bilinear*3", query, weights, tokens, **options(by, others), replace=replace, patterns=patterns)
        for patterns in ("frozen", "recomputed")
    )
    assert_allclose(frozen.after, anew.after, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("patterns", ["frozen", "recomputed"])
@pytest.mark.parametrize("replace", ["terms", "activations"])
def test_resampling_from_the_input_itself_changes_nothing(patterns: str, replace: str) -> None:
    weights = weights_of(TWO_LAYERS)
    (tokens,) = inputs_of(weights, 1)
    for query in ("attn.0[1] > bilinear.1.left", "attn.2 >> output", "order >= 2"):
        found = ablate(TWO_LAYERS, query, weights, tokens, by="resample", other=tokens, patterns=patterns, replace=replace)
        assert_allclose(found.after, found.before, atol=1e-9)


def test_everything_replaced_is_the_other_run() -> None:
    weights = weights_of(TWO_LAYERS)
    tokens, other = inputs_of(weights, 2)
    for patterns in ("frozen", "recomputed"):
        for replace in ("terms", "activations"):
            found = ablate(TWO_LAYERS, "embed", weights, tokens, by="resample", other=other, patterns=patterns, replace=replace)
            assert_allclose(found.after, sc.freeze(weights, other).forward().output, atol=1e-9)


# squares


@pytest.mark.parametrize("by", OTHERS)
def test_a_head_overwritten_is_a_forward_pass_with_its_output_overwritten(by: str) -> None:
    weights = weights_of(TWO_LAYERS)
    tokens, *others = inputs_of(weights, 1 + OTHERS[by])
    ours = head_output(weights, tokens)
    head = np.mean([head_output(weights, x) for x in others], axis=0) if others else np.zeros_like(ours)
    given = options(by, others) | {"patterns": "recomputed", "replace": "activations"}
    found = ablate(TWO_LAYERS, "attn.0[1]", weights, tokens, **given)
    assert_allclose(found.before, by_hand(weights, tokens), atol=1e-11)
    assert_allclose(found.after, by_hand(weights, tokens, head=head), atol=1e-11)
    edge = ablate(TWO_LAYERS, "attn.0[1] >> bilinear.1", weights, tokens, **given)
    assert_allclose(edge.after, by_hand(weights, tokens, read=head), atol=1e-11)
    assert not np.allclose(edge.after, found.after, atol=1e-3)


def test_a_block_without_its_terms_is_a_forward_pass_without_the_block() -> None:
    weights = weights_of(TWO_LAYERS)
    (tokens,) = inputs_of(weights, 1)
    for block in ("attn.0", "bilinear.1", "attn.2", "bilinear.3"):
        found = ablate(TWO_LAYERS, block, weights, tokens, patterns="recomputed")
        run = forward(weights.model, weights.arrays, tokens, without=[int(block[-1])])
        assert_allclose(found.after, run.output, atol=1e-11)
        assert all(np.allclose(found.attention[k], run.patterns[k]) for k in run.patterns)


def test_no_block_sees_that_the_output_does_not_read_a_head() -> None:
    weights = weights_of(TWO_LAYERS)
    (tokens,) = inputs_of(weights, 1)
    anew = ablate(TWO_LAYERS, "attn.0[1] >> output", weights, tokens, patterns="recomputed")
    assert_allclose(anew.before - anew.after, head_output(weights, tokens) @ weights.arrays["W_U"].T, atol=1e-11)


def test_effects_rows_and_plain_data() -> None:
    weights = weights_of(TWO_LAYERS)
    tokens, other = inputs_of(weights, 2)
    found = ablate(TWO_LAYERS, "attn.0[1]", weights, tokens, by="resample", other=other)
    change = found.after - found.before
    assert np.isclose(found.effect(token=3), change[-1, 3])
    assert np.isclose(found.effect(1, token=3, against=2), change[1, 3] - change[1, 2])
    assert np.isclose(found.effect(direction=np.arange(7.0)), change[-1] @ np.arange(7))
    rows = found.rows(0)
    assert sorted(row["token"] for row in rows) == list(range(7))
    assert [abs(row["change"]) for row in rows] == sorted((abs(x) for x in change[0]), reverse=True)
    assert found.rows(0, top=2) == rows[:2]
    data = found.to_dict()
    assert data["number_of_terms"] == found.number_of_terms and np.array_equal(data["after"], found.after)
    assert "those of another input in their place, patterns frozen" in str(found) and "the output changes by" in found.summary()


def test_a_query_without_terms_changes_nothing() -> None:
    weights = weights_of(TWO_LAYERS)
    (tokens,) = inputs_of(weights, 1)
    for patterns in ("frozen", "recomputed"):
        found = ablate(TWO_LAYERS, "attn.2 > attn.0", weights, tokens, patterns=patterns)
        assert found.effect(token=1) == 0 and found.number_of_terms == 0 and found.verdict == "agrees"
        assert "no term belongs to the query" in found.summary()


def test_float32_and_residual_input() -> None:
    weights = weights_of("[no embed, no unembed] attn(2) bilinear")
    x = np.arange(20).reshape(4, 5) % 3
    for patterns in ("frozen", "recomputed"):
        found = ablate("[no embed, no unembed] attn(2) bilinear", "attn.0[1]", weights, x, patterns=patterns)
        assert found.after.shape == (4, 5) and found.after.dtype == np.float64 and found.remainder < 1e-13
        single = ablate(
            "[no embed, no unembed] attn(2) bilinear",
            "attn.0[1]",
            weights.astype(np.float32),
            x.astype(np.float32),
            by="resample",
            other=x.astype(np.float32)[::-1],
            patterns=patterns,
        )
        assert single.after.dtype == np.float32 and single.verdict == "agrees"


def test_progress_counts_the_other_inputs() -> None:
    weights, seen = weights_of("attn(2)"), []
    tokens, *others = inputs_of(weights, 4)
    ablate("attn(2)", "attn.0[1]", weights, tokens, by="mean", batch=others, progress=lambda *pair: seen.append(pair))
    assert seen == [(1, 3), (2, 3), (3, 3)]


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"by": "noise"}, NotationError, "by is one of zero, mean, resample; got 'noise'"),
        ({"patterns": "warm"}, NotationError, "patterns is one of frozen, recomputed; got 'warm'"),
        ({"replace": "all"}, NotationError, "replace is one of terms, activations; got 'all'"),
        ({"query": "attn.0[7]"}, TermError, r"did you mean attn\.0\[1\]"),
        ({"query": "attn.0 >"}, TermError, "cannot read the query"),
        ({"expansion": sc.path_expansion("attn(2) bilinear").where("attn.0")}, TermError, "join queries with 'and'"),
        ({"expansion": "attn(3) bilinear"}, SpecError, "but the weights are of"),
        ({"weights": "attn(2)"}, TypeError, "weights are Weights"),
        ({"tokens": [1, 9]}, TokensError, "token 9 at position 1"),
        ({"by": "mean"}, TokensError, "by='mean' takes batch; got batch=None"),
        ({"by": "resample", "batch": [[1, 2, 3]], "other": [1, 2, 3]}, TokensError, "by='resample' takes other; got batch="),
        ({"other": [1, 2, 3]}, TokensError, "takes neither batch nor other"),
        ({"by": "mean", "batch": []}, TokensError, "batch has no input"),
        ({"by": "mean", "batch": 3}, TokensError, "batch is a list of inputs; got int"),
        ({"by": "mean", "batch": [[1, 2, 3], [1, 2]]}, TokensError, "batch, input 1 has 2 positions, but .* has 3"),
        ({"by": "resample", "other": [1, 2, 8]}, TokensError, "other: token 8 at position 2"),
        ({"patterns": "recomputed", "max_bytes": 100}, BudgetError, "the limit is 100"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    asked = {
        "expansion": "attn(2) bilinear",
        "query": "attn.0[1]",
        "weights": weights_of("attn(2) bilinear"),
        "tokens": [1, 2, 3],
    }
    assert ablate(**asked).verdict == "agrees"
    with pytest.raises(error, match=message):
        ablate(**(asked | given))


def test_activations_that_overflow_are_named() -> None:
    weights = weights_of("bilinear*5")
    huge = sc.Weights(weights.model, {name: array * 1e60 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match=r"the input at hand: .* not finite after bilinear\.1"):
        ablate("bilinear*5", "bilinear.0", huge, [1, 2])
    uneven = {name: array.copy() for name, array in weights.arrays.items()}
    uneven["W_E"][:, 3] *= 1e60
    assert ablate("bilinear*5", "bilinear.0", sc.Weights(weights.model, uneven), [1, 2]).verdict == "agrees"
    with pytest.raises(WeightsError, match=r"other: .* not finite after bilinear\."):
        ablate("bilinear*5", "bilinear.0", sc.Weights(weights.model, uneven), [1, 2], by="resample", other=[1, 3])


def test_too_many_states_are_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.expansion.queries.product as module

    weights, query = weights_of("(attn(3)|bilinear)*3"), "attn.0[0] <= 2 or attn.2[1] <= 3 or attn.4[2] <= 1 or order >= 9"
    assert ablate("(attn(3)|bilinear)*3", query, weights, [1, 2]).verdict == "agrees"
    monkeypatch.setattr(module, "MAX_MOVES", 100)
    for patterns in ("frozen", "recomputed"):
        with pytest.raises(BudgetError, match="over 100 transitions"):
            ablate("(attn(3)|bilinear)*3", query, weights, [1, 2], patterns=patterns)


def test_what_needs_no_run_is_checked_before_any_run(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.numeric.interventions.runs as module

    weights, runs = weights_of("attn(2) bilinear"), []
    right = module.freeze
    monkeypatch.setattr(module, "freeze", lambda *given: runs.append(given) or right(*given))
    asked = {"expansion": "attn(2) bilinear", "query": "attn.0[1]", "weights": weights, "tokens": [1, 2, 3]}
    for given in (
        {"by": "noise"},
        {"patterns": "warm"},
        {"query": "attn.0[7]"},
        {"by": "mean", "batch": [[1, 2, 3], [1, 2]]},
        {"by": "resample", "other": [1, 2, 9]},
        {"expansion": "attn(2)"},
    ):
        with pytest.raises((NotationError, TermError, TokensError, SpecError)):
            ablate(**(asked | given))
    assert runs == []
    ablate(**(asked | {"by": "mean", "batch": [[1, 2, 3], [1, 2, 2]]}))
    assert len(runs) == 3
