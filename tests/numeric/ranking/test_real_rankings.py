"""Rankings and explanations of models with biases, norms, positions, gates and attention without softmax, against the values of all terms."""

from itertools import combinations

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, CertificateError, SpecError, TermError
from symbolic_circuits.expansion.interpret import fold, interpret_grammar
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking import rank as ranking
from symbolic_circuits.numeric.ranking.ground import Ground
from symbolic_circuits.numeric.ranking.prefix_bounds import MAX_WORK
from symbolic_circuits.numeric.ranking.term_errors import TermErrors
from symbolic_circuits.numeric.ranking.through import DIRECT, Through
from symbolic_circuits.numeric.streams import Streams

SEARCHED = [
    "attn(2, bias) bilinear(bias)",
    "[b_U] attn(2) bilinear(b_1)",
    "attn(2, b_V)|bilinear(tied, b_1)",
    "[rms_norm] attn(2) bilinear attn(2)",
    "[layer_norm, gains, b_U, learned] attn(2, bias, output_scale) bilinear(bias) attn(2, bias)",
    "[rms_norm, gains, post_norm] attn(2) bilinear(tied, b_1, b_out) attn(2, b_V)",
    "[layer_norm, gains, post_norm] attn(2, b_V)|bilinear(b_2) bilinear",
    "[layer_norm, gains, post_norm, learned] attn(2, bias)*3",
    "[no embed, no unembed, layer_norm, gains] attn(2, b_V) bilinear(no out)",
    "[no unembed, rms_norm, no final_norm] attn(2, bias)|bilinear(tied, bias) attn(1)",
    "[learned, layer_norm] bilinear(tied, bias) attn(2) bilinear(b_1)",
    "[rms_norm, post_norm] bilinear(no residual, b_1) attn(2, b_V, no residual) bilinear(no out, tied, b_1)",
    "[rotary, rms_norm] attn(2) bilinear",
    "attn(2, linear, frozen) bilinear(b_2)",
    "bilinear(silu)*2",
    "[rotary, rms_norm] attn(2) bilinear(relu, bias)",
    "[layer_norm, gains, b_U] attn(2, b_V) bilinear(gelu, no out, bias) attn(2)",
    "attn(2, b_V)|bilinear(gelu, bias) bilinear bilinear(relu, no out, b_2)",
]
EVALUATED = [
    "attn(1, linear)*2",
    "attn(1, bilinear, bias)",
    "[rotary, b_U] attn(2, linear, bias) bilinear(no out, b_1)",
    "[shortformer, rms_norm] attn(2, bilinear)",
    "[learned] attn(2, linear, no score_scale) bilinear(tied)",
    "[layer_norm, gains] attn(1, linear, b_V) bilinear(silu, b_2)",
]
QUERIES = [None, "attn", "order <= 2", "not attn.0[0]", "height >= 2 and not bilinear >> output"]
READOUTS = [{"token": 3}, {"token": 0, "against": 1}, {"direction": [1.0, -2.0, 0.0, 0.5, 1.0]}, {}]


def frozen_at(model: str, *, n: int = 4, e: int = 2, seed: int = 0, signed: bool = False) -> Frozen:
    """Random weights with five coordinates and tokens; with signs, patterns and scales that no model gives."""
    weights = sc.Weights.random(model, d=5, V=5, e=e, m=4, seed=seed)
    generator = np.random.default_rng(seed)
    source = generator.integers(0, 5, n) if weights.model.embedding else generator.standard_normal((n, 5))
    frozen = sc.freeze(weights, source)
    if not signed:
        return frozen
    patterns, scales = (
        {k: A * np.sign(generator.standard_normal(A.shape)) for k, A in held.items()} for held in (frozen.patterns, frozen.scales)
    )
    return Frozen(frozen.model, frozen.weights, patterns, frozen.source, None, scales, frozen.gates)


def values_of(expansion: sc.PathExpansion, frozen: Frozen, wanted: dict) -> np.ndarray:
    """What is ranked of every term, by the outputs of all of them."""
    outputs = output_values(expansion, frozen, [-1])[:, 0]
    if not wanted:
        return np.linalg.norm(outputs, axis=1)
    vector = np.zeros(5)
    vector[wanted.get("token", 0)] = 1
    if "against" in wanted:
        vector[wanted["against"]] -= 1
    return outputs @ np.asarray(wanted.get("direction", vector))


