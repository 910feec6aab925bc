"""A model with its attention patterns held fixed at one input: arrays ready for evaluation, in floats or modulo a prime.

The arrays are NumPy's, or PyTorch tensors on any device (``frozen.to_torch("cuda")``); sums of terms are then computed there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from array_api_compat import is_torch_array

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.numeric.array_library import as_numpy, to_tensor
from symbolic_circuits.numeric.reference import Forward, forward
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Frozen", "freeze"]

MAX_BYTES = 8 * 2**30  # of attention patterns


@dataclass(frozen=True, eq=False)
class Frozen:
    """Everything that the value of a term depends on."""

    model: Transformer
    arrays: Mapping[str, np.ndarray]  # weights by name; all arrays may be tensors instead
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n)
    source: np.ndarray  # tokens (n,) or residual input (n, d)
    modulus: int | None = None  # arithmetic modulo a prime; None for floating point

    @property
    def x0(self) -> np.ndarray:
        """The residual stream (n, d) before the first step."""
        return self.arrays["W_E"].T[self.source] if self.model.embedding else self.source

    @property
    def positions(self) -> int:
        """n."""
        return len(self.source)

    def reduce(self, array: np.ndarray) -> np.ndarray:
        """The array modulo the prime, or as it is."""
        return array if self.modulus is None else array % self.modulus

    def forward(self) -> Forward:
        """The reference forward pass with these patterns, in NumPy also of tensors; modulo a prime it computes with Python's integers."""
        if self.is_torch:
            return self.to_numpy().forward()
        if self.modulus is None:
            return forward(self.model, self.arrays, self.source, patterns=self.patterns)
        arrays = {name: array.astype(object) for name, array in self.arrays.items()}
        patterns = {block: pattern.astype(object) for block, pattern in self.patterns.items()}
        source = self.source if self.model.embedding else self.source.astype(object)
        return forward(self.model, arrays, source, patterns=patterns, modulus=self.modulus)

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
        arrays = {name: convert(array) for name, array in self.arrays.items()}
        patterns = {block: convert(pattern) for block, pattern in self.patterns.items()}
        return type(self)(self.model, arrays, patterns, source, self.modulus)


def freeze(weights: Weights, tokens: object) -> Frozen:
    """Run the forward pass on one sequence and hold its attention patterns fixed.

    Parameters
    ----------
    tokens : (n,) integers, or the residual input (n, d) for a model without embedding; an array, a list or a tensor on any device

    Returns
    -------
    Frozen
        In NumPy, whatever the tokens are; ``.to_torch(device)`` makes tensors of it.

    Raises
    ------
    TokensError
        The tokens do not fit the weights.
    BudgetError
        The attention patterns take over 8 GiB.
    """
    model = weights.model
    if model.has_symbolic_heads:
        heads = {spec.heads for _, spec in model.numbered() if isinstance(spec, Attention) and not isinstance(spec.heads, int)}
        values = ", ".join(f"{h}={weights.size(h)}" for h in sorted(heads, key=str))
        raise SpecError(f"the number of heads of {str(model)!r} is a symbol, but the weights have {values}: use model.subs")
    source = weights.source(as_numpy(tokens))
    require_patterns(model, len(source))
    run = forward(model, weights.arrays, source)
    return Frozen(model, dict(weights.arrays), run.patterns, source)


def require_patterns(model: Transformer, positions: int) -> None:
    """Raise BudgetError where the attention patterns at so many positions exceed the limit."""
    heads = sum(spec.heads for _, spec in model.numbered() if isinstance(spec, Attention))
    needed = 8 * heads * positions**2
    if needed > MAX_BYTES:
        raise BudgetError(
            f"attention patterns of {heads:,} heads at {positions:,} positions take {in_words(needed)} bytes; the limit is {MAX_BYTES:,}"
        )
