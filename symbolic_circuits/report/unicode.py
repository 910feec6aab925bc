r"""Expressions as plain text with the signs of the field: ``Id ⊗ W_U W_E + Σ_h A^h ⊗ W_U W_OV^h W_E``, ``X₁ W_Uᵀ``, ``x ·₁₂ B ·₂₁ x``."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from sympy import (
    Add,
    BlockMatrix,
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    Mul,
    OneMatrix,
    Pow,
    S,
    Symbol,
    Trace,
    Transpose,
    Tuple,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.diagonal import DiagonalOf
from sympy.matrices.matrixbase import MatrixBase
from sympy.printing.precedence import PRECEDENCE
from sympy.printing.str import StrPrinter
from sympy.tensor.array.expressions import ArrayAdd

from symbolic_circuits.report.derivations.ranges import is_evident, signs
from symbolic_circuits.report.entries import in_entries
from symbolic_circuits.report.plain import PlainPrinter, binding
from symbolic_circuits.report.shared_printing import short_first
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["UnicodePrinter", "to_unicode"]

BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ABOVE = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
NAME = re.compile(r"([A-Za-z]+)((?:_[A-Za-z0-9]+)*)(?:\^([A-Za-z0-9]+))?\Z")


class UnicodePrinter(PlainPrinter):
    """The plain text printer with ⊗, ⊙, Σ, ᵀ and small digits; ``break_mark`` stands where a line may be broken.

    With ``brief`` a column of ones is written without its size.
    """

    def __init__(self, rename: Mapping[str, str] | None = None, break_mark: str = "", *, brief: bool = False) -> None:
        super().__init__()
        self.brief = brief
        self.rename, self.break_mark = rename or {}, break_mark

    def named(self, name: str, heads: Sequence[str] = ()) -> str:
        """A tensor, size or index, or a member of a family."""
        base, _, label = name.partition("^")
        given, labels = (self.rename.get(name), heads) if name in self.rename else (self.rename.get(base), [label, *heads])
        if given is not None:
            return given.replace("#1", ",".join(labels)) if "#1" in given else given + above(labels)
        found = NAME.match(name)
        if found is None:
            shown = "".join(c if c.isprintable() and not c.isspace() else f"<U+{ord(c):04X}>" for c in name)
            return shown + above(heads)
        letters, subscripts, label = found.groups()
        below = "".join(part.translate(BELOW) if part.isdigit() else f"_{part}" for part in subscripts.split("_")[1:])
        return letters + below + above([*([label] if label else []), *heads])

    def signed_sum(self, args: Sequence[Expr]) -> str:
        """Summands with their signs, short ones first."""
        texts = [self.bracket(arg, PRECEDENCE["Add"]) for arg in short_first(args)]
        rest = (f"- {text[1:].lstrip()}" if text.startswith("-") else f"+ {text}" for text in texts[1:])
        return f" {self.break_mark}".join([texts[0], *rest])

    def _print_MatAdd(self, expr: MatAdd) -> str:
        return self.signed_sum(expr.args)

    def _print_Add(self, expr: Add, order: object = None) -> str:
        return self.signed_sum(expr.args)

    def _print_ArrayAdd(self, expr: ArrayAdd) -> str:
        return self.signed_sum(expr.args)

    def _print_MatMul(self, expr: MatMul) -> str:
        first, *rest = expr.args
        sign, factors = "", expr.args
        if first.is_Number and first.is_negative:
            sign, factors = "-", rest if first == S.NegativeOne else (-first, *rest)
        *others, last = factors
        texts = [self.bracket(arg, PRECEDENCE["Mul"]) for arg in others]
        bare = isinstance(last, MatrixSum) and all(arg.is_number for arg in others)
        texts.append(self._print(last) if bare else self.bracket(last, PRECEDENCE["Mul"]))
        return sign + f" {self.break_mark}".join(apart(texts))

    def _print_Mul(self, expr: Mul) -> str:
        """Broken at the spaces between its factors."""
        text, depth, out = StrPrinter._print_Mul(self, expr).replace("**", "^"), 0, []
        text = re.sub(r"(?<=[0-9])\*(?=[0-9])", " · ", text).replace("*", " ")
        for character in text:
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(character, 0)
            out.append(f" {self.break_mark}" if character == " " and depth == 0 else character)
        return "".join(out)

    def _print_Pow(self, expr: Pow, rational: bool = False) -> str:
        if not (expr.exp.is_Integer and expr.exp.is_positive):
            return super()._print_Pow(expr, rational).replace("**", "^")
        inner = self.bracket(expr.base, PRECEDENCE["Func"])
        return (f"({inner})" if has_power(inner) else inner) + above([str(expr.exp)])

    def _print_KroneckerProduct(self, expr: KroneckerProduct) -> str:
        return f" {self.break_mark}⊗ ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_HadamardProduct(self, expr: HadamardProduct) -> str:
        return f" {self.break_mark}⊙ ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def powered(self, base: Expr, power: str) -> str:
        """An operand with a superscript, in brackets where it has one already."""
        inner = self.bracket(base, PRECEDENCE["Atom"])
        return f"({inner}){power}" if binding(base) >= PRECEDENCE["Atom"] and has_power(inner) else f"{inner}{power}"

    def _print_Transpose(self, expr: Transpose) -> str:
        return self.powered(expr.arg, "ᵀ")

    def _print_MatPow(self, expr: MatPow) -> str:
        return self.powered(expr.base, above([self._print(expr.exp)]))

    def _print_Inverse(self, expr: MatPow) -> str:
        return self.powered(expr.args[0], "⁻¹")

    def _print_HadamardPower(self, expr: HadamardPower) -> str:
        return self.powered(expr.args[0], f"^∘{self._print(expr.args[1])}")

    def _print_Symbol(self, expr: Symbol) -> str:
        return self.named(expr.name)

    _print_Dummy = _print_Symbol

    def _print_MatrixSymbol(self, expr: Basic) -> str:
        return self.named(expr.name)

    def _print_ArraySymbol(self, expr: Basic) -> str:
        return self.named(str(expr.name))

    _print_MatrixFamily = _print_MatrixSymbol

    def _print_FamilyMember(self, expr: FamilyMember) -> str:
        name = expr.family.name
        if isinstance(expr.head, Symbol) and name not in self.rename:
            name = name.partition("^")[0]
        return self.named(name, [self._print(expr.head)])

    def _print_MatrixSum(self, expr: MatrixSum) -> str:
        shown = " ".join(self.summation(limits, expr.body) for limits in signs(expr))
        return f"{shown} {self.bracket(expr.body, PRECEDENCE['Add'] + 1)}"

    _print_IndexSum = _print_MatrixSum

    def summation(self, limits: Sequence[Tuple], body: Expr) -> str:
        """A sign of summation, with ends where the body does not show them."""
        symbols = ",".join(self._print(symbol) for symbol, _, _ in limits)
        _, low, high = limits[0]
        if not is_evident(body, limits[0]):
            return f"Σ_{{{symbols}={self.end(low)}..{self.end(high)}}}"
        return f"Σ_{symbols}" if len(limits) == 1 else f"Σ_{{{symbols}}}"

    def end(self, expr: Expr) -> str:
        """An end of a sum, H - 1 in this order."""
        if not isinstance(expr, Add):
            return self._print(expr)
        return self.signed_sum(sorted(expr.args, key=lambda arg: arg.is_Number)).replace(self.break_mark, "")

    def _print_ApplyBilinear(self, expr: ApplyBilinear) -> str:
        tensor, x, y = map(self._print, expr.args)
        return f"{tensor}({x}, {self.break_mark}{y})"

    def _print_TensorDot(self, expr: TensorDot) -> str:
        left, j, right, k = expr.args
        bare = isinstance(left, TensorDot) or binding(left) > PRECEDENCE["Mul"]
        operands = self._print(left) if bare else f"({self._print(left)})", self.bracket(right, PRECEDENCE["Mul"], strict=False)
        return f"{operands[0]} {self.break_mark}·{str(j).translate(BELOW)}{str(k).translate(BELOW)} {operands[1]}"

    def _print_Row(self, expr: Row) -> str:
        if isinstance(expr.args[0], Transpose) and expr.args[0].rows == 1 and expr.args[1] == 0:
            return self._print(expr.args[0].arg)  # a column as a vector
        inner = self.bracket(expr.args[0], PRECEDENCE["Atom"])
        bare = not re.search(r"[_^₀-₉⁰-⁹]", inner) or inner.endswith(")")
        return f"{inner}_{self._print(expr.args[1])}" if bare else f"({inner})_{self._print(expr.args[1])}"

    def _print_TensorContraction(self, expr: Contracted) -> str:
        found = in_entries(expr)
        if found is None:
            return expr._sympystr(self)
        value, indices = found
        return f"({self._print(value)})[{','.join(map(self._print, indices))}]" if indices else self._print(value)

    _print_MatrixContraction = _print_ScalarContraction = _print_TensorContraction

    def _print_Trace(self, expr: Trace) -> str:
        return f"tr({self._print(expr.arg)})"

    def _print_RowFunction(self, expr: RowFunction) -> str:
        return f"{expr.name}({self._print(expr.matrix)})"

    def _print_DiagMatrix(self, expr: DiagMatrix) -> str:
        return f"diag({self._print(expr.args[0])})"

    def _print_DiagonalOf(self, expr: DiagonalOf) -> str:
        return f"diagonal({self._print(expr.args[0])})"

    def _print_OneMatrix(self, expr: OneMatrix) -> str:
        if self.brief and 1 in expr.shape:
            return "𝟏" if expr.cols == 1 else "𝟏ᵀ"
        rows, cols = map(self._print, expr.shape)
        return f"𝟏_{{{rows}×{cols}}}"

    def _print_MatrixBase(self, expr: MatrixBase) -> str:
        return "[" + ", ".join(f"[{', '.join(map(self._print, row))}]" for row in expr.tolist()) + "]"

    _print_ImmutableDenseMatrix = _print_ImmutableMatrix = _print_DenseMatrix = _print_MatrixBase

    def _print_BlockMatrix(self, expr: BlockMatrix) -> str:
        return self._print(expr.blocks)

    _print_BlockDiagMatrix = _print_BlockMatrix


def apart(texts: Sequence[str]) -> list[str]:
    """Factors side by side, brackets around one that starts with a sign, or with a number after another one."""
    clash = [(a[-1:].isdecimal() and b[:1].isdecimal()) or b.startswith("-") for a, b in pairwise(texts)]
    return [texts[0], *(f"({text})" if is_second else text for text, is_second in zip(texts[1:], clash, strict=True))]


def has_power(text: str) -> bool:
    """Whether a text has a superscript."""
    return re.search(r"[\^⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ]", text) is not None


def above(labels: Sequence[str]) -> str:
    """A superscript: small digits, otherwise ^h or ^{0,h}."""
    if not labels:
        return ""
    text = ",".join(labels)
    if re.fullmatch(r"-?[0-9]+", text):
        return text.translate(ABOVE)
    return f"^{text}" if re.fullmatch(r"[A-Za-z][₀-₉]*", text) else f"^{{{text}}}"


def to_unicode(expr: Expr) -> str:
    """One line of text.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(to_unicode(sc.path_expansion("attn(H)").closed_form()))
    Id ⊗ W_U W_E + Σ_h A^h ⊗ W_U W_OV^h W_E
    """
    return UnicodePrinter().doprint(expr)
