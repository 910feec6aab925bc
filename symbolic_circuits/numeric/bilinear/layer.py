r"""A bilinear layer as three matrices: $x \mapsto W_{out} ((W_1 x) \odot (W_2 x))$, $B_{ijk} = \sum_p (W_{out})_{ip} (W_1)_{pj} (W_2)_{pk}$.

| letter | meaning | shape |
| --- | --- | --- |
| W_1, W_2 | left and right input maps, one row a hidden unit | m x d |
| W_out | output map, one column a hidden unit | d x m |
| B | the tensor, never formed unless asked for | d x d x d |
"""

import re
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, ShapeError, SpecError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["BilinearLayer", "bilinear_layer", "layer_number", "require_bytes", "require_matrix"]

MAX_BYTES = 2**30  # of an array formed on request
NAME = re.compile(r"bilinear\.(\d{1,6})\Z")


@dataclass(frozen=True, eq=False)
class BilinearLayer:
    """The weights of one layer in float64, its output map written out.

    Raises
    ------
    ShapeError
        The three matrices do not fit together.

    Examples
    --------
    >>> layer = BilinearLayer(np.eye(2), np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0, 1.0]]))
    >>> layer(np.array([2.0, 3.0]))
    array([12.])
    """

    W_1: np.ndarray  # (m, d)
    W_2: np.ndarray  # (m, d)
    W_out: np.ndarray  # (outputs, m); the identity where the layer has none
    name: str = "a bilinear layer"

    def __post_init__(self) -> None:
        for letter in ("W_1", "W_2", "W_out"):
            object.__setattr__(self, letter, require_matrix(getattr(self, letter), letter))
        if self.W_1.shape != self.W_2.shape or self.W_out.shape[1] != len(self.W_1):
            shapes = f"W_1 {self.W_1.shape}, W_2 {self.W_2.shape}, W_out {self.W_out.shape}"
            raise ShapeError(f"W_1 and W_2 have one shape (m, d) and W_out has shape (outputs, m); got {shapes}")

    @property
    def width(self) -> int:
        """d, the width of the input."""
        return self.W_1.shape[1]

    @property
    def outputs(self) -> int:
        """The width of the output: d in a model."""
        return len(self.W_out)

    @property
    def hidden(self) -> int:
        """m, the number of hidden units."""
        return len(self.W_1)

    def __call__(self, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """B(x, y), or B(x, x), of vectors (..., d); shape (..., outputs)."""
        return ((x @ self.W_1.T) * ((x if y is None else y) @ self.W_2.T)) @ self.W_out.T

    def tensor(self, *, symmetric: bool = False, max_bytes: int = MAX_BYTES) -> np.ndarray:
        """B, shape (outputs, d, d), or its part that is symmetric in the inputs; BudgetError where it is too large."""
        require_bytes((self.outputs, self.width, self.width), f"the tensor of {self.name}", max_bytes)
        B = np.einsum("ap,pj,pk->ajk", self.W_out, self.W_1, self.W_2, optimize=True)
        return (B + B.transpose(0, 2, 1)) / 2 if symmetric else B


def bilinear_layer(weights: Weights, layer: int | str) -> BilinearLayer:
    """One bilinear layer of a model.

    Parameters
    ----------
    layer : the number of its block, or its name, such as "bilinear.1"

    Raises
    ------
    SpecError
        There is no such block, or it is attention; the message says which blocks are bilinear layers.

    Examples
    --------
    >>> layer = bilinear_layer(Weights.example(), "bilinear.1")
    >>> layer.width, layer.hidden, layer.outputs
    (64, 128, 64)
    """
    number = layer_number(weights.model, layer)
    spec = dict(weights.model.numbered())[number]
    left = weights.arrays[f"bilinear.{number}.W_1"]
    right = left if spec.tied else weights.arrays[f"bilinear.{number}.W_2"]
    out = weights.arrays[f"bilinear.{number}.W_out"] if spec.output else np.eye(len(left))
    return BilinearLayer(left, right, out, f"bilinear.{number}")


def layer_number(model: Transformer, layer: int | str) -> int:
    """The number of a block that is a bilinear layer."""
    blocks = dict(model.numbered())
    named = NAME.match(layer) if isinstance(layer, str) else None
    number = int(named.group(1)) if named else layer
    there = ", ".join(f"bilinear.{k}" for k, spec in blocks.items() if isinstance(spec, Bilinear)) or "none"
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number not in blocks:
        raise SpecError(f"{str(model)!r} has no block {layer!r}; its bilinear layers: {there}")
    if isinstance(blocks[number], Attention):
        raise SpecError(f"block {number} of {str(model)!r} is attention, not a bilinear layer; its bilinear layers: {there}")
    return int(number)


def require_matrix(array: object, what: str, width: int | None = None) -> np.ndarray:
    """A finite real matrix in float64, with so many columns where that is known.

    Raises
    ------
    ShapeError, WeightsError
        It is no matrix, has another width or no rows; or has entries that are no finite real numbers.
    """
    array = np.asarray(as_numpy(array))
    if array.ndim != 2 or not array.size or (width is not None and array.shape[1] != width):
        raise ShapeError(f"{what} is a matrix of shape (rows, {'columns' if width is None else width}); got shape {array.shape}")
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise WeightsError(f"{what} must hold finite real numbers; got dtype {array.dtype}")
    return array.astype(np.float64)


def require_bytes(shape: tuple[int, ...], what: str, max_bytes: int) -> None:
    """Raise BudgetError unless an array of this shape fits into the limit."""
    needed = 8
    for size in shape:
        needed *= int(size)
    if needed > max_bytes:
        sizes = " x ".join(f"{size:,}" for size in shape)
        raise BudgetError(f"{what} has {sizes} entries, {in_words(needed)} bytes; the limit is {max_bytes:,}")
