"""The arrays of a model, validated: every tensor there, of the right shape, finite, and sizes that agree.

| name | shape | |
| --- | --- | --- |
| W_E, W_U | (d, V), (V, d) | where the model has them |
| attn.0.W_Q, W_K, W_V | (H, e, d) | block number in the middle; they act on column vectors |
| attn.0.W_O | (H, d, e) | |
| bilinear.1.W_1, W_2 | (m, d) | no W_2 where weights are tied |
| bilinear.1.W_out | (d, m) | unless the layer has no output matrix |

Files are ``.npz`` (never pickled) or ``.safetensors``; both carry the text form of the model.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
import sympy

from symbolic_circuits.axes import Size
from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric import files
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Weights", "layout"]

MAX_BYTES = 8 * 2**30  # of random weights
EXAMPLES = Path(__file__).parent.parent / "examples"


def layout(model: Transformer) -> dict[str, tuple[Size, ...]]:
    """The name and shape of every array of a model.

    >>> layout(Transformer.parse("attn(2) bilinear"))["attn.0.W_O"]
    (2, d, e)
    """
    d, V = model.d, model.V
    shapes: dict[str, tuple[Size, ...]] = {}
    if model.embedding:
        shapes["W_E"] = (d, V)
    for index, spec in model.numbered():
        if isinstance(spec, Attention):
            shapes |= {f"attn.{index}.W_{letter}": (spec.heads, spec.e, d) for letter in "QKV"}
            shapes[f"attn.{index}.W_O"] = (spec.heads, d, spec.e)
        else:
            m = model.hidden_width(spec)
            shapes |= {f"bilinear.{index}.W_{k}": (m, d) for k in ("1", "2") if k == "1" or not spec.tied}
            if spec.output:
                shapes[f"bilinear.{index}.W_out"] = (d, m)
    if model.unembedding:
        shapes["W_U"] = (V, d)
    return shapes


@dataclass(frozen=True, eq=False)
class Weights:
    """The arrays of a model; construction validates them, and makes NumPy arrays of tensors on any device.

    Raises
    ------
    WeightsError
        Tensors are missing, extra, wrongly shaped or not finite, or sizes disagree; the message names each.

    Examples
    --------
    >>> weights = Weights.random("attn(2) bilinear", d=8, V=5, seed=0)
    >>> weights.arrays["attn.0.W_Q"].shape
    (2, 4, 8)
    """

    model: Transformer
    arrays: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        if isinstance(self.model, str):
            object.__setattr__(self, "model", Transformer.parse(self.model))
        expected = layout(self.model)
        require_names(expected, self.arrays)
        arrays = {name: as_finite(name, self.arrays[name]) for name in expected}
        object.__setattr__(self, "arrays", MappingProxyType(arrays))
        object.__setattr__(self, "_sizes", find_sizes(expected, arrays))

    def __reduce__(self) -> tuple:
        return type(self), (self.model, dict(self.arrays))  # read-only views are not pickled

    @property
    def sizes(self) -> Mapping[sympy.Symbol, int]:
        """The value of every size symbol that the arrays determine."""
        return MappingProxyType(self._sizes)

    def size(self, size: Size) -> int:
        """The value of a size of the model."""
        if not isinstance(size, int) and size not in self._sizes:
            raise WeightsError(f"no array of {str(self.model)!r} has the size {size}")
        return size if isinstance(size, int) else self._sizes[size]

    def __repr__(self) -> str:
        count = sum(array.size for array in self.arrays.values())
        return f"<Weights of {str(self.model)!r}: {count:,} parameters>"

    def astype(self, dtype: object) -> Self:
        """The same weights in another floating-point type."""
        return type(self)(self.model, {name: array.astype(dtype) for name, array in self.arrays.items()})

    def source(self, tokens: object) -> np.ndarray:
        """Tokens (n,) as validated integers; or a residual input (n, d) for a model without embedding.

        Raises
        ------
        TokensError
            Not integers, out of range, of another length than the model's n, or not of shape (n, d).
        """
        array, n = np.asarray(tokens), self.model.n
        if self.model.embedding:
            check_tokens(array, self.size(self.model.V))
        else:
            check_residual_input(array, self._sizes.get(self.model.d, self.model.d))
        if isinstance(n, int) and len(array) != n:
            raise TokensError(f"the model has n={n} positions; got {len(array)}")
        return array

    @classmethod
    def random(
        cls,
        model: Transformer | str,
        *,
        n: int | None = None,
        d: int = 16,
        V: int = 11,
        e: int = 4,
        m: int = 24,
        sizes: Mapping[str, int] | None = None,
        seed: int,
    ) -> Self:
        """Gaussian weights of variance 1 / (size of the last axis); symbolic sizes take the given values.

        Parameters
        ----------
        n : number of positions, fixed in the model of the weights; open by default, so that tokens may be of any length
        d, V, e, m : values of these size symbols, where the model leaves them open
        sizes : values of other size symbols, by name
        seed : of NumPy's default generator

        Raises
        ------
        SpecError
            A size has no value.
        BudgetError
            The arrays take over 8 GiB.
        """
        model = Transformer.parse(model) if isinstance(model, str) else model
        model = model if n is None else model.subs({"n": n})
        values = {"d": d, "V": V, "e": e, "m": m} | dict(sizes or {})
        generator, arrays, shapes = np.random.default_rng(seed), {}, {}
        for name, shape in layout(model).items():
            unknown = [str(s) for s in shape if isinstance(s, sympy.Symbol) and s.name not in values]
            if unknown:
                raise SpecError(
                    f"random weights of {name} need the size {', '.join(unknown)}: give sizes={{{unknown[0]!r}: ...}}"
                )
            shapes[name] = tuple(s if isinstance(s, int) else values[s.name] for s in shape)
        needed = 8 * sum(map(math.prod, shapes.values()))
        if needed > MAX_BYTES:
            raise BudgetError(f"random weights of {str(model)!r} take {in_words(needed)} bytes; the limit is {MAX_BYTES:,}")
        for name, numbers in shapes.items():
            arrays[name] = generator.standard_normal(numbers) / np.sqrt(numbers[-1])
        return cls(model, arrays)

    @classmethod
    def example(cls, name: str = "addition") -> Self:
        """Trained weights that ship with the package; ``addition`` is addition modulo 31 by ``attn(2) bilinear``.

        >>> Weights.example()
        <Weights of '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=128)': 45,056 parameters>
        """
        known = sorted(path.stem for path in EXAMPLES.glob("*.npz"))
        if name not in known:
            raise WeightsError(f"there is no example {name!r}; there are {', '.join(known)}")
        return cls.load(EXAMPLES / f"{name}.npz")

    @classmethod
    def load(cls, path: str | Path, model: Transformer | str | None = None) -> Self:
        """Weights from an ``.npz`` or ``.safetensors`` file.

        Parameters
        ----------
        model : the specification; by default the one that the file carries

        Raises
        ------
        WeightsError
            The file is not there, truncated or of another format, carries no model, or its arrays do not fit.
        """
        text, arrays = files.read(Path(path))
        if model is None and text is None:
            raise WeightsError(f"{path} does not say which model it belongs to: give model=")
        model = text if model is None else model
        try:
            return cls(model, arrays)
        except (WeightsError, SpecError) as error:
            raise WeightsError(f"{path}: {error}") from error

    def save(self, path: str | Path) -> None:
        """Write an ``.npz`` or ``.safetensors`` file, whole or not at all."""
        files.write(Path(path), str(self.model), self.arrays)


def require_names(expected: Mapping[str, object], arrays: Mapping[str, object]) -> None:
    """Raise WeightsError that lists missing and extra names."""
    missing = [name for name in expected if name not in arrays]
    extra = [str(name) for name in arrays if name not in expected]
    if missing or extra:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"extra {', '.join(extra)}"] if extra else []
        raise WeightsError(f"the weights do not fit the model: {'; '.join(parts)}")


def as_finite(name: str, array: object) -> np.ndarray:
    """The array as floating point, read-only, in C order, all entries finite."""
    array = np.asarray(as_numpy(array))
    if array.dtype.kind not in "fiu":
        raise WeightsError(f"{name} must hold real numbers; got dtype {array.dtype}")
    dtype = np.float64 if array.dtype.kind in "iu" else array.dtype.newbyteorder("=")
    array = array.astype(dtype, order="C", copy=True)  # one order in memory: products have the same bits in every process
    if not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        raise WeightsError(f"{name} has {len(bad)} entries that are NaN or infinite, the first at {tuple(map(int, bad[0]))}")
    array.flags.writeable = False
    return array


def find_sizes(expected: Mapping[str, tuple[Size, ...]], arrays: Mapping[str, np.ndarray]) -> dict[sympy.Symbol, int]:
    """The value of each size symbol; WeightsError where an axis disagrees, naming both sources."""
    sizes: dict[sympy.Symbol, int] = {}
    sources: dict[sympy.Symbol, str] = {}
    for name, shape in expected.items():
        array = arrays[name]
        if array.ndim != len(shape):
            raise WeightsError(f"{name} must have shape ({', '.join(map(str, shape))}); got shape {array.shape}")
        for axis, (size, length) in enumerate(zip(shape, array.shape, strict=True)):
            where = f"axis {axis} of {name}"
            if isinstance(size, int):
                if length != size:
                    raise WeightsError(f"{where} has size {length}, but the model says {size}; its shape is {array.shape}")
            elif sizes.setdefault(size, length) != length:
                raise WeightsError(f"{where} has size {length}, but {size} = {sizes[size]} by {sources[size]}")
            elif length == 0:
                raise WeightsError(f"{where} has size 0")
            else:
                sources.setdefault(size, where)
    return sizes


def check_tokens(tokens: np.ndarray, V: int) -> None:
    """Raise TokensError unless these are one or more integers of range(V)."""
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu" or not len(tokens):
        raise TokensError(f"tokens are a sequence of integers; got shape {tokens.shape} of dtype {tokens.dtype}")
    bad = np.flatnonzero((tokens < 0) | (tokens >= V))
    if len(bad):
        raise TokensError(f"token {tokens[bad[0]]} at position {bad[0]} is outside the vocabulary, range({V})")


def check_residual_input(x: np.ndarray, d: Size) -> None:
    """Raise TokensError unless this is a finite (n, d) array; without any weights d is open."""
    if x.ndim != 2 or (isinstance(d, int) and x.shape[1] != d) or not len(x) or x.dtype.kind not in "fiu":
        raise TokensError(f"a model without embedding reads a residual input of shape (n, {d}); got shape {x.shape} of {x.dtype}")
    if not np.isfinite(x).all():
        raise TokensError("the residual input has entries that are NaN or infinite")
