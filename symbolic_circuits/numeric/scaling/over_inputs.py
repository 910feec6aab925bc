"""A function of an expansion, weights and tokens at every sequence of a batch: totals, sums by grade, rankings, interventions."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.scaling.outcome import Outcome
from symbolic_circuits.numeric.scaling.tasks import outcomes
from symbolic_circuits.numeric.weights import Weights

__all__ = ["each_input"]


def each_input(
    function: Callable,
    expansion: PathExpansion,
    weights: Weights,
    batch: Iterable,
    *,
    executor: Executor | None = None,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """``function(expansion, weights=weights, tokens=tokens)`` for every sequence of a batch, as they are completed.

    Parameters
    ----------
    function : ``total``, ``graded``, ``rank``, ``explain``, ``partial(ablate, query="attn.0[1]")``, or any other at the top level of a
        module with parameters of these names; options by ``functools.partial``
    batch : sequences of tokens, (b, n) or of lengths of their own; residual inputs (n, d) for a model without embedding
    executor : any ``concurrent.futures.Executor``; in place by default
    chunk : sequences that are submitted together; by default as many as take up to half a second
    progress : called with the number of outcomes and of sequences

    Raises
    ------
    ExecutorError
        This is no executor, or the function cannot be sent to another process.
    TokensError
        The batch is one sequence.

    Notes
    -----
    Expansion and weights are sent once a worker. A process computes with as many BLAS threads as its environment says: with as
    many workers as cores set OMP_NUM_THREADS=1 (or OPENBLAS_NUM_THREADS, MKL_NUM_THREADS) before they start. Workers of dask give freed memory back at once,
    which makes arrays slow: set distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ to 2**28
    in dask's configuration before the cluster starts.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from symbolic_circuits.numeric.scaling.outcome import in_order
    >>> weights = sc.Weights.example()
    >>> expansion, batch = sc.path_expansion(weights.model), [[3, 4, 31], [30, 5, 31]]
    >>> with ThreadPoolExecutor(2) as executor:
    ...     logits = in_order(each_input(sc.total, expansion, weights, batch, executor=executor))
    >>> [int(output[-1].argmax()) for output in logits]
    [7, 4]
    """
    batch = list(batch)
    if batch and np.ndim(batch[0]) == 0:
        raise TokensError("a batch is a list of sequences; got one sequence: put it in a list")
    shared = (function, expansion, weights)
    return outcomes(at_input, batch, shared=shared, executor=executor, chunk=chunk, progress=progress)


def at_input(function: Callable, expansion: PathExpansion, weights: Weights, tokens: object) -> object:
    """The function at one sequence; by name, because some have other parameters between."""
    return function(expansion, weights=weights, tokens=tokens)
