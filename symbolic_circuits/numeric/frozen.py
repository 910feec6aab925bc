"""A model with its attention patterns held fixed at one input: arrays ready for evaluation, in floats or modulo a prime.

With them the scales of norms are held fixed, and the gates of layers that have some. The arrays are NumPy's, or PyTorch tensors on any
device (``frozen.to_torch("cuda")``); sums of terms are then computed there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
from array_api_compat import device, is_torch_array

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, SpecError, WeightsError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.array_library import as_numpy, library_of, to_tensor
from symbolic_circuits.numeric.folding import folded, with_column
from symbolic_circuits.numeric.reference import Forward, HeldFixed, angles, forward, forward_scores
from symbolic_circuits.numeric.weights import Weights, norms_of
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Frozen", "freeze", "without_output"]

MAX_BYTES = 8 * 2**30  # of attention patterns


@displayed
@dataclass(frozen=True, eq=False)
class Frozen:
    """Everything that the value of a term depends on.

    Raises
    ------
    WeightsError
        A pattern, scale or gate that the terms need is not there.
    """

    model: Transformer
    weights: Mapping[str, np.ndarray]  # arrays by name, as in Weights; all arrays may be tensors instead
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n), of all blocks but those whose patterns are expanded
    source: np.ndarray  # tokens (n,) or residual input (n, d)
    modulus: int | None = None  # arithmetic modulo a prime; None for floating point
    scales: Mapping[int, np.ndarray] = field(default_factory=dict)  # norm -> (n,)
    gates: Mapping[int, np.ndarray] = field(default_factory=dict)  # layer with a gate -> (n, m)
    factors: Mapping[int, object] | None = None  # attention block -> factor of its scores; None: 1 / sqrt(e), or 1
    rotation: tuple[np.ndarray, np.ndarray] | None = None  # cosines and sines (n, pairs); None: of the frequencies

    def __post_init__(self) -> None:
        blocks = dict(self.model.numbered())
        frozen = [k for k, spec in blocks.items() if isinstance(spec, Attention) and not spec.is_polynomial]
        gated = [k for k, spec in blocks.items() if not isinstance(spec, Attention) and spec.gate is not None]
        needed = (("patterns", "attn", frozen), ("scales", "norm", norms_of(self.model)), ("gates", "gated", gated))
        for name, kind, numbers in needed:
            missing = [f"{kind}.{k}" for k in numbers if k not in getattr(self, name)]
            if missing:
                raise WeightsError(
                    f"terms are exact where {name} are held fixed, but those of {', '.join(missing[:8])} are not given: freeze(weights, tokens) takes them from a run"
                )

    @cached_property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """The arrays that terms are computed with: biases and scales folded in (:mod:`symbolic_circuits.numeric.folding`)."""
        return folded(self.model, self.weights, self.x0, self.modulus)

    @cached_property
    def x0(self) -> np.ndarray:
        """The embedded tokens, or the residual input: (n, width)."""
        x = self.weights["W_E"].T[self.source] if self.model.embedding else self.source
        return with_column(x) if self.model.has_constant else x

    @property
    def width(self) -> int:
        """d, and one more where something reads the constant coordinate."""
        return self.x0.shape[1]

    @property
    def positions(self) -> int:
        """n."""
        return len(self.source)

    def leaf(self, component: Component) -> np.ndarray:
        """A component without inputs: (n, width)."""
        if component.kind == "input":
            return self.x0
        library, like = library_of(self.x0), self.x0
        if component.kind == "one":
            return library.concat([library.zeros_like(like[:, :-1]), library.ones_like(like[:, -1:])], axis=1)
        if component.kind == "position":
            row = self.weights["W_pos"][: self.positions]
        elif component.kind == "normbias":
            row = self.weights[f"norm.{component.layer}.b"]
        else:
            row = self.own_bias(component)
        row = with_column(row) if self.model.has_constant else row
        return library.broadcast_to(row, like.shape)

    def own_bias(self, component: Component) -> np.ndarray:
        """b_O, scaled as the heads are, or b_out: (d,)."""
        if not isinstance(component.spec, Attention):
            return self.weights[f"bilinear.{component.layer}.b_out"]
        bias = self.weights[f"attn.{component.layer}.b_O"]
        return self.reduce(bias * self.weights[f"attn.{component.layer}.scale"]) if component.spec.output_scale else bias

    def gained(self, number: int, x: np.ndarray) -> np.ndarray:
        """What a norm does along the last axis: x, less its mean in a LayerNorm, times w. The scale of the position comes beside it."""
        w = self.arrays[f"norm.{number}.w"]
        if self.model.norm == "rms":
            return self.reduce(x * w)
        d = self.width - self.model.has_constant
        total = library_of(x).sum(x[..., :d], axis=-1, keepdims=True)
        return self.reduce((x - self.reduce(total * pow(d, -1, self.modulus) if self.modulus else total / d)) * w)

    def output(self, stream: np.ndarray) -> np.ndarray:
        """The output (..., V) of a stream (..., width), its last norm applied already; (..., d) without unembedding."""
        if self.model.unembedding:
            return self.reduce(stream @ self.arrays["W_U"].T)
        return stream[..., : self.width - self.model.has_constant]

    def finished(self, root: Component | None, value: np.ndarray) -> np.ndarray:
        """What the terms of an expansion stand for: outputs of streams, or scores as they are."""
        return self.output(value) if root is None else value

    @property
    def output_width(self) -> int:
        """V, or d without unembedding."""
        return len(self.weights["W_U"]) if self.model.unembedding else self.width - self.model.has_constant

    def on_stream(self, direction: np.ndarray) -> np.ndarray:
        """The direction (..., width) on the last stream that reads what a direction (..., V) on the output reads."""
        if self.model.unembedding:
            return self.reduce(direction @ self.arrays["W_U"])
        return with_column(direction) if self.model.has_constant else direction

    def factor(self, block: int) -> object:
        """What products of queries and keys of an attention block are multiplied by."""
        if self.factors is not None:
            return self.factors[block]
        spec = dict(self.model.numbered())[block]
        W = self.weights[f"attn.{block}.W_V"]
        return W.shape[1] ** -0.5 if spec.score_scale else 1.0

    @cached_property
    def turned(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Cosines and sines (n, pairs) of rotary positions."""
        if self.model.positions != "rotary":
            return None
        if self.rotation is not None:
            return self.rotation
        found = angles(as_numpy(self.weights["rotary.inv_freq"]), self.positions)
        return tuple(to_tensor(part, device(self.x0)) for part in found) if self.is_torch else found

    def reduce(self, array: np.ndarray) -> np.ndarray:
        """The array modulo the prime, or as it is."""
        return array if self.modulus is None else array % self.modulus

    def forward(self) -> Forward:
        """The reference forward pass with these patterns, in NumPy also of tensors; modulo a prime it computes with Python's integers."""
        if self.is_torch:
            return self.to_numpy().forward()
        arrays, source, held = self.given
        return forward(self.model, arrays, source, held=held, modulus=self.modulus)

    def reference(self, root: Component | None = None) -> np.ndarray:
        """What the terms of an expansion add up to, from the reference: the output, or the scores (n, n) of a head before its mask."""
        if root is None:
            return self.forward().output
        if self.is_torch:
            return self.to_numpy().reference(root)
        arrays, source, held = self.given
        return forward_scores(self.model, arrays, source, root.layer, root.head, held=held, modulus=self.modulus)

    @property
    def given(self) -> tuple[Mapping[str, np.ndarray], np.ndarray, HeldFixed]:
        """Arrays, source and what is held fixed, as a forward pass takes them; Python's integers modulo a prime."""
        held = HeldFixed(self.patterns, self.scales, self.gates, self.factors, self.rotation)
        if self.modulus is None:
            return self.weights, self.source, held
        rotation = self.rotation and tuple(part.astype(object) for part in self.rotation)
        held = HeldFixed(objects(self.patterns), objects(self.scales), objects(self.gates), self.factors, rotation)
        return objects(self.weights), self.source if self.model.embedding else self.source.astype(object), held

    @property
    def is_torch(self) -> bool:
        """Whether the arrays are tensors."""
        return is_torch_array(self.source)

    def astype(self, dtype: object) -> Self:
        """The same in another floating-point type."""
        source = self.source if self.model.embedding else self.source.astype(dtype)
        return self.converted(lambda array: array.astype(dtype), source)

    def to_torch(self, device: object = None, dtype: object = None) -> Self:
        """The same as PyTorch tensors.

        Parameters
        ----------
        device : "cpu", "cuda", ...; the present one of tensors, else PyTorch's "cpu"
        dtype : of PyTorch, such as ``torch.float32``; the present one by default

        Raises
        ------
        MissingExtraError
            PyTorch is not installed.
        SpecError
            The arithmetic is modulo a prime, which is done in NumPy.
        """
        if self.modulus is not None:
            raise SpecError(f"tensors are of floating point; the weights here are residues modulo {self.modulus}")
        source = self.source
        if not self.is_torch:
            source = source.astype(np.int64 if self.model.embedding else np.result_type(source, np.float32))
        return self.converted(lambda array: to_tensor(array, device, dtype), to_tensor(source, device, dtype))

    def to_numpy(self) -> Self:
        """The same as NumPy arrays, for what tensors are not offered for: values of single terms, checks, rankings."""
        return self.converted(as_numpy, as_numpy(self.source)) if self.is_torch else self

    def converted(self, convert: Callable, source: object) -> Self:
        """The same with other arrays."""
        held = ({key: convert(array) for key, array in found.items()} for found in (self.patterns, self.scales, self.gates))
        patterns, scales, gates = held
        weights = {name: convert(array) for name, array in self.weights.items()}
        rotation = self.rotation and tuple(map(convert, self.rotation))
        return type(self)(self.model, weights, patterns, source, self.modulus, scales, gates, self.factors, rotation)


