r"""What an explanation is of: $y = M x_s$, a number or a vector read off the stream at one position s, linear in the terms.

| letter | meaning | shape |
| --- | --- | --- |
| x_s | the stream of a term at the position s; X_s is that of all of them | d |
| M | the row W_U^T u of a readout u; for the whole output R with R^T R = W_U^T W_U, so that ‖R x‖ = ‖W_U x‖ | q x d |
| T | M X_s, the total | q |

With q = min(d, V) at most, the norm of an output is that of a vector much shorter than the vocabulary.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.checking import ROUNDING
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.readout import readout
from symbolic_circuits.numeric.running_errors import RunningErrors

__all__ = ["Aim", "aim_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A number (q = 1) or a vector that the terms add up to."""

    position: int  # counted from 0
    words: str
    matrix: np.ndarray  # (q, d) M
    total: np.ndarray  # (q,) T
    direction: (
        np.ndarray
    )  # (V,) or (d,): how far an output y goes along the total, as <direction, y>; a number goes +1 or -1 as far
    rounding: float  # how far rounding may have moved the total
    together: float  # and all terms together, each by itself
    precision: float  # relative rounding of a value
    scale: float  # |M| |X_s|: as large as the total can be

    @property
    def is_number(self) -> bool:
        """Whether the total is one number with a sign."""
        return len(self.matrix) == 1

    @property
    def size(self) -> float:
        """|T|, the norm."""
        return float(np.linalg.norm(self.total))

    def along(self, values: np.ndarray) -> np.ndarray:
        """How far values (terms, q) go along the total, shape (terms,): they add up to |T|."""
        unit = np.sign(self.total) if self.is_number else self.total / (self.size or 1.0)
        return values @ unit

    def of(self, streams: np.ndarray) -> np.ndarray:
        """M x_s of streams at the position, (..., d) to (..., q)."""
        return np.asarray(streams, dtype=np.float64) @ self.matrix.T


def aim_of(
    expansion: PathExpansion,
    frozen: Frozen,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    direction: object = None,
) -> Aim:
    """The readout of a token, of one against another or along a direction; without any of them the output vector.

    Raises
    ------
    TokensError
        A position, token or direction does not fit, or does not go with another.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> expansion = sc.path_expansion(frozen.model)
    >>> aim_of(expansion, frozen, token=7).words, aim_of(expansion, frozen).words
    ('logit 7 at position 2', 'the output at position 2')
    """
    (place,) = places(frozen, [position])
    with np.errstate(all="ignore"):  # bounds may overflow
        found = expansion.interpret(RunningErrors(frozen))
    stream = np.asarray(found.x[place], dtype=np.float64)
    if token is None and against is None and direction is None:
        matrix, words = coordinates(frozen), f"the output at position {place}"
        output = frozen.output(stream)
        along = output / (np.linalg.norm(output) or 1.0)
    else:
        wanted = readout(frozen, position=position, token=token, against=against, direction=direction)
        matrix, words = np.asarray(wanted.on_stream(frozen), dtype=np.float64)[None], wanted.words
        along = wanted.direction if float(matrix[0] @ stream) >= 0 else -wanted.direction
    steps, eps = 1 + len(frozen.model.steps), float(np.finfo(frozen.x0.dtype).eps if frozen.x0.dtype.kind == "f" else 2**-52)
    size = float(lengths(matrix, axes=2))
    scale, own = size * float(lengths(stream)), 2**-52 * matrix.shape[1]
    together = size * float(found.E[place] + own * found.S[place])
    rounding = size * float(found.e[place]) + own * scale
    return Aim(place, words, matrix, matrix @ stream, along, rounding, together, ROUNDING * steps * eps, scale)


def coordinates(frozen: Frozen) -> np.ndarray:
    """R (q, d) with R^T R = W_U^T W_U: the unembedding itself where it is short, else the triangle of its QR decomposition."""
    if not frozen.model.unembedding:
        return frozen.on_stream(np.eye(frozen.output_width))
    W_U = np.asarray(frozen.arrays["W_U"], dtype=np.float64)
    return np.linalg.qr(W_U, mode="r") if len(W_U) > W_U.shape[1] else W_U
