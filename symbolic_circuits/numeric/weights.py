"""The arrays of a model, validated: every tensor there, of the right shape, finite, and sizes that agree.

| name | shape | |
| --- | --- | --- |
| W_E, W_U | (d, V), (V, d) | where the model has them |
| attn.0.W_Q, W_K, W_V | (H, e, d) | block number in the middle; they act on column vectors |
| attn.0.W_O | (H, d, e) | |
| bilinear.1.W_1, W_2 | (m, d) | no W_2 where weights are tied |
| bilinear.1.W_out | (d, m) | unless the layer has no output matrix |
| attn.0.W_Q1, W_K1, W_Q2, W_K2 | (H, e, d) | instead of W_Q and W_K where scores are products of two |
| attn.0.b_Q, b_K, b_V; b_O | (H, e); (d,) | biases, where the model has them; b_Q1, ... like W_Q1 |
| attn.0.scale | () | what the heads' sum is multiplied by |
| bilinear.1.b_1, b_2; b_out | (m,); (d,) | |
| W_pos | (n_ctx, d) | positional embedding; of n positions the first n rows are used |
| rotary.inv_freq | (pairs,) | frequencies of rotary positions: coordinates k and k + pairs of queries and keys turn by position times frequency |
| norm.eps | () | added to the mean square |
| norm.1.w, b | (d,) | of the norm that block 1 reads (or that follows it); the last norm has the number of blocks |
| b_U | (V,) | |

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

from symbolic_circuits.axes import Size, size_symbol
from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric import files
from symbolic_circuits.numeric.array_library import named_array
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["Weights", "layout", "norms_of"]

MAX_BYTES = 8 * 2**30  # of random weights
CHUNK = 2**20  # entries that are looked at at a time
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
    if model.positions in ("learned", "shortformer"):
        shapes["W_pos"] = (size_symbol("n_ctx"), d)
    if model.positions == "rotary":
        shapes["rotary.inv_freq"] = (size_symbol("pairs"),)
    for block in model.numbered():
        shapes |= attention_layout(*block, d) if isinstance(block.spec, Attention) else layer_layout(*block, model)
    if model.norm is not None:
        shapes["norm.eps"] = ()
    if model.gains:
        shapes |= {f"norm.{k}.{letter}": (d,) for k in norms_of(model) for letter in ("wb" if model.norm == "layer" else "w")}
    if model.unembedding:
        shapes["W_U"] = (V, d)
    if model.output_bias:
        shapes["b_U"] = (V,)
    return shapes


def attention_layout(index: int, spec: Attention, d: Size) -> dict[str, tuple[Size, ...]]:
    """The arrays of an attention block."""
    name = f"attn.{index}"
    letters = ("Q", "K", "V") if spec.scores != "bilinear" else ("Q1", "K1", "Q2", "K2", "V")
    shapes: dict[str, tuple[Size, ...]] = {f"{name}.W_{letter}": (spec.heads, spec.e, d) for letter in letters}
    shapes[f"{name}.W_O"] = (spec.heads, d, spec.e)
    shapes |= {f"{name}.b_{letter}": (spec.heads, spec.e) for letter in letters if f"b_{letter[0]}" in spec.biases}
    if "b_O" in spec.biases:
        shapes[f"{name}.b_O"] = (d,)
    if spec.output_scale:
        shapes[f"{name}.scale"] = ()
    return shapes


def layer_layout(index: int, spec: Bilinear, model: Transformer) -> dict[str, tuple[Size, ...]]:
    """The arrays of a bilinear layer, or of one with a gate."""
    name, m, d = f"bilinear.{index}", model.hidden_width(spec), model.d
    shapes: dict[str, tuple[Size, ...]] = {f"{name}.W_{k}": (m, d) for k in ("1", "2") if k == "1" or not spec.tied}
    if spec.output:
        shapes[f"{name}.W_out"] = (d, m)
    return shapes | {f"{name}.{bias}": (d,) if bias == "b_out" else (m,) for bias in spec.biases}


def norms_of(model: Transformer) -> list[int]:
    """The numbers of the norms of a model: of the block that reads it (or that it follows), and of the output."""
    if model.norm is None:
        return []
    if model.post_norm:
        return [step.blocks[-1].index for step in model.steps]
    return [*(index for index, _ in model.numbered()), *([model.number_of_blocks] if model.final_norm else [])]


@displayed
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
        is_unshared = isinstance(self.arrays, files.Unshared)
        arrays = {name: as_finite(name, self.arrays[name], is_unshared) for name in expected}
        object.__setattr__(self, "arrays", MappingProxyType(arrays))
        object.__setattr__(self, "_sizes", find_sizes(expected, arrays))
        require_pairs(self.model, arrays)

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
        array, n = np.asarray(tokens), self._sizes.get(self.model.n, self.model.n)
        if self.model.embedding:
            check_tokens(array, self.size(self.model.V))
        else:
            check_residual_input(array, self._sizes.get(self.model.d, self.model.d))
        if "W_pos" in self.arrays and len(array) > len(self.arrays["W_pos"]):
            raise TokensError(
                f"the model has embeddings of {len(self.arrays['W_pos'])} positions; got a sequence of {len(array)}"
            )
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
        n_ctx: int = 64,
        sizes: Mapping[str, int] | None = None,
        seed: int,
    ) -> Self:
        """Gaussian weights of variance 1 / (size of the last axis), norms and frequencies as they begin; symbolic sizes take the given values.

        Parameters
        ----------
        n : number of positions, fixed in the model of the weights; open by default, so that tokens may be of any length
        d, V, e, m, n_ctx : values of these size symbols, where the model leaves them open
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
        values = {"d": d, "V": V, "e": e, "m": m, "n_ctx": n_ctx} | dict(sizes or {})
        values = {"pairs": rotary_pairs(model, values)} | values
        generator, arrays, shapes = np.random.default_rng(seed), {}, {}
        for name, shape in layout(model).items():
            unknown = [str(s) for s in dict.fromkeys(shape) if isinstance(s, sympy.Symbol) and s.name not in values]
            if unknown:
                raise SpecError(
                    f"random weights of {name} need the size {', '.join(unknown)}: give sizes={{{unknown[0]!r}: ...}}"
                )
            shapes[name] = tuple(s if isinstance(s, int) else values[s.name] for s in shape)
        needed = 8 * sum(map(math.prod, shapes.values()))
        if needed > MAX_BYTES:
            raise BudgetError(f"random weights of {str(model)!r} take {in_words(needed)} bytes; the limit is {MAX_BYTES:,}")
        for name, numbers in shapes.items():
            arrays[name] = draw(name, numbers, generator)
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
        """Write an ``.npz`` or ``.safetensors`` file, whole or not at all; one that is there is replaced, as by ``numpy.save``."""
        files.write(Path(path), str(self.model), self.arrays)


