"""Counting terms without listing them: a(L+1) = a(L) + a(L)^2 and its relatives, graded by order, degree, heads and layers."""

import math

import pytest
import sympy
from hypothesis import given
from strategies import size_values, transformers, with_numbers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.expansion.counting import GRADINGS, Counting

z, H = sympy.Symbol("z"), sympy.Symbol("H", integer=True, positive=True)

COUNTS = [  # text -> number of terms, statement
    ("", 1),  # B15
    ("attn(2)", 3),  # B16, B25
    ("attn(2)*2", 9),
    ("attn(2) attn(3) attn(5)", 72),  # E5
    ("attn(1)*3", 8),  # B26
    ("attn(2) bilinear", 12),  # A18
    ("attn(12) bilinear", 182),  # E3
    ("(attn(12) bilinear)*2", 5_600_322),
    ("bilinear attn(2)", 6),  # A20
    ("attn(2)|bilinear", 4),
    ("(attn(2)|bilinear)[no residual]", 3),
    ("attn(2)|attn(3)", 6),
    ("bilinear|bilinear", 3),
    ("attn(2, no residual) attn(3)", 8),
    ("attn(2) bilinear(tied)", 9),  # A19
    ("[no embed] attn(2) bilinear", 12),
    ("[no unembed] attn(2) bilinear", 12),
]
SEQUENCES = [  # block repeated 0, 1, 2, ... times -> counts
    ("bilinear", [1, 2, 6, 42, 1806, 3_263_442]),  # E1
    ("bilinear(tied)", [1, 2, 5, 20, 230, 26_795, 359_026_205]),  # E2
    ("bilinear(no residual)", [1, 1, 1, 1]),  # E7
    ("(attn(1) bilinear)", [1, 6, 156, 97_656]),  # E3
    ("(attn(1) bilinear(tied))", [1, 5, 65]),  # E4
]
SYMBOLIC = [  # text -> polynomial
    ("attn(H)", 1 + H),
    ("attn(H)*3", (1 + H) ** 3),
    ("attn(H) bilinear", (1 + H) * (2 + H)),
    ("(attn(H) bilinear)*2", (1 + H) ** 2 * (2 + H) * (H**3 + 4 * H**2 + 5 * H + 3)),
    ("attn(H) bilinear(tied)", (1 + H) * (4 + H) / 2),
    ("(attn(H) bilinear(tied))*2", (1 + H) ** 2 * (4 + H) * (H**3 + 6 * H**2 + 9 * H + 10) / 8),
    ("attn(H)|bilinear", 2 + H),
]
DEGREES = [  # text -> generating function by degree (E6)
    ("", z),
    ("bilinear", z + z**2),
    ("bilinear*2", z + 2 * z**2 + 2 * z**3 + z**4),
    ("bilinear*3", z + 3 * z**2 + 6 * z**3 + 9 * z**4 + 10 * z**5 + 8 * z**6 + 4 * z**7 + z**8),
    ("bilinear(tied)*2", z + 2 * z**2 + z**3 + z**4),
    ("bilinear(no residual)*3", z**8),
    ("attn(2) bilinear", 3 * z + 9 * z**2),
]
ORDERS = [  # text, grading -> generating function
    ("attn(2)*2", "order", (1 + 2 * z) ** 2),  # B35
    ("attn(2) bilinear", "heads", 1 + 2 * z + (1 + 2 * z) ** 2),
    ("attn(2) bilinear", "bilinears", 3 + 9 * z),
    ("attn(2) bilinear", "order", 1 + 2 * z + z * (1 + 2 * z) ** 2),
    ("attn(H) bilinear(tied)", "bilinears", 1 + H + z * (1 + H) * (2 + H) / 2),
]


@pytest.mark.parametrize(("text", "count"), COUNTS)
def test_counts(text, count):
    assert sc.path_expansion(text).number_of_terms == count


@pytest.mark.parametrize(("text", "counts"), SEQUENCES)
def test_sequences(text, counts):
    for k, count in enumerate(counts):
        assert sc.path_expansion(f"{text}*{k}" if k else "").number_of_terms == count


def test_unordered_terms_are_not_the_trees_without_layers():
    """Not A006894: 1, 2, 4, 11, 67 (E2)."""
    assert [sc.path_expansion(f"bilinear(tied)*{k}").number_of_terms for k in (2, 3, 4)] != [4, 11, 67]


@pytest.mark.parametrize(("text", "polynomial"), SYMBOLIC)
def test_symbolic_heads_give_polynomials(text, polynomial):
    count = sc.path_expansion(text).number_of_terms
    assert sympy.expand(count - polynomial) == 0
    for heads in (1, 2, 5, 12):
        assert count.subs(H, heads) == sc.path_expansion(text.replace("H", str(heads))).number_of_terms