def require_right(found: sc.Ranking, expansion: sc.PathExpansion, values: np.ndarray, top: int) -> None:
    """The list is the top; no other term exceeds the bound; every value is that of its term."""
    listed = [expansion.index(term) for term, _ in found]
    assert len(set(listed)) == len(listed) == min(top, np.count_nonzero(values))
    np.testing.assert_allclose([value for _, value in found], values[listed], rtol=1e-9, atol=found.margin)
    rest = np.delete(np.abs(values), listed).max(initial=0.0)
    assert rest <= found.bound and found.is_certified and rest <= found.smallest + 3 * found.margin


def where(model: str, query: str | None) -> sc.PathExpansion | None:
    """The terms of a query; None where the model has no such component, or no such term."""
    try:
        expansion = sc.path_expansion(model) if query is None else sc.path_expansion(model).where(query)
    except TermError:
        return None
    return None if expansion.is_empty else expansion


def random_model(seed: int) -> str:
    """Biases, norms, positions, gates and blocks at random, without expanded patterns."""
    generator = np.random.default_rng(seed)

    def some(*words: str) -> list[str]:
        return [word for word in words if generator.random() < 0.5]

    norm = ["", "rms_norm", "layer_norm"][generator.integers(3)]
    head = ([norm, *some("gains", "post_norm")] if norm else []) + some("learned", "b_U")
    blocks = []
    for _ in range(generator.integers(1, 4)):
        if generator.random() < 0.5:
            blocks.append(f"attn({', '.join(['2', *some('b_V', 'b_O', 'output_scale')])})")
        else:
            kind = [[], ["tied"], ["silu"]][generator.integers(3)]
            inside = some("b_1", "b_out", "no out") + ([] if kind == ["tied"] else some("b_2"))
            options = ", ".join([*kind, *inside])
            blocks.append(f"bilinear({options})" if options else "bilinear")
    joined = "".join(block + ("|" if generator.random() < 0.25 else " ") for block in blocks).strip(" |")
    return f"[{', '.join(head)}] {joined}" if head else joined


# tables


def test_a_term_of_biases_and_norms_is_found_and_named():
    frozen = frozen_at("[rms_norm, b_U] attn(2, b_V)")
    arrays = dict(frozen.weights) | {"b_U": np.array([0, 0, 0, 100.0, 0])}
    frozen = Frozen(frozen.model, arrays, frozen.patterns, frozen.source, None, frozen.scales)
    found = sc.rank(frozen.model, frozen, token=3, top=9, method="search")
    assert (str(found.terms[0].term), found.terms[0].value) == ("one", 100.0)
    assert {str(term) for term, _ in found} == {
        "one",
        "norm.1(embed)",
        *(f"norm.1(attn.0[{h}]({x}))" for h in (0, 1) for x in ("norm.0(embed)", "one")),
    }


@pytest.mark.parametrize(
    "model", ["[rms_norm] (attn(8) bilinear)*2", "[layer_norm, gains, learned, b_U] (attn(8, bias) bilinear(bias))*2"]
)
def test_a_search_closes_as_without_norms(model):
    weights = sc.Weights.random(model, V=50, d=64, e=8, m=64, seed=0)
    expansion = sc.path_expansion(model)
    found = sc.rank(expansion, weights, np.arange(16), token=3, top=10, max_values=50_000_000)
    assert found.is_certified and found.bounded and found.evaluated < 0.2 * expansion.number_of_terms
    np.testing.assert_allclose(found.total, sc.freeze(weights, np.arange(16)).forward().output[-1, 3])


# laws: search and bounds


@pytest.mark.parametrize("model", SEARCHED)
def test_search_finds_what_evaluating_every_term_finds(model):
    for seed, query in enumerate(QUERIES):
        expansion = where(model, query)
        if expansion is None:
            continue
        frozen = frozen_at(model, seed=seed, signed=seed % 2 == 1, e=(1, 2, 7)[seed % 3] if "rotary" not in model else 2)
        for wanted in READOUTS[seed % 2 :: 2]:
            values = values_of(expansion, frozen, wanted)
            for top in (1, 5):
                require_right(sc.rank(expansion, frozen, **wanted, top=top, method="search"), expansion, values, top)
            require_right(sc.rank(expansion, frozen, **wanted, top=5, method="every"), expansion, values, 5)


