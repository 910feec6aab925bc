r"""Expressions, closed forms and tables of terms as LaTeX, in the notation of the field; for amsmath, booktabs, longtable."""

import re
from functools import singledispatch

from sympy import Expr, HadamardProduct, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol, Sum, Symbol, Transpose
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.latex import LatexPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.checking import CheckReport
from symbolic_circuits.report.classes import path_class_rows
from symbolic_circuits.report.plain import binding, short_first
from symbolic_circuits.spec import Bilinear, Transformer
from symbolic_circuits.syntax.names import latex_name

__all__ = ["FieldLatexPrinter", "escape", "to_latex"]

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {c: f"\\{c}" for c in "&%$#_{}"}
MAX_LINES = 2000
SYMBOL = re.compile(r"([A-Za-z]+)([0-9]*)(?:_([A-Za-z0-9]+))?\Z")


def escape(text: str) -> str:
    """Plain text made safe for LaTeX.

    >>> print(escape("50% of A_1"))
    50\\% of A\\_1
    """
    return "".join(SPECIAL.get(character, character) for character in text)


class FieldLatexPrinter(LatexPrinter):
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
        base = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
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
        return r" \, ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_KroneckerProduct(self, expr: KroneckerProduct) -> str:
        return r" \otimes ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_HadamardProduct(self, expr: HadamardProduct, *_: object) -> str:
        return r" \odot ".join(self.bracket(arg, PRECEDENCE["Mul"]) for arg in expr.args)

    def _print_Transpose(self, expr: Transpose) -> str:
        inner = self._print(expr.arg)
        bare = isinstance(expr.arg, MatrixSymbol) and "^" not in expr.arg.name
        return rf"{inner}^{{\top}}" if bare else rf"({inner})^{{\top}}"

    def _print_MatrixElement(self, expr: MatrixElement) -> str:
        parent, indices = self.bracket(expr.parent, PRECEDENCE["Atom"]), f"{self._print(expr.i)} {self._print(expr.j)}"
        return rf"({parent})_{{{indices}}}" if "_" in parent and not parent.startswith(r"\left") else f"{parent}_{{{indices}}}"

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


PRINTER = FieldLatexPrinter()


@singledispatch
def to_latex(result: object, notation: str = "operator") -> str:
    r"""A result as a fragment of LaTeX: an expression as math, a term or an expansion in a notation, a check as a table.

    Raises
    ------
    TypeError
        There is no LaTeX form of this type.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(to_latex(sc.path_expansion("attn(H)").closed_form()))
    \mathrm{Id} \otimes W_{U} \, W_{E} + \sum_{h} A^{h} \otimes W_{U} \, W_{OV}^{h} \, W_{E}
    """
    raise TypeError(f"{type(result).__name__} has no LaTeX form")


@to_latex.register(Basic)
def expression_to_latex(result: Basic) -> str:
    """Math without delimiters."""
    return PRINTER.doprint(result)


@to_latex.register(Term)
def term_to_latex(result: Term, notation: str = "operator") -> str:
    """The value of a term in a notation."""
    return PRINTER.doprint(result.expr(notation))


@to_latex.register(PathExpansion)
def expansion_to_latex(result: PathExpansion, notation: str = "operator") -> str:
    """The closed form, one path class a line."""
    return align([to_latex(row.value) for row in path_class_rows(result, notation, MAX_LINES)], left_side(result, notation))


def left_side(expansion: PathExpansion, notation: str) -> str:
    """What the closed form is equal to: the operator T of a linear model, else the output or its row or entry."""
    model = expansion.model
    output = f"T({to_latex(expansion.tensors.source)})" if model.unembedding else f"X_{{{len(model.steps)}}}"
    if notation == "operator":
        return "T" if is_linear(model) else rf"\operatorname{{vec}} {output}"
    bracketed = output if model.unembedding else f"({output})"
    index = "v" if model.unembedding else "b"
    return {"matrix": output, "tensor": f"{bracketed}_{{s}}", "index": f"{bracketed}_{{s {index}}}"}[notation]


def is_linear(model: Transformer) -> bool:
    """Whether the model is an operator on its input."""
    return not any(isinstance(spec, Bilinear) for _, spec in model.numbered())


def align(summands: list[str], left: str) -> str:
    """A sum over several lines."""
    lines = [rf"{left} &= {summands[0]}"] + [rf"&\quad + {summand}" for summand in summands[1:]]
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


@to_latex.register(CheckReport)
def check_to_latex(result: CheckReport, top: int | None = 40) -> str:
    """The largest terms with norm and share of the output, as a longtable."""
    rows = [
        rf"\texttt{{{escape(str(term))}}} & {norm:.3g} & {100 * share:.1f}\,\% \\" for term, norm, share in result.largest(top)
    ]
    return longtable("p{0.62\\linewidth}rr", ["term", "norm", "share"], rows)


def longtable(columns: str, heads: list[str], rows: list[str]) -> str:
    """A table that may run over pages."""
    return "\n".join(
        [rf"\begin{{longtable}}{{@{{}}{columns}@{{}}}}", r"\toprule", " & ".join(heads) + r" \\", r"\midrule", r"\endhead"]
        + [*rows, r"\bottomrule", r"\end{longtable}"]
    )
