r"""A number read off the output: $u \cdot \mathrm{output}_s$ at one position s; a logit, a difference of two logits, or any direction.

| letter | meaning | shape |
| --- | --- | --- |
| u | direction on the output: a unit vector for a logit, e_a - e_b for a difference | V, or d without unembedding |
| W_U^T u | the same direction on the residual stream | d |
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.numeric.array_library import as_numpy, same_kind
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places

__all__ = ["Readout", "readout"]


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """A direction at a position, and words for it; the direction is NumPy's, or a tensor where the weights are."""

    position: int  # counted from 0
    direction: np.ndarray  # (V,), or (d,) without unembedding
    words: str

    def on_stream(self, frozen: Frozen) -> np.ndarray:
        """The direction on the residual stream, shape (d,)."""
        return frozen.on_stream(self.direction)

    def of(self, output: np.ndarray) -> float:
        """The number, of an output (n, V)."""
        return float(output[self.position] @ self.direction)


def readout(
    frozen: Frozen, *, position: int = -1, token: int | None = None, against: int | None = None, direction: object = None
) -> Readout:
    """The logit of a token, less that of another where there is one; or the output along a direction.

    Parameters
    ----------
    position : of the sequence, from the end where negative
    token, against : tokens of the output (coordinates of the stream without unembedding)
    direction : a vector on the last axis of the output, instead of tokens

    Raises
    ------
    TokensError
        A position, token or direction does not fit; or neither, or both, of token and direction are given.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> found = readout(frozen, token=7, against=8)
    >>> found.words, bool(found.of(frozen.forward().output) > 0)
    ('logit 7 - logit 8 at position 2', True)
    """
    model = frozen.model
    width = frozen.output_width
    (place,) = places(frozen, [position])
    if (token is None) == (direction is None) or (against is not None and token is None):
        raise TokensError("a readout is a token, a token against another, or a direction: give one of them")
    x0 = as_numpy(frozen.x0)
    if direction is not None:
        vector = np.asarray(as_numpy(direction))
        if vector.dtype.kind not in "fiub":
            raise TokensError(f"a direction on the output has real numbers; got {vector.dtype}")
        vector = vector.astype(x0.dtype if x0.dtype.kind == "f" else float)
        if vector.shape != (width,) or not np.isfinite(vector).all():
            raise TokensError(f"a direction on the output is finite and has shape ({width},); got shape {vector.shape}")
        return Readout(place, same_kind(vector, frozen.x0), f"a direction at position {place}")
    what, vector = "logit" if model.unembedding else "coordinate", np.zeros(width, dtype=x0.dtype)
    words = []
    for number, sign in ((token, 1), (against, -1)):
        if number is None:
            continue
        if isinstance(number, bool) or not hasattr(number, "__index__") or not 0 <= number < width:
            raise TokensError(f"token {number} is outside range({width})")
        vector[number] += sign
        words.append(f"{what} {int(number)}")
    return Readout(place, same_kind(vector, frozen.x0), f"{' - '.join(words)} at position {place}")
