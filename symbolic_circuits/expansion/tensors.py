r"""The tensors of a model as SymPy symbols: W_E, W_U, t, and per block A^h, W_OV^h, or W_1, W_2, W_out and B.

| letter | meaning | shape |
| --- | --- | --- |
| t; X | one-hot tokens; residual input of a model without embedding | n x V; n x d |
| W_E, W_U, b_U | embedding; unembedding and its bias | d x V; V x d, V x 1 |
| W_pos | positions | n x d |
| A, W_OV, b_OV | families over heads: attention pattern, W_O W_V, W_O b_V | n x n, d x d, d x 1 |
| b_O, alpha | bias of an attention block, scale of its output | d x 1, scalar |
| W_QK; W_Q, W_K, b_Q, b_K | families over heads: W_Q^T W_K; its factors where there are biases or rotations | d x d; e x d, e x 1 |
| M, R | causal mask of patterns that are expanded (1 where t <= s); family over positions: rotations | n x n, e x e |
| W_1, W_2, W_out | bilinear layer (tied: W_2 is W_1; without output matrix there is no W_out) | m x d, m x d, d x m |
| B | B_{ijk} = sum_p (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} | d x d x d |
| b_1, b_2, b_out | its biases | m x 1, m x 1, d x 1 |
| W_L, W_R, b_B | what they make of it: W_out diag(b_2) W_1, W_out diag(b_1) W_2, W_out (b_1 . b_2) | d x d, d x d, d x 1 |
| G | gates; then B_{ipk} = (W_out)_{ip} (W_2)_{pk}, and W_L = W_out diag(b_2) | n x m; d x m x d, d x m |
| r, w, b_N, C | norm: scales, gains, bias; C = Id - 1 1^T / d, symmetric | n x 1, d x 1, d x 1, d x d |

With several blocks of one kind their number joins the name as a superscript: ``A^0``, ``W_1^3``; that of norms as a
subscript, ``r_2``, because entries of r are squared in products.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count

from sympy import DiagMatrix, Expr, HadamardProduct, Identity, MatMul, MatrixSymbol, OneMatrix, S, Symbol, sqrt
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.axes import Size
from symbolic_circuits.spec import Attention, Bilinear, Transformer
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily

__all__ = ["AttentionTensors", "BilinearTensors", "HeadTensors", "ModelTensors", "NormTensors", "ScoreTensors"]


@dataclass(frozen=True, slots=True)
class ScoreTensors:
    """What one product of queries and keys is made of: families over heads, or the matrices of one head.

    W_QK stands alone where it says everything; with biases or rotations W_Q and W_K stand for it.
    """

    factor: Expr  # 1 / sqrt(e), or 1
    W_QK: MatrixFamily | FamilyMember | None  # d x d
    W_Q: MatrixFamily | FamilyMember | None = None  # e x d
    W_K: MatrixFamily | FamilyMember | None = None  # e x d
    b_Q: MatrixFamily | FamilyMember | None = None  # e x 1
    b_K: MatrixFamily | FamilyMember | None = None  # e x 1
    R: MatrixFamily | None = None  # n of e x e, of all heads

    @property
    def families(self) -> tuple[MatrixFamily | None, ...]:
        """W_QK, W_Q, W_K, b_Q, b_K."""
        return self.W_QK, self.W_Q, self.W_K, self.b_Q, self.b_K

    def at(self, head: Expr | int) -> "ScoreTensors":
        """The matrices of one head."""
        return ScoreTensors(self.factor, *(family and family[head] for family in self.families), self.R)


@dataclass(frozen=True, slots=True)
class HeadTensors:
    """The matrices of one head."""

    A: FamilyMember  # n x n
    W_OV: FamilyMember  # d x d
    b_OV: FamilyMember | None  # d x 1
    scale: Symbol | None
    scores: tuple[ScoreTensors, ...]


@dataclass(frozen=True, slots=True)
class AttentionTensors:
    """The families of an attention block."""

    A: MatrixFamily  # patterns, H of n x n
    W_OV: MatrixFamily  # H of d x d
    b_OV: MatrixFamily | None = None  # H of d x 1
    b_O: MatrixSymbol | None = None  # d x 1
    scale: Symbol | None = None  # of the sum of the heads, and of b_O
    scores: tuple[ScoreTensors, ...] = ()  # one product of queries and keys, or two

    def at(self, head: Expr | int) -> HeadTensors:
        """The matrices of one head."""
        bias = self.b_OV and self.b_OV[head]
        return HeadTensors(self.A[head], self.W_OV[head], bias, self.scale, tuple(s.at(head) for s in self.scores))


@dataclass(frozen=True, slots=True)
class BilinearTensors:
    """The matrices of a bilinear layer and its third-order tensor; of a layer with a gate too, whose left input are the gates."""

    W_1: MatrixSymbol  # m x d
    W_2: MatrixSymbol  # m x d; W_1 itself where weights are tied
    W_out: MatrixSymbol | None  # d x m; None: the identity
    B: ArraySymbol  # d x d x d; d x m x d with gates
    b_1: MatrixSymbol | None = None  # m x 1
    b_2: MatrixSymbol | None = None  # m x 1; b_1 itself where weights are tied
    b_out: MatrixSymbol | None = None  # d x 1
    W_L: MatrixSymbol | None = (
        None  # d x d, what the left input is multiplied with if b_2 stands for the right one; d x m with gates
    )
    W_R: MatrixSymbol | None = None  # d x d
    b_B: MatrixSymbol | None = None  # d x 1
    G: MatrixSymbol | None = None  # n x m

    @property
    def definitions(self) -> dict[Basic, Expr]:
        """What B, W_L, W_R and b_B are made of."""
        out = () if self.W_out is None else (self.W_out,)
        product = lambda *factors: MatMul(*out, *factors) if len(out + factors) > 1 else factors[0]  # noqa: E731
        found = {self.B: self.third_order}
        if self.W_L is not None:
            found[self.W_L] = product(DiagMatrix(self.b_2), *(() if self.G else (self.W_1,)))
        if self.W_R is not None and self.W_R != self.W_L:
            found[self.W_R] = product(DiagMatrix(self.b_1), self.W_2)
        if self.b_B is not None:
            found[self.b_B] = product(HadamardProduct(self.b_1, self.b_2))
        return found

    @property
    def third_order(self) -> Expr:
        """B in terms of W_out, W_1 and W_2."""
        if self.G is not None:
            return contract("pk->ppk", self.W_2) if self.W_out is None else contract("ip,pk->ipk", self.W_out, self.W_2)
        if self.W_out is None:
            return contract("ij,ik->ijk", self.W_1, self.W_2)
        return contract("ip,pj,pk->ijk", self.W_out, self.W_1, self.W_2)


@dataclass(frozen=True, slots=True)
class NormTensors:
    """Of one norm."""

    r: MatrixSymbol  # n x 1
    C: MatrixSymbol | None  # d x d; None: the mean is not subtracted
    w: MatrixSymbol | None  # d x 1
    b: MatrixSymbol | None  # d x 1


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
    def b_U(self) -> MatrixSymbol:
        """Bias of the output."""
        return MatrixSymbol("b_U", self.model.V, 1)

    @property
    def source(self) -> MatrixSymbol:
        """What the model is a function of: tokens t, or the residual input X."""
        model = self.model
        return MatrixSymbol("t", model.n, model.V) if model.embedding else MatrixSymbol("X", model.n, model.d)

    @property
    def W_pos(self) -> MatrixSymbol:
        """Positions, the rows that are used."""
        return MatrixSymbol("W_pos", self.model.n, self.model.d)

    @property
    def ones(self) -> OneMatrix:
        """The constant: a one at every position, n x 1."""
        return OneMatrix(self.model.n, 1)

    @property
    def mask(self) -> MatrixSymbol:
        """The causal mask."""
        return MatrixSymbol("M", self.model.n, self.model.n)

    @property
    def centering(self) -> MatrixSymbol:
        """C, which subtracts the mean."""
        return MatrixSymbol("C", self.model.d, self.model.d)

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

    def own_bias(self, index: int) -> tuple[Symbol | None, MatrixSymbol]:
        """What the bias of a block is multiplied by, and b_O or b_out."""
        block = self.block(index)
        return (block.scale, block.b_O) if isinstance(block, AttentionTensors) else (None, block.b_out)

    def attention(self, spec: Attention, label: str) -> AttentionTensors:
        n, d, H = self.model.n, self.model.d, spec.heads
        return AttentionTensors(
            MatrixFamily(f"A{label}", H, n, n),
            MatrixFamily(f"W_OV{label}", H, d, d),
            MatrixFamily(f"b_OV{label}", H, d, 1) if "b_V" in spec.biases else None,
            MatrixSymbol(f"b_O{label}", d, 1) if "b_O" in spec.biases else None,
            self.scalar(label) if spec.output_scale else None,
            tuple(self.scores(spec, pair, label) for pair in (("1", "2") if spec.scores == "bilinear" else ("",))),
        )

    def scalar(self, label: str) -> Symbol:
        """alpha, or alpha_3 of block 3; a size of that name gets the letter."""
        taken = {size.name for size in self.model.symbolic_sizes}
        names = (f"alpha{k or ''}{label.replace('^', '_')}" for k in count())
        return Symbol(next(name for name in names if name not in taken), real=True)

    def scores(self, spec: Attention, pair: str, label: str) -> ScoreTensors:
        """The tensors of one product of queries and keys."""
        d, e, H = self.model.d, spec.e, spec.heads
        factor = 1 / sqrt(S(e)) if spec.score_scale else S.One
        rotary = self.model.positions == "rotary"
        biased = [f"b_{letter}" in spec.biases for letter in "QK"]
        if not rotary and not any(biased):
            return ScoreTensors(factor, MatrixFamily(f"W_QK{pair}{label}", H, d, d))
        weights = (MatrixFamily(f"W_{letter}{pair}{label}", H, e, d) for letter in "QK")
        biases = (MatrixFamily(f"b_{x}{pair}{label}", H, e, 1) if has else None for x, has in zip("QK", biased, strict=True))
        return ScoreTensors(factor, None, *weights, *biases, self.rotations(e, label) if rotary else None)

    def rotations(self, e: Size, label: str) -> MatrixFamily:
        """R, numbered where heads of several widths are rotated."""
        widths = {spec.e for _, spec in self.model.numbered() if isinstance(spec, Attention)}
        return MatrixFamily(f"R{label if len(widths) > 1 else ''}", self.model.n, e, e)

    def bilinear(self, spec: Bilinear, label: str) -> BilinearTensors:
        d, m = self.model.d, self.model.hidden_width(spec)
        left = MatrixSymbol(f"W_1{label}", m, d)
        right = left if spec.tied else MatrixSymbol(f"W_2{label}", m, d)
        out = MatrixSymbol(f"W_out{label}", d, m) if spec.output else None
        gates = MatrixSymbol(f"G{label}", self.model.n, m) if spec.gate else None
        b_1 = MatrixSymbol(f"b_1{label}", m, 1) if "b_1" in spec.biases else None
        b_2 = b_1 if spec.tied else MatrixSymbol(f"b_2{label}", m, 1) if "b_2" in spec.biases else None
        W_L = MatrixSymbol(f"W_L{label}", d, d if gates is None else m) if b_2 is not None else None
        W_R = b_B = None
        if b_1 is not None and gates is None:
            W_R = W_L if spec.tied else MatrixSymbol(f"W_R{label}", d, d)
            b_B = MatrixSymbol(f"b_B{label}", d, 1) if b_2 is not None else None
        own = MatrixSymbol(f"b_out{label}", d, 1) if "b_out" in spec.biases else None
        B = ArraySymbol(f"B{label}", (d, d if gates is None else m, d))
        return BilinearTensors(left, right, out, B, b_1, b_2, own, W_L, W_R, b_B, gates)

    def norm(self, number: int) -> NormTensors:
        """The tensors of a norm."""
        model = self.model
        label, is_layer = f"_{number}" if len(self.norm_numbers) > 1 else "", model.norm == "layer"
        return NormTensors(
            MatrixSymbol(f"r{label}", model.n, 1),
            self.centering if is_layer else None,
            MatrixSymbol(f"w{label}", model.d, 1) if model.gains else None,
            MatrixSymbol(f"b_N{label}", model.d, 1) if model.gains and is_layer else None,
        )

    @property
    def definitions(self) -> dict[Basic, Expr]:
        """What the tensors that stand for products of others are made of."""
        layers = (block for block in self.blocks if isinstance(block, BilinearTensors))
        return {tensor: value for layer in layers for tensor, value in layer.definitions.items()}

    @property
    def norms(self) -> Iterator[NormTensors]:
        """The tensors of every norm."""
        return (self.norm(number) for number in self.norm_numbers)

    @property
    def norm_numbers(self) -> list[int]:
        """The numbers of the norms: of their blocks, of the last block of a step, and of the output."""
        model = self.model
        if model.norm is None:
            return []
        if model.post_norm:
            return [step.blocks[-1].index for step in model.steps]
        return list(range(model.number_of_blocks + model.has_final_norm))