@pytest.mark.parametrize("model", EVALUATED)
def test_models_that_are_not_searched_are_evaluated(model):
    for seed, query in enumerate(QUERIES):
        expansion = where(model, query)
        if expansion is None:
            continue
        frozen = frozen_at(model, seed=seed)
        for wanted in READOUTS[seed % 2 :: 2]:
            require_right(sc.rank(expansion, frozen, **wanted, top=5), expansion, values_of(expansion, frozen, wanted), 5)


@pytest.mark.parametrize("seed", range(24))
def test_search_on_models_drawn_at_random(seed):
    model = random_model(seed)
    expansion, frozen = sc.path_expansion(model), frozen_at(model, seed=seed, signed=seed % 3 == 2)
    if expansion.number_of_terms > 20_000:
        expansion = expansion.where("order <= 3")
    for wanted in READOUTS[seed % 2 :: 2]:
        values = values_of(expansion, frozen, wanted)
        require_right(sc.rank(expansion, frozen, **wanted, top=4, method="search"), expansion, values, 4)


@pytest.mark.parametrize("max_bytes", [20_000, 200_000])
@pytest.mark.parametrize(
    "model", ["[layer_norm, gains, learned] bilinear(b_1)*2 attn(2)", "[rms_norm] (attn(2, b_V) bilinear)*2"]
)
def test_lists_that_do_not_fit_are_bounded(model, max_bytes):
    for seed in range(3):
        frozen, expansion = frozen_at(model, seed=seed), sc.path_expansion(model)
        for wanted in ({"token": 2}, {}):
            found = sc.rank(expansion, frozen, **wanted, top=4, method="search", max_bytes=max_bytes)
            values = values_of(expansion, frozen, wanted)
            listed = [expansion.index(term) for term, _ in found]
            np.testing.assert_allclose([value for _, value in found], values[listed], rtol=1e-9, atol=found.margin)
            assert np.delete(np.abs(values), listed).max() <= found.bound


@pytest.mark.parametrize("work", [0.0, MAX_WORK])
@pytest.mark.parametrize("model", [*SEARCHED[4:7], SEARCHED[9], SEARCHED[16]])
def test_bounds_hold_for_every_term_that_is_read(model, work):
    frozen, expansion = frozen_at(model, signed=True, seed=1), sc.path_expansion(model)
    probe = np.eye(4)[-1]
    root = frozen.on_stream(np.eye(frozen.output_width)[2])[None]
    ground, streams = Ground(expansion, frozen, root, probe, 2**28, work=work), Streams(frozen)
    bounds = ground.sharp.bounds
    for family in ground.chains.heads:
        for term in expansion.enumeration.terms(family.source):
            read = np.linalg.norm(fold(term, streams) @ family.W_V.swapaxes(1, 2), axis=-1)
            assert (read <= bounds.beta[family.number][:, term.order] * (1 + 1e-9)).all()
    for k, nu in enumerate(bounds.nu):
        for term in expansion.enumeration.terms(k):
            sizes = np.linalg.norm(fold(term, streams), axis=1)
            assert (sizes <= nu[term.order] * (1 + 1e-9))[ground.needed[k]].all()


@pytest.mark.parametrize("model", [SEARCHED[1], SEARCHED[3], SEARCHED[5], SEARCHED[8], SEARCHED[17]])
def test_outside_bounds_hold_for_every_part_of_a_term(model):
    frozen, expansion = frozen_at(model, seed=2), sc.path_expansion(model)
    root = frozen.on_stream(np.eye(frozen.output_width)[2])[None]
    ground = Ground(expansion, frozen, root, np.eye(4)[-1], 2**28)
    streams, member = Streams(frozen), expansion.enumeration.membership
    for term in expansion.sample(300, seed=0):
        value = abs(root[0] @ fold(term, streams)[-1]) / term.coefficient
        waiting = [term]
        while waiting:
            part = waiting.pop()
            waiting.extend(part.inputs)
            sizes = np.linalg.norm(fold(part, streams), axis=1) / part.coefficient
            assert value <= max(float(sizes @ ground.outside[k]) for k in member.of(part, {})) * (1 + 1e-9)


