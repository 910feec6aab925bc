r"""Which rules are worth trying at a node, given definitions and laws: by the type of the node, and by what is stated of its tensors.

| kind | rules |
| --- | --- |
| ``tidy`` | make an expression simpler or more spread out, and end: multiply out, mixed product, Id A = A, laws, B(x, y) |
| ``turns`` | lead elsewhere: tr M = tr M^T, y^T W x = x^T W^T y, u^T (x . y) = x^T diag(u) y, indices, definitions |
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from sympy import (
    Add,
    BlockMatrix,
    HadamardPower,
    HadamardProduct,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Pow,
    Symbol,
    Trace,
    Transpose,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement, ArraySymbol

from symbolic_circuits.derivation.folds import folds_of
from symbolic_circuits.derivation.pieces import coefficient_of, fresh_symbol, is_sum, linear_arguments
from symbolic_circuits.derivation.rules.bilinear import ExchangeInputs, Symmetrise
from symbolic_circuits.derivation.rules.blocks import BlockHadamard, BlockProduct
from symbolic_circuits.derivation.rules.cancelling import CancelInverse, CancelPair
from symbolic_circuits.derivation.rules.contractions import AsProducts, EntryOfContraction
from symbolic_circuits.derivation.rules.definitions import FoldIntoB, FoldLayer, Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute
from symbolic_circuits.derivation.rules.forms import (
    AsDiagonal,
    DiagonalForm,
    ReorderForms,
    TraceAsSum,
    TransposeForm,
    TransposeTrace,
    numbers_in,
)
from symbolic_circuits.derivation.rules.kronecker import KroneckerNumbers
from symbolic_circuits.derivation.rules.laws import ApplyLaw
from symbolic_circuits.derivation.rules.notations import ToIndex, ToOperator, ToTensor
from symbolic_circuits.derivation.rules.products import FuseIdentity, MixedProduct, TransposeProduct, WritePower, split_scalars
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.scalars import ExpandPower, PullScalars
from symbolic_circuits.derivation.rules.sums import WriteOut
from symbolic_circuits.derivation.rules.symmetric_part import SymmetricPart
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Moves"]

MAX_SUMMANDS = 6  # of a finite sum that is written out
CANCELLING = ("orthonormal_columns", "orthonormal_rows", "permutation", "inverse")


@dataclass(frozen=True, slots=True)
class Moves:
    """The rules for what is stated: definitions, laws, layers and their tensors."""

    definitions: tuple[Substitute, ...] = ()
    cancelling: tuple[CancelPair, ...] = ()
    laws: tuple[ApplyLaw, ...] = ()
    folds: tuple[FoldLayer | FoldIntoB | SymmetricPart, ...] = ()  # definitions of a tensor B, read as rules for layers
    symmetrise: tuple[Symmetrise, ...] = ()
    exchange: tuple[ExchangeInputs, ...] = ()
    layers: tuple = ()  # for ToIndex and ToTensor
    columns: tuple[Basic, ...] = ()  # the matrices X of which there is a vec X

    @classmethod
    def of(cls, stated: Iterable[tuple[Basic, Any]], *exprs: Basic) -> "Moves":
        """The rules for what is stated of tensors, one pair (tensor, law or definition) each, in some expressions."""
        stated = list(stated)
        definitions = [(tensor, value) for tensor, value in stated if isinstance(value, Basic)]
        laws = [(tensor, law) for tensor, law in stated if isinstance(law, str)]
        folds = [fold for tensor, value in definitions for fold in folds_of(tensor, value)]
        arrays = [(t, law) for t, law in laws if isinstance(t, ArraySymbol) and len(t.shape) == 3 and law.startswith("symmetric")]
        columns = sorted({node.matrix for expr in exprs for node in expr.atoms(Vec) if not node.matrix.args[0].args}, key=str)
        return cls(
            tuple(Substitute(tensor, value) for tensor, value in definitions),
            tuple(CancelPair(t, law) for t, law in laws if law.startswith(CANCELLING) and isinstance(t, MatrixSymbol)),
            tuple(ApplyLaw(tensor, law) for tensor, law in laws),
            tuple(folds),
            tuple(Symmetrise(fold.B, fold.symmetric) for fold in folds if isinstance(fold, SymmetricPart)),
            tuple(ExchangeInputs(tensor) for tensor, _ in arrays),
            tuple((fold.B, fold.W_1, fold.W_2, fold.W_out) for fold in folds if isinstance(fold, FoldLayer)),
            tuple(columns),
        )

    def tidy(self, node: Basic) -> Iterator[Rule]:
        """Rules that make a normal form, in the order in which they are to be tried."""
        yield from self.spread(node)
        yield from self.lawful(node)

    def spread(self, node: Basic) -> Iterator[Rule]:
        """Rules that hold for all tensors, and the folding of layers."""
        if has_sum(node):
            yield Distribute()
        yield from simpler(node)
        if isinstance(node, Vec) and isinstance(node.matrix, MatMul):
            yield from (ToOperator(column) for column in self.columns if node.matrix.args.count(column) == 1)
        if isinstance(node, MatrixElement):
            yield ToIndex(self.layers)
        if isinstance(node, Row):
            yield ToTensor(self.layers)
        if isinstance(node, HadamardProduct | MatMul | ApplyBilinear):
            yield from self.folds

    def lawful(self, node: Basic) -> Iterator[Rule]:
        """Rules for what is stated of tensors."""
        if isinstance(node, MatMul):
            yield from self.cancelling
        for rule in self.laws:
            if rule.law.startswith(("symmetric", "antisymmetric")):
                if node == Transpose(rule.tensor):
                    yield rule
            elif isinstance(node, MatMul | Trace | HadamardProduct) and node.has(rule.tensor) and not node.has(MatAdd, Add):
                yield rule
        if isinstance(node, ApplyBilinear) and str(node.args[2]) < str(node.args[1]):
            yield from self.exchange

    def turns(self, node: Basic) -> Iterator[Rule]:
        """Rules that lead elsewhere."""
        yield from (rule for rule in self.definitions if node == rule.symbol)
        yield from elsewhere(node)
        if isinstance(node, Vec) and isinstance(node.matrix, MatMul):
            yield from (ToOperator(factor) for factor in node.matrix.args if isinstance(factor, MatrixSymbol))
        if isinstance(node, ApplyBilinear):
            yield from self.symmetrise
            yield from self.exchange
        if isinstance(node, MatMul | Trace | ApplyBilinear):
            yield from (rule for rule in self.laws if rule.law.startswith("antisymmetric") and node.has(rule.tensor))

    def all(self, node: Basic) -> Iterator[Rule]:
        """All rules that are worth trying at a node."""
        yield from self.tidy(node)
        yield from self.turns(node)


def has_sum(node: Basic) -> bool:
    """Whether Distribute has something to do."""
    args = (node.args[number] for number in linear_arguments(node))
    return any(is_sum(arg) or isinstance(arg, MatrixSum | IndexSum) or coefficient_of(arg)[0] != 1 for arg in args)


@singledispatch
def simpler(node: Basic) -> Iterator[Rule]:
    """Rules for all tensors that make a node simpler."""
    return iter(())


@simpler.register
def simpler_product(node: MatMul) -> Iterator[Rule]:
    """Products of matrices."""
    yield from (FuseIdentity(), PullScalars(), MixedProduct(), CancelInverse())
    if any(isinstance(factor, BlockMatrix) for factor in node.args):
        yield BlockProduct()


@simpler.register
def simpler_transpose(node: Transpose) -> Iterator[Rule]:
    """Transposes."""
    yield TransposeProduct()
    yield PullScalars()


@simpler.register(MatPow)
@simpler.register(HadamardPower)
def simpler_power(node: Basic) -> Iterator[Rule]:
    """Powers of matrices."""
    yield WritePower()


@simpler.register
def simpler_scalar_power(node: Pow) -> Iterator[Rule]:
    """Powers of scalars."""
    yield ExpandPower()


@simpler.register
def simpler_kronecker(node: KroneckerProduct) -> Iterator[Rule]:
    """Kronecker products."""
    yield PullScalars()
    yield KroneckerNumbers()


@simpler.register
def simpler_elementwise(node: HadamardProduct) -> Iterator[Rule]:
    """Elementwise products."""
    yield PullScalars()
    if all(isinstance(factor, BlockMatrix) for factor in node.args):
        yield BlockHadamard()


@simpler.register(Trace)
@simpler.register(Vec)
@simpler.register(ApplyBilinear)
@simpler.register(MatrixSum)
def simpler_linear(node: Basic) -> Iterator[Rule]:
    """Other linear operations."""
    yield PullScalars()
    if isinstance(node, Trace) and isinstance(node.arg, MatMul) and any(isinstance(factor, MatPow) for factor in node.arg.args):
        yield CancelInverse()


@simpler.register
def simpler_contraction(node: Contracted) -> Iterator[Rule]:
    """Contractions by index lists."""
    yield AsProducts()


@simpler.register(MatrixElement)
@simpler.register(ArrayElement)
def simpler_entry(node: Basic) -> Iterator[Rule]:
    """Entries of contractions."""
    array = node.parent if isinstance(node, MatrixElement) else node.name
    if isinstance(array, Contracted):
        taken = {symbol.name for symbol in node.atoms(Symbol)}
        symbols = []
        for _ in array.summed:
            symbols.append(fresh_symbol(Symbol("i", integer=True, nonnegative=True), taken))
            taken.add(symbols[-1].name)
        yield EntryOfContraction(tuple(symbols))


@singledispatch
def elsewhere(node: Basic) -> Iterator[Rule]:
    """Rules for all tensors that lead elsewhere."""
    return iter(())


@elsewhere.register
def elsewhere_product(node: MatMul) -> Iterator[Rule]:
    """1 x 1 matrices in a product; elementwise products of columns as diagonal matrices."""
    _, factors = split_scalars(node)
    if isinstance(factors[-1], HadamardProduct):
        yield DiagonalForm()
    runs = numbers_in(factors)
    yield from (TransposeForm(start, stop) for start, stop in runs)
    if 2 <= len(runs) <= 6:
        for k in range(len(runs) - 1):
            yield ReorderForms((*range(k), k + 1, k, *range(k + 2, len(runs))))


@elsewhere.register
def elsewhere_elementwise(node: HadamardProduct) -> Iterator[Rule]:
    """Columns."""
    if node.cols == 1:
        yield AsDiagonal()


@elsewhere.register
def elsewhere_trace(node: Trace) -> Iterator[Rule]:
    """Traces."""
    yield TransposeTrace()
    taken = {symbol.name for symbol in node.atoms(Symbol)}
    yield TraceAsSum(fresh_symbol(Symbol("i", integer=True, nonnegative=True), taken))


@elsewhere.register(MatrixSum)
@elsewhere.register(IndexSum)
def elsewhere_sum(node: Basic) -> Iterator[Rule]:
    """Small finite sums."""
    if node.is_finite_sum():
        count = 1
        for _, low, high in node.limits:
            count *= int(high - low) + 1
        if count <= MAX_SUMMANDS:
            yield WriteOut()
