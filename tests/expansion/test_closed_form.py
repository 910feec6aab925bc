"""The closed form: one summand a path class, sums over heads that may be written out, sizes and tensors that may be replaced."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import sympy
from evaluation import NOTATIONS, value
from hypothesis import given, settings
from strategies import NUMBERS, freeze_at_random, frozen_models, transformers, with_numbers
from sympy import Add, MatAdd, Matrix, MatrixSymbol, Symbol

import symbolic_circuits as sc
from symbolic_circuits.axes import size_symbol
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

PRINTED = [  # text, notation -> as printed
    ("attn(H)", "matrix", "(sum[h=0..H - 1] A[h]*t*W_E.T*W_OV[h].T*W_U.T, t*W_E.T*W_U.T)"),
    ("", "matrix", "(t, W_E.T, W_U.T)"),
]
CLASSES = [  # text -> number of path classes
    ("", 1),
    ("attn(2)", 2),
    ("attn(12)*2", 4),
    ("attn(2) bilinear", 6),
    ("attn(H) bilinear", 6),
    ("attn(5) bilinear(tied)", 5),
    ("(attn(7) bilinear)*2", 156),
]

SCRIPT = """
import sympy, symbolic_circuits as sc
for text in ("attn(1)|bilinear attn(2)", "attn(1) bilinear(tied)", "[no embed] attn(1) bilinear(no out)"):
    expansion = sc.path_expansion(text)
    for notation in ("operator", "matrix", "index", "tensor"):
        form = expansion.closed_form(notation)
        print(form, sympy.latex(form), sympy.srepr(form))
    print([str(term) for term in expansion], [term.to_einsum() for term in expansion])
    print(expansion.to_code("numpy"), expansion.to_code("torch"))
    print([list(term.graph.edges) for term in expansion], list(sc.model_graph(expansion.model).edges(data=True)))
    print(expansion.sample(5, seed=0), expansion.count_by("degree"))
"""


def summands(expr):
    """The summands of a sum."""
    return expr.args if isinstance(expr, Add | MatAdd) else (expr,)


@pytest.mark.parametrize(("text", "notation", "printed"), PRINTED)
def test_printed(text, notation, printed):
    assert str(sc.path_expansion(text).closed_form(notation).args) == printed


@pytest.mark.parametrize(("text", "count"), CLASSES)
def test_one_summand_a_path_class(text, count):
    classes = sc.path_expansion(text).path_classes()
    assert classes.number_of_terms == len(list(classes)) == count
    for notation in NOTATIONS:
        assert len(summands(sc.path_expansion(text).closed_form(notation))) == count


def test_each_place_of_a_head_has_its_own_symbol():
    """B(h, g): query and key, left and right vary independently (A17)."""
    sums = [s for s in summands(sc.path_expansion("attn(H) bilinear").closed_form("matrix")) if isinstance(s, MatrixSum)]
    assert sorted(len(s.bound_symbols) for s in sums) == [1, 1, 1, 2]
    assert all(len(set(s.bound_symbols)) == len(s.bound_symbols) for s in sums)


def test_head_symbols_do_not_clash_with_sizes():
    model = sc.Transformer.parse("[n=g] attn(h) bilinear")
    for s in summands(sc.path_expansion(model).closed_form("matrix")):
        if isinstance(s, MatrixSum):
            assert not {symbol.name for symbol in s.bound_symbols} & {"h", "g"}


@given(transformers(max_terms=30, max_blocks=2, symbolic_heads=True))
def test_path_classes_of_a_model_do_not_depend_on_the_number_of_heads(model):
    names = [str(term) for term in sc.path_expansion(model).path_classes()]
    assert [str(term) for term in sc.path_expansion(with_numbers(model)).path_classes()] == names


@pytest.mark.parametrize("notation", NOTATIONS)
def test_symbolic_heads_written_out_are_the_listed_terms(notation):
    """subs of H, then doit, gives as many summands as there are terms, with the same value."""
    form = sc.path_expansion("attn(H) bilinear").closed_form(notation).subs(size_symbol("H"), 2)
    written = sum_of_heads_written_out(form)
    assert not written.atoms(MatrixSum)
    assert notation == "index" or len(summands(written)) == 12  # there all indices share one Sum
    frozen = freeze_at_random("attn(2) bilinear", seed=4)
    np.testing.assert_allclose(value(written, notation, frozen), frozen.forward().output, atol=1e-12)
    np.testing.assert_allclose(value(form, notation, frozen), frozen.forward().output, atol=1e-12)


def sum_of_heads_written_out(form):
    """Each sum over heads as the sum of its summands; sums over other indices as they are."""
    parts = []
    for part in summands(form):
        is_over_heads = isinstance(part, MatrixSum | IndexSum | sympy.Sum) and len(part.args) > 1 and part.args[1][0].name in "hg"
        expanded = part.doit(deep=False) if is_over_heads else part
        parts += summands(expanded) if is_over_heads else [expanded]
    return MatAdd(*parts) if parts[0].is_Matrix else Add(*parts)


@settings(max_examples=10)
@given(frozen_models(max_terms=12, max_blocks=2))
@pytest.mark.parametrize("notation", ["operator", "matrix"])
def test_doit_keeps_the_value(notation, frozen):
    form = sc.path_expansion(frozen.model).closed_form(notation).doit()
    assert not form.atoms(MatrixSum)
    np.testing.assert_allclose(value(form, notation, frozen), frozen.forward().output, atol=1e-11)


@settings(max_examples=10)
@given(frozen_models(max_terms=12, max_blocks=2))
@pytest.mark.parametrize("notation", ["operator", "matrix", "tensor"])
def test_subs_of_sizes_is_the_model_of_these_sizes(notation, frozen):
    model = frozen.model
    values = {symbol: NUMBERS[symbol.name] for symbol in model.symbolic_sizes}
    form = sc.path_expansion(model).closed_form(notation).subs(values, simultaneous=True)
    fixed = sc.path_expansion(model.subs(values))
    if form != fixed.closed_form(notation):  # where a size was called s, the position was s_1
        form = form.xreplace(dict(zip(output_indices(model), output_indices(fixed.model), strict=True)))
    again = Frozen(fixed.model, frozen.arrays, frozen.patterns, frozen.source)
    np.testing.assert_allclose(value(form, notation, again), frozen.forward().output, atol=1e-11)
    if notation == "matrix":
        assert form == fixed.closed_form(notation) or "1" in str(fixed.model)


@settings(max_examples=10)
@given(frozen_models(max_terms=12, max_blocks=2))
@pytest.mark.parametrize("notation", NOTATIONS)
def test_xreplace_of_sizes_is_the_model_of_these_sizes(notation, frozen):
    """In index notation too, where subs of SymPy's Sum does not look into the shapes of matrices."""
    values = {symbol: sympy.Integer(NUMBERS[symbol.name]) for symbol in frozen.model.symbolic_sizes}
    form = sc.path_expansion(frozen.model).closed_form(notation).xreplace(values)
    fixed = frozen.model.subs(values)
    form = form.xreplace(dict(zip(output_indices(frozen.model), output_indices(fixed), strict=True)))
    again = Frozen(fixed, frozen.arrays, frozen.patterns, frozen.source)
    np.testing.assert_allclose(value(form, notation, again), frozen.forward().output, atol=1e-11)


