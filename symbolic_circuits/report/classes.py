"""The path classes of an expansion, one row each: its name, how many terms it has, its order, its value, and what it means."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from sympy import Expr, KroneckerProduct, MatMul, MatrixSymbol

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.syntax.bilinear import ApplyBilinear

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


def path_class_rows(expansion: PathExpansion, notation: str, limit: int) -> list[PathClass]:
    """Every path class of an expansion.

    Raises
    ------
    BudgetError
        There are more than ``limit`` of them.
    """
    classes = limited_classes(expansion, limit)
    writer = notation_for(notation, expansion.tensors)
    return [PathClass(term, terms_in_class(term), writer.write(term), meaning(term)) for term in classes]


def limited_classes(expansion: PathExpansion, limit: int) -> PathExpansion:
    """The path classes, if there are not too many to write."""
    classes = expansion.path_classes()
    if classes.number_of_terms > limit:
        raise BudgetError(
            f"{str(expansion.model)!r} has {in_words(classes.number_of_terms)} path classes; the limit for writing them is {limit}"
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
    if component.kind == "attn":
        return component.spec.heads * counts[0]
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
    return meaning_at(term, depth=2) if term.inputs else "direct path"


def meaning_at(term: Term, depth: int) -> str:
    """The words for a term, its inputs described down to a depth."""
    component, inputs = term
    source = "token" if component.model.embedding else "input"
    if component.kind == "input":
        return source
    if depth == 0:
        return f"an output of {'block' if component.kind == 'attn' else 'layer'} {component.layer}"
    if component.kind == "bilinear":
        left, right = (meaning_at(x, depth - 1) for x in inputs)
        return f"bilinear layer {component.layer}: {left} with {right}"
    heads = [term]
    while heads[-1].inputs[0].component.kind == "attn":
        heads.append(heads[-1].inputs[0])
    layers = " after ".join(str(head.component.layer) for head in heads)
    name = f"head of block {layers}" if len(heads) == 1 else f"virtual head, block {layers}"
    below = heads[-1].inputs[0]
    return name if below.component.kind == "input" else f"{name}, reading {meaning_at(below, depth - 1)}"


def definitions(expansion: PathExpansion, limit: int) -> Iterator[Definition]:
    """Short definitions that build every path class from earlier ones: c_3 = B(c_0, c_1).

    A class is summed over its heads before it is used, which is the same because bilinear layers are bilinear.
    """
    classes = limited_classes(expansion, limit)
    tensors = expansion.tensors
    writer: OperatorNotation = OperatorNotation(tensors)
    wanted, names = set(classes), {}
    for term in classes:
        for node in reversed(list(subterms(term))):
            if node in names:
                continue
            name = MatrixSymbol(f"c_{len(names)}", tensors.model.n * tensors.model.d, 1)
            names[node] = name
            yield Definition(name, node, defining(node, names, writer), node in wanted)


def defining(term: Term, names: dict[Term, MatrixSymbol], writer: OperatorNotation) -> Expr:
    """The value of a term of the residual stream in terms of the names of its inputs."""
    component, inputs = term
    writer.head_symbols = []
    if component.kind == "input":
        return writer.column(writer.input(component))
    if component.kind == "attn":
        pattern, circuit = writer.head_tensors(component)
        ((_, head, heads),) = writer.head_symbols
        return writer.sum_over_heads(MatMul(KroneckerProduct(pattern, circuit), names[inputs[0]]), [(head, 0, heads - 1)])
    value = writer.layer(component).B, names[inputs[0]], names[inputs[1]]
    pair = ApplyBilinear(*value)
    return 2 * pair if component.is_tied and inputs[0] != inputs[1] else pair
