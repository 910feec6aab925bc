r"""The output of every term at every input of a batch, as one array: $L_{iypv}$, $\sum_y L_{iypv}$ being the output of the model at input i."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.evaluate import MAX_BYTES, output_values
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["term_outputs"]


def term_outputs(
    expansion: PathExpansion | Transformer | str,
    weights: Weights,
    batch: Iterable[object],
    *,
    positions: Sequence[int] | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """What every term writes to the output at every input, patterns, scales and gates being those of each input's own run.

    Parameters
    ----------
    expansion : of the weights' model, or some of its terms, ``expansion.where(query)``
    batch : sequences, or residual inputs; of one length unless ``positions`` are given
    positions : those wanted, from the end where negative; all by default
    max_bytes : limit on the array
    progress : called with the number of inputs done and of all

    Returns
    -------
    numpy.ndarray
        (inputs, terms, positions, V), or (inputs, terms, positions, d) without unembedding; terms in the order of the expansion.

    Raises
    ------
    SpecError, TokensError
        The weights are of another model; an input does not fit, there is none, or their lengths differ.
    BudgetError
        The array is larger than the limit.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = term_outputs(weights.model, weights, [[3, 4, 31], [30, 5, 31]], positions=[-1])
    >>> found.shape, found.sum(axis=1)[:, 0].argmax(axis=-1).tolist()
    ((2, 12, 1, 32), [7, 4])
    """
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    require_match(expansion, weights.model, weights.arrays, None)
    sources = checked(weights, batch, positions)
    require_bytes(expansion, weights, len(sources), len(sources[0]) if positions is None else len(positions), max_bytes)
    found: list[np.ndarray] = []
    for k, source in enumerate(sources):
        values = output_values(expansion, freeze(weights, source), positions)
        found = found or [np.empty((len(sources), *values.shape), dtype=values.dtype)]
        found[0][k] = values
        if progress is not None:
            progress(k + 1, len(sources))
    return found[0]


def checked(weights: Weights, batch: Iterable[object], positions: Sequence[int] | None) -> list[np.ndarray]:
    """The inputs, of one length unless positions are given."""
    given = list(batch)
    if not given or np.ndim(given[0]) == 0:
        raise TokensError("a batch is a list of sequences, at least one; put a single one in a list")
    sources = [weights.source(x) for x in given]
    lengths = sorted({len(x) for x in sources})
    if positions is None and len(lengths) > 1:
        raise TokensError(f"inputs of {lengths[0]} and of {lengths[-1]} positions make no array: give positions, such as [-1]")
    return sources


def require_bytes(expansion: PathExpansion, weights: Weights, inputs: int, positions: int, max_bytes: int) -> None:
    """Raise BudgetError where the array is larger than the limit."""
    model, terms = weights.model, expansion.number_of_terms
    width = weights.size(model.V if model.unembedding else model.d)
    needed = np.result_type(*weights.arrays.values()).itemsize * inputs * terms * positions * width
    if needed > max_bytes:
        raise BudgetError(
            f"the outputs of {in_words(terms)} terms at {inputs:,} inputs take {in_words(needed)} bytes; the limit is {max_bytes:,}: "
            "give positions, fewer inputs, or a query (expansion.where)"
        )
