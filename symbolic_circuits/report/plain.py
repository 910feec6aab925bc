r"""Expressions as a line of plain text, short summands first: ``Id (x) W_U W_E + sum_h A^h (x) W_OV^h``."""

import re

from sympy import (
    Add,
    Expr,
    HadamardProduct,
    Identity,
    Integer,
    KroneckerProduct,
    MatAdd,
    MatMul,
    Mul,
    Symbol,
    Transpose,
)
from sympy.printing.precedence import PRECEDENCE, precedence_traditional
from sympy.printing.str import StrPrinter

from symbolic_circuits.report.shared_printing import SharedPrinter, short_first
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["PlainPrinter", "binding", "to_plain"]

SINGLE_STAR = re.compile(r"(?<!\*)\*(?!\*)")  # of a product, not of a power
KRONECKER = PRECEDENCE["Add"] + 1  # looser than a product, so that A (x) W V reads A (x) (W V)


class PlainPrinter(SharedPrinter, StrPrinter):
    """SymPy's text printer in the notation of the field; factors keep their order, short matrix summands come first."""

    printmethod = "_plain"

    def bracket(self, expr: Expr, level: int, strict: bool = True) -> str:
        """The text of an operand, in brackets where it binds less than ``level``."""
        own = binding(expr)
        text = self._print(expr)
        return f"({text})" if own < level or (not strict and own == level) else text

    def _print_Identity(self, expr: Identity) -> str:
        return "Id"

    def _print_MatAdd(self, expr: MatAdd) -> str:
        return " + ".join(self.bracket(arg, PRECEDENCE["Add"]) for arg in short_first(expr.args))

    def _print_Add(self, expr: Add, order: object = None) -> str:
        return (
            super()._print_Add(expr, order) if not any(isinstance(a, IndexSum) for a in expr.args) else self._print_MatAdd(expr)
        )

    def _print_MatMul(self, expr: MatMul) -> str:
        *others, last = expr.args
        texts = [self.bracket(arg, PRECEDENCE["Mul"]) for arg in others]
        bare = isinstance(last, MatrixSum) and all(arg.is_number for arg in others)
        return " ".join([*texts, self._print(last) if bare else self.bracket(last, PRECEDENCE["Mul"])])

    def _print_Mul(self, expr: Mul) -> str:
        return SINGLE_STAR.sub(" ", super()._print_Mul(expr))

    def _print_KroneckerProduct(self, expr: KroneckerProduct) -> str:
        return " (x) ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_HadamardProduct(self, expr: HadamardProduct) -> str:
        return " . ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_Transpose(self, expr: Transpose) -> str:
        inner = self.bracket(expr.arg, PRECEDENCE["Atom"])
        return f"({inner})^T" if "^" in inner and inner[0] != "(" else f"{inner}^T"

    def _print_FamilyMember(self, expr: FamilyMember) -> str:
        if isinstance(expr.head, Integer):
            letter, _, label = expr.family.name.partition("^")
            return f"{letter}^{{{label},{expr.head}}}" if label else f"{letter}^{expr.head}"
        base = expr.family.name.split("^")[0] if isinstance(expr.head, Symbol) else expr.family.name
        return f"{base}^{self._print(expr.head)}"

    def _print_MatrixSum(self, expr: MatrixSum) -> str:
        symbols = ",".join(self._print(s) for s in expr.bound_symbols)
        below = symbols if len(expr.bound_symbols) == 1 else f"{{{symbols}}}"
        return f"sum_{below} {self.bracket(expr.body, PRECEDENCE['Add'] + 1)}"

    _print_IndexSum = _print_MatrixSum

    def _print_Vec(self, expr: Expr) -> str:
        return f"vec({self._print(expr.matrix)})"

    def _print_ApplyBilinear(self, expr: ApplyBilinear) -> str:
        return f"{self._print(expr.args[0])}({', '.join(self._print(arg) for arg in expr.args[1:])})"

    def _print_TensorDot(self, expr: Expr) -> str:
        return expr._sympystr(self)

    def _print_DiagMatrix(self, expr: Expr) -> str:
        return f"diag({self._print(expr.args[0])})"

    def _print_Row(self, expr: Expr) -> str:
        if isinstance(expr.args[0], Transpose) and expr.args[0].rows == 1 and expr.args[1] == 0:
            return self._print(expr.args[0].arg)  # a column as a vector
        return f"{self.bracket(expr.args[0], PRECEDENCE['Atom'])}_{self._print(expr.args[1])}"

    def _print_MatrixElement(self, expr: Expr) -> str:
        return f"{self.bracket(expr.parent, PRECEDENCE['Atom'])}[{self._print(expr.i)},{self._print(expr.j)}]"

    def _print_ArrayElement(self, expr: Expr) -> str:
        return f"{self._print(expr.name)}[{','.join(self._print(i) for i in expr.indices)}]"

    def _print_Sum(self, expr: Expr) -> str:
        return (
            f"sum_{{{','.join(self._print(limit[0]) for limit in expr.limits)}}} {self.bracket(expr.function, PRECEDENCE['Mul'])}"
        )


def binding(expr: Expr) -> int:
    """How tightly the outermost operation binds; a Kronecker or elementwise product less than a product."""
    if isinstance(expr, KroneckerProduct | HadamardProduct):
        return KRONECKER
    if isinstance(expr, MatMul):  # as SymPy has it, which multiplies by -1 to find out
        return PRECEDENCE["Add" if expr.args[0].is_Number and expr.args[0].is_negative else "Mul"]
    return precedence_traditional(expr)


def to_plain(expr: Expr) -> str:
    """One line of plain text.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(to_plain(sc.path_expansion("attn(H)").closed_form()))
    Id (x) W_U W_E + sum_h A^h (x) W_U W_OV^h W_E
    """
    return PlainPrinter().doprint(expr)
