r"""The letters of what trained models have beside heads and bilinear layers, in words: biases, norms, positions, scores, scales, gates.

| letter | meaning |
| --- | --- |
| b_OV | W_O b_V; A 1 b_OV^T is 1 b_OV^T only where the rows of A add up to one |
| r | scales of a norm, one a position, held fixed |
| G | gates, held fixed |
| W_L, W_R, b_B | what the biases of a bilinear layer make of it |
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Identity, MatMul, MatrixSymbol, S, Transpose
from sympy.core.basic import Basic

from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.notation.writer import index_symbol
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors, ScoreTensors
from symbolic_circuits.spec import Attention, Transformer
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["Letter", "Letters", "held_fixed"]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter, what it means, and its shape."""

    symbol: Basic
    meaning: tuple[str | Basic, ...]
    shape: tuple[Expr, ...]


def letter(symbol: Basic, *meaning: str | Basic) -> Letter:
    """A tensor with its own shape."""
    return Letter(symbol, meaning, tuple(getattr(symbol, "shape", ())))


def held_fixed(model: Transformer) -> str:
    """What is held fixed, in words.

    >>> print(held_fixed(Transformer.parse("[rms_norm] attn(2) bilinear(silu)")))
    Attention patterns, norm scales and gates are held fixed, so that the model is a polynomial in its input.
    """
    specs = [spec for _, spec in model.numbered()]
    attention = [spec for spec in specs if isinstance(spec, Attention)]
    expanded = [spec for spec in attention if spec.is_polynomial]
    things = ["attention patterns"] if len(expanded) < len(attention) or not attention else []
    things += ["norm scales"] if model.norm is not None else []
    things += ["gates"] if any(not isinstance(spec, Attention) and spec.gate is not None for spec in specs) else []
    patterns = ""
    if expanded:
        patterns = "Attention patterns are polynomials in what queries and keys read. " if len(expanded) == len(attention) else ""
    if not things:
        return f"{patterns}Nothing is held fixed: the model is a polynomial in its input. "
    words = " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
    return f"{patterns}{words[0].upper()}{words[1:]} are held fixed, so that the model is a polynomial in its input. "


