r"""What terms are measured by: $u \cdot \mathrm{output}_s$ for a logit, a difference of two, or the share of the whole output.

The share of a term is its inner product with the output at the position over that of the output with itself: u = output / |output|^2.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places
from symbolic_circuits.numeric.readout import Readout, readout

__all__ = ["Reading", "reading_of"]


@dataclass(frozen=True, eq=False)
class Reading:
    """A readout of a run, and the sum of all terms in it."""

    frozen: Frozen
    readout: Readout
    is_share: bool  # of the whole output, so that all terms add up to 1

    @property
    def words(self) -> str:
        """What is read."""
        return f"share of the output at position {self.readout.position}" if self.is_share else self.readout.words

    @cached_property
    def output(self) -> np.ndarray:
        """The output of the forward pass, (n, V)."""
        return self.frozen.forward().output

    @property
    def total(self) -> float:
        """The readout of the forward pass."""
        return self.readout.of(self.output)

    def of_terms(self, expansion: PathExpansion) -> np.ndarray:
        """The contribution of every term, (terms,)."""
        return contributions(expansion, self.frozen, position=self.readout.position, direction=self.readout.direction)

    def of_stream(self, stream: np.ndarray) -> float:
        """The contribution of a part of the last stream, (n, width)."""
        return float(stream[self.readout.position] @ self.readout.on_stream(self.frozen))


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
