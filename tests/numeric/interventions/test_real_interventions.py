"""Interventions on biases, norms, positions, gates and polynomial attention, term by term and by forward passes written by hand."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from real_models import MODELS, WAYS, by_hand, gates, inputs_of, options, pattern, scale, weights_of

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TermError, TokensError
from symbolic_circuits.expansion.grammar import Component, Grammar, component_of, grammar_of
from symbolic_circuits.expansion.interpret import applied
from symbolic_circuits.expansion.queries.compiling import compile_query
from symbolic_circuits.expansion.queries.query import And, Count, Not, Or, Passes, Query
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.interventions.ablate import ablate
from symbolic_circuits.numeric.interventions.ablate_each import ablate_each
from symbolic_circuits.numeric.reference import forward
from symbolic_circuits.numeric.scaling.term_outputs import term_outputs
from symbolic_circuits.numeric.streams import Streams

QUERIES = (  # of the models that have what they name
    "attn.0[0]",
    "attn.*[0] > bilinear.*",
    "attn.*[0] >> attn.*[0]",
    "bilinear.*.left and not attn.0",
    "gated.*",
    "attn.0 >> gated.*",
    "one",
    "one >> attn.* or one >> bilinear.*.right",
    "position > attn.*",
    "bias.0 or attn.0",
    "bias.0 >> output",
    "attn.0[0] >> output",
    "embed >> attn.*",
    "attn.0[0] >= 2",
    "order <= 1",
    "degree >= 2",
    "attn.1.query",
    "attn.0.key1 > attn.0.query",
    "attn.0[0].query or attn.0[0].value and embed",
)
SIDES = (".left", ".right", ".value", ".query", ".key", ".query1", ".key1", ".query2", ".key2")
ANEW = [("terms", "recomputed"), ("activations", "frozen"), ("activations", "recomputed")]


def queries_of(model: str) -> list[str]:
    """Those whose components the model has, and that are neither none nor all of its terms."""
    expansion, found = sc.path_expansion(model), []
    for query in QUERIES:
        query = query.replace("embed", "embed" if expansion.model.embedding else "input")
        try:
            chosen = expansion.where(query)
        except TermError:
            continue
        if not chosen.is_empty:
            found.append(query)
    return found


CASES = [(model, query) for model in MODELS for query in queries_of(model)]


def without_output(query: Query) -> Query:
    """The query with every path that ends at the output false."""
    if isinstance(query, Not):
        return Not(without_output(query.query))
    if isinstance(query, And | Or):
        return type(query)(tuple(map(without_output, query.parts)))
    return Count("order", "<=", 0) & Count("order", ">", 0) if isinstance(query, Passes) and query.ends else query


class TermByTerm:
    """The definition of :mod:`symbolic_circuits.numeric.interventions.levels`, each term on its own."""

    def __init__(self, weights: sc.Weights, frozen: Frozen, sources: list[Frozen], query: str, way: tuple[str, str]) -> None:
        model, rules = frozen.model, sc.path_expansion(frozen.model).grammar.nonterminals
        self.weights, self.frozen, self.sources, self.replace = weights, frozen, sources, way[0]
        self.recomputed = way[1] == "recomputed"
        self.query = compile_query(without_output(sc.parse_query(query)), model)
        self.known: dict = {}
        self.terms: list[list[sc.Term]] = []
        self.read: dict[Component, list[list[sc.Term]]] = {}  # the terms that each input of a component may be
        self.held: dict[Component, bool] = {}
        for k, productions in enumerate(rules):
            for production in productions:
                component = production.component
                if component is not None and production.inputs:
                    slots = self.read.setdefault(component, [[] for _ in production.inputs])
                    for slot, source in zip(slots, production.inputs, strict=True):
                        slot += [term for term in self.terms[source] if term not in slot]
                    self.hold(component, production.inputs[0])
            self.terms.append(list(sc.PathExpansion(Grammar(model, rules[: k + 1]))))
        whole = compile_query(sc.parse_query(query), model)
        chosen = [whole.accepts(whole.state(y)) for y in self.terms[-1]]
        nothing = np.zeros(frozen.x0.shape)
        self.put_in_total = sum(
            (self.put(y) if self.inside(y) else self.fresh(y) for y, c in zip(self.terms[-1], chosen, strict=True) if c), nothing
        )
        self.after = self.put_in_total + sum(
            (self.kept(y) for y, c in zip(self.terms[-1], chosen, strict=True) if not c), nothing
        )

    def hold(self, component: Component, source: int) -> None:
        """What the intervened run holds of a component, computed of the stream that it reads (the first production's)."""
        key = (component.kind, component.layer)
        if key in self.held or not self.recomputed or len(component.slots) > 1:
            return
        self.held[key] = True
        stream = sum(self.put(y) if self.inside(y) else self.kept(y) for y in self.terms[source])
        x, k = stream[:, :4], component.layer
        if component.kind == "norm":
            found = {"scales": {**self.frozen.scales, k: scale(self.weights, x)}}
        elif component.kind == "attn":
            found = {"patterns": {**self.frozen.patterns, k: pattern(self.weights, k, component.spec, x)}}
        else:
            found = {"gates": {**self.frozen.gates, k: gates(self.weights, k, component.spec.gate, x)}}
        self.frozen = replace(self.frozen, **found)

    def memo(self, name: object, term: sc.Term, make: object) -> np.ndarray:
        if (name, term) not in self.known:
            self.known[name, term] = make()
        return self.known[name, term]

    def inside(self, term: sc.Term) -> bool:
        return self.memo("inside", term, lambda: self.query.accepts(self.query.state(term)))

    def kept(self, term: sc.Term) -> np.ndarray:
        return self.memo("kept", term, lambda: at(self.frozen, term, [self.kept(x) for x in term.inputs]))

    def own(self, term: sc.Term, k: int) -> np.ndarray:
        return self.memo(k, term, lambda: at(self.sources[k], term, [self.own(x, k) for x in term.inputs]))

    def mean(self, term: sc.Term) -> np.ndarray:
        if not self.sources:
            return np.zeros(self.frozen.x0.shape)
        return np.mean([self.own(term, k) for k in range(len(self.sources))], axis=0)

    def fresh(self, term: sc.Term) -> np.ndarray:
        """What is read of a term of other runs; activations are those of steps, so that norms of them are of the intervened run."""
        if term.component.kind == "norm" and self.replace == "activations":
            return at(self.frozen, term, [self.fresh(term.inputs[0])])
        return self.mean(term)

    def put(self, term: sc.Term) -> np.ndarray:
        return self.memo("put", term, lambda: self.put_anew(term))

    def put_anew(self, term: sc.Term) -> np.ndarray:
        component, inputs = term
        if self.replace == "terms" or not inputs or not self.sources:
            return self.mean(term)
        if component.kind == "norm":
            return at(self.frozen, term, [self.put(inputs[0])])
        if self.covers(component, [None] * len(inputs)):
            return self.mean(term)
        alone = [self.covers(component, [x if j == k else None for j in range(len(inputs))]) for k, x in enumerate(inputs)]
        if not any(self.inside(x) or decides for x, decides in zip(inputs, alone, strict=True)):
            return self.mean(term)
        values = [
            self.put(x) if self.inside(x) else self.fresh(x) if decides else self.kept(x)
            for x, decides in zip(inputs, alone, strict=True)
        ]
        return at(self.frozen, term, values)

    def covers(self, component: Component, inputs: list) -> bool:
        """Whether all terms of a component with these inputs are in the query; None stands for any input."""
        key = (component, tuple(inputs))
        if key not in self.known:
            choices = [of if x is None else [x] for x, of in zip(inputs, self.read[component], strict=True)]
            self.known[key] = all(self.inside(sc.Term(component, chosen)) for chosen in product(*choices))
        return self.known[key]


def at(frozen: Frozen, term: sc.Term, inputs: list[np.ndarray]) -> np.ndarray:
    """One component at arrays, with the factor 2 of a pair of different terms of a tied layer."""
    value = applied(term.component, inputs, Streams(frozen))
    return 2 * value if term.component.is_tied and term.inputs[0] != term.inputs[1] else value


# tables


@pytest.mark.parametrize(("model", "query"), CASES[::3])
def test_frozen_terms_keep_the_value_of_their_own_run(model: str, query: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    tokens, *others = inputs_of(weights, 3)
    selected = set(expansion.where(query))
    chosen = [term in selected for term in expansion]
    here, *elsewhere = (output_values(expansion, sc.freeze(weights, x)) for x in (tokens, *others))
    found = ablate(expansion, query, weights, tokens, by="mean", batch=others)
    assert found.number_of_terms == sum(chosen) and found.verdict == "agrees"
    put_in = np.mean([values[chosen].sum(0) for values in elsewhere], axis=0)
    assert_allclose(found.put_in, put_in, atol=1e-12)
    assert_allclose(found.after, here[np.logical_not(chosen)].sum(0) + put_in, atol=1e-12)
    assert_allclose(found.before, by_hand(weights, tokens)[0], atol=1e-12)


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)))
def test_every_option_against_the_definition_term_by_term(number: int, case: tuple[str, str]) -> None:
    compare(*case, ANEW[number % 3], list(WAYS)[number // 3 % 3], number)


@pytest.mark.parametrize(
    "query", ["attn.0[1] >= 2", "attn.0[0] >> bilinear.1", "one >= 1 and attn.0[1]", "attn.0[1] > bilinear.1 and not attn.0[0]"]
)
@pytest.mark.parametrize("way", ANEW)
def test_inputs_that_are_not_told_apart_decide_together(query: str, way: tuple[str, str]) -> None:
    compare("attn(2) bilinear(tied, b_1) attn(1)", query, way, "resample", 5)


def compare(model: str, query: str, way: tuple[str, str], by: str, number: int) -> None:
    """The library against the definition."""
    weights = weights_of(model, number)
    tokens, *others = inputs_of(weights, 1 + WAYS[by], number)
    found = ablate(model, query, weights, tokens, **options(by, others), replace=way[0], patterns=way[1])
    frozen, *sources = (sc.freeze(weights, x) for x in (tokens, *others))
    expected = TermByTerm(weights, frozen, sources, query, way)
    size = 1 + np.abs(found.before).max() + np.abs(found.after).max()
    assert_allclose(found.after, frozen.output(expected.after), atol=1e-11 * size)
    assert_allclose(found.put_in, frozen.output(expected.put_in_total), atol=1e-11 * size)
    assert found.remainder < 1e-10 * max(1, found.cancellation)


# laws


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("patterns", ["frozen", "recomputed"])
@pytest.mark.parametrize("replace", ["terms", "activations"])
def test_resampling_from_the_input_itself_changes_nothing(model: str, patterns: str, replace: str) -> None:
    weights = weights_of(model)
    (tokens,) = inputs_of(weights, 1)
    for query in queries_of(model)[::4]:
        found = ablate(model, query, weights, tokens, by="resample", other=tokens, patterns=patterns, replace=replace)
        assert_allclose(found.after, found.before, atol=1e-9)
        assert_allclose(found.before, by_hand(weights, tokens)[0], atol=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_everything_replaced_is_the_other_run(model: str) -> None:
    weights = weights_of(model)
    tokens, other = inputs_of(weights, 2)
    expected = by_hand(weights, other)[0]
    for way in (("terms", "frozen"), ("terms", "recomputed"), ("activations", "recomputed")):
        given = {"other": other, "replace": way[0], "patterns": way[1]}
        found = ablate(model, "order >= 0", weights, tokens, by="resample", **given)
        assert_allclose(found.after, expected, atol=1e-9)


# squares


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize("by", ["resample", "mean"])
def test_an_overwritten_component_is_a_forward_pass_by_hand(model: str, is_frozen: bool, by: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    here, *others = inputs_of(weights, 1 + WAYS[by])
    held = sc.freeze(weights, here) if is_frozen else None
    elsewhere = [by_hand(weights, x)[1] for x in others]
    before, outputs = by_hand(weights, here)
    for name in outputs:
        if reads_nothing_else(expansion, name):
            continue
        mean = np.mean([found[name] for found in elsewhere], axis=0)
        expected, _ = by_hand(weights, here, {name: mean}, held)
        way = {"patterns": "frozen" if is_frozen else "recomputed", "replace": "activations"}
        found = ablate(expansion, name, weights, here, **options(by, others), **way)
        assert found.verdict == "agrees"
        assert_allclose(found.before, before, atol=1e-12)
        assert_allclose(found.after, expected, atol=1e-11, err_msg=name)
        assert not np.allclose(found.after, before, atol=1e-3)


def reads_nothing_else(expansion: sc.PathExpansion, name: str) -> bool:
    """Whether all terms of some other component pass this one, so that the query takes it along."""
    others = [other for other, c in expansion.components.items() if c.is_block and other != name]
    return any(expansion.where(f"{other} and not {name} > {other}").is_empty for other in others)


@pytest.mark.parametrize("model", [m for m in MODELS if "post_norm" not in m])
def test_a_block_ablated_is_the_forward_pass_without_it(model: str) -> None:
    weights = weights_of(model)
    (tokens,) = inputs_of(weights, 1)
    for k, spec in weights.model.numbered():
        kind = "attn" if isinstance(spec, sc.Attention) else ("gated" if spec.gate else "bilinear")
        own = f" or bias.{k}" if {"b_O", "b_out"} & set(spec.biases) else ""
        found = ablate(model, f"{kind}.{k}{own}", weights, tokens, patterns="recomputed")
        run = forward(weights.model, weights.arrays, tokens, without=[k])
        assert_allclose(found.after, run.output, atol=1e-11)
        for mine, theirs in ((found.attention, run.patterns), (found.scales, run.scales), (found.gates, run.gates)):
            assert all(np.allclose(mine[j], theirs[j]) for j in mine if j != k)
            assert mine or not theirs or any(b.is_polynomial for _, b in weights.model.numbered() if isinstance(b, sc.Attention))


def test_a_norm_does_not_see_that_the_output_does_not_read_a_head() -> None:
    weights = weights_of("[layer_norm, gains] attn(2) bilinear attn(1)")
    tokens, other = inputs_of(weights, 2)
    frozen, heads = sc.freeze(weights, tokens), [by_hand(weights, x)[1]["attn.0[1]"] for x in (tokens, other)]

    def read(x: np.ndarray) -> np.ndarray:
        centred = frozen.scales[3][:, None] * (x - x.mean(1, keepdims=True)) * weights.arrays["norm.3.w"]
        return centred @ weights.arrays["W_U"].T

    for patterns in ("frozen", "recomputed"):
        found = ablate(weights.model, "attn.0[1] >> output", weights, tokens, patterns=patterns)
        assert_allclose(found.before - found.after, read(heads[0]), atol=1e-11)
        edge = {"by": "resample", "other": other, "replace": "activations"}
        found = ablate(weights.model, "attn.0[1] >> output", weights, tokens, patterns=patterns, **edge)
        assert_allclose(found.before - found.after, read(heads[0] - heads[1]), atol=1e-11)


# the causal graph


def brute(expansion: sc.PathExpansion, values: np.ndarray) -> dict[str, float]:
    """The sum of the terms with each node, each edge u >> v, and each edge into one input, norms looked through."""
    found: dict[str, float] = {}
    for term, value in zip(expansion, values, strict=True):
        for name in sorted(passed(term)):
            found[name] = found.get(name, 0.0) + value
    return found


def passed(term: sc.Term) -> set[str]:
    """The names of the nodes and edges of a term."""
    names, waiting = {f"{through_norms(term).component.name} >> output"}, [through_norms(term)]
    while waiting:
        component, inputs = waiting.pop()
        names.add(component.name)
        for slot, x in zip(component.slots, map(through_norms, inputs), strict=True):
            names |= {f"{x.component.name} >> {component.name}", f"{x.component.name} >> {component.name}.{slot}"}
            waiting.append(x)
    return names


def through_norms(term: sc.Term) -> sc.Term:
    """The term that the norms at the end of a term are of."""
    while term.component.kind == "norm":
        (term,) = term.inputs
    return term


@pytest.mark.parametrize("model", MODELS)
def test_edges_and_nodes_are_sums_of_terms(model: str) -> None:
    weights, expansion = weights_of(model, 3), sc.path_expansion(model)
    (tokens,) = inputs_of(weights, 1)
    frozen = sc.freeze(weights, tokens)
    graph = sc.causal_graph(expansion, weights, tokens, position=1, token=3, against=0)
    outputs = output_values(expansion, frozen, [1])[:, 0]
    expected = brute(expansion, outputs[:, 3] - outputs[:, 0])
    nodes = {name for name, component in expansion.components.items() if component.kind != "norm"}
    assert set(graph) == {*nodes, "output"}
    for name in nodes:
        assert graph.nodes[name]["effect"] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name
    edges = {f"{u} >> {v}": data for u, v, data in graph.edges(data=True)}
    assert set(edges) == {name for name in expected if " >> " in name and not name.endswith(SIDES)}
    for name, data in edges.items():
        assert data["weight"] == pytest.approx(expected[name], rel=1e-9, abs=1e-12), name
        for side in set(data) - {"weight"}:
            assert data[side] == pytest.approx(expected.get(f"{name}.{side}", 0.0), rel=1e-9, abs=1e-12), (name, side)
    for _, v, data in graph.edges(data=True):
        component = expansion.components.get(v)
        sides = () if component is None or component.is_tied or len(component.slots) == 1 else component.slots
        assert set(data) == {"weight", *sides}
    total = by_hand(weights, tokens)[0][1]
    assert graph.graph["total"] == pytest.approx(total[3] - total[0]) and graph.graph["remainder"] < 1e-12


@pytest.mark.parametrize("model", MODELS[4:6])
def test_edges_are_totals_of_queries_and_effects_of_ablations(model: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    (tokens,) = inputs_of(weights, 1)
    graph = sc.causal_graph(expansion, weights, tokens, token=2)
    for u, v, data in graph.edges(data=True):
        for name, value in data.items():
            query = f"{u} >> {v}" + ("" if name == "weight" else f".{name}")
            found = ablate(expansion, query, weights, tokens)
            assert value == pytest.approx(-found.effect(token=2), abs=1e-11), query


def test_small_effects_through_polynomial_patterns_keep_their_digits() -> None:
    weights = weights_of("[rms_norm] attn(2) attn(1, linear) attn(1)")
    (tokens,) = inputs_of(weights, 1)
    scaled = weights.arrays["attn.0.W_O"] * np.array([1, 1e-14])[:, None, None]
    small = sc.Weights(weights.model, dict(weights.arrays) | {"attn.0.W_O": scaled})
    graph, expansion = sc.causal_graph(small.model, small, tokens, token=1), sc.path_expansion(small.model)
    for side, value in graph.edges["attn.0[1]", "attn.1[0]"].items():
        query = "attn.0[1] >> attn.1[0]" + ("" if side == "weight" else f".{side}")
        expected = sc.total(expansion.where(query), small, tokens)[-1, 1]
        assert value == pytest.approx(expected, rel=1e-9, abs=0) and 0 < abs(expected) < 1e-12


# many inputs


@pytest.mark.parametrize("model", [MODELS[4], MODELS[8]])
@pytest.mark.parametrize("way", [("terms", "frozen"), *ANEW[1:]])
def test_a_batch_is_ablated_as_each_input_by_itself(model: str, way: tuple[str, str]) -> None:
    weights = weights_of(model)
    inputs, given = inputs_of(weights, 3), {"replace": way[0], "patterns": way[1]}
    one, *others = inputs_of(weights, 3, seed=9)
    for more in ({"by": "mean"}, {"by": "mean", "batch": others}, {"by": "resample", "other": one}, {"by": "zero"}):
        alone = {"batch": inputs} | more if more["by"] == "mean" else more
        for found, x in zip(ablate_each(model, "attn.0[0]", weights, inputs, **more, **given), inputs, strict=True):
            expected = ablate(model, "attn.0[0]", weights, x, **alone, **given)
            assert np.array_equal(found.after, expected.after) and np.array_equal(found.put_in, expected.put_in)
            assert (found.inputs, found.verdict) == (expected.inputs, "agrees")


def test_a_batch_shares_its_plan_and_its_means(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.numeric.interventions.ablate as planning
    import symbolic_circuits.numeric.interventions.runs as runs

    weights, calls, seen = weights_of("[rms_norm] attn(2) bilinear"), {"plans": 0, "runs": 0}, []
    make, run = planning.Levels, runs.freeze
    monkeypatch.setattr(planning, "Levels", lambda *given: calls.update(plans=calls["plans"] + 1) or make(*given))
    monkeypatch.setattr(runs, "freeze", lambda *given: calls.update(runs=calls["runs"] + 1) or run(*given))
    inputs, others = inputs_of(weights, 5), inputs_of(weights, 4, seed=8)
    given = {"by": "mean", "batch": others, "patterns": "recomputed", "progress": lambda *pair: seen.append(pair)}
    assert len(list(ablate_each(weights.model, "attn.0[1]", weights, inputs, **given))) == 5
    assert calls == {"plans": 1, "runs": 9} and seen == [(k, 5) for k in range(1, 6)]


@pytest.mark.parametrize("model", [MODELS[4], MODELS[11], MODELS[14]])
def test_outputs_of_terms_over_a_batch_are_one_array(model: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    batch = inputs_of(weights, 3)
    found = term_outputs(expansion, weights, batch)
    assert found.shape == (3, expansion.number_of_terms, 3, 6 if weights.model.unembedding else 4)
    for values, x in zip(found, batch, strict=True):
        assert np.array_equal(values, output_values(expansion, sc.freeze(weights, x)))
        assert_allclose(values.sum(axis=0), by_hand(weights, x)[0], atol=1e-12)
    some = expansion.where("order <= 1")
    last = term_outputs(some, weights, [batch[0], batch[1][:2]], positions=[-1])
    assert last.shape[:3] == (2, some.number_of_terms, 1)
    assert_allclose(last[1, :, 0], output_values(some, sc.freeze(weights, batch[1][:2]))[:, -1], atol=1e-12)


@pytest.mark.parametrize(
    "model", ["attn(2, linear, b_K) bilinear(b_1)", "attn(1, bilinear, bias)", "[rms_norm] attn(1) bilinear(tied, b_1)"]
)
def test_blocks_of_terms_of_components_with_many_inputs(model: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    frozen = sc.freeze(weights, inputs_of(weights, 1)[0])
    values, generator = output_values(expansion, frozen), np.random.default_rng(0)
    for _ in range(12):
        start, stop = sorted(map(int, generator.integers(0, expansion.number_of_terms + 1, 2)))
        part = sc.block(expansion, start, stop)
        assert part.number_of_terms == stop - start and set(part) == set(expansion[start:stop])
        assert_allclose(output_values(part, frozen).sum(0), values[start:stop].sum(0), atol=1e-12)
    parts = sc.in_order(sc.each_block(sc.output_values, expansion, frozen, size=7))
    assert_allclose(np.concatenate(parts).sum(0), values.sum(0), atol=1e-12)


def test_patches_swap_terms_of_real_models() -> None:
    weights = weights_of("[layer_norm, gains, learned, b_U] attn(2, bias) bilinear(bias)")
    tokens, other = inputs_of(weights, 2)
    for query in ("attn.0[1] > bilinear.1", "one", "bias.0"):
        found = sc.patch(weights.model, query, weights, tokens, other)
        assert_allclose(found.after + found.source_after, found.before + found.source_before, atol=1e-11)
    head = by_hand(weights, other)[1]["attn.0[1]"]
    anew = sc.patch(weights.model, "attn.0[1]", weights, tokens, other, patterns="recomputed", replace="activations")
    assert_allclose(anew.after, by_hand(weights, tokens, {"attn.0[1]": head})[0], atol=1e-11)


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"inputs": [1, 2, 3]}, TokensError, "put a single one in a list"),
        ({"inputs": []}, TokensError, "at least one"),
        ({"inputs": 3}, TokensError, "inputs are a list of sequences; got int"),
        ({"inputs": [[1, 2, 3], [1, 2, 9]]}, TokensError, "input 1: token 9 at position 2"),
        ({"inputs": [[1, 2, 3], [1, 2]]}, TokensError, "input 1 has 2 positions, but the input at hand has 3"),
        ({"other": [1, 2, 3]}, TokensError, "by='mean' takes batch; got other="),
        ({"batch": [[1, 2]]}, TokensError, "batch has 2 positions, but .* has 3"),
        ({"query": "position"}, TermError, "no component position"),
        ({"max_bytes": 10}, BudgetError, "the limit is 10"),
    ],
)
def test_errors_of_a_batch(given: dict, error: type[Exception], message: str) -> None:
    asked = {"query": "one", "inputs": [[1, 2, 3], [3, 2, 1]], "by": "mean"}
    weights = weights_of("[rms_norm, b_U] attn(2)")
    assert len(list(ablate_each(weights.model, weights=weights, **asked))) == 2
    with pytest.raises(error, match=message):
        ablate_each(weights.model, weights=weights, **(asked | given))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"batch": [1, 2]}, TokensError, "put a single one in a list"),
        ({"batch": [[1, 2], [1, 2, 3]]}, TokensError, "of 2 and of 3 positions make no array"),
        ({"batch": [[1, 2]], "positions": [2]}, TokensError, "position 2 is outside"),
        ({"expansion": "attn(3)"}, SpecError, "but the weights are of"),
        ({"max_bytes": 100}, BudgetError, "outputs of 35 terms at 2 inputs take 6,720 bytes; the limit is 100"),
    ],
)
def test_errors_of_outputs_of_terms(given: dict, error: type[Exception], message: str) -> None:
    weights = weights_of("attn(2, b_V) bilinear(b_1)")
    asked = {"expansion": "attn(2, b_V) bilinear(b_1)", "batch": [[1, 2], [2, 1]]}
    with pytest.raises(error, match=message):
        term_outputs(weights=weights, **(asked | given))
    assert term_outputs(weights=weights, **asked).shape[0] == 2


def test_terms_of_scores_are_not_intervened_on() -> None:
    weights = weights_of("[rms_norm] attn(2) attn(1)")
    assert ablate(sc.path_expansion(weights.model), "attn.0", weights, [1, 2]).verdict == "agrees"
    scores = sc.PathExpansion(grammar_of(weights.model, root=component_of(weights.model, "scores", 1, 0)))
    with pytest.raises(TermError, match="interventions are on the output of a model"):
        ablate(scores, "attn.0", weights, [1, 2])
