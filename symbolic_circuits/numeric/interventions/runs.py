"""The runs that an intervention reads, checked before work is spent: that of the input at hand, and those of other inputs."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from symbolic_circuits.errors import NotationError, TermError, TokensError, WeightsError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.grammar import grammar_of
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["finite_run", "inputs_of", "require_choice", "runs_of", "source_of", "whole_expansion"]


def whole_expansion(expansion: PathExpansion | Transformer | str, weights: Weights) -> PathExpansion:
    """The expansion of the model of the weights, all terms of it.

    Raises
    ------
    SpecError
        The weights are of another model.
    TermError
        Terms are left out: a model is intervened on as a whole.
    """
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    if not isinstance(weights, Weights):
        raise TypeError(f"weights are Weights, of which each input has a run of its own; got {type(weights).__name__}")
    require_match(expansion, weights.model, weights.arrays, None)
    if expansion.grammar.root is not None:
        raise TermError(f"interventions are on the output of a model; {expansion} are the terms of scores")
    if expansion.query is not None or expansion.grammar != grammar_of(expansion.model):
        raise TermError(f"a model is intervened on as a whole, but {expansion} leaves terms out: join queries with 'and' instead")
    return expansion


def require_choice(what: str, given: object, choices: Sequence[str]) -> None:
    """Raise NotationError unless an option is one of those offered."""
    if given not in choices:
        raise NotationError(f"{what} is one of {', '.join(choices)}; got {given!r}")


def finite_run(weights: Weights, tokens: object, what: str) -> Frozen:
    """The run of one input, its patterns held fixed; an error where an activation overflows."""
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = freeze(weights, tokens)
        try:
            finite_forward(frozen)
        except WeightsError as error:
            raise WeightsError(f"{what}: {error}") from error
    return frozen


def inputs_of(weights: Weights, inputs: Iterable[object], positions: int, what: str) -> list[tuple[str, np.ndarray]]:
    """Other inputs, checked, each with its name in messages; none is run.

    Raises
    ------
    TokensError
        There is none, one does not fit the weights, or has another length than the input at hand.
    """
    try:
        given = list(inputs)
    except TypeError:
        raise TokensError(f"{what} is a list of inputs; got {type(inputs).__name__}") from None
    if not given:
        raise TokensError(f"{what} has no input: give at least one")
    names = [named(what, k, len(given)) for k in range(len(given))]
    return [(name, source_of(weights, x, positions, name)) for name, x in zip(names, given, strict=True)]


def runs_of(
    weights: Weights, inputs: Sequence[tuple[str, np.ndarray]], progress: Callable[[int, int], None] | None = None
) -> Iterator[Frozen]:
    """The runs of inputs that are checked, each with its own patterns, one after the other."""
    for k, (name, source) in enumerate(inputs):
        yield finite_run(weights, source, name)
        if progress is not None:
            progress(k + 1, len(inputs))


def named(what: str, k: int, number: int) -> str:
    """An input in messages."""
    return what if number == 1 else f"{what}, input {k}"


def source_of(weights: Weights, given: object, positions: int | None, what: str) -> np.ndarray:
    """An input, checked, of so many positions; None: of any number."""
    try:
        source = weights.source(given)
    except TokensError as error:
        raise TokensError(f"{what}: {error}") from error
    if positions is not None and len(source) != positions:
        raise TokensError(f"{what} has {len(source)} positions, but the input at hand has {positions}")
    return source
