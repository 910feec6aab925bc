"""Random formulas have the value that NumPy gives them; other ways to write them are the same; random texts end in LatexError or are read."""

import importlib.util
import random
import re
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latex_formulas import ARRAYS, FREE, SCALARS, SIZES, SYMBOLS, Formula, formulas
from latex_values import value

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError

DECLARATIONS = sc.Declarations.parse(SYMBOLS)
KNOWN = {**ARRAYS, **SCALARS, **SIZES}


def value_at(expr: object, places: dict[str, int], shape: tuple[int, ...]) -> np.ndarray:
    """The value of what was read; a column is a vector."""
    indices = {symbol: places[re.sub(r"_\d+$", "", symbol.name)] for symbol in expr.free_symbols if is_index(symbol)}
    found = np.asarray(value(expr, {**KNOWN, **indices}), dtype=float)
    return found[..., 0] if found.ndim == len(shape) + 1 and found.shape[-1] == 1 else found


def is_index(symbol: object) -> bool:
    """Whether a free symbol is an index."""
    return bool(getattr(symbol, "is_nonnegative", False)) and not symbol.is_positive and symbol.name not in KNOWN


def places_of(seed: int) -> dict[str, int]:
    """Places of the free indices."""
    return {name: random.Random(f"{name}{seed}").randrange(SIZES[size]) for name, size in FREE.items()}


@settings(max_examples=250)
@given(formulas())
def test_values(drawn: tuple[Formula, str]) -> None:
    formula, shape = drawn
    expr = sc.read_latex(formula.text, DECLARATIONS)
    sizes = tuple(SIZES[letter] for letter in shape)
    for seed in (0, 1):
        places = places_of(seed)
        expected = np.asarray(formula.value(places), dtype=float)
        found = value_at(expr, places, sizes)
        assert expected.shape == found.shape == sizes
        assert np.allclose(found, expected, rtol=1e-9, atol=1e-9)


OTHER_WAYS = [
    lambda text: text.replace("(", r"\left(").replace(")", r"\right)"),
    lambda text: text.replace("(", r"\bigl[").replace(")", r"\bigr]"),
    lambda text: text.replace(" ", r" \, ") + " % done",
    lambda text: text.replace(r"^\top", r"^{\mathsf T}").replace("^T", r"^{\intercal}"),
    lambda text: text.replace(r"\operatorname", r"\mathrm").replace(r"\odot", r"\circ").replace(r"\otimes", "⊗"),
    lambda text: re.sub(r"\b([A-Z])\b(?![}])", r"\\mathbf{\1}", text.replace("^T", r"^\top")),
    lambda text: f"{{{text}}}",
]


@settings(max_examples=60)
@given(formulas(), st.sampled_from(OTHER_WAYS))
def test_other_ways_to_write(drawn: tuple[Formula, str], way: object) -> None:
    text = drawn[0].text
    assert str(sc.read_latex(way(text), DECLARATIONS)) == str(sc.read_latex(text, DECLARATIONS))


@settings(max_examples=60)
@given(formulas(), formulas())
def test_equations(one: tuple[Formula, str], other: tuple[Formula, str]) -> None:
    """Two formulas of one shape make a claim of those two; of different shapes, an error that names both."""
    text = f"{one[0].text} = {other[0].text}"
    if one[1] != other[1]:
        with pytest.raises(LatexError):
            sc.read_equations(text, DECLARATIONS)
        return
    [chain] = sc.read_equations(text, DECLARATIONS)
    [claim] = chain.claims
    sizes = tuple(SIZES[letter] for letter in one[1])
    places = places_of(2)
    for side, (formula, _) in ((claim.lhs, one), (claim.rhs, other)):
        assert np.allclose(value_at(side, places, sizes), formula.value(places), rtol=1e-9, atol=1e-9)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    """The benchmark that reads very many random texts."""
    path = Path(__file__).parents[1] / "benchmarks" / "reading.py"
    spec = importlib.util.spec_from_file_location("reading_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("kind", ["random", "mutated"])
def test_texts_are_read_or_refused(benchmark: ModuleType, kind: str) -> None:
    declarations, source = sc.Declarations.parse(benchmark.DECLARATIONS), random.Random(f"{kind} tests")
    outcomes = []
    for _ in range(500):
        text = benchmark.noise(source) if kind == "random" else benchmark.mutated(source.choice(benchmark.EQUATIONS), source)
        outcome, seconds = benchmark.attempt(text, declarations)
        assert outcome in ("read", "LatexError") and seconds < 2, text
        outcomes.append(outcome)
    assert "LatexError" in outcomes and (kind == "random" or "read" in outcomes)


def test_declarations_are_read_or_refused(benchmark: ModuleType) -> None:
    source = random.Random(3)
    blocks = [line for line in benchmark.DECLARATIONS.splitlines() if line] + [
        r"B_{ijk} := \sum_p P_{ip} (W_1)_{pj} (W_2)_{pk}",
        r"U : m x d, orthonormal columns; given U^\top U = I",
        r"\newcommand{\z}[1]{#1 #1}; at d = 2; einstein on",
    ]
    read = 0
    for _ in range(500):
        try:
            sc.Declarations.parse(benchmark.mutated("; ".join(source.sample(blocks, 3)), source))
            read += 1
        except LatexError as error:
            assert error.line >= 1 and error.column >= 1
    assert 0 < read < 500
