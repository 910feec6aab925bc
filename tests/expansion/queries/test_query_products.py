"""Queries select the terms that brute force selects; products are expansions: counted, indexed, listed, sampled, graded, summed."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
import sympy
from random_queries import MODELS, holds, random_query

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, CodeError, SpecError, TermError, TermIndexError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra, fold
from symbolic_circuits.expansion.proof import bilinear_blocks, tensor_of
from symbolic_circuits.expansion.queries import product as product_module
from symbolic_circuits.expansion.queries.automaton import Height
from symbolic_circuits.expansion.queries.by_state import ByState
from symbolic_circuits.expansion.queries.compiling import QueryAutomaton, compile_query
from symbolic_circuits.expansion.queries.language import parse_query
from symbolic_circuits.expansion.queries.product import product

RANDOM = 504  # random queries in all
LARGE = "(attn(12) bilinear)*12"
COUNTS = [  # model, query, number of terms
    ("attn(2) bilinear", "attn.0[1] > bilinear.1.left", 3),
    ("attn(2) bilinear", "not attn", 2),
    ("attn(2) bilinear", "bilinear.1", 9),
    ("attn(2) bilinear(tied)", "attn.0[1] and bilinear", 3),
    ("attn(2) bilinear(tied)", "attn.0[0] and attn.0[1]", 1),
    ("attn(12)*2", "attn.*[3]", 2 + 2 * 11 + 1),
    ("attn(12)*2", "attn.*[3] >> attn.*[3]", 1),
    ("attn(H)*2", "attn = 1", 2 * sympy.Symbol("H", integer=True, positive=True)),
    ("bilinear*3", "height <= 1", 4),
    ("bilinear*3", "bilinear.0 >> bilinear.2.left", 6),
    ("bilinear*2", "embed >> bilinear.1.left", 2),
    ("bilinear*2", "embed >> output", 1),
]
CLASSES = [  # model, query, number of path classes
    ("attn(3) bilinear", "attn > bilinear.1.left", 2),
    ("attn(3) bilinear", "attn.0[1] > bilinear.1.left", 4),
    ("attn(2)*2", "attn.1[0]", 2),
    ("attn(2)*2", "attn.1[0,1]", 2),
    ("attn(2) bilinear(tied)", "attn.0[1]", 4),
    ("attn(2) bilinear(tied)", "attn and bilinear", 2),
    ("attn(1)*2 bilinear(tied, no residual)", "attn.0 and attn.1", 5),
]


class Sums(Algebra[np.ndarray]):
    """Sums of terms modulo a prime, for random weights: exact."""

    prime = 1_000_003

    def __init__(self, seed: int) -> None:
        self.seed, self.known = seed, {}

    def weights(self, component: Component, part: int) -> np.ndarray:
        key = (component.kind, component.layer, component.head, 0 if component.is_tied else part)
        if key not in self.known:
            self.known[key] = np.random.default_rng([self.seed, len(self.known)]).integers(0, self.prime, (3, 3))
        return self.known[key]

    def input(self, component: Component) -> np.ndarray:
        return self.weights(component, 0)

    def head(self, component: Component, x: np.ndarray) -> np.ndarray:
        return x @ self.weights(component, 0) % self.prime

    def bilinear(self, component: Component, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        left, right = x @ self.weights(component, 0), y @ self.weights(component, 1)
        return (left % self.prime) * (right % self.prime) % self.prime

    def add(self, values: Sequence[np.ndarray]) -> np.ndarray:
        return sum(values) % self.prime


def plain(model: str) -> list:
    return list(sc.path_expansion(model))


@pytest.mark.parametrize(("model", "query", "count"), COUNTS)
def test_counts(model, query, count):
    assert sympy.expand(sc.path_expansion(model).where(query).number_of_terms - count) == 0


@pytest.mark.parametrize("model", MODELS)
def test_random_queries_select_what_brute_force_selects(model):
    random, expansion, terms = Random(model), sc.path_expansion(model), plain(model)
    algebra = Sums(1)
    total = expansion.interpret(algebra)
    for _ in range(RANDOM // len(MODELS)):
        query = random_query(random, expansion.model)
        wanted = {term for term in terms if holds(query, term)}
        found, others = expansion.where(query), expansion.where(~query)
        assert parse_query(str(query)) == query
        listed = list(found)
        assert len(listed) == len(wanted) == found.number_of_terms, query
        assert set(listed) == wanted, query
        assert list(expansion.where(str(query))) == listed
        assert others.number_of_terms == len(terms) - len(wanted)
        assert set(others) == set(terms) - wanted
        known = {}
        values = [fold(term, algebra, known) for term in listed]
        assert (found.interpret(algebra) == (sum(values) % Sums.prime if values else 0)).all(), query
        assert ((found.interpret(algebra) + others.interpret(algebra) - total) % Sums.prime == 0).all()


@pytest.mark.parametrize("model", MODELS)
def test_products_rank_and_unrank(model, monkeypatch):
    random, expansion = Random(f"{model} ranks"), sc.path_expansion(model)
    monkeypatch.setattr("symbolic_circuits.expansion.enumeration.SHARED", 3)  # by number rather than from a list
    for _ in range(12):
        found = expansion.where(random_query(random, expansion.model))
        listed = list(found)
        for k, term in enumerate(listed):
            assert found[k] == term
            assert found.index(term) == k
        assert list(found.terms(len(listed) // 2)) == listed[len(listed) // 2 :]
        for term in set(plain(model)) - set(listed):
            assert term not in found


@pytest.mark.parametrize("model", MODELS)
def test_products_are_graded_and_chained(model):
    random, expansion, z = Random(f"{model} grades"), sc.path_expansion(model), sympy.Symbol("z")
    for _ in range(6):
        one, two = (random_query(random, expansion.model) for _ in range(2))
        found = expansion.where(one)
        for by in ("order", "height"):
            assert sympy.expand(found.count_by(by) - sum(z ** getattr(term, by) for term in found)) == 0
        both = found.where(two)
        assert set(both) == set(found) & set(expansion.where(two)) == set(expansion.where(one & two))
        assert set(expansion.where(one | two)) == set(found) | set(expansion.where(two))
        assert all(both.index(term) == k for k, term in enumerate(both))


def test_all_terms_are_the_grammar_again():
    for model in MODELS:
        grammar = sc.path_expansion(model).grammar
        assert product(grammar, Height()) == grammar
        assert sc.path_expansion(model).where("*").grammar == grammar


def test_parts_by_state_add_up():
    for model in MODELS:
        expansion = sc.path_expansion(model)
        algebra, known, terms = Sums(2), {}, list(expansion)
        parts = expansion.interpret(ByState(algebra, Height()))
        for height, value in parts.items():
            wanted = sum(fold(term, algebra, known) for term in terms if term.height == height) % Sums.prime
            assert (value == wanted).all()


def test_a_large_product_is_indexed():
    found = sc.path_expansion("(attn(12) bilinear(tied))*6").where("attn.2[5] > bilinear.5 and not attn.*[0] and attn.4[*] >= 3")
    assert found.number_of_terms > 10**30
    for k in (0, 10**20, found.number_of_terms - 1, *(Random(0).randrange(found.number_of_terms) for _ in range(5))):
        assert found.index(found[k]) == k
    for term in found.sample(5, seed=1):
        assert term in found
        assert term in sc.path_expansion(found.model)
        assert found.parse(str(term)) == term
        assert holds(found.query, term)


@pytest.mark.parametrize(("model", "query", "classes"), CLASSES)
def test_closed_forms(model, query, classes):
    """Heads are listed where the query tells them apart, and summed over elsewhere."""
    found = sc.path_expansion(model).where(query)
    assert found.path_classes().number_of_terms == classes
    assert sc.prove(found.closed_form("matrix"), found.unexpanded()).verdict == "proved"
    for notation in ("matrix", "operator", "index", "tensor"):
        given = {} if notation == "matrix" else {block.B: tensor_of(block) for block in bilinear_blocks(found)}
        given = {B: value for B, value in given.items() if found.closed_form(notation).has(B)}
        assert sc.prove(found.closed_form(notation), found.listed(notation), given=given).verdict in ("proved", "holds_at")


def test_symbolic_heads():
    H = sympy.Symbol("H", integer=True, positive=True)
    expansion = sc.path_expansion("attn(H) bilinear(tied)")
    assert expansion.where("attn and bilinear").number_of_terms == sympy.expand(H * (H + 1) / 2 + H)
    assert str(expansion.where("not bilinear").closed_form("matrix")) == str(sc.path_expansion("attn(H)").closed_form("matrix"))
    assert [str(t) for t in expansion.where("attn = 1 and bilinear").path_classes()] == ["bilinear.1(embed, attn.0[*](embed))"]
    with pytest.raises(SpecError, match=r"number of heads of attn.0 of .* is the symbol H: write attn.0\[\*\]"):
        expansion.where("attn.0[1]")


def test_no_terms_is_no_error():
    found = sc.path_expansion("attn(2) bilinear").where("attn.0[1] and not attn")
    assert found.number_of_terms == found.count_by() == found.count_by(("order", "height")) == 0
    assert found.is_empty
    assert not list(found)
    assert found[:5] == found.sample(0, seed=0) == ()
    assert found.where("*").is_empty
    assert found.path_classes().is_empty
    for notation in ("matrix", "operator", "index", "tensor"):
        assert found.closed_form(notation) == found.expr(notation)
        assert found.closed_form(notation).is_zero or found.closed_form(notation).is_ZeroMatrix
    assert found.unexpanded().is_ZeroMatrix
    message = r"term 0 was asked for, but 'attn\(2\) bilinear' where attn.0\[1\] and not attn.\*\[\*\] has 0 terms"
    with pytest.raises(TermIndexError, match=message):
        found[0]
    with pytest.raises(TermIndexError, match="no terms to draw from"):
        found.sample(1, seed=0)
    with pytest.raises(CodeError, match="no terms to write"):
        found.to_code()
    with pytest.raises(TermError, match="not a term of this expansion"):
        found.index(sc.path_expansion(found.model)[0])


def test_terms_of_other_queries_are_not_terms():
    expansion = sc.path_expansion("attn(2) bilinear")
    found = expansion.where("attn.0[1] > bilinear.1.left")
    assert found.parse("bilinear.1(attn.0[1](embed), embed)") in expansion
    with pytest.raises(TermError, match="not a term of this expansion"):
        found.parse("bilinear.1(embed, attn.0[1](embed))")
    with pytest.raises(SpecError, match=r"only those where attn.0\[1\] > bilinear.1.left"):
        found.prove()
    assert expansion.prove().verdict == "proved"


def test_states_have_a_budget(monkeypatch):
    expansion = sc.path_expansion(LARGE)
    assert expansion.where("degree <= 20").number_of_terms > 0
    with pytest.raises(BudgetError, match=r"the query has 1,024 states at step 20 of 24, .* over 1,000,000 transitions"):
        expansion.where("degree <= 9999")
    monkeypatch.setattr(product_module, "MAX_MOVES", 100)
    with pytest.raises(BudgetError, match="over 100 transitions"):
        expansion.where("attn.0[1]")


@pytest.mark.parametrize("model", MODELS[1:])
def test_the_budget_is_neither_exceeded_nor_left_unused(model, monkeypatch):
    random, grammar = Random(f"{model} moves"), sc.path_expansion(model).grammar
    for _ in range(10):
        automaton = compile_query(random_query(random, grammar.model), grammar.model)
        number = sum(map(len, product_module.reached(grammar, automaton)))
        with monkeypatch.context() as limit:
            limit.setattr(product_module, "MAX_MOVES", number)
            assert sum(map(len, product_module.reached(grammar, automaton))) == number
            limit.setattr(product_module, "MAX_MOVES", number - 1)
            with pytest.raises(BudgetError, match=f"over {number - 1:,} transitions"):
                product_module.reached(grammar, automaton)


def test_too_many_states_are_foreseen(monkeypatch):
    seen, step = [], QueryAutomaton.next
    monkeypatch.setattr(QueryAutomaton, "next", lambda *given: seen.append(1) or step(*given))
    with pytest.raises(BudgetError, match="over 1,000,000 transitions"):
        sc.path_expansion(LARGE).where("order <= 2000")
    assert len(seen) < 400_000


def test_a_query_and_its_complement_partition_large_counts():
    expansion = sc.path_expansion(LARGE)
    for query in ("attn.0[1] > bilinear.1.left", "attn.* <= 2 or height >= 5", "attn.*[3] >> bilinear.5 and bilinear.* >= 3"):
        found, others = expansion.where(query), expansion.where(f"not ({query})")
        assert found.number_of_terms + others.number_of_terms == expansion.number_of_terms
        parts = (
            expansion.where("attn.2").where(query).number_of_terms + expansion.where("not attn.2").where(query).number_of_terms
        )
        assert parts == found.number_of_terms
