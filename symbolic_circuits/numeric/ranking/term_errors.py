r"""How large a term can be, and how far rounding may move its value, as the largest over all terms: interpreted, none is listed.

| letter | meaning | shape |
| --- | --- | --- |
| nu | $\nu(s) \ge |x_s|$ for every term x | n |
| err | bound on the rounding error of any computed term, first order in epsilon | n |

For models that are not searched, whose terms are all evaluated. Layers with a gate: $|W_{out} (g_s \odot W_2 x_s)| \le
\|W_{out}\| \max |g_s| \|W_2\| |x_s|$; heads without softmax: $|S_{st}| \le f \|W_Q\| \|W_K\| |x_s| |y_t|$.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.rounding_bounds import UNDERFLOW, norm_errors
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, norm_bound
from symbolic_circuits.numeric.streams import Streams

__all__ = ["Sizes", "TermErrors"]


class Sizes(NamedTuple):
    """Bounds on every term of a nonterminal."""

    nu: np.ndarray  # (n,)
    err: np.ndarray  # (n,)


class TermErrors(Algebra[Sizes]):
    """nu and err of every nonterminal.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("bilinear(silu) attn(1, linear)", d=4, V=5, seed=0), [1, 2])
    >>> found = sc.path_expansion(frozen.model).interpret(TermErrors(frozen))
    >>> bool((found.nu > 0).all()), bool((found.err < 1e-10).all())
    (True, True)
    """

    def __init__(self, frozen: Frozen) -> None:
        self.frozen, self.streams = frozen, Streams(frozen)
        self.epsilon = float(np.finfo(float).eps)

    def weights(self, component: Component, letter: str) -> tuple[np.ndarray, float, float]:
        """An array of a component, its spectral norm and its Frobenius norm."""
        head = component.kind == "attn"
        W = self.frozen.arrays[f"{'attn' if head else 'bilinear'}.{component.layer}.W_{letter}"]
        W = W[component.head] if head else W
        return W, float(norm_bound(W)), float(lengths(W, axes=2))

    def input(self, component: Component) -> Sizes:
        nu = lengths(self.frozen.leaf(component))
        return Sizes(nu, self.epsilon * nu if component.kind == "bias" else np.zeros_like(nu))

    def linear(self, x: Sizes, A: np.ndarray, gain: float | np.ndarray, steps: float | np.ndarray) -> Sizes:
        """A map of size at most ``gain`` between positions A, whose own products round by ``steps`` epsilon."""
        A = np.abs(A)
        return Sizes(A @ (gain * x.nu), A @ (gain * x.err + self.epsilon * steps * x.nu) + UNDERFLOW * (1 + np.max(gain)))

    def norm(self, component: Component, x: Sizes) -> Sizes:
        largest = float(np.abs(self.frozen.arrays[f"norm.{component.layer}.w"]).max(initial=0.0))
        size = np.abs(self.frozen.scales[component.layer]) * largest
        return Sizes(size * x.nu, norm_errors(self.frozen, component.layer, x.nu, x.err))

    def head(self, component: Component, x: Sizes) -> Sizes:
        return self.mixed(component, self.frozen.patterns[component.layer][component.head], x)

    def mixed(self, component: Component, A: np.ndarray, x: Sizes) -> Sizes:
        """A head with a pattern."""
        (W, v, wide), (_, o, out) = self.weights(component, "V"), self.weights(component, "O")
        return self.linear(x, A, v * o, (len(A) + sum(W.shape)) * wide * out)

    def gated(self, component: Component, x: Sizes) -> Sizes:
        W, two, wide = self.weights(component, "2")
        G = np.abs(self.streams.gates(component)).max(axis=1)
        written = f"bilinear.{component.layer}.W_out" in self.frozen.arrays
        out, wide_out = self.weights(component, "out")[1:] if written else (1.0, 1.0)
        return self.linear(x, np.eye(len(G)), G * two * out, (1 + sum(W.shape)) * G * wide * wide_out)

    def bilinear(self, component: Component, x: Sizes, y: Sizes) -> Sizes:
        W_1, _, wide = self.weights(component, "1")
        W_2, _, other = (W_1, 0.0, wide) if component.is_tied else self.weights(component, "2")
        written = f"bilinear.{component.layer}.W_out" in self.frozen.arrays
        W_out, _, out = self.weights(component, "out") if written else (None, 1.0, 1.0)
        sigma, own = bilinear_bound(W_1, W_2, W_out), self.epsilon * (len(W_1) + 2 * W_1.shape[1]) * wide * other * out
        errors = sigma * (x.err * y.nu + x.nu * y.err) + own * x.nu * y.nu
        return Sizes(sigma * x.nu * y.nu, errors + UNDERFLOW * (1 + sigma))

    def attention(self, component: Component, inputs: Sequence[Sizes]) -> Sizes:
        *pairs, value = inputs
        n = self.frozen.positions
        A, error = np.ones((n, n)), np.zeros((n, n))
        for letters, x, y in zip(self.letters(component), pairs[::2], pairs[1::2], strict=True):
            S, rounded = self.scores(component, letters, x, y)
            A, error = A * S, A * rounded + error * S
        A, error = np.tril(A), np.tril(error)
        found, moved = self.mixed(component, A, value), self.mixed(component, error, value)
        return Sizes(found.nu, found.err + moved.nu)

    @staticmethod
    def letters(component: Component) -> tuple[tuple[str, str], ...]:
        """The weights of queries and keys."""
        return (("Q", "K"),) if component.spec.scores == "linear" else (("Q1", "K1"), ("Q2", "K2"))

    def scores(self, component: Component, letters: tuple[str, str], x: Sizes, y: Sizes) -> tuple[np.ndarray, np.ndarray]:
        """Bounds on products of queries and keys, and on their rounding errors, (n, n)."""
        (W, q, wide), (_, k, other) = (self.weights(component, letter) for letter in letters)
        factor = abs(float(self.frozen.factor(component.layer)))
        own = self.epsilon * (len(W) + 2 * W.shape[1] + 16) * wide * other
        S = factor * q * k * np.outer(x.nu, y.nu)
        moved = q * k * (np.outer(x.err, y.nu) + np.outer(x.nu, y.err)) + own * np.outer(x.nu, y.nu)
        return S, factor * moved + UNDERFLOW

    def square(self, component: Component, x: Sizes) -> Sizes:
        return self.scale(2, self.bilinear(component, x, x))  # one term stands for both orders

    def add(self, values: Sequence[Sizes]) -> Sizes:
        return Sizes(*(np.max(parts, axis=0) for parts in zip(*values, strict=True)))

    def scale(self, factor: int, x: Sizes) -> Sizes:
        return Sizes(*(abs(factor) * part for part in x))