@pytest.mark.parametrize(("text", "polynomial"), DEGREES)
def test_count_by_degree(text, polynomial):
    assert sympy.expand(sc.path_expansion(text).count_by("degree") - polynomial) == 0


@pytest.mark.parametrize(("text", "by", "polynomial"), ORDERS)
def test_count_by(text, by, polynomial):
    assert sympy.expand(sc.path_expansion(text).count_by(by) - polynomial) == 0


def test_every_degree_up_to_a_power_of_two_occurs():
    """E7."""
    graded = sympy.Poly(sc.path_expansion("bilinear*5").count_by("degree"), z)
    assert sorted(k for (k,) in graded.monoms()) == list(range(1, 33))


def test_unordered_degrees_add_up():
    """E6: 2, 5, 20."""
    assert [sc.path_expansion(f"bilinear(tied)*{k}").count_by("degree").subs(z, 1) for k in (1, 2, 3)] == [2, 5, 20]


def test_a_count_beyond_machine_integers_is_exact():
    count = 1
    for _ in range(12):
        count *= 13 * (1 + 13 * count)
    expected = 1
    for _ in range(12):
        expected = 13 * expected + (13 * expected) ** 2
    assert count == expected
    assert sc.path_expansion("(attn(12) bilinear)*12").number_of_terms == expected
    assert isinstance(sc.path_expansion("(attn(12) bilinear)*12").number_of_terms, int)


@given(transformers())
def test_counts_are_lengths(model):
    expansion = sc.path_expansion(model)
    assert expansion.number_of_terms == len(set(expansion)) == sum(1 for _ in expansion)


@given(transformers())
def test_gradings_count_the_terms_of_each_grade(model):
    expansion = sc.path_expansion(model)
    grades = {
        "order": lambda t: t.order,
        "degree": lambda t: t.degree,
        "heads": lambda t: str(t).count("attn"),
        "bilinears": lambda t: str(t).count("bilinear"),
    }
    assert set(grades) == set(GRADINGS)
    for by, grade in grades.items():
        assert sympy.expand(expansion.count_by(by) - sum(z ** grade(t) for t in expansion)) == 0


@given(transformers(symbolic_heads=True, max_blocks=2))
def test_polynomials_specialise(model):
    values = {s: v for s, v in size_values(model).items() if s.name in ("H", "H_1", "h")}
    symbolic, fixed = sc.path_expansion(model), sc.path_expansion(with_numbers(model))
    assert sympy.sympify(symbolic.number_of_terms).subs(values) == fixed.number_of_terms
    for by in GRADINGS:
        assert sympy.expand(symbolic.count_by(by).subs(values) - fixed.count_by(by)) == 0


@given(transformers())
def test_path_classes_count_head_assignments(model):
    """A path class stands for one term for each choice of a head at each of its places, tied pairs counted once or twice."""
    expansion = sc.path_expansion(model)
    heads = {block.index: block.spec.heads for block in model.numbered() if isinstance(block.spec, sc.Attention)}

    def choices(term):
        own = heads[term.component.layer] if term.component.kind == "attn" else 1
        return own * math.prod(map(choices, term.inputs))

    assert sum(t.coefficient for t in expansion) == sum(c.coefficient * choices(c) for c in expansion.path_classes())


@given(transformers())
def test_ordered_terms_are_weighted_unordered_ones(model):
    """Each term of a model with tied weights stands for 2^k terms of the same model with weights untied (A19)."""
    untied = sc.path_expansion(sc.Transformer.parse(str(model).replace("tied, ", "").replace(", tied", "").replace("(tied)", "")))
    assert sum(t.coefficient for t in sc.path_expansion(model)) == untied.number_of_terms


@given(transformers())
def test_interpretations_agree(model):
    expansion = sc.path_expansion(model)
    assert sc.interpret(expansion, Counting()) == expansion.interpret(Counting()) == expansion.number_of_terms
    assert expansion.count_by("order", sympy.Symbol("q")).subs(sympy.Symbol("q"), z) == expansion.count_by("order", z)


@pytest.mark.parametrize("by", ["", "depth", "Order"])
def test_unknown_gradings(by):
    with pytest.raises(NotationError, match=f"order, degree, heads, bilinears; got {by!r}"):
        sc.path_expansion("attn(2)").count_by(by)
    sc.path_expansion("attn(2)").count_by("order")


def test_absurd_counts_stop():
    assert sc.path_expansion("bilinear*20").number_of_terms.bit_length() > 600_000
    with pytest.raises(BudgetError, match="over 10,000,000 bits at bilinear"):
        sc.path_expansion("bilinear*40").number_of_terms  # noqa: B018
