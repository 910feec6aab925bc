r"""The LaTeX of an expression for a line of a derivation: brackets of fixed size, places where it may be broken, marks, other names."""

import re
from collections.abc import Callable, Mapping, Sequence

from sympy import (
    Add,
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    Integer,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Rational,
    S,
    Symbol,
    Trace,
    Transpose,
    Tuple,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.diagonal import DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array.expressions import ArrayAdd, ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.derivation.pieces import is_sum
from symbolic_circuits.report.derivations import ranges
from symbolic_circuits.report.derivations.brackets import apart, strength, wrapped
from symbolic_circuits.report.derivations.filling import BREAK, OFF, ON, signed, without_inner_breaks
from symbolic_circuits.report.derivations.marks import Marks
from symbolic_circuits.report.derivations.names import greek, inert, latex_tensor
from symbolic_circuits.report.entries import in_entries
from symbolic_circuits.report.field_latex import SYMBOL, FieldLatexPrinter, escape
from symbolic_circuits.report.plain import KRONECKER
from symbolic_circuits.report.shared_printing import short_first
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["PaperPrinter", "summands_of"]


def summands_of(expr: Basic) -> list[Basic]:
    """The summands of a line in the order in which they are written, short ones first."""
    return short_first(expr.args) if is_sum(expr) else [expr]


class PaperPrinter(FieldLatexPrinter):
    """Prints summands; :meth:`summand` is the text of one, with BREAK where it may be broken.

    Parameters
    ----------
    rename : names of tensors, sizes and indices -> LaTeX
    marks : nodes that are marked
    dense : whether sums are small, the symbols beside them
    operator : LaTeX of the name of an operator, ``\\operatorname`` by default
    brief : whether a column of ones is written without its size
    """

    printmethod = "_paper"

    def __init__(
        self,
        rename: Mapping[str, str],
        marks: Marks | None = None,
        operator: Callable[[str], str] | None = None,
        dense: bool = False,
        brief: bool = False,
    ) -> None:
        super().__init__()
        self.brief = brief
        self.rename, self.marks, self.dense = rename, marks or Marks(), dense
        self.operator = operator or (lambda name: rf"\operatorname{{{name}}}")

    def summand(self, expr: Basic) -> str:
        """One summand of a line."""
        return without_inner_breaks(self._print(expr))

    def whole(self, expr: Basic) -> str:
        """An expression on one line."""
        return re.sub(f"[{BREAK}{ON}{OFF}]", "", self._print(expr))

    def _print(self, expr: Basic, **settings: object) -> str:
        own = any(f"_print_{cls.__name__}" in vars(PaperPrinter) for cls in type(expr).__mro__[:2])
        text = expr._latex(self) if hasattr(expr, "_latex") and not own else super()._print(expr, **settings)
        return f"{ON}{text}{OFF}" if expr in self.marks else text

    def bracket(self, expr: Expr, level: int) -> str:
        text = self._print(expr)
        return wrapped(text) if strength(expr) < level else text

    def parenthesize(self, item: Expr, level: int, is_neg: bool = False, strict: bool = False) -> str:
        own = strength(item)
        text = self._print(item)
        return wrapped(text) if own < level or (not strict and own == level) else text

    def signed_sum(self, args: Sequence[Expr]) -> str:
        """Summands with their signs."""
        texts = [self.bracket(arg, PRECEDENCE["Add"]) for arg in short_first(args)]
        return f" {BREAK}".join(signed(text, number == 0) for number, text in enumerate(texts))

    def _print_MatAdd(self, expr: MatAdd) -> str:
        return self.signed_sum(expr.args)

    def _print_ArrayAdd(self, expr: ArrayAdd) -> str:
        return self.signed_sum(expr.args)

    def _print_Add(self, expr: Add, order: object = None) -> str:
        return self.signed_sum(expr.args)

    def _print_MatMul(self, expr: MatMul) -> str:
        sign, factors = without_sign(expr)
        multiple = all(arg.is_number for arg in factors[:-1])
        texts = [self.factor(arg, multiple and number == len(factors) - 1) for number, arg in enumerate(factors)]
        return sign + rf" \, {BREAK}".join(apart(texts))

    def factor(self, expr: Expr, after_number: bool) -> str:
        """A factor of a product; a small fraction stays small, and a sum after a number needs no brackets."""
        if isinstance(expr, Rational) and not isinstance(expr, Integer):
            return rf"{'-' if expr.p < 0 else ''}\tfrac{{{abs(expr.p)}}}{{{expr.q}}}"
        return self._print(expr) if after_number and isinstance(expr, MatrixSum) else self.bracket(expr, PRECEDENCE["Mul"])

    def _print_Mul(self, expr: Mul) -> str:
        if all(isinstance(arg, Symbol) for arg in expr.args):
            return " ".join(map(self._print, expr.args))
        coefficient, rest = expr.args[0], expr.args[1:]
        if not isinstance(coefficient, Rational) or not any(isinstance(arg, Basic) and has_tensor(arg) for arg in rest):
            coefficient, rest = S.One, expr.args
        if any(arg.is_Pow and arg.exp.is_negative for arg in rest) or not any(map(has_tensor, rest)):
            return super()._print_Mul(expr)
        sign, number = "-" if coefficient.is_negative else "", abs(coefficient)
        ordered = sorted(rest, key=lambda arg: isinstance(arg, IndexSum))
        texts = [self.bracket(arg, PRECEDENCE["Mul"]) for arg in ordered]
        if number == 1:
            return sign + f" {BREAK}".join(apart(texts))
        first, second, *others = apart([self.factor(number, False), *texts])
        return sign + f" {BREAK}".join([f"{first} {second}", *others])

    def _print_KroneckerProduct(self, expr: KroneckerProduct) -> str:
        return rf" {BREAK}\otimes ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_HadamardProduct(self, expr: HadamardProduct, *_: object) -> str:
        return rf" {BREAK}\odot ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_MatrixSum(self, expr: MatrixSum) -> str:
        signs = " ".join(self.summation(limits, expr.body) for limits in ranges.signs(expr))
        sign = rf"{{\textstyle{signs}}}" if self.dense else signs
        return f"{sign} {self.bracket(expr.body, KRONECKER)}"

    _print_IndexSum = _print_MatrixSum

    def summation(self, limits: Sequence[Tuple], body: Expr) -> str:
        """A sign of summation, with ends where the body does not show them."""
        symbols = ", ".join(self._print(symbol) for symbol, _, _ in limits)
        _, low, high = limits[0]
        if ranges.is_evident(body, limits[0]):
            return rf"\sum_{{{symbols}}}"
        return rf"\sum_{{{symbols}={self.end(low)}}}^{{{self.end(high)}}}"

    def end(self, expr: Expr) -> str:
        """An end of a sum, H - 1 in this order."""
        if not isinstance(expr, Add):
            return self._print(expr)
        return self.signed_sum(sorted(expr.args, key=lambda arg: arg.is_Number))

    def _print_ApplyBilinear(self, expr: ApplyBilinear) -> str:
        tensor, x, y = map(self._print, expr.args)
        return tensor + wrapped(rf"{x}, \, {BREAK}{y}")

    def _print_TensorDot(self, expr: TensorDot) -> str:
        left, j, right, k = expr.args
        first = self.parenthesize(left, PRECEDENCE["Mul"], strict=isinstance(left, TensorDot))
        return rf"{first} {BREAK}\cdot_{{{j}{k}}} {self.parenthesize(right, PRECEDENCE['Mul'])}"

    def _print_Vec(self, expr: Vec) -> str:
        inner = self._print(expr.matrix)
        space = " " if self.operator("vec").startswith(r"\operatorname") else r" \, "
        return f"{self.operator('vec')}{space}{inner}" if is_leaf(expr.matrix) else self.operator("vec") + wrapped(inner)

    def _print_Trace(self, expr: Trace) -> str:
        return self.operator("tr") + wrapped(self._print(expr.arg))

    def _print_DiagMatrix(self, expr: DiagMatrix) -> str:
        return self.operator("diag") + wrapped(self._print(expr.args[0]))

    def _print_DiagonalOf(self, expr: DiagonalOf) -> str:
        return self.operator("diagonal") + wrapped(self._print(expr.args[0]))

    def _print_OneMatrix(self, expr: OneMatrix) -> str:
        if self.brief and 1 in expr.shape:
            return r"\mathbf{1}" if expr.cols == 1 else r"\mathbf{1}^{\top}"
        rows, cols = map(self._print, expr.shape)
        return rf"\mathbf{{1}}_{{{rows} \times {cols}}}"

    def _print_RowFunction(self, expr: RowFunction) -> str:
        return self.operator(escape(inert(expr.name))) + wrapped(self._print(expr.matrix))

    def _print_TensorContraction(self, expr: Contracted) -> str:
        found = in_entries(expr)
        if found is None:
            return expr._latex(self)
        value, indices = found
        return f"{wrapped(self._print(value))}_{{{' '.join(map(self._print, indices))}}}" if indices else self._print(value)

    _print_MatrixContraction = _print_ScalarContraction = _print_TensorContraction

    def scripted(self, base: Expr, script: str) -> str:
        """A superscript on an operand, in brackets where it has one already."""
        text = self._print(base)
        bare = is_leaf(base) and not isinstance(base, FamilyMember) and "^" not in text
        return f"{text if bare else wrapped(text)}^{{{script}}}"

    def _print_Transpose(self, expr: Transpose) -> str:
        return self.scripted(expr.arg, r"\top")

    def _print_Inverse(self, expr: Inverse) -> str:
        return self.scripted(expr.arg, "-1")

    def _print_MatPow(self, expr: MatPow) -> str:
        return self.scripted(expr.base, self._print(expr.exp))

    def _print_HadamardPower(self, expr: HadamardPower) -> str:
        return self.scripted(expr.args[0], rf"\circ {self._print(expr.args[1])}")

    def below(self, parent: Expr, indices: Sequence[Expr]) -> str:
        """Indices of an entry."""
        text = self.bracket(parent, PRECEDENCE["Atom"])
        script = " ".join(map(self._print, indices))
        bare = is_leaf(parent) and "_" not in text.split("^")[0] and not self.is_renamed(parent)
        return f"{text if bare or text.endswith(')') else f'({text})'}_{{{script}}}"

    def is_renamed(self, leaf: Expr) -> bool:
        """Whether a leaf may be anything, a macro with scripts, say."""
        return latex_tensor(name_of(leaf), [], {}) != latex_tensor(name_of(leaf), [], self.rename) and len(self._print(leaf)) > 1

    def _print_MatrixElement(self, expr: MatrixElement) -> str:
        return self.below(expr.parent, (expr.i, expr.j))

    def _print_Row(self, expr: Row) -> str:
        return self.below(*expr.args[:1], expr.args[1:])

    def _print_ArrayElement(self, expr: ArrayElement) -> str:
        return self.below(expr.name, expr.indices)

    def _print_Symbol(self, expr: Symbol, style: str = "plain") -> str:
        if expr.name in self.rename:
            return self.rename[expr.name]
        if SYMBOL.match(expr.name) is None:
            return rf"\text{{{escape(inert(expr.name))}}}"
        return greek(super()._print_Symbol(expr))

    _print_Dummy = _print_Symbol

    def _print_MatrixSymbol(self, expr: MatrixSymbol) -> str:
        return latex_tensor(expr.name, [], self.rename)

    def _print_ArraySymbol(self, expr: ArraySymbol) -> str:
        return latex_tensor(str(expr.name), [], self.rename)

    def _print_MatrixFamily(self, expr: MatrixFamily) -> str:
        return latex_tensor(expr.name, [], self.rename)

    def _print_FamilyMember(self, expr: FamilyMember) -> str:
        name, head = expr.family.name, self._print(expr.head)
        if isinstance(expr.head, Symbol) and name not in self.rename:
            name = name.partition("^")[0]
        return latex_tensor(name, [head], self.rename)


def without_sign(product: MatMul) -> tuple[str, tuple[Expr, ...]]:
    """A minus sign where there is one, and the factors without it."""
    first, *rest = product.args
    if not (first.is_Number and first.is_negative):
        return "", product.args
    return "-", tuple(rest) if first == S.NegativeOne else (-first, *rest)


def is_leaf(expr: Basic) -> bool:
    """Whether an expression is a named thing."""
    return isinstance(expr, MatrixSymbol | ArraySymbol | MatrixFamily | FamilyMember)


def name_of(leaf: Basic) -> str:
    """The name of a tensor, of a member of a family its family's."""
    return leaf.family.name if isinstance(leaf, FamilyMember) else str(leaf.name)


def has_tensor(expr: Basic) -> bool:
    """Whether a scalar or array is made of entries, vectors or sums of them."""
    return expr.has(MatrixElement, ArrayElement, Row, IndexSum, ArraySymbol, MatrixSymbol)