class Letters:
    """The letters of one model."""

    def __init__(self, model: Transformer, *, scores: bool = False) -> None:
        self.model, self.tensors = model, ModelTensors(model)
        self.scores = scores  # whether queries and keys are asked about

    def has_scores(self, spec: object) -> bool:
        """Whether queries and keys of a block occur."""
        return isinstance(spec, Attention) and (spec.is_polynomial or self.scores)

    def of_positions(self) -> Iterator[Letter]:
        """Positions, the constant, the causal mask."""
        model, tensors = self.model, self.tensors
        specs = [spec for _, spec in model.numbered()]
        has_scores = any(map(self.has_scores, specs))
        if model.positions == "learned" or (model.positions == "shortformer" and has_scores):
            where = "added to the embedding" if model.positions == "learned" else "added to what queries and keys read"
            yield letter(tensors.W_pos, f"positions, {where}")
        if any(spec.biases for spec in specs) or model.output_bias or (model.norm == "layer" and model.gains):
            yield letter(tensors.ones, "a one at every position")
        if any(isinstance(spec, Attention) and spec.is_polynomial for spec in specs):
            yield letter(tensors.mask, "causal mask: one where the source comes no later, else zero")

    def of_attention(self, index: int) -> Iterator[Letter]:
        """The biases, scale and scores of an attention block."""
        block: AttentionTensors = self.tensors.block(index)
        spec, d = dict(self.model.numbered())[index], self.model.d
        several = sum(isinstance(other, Attention) for _, other in self.model.numbered()) > 1
        head = index_symbol(f"h_{index}" if several else "h")
        if spec.is_polynomial:
            W_O, W_V = self.beside(block.W_OV, "W_O", d, spec.e)[head], self.beside(block.W_OV, "W_V", spec.e, d)[head]
            yield letter(block.W_OV[head], MatMul(W_O, W_V), f", of block {index}")
        for scores in block.scores if self.has_scores(spec) else ():
            yield from self.of_scores(spec, scores, head)
        if block.b_OV is not None:
            W_O, b_V = self.beside(block.b_OV, "W_O", d, spec.e)[head], self.beside(block.b_OV, "b_V", spec.e, 1)[head]
            bias = [MatMul(W_O, b_V)]
            if not spec.is_polynomial:
                row = Transpose(block.b_OV[head])
                moved, fixed = MatMul(block.A[head], self.tensors.ones, row), MatMul(self.tensors.ones, row)
                bias += [
                    "; ",
                    moved,
                    " is ",
                    fixed,
                    " only where the rows of ",
                    block.A[head],
                    " add up to one, as after a softmax",
                ]
            yield letter(block.b_OV[head], *bias)
        if block.b_O is not None:
            yield letter(block.b_O, f"bias of attention block {index}")
        if block.scale is not None:
            yield letter(block.scale, f"what the output of attention block {index} is multiplied by")

    def beside(self, family: MatrixFamily, name: str, rows: Size, cols: Size) -> MatrixFamily:
        """A family of another name and shape, labelled as one is."""
        label = family.name.partition("^")[2]
        return MatrixFamily(f"{name}^{label}" if label else name, family.shape[0], rows, cols)

    def of_scores(self, spec: Attention, scores: ScoreTensors, head: Expr) -> Iterator[Letter]:
        """Queries and keys of one product."""
        if scores.W_QK is not None:
            pair = scores.W_QK.name.removeprefix("W_QK").partition("^")[0]
            W_Q, W_K = (self.beside(scores.W_QK, f"{name}{pair}", spec.e, self.model.d)[head] for name in ("W_Q", "W_K"))
            yield letter(scores.W_QK[head], MatMul(Transpose(W_Q), W_K))
            return
        for family, words in zip(scores.families[1:], ("queries", "keys", "bias of queries", "bias of keys"), strict=True):
            if family is not None:
                yield letter(family[head], words)
        if scores.R is not None:
            yield letter(scores.R[index_symbol("s")], "rotation of queries and keys at a position")

    def of_layer(self, index: int) -> Iterator[Letter]:
        """The biases of a bilinear layer and what they make of it; gates."""
        block: BilinearTensors = self.tensors.block(index)
        spec = dict(self.model.numbered())[index]
        tied = block.b_1 is not None and block.b_1 == block.b_2
        if block.G is not None:
            yield letter(block.G, f"gates of layer {index}: {spec.gate} of its left input, held fixed")
        elif block.b_1 is not None:
            yield letter(block.b_1, f"bias of {'both inputs' if tied else 'the left input'} of bilinear layer {index}")
        if block.b_2 is not None and not tied:
            side = "the input" if block.G is not None else "the right input"
            yield letter(block.b_2, f"bias of {side} of {'layer' if block.G is not None else 'bilinear layer'} {index}")
        if block.b_out is not None:
            yield letter(block.b_out, f"bias of layer {index}, added to its output")
        for tensor, value in block.definitions.items():
            if isinstance(tensor, MatrixSymbol):
                yield letter(tensor, value)

    def of_norms(self) -> Iterator[Letter]:
        """Scales, gains and biases of norms; C."""
        model, tensors = self.model, self.tensors
        what = {"rms": "mean of squares", "layer": "variance"}.get(model.norm)
        for number, norm in zip(tensors.norm_numbers, tensors.norms, strict=True):
            reader = f"norm {number}" if model.post_norm else self.reader(number)
            yield letter(norm.r, f"scales of {reader}, one a position: one over the root of the {what} plus epsilon, held fixed")
            if norm.w is not None:
                yield letter(norm.w, f"gains of {reader}")
            if norm.b is not None:
                yield letter(norm.b, f"bias of {reader}")
        if model.norm == "layer":
            ones = self.ones_of_width()
            mean = MatMul(S.One / model.d, *ones)
            yield letter(tensors.centering, "symmetric; subtracts the mean: ", Identity(model.d) - mean)

    def ones_of_width(self) -> tuple[Expr, Expr]:
        """A column and a row of d ones."""
        ones = type(self.tensors.ones)
        return ones(self.model.d, 1), ones(1, self.model.d)

    def reader(self, number: int) -> str:
        """A norm by what reads it."""
        return (
            f"norm {number}, of the output" if number == self.model.number_of_blocks else f"norm {number}, before block {number}"
        )

    def of_output(self) -> Iterator[Letter]:
        """The bias of the output."""
        if self.model.output_bias:
            yield letter(self.tensors.b_U, "bias of the output")
