r"""The tensors of a model as SymPy symbols: W_E, W_U, t, and per block A^h, W_OV^h, or W_1, W_2, W_out and B.

| letter | meaning | shape |
| --- | --- | --- |
| t; X | one-hot tokens; residual input of a model without embedding | n x V; n x d |
| W_E, W_U | embedding, unembedding | d x V, V x d |
| A, W_OV | families over heads: attention pattern, W_O W_V | n x n, d x d |
| W_1, W_2, W_out | bilinear layer (tied: W_2 is W_1; without output matrix there is no W_out) | m x d, m x d, d x m |
| B | B_{ijk} = sum_p (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} | d x d x d |

With several blocks of one kind their number joins the name as a superscript: ``A^0``, ``W_1^3``.
"""

from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Identity, MatrixSymbol
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.spec import Attention, Transformer
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["AttentionTensors", "BilinearTensors", "ModelTensors"]


@dataclass(frozen=True, slots=True)
class AttentionTensors:
    """The two families of an attention block."""

    A: MatrixFamily  # patterns, H of n x n
    W_OV: MatrixFamily  # H of d x d


@dataclass(frozen=True, slots=True)
class BilinearTensors:
    """The matrices of a bilinear layer and its third-order tensor."""

    W_1: MatrixSymbol  # m x d
    W_2: MatrixSymbol  # m x d; W_1 itself where weights are tied
    W_out: MatrixSymbol | None  # d x m; None: the identity
    B: ArraySymbol  # d x d x d


@dataclass(frozen=True)
class ModelTensors:
    """The symbols of one model; the same model always gives equal symbols.

    >>> tensors = ModelTensors(Transformer.parse("attn(2) bilinear"))
    >>> tensors.W_E.shape, tensors.block(0).A[1], tensors.block(1).B.shape
    ((d, V), A[1], (d, d, d))
    >>> ModelTensors(Transformer.parse("attn(2) attn(2)")).block(1).W_OV[0]
    W_OV^1[0]
    """

    model: Transformer

    @property
    def W_E(self) -> MatrixSymbol:
        """Embedding."""
        return MatrixSymbol("W_E", self.model.d, self.model.V)

    @property
    def W_U(self) -> Expr:
        """Unembedding; the identity where the model has none."""
        return MatrixSymbol("W_U", self.model.V, self.model.d) if self.model.unembedding else Identity(self.model.d)

    @property
    def source(self) -> MatrixSymbol:
        """What the model is a function of: tokens t, or the residual input X."""
        model = self.model
        return MatrixSymbol("t", model.n, model.V) if model.embedding else MatrixSymbol("X", model.n, model.d)

    @cached_property
    def blocks(self) -> tuple[AttentionTensors | BilinearTensors, ...]:
        """The tensors of each block, by number."""
        specs = [spec for _, spec in self.model.numbered()]
        several = {kind: sum(isinstance(s, Attention) == kind for s in specs) > 1 for kind in (True, False)}
        out = []
        for index, spec in self.model.numbered():
            label = f"^{index}" if several[isinstance(spec, Attention)] else ""
            out.append(self.attention(spec, label) if isinstance(spec, Attention) else self.bilinear(spec, label))
        return tuple(out)

    def block(self, index: int) -> AttentionTensors | BilinearTensors:
        """The tensors of block ``index``."""
        return self.blocks[index]

    def attention(self, spec: Attention, label: str) -> AttentionTensors:
        n, d = self.model.n, self.model.d
        return AttentionTensors(MatrixFamily(f"A{label}", spec.heads, n, n), MatrixFamily(f"W_OV{label}", spec.heads, d, d))

    def bilinear(self, spec: object, label: str) -> BilinearTensors:
        d, m = self.model.d, self.model.hidden_width(spec)
        left = MatrixSymbol(f"W_1{label}", m, d)
        right = left if spec.tied else MatrixSymbol(f"W_2{label}", m, d)
        out = MatrixSymbol(f"W_out{label}", d, m) if spec.output else None
        return BilinearTensors(left, right, out, ArraySymbol(f"B{label}", (d, d, d)))
