"""A model is blocks between an embedding and an unembedding: validated, numbered, hashable, equal to what it is parsed from."""

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st
from strategies import size_values, transformers

import symbolic_circuits as sc
from symbolic_circuits.axes import as_size, known_to_differ, require_same_size, size_symbol
from symbolic_circuits.errors import BudgetError, ShapeError, SpecError

NUMBERING = [  # text -> (residual, numbers of the blocks) of each step
    ("", []),
    ("attn(2) bilinear", [(True, (0,)), (True, (1,))]),
    ("attn(2)|bilinear attn(1, no residual)", [(True, (0, 1)), (False, (2,))]),
    ("bilinear (attn(1)|bilinear|attn(2))[no residual] bilinear", [(True, (0,)), (False, (1, 2, 3)), (True, (4,))]),
]

SIZES = [  # text -> names of its size symbols
    ("", ["V", "d", "n"]),
    ("[no embed, no unembed]", ["d", "n"]),
    ("[no embed]", ["V", "d", "n"]),
    ("[n=3, d=4, V=5] attn(2, e=6)", []),
    ("[n=3, d=4, V=5] attn(H) bilinear", ["H", "e", "m"]),
    ("bilinear(no out)", ["V", "d", "n"]),
    ("attn(H)|bilinear(m=k)", ["H", "V", "d", "e", "k", "n"]),
]


@pytest.mark.parametrize(("text", "steps"), NUMBERING)
def test_numbering(text, steps):
    model = sc.Transformer.parse(text)
    assert [(step.residual, tuple(block.index for block in step.blocks)) for step in model.steps] == steps
    assert model.number_of_blocks == sum(len(numbers) for _, numbers in steps)
    assert [block.index for block in model.numbered()] == list(range(model.number_of_blocks))


@pytest.mark.parametrize(("text", "names"), SIZES)
def test_symbolic_sizes(text, names):
    assert [str(size) for size in sc.Transformer.parse(text).symbolic_sizes] == names


@pytest.mark.parametrize(
    ("text", "width"), [("bilinear", "m"), ("bilinear(m=7)", "7"), ("bilinear(no out)", "d"), ("[d=4] bilinear(no out)", "4")]
)
def test_hidden_width(text, width):
    model = sc.Transformer.parse(text)
    assert str(model.hidden_width(model.blocks[0])) == width


def test_default_sizes_are_positive_integers():
    for size in sc.Transformer.parse("attn(H) bilinear").symbolic_sizes:
        assert size.is_integer
        assert size.is_positive


@given(transformers(symbolic_heads=True))
def test_equal_models_have_equal_hashes_and_survive_pickle(model):
    for again in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert again == model
        assert hash(again) == hash(model)
        assert repr(again) == repr(model)


@given(transformers(symbolic_heads=True), st.integers(0, 8))
def test_subs_of_every_size_leaves_none(model, k):
    values = size_values(model)
    fixed = model.subs(values)
    assert not fixed.symbolic_sizes
    assert not fixed.has_symbolic_heads
    assert fixed.number_of_blocks == model.number_of_blocks
    assert model.subs({}) == model
    names = list(values)[:k]
    assert model.subs({s: values[s] for s in names}).subs({s.name: values[s] for s in list(values)[k:]}) == fixed


@given(transformers(symbolic_heads=True))
def test_subs_leaves_flags_as_they_are(model):
    fixed = model.subs(size_values(model))
    assert [step.residual for step in fixed.steps] == [step.residual for step in model.steps]
    assert (fixed.embedding, fixed.unembedding) == (model.embedding, model.unembedding)
    for (_, before), (_, after) in zip(model.numbered(), fixed.numbered(), strict=True):
        assert type(before) is type(after)
        if isinstance(before, sc.Bilinear):
            assert (before.output, before.tied) == (after.output, after.tied)


def test_subs_reaches_blocks_in_parallel_and_the_default_hidden_width():
    model = sc.Transformer.parse("attn(H)|bilinear|bilinear(no out)")
    fixed = model.subs({"H": 2, "m": 5, "d": 3})
    assert str(fixed) == "[d=3] attn(2)|bilinear(m=5)|bilinear(no out)"


def test_one_spelling_of_a_default():
    m = size_symbol("m")
    assert sc.Bilinear(m) == sc.Bilinear()
    assert sc.Bilinear("m") == sc.Bilinear()
    assert sc.Bilinear(size_symbol("k")) != sc.Bilinear()
    assert sc.Attention(sympy.Integer(2)) == sc.Attention(2)
    assert (
        sc.Transformer([sc.Bilinear("d", output=False)], d="d").symbolic_sizes
        == sc.Transformer([sc.Bilinear(output=False)]).symbolic_sizes
    )


def test_models_are_frozen():
    model = sc.Transformer.parse("attn(2)")
    with pytest.raises(FrozenInstanceError):
        model.d = 3
    with pytest.raises(FrozenInstanceError):
        model.blocks[0].heads = 3


@pytest.mark.parametrize("name", ["n", "H_1", "dmodel", "d2"])
def test_size_names(name):
    assert as_size(name, "a size") == size_symbol(name)
    assert as_size(size_symbol(name), "a size") == size_symbol(name)


@pytest.mark.parametrize("name", ["", "1n", "n_", "n_1_2", "n-1", "n m", r"\n", "x" * 17, "n\n", "__import__('os')"])
def test_bad_size_names(name):
    with pytest.raises(SpecError, match="at most one subscript"):
        size_symbol(name)


