"""The path classes of an expansion, one row each: its name, how many terms it has, its order, its value, and what it means."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from sympy import Expr, MatrixSymbol

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.expansion.constant import ONE
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import applied
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.notation.operator import Operator, OperatorNotation
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.spec import Attention

__all__ = ["Definition", "PathClass", "definitions", "meaning", "path_class_rows", "terms_in_class"]


@dataclass(frozen=True, slots=True)
class PathClass:
    """A row of the table of path classes."""

    term: Term  # heads left open
    count: int | Expr  # terms in the class; a polynomial where numbers of heads are symbols
    value: Expr  # with sums over heads
    meaning: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A named column c_k of the residual stream: the sum over heads of a path class before the unembedding."""

    name: MatrixSymbol
    term: Term
    value: Expr  # in terms of earlier columns
    is_class: bool  # whether it is itself a summand of the output


def path_class_rows(expansion: PathExpansion, notation: str, limit: int, chosen: slice | None = None) -> list[PathClass]:
    """Every path class of an expansion, or those of a slice.

    Raises
    ------
    BudgetError
        There are more than ``limit`` of them, and none are chosen.
    """
    classes = limited_classes(expansion, limit) if chosen is None else expansion.path_classes()[chosen]
    writer = notation_for(notation, expansion.tensors)
    return [PathClass(term, terms_in_class(term), writer.write(term), meaning(term)) for term in classes]


def limited_classes(expansion: PathExpansion, limit: int) -> PathExpansion:
    """The path classes, if there are not too many to write."""
    classes = expansion.path_classes()
    if classes.number_of_terms > limit:
        raise BudgetError(
            f"{str(expansion.model)!r} has {in_words(classes.number_of_terms)} path classes; the limit for writing them is {limit}: "
            "choose some by a query or, where they are listed, by their numbers (--start, --limit)"
        )
    return classes


def terms_in_class(term: Term) -> int | Expr:
    """The number of terms of a path class: one for each choice of heads, pairs that a tied layer does not tell apart as one.

    >>> import symbolic_circuits as sc
    >>> [terms_in_class(c) for c in sc.path_expansion("attn(3) bilinear(tied)").path_classes()]
    [1, 3, 1, 3, 6]
    """
    component, inputs = term
    counts = [terms_in_class(x) for x in inputs]
    if component.kind == "attn" and component.head is None:
        counts.append(component.spec.heads)
    if component.is_tied and inputs[0] == inputs[1]:
        pairs = counts[0] * (counts[0] + 1)
        return pairs // 2 if isinstance(pairs, int) else (pairs / 2).expand()
    product = prod(counts)
    return product if isinstance(product, int) else product.expand()


def meaning(term: Term) -> str:
    """A path class in words.

    >>> import symbolic_circuits as sc
    >>> for c in sc.path_expansion("attn(2) bilinear").path_classes():
    ...     print(meaning(c))
    direct path
    head of block 0
    bilinear layer 1: token with token
    bilinear layer 1: token with head of block 0
    bilinear layer 1: head of block 0 with token
    bilinear layer 1: head of block 0 with head of block 0
    """
    normed = term
    while normed.component.kind == "norm":
        normed = normed.inputs[0]
    return "direct path" if normed.component.kind == "input" else meaning_at(term, depth=2)


def meaning_at(term: Term, depth: int) -> str:
    """The words for a term, its inputs described down to a depth; norms are not named."""
    component, inputs = term
    if component.kind == "norm":
        return meaning_at(inputs[0], depth)
    if not inputs:
        return leaf_meaning(component)
    if depth == 0:
        return f"an output of {'block' if component.kind == 'attn' else 'layer'} {component.layer}"
    if component.kind in ("bilinear", "scores") or len(inputs) > 1:
        return pair_meaning(term, depth)
    if component.kind == "gated":
        return reading(f"layer {component.layer} with gates", inputs[0], depth)
    heads = [term]
    while is_head(next_below(heads[-1])):
        heads.append(next_below(heads[-1]))
    layers = " after ".join(str(head.component.layer) for head in heads)
    return reading(f"head of block {layers}" if len(heads) == 1 else f"virtual head, block {layers}", heads[-1].inputs[0], depth)


