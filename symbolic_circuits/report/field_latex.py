r"""SymPy's LaTeX printer in the notation of the field: :math:`\mathrm{Id} \otimes W_U W_E`, \odot, ^\top; short matrix summands first."""

import re

from sympy import (
    DiagMatrix,
    Expr,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Pow,
    Sum,
    Symbol,
    Transpose,
)
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.errors import NotationError
from symbolic_circuits.report.plain import binding
from symbolic_circuits.report.shared_printing import SharedPrinter, short_first
from symbolic_circuits.syntax.arrays import TensorDot
from symbolic_circuits.syntax.names import latex_name
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["FieldLatexPrinter", "escape"]

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {c: f"\\{c}" for c in "&%$#_{}"}
SYMBOL = re.compile(r"([A-Za-z]+)([0-9]*)(?:_([A-Za-z0-9]+))?\Z")


def escape(text: str) -> str:
    """Plain text made safe for LaTeX.

    >>> print(escape("50% of A_1"))
    50\\% of A\\_1
    """
    return "".join(SPECIAL.get(character, character) for character in text)


class FieldLatexPrinter(SharedPrinter, LatexPrinter):
    r"""SymPy's LaTeX printer with ``\mathrm{Id}``, ``\otimes``, ``\odot``, ``^\top``; short matrix summands come first."""

    def bracket(self, expr: Expr, level: int) -> str:
        """The LaTeX of an operand, in brackets where it binds less than ``level``."""
        text = self._print(expr)
        return rf"\left({text}\right)" if binding(expr) < level else text

    def _print_Identity(self, expr: Identity) -> str:
        return r"\mathrm{Id}"

    def _print_Symbol(self, expr: Symbol, style: str = "plain") -> str:
        match = SYMBOL.match(expr.name)
        if match is None:
            return rf"\mathrm{{{escape(expr.name)}}}"
        letters, digits, below = match.groups()
        base = letters if len(letters) == 1 else r"\alpha" if letters == "alpha" else rf"\mathrm{{{letters}}}"
        subscript = ",".join(part for part in (digits, below) if part)
        return f"{base}_{{{subscript}}}" if subscript else base

    _print_Dummy = _print_Symbol

    def _print_MatrixSymbol(self, expr: MatrixSymbol) -> str:
        return named(expr.name)

    def _print_ArraySymbol(self, expr: ArraySymbol) -> str:
        return named(str(expr.name))

    def _print_MatAdd(self, expr: MatAdd) -> str:
        return " + ".join(self.bracket(arg, PRECEDENCE["Add"]) for arg in short_first(expr.args))

    def _print_MatMul(self, expr: MatMul) -> str:
        *others, last = expr.args
        texts = [self.bracket(arg, PRECEDENCE["Mul"]) for arg in others]
        bare = isinstance(last, MatrixSum) and all(arg.is_number for arg in others)
        return r" \, ".join([*texts, self._print(last) if bare else self.bracket(last, PRECEDENCE["Mul"])])

    def _print_KroneckerProduct(self, expr: KroneckerProduct) -> str:
        return r" \otimes ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_HadamardProduct(self, expr: HadamardProduct, *_: object) -> str:
        return r" \odot ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_DiagMatrix(self, expr: DiagMatrix) -> str:
        return rf"\operatorname{{diag}}({self._print(expr.args[0])})"

    def _print_OneMatrix(self, expr: OneMatrix) -> str:
        return r"\mathbf{1}"

    def _print_Transpose(self, expr: Transpose) -> str:
        inner = self._print(expr.arg)
        bare = isinstance(expr.arg, MatrixSymbol) and "^" not in expr.arg.name
        return rf"{inner}^{{\top}}" if bare else rf"({inner})^{{\top}}"

    def _print_MatrixElement(self, expr: MatrixElement) -> str:
        is_column = expr.parent.cols == 1 and expr.j == 0
        parent, indices = self.bracket(expr.parent, PRECEDENCE["Atom"]), " ".join(map(self._print, expr.indices[: 2 - is_column]))
        return rf"({parent})_{{{indices}}}" if "_" in parent and not parent.startswith(r"\left") else f"{parent}_{{{indices}}}"

    def _print_Pow(self, expr: Pow) -> str:
        """No two superscripts on one letter."""
        base = self._print(expr.base) if isinstance(expr.base, MatrixElement) and expr.exp.is_Integer and expr.exp > 1 else ""
        return rf"({base})^{{{expr.exp}}}" if "^" in base else super()._print_Pow(expr)

    def _needs_mul_brackets(self, expr: Expr, first: bool = False, last: bool = False) -> bool:
        """Inner products stand in brackets beside others, but for a vector at the end."""
        return (isinstance(expr, TensorDot) and (not expr.shape or not last)) or super()._needs_mul_brackets(expr, first, last)

    def _print_ArrayElement(self, expr: ArrayElement) -> str:
        return rf"{self._print(expr.name)}_{{{' '.join(self._print(i) for i in expr.indices)}}}"

    def _print_Sum(self, expr: Sum) -> str:
        symbols = ", ".join(self._print(limit[0]) for limit in expr.limits)
        return rf"\sum_{{{symbols}}} {self.bracket(expr.function, PRECEDENCE['Mul'])}"


def named(name: str) -> str:
    """A tensor name as LaTeX; names from elsewhere are escaped."""
    try:
        return latex_name(name)
    except NotationError:
        return rf"\mathrm{{{escape(name)}}}"