@pytest.mark.parametrize(
    ("left", "right", "differ"), [("n", "n", False), ("n", "d", False), (2, 2, False), (2, 3, True), (2, "n", False)]
)
def test_known_to_differ(left, right, differ):
    left, right = as_size(left, "left"), as_size(right, "right")
    assert known_to_differ(left, right) is differ
    if differ:
        with pytest.raises(ShapeError, match="rows of A has size 2, but columns of B has size 3"):
            require_same_size(left, lambda: "rows of A", right, lambda: "columns of B")
    else:
        require_same_size(left, lambda: "rows of A", right, lambda: "columns of B")


def test_a_zero_size_is_known_to_differ_from_a_positive_one():
    assert known_to_differ(0, size_symbol("n"))


INVALID = [  # what makes it, message, and a valid twin
    (lambda: sc.Attention(0), "number of heads of an attention block must be at least 1; got 0", lambda: sc.Attention(1)),
    (lambda: sc.Attention(-2), "must be at least 1; got -2", lambda: sc.Attention(2)),
    (lambda: sc.Attention(True), "positive integer", lambda: sc.Attention(1)),
    (lambda: sc.Attention(2.0), "positive integer or a positive integer symbol; got 2.0", lambda: sc.Attention(2)),
    (lambda: sc.Attention(sympy.Symbol("H")), "not declared with integer=True", lambda: sc.Attention(size_symbol("H"))),
    (lambda: sc.Attention(size_symbol("H") + 1), "positive integer", lambda: sc.Attention(size_symbol("H"))),
    (lambda: sc.Attention(2, e=0), "head width e must be at least 1", lambda: sc.Attention(2, e=1)),
    (
        lambda: sc.Attention(2, residual=1),
        "residual of Attention is True or False; got 1",
        lambda: sc.Attention(2, residual=True),
    ),
    (lambda: sc.Bilinear(tied=None), "tied of Bilinear is True or False", lambda: sc.Bilinear(tied=False)),
    (lambda: sc.Bilinear(0), "hidden width m must be at least 1", lambda: sc.Bilinear(1)),
    (lambda: sc.Parallel((sc.Attention(),)), "at least two; got 1", lambda: sc.Parallel((sc.Attention(), sc.Attention()))),
    (
        lambda: sc.Parallel((sc.Attention(), 3)),
        "Attention or Bilinear; got int",
        lambda: sc.Parallel((sc.Attention(), sc.Bilinear())),
    ),
    (
        lambda: sc.Parallel((sc.Attention(), sc.Parallel((sc.Attention(), sc.Attention())))),
        "got Parallel",
        lambda: sc.Parallel((sc.Attention(),) * 3),
    ),
    (
        lambda: sc.Parallel((sc.Attention(residual=False), sc.Bilinear())),
        "no residual of its own",
        lambda: sc.Parallel((sc.Attention(), sc.Bilinear()), residual=False),
    ),
    (lambda: sc.Transformer([3]), "got int: 3", lambda: sc.Transformer([sc.Attention(3)])),
    (lambda: sc.Transformer(n=0), r"n \(positions\) must be at least 1", lambda: sc.Transformer(n=1)),
    (
        lambda: sc.Transformer(embedding="no"),
        "embedding of Transformer is True or False",
        lambda: sc.Transformer(embedding=False),
    ),
    (
        lambda: sc.Transformer(V=5, embedding=False, unembedding=False),
        "vocabulary V=5 is given, but the model has neither",
        lambda: sc.Transformer(V=5, embedding=False),
    ),
    (
        lambda: sc.Transformer([sc.Attention(), sc.Bilinear(5, output=False)], d=4),
        "bilinear.1 has no output matrix, so its hidden width m must equal d; got m=5 and d=4",
        lambda: sc.Transformer([sc.Attention(), sc.Bilinear(4, output=False)], d=4),
    ),
    (
        lambda: sc.Transformer([sc.Bilinear("m", output=False)]),
        "got m=m and d=d",
        lambda: sc.Transformer([sc.Bilinear("d", output=False)]),
    ),
    (
        lambda: sc.Transformer.parse("attn(H)").subs({"K": 2}),
        "has no size symbol K; it has H, V, d, e, n",
        lambda: sc.Transformer.parse("attn(H)").subs({"H": 2}),
    ),
    (
        lambda: sc.Transformer.parse("attn(H)").subs({"H": 0}),
        "H must be at least 1",
        lambda: sc.Transformer.parse("attn(H)").subs({"H": 1}),
    ),
    (
        lambda: sc.Transformer.parse("bilinear(m=k) bilinear(m=d, no out)").subs({"d": 0}),
        "d must be at least 1",
        lambda: sc.Transformer.parse("bilinear(m=k) bilinear(m=d, no out)").subs({"d": 2}),
    ),
]


@pytest.mark.parametrize(("make", "message", "twin"), INVALID)
def test_invalid_specifications(make, message, twin):
    with pytest.raises(SpecError, match=message):
        make()
    twin()


def test_a_model_has_at_most_256_blocks():
    assert sc.Transformer([sc.Attention()] * 256).number_of_blocks == 256
    assert sc.Transformer([sc.Parallel((sc.Attention(), sc.Bilinear()))] * 128).number_of_blocks == 256
    with pytest.raises(BudgetError, match="at most 256 blocks; this one has 257"):
        sc.Transformer([sc.Attention()] * 257)
    with pytest.raises(BudgetError, match="at most 256 blocks; this one has 258"):
        sc.Transformer([sc.Parallel((sc.Attention(), sc.Bilinear()))] * 129)


@pytest.mark.parametrize("value", [None, 3, ["attn(2)"], b"attn(2)"])
def test_a_path_expansion_is_of_a_model_or_its_text(value):
    with pytest.raises(SpecError, match=f"Transformer or its text form; got {type(value).__name__}"):
        sc.path_expansion(value)
    assert sc.path_expansion("attn(2)").model == sc.path_expansion(sc.Transformer([sc.Attention(2)])).model