def test_the_map_of_norms_in_a_row_is_what_they_do():
    frozen = frozen_at("[layer_norm, gains, b_U] attn(2, b_V) bilinear", signed=True)
    rules = {
        p.component.name: p.component
        for rules in sc.path_expansion(frozen.model).grammar.nonterminals
        for p in rules
        if p.component
    }
    via, streams = DIRECT, Streams(frozen)
    x = np.random.default_rng(0).standard_normal((4, 6))
    out = x
    for name in ("norm.0", "norm.2", "norm.1"):
        via, out = via.then(frozen, rules[name]), streams.norm(rules[name], out)
    assert isinstance(via, Through) and DIRECT.turned(x) is x and DIRECT.written(x) is x and DIRECT.scaled(x) is x
    np.testing.assert_allclose(via.rho[:, None] * via.written(x.T).T, out)
    W = np.random.default_rng(1).standard_normal((3, 6))
    np.testing.assert_allclose(via.rho[:, None] * (x @ via.turned(W).T), out @ W.T)
    assert np.linalg.norm(via.turned(np.eye(6)), ord=2) <= via.gain * (1 + 1e-12)


@pytest.mark.parametrize("model", EVALUATED + SEARCHED[::2])
def test_sizes_and_rounding_of_terms_are_within_their_bounds(model):
    frozen, expansion = frozen_at(model, seed=3), sc.path_expansion(model)
    found, longer = interpret_grammar(expansion.grammar, TermErrors(frozen))[-1], frozen.astype(np.longdouble)
    streams, exact = Streams(frozen), Streams(longer)
    for term in expansion.sample(200, seed=0):
        x, y = fold(term, streams), fold(term, exact)
        assert (np.linalg.norm(x, axis=1) <= found.nu * (1 + 1e-9)).all()
        assert (np.linalg.norm((x - y).astype(float), axis=1) <= found.err).all()
    assert (found.err <= 1e-9 * (1 + found.nu)).all()


@pytest.mark.parametrize("method", ["search", "every"])
@pytest.mark.parametrize("model", SEARCHED)
def test_the_margin_covers_rounding(model, method):
    frozen = frozen_at(model, seed=4)
    found = sc.rank(model, frozen, token=2, method=method, top=500)
    longer = frozen.astype(np.longdouble)
    root = longer.on_stream(np.eye(5, dtype=np.longdouble)[2])
    streams = Streams(longer)
    assert all(abs(float(root @ fold(term, streams)[-1] - np.longdouble(value))) <= found.margin for term, value in found)
    assert found.margin < 1e-9


@pytest.mark.parametrize("method", ["search", "every"])
def test_terms_that_tie_are_listed_by_their_numbers(method):
    model = "[rms_norm] attn(2) bilinear(b_1, b_2)"
    frozen = frozen_at(model)
    arrays = dict(frozen.weights)
    for letter in "VO":
        W = arrays[f"attn.0.W_{letter}"]
        arrays[f"attn.0.W_{letter}"] = np.concatenate([W[:1], W[:1]])
    A = frozen.patterns[0]
    frozen = Frozen(frozen.model, arrays, {0: np.concatenate([A[:1], A[:1]])}, frozen.source, None, frozen.scales)
    expansion = sc.path_expansion(model)
    found = sc.rank(expansion, frozen, token=1, top=7, method=method)
    require_right(found, expansion, values_of(expansion, frozen, {"token": 1}), 7)
    sizes = [(-abs(value), expansion.index(term)) for term, value in found]
    assert [k for _, k in sizes] == [k for _, k in sorted((round(v, 12), k) for v, k in sizes)]


# explanations