def draw(name: str, shape: tuple[int, ...], generator: np.random.Generator) -> np.ndarray:
    """A random array: gains about 1, eps and frequencies as is usual, anything else Gaussian."""
    if name == "norm.eps":
        return np.array(1e-5)
    if name == "rotary.inv_freq":
        return 10000.0 ** -(np.arange(*shape) / shape[0])
    normal = generator.standard_normal(shape) / np.sqrt(shape[-1] if shape else 1)
    return 1 + normal if name.startswith("norm.") and name.endswith(".w") else normal


def rotary_pairs(model: Transformer, values: Mapping[str, int]) -> int:
    """How many pairs of coordinates turn: those of the narrowest head, given the values of size symbols."""
    sizes = (spec.e for _, spec in model.numbered() if isinstance(spec, Attention))
    widths = [size if isinstance(size, int) else values.get(size.name, 2) for size in sizes]
    return max(1, min(widths, default=2) // 2)


def require_pairs(model: Transformer, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise WeightsError where rotary positions turn more coordinates than a head has."""
    if model.positions != "rotary":
        return
    pairs = len(arrays["rotary.inv_freq"])
    for name, array in arrays.items():
        if name.split(".W_")[-1].startswith("Q") and array.shape[1] < 2 * pairs:
            raise WeightsError(
                f"rotary.inv_freq has {pairs} frequencies, for {2 * pairs} coordinates; heads of {name} have {array.shape[1]}"
            )


def require_names(expected: Mapping[str, object], arrays: Mapping[str, object]) -> None:
    """Raise WeightsError that lists missing and extra names."""
    missing = [name for name in expected if name not in arrays]
    extra = [str(name) for name in arrays if name not in expected]
    if missing or extra:
        parts = [f"missing {', '.join(missing)}"] if missing else []
        parts += [f"extra {', '.join(extra)}"] if extra else []
        raise WeightsError(f"the weights do not fit the model: {'; '.join(parts)}")


def as_finite(name: str, array: object, is_unshared: bool = False) -> np.ndarray:
    """The array as floating point, read-only, in C order, all entries finite; a copy unless nobody else has it."""
    array = named_array(name, array)
    if array.dtype.kind not in "fiu":
        raise WeightsError(f"{name} must hold real numbers; got dtype {array.dtype}")
    dtype = np.float64 if array.dtype.kind in "iu" else array.dtype.newbyteorder("=")
    kept = is_unshared and array.dtype == dtype and array.flags.c_contiguous
    array = array if kept else array.astype(dtype, order="C", copy=True)  # one order in memory: the same bits in every process
    flat = array.reshape(-1)
    if not all(np.isfinite(flat[k : k + CHUNK]).all() for k in range(0, flat.size, CHUNK)):
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
