"""A function of an expansion, weights and tokens at the terms of every query: their totals, say, on one sequence."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor

from symbolic_circuits.errors import TermError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.language import as_query
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.scaling.outcome import Outcome
from symbolic_circuits.numeric.scaling.tasks import outcomes
from symbolic_circuits.numeric.weights import Weights

__all__ = ["each_query"]


def each_query(
    function: Callable,
    expansion: PathExpansion,
    queries: Iterable[Query | str],
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    executor: Executor | None = None,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """``function(expansion.where(query), weights, tokens)`` for every query, as they are completed.

    Parameters
    ----------
    function : ``total``, ``graded``, ``rank``, or any other at the top level of a module; options by ``functools.partial``
    queries : texts or queries; all are read before the first is answered
    weights, tokens : frozen weights without tokens, or both; a function of (expansion, frozen) is called with those two
    executor, chunk, progress : as in :func:`symbolic_circuits.numeric.scaling.over_inputs.each_input`

    Raises
    ------
    ExecutorError
        This is no executor, or the function cannot be sent to another process.
    TermError
        A text is not a query; or queries are one text, not a list of them.

    Examples
    --------
    >>> import numpy as np
    >>> import symbolic_circuits as sc
    >>> from symbolic_circuits.numeric.scaling.outcome import in_order
    >>> weights = sc.Weights.example()
    >>> expansion, frozen = sc.path_expansion(weights.model), sc.freeze(weights, [3, 4, 31])
    >>> parts = in_order(each_query(sc.total, expansion, ["attn.0[1]", "not attn.0[1]"], frozen))
    >>> bool(np.allclose(sum(parts), frozen.forward().output, atol=1e-3))  # the example is float32
    True
    """
    if isinstance(queries, Query | str):
        raise TermError(f"queries are a list of them; got one: {queries}")
    given = (weights,) if tokens is None else (weights, tokens)
    read = [as_query(query) for query in queries]
    shared = (function, expansion, given)
    return outcomes(at_query, read, shared=shared, executor=executor, chunk=chunk, progress=progress)


def at_query(function: Callable, expansion: PathExpansion, given: tuple, query: Query) -> object:
    """The function at the terms of one query."""
    return function(expansion.where(query), *given)
