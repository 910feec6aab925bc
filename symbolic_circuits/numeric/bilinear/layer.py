r"""A bilinear layer as three matrices: $x \mapsto W_{out} ((W_1 x) \odot (W_2 x))$, $B_{ijk} = \sum_p (W_{out})_{ip} (W_1)_{pj} (W_2)_{pk}$; and its biases.

| letter | meaning | shape |
| --- | --- | --- |
| W_1, W_2 | left and right input maps, one row a hidden unit | m x d |
| W_out | output map, one column a hidden unit | d x m |
| B | the tensor, never formed unless asked for | d x d x d |
| b_1, b_2, b_out | biases, where there are some: $W_{out} ((W_1 x + b_1) \odot (W_2 x + b_2)) + b_{out}$ | m, m, d |

B is the interaction of two inputs; what biases add to it are linear maps and constants (:mod:`symbolic_circuits.numeric.bilinear.parts`).
Everything that is said of the tensor is said of the interaction.
"""

import re
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, ShapeError, SpecError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.circuits.components import gated_arrays, require_no_gate
from symbolic_circuits.numeric.readers import offset
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["BilinearLayer", "bilinear_layer", "layer_number", "require_bilinear", "require_bytes", "require_matrix"]

MAX_BYTES = 2**30  # of an array formed on request
NAME = re.compile(r"bilinear\.(\d{1,6})\Z")


@displayed
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
    b_1: np.ndarray | None = None  # (m,)
    b_2: np.ndarray | None = None  # (m,)
    b_out: np.ndarray | None = None  # (outputs,)

    def __post_init__(self) -> None:
        for letter in ("W_1", "W_2", "W_out"):
            object.__setattr__(self, letter, require_matrix(getattr(self, letter), letter))
        if self.W_1.shape != self.W_2.shape or self.W_out.shape[1] != len(self.W_1):
            shapes = f"W_1 {self.W_1.shape}, W_2 {self.W_2.shape}, W_out {self.W_out.shape}"
            raise ShapeError(f"W_1 and W_2 have one shape (m, d) and W_out has shape (outputs, m); got {shapes}")
        for letter, size in (("b_1", self.hidden), ("b_2", self.hidden), ("b_out", self.outputs)):
            if getattr(self, letter) is not None:
                object.__setattr__(self, letter, require_bias(getattr(self, letter), letter, size))

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

    @property
    def has_biases(self) -> bool:
        """Whether there is a bias, be it zero."""
        return any(bias is not None for bias in (self.b_1, self.b_2, self.b_out))

    @property
    def inner_biases(self) -> tuple[np.ndarray, np.ndarray]:
        """b_1 and b_2 (m,), zero where there are none."""
        return tuple(np.zeros(self.hidden) if bias is None else bias for bias in (self.b_1, self.b_2))

    def with_constant(self) -> Self:
        """The layer of inputs (x, 1), of width d + 1 and without biases: b_1 and b_2 are columns, b_out is written by a further unit.

        >>> layer = BilinearLayer(np.eye(2), np.eye(2), np.eye(2), b_1=np.array([1.0, 0.0]), b_out=np.array([0.0, 5.0]))
        >>> layer(np.array([2.0, 3.0])).tolist(), layer.with_constant()(np.array([2.0, 3.0, 1.0])).tolist()
        ([6.0, 14.0], [6.0, 14.0])
        """
        inner = [np.column_stack([W, b]) for W, b in zip((self.W_1, self.W_2), self.inner_biases, strict=True)]
        if self.b_out is None:
            return BilinearLayer(*inner, self.W_out, f"{self.name} with a constant")
        one = np.eye(self.width + 1)[-1:]
        inner = [np.vstack([W, one]) for W in inner]
        return BilinearLayer(*inner, np.column_stack([self.W_out, self.b_out]), f"{self.name} with a constant")

    def with_row(self) -> Self:
        """The layer with one output more, which is zero."""
        return replace(self, W_out=np.vstack([self.W_out, np.zeros(self.hidden)]))

    def without_biases(self) -> Self:
        """The interaction alone."""
        return replace(self, b_1=None, b_2=None, b_out=None)

    def __call__(self, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """The layer at a left and a right input, or at one, (..., d); shape (..., outputs). Without biases that is B(x, y)."""
        left, right = x @ self.W_1.T, (x if y is None else y) @ self.W_2.T
        left, right = (side if bias is None else side + bias for side, bias in ((left, self.b_1), (right, self.b_2)))
        out = (left * right) @ self.W_out.T
        return out if self.b_out is None else out + self.b_out

    def tensor(self, *, symmetric: bool = False, max_bytes: int = MAX_BYTES) -> np.ndarray:
        """B, shape (outputs, d, d), or its part that is symmetric in the inputs; BudgetError where it is too large."""
        require_bytes((self.outputs, self.width, self.width), f"the tensor of {self.name}", max_bytes)
        B = np.einsum("ap,pj,pk->ajk", self.W_out, self.W_1, self.W_2, optimize=True)
        return (B + B.transpose(0, 2, 1)) / 2 if symmetric else B


def bilinear_layer(weights: Weights, layer: int | str) -> BilinearLayer:
    r"""One bilinear layer of a model, as it acts on the stream: gains and biases of the norm before it are inside, $W \operatorname{diag}(w) C$, and the
    scale of each position is left out (it is squared in B).

    Parameters
    ----------
    layer : the number of its block, or its name, such as "bilinear.1"

    Raises
    ------
    SpecError
        There is no such block, or it is attention, or it has a gate; the message says which blocks are bilinear layers.

    Examples
    --------
    >>> layer = bilinear_layer(Weights.example(), "bilinear.1")
    >>> layer.width, layer.hidden, layer.outputs
    (64, 128, 64)
    """
    require_bilinear(weights, layer)
    number = layer_number(weights.model, layer)
    W_1, W_2, W_out = gated_arrays(weights, number)
    spec, name = dict(weights.model.numbered())[number], f"bilinear.{number}"
    b_1 = offset(weights, f"{name}.W_1")
    b_2 = b_1 if spec.tied else offset(weights, f"{name}.W_2")
    return BilinearLayer(W_1, W_2, W_out, name, b_1, b_2, weights.arrays.get(f"{name}.b_out"))


def require_bilinear(weights: Weights, layer: int | str) -> None:
    """Raise SpecError unless that is a bilinear layer without gate."""
    number = layer_number(weights.model, layer)
    require_no_gate(weights.model, number, dict(weights.model.numbered())[number])


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


def require_bias(array: object, what: str, size: int) -> np.ndarray:
    """A finite real vector of so many entries in float64; else a ShapeError or WeightsError."""
    array = np.asarray(as_numpy(array))
    if array.shape != (size,):
        raise ShapeError(f"{what} is a vector of shape ({size},); got shape {array.shape}")
    return require_matrix(array[None], what)[0]


def require_bytes(shape: tuple[int, ...], what: str, max_bytes: int) -> None:
    """Raise BudgetError unless an array of this shape fits into the limit."""
    needed = 8
    for size in shape:
        needed *= int(size)
    if needed > max_bytes:
        sizes = " x ".join(f"{size:,}" for size in shape)
        raise BudgetError(f"{what} has {sizes} entries, {in_words(needed)} bytes; the limit is {max_bytes:,}")
