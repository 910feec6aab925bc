r"""Are two models of bilinear layers the same function? $E_{x \sim N(0, I)}[f_a(x) \cdot f_b(x)]$ as the full sum over pairs of terms and matchings.

A model without attention is a polynomial at each position: a sum of terms, trees whose leaves are copies of the input. For a term of
degree p of the one and q of the other the expectation is a sum over all (p + q - 1)!! matchings of the p + q leaves (Isserlis), each a
contraction of weights. Nothing is approximated: where there are too many matchings this is an error, since the cheap alternative,
pushing second moments through the layers, is exact for one layer only.

| letter | meaning |
| --- | --- |
| x | the input: the residual stream (d) of a model without embedding, else a vector over the vocabulary (V) in place of a one-hot token |

Biases are leaves that are no copies of the input: the constant coordinate and b_out are vectors of width d + 1 at their places, so that
nothing has a mean to be corrected for.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import opt_einsum

from symbolic_circuits.algebra.moments import matchings
from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.expansion.expansion import path_expansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.bilinear.ends import between, input_width, require_same_ends
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.bilinear.similarity import Similarity
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["all_matchings", "model_similarity", "number_of_matchings"]

MAX_MATCHINGS = 20_000  # of the three inner products together
MAX_TERMS = 1_000
MAX_FLOPS = 2 * 10**11

Factor = tuple[np.ndarray, tuple[int, ...]]  # an array and the labels of its axes


class TermNetwork(NamedTuple):
    """A term as a tensor network."""

    factors: tuple[Factor, ...]
    leaves: tuple[int, ...]  # labels of the copies of the input
    owners: tuple[int, ...]  # one number for two leaves that may be exchanged, those of a layer that reads the input twice
    output: int  # label
    coefficient: int


def model_similarity(a: Weights, b: Weights, *, max_matchings: int = MAX_MATCHINGS, max_flops: int = MAX_FLOPS) -> Similarity:
    """The similarity of two models of bilinear layers on standard normal inputs, residual connections included; exact.

    Parameters
    ----------
    a, b : weights of models without attention, with inputs of one width and outputs of one width
    max_matchings, max_flops : limits on the work

    Raises
    ------
    SpecError
        A model has attention: its output at a position is no polynomial of the input there.
    ShapeError
        Inputs or outputs differ in width.
    BudgetError
        There are too many matchings, or their contractions take too long; raised before any is computed.

    Examples
    --------
    >>> a = Weights.random("[no embed, no unembed] bilinear*2", d=3, m=4, seed=0)
    >>> b = Weights.random("[no embed, no unembed] bilinear*2", d=3, m=4, seed=1)
    >>> bool(abs(model_similarity(a, a).cosine - 1) < 1e-12), bool(abs(model_similarity(a, b).cosine) < 1)
    (True, True)
    """
    for weights in (a, b):
        require_polynomial(weights)
    require_same_ends(a, b)
    count = sum(number_of_matchings(x, y) for x, y in ((a, b), (a, a), (b, b)))
    if count > max_matchings:
        raise BudgetError(
            f"the exact similarity is a sum of {in_words(count)} matchings; the limit is {max_matchings:,}. Pushing second moments through "
            "the layers is no way round: it is exact for one bilinear layer, and a Gaussian closure (an approximation) for more"
        )
    work = [tuple(contractions(x, y)) for x, y in ((a, b), (a, a), (b, b))]
    flops = sum(cost for contracted in work for *_, cost in contracted)
    if flops > max_flops:
        raise BudgetError(f"the {in_words(count)} contractions take {flops:.2e} operations; the limit is {max_flops:.2e}")
    return Similarity(*(sum(value_of(*contracted) for contracted in part) for part in work), "standard normal inputs")


def number_of_matchings(a: Weights, b: Weights) -> int:
    """The number of contractions of an inner product: (p + q - 1)!! for every term of degree p of a and q of b.

    >>> tower = Weights.random("[no embed, no unembed] bilinear(no residual)*2", seed=0)
    >>> number_of_matchings(tower, tower)
    105
    """
    counts = [degrees(weights) for weights in (a, b)]
    return sum(m * n * matchings(p + q) for p, m in counts[0].items() for q, n in counts[1].items())


def degrees(weights: Weights) -> dict[int, int]:
    """Degree -> number of terms."""
    polynomial = path_expansion(weights.model).count_by("degree").as_poly()
    if polynomial is None or not polynomial.gens:
        return {}
    return {power: int(count) for (power,), count in polynomial.terms()}


def require_polynomial(weights: Weights) -> None:
    """Raise SpecError where a model is no polynomial of its input at a position."""
    if not isinstance(weights, Weights):
        raise SpecError(f"models are compared by their Weights; got {type(weights).__name__}")
    heads = [f"attn.{index}" for index, spec in weights.model.numbered() if isinstance(spec, Attention)]
    if heads:
        raise SpecError(
            f"{str(weights.model)!r} has {', '.join(heads)}: with softmax attention the model is no polynomial of its input (without, it is one of "
            "the inputs at all positions together), so that there is no exact similarity; compare models of bilinear layers, or single layers by layer_similarity"
        )
    require_no_function(weights.model)


def require_no_function(model: Transformer) -> None:
    """Raise SpecError where a model without attention has norms, gates or positions."""
    instead = "compare single layers by layer_similarity"
    if model.norm is not None:
        raise SpecError(f"{str(model)!r} has norms, and is no polynomial of its input: {instead}")
    gated = [f"bilinear.{index}" for index, spec in model.numbered() if spec.gate is not None]
    if gated:
        raise SpecError(f"{', '.join(gated)} of {str(model)!r} is gated, so that the model is no polynomial of its input")
    if model.positions == "learned":
        raise SpecError(f"{str(model)!r} has learned positions, and is another function at each of them: {instead}")


def contractions(a: Weights, b: Weights) -> Iterator[tuple[list, list, int, float]]:
    """Operands as opt_einsum takes them, the path, how often it counts and the cost, of every contraction of E[f_a . f_b] that differs."""
    sides, width = (a, b), input_width(a)
    outputs = between(a, b, "W_U")
    covariances = {(i, j): between(x, y, "W_E") for i, x in enumerate(sides) for j, y in enumerate(sides)}
    terms_a, terms_b = networks(a, 0), networks(b, 1)
    for one in terms_a:
        for other in terms_b:
            for matching, count in classes(one.leaves + other.leaves, one.owners + other.owners):
                pairs = [(p, q, covariances[p % 2, q % 2]) for p, q in matching]
                operands = network(one.factors + other.factors, [*pairs, (one.output, other.output, outputs)], width)
                path, info = opt_einsum.contract_path(*operands, (), optimize="auto")
                yield operands, path, count * one.coefficient * other.coefficient, float(info.opt_cost)


def classes(leaves: tuple[int, ...], owners: tuple[int, ...]) -> list[tuple[tuple[tuple[int, int], ...], int]]:
    """One matching of each class that exchanging the leaves of one owner makes, and the number of matchings in it.

    >>> [count for _, count in classes((0, 1, 2, 3), (0, 0, 2, 2))]
    [1, 2]
    """
    owner = dict(zip(leaves, owners, strict=True))
    found: dict[tuple, list] = {}
    for matching in all_matchings(leaves):
        key = tuple(sorted(tuple(sorted((owner[p], owner[q]))) for p, q in matching))
        found.setdefault(key, [matching, 0])[1] += 1
    return [(matching, count) for matching, count in found.values()]


def value_of(operands: list, path: list, coefficient: int, cost: float) -> float:
    """One contraction."""
    return coefficient * float(opt_einsum.contract(*operands, (), optimize=path))


def networks(weights: Weights, side: int) -> list[TermNetwork]:
    """Every term; labels are even on side 0 and odd on side 1."""
    expansion = path_expansion(weights.model)
    if expansion.number_of_terms > MAX_TERMS:
        raise BudgetError(f"{expansion.title} has {in_words(expansion.number_of_terms)} terms; the limit is {MAX_TERMS:,}")
    layers = {index: wide_layer(weights, index) for index, _ in weights.model.numbered()}
    tensors = {index: layer.tensor(symmetric=True) for index, layer in layers.items()}
    return [network_of(term, layers, tensors, weights, side) for term in expansion]


def wide_layer(weights: Weights, index: int) -> BilinearLayer:
    """A layer from stream to stream: with the constant coordinate where something reads it, into which nothing is written."""
    layer = bilinear_layer(weights, index)
    if not weights.model.has_constant:
        return layer.without_biases()
    return replace(layer, b_out=None).with_constant().with_row()


def leaf_of(component: Component, weights: Weights) -> np.ndarray:
    """A leaf that is no input, as a vector of the stream."""
    d = weights.size(weights.model.d)
    if component.kind == "one":
        return np.eye(d + 1)[-1]
    bias = weights.arrays[f"bilinear.{component.layer}.b_out"].astype(float)
    return np.append(bias, 0.0) if weights.model.has_constant else bias


def network_of(term: Term, layers: dict, tensors: dict, weights: Weights, side: int) -> TermNetwork:
    """A term, its labels counted from the root; a layer that reads the input twice by its symmetrised tensor."""
    factors: list[Factor] = []
    leaves: list[int] = []
    owners: list[int] = []
    fresh = iter(range(side, 10**9, 2))
    root = next(fresh)
    waiting = [(term, root, root)]
    while waiting:
        part, output, owner = waiting.pop()
        if not part.inputs and part.component.kind != "input":
            factors.append((leaf_of(part.component, weights), (output,)))
            continue
        if not part.inputs:
            leaves.append(output)
            owners.append(owner)
            continue
        number, left, right = part.component.layer, next(fresh), next(fresh)
        both = all(x.component.kind == "input" for x in part.inputs)
        if both:
            factors.append((tensors[number], (output, left, right)))
        else:
            layer, hidden = layers[number], next(fresh)
            factors += [(layer.W_out, (output, hidden)), (layer.W_1, (hidden, left)), (layer.W_2, (hidden, right))]
        waiting += [(x, label, left if both else label) for x, label in zip(part.inputs, (left, right), strict=True)]
    return TermNetwork(tuple(factors), tuple(leaves), tuple(owners), root, term.coefficient)


def all_matchings(legs: tuple[int, ...]) -> Iterator[tuple[tuple[int, int], ...]]:
    """Every way to pair up the legs; none of an odd number.

    >>> list(all_matchings((0, 1, 2, 3)))
    [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    """
    if not legs:
        yield ()
    for k in range(1, len(legs) if len(legs) % 2 == 0 else 0):
        for rest in all_matchings(legs[1:k] + legs[k + 1 :]):
            yield ((legs[0], legs[k]), *rest)


def network(factors: tuple[Factor, ...], pairs: list[tuple[int, int, np.ndarray | None]], width: int) -> list:
    """Arrays and labels, in turn: labels of a pair are one where nothing stands between them, else joined by a matrix."""
    same: dict[int, int] = {}
    for p, q, matrix in pairs:
        if matrix is None and find(same, p) != find(same, q):
            same[find(same, q)] = find(same, p)
    found = [*factors, *((matrix, (p, q)) for p, q, matrix in pairs if matrix is not None)]
    operands: list = []
    for array, labels in found or [(np.ones(width), pairs[0][:1])]:  # a closed loop of wires is their width
        operands += [array, tuple(find(same, label) for label in labels)]
    return operands


def find(same: dict[int, int], label: int) -> int:
    """The label that stands for this one."""
    while label in same:
        label = same[label]
    return label