@pytest.mark.parametrize(
    "text", ["attn(2)", "attn(2) bilinear", "bilinear(tied)*2", "[no embed, no unembed] attn(1) bilinear(no out)"]
)
def test_explicit_matrices_for_tensors(text):
    """xreplace of every tensor by numbers, then doit: exact, by SymPy alone."""
    frozen = freeze_at_random(sc.Transformer.parse(text))
    model = frozen.model.subs({s: NUMBERS[s.name] for s in frozen.model.symbolic_sizes})
    generator = np.random.default_rng(7)
    arrays = {name: generator.integers(-3, 4, size=array.shape) for name, array in frozen.arrays.items()}
    patterns = {block: generator.integers(-3, 4, size=pattern.shape) for block, pattern in frozen.patterns.items()}
    whole = frozen.source if model.embedding else generator.integers(-3, 4, size=frozen.source.shape)
    exact = Frozen(model, arrays, patterns, whole)
    found = sc.path_expansion(model).closed_form("matrix").doit()
    values = {}
    for symbol, array in sc.operands(exact).items():
        if isinstance(symbol, MatrixFamily):
            values |= {symbol[h]: Matrix(member.astype(int).tolist()).as_immutable() for h, member in enumerate(array)}
        elif isinstance(symbol, MatrixSymbol):
            values[symbol] = Matrix(array.astype(int).tolist()).as_immutable()
    written = found.xreplace(values).doit()
    assert not written.atoms(MatrixSymbol, FamilyMember)
    assert written.as_explicit().tolist() == exact.forward().output.tolist()


def test_one_tensor_replaced_by_another():
    form = sc.path_expansion("attn(2)").closed_form("matrix")
    W_U = sc.path_expansion("attn(2)").tensors.W_U
    other = MatrixSymbol("U", *W_U.shape)
    assert W_U in form.free_symbols
    for replaced in (form.subs(W_U, other), form.xreplace({W_U: other})):
        assert other in replaced.free_symbols
        assert W_U not in replaced.free_symbols


@pytest.mark.parametrize("notation", NOTATIONS)
def test_replacing_a_bound_symbol_changes_nothing(notation):
    form = sc.path_expansion("attn(H) bilinear").closed_form(notation)
    for name in ("h", "g", "u", "r", "i", "j", "k", "w", "y"):
        assert form.subs(Symbol(name, integer=True, nonnegative=True), 0) == form


@pytest.mark.parametrize("notation", ["index", "tensor"])
def test_a_free_index_may_take_the_name_of_a_bound_one(notation):
    """Row u of the output: the summation index u must make way."""
    frozen = freeze_at_random("attn(2) bilinear", seed=6)
    s, u, v = (Symbol(name, integer=True, nonnegative=True) for name in "suv")
    form = sc.path_expansion(frozen.model).closed_form(notation).subs(s, u)
    known = sc.operands(frozen)
    output = frozen.forward().output
    if notation == "index":
        f = sc.lambdify([*known, u, v], form)
        found = np.array([[f(*known.values(), a, b) for b in range(output.shape[1])] for a in range(len(output))])
    else:
        f = sc.lambdify([*known, u], form)
        found = np.array([f(*known.values(), a) for a in range(len(output))])
    np.testing.assert_allclose(found, output, atol=1e-12)


def test_nothing_depends_on_the_hash_seed():
    root = Path(__file__).parents[2]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], env=os.environ | {"PYTHONHASHSEED": seed}, cwd=root, stdout=subprocess.PIPE
        )
        for seed in ("0", "1")
    ]
    outputs = {run.communicate(timeout=120)[0] for run in runs}
    assert all(run.returncode == 0 for run in runs)
    assert len(outputs) == 1
    assert len(outputs.pop()) > 10_000


def test_closed_forms_that_are_too_long():
    expansion = sc.path_expansion("(attn(12) bilinear)*3")
    for write in (expansion.expr, expansion.closed_form):
        with pytest.raises(BudgetError, match="the limit is 20,000"):
            write("matrix")
    assert len(summands(sc.path_expansion("(attn(12) bilinear)*2").closed_form("matrix"))) == 156
