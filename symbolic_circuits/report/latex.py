r"""Expressions, closed forms and tables of terms as LaTeX, in the notation of the field; for amsmath, booktabs, longtable."""

from functools import singledispatch

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation.operator import is_linear
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.checking import CheckReport
from symbolic_circuits.report.classes import path_class_rows
from symbolic_circuits.report.derivations.latex import derivation_to_latex
from symbolic_circuits.report.field_latex import FieldLatexPrinter, escape

__all__ = ["FieldLatexPrinter", "escape", "to_latex"]

MAX_LINES = 2000

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
    model, root = expansion.model, expansion.grammar.root
    if root is not None:
        scores = f"S^{{{root.layer},{root.head}}}"
        return {"matrix": scores, "operator": rf"\operatorname{{vec}} {scores}"}.get(notation, f"({scores})_{{s u}}")
    output = f"T({to_latex(expansion.tensors.source)})" if model.unembedding else f"X_{{{len(model.steps)}}}"
    if notation == "operator":
        return "T" if is_linear(model) else rf"\operatorname{{vec}} {output}"
    bracketed = output if model.unembedding else f"({output})"
    index = "v" if model.unembedding else "b"
    return {"matrix": output, "tensor": f"{bracketed}_{{s}}", "index": f"{bracketed}_{{s {index}}}"}[notation]


def align(summands: list[str], left: str) -> str:
    """A sum over several lines."""
    lines = [rf"{left} &= {summands[0]}"] + [rf"&\quad + {summand}" for summand in summands[1:]]
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


to_latex.register(Derivation)(derivation_to_latex)


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