def objects(arrays: Mapping) -> dict:
    """Arrays of Python's integers, which do not overflow."""
    return {key: np.asarray(array).astype(object) for key, array in arrays.items()}


def freeze(weights: Weights, tokens: object) -> Frozen:
    """Run the forward pass on one sequence and hold its attention patterns fixed, its scales of norms and its gates.

    Where they are held fixed every term of the path expansion is exact, and the terms add up to this forward pass.

    Parameters
    ----------
    weights : of a model whose numbers of heads are given
    tokens : (n,) integers, or the residual input (n, d) for a model without embedding; an array, a list or a tensor on any device

    Returns
    -------
    Frozen
        In NumPy, whatever the tokens are; ``.to_torch(device)`` makes tensors of it.

    Raises
    ------
    TokensError
        The tokens do not fit the weights.
    SpecError
        The number of heads of a block is a symbol.
    BudgetError
        The attention patterns take over 8 GiB.

    Examples
    --------
    >>> frozen = freeze(Weights.random("attn(2) bilinear", d=8, V=5, seed=0), [3, 1, 4])
    >>> frozen.patterns[0].shape, bool(np.allclose(frozen.patterns[0].sum(axis=-1), 1))
    ((2, 3, 3), True)
    """
    model = weights.model
    if model.has_symbolic_heads:
        heads = {spec.heads for _, spec in model.numbered() if isinstance(spec, Attention) and not isinstance(spec.heads, int)}
        values = ", ".join(f"{h}={weights.size(h)}" for h in sorted(heads, key=str))
        raise SpecError(f"the number of heads of {str(model)!r} is a symbol, but the weights have {values}: use model.subs")
    source = weights.source(as_numpy(tokens))
    require_patterns(model, len(source))
    run = forward(without_output(model), weights.arrays, source)  # nothing that is held fixed needs a logit
    expanded = {k for k, spec in model.numbered() if isinstance(spec, Attention) and spec.is_polynomial}
    patterns = {k: pattern for k, pattern in run.patterns.items() if k not in expanded}
    return Frozen(model, dict(weights.arrays), patterns, source, None, run.scales, run.gates)


def without_output(model: Transformer) -> Transformer:
    """The model up to its last stream, or the norm of it."""
    return replace(model, unembedding=False, output_bias=False, V=model.V if model.embedding else size_symbol("V"))


def require_patterns(model: Transformer, positions: int) -> None:
    """Raise BudgetError where the attention patterns at so many positions exceed the limit."""
    heads = sum(spec.heads for _, spec in model.numbered() if isinstance(spec, Attention))
    needed = 8 * heads * positions**2
    if needed > MAX_BYTES:
        raise BudgetError(
            f"attention patterns of {heads:,} heads at {positions:,} positions take {in_words(needed)} bytes; the limit is {MAX_BYTES:,}"
        )
