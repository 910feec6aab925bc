r"""The value of every term, shared: numbers in the order of the expansion, computed nonterminal by nonterminal.

What is needed of a term is its stream at some positions, or at weighted sums of positions (a *probe* p: sum_t p_t x_t).
A head turns the probe p into p A^h at its input, a norm into p . r, a bilinear layer needs its inputs at the positions where p is not
zero. So a single output position costs little more than a forward pass, and no term is evaluated twice.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component, Production
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.scores import masked, scores_of
from symbolic_circuits.numeric.streams import Streams

__all__ = ["MAX_BYTES", "contributions", "output_values", "stream_contributions", "stream_values"]

MAX_BYTES = 2 * 2**30  # of the largest array that one evaluation makes
CHUNK = 2**22  # entries of a temporary array of pairs


def output_values(expansion: PathExpansion, frozen: Frozen, positions: Sequence[int] | None = None) -> np.ndarray:
    """The output of every term, shape (terms, positions, V), or (terms, positions, d) without unembedding.

    Of terms of scores it is the rows of the scores, (terms, positions, n).

    Parameters
    ----------
    expansion : all terms of a model, or those of a query; row i is term i
    frozen : weights and what is held fixed, by :func:`freeze`
    positions : those wanted, from the end where negative; all by default

    Raises
    ------
    BudgetError
        The terms are too many to evaluate one by one; the message has the count and the limit.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.random("attn(2)", d=8, V=5, seed=0)
    >>> expansion, frozen = sc.path_expansion("attn(2)"), sc.freeze(weights, [3, 1, 4])
    >>> outputs = output_values(expansion, frozen, positions=[-1])
    >>> outputs.shape, bool(np.allclose(outputs.sum(axis=0), sc.total(expansion, frozen)[[-1]]))
    ((3, 1, 5), True)
    """
    x = stream_values(expansion, frozen, positions)
    require_budget(x[..., 0].size * frozen.output_width, expansion)
    return frozen.finished(expansion.grammar.root, x)


def stream_values(expansion: PathExpansion, frozen: Frozen, positions: Sequence[int] | None = None) -> np.ndarray:
    """The residual stream of every term, shape (terms, positions, width)."""
    evaluator = Evaluator(expansion, frozen)
    if expansion.is_empty:
        width = frozen.width if expansion.grammar.root is None else frozen.positions
        return np.zeros((0, len(probes_at(frozen, positions)), width), dtype=frozen.x0.dtype)
    return evaluator.values(len(expansion.grammar.nonterminals) - 1, probes_at(frozen, positions))


def contributions(expansion: PathExpansion, frozen: Frozen, *, position: int = -1, direction: int | np.ndarray) -> np.ndarray:
    """What every term adds to one logit, or to the output along a direction, at one position; shape (terms,).

    Parameters
    ----------
    position : of the sequence, from the end where negative
    direction : a token, or a vector on the last axis of the output; of terms of scores the position of a key, or weights of them all

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> terms = contributions(sc.path_expansion(frozen.model), frozen, direction=7)
    >>> bool(np.isclose(terms.sum(), frozen.forward().output[-1, 7]))
    True
    """
    root = expansion.grammar.root
    width = frozen.output_width if root is None else frozen.positions
    if np.ndim(direction) == 0:
        if not 0 <= int(direction) < width:
            raise TokensError(f"token {direction} is outside range({width})")
        vector = np.zeros(width, dtype=frozen.x0.dtype)
        vector[int(direction)] = 1
    else:
        vector = np.asarray(direction)
        if vector.shape != (width,):
            raise TokensError(f"a direction on the output has shape ({width},); got {vector.shape}")
    return stream_contributions(expansion, frozen, position, frozen.on_stream(vector) if root is None else vector)


def stream_contributions(expansion: PathExpansion, frozen: Frozen, position: int, direction: np.ndarray) -> np.ndarray:
    """What every term adds to the residual stream along a direction (d,), at one position; shape (terms,)."""
    evaluator, probes = Evaluator(expansion, frozen), probes_at(frozen, [position])
    if expansion.is_empty:
        return np.zeros(0, dtype=frozen.x0.dtype)
    return evaluator.along(len(expansion.grammar.nonterminals) - 1, probes, direction[None, :])[:, 0]


def probes_at(frozen: Frozen, positions: Sequence[int] | None) -> np.ndarray:
    """Unit vectors at the positions wanted."""
    n, identity = frozen.positions, np.eye(frozen.positions, dtype=frozen.x0.dtype)
    if positions is None:
        return identity
    if not len(positions):
        raise TokensError("no positions are asked for: leave positions out for all of them")
    for position in positions:
        if not hasattr(position, "__index__") or not -n <= position < n:
            raise TokensError(f"position {position} is outside a sequence of {n} positions")
    return identity[list(positions)]


def require_budget(entries: int, expansion: PathExpansion) -> None:
    """Raise BudgetError before an array of so many entries is made."""
    if entries * 8 > MAX_BYTES:
        raise BudgetError(
            f"evaluating the {in_words(expansion.number_of_terms)} terms of {str(expansion.model)!r} one by one takes an array of "
            f"{in_words(entries * 8)} bytes; the limit is {MAX_BYTES:,}: ask for fewer positions, or for one logit (contributions)"
        )


def is_pulled_back(production: Production) -> bool:
    """Whether a number of a term is a number of its one input: of heads, norms, and what passes by."""
    return len(production.inputs) == 1 and (production.component is None or production.component.kind != "gated")


class Evaluator:
    """Values of the terms of each nonterminal under probes, for one frozen model."""

    def __init__(self, expansion: PathExpansion, frozen: Frozen) -> None:
        require_match(expansion, frozen.model, frozen.weights, frozen.positions)
        self.expansion, self.frozen = expansion, frozen
        self.rules, self.counts = expansion.grammar.nonterminals, expansion.enumeration.counts
        self.everywhere = np.eye(frozen.positions, dtype=frozen.x0.dtype)
        self.full: dict[int, np.ndarray] = {}
        self.streams = Streams(frozen)

    def head(self, component: Component) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A^h, W_V^h and W_O^h."""
        name, h = f"attn.{component.layer}", component.head
        return (
            self.frozen.patterns[component.layer][h],
            self.frozen.arrays[f"{name}.W_V"][h],
            self.frozen.arrays[f"{name}.W_O"][h],
        )

    # vectors: shape (terms, probes, d)

    def values(self, nonterminal: int, probes: np.ndarray) -> np.ndarray:
        """sum_t p_t x_t of every term of a nonterminal, for each of the probes p (f, n)."""
        if len(probes) < self.frozen.positions:
            return self.computed(nonterminal, probes)
        if nonterminal not in self.full:
            self.full[nonterminal] = self.computed(nonterminal, self.everywhere)
        return self.full[nonterminal] if probes is self.everywhere else self.frozen.reduce(probes @ self.full[nonterminal])

    def computed(self, nonterminal: int, probes: np.ndarray) -> np.ndarray:
        """The values, from those of the inputs; all that is asked of one input is asked at once."""
        require_budget(self.counts[nonterminal] * len(probes) * self.frozen.x0.shape[1], self.expansion)
        rules = self.rules[nonterminal]
        asked = [(source, self.input_probes(p, probes)) for p in rules for source in p.inputs]
        answers = iter(self.answered(asked))
        parts = [self.applied(p, probes, [next(answers) for _ in p.inputs]) for p in rules]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def input_probes(self, production: Production, probes: np.ndarray) -> np.ndarray:
        """The probes that a production needs of its inputs."""
        component = production.component
        if component is None:
            return probes
        if component.kind == "norm":
            return self.frozen.reduce(probes * self.frozen.scales[component.layer])
        if component.kind == "scores":
            return self.everywhere
        if component.kind == "attn":
            return self.frozen.reduce(probes @ self.head(component)[0]) if len(production.inputs) == 1 else self.everywhere
        return self.everywhere[probes.any(axis=0)]

    def answered(self, asked: Sequence[tuple[int, np.ndarray]]) -> list[np.ndarray]:
        """The values of nonterminals at the probes asked of them, each distinct probe evaluated once."""
        rows: dict[int, dict[bytes, np.ndarray]] = {}
        for source, probes in asked:
            rows.setdefault(source, {}).update((row.tobytes(), row) for row in probes)
        n = self.frozen.positions  # none is asked of what patterns of zeros read
        found = {source: self.values(source, np.array([*known.values()]).reshape(-1, n)) for source, known in rows.items()}
        place = {source: {row: k for k, row in enumerate(known)} for source, known in rows.items()}
        return [found[source][:, [place[source][row.tobytes()] for row in probes]] for source, probes in asked]

    def applied(self, production: Production, probes: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
        """The values of the terms of one production, given those of its inputs."""
        component, reduce = production.component, self.frozen.reduce
        if component is None:
            return inputs[0]
        if not inputs:
            return reduce(probes @ self.frozen.leaf(component))[None]
        if component.kind == "norm":
            return self.frozen.gained(component.layer, inputs[0])
        if component.kind == "scores":
            return self.patterns(component, probes, inputs)
        if component.kind == "gated":
            hidden = reduce(probes[:, probes.any(axis=0)] @ self.gated(component, probes, inputs[0]))
            return self.written(component, hidden)
        if component.kind == "attn":
            return self.attention(component, probes, inputs)
        left, right = self.hidden(component, inputs)
        weights = probes[:, probes.any(axis=0)]
        pairs = np.concatenate([self.written(component, h) for h in self.products(left, right, weights)])
        if not production.unordered:
            pairs = pairs.reshape(pairs.shape[0] * pairs.shape[1], *pairs.shape[2:])
            return reduce(2 * pairs) if production.twice else pairs
        j, i = np.tril_indices(len(pairs))
        return reduce(pairs[i, j] * np.where(i == j, 1, 2)[:, None, None].astype(pairs.dtype))

    def attention(self, component: Component, probes: np.ndarray, inputs: list[np.ndarray]) -> np.ndarray:
        """A head at terms of its input; or at all combinations of queries, keys and values, the values fastest."""
        reduce = self.frozen.reduce
        W_V, W_O = (self.frozen.arrays[f"attn.{component.layer}.W_{letter}"][component.head] for letter in "VO")
        values = reduce(inputs[-1] @ W_V.T)
        if len(inputs) > 1:
            patterns = self.patterns(component, probes, inputs[:-1], masked)
            require_budget(len(patterns) * len(values) * len(probes) * W_V.shape[0], self.expansion)
            values = reduce(patterns[:, None] @ values[None]).reshape(-1, len(probes), len(W_V))
        return reduce(values @ W_O.T)

    def patterns(
        self,
        component: Component,
        probes: np.ndarray,
        inputs: list[np.ndarray],
        finish: Callable[[np.ndarray], np.ndarray] = lambda scores: scores,
    ) -> np.ndarray:
        """sum_s p_s S_{st} of scores, or of patterns, for all combinations of queries and keys, (combinations, probes, n)."""
        letters = ("QK",) if len(inputs) == 2 else (("Q1", "K1"), ("Q2", "K2"))
        n = self.frozen.positions
        found = np.ones((1, n, n), dtype=probes.dtype)
        for (first, second), x, y in zip(letters, inputs[::2], inputs[1::2], strict=True):
            require_budget(len(found) * len(x) * len(y) * n * n, self.expansion)
            scores = scores_of(self.frozen, component, (first, second), x[:, None], y[None])
            found = self.frozen.reduce(found[:, None, None] * scores).reshape(-1, n, n)
        return self.frozen.reduce(probes @ finish(found))

    def gated(self, component: Component, probes: np.ndarray, x: np.ndarray) -> np.ndarray:
        """G . (W_2 x) of every term at the positions that probes read, (terms, positions, m)."""
        G = self.streams.gates(component)[probes.any(axis=0)]
        return self.frozen.reduce(G * self.frozen.reduce(x @ self.frozen.arrays[f"bilinear.{component.layer}.W_2"].T))

    def written(self, component: Component, hidden: np.ndarray) -> np.ndarray:
        """W_out at hidden activations; themselves without W_out."""
        out = self.frozen.arrays.get(f"bilinear.{component.layer}.W_out")
        return hidden if out is None else self.frozen.reduce(hidden @ out.T)

    def hidden(self, component: Component, inputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """W_1 x and W_2 y of every term x and y, at each position: shape (terms, positions, m)."""
        name = f"bilinear.{component.layer}"
        W_1 = self.frozen.arrays[f"{name}.W_1"]
        W_2 = W_1 if component.is_tied else self.frozen.arrays[f"{name}.W_2"]
        return self.frozen.reduce(inputs[0] @ W_1.T), self.frozen.reduce(inputs[1] @ W_2.T)

    def products(self, left: np.ndarray, right: np.ndarray, weights: np.ndarray) -> Iterator[np.ndarray]:
        """sum_t p_t left_t . right_t for all pairs, by parts of the left terms: arrays (part, right terms, probes, m)."""
        reduce, unit = self.frozen.reduce, weights.shape[0] == weights.shape[1] and np.array_equal(weights, np.eye(len(weights)))
        entries = right.size if unit else len(right) * right.shape[2] * len(weights)  # of what one left term makes
        size = max(1, CHUNK // max(1, entries))
        across = right if unit else np.ascontiguousarray(right.transpose(2, 1, 0))
        for start in range(0, len(left), size):
            part = left[start : start + size]
            if unit:
                yield reduce(part[:, None] * across[None])
                continue
            along = part.transpose(2, 0, 1)[None]
            mixed = reduce(reduce(along * weights[:, None, None, :]) @ across)  # (probes, m, part, right terms)
            yield mixed.transpose(2, 3, 0, 1)

    # numbers: shape (terms, probes), each probe p paired with a vector u

    def along(self, nonterminal: int, probes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """sum_t p_t u . x_t of every term of a nonterminal, for each probe p with its vector u (f, d)."""
        require_budget(self.counts[nonterminal] * len(probes), self.expansion)
        if self.frozen.positions <= len(probes) and self.counts[nonterminal] <= len(probes):
            return np.einsum("ntf,ft->nf", self.values(nonterminal, self.everywhere) @ vectors.T, probes)
        rules = self.rules[nonterminal]
        linear = [(k, p.inputs[0], *self.pulled_back(p, probes, vectors)) for k, p in enumerate(rules) if is_pulled_back(p)]
        parts: dict[int, np.ndarray] = {}
        for source in {s for _, s, _, _ in linear}:
            mine = [(k, p, u) for k, s, p, u in linear if s == source]
            found = self.along(source, np.concatenate([p for _, p, _ in mine]), np.concatenate([u for _, _, u in mine]))
            parts |= {k: part for (k, _, _), part in zip(mine, np.split(found, len(mine), axis=1), strict=True)}
        for k, production in enumerate(rules):
            if k not in parts:
                parts[k] = self.closed(production, probes, vectors)
        return np.concatenate([parts[k] for k in range(len(rules))])

    def pulled_back(self, production: Production, probes: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The probes and vectors that give the same numbers at the input."""
        if production.component is None:
            return probes, vectors
        if production.component.kind == "norm":
            number = production.component.layer
            return probes * self.frozen.scales[number], self.turned_back(number, vectors)
        pattern, W_V, W_O = self.head(production.component)
        return probes @ pattern, vectors @ W_O @ W_V

    def turned_back(self, number: int, vectors: np.ndarray) -> np.ndarray:
        """The transpose of what a norm does along the last axis."""
        found = vectors * self.frozen.arrays[f"norm.{number}.w"]
        if self.frozen.model.norm == "rms":
            return found
        d = self.frozen.width - self.frozen.model.has_constant
        found[:, :d] -= found[:, :d].mean(axis=1, keepdims=True)
        return found

    def closed(self, production: Production, probes: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        """The numbers of a leaf, of a layer with a gate, or of all combinations of inputs."""
        component = production.component
        if not production.inputs:
            return np.einsum("ft,td,fd->f", probes, self.frozen.leaf(component), vectors)[None]
        asked = self.input_probes(production, probes)
        inputs = self.answered([(source, asked) for source in production.inputs])
        if component.kind != "bilinear":
            return np.einsum("nfd,fd->nf", self.applied(production, probes, inputs), vectors)
        left, right = self.hidden(component, inputs)
        out = self.frozen.arrays.get(f"bilinear.{component.layer}.W_out")
        hidden, weights = vectors if out is None else vectors @ out, probes[:, probes.any(axis=0)]
        flat = right.reshape(len(right), -1).T
        pairs = np.stack(
            [(left * p[:, None] * u).reshape(len(left), -1) @ flat for p, u in zip(weights, hidden, strict=True)], axis=-1
        )
        if not production.unordered:
            return (2 if production.twice else 1) * pairs.reshape(-1, len(probes))
        j, i = np.tril_indices(len(pairs))
        return pairs[i, j] * np.where(i == j, 1, 2)[:, None]
