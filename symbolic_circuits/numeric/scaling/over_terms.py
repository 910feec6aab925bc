"""A function of an expansion, weights and tokens at blocks of consecutive terms, which are expansions of their own.

Their totals add up to the total, their contributions one after the other are those of all terms: expansions too large for one
array of values go block by block, and those too large to list at all can still be summed so.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.scaling.block import block
from symbolic_circuits.numeric.scaling.outcome import Outcome
from symbolic_circuits.numeric.scaling.tasks import outcomes
from symbolic_circuits.numeric.weights import Weights

__all__ = ["each_block"]

MAX_BLOCKS = 1_000_000


def each_block(
    function: Callable,
    expansion: PathExpansion,
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    size: int,
    executor: Executor | None = None,
    chunk: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """``function(block, weights, tokens)`` for blocks of ``size`` terms, as they are completed; the items are their numbers, ranges.

    Parameters
    ----------
    function : ``total``, ``contributions``, ``graded``, or any other at the top level of a module; options by ``functools.partial``
    weights, tokens : frozen weights without tokens, or both; a function of (expansion, frozen) is called with those two
    size : terms of a block; the last one may have fewer
    executor, chunk, progress : as in :func:`symbolic_circuits.numeric.scaling.over_inputs.each_input`

    Raises
    ------
    BudgetError
        The size is none, or there are over a million blocks.
    ExecutorError
        This is no executor, or the function cannot be sent to another process.
    SpecError
        The number of heads is a symbol.

    Examples
    --------
    >>> import numpy as np
    >>> import symbolic_circuits as sc
    >>> from functools import partial
    >>> from symbolic_circuits.numeric.scaling.outcome import in_order
    >>> weights = sc.Weights.example()
    >>> expansion, frozen = sc.path_expansion(weights.model), sc.freeze(weights, [3, 4, 31])
    >>> values = in_order(each_block(partial(sc.contributions, direction=7), expansion, frozen, size=5))
    >>> [len(part) for part in values], bool(np.isclose(np.concatenate(values).sum(), frozen.forward().output[-1, 7]))
    ([5, 5, 2], True)
    """
    count = expansion.enumeration.counts[-1]
    if isinstance(size, bool) or not isinstance(size, int) or size < 1 or count > size * MAX_BLOCKS:
        raise BudgetError(
            f"blocks have 1 term or more, and are {MAX_BLOCKS:,} at most; got a size of {size!r} for {in_words(count)} terms"
        )
    given = (weights,) if tokens is None else (weights, tokens)
    items = [range(start, min(start + size, count)) for start in range(0, count, size)]
    shared = (function, expansion, given)
    return outcomes(at_block, items, shared=shared, executor=executor, chunk=chunk, progress=progress)


def at_block(function: Callable, expansion: PathExpansion, given: tuple, numbers: range) -> object:
    """The function at the terms of one block."""
    return function(block(expansion, numbers.start, numbers.stop), *given)