@pytest.mark.parametrize("model", [*SEARCHED[:6], SEARCHED[15], *EVALUATED[:4]])
def test_explanations_are_right_and_no_smaller_set_is(model):
    frozen, expansion = frozen_at(model, seed=5), sc.path_expansion(model)
    for wanted in ({"token": 1}, {}):
        outputs = output_values(expansion, frozen, [-1])[:, 0]
        values = outputs[:, 1:2] if wanted else outputs
        total = values.sum(axis=0)
        for limit in (2_000_000, 0):  # all terms, or the largest
            found = sc.explain(expansion, frozen, **wanted, fraction=0.8, max_terms=limit)
            assert found.is_explained
            listed = [expansion.index(term) for term, _ in found]
            left = np.linalg.norm(values[listed].sum(axis=0) - total)
            assert left <= 0.2 * np.linalg.norm(total) + found.rounding
            np.testing.assert_allclose(found.left, left, atol=1e-9)
            assert found.lower_bound <= len(listed)
        for size in range(1, min(found.lower_bound, 3 if len(values) < 60 else 2)):
            sets = np.array(list(combinations(range(len(values)), size)), dtype=int).reshape(-1, size)
            assert (np.linalg.norm(values[sets].sum(axis=1) - total, axis=1) > 0.2 * np.linalg.norm(total)).all()


@pytest.mark.parametrize("model", [SEARCHED[4], SEARCHED[15], EVALUATED[0]])
def test_local_complexity_of_a_batch(model):
    weights = sc.Weights.random(model, d=5, V=5, e=2, m=4, seed=0)
    batch = [[0, 1, 2], [4, 3, 2, 1]]
    found = sc.local_complexity(model, weights, batch)
    assert found.is_explained and len(found.inputs) == 2
    for tokens, one in zip(batch, found.inputs, strict=True):
        logits = sc.freeze(weights, tokens).forward().output[-1]
        second, first = np.argsort(logits)[-2:]
        again = sc.explain(model, weights, tokens, token=int(first), against=int(second))
        assert (again.size, again.lower_bound) == (one.size, one.lower_bound)
        np.testing.assert_allclose(one.total, logits[first] - logits[second])


# errors


def test_a_search_through_expanded_patterns_is_refused():
    frozen = frozen_at("attn(2, linear)")
    assert sc.rank("attn(2, linear)", frozen, token=1, top=2).is_certified
    with pytest.raises(
        SpecError, match=r"patterns are expanded \(attn\.0\[0\], attn\.0\[1\]\) are not searched: use method='every'"
    ):
        sc.rank("attn(2, linear)", frozen, token=1, top=2, method="search")
    frozen = frozen_at("attn(2, linear, frozen)")
    assert sc.rank("attn(2, linear, frozen)", frozen, token=1, method="search").is_certified


def test_too_many_terms_that_are_not_searched(monkeypatch):
    model = "attn(2, linear)*2"
    expansion, frozen = sc.path_expansion(model), frozen_at(model)
    monkeypatch.setattr(ranking, "MOST", 56)
    with pytest.raises(
        BudgetError, match=r"has 57 terms.*attn\.1\[1\]\); they are not searched, and up to 56 .*rank those of a query"
    ):
        sc.rank(expansion, frozen, token=1)
    assert len(sc.rank(expansion.where("order <= 2"), frozen, token=1, top=3)) == 3
    assert len(sc.rank(expansion, frozen, token=1, top=3, method="every")) == 3


def test_bounds_that_leave_out_a_norm_are_found_out(monkeypatch):
    """The comparison with all values has teeth: without the scales, bounds are too small or values are not those of their terms."""
    model = SEARCHED[3]
    frozen, expansion = frozen_at(model), sc.path_expansion(model)
    values = values_of(expansion, frozen, {"token": 2})
    require_right(sc.rank(expansion, frozen, token=2, top=5, method="search"), expansion, values, 5)
    with monkeypatch.context() as patch, pytest.raises(CertificateError, match="was found with the value"):
        patch.setattr(Through, "scaled", lambda self, P: P)
        sc.rank(expansion, frozen, token=2, top=5, method="search")
    monkeypatch.setattr(Through, "sized", lambda self, bounds, at=None: bounds * 0.02)
    with pytest.raises(AssertionError):
        require_right(sc.rank(expansion, frozen, token=2, top=5, method="search"), expansion, values, 5)
