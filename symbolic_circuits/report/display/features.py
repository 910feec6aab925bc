"""Sheets of layers between features: the singular values of a tensor, the pairs of inputs with the largest weights, what a dictionary spans."""

from symbolic_circuits.counts import in_words
from symbolic_circuits.numeric.bilinear.dictionary import Dictionary, FeatureTensor
from symbolic_circuits.numeric.bilinear.hosvd import Hosvd
from symbolic_circuits.numeric.bilinear.pairwise import PairwiseInteractions
from symbolic_circuits.report.display.sheet import Cell, Sheet, clipped, number, signed_shares

__all__ = ["feature_tensor_sheet", "hosvd_sheet", "pairwise_sheet"]

SHOWN = 10


def hosvd_sheet(result: Hosvd) -> Sheet:
    """The largest singular values, each with its part of the squared norm."""
    whole = float(result.norm) ** 2
    values = [float(value) for value in result.values[:SHOWN]]
    shares = signed_shares([value**2 / whole if whole else 0.0 for value in values])
    rows = tuple((str(k), number(value), share) for k, (value, share) in enumerate(zip(values, shares, strict=True)))
    left = len(result) - len(rows)
    notes = ([f"and {left:,} more, smaller"] if left else []) + [f"effective rank {number(float(result.effective_rank))}"]
    return Sheet(
        clipped(f"components of {result.layer.name} by output direction: {len(result):,}, norm {number(float(result.norm))}"),
        heads=("", "singular value", "of the squared norm"),
        rows=rows,
        notes=tuple(notes),
        code=("hosvd.component(i)", "hosvd.error(r)", "hosvd.truncated(r)"),
    )


def pairwise_sheet(result: PairwiseInteractions) -> Sheet:
    """The pairs with the largest weights, and what no other exceeds."""
    rows = tuple((str(pair.first), str(pair.second), number(float(pair.weight))) for pair in result.pairs[:SHOWN])
    left = len(result.pairs) - len(rows)
    notes = [f"and {left:,} more in the list"] if left else []
    notes.append(f"every other pair of {in_words(result.number_of_pairs)} is at most {number(float(result.rest))}")
    title = f"{len(result.pairs):,} largest {'interaction' if len(result.pairs) == 1 else 'interactions'} of pairs of features"
    return Sheet(title, heads=("first", "second", "weight"), rows=rows, notes=tuple(notes), code=("interactions.pairs",))


def feature_tensor_sheet(result: FeatureTensor) -> Sheet:
    """The shape, and what the dictionaries span."""
    rows: tuple[tuple[Cell, ...], ...] = (
        ("outputs", dictionary_text(result.outputs)),
        ("inputs", dictionary_text(result.inputs)),
    )
    title = clipped(f"{result.layer.name} between features: {' x '.join(map(str, result.shape))}")
    return Sheet(title, heads=("", ""), rows=rows, code=("tensor.between", "tensor.interaction(a)", "tensor.to_array()"))


def dictionary_text(found: Dictionary | None) -> str:
    """How many features, and what can be inverted."""
    if found is None:
        return "the standard basis"
    count, width = found.features.shape
    spans, independent = "span everything" if found.spans else "do not span everything", found.is_independent
    return f"{count:,} features in {width:,} dimensions, {'independent' if independent else 'dependent'}; they {spans}"
