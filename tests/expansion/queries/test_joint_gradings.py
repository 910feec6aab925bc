"""Counting by height, and by several gradings at once."""

import pytest
import sympy
from random_queries import MODELS

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError

z, w, H = sympy.Symbol("z"), sympy.Symbol("w"), sympy.Symbol("H", integer=True, positive=True)
HEIGHTS = [  # model, generating function by height
    ("", 1),
    ("bilinear*2", 1 + 2 * z + 3 * z**2),  # trees of height <= k: 1, 3, 6
    ("bilinear*3", 1 + 3 * z + 11 * z**2 + 27 * z**3),  # 1, 4, 15, 42
    ("bilinear(tied)*3", 1 + 3 * z + 7 * z**2 + 9 * z**3),
    ("attn(H) bilinear(tied)", 1 + (H + 1) * z + H * (H + 3) * z**2 / 2),
]
ATTENTION = ["attn(2)*3", "attn(3) attn(1)", "attn(2)|attn(3) attn(1)", "attn(2, no residual) attn(3)", "attn(H)*2"]


@pytest.mark.parametrize(("model", "polynomial"), HEIGHTS)
def test_heights(model, polynomial):
    assert sympy.expand(sc.path_expansion(model).count_by("height") - polynomial) == 0


@pytest.mark.parametrize("model", ATTENTION)
def test_order_is_height_where_there_is_only_attention(model):
    """B35."""
    expansion = sc.path_expansion(model)
    assert sympy.expand(expansion.count_by("order") - expansion.count_by("height")) == 0


def test_paths_by_order():
    """B35: prod_l (1 + H_l z)."""
    expected = sympy.expand((1 + 2 * z) * (1 + 3 * z) * (1 + 5 * z))
    assert sc.path_expansion("attn(2) attn(3) attn(5)").count_by("height") == expected


def test_degrees():
    """E6, and the order of a term of bilinear layers is its degree less one."""
    joint = sc.path_expansion("bilinear*3").count_by(("degree", "order"), (z, w))
    assert sympy.expand(joint.subs(w, 1)) == z + 3 * z**2 + 6 * z**3 + 9 * z**4 + 10 * z**5 + 8 * z**6 + 4 * z**7 + z**8
    assert sympy.expand(joint.subs({z: z * w, w: 1 / w}) - w * joint.subs(w, 1)) == 0


@pytest.mark.parametrize("model", MODELS)
def test_joint_gradings_count_terms(model):
    expansion = sc.path_expansion(model)
    grades = {
        "order": lambda t: t.order,
        "height": lambda t: t.height,
        "degree": lambda t: t.degree,
        "heads": lambda t: str(t).count("attn"),
        "bilinears": lambda t: str(t).count("bilinear"),
    }
    for by in (("order", "height"), ("heads", "bilinears"), ("height", "degree", "heads"), ("height",)):
        variables = [sympy.Symbol(f"z_{name}") for name in by]
        wanted = sum(sympy.prod(v ** grades[name](t) for v, name in zip(variables, by, strict=True)) for t in expansion)
        assert sympy.expand(expansion.count_by(by) - wanted) == 0


def test_refused():
    expansion = sc.path_expansion("attn(2)")
    for by, variables, message in (
        ("depth", None, "terms are counted by height, order, degree, heads, bilinears; got 'depth'"),
        (("order", "depth"), None, "got 'depth'"),
        ((), None, "several different ones"),
        (("order", "order"), None, "several different ones"),
        (("order", "height"), z, "2 gradings take as many different variables; got 1"),
        (("order", "height"), (z, z), "2 gradings take as many different variables"),
    ):
        with pytest.raises(NotationError, match=message):
            expansion.count_by(by, variables)
    assert expansion.count_by(("order", "height"), (z, w)) == 1 + 2 * z * w