def leaf_meaning(component: Component) -> str:
    """A leaf in words."""
    owner = "block" if component.kind == "bias" and isinstance(component.spec, Attention) else "layer"
    return {
        "input": "token" if component.model.embedding else "input",
        "position": "position",
        "one": "bias of the output",
        "bias": f"bias of {owner} {component.layer}",
        "normbias": f"bias of norm {component.layer}",
    }[component.kind]


def pair_meaning(term: Term, depth: int) -> str:
    """A layer, scores, or a head whose scores are expanded, with all of its inputs."""
    component, inputs = term
    names = ["bias" if x.component.kind == "one" else meaning_at(x, depth - 1) for x in inputs]
    if component.kind == "bilinear":
        names = [f"({name})" if ", value " in name else name for name in names]
        return f"bilinear layer {component.layer}: {' with '.join(names)}"
    queries, keys = (
        " and ".join(name for name, slot in zip(names, component.slots, strict=True) if slot.startswith(kind))
        for kind in ("query", "key")
    )
    if component.kind == "scores":
        return f"scores of head {component.head} of block {component.layer}: query {queries}, key {keys}"
    return f"head of block {component.layer}: query {queries}, key {keys}, value {names[-1]}"


def reading(name: str, source: Term, depth: int) -> str:
    """A path that ends in a component; from the token it need not be said."""
    below = next_below_norms(source)
    if below.component.kind == "input":
        return name
    return f"{name}, its bias" if below.component.kind == "one" else f"{name}, reading {meaning_at(below, depth - 1)}"


def is_head(term: Term) -> bool:
    """Whether a term ends in a head whose pattern is held fixed."""
    return term.component.kind == "attn" and len(term.inputs) == 1


def next_below(head: Term) -> Term:
    """What a head reads."""
    return next_below_norms(head.inputs[0])


def next_below_norms(term: Term) -> Term:
    """The term that a norm is of."""
    while term.component.kind == "norm":
        term = term.inputs[0]
    return term


def definitions(expansion: PathExpansion, limit: int) -> Iterator[Definition]:
    """Short definitions that build every path class from earlier ones: c_3 = B(c_0, c_1).

    A class is summed over its heads before it is used, which is the same because bilinear layers are bilinear.

    Raises
    ------
    BudgetError
        There are more than ``limit`` path classes.
    NotationError
        Scores are expanded too: a column does not say what matrix of queries it is.
    """
    classes = limited_classes(expansion, limit)
    tensors = expansion.tensors
    writer: OperatorNotation = OperatorNotation(tensors)
    wanted, names = set(classes), {}
    for term in classes:
        for node in reversed(list(subterms(term))):
            if node in names or node.component.kind == "one":
                continue
            name = MatrixSymbol(f"c_{len(names)}", tensors.model.n * tensors.model.d, 1)
            names[node] = name
            yield Definition(name, node, defining(node, names, writer), node in wanted)


def defining(term: Term, names: dict[Term, MatrixSymbol], writer: OperatorNotation) -> Expr:
    """The value of a term of the residual stream in terms of the names of its inputs."""
    component, inputs = term
    if component.kind == "scores" or len(component.slots) > 2:
        raise NotationError(
            f"{component.name} has queries and keys among its inputs, which columns do not show: use a closed form"
        )
    writer.head_symbols = []
    values = [Operator((), (), names[x]) if x in names else ONE for x in inputs]
    if component.kind == "attn":
        value = writer.column(writer.head(component, values[0]))
        limits = [(symbol, 0, heads - 1) for _, symbol, heads in writer.head_symbols]
        return writer.sum_over_heads(value, limits) if limits else value
    value = writer.column(applied(component, values, writer))
    return 2 * value if component.is_tied and inputs[0] != inputs[1] else value
