r"""One intervention at many inputs: $\mathrm{after}_i = \sum_{y \notin Q} k_i(y) + \mathrm{put\ in}$, the query compiled once and what is put in found once.

:func:`symbolic_circuits.numeric.interventions.ablate.ablate` at each input by itself finds the mean over its batch again each time.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.interventions.ablate import FROZEN, TERMS, Plan, inputs_for
from symbolic_circuits.numeric.interventions.intervention import Intervention
from symbolic_circuits.numeric.interventions.runs import finite_run, inputs_of, runs_of, source_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["ablate_each"]


def ablate_each(
    expansion: PathExpansion | Transformer | str,
    query: Query | str,
    weights: Weights,
    inputs: Iterable[object],
    *,
    by: str = "zero",
    batch: Iterable[object] | None = None,
    other: object = None,
    patterns: str = FROZEN,
    replace: str = TERMS,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Intervention]:
    """The same intervention at every input, one after the other; options and errors are those of :func:`ablate`.

    Parameters
    ----------
    inputs : sequences, or residual inputs; of one length where something is put in. All are checked before any is run
    batch : for the mean; by default the inputs themselves
    other : one input, which all are resampled from
    progress : called with the number of inputs done and of all

    Returns
    -------
    iterator of Intervention
        In the order of the inputs; each is run when it is asked for, and none is kept.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> inputs = [[3, 4, 31], [30, 5, 31], [7, 7, 31]]
    >>> found = list(ablate_each(weights.model, "attn.0[1] > bilinear.1", weights, inputs, by="mean"))
    >>> [f"{result.effect(token=(a + b) % 31):.1f}" for result, (a, b, _) in zip(found, inputs, strict=True)]
    ['-34.5', '9.0', '-38.2']
    """
    plan = Plan.make(expansion, query, weights, patterns, replace, by)
    sources = checked(weights, inputs, by == "zero")
    if by == "mean" and batch is None:
        batch = [source for _, source in sources]
    given = inputs_for(by, batch, other)
    others = [] if given is None else inputs_of(weights, given, len(sources[0][1]), "batch" if by == "mean" else "other")
    first = finite_run(weights, sources[0][1], sources[0][0])
    plan.require_bytes(first, len(others), max_bytes)
    runs = chain([first], runs_of(weights, sources[1:]))
    return done(
        plan, runs, runs_of(weights, others), len(others), by, max_bytes, lambda k: progress and progress(k, len(sources))
    )


def done(
    plan: Plan,
    runs: Iterable[Frozen],
    others: Iterable[Frozen],
    number: int,
    by: str,
    max_bytes: int,
    report: Callable[[int], None],
) -> Iterator[Intervention]:
    """The interventions of a plan."""
    values = plan.put_in(others, number)
    for k, frozen in enumerate(runs, start=1):
        plan.require_bytes(frozen, number, max_bytes)
        yield plan.with_values(frozen, values, number, by)
        report(k)


def checked(weights: Weights, inputs: Iterable[object], any_length: bool) -> list[tuple[str, np.ndarray]]:
    """The inputs with their names in messages, of one length unless any will do."""
    try:
        given = list(inputs)
    except TypeError:
        raise TokensError(f"inputs are a list of sequences; got {type(inputs).__name__}") from None
    if not given or np.ndim(given[0]) == 0:
        raise TokensError("inputs are a list of sequences, at least one; put a single one in a list")
    length = None if any_length else len(given[0])
    return [(f"input {k}", source_of(weights, x, length, f"input {k}")) for k, x in enumerate(given)]
