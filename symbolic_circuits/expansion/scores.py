r"""The scores of a head as a sum of terms: $X W_{QK} X^T / \sqrt e$, where X is itself a sum, so that each term is a pair of terms.

| letter | meaning | shape |
| --- | --- | --- |
| X | what the head reads: the stream before its block, perhaps normed | n x d |
| W_QK = W_Q^T W_K | of the head | d x d |

With X = sum_i x_i the scores are sum_{ij} x_i W_QK x_j^T: query and key run through the terms of X independently (B28, B30), which is what
Q-, K- and QK-composition are. Before mask and softmax they are exact given the patterns of earlier blocks.
"""

from symbolic_circuits.errors import SpecError, TermError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import component_of, grammar_of
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["scores"]


def scores(model: Transformer | str, layer: int, head: int = 0) -> PathExpansion:
    """The scores of one head, before mask and softmax, as an expansion: counted, queried, graded, written out and evaluated like any.

    Its terms are called ``scores.1[0](query, key)``, and queries say by which input a path comes in: ``attn.0[1] > scores.query``. Values
    are arrays (n, n), row s and column t the score of query s and key t. Scores without softmax that are products of two, ``attn(2,
    bilinear)``, have two queries and two keys.

    Parameters
    ----------
    model : the specification, or its text form
    layer, head : number of the attention block, and of a head of it

    Raises
    ------
    SpecError
        The block is not there, or no attention.
    TermError
        The block does not have that head.

    References
    ----------
    Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, on QK circuits.

    Examples
    --------
    >>> expansion = scores("attn(2) attn(2)", 1, 0)
    >>> expansion.number_of_terms
    9
    >>> print(expansion[5])
    scores.1[0](attn.0[0](embed), attn.0[1](embed))
    >>> expansion.where("attn.0[1] > scores.key").number_of_terms
    3
    """
    model = Transformer.parse(model) if isinstance(model, str) else model
    if not isinstance(model, Transformer):
        raise SpecError(f"scores are of a Transformer or its text form; got {type(model).__name__}")
    blocks = dict(model.numbered())
    attention = [k for k, spec in blocks.items() if isinstance(spec, Attention)]
    if layer not in attention or isinstance(layer, bool):
        there = ", ".join(f"attn.{k}" for k in attention) or "none"
        raise SpecError(
            f"scores are of an attention block; {layer!r} is not the number of one in {str(model)!r}, which has {there}"
        )
    if isinstance(head, bool) or not hasattr(head, "__index__") or head < 0:
        raise TermError(f"heads are numbered from 0; got {head!r}")
    number = blocks[layer].heads
    if isinstance(number, int) and head >= number:
        raise TermError(f"attn.{layer} of {str(model)!r} has the heads 0 to {number - 1}; got {head}")
    return PathExpansion(grammar_of(model, root=component_of(model, "scores", int(layer), int(head))))
