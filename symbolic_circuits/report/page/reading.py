r"""What terms are measured by: $u \cdot \mathrm{output}_s$ for a logit, a difference of two, or the share of the whole output; or a score.

The share of a term is its inner product with the output at the position over that of the output with itself: u = output / |output|^2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.scores import scores
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places
from symbolic_circuits.numeric.readout import Readout, readout
from symbolic_circuits.numeric.total import total

__all__ = ["Reading", "reading_of", "score_reading"]


@dataclass(frozen=True, eq=False)
class Reading:
    """A readout of a run, and the sum of all terms in it."""

    frozen: Frozen
    readout: Readout
    is_share: bool  # of the whole output, so that all terms add up to 1
    root: Component | None = None  # the head whose scores are read instead of the output

    @property
    def words(self) -> str:
        """What is read."""
        return f"share of the output at position {self.readout.position}" if self.is_share else self.readout.words

    @cached_property
    def output(self) -> np.ndarray:
        """The output of the forward pass, (n, V), or the scores of the head, (n, n)."""
        return self.frozen.forward().output if self.root is None else scores_of(self.frozen, self.root)

    @property
    def total(self) -> float:
        """The readout of the forward pass."""
        return self.readout.of(self.output)

    def of_terms(self, expansion: PathExpansion) -> np.ndarray:
        """The contribution of every term, (terms,)."""
        return contributions(expansion, self.frozen, position=self.readout.position, direction=self.readout.direction)

    def of_stream(self, stream: np.ndarray) -> float:
        """The contribution of a part of the last stream, (n, width)."""
        direction = self.readout.on_stream(self.frozen) if self.root is None else self.readout.direction
        return float(stream[self.readout.position] @ direction)


def reading_of(frozen: Frozen, *, position: int = -1, token: int | None = None, against: int | None = None) -> Reading:
    """The reading of a logit, or of the whole output where no token is given.

    Raises
    ------
    TokensError
        A position or token does not fit; the output vanishes, so that nothing has a share of it.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> reading = reading_of(frozen)
    >>> reading.words, round(float(reading.of_terms(sc.path_expansion(frozen.model)).sum()), 5)
    ('share of the output at position 2', 1.0)
    """
    if token is not None or against is not None:
        return Reading(frozen, readout(frozen, position=position, token=token, against=against), False)
    (place,) = places(frozen, [position])
    output = frozen.forward().output[place]
    size = float(output @ output)
    if not np.isfinite(size) or size == 0:
        raise TokensError(
            f"the output at position {place} has no direction that shares could be read along: its square is {size}"
        )
    return Reading(frozen, readout(frozen, position=place, direction=output / size), True)


def scores_of(frozen: Frozen, root: Component) -> np.ndarray:
    """All scores of a head, before mask and softmax, (n, n)."""
    return total(scores(frozen.model, root.layer, root.head), frozen)


def score_reading(frozen: Frozen, root: Component, *, position: int = -1, key: int | None = None) -> Reading:
    """The reading of one score of a head.

    Parameters
    ----------
    root : the scores of a head, as the grammar of their expansion has them
    position : of the query, from the end where negative
    key : position of the key, from the end where negative; by default the one up to the query with the largest score

    Raises
    ------
    TokensError
        A position does not fit.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> expansion, frozen = sc.scores("attn(2)", 0, 1), sc.freeze(sc.Weights.random("attn(2)", seed=0), [1, 2, 3])
    >>> reading = score_reading(frozen, expansion.grammar.root, key=0)
    >>> reading.words, bool(np.isclose(reading.total, reading.of_terms(expansion).sum()))
    ('score of attn.0[1], query at position 2, key at position 0', True)
    """
    (query,) = places(frozen, [position])
    found = scores_of(frozen, root)
    (place,) = (int(found[query, : query + 1].argmax()),) if key is None else places(frozen, [key])
    direction = np.zeros(len(found), dtype=found.dtype)
    direction[place] = 1
    words = f"score of attn.{root.layer}[{root.head}], query at position {query}, key at position {place}"
    return Reading(frozen, Readout(query, direction, words), False, root)
