r"""A derivation as LaTeX: aligned equations with reasons and numbers, as a fragment to ``\input`` or an article of its own.

Reasons stand at the right of their lines where all of a chain have room, and otherwise as a line of text before them.
"""

import re
from collections.abc import Sequence

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.report.derivations.filling import Row
from symbolic_circuits.report.derivations.layout import Chain, Line, Ref
from symbolic_circuits.report.derivations.names import inert
from symbolic_circuits.report.derivations.paper import PaperPrinter
from symbolic_circuits.report.derivations.setting import Setting, TableRow, in_words_order, setting_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.widths import latex_width
from symbolic_circuits.report.derivations.writer import Writer, capital, require_types
from symbolic_circuits.report.field_latex import escape

__all__ = ["LatexWriter", "derivation_to_latex", "text_width"]

STARTS = ("", r"\quad ", r"\qquad ")
DENSE, PIECE = 12, 200  # rows of a line from which sums are small; rows of an environment
MARKS = {"colour": r"\textcolor{blue}{%s}", "underline": r"\underline{%s}", None: "%s"}
DEFAULT = Style()

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,longtable,mathtools,xcolor}
\allowdisplaybreaks
\setlength{\jot}{1.5pt}
\setlength{\emergencystretch}{3em}
\setlength{\parindent}{0pt}
"""


def derivation_to_latex(result: Derivation, style: Style = DEFAULT) -> str:
    r"""A derivation as LaTeX.

    Parameters
    ----------
    result : the derivation
    style : what is shown and how; by default a fragment of the main steps, for a document with mathtools (and xcolor for colour)

    Raises
    ------
    NotationError
        A name that is renamed does not occur, or is renamed to what is not whole LaTeX, a sum or another name.
    UnsupportedNodeError
        What is given is no derivation, or the style no Style.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> from symbolic_circuits.derivation.derivation import Derivation
    >>> from symbolic_circuits.derivation.rules.distribute import Distribute
    >>> A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
    >>> print(derivation_to_latex(Derivation.begin(A * (B + C)).then(Distribute()), Style(rename={"A": "P"})))
    % needs \usepackage{mathtools} and \allowdisplaybreaks
    \begin{align}
    P \, (B + C) &= P \, B + P \, C && \text{(distribute over the sum)} \label{eq:derivation-1}
    \end{align}
    """
    require_types(result, style)
    return LatexWriter(result, style).text()


class LatexWriter(Writer):
    """Writes one derivation."""

    default_width = 45.0  # em: a line of 160 mm at 10 pt
    indents = (0.0, 1.0, 2.0)
    equals, number, gap = 1.4, 3.0, 2.5

    def __init__(self, derivation: Derivation, style: Style) -> None:
        said = {"brief": derivation.model is not None}
        self.printers = {dense: PaperPrinter(style.rename, dense=dense, **said) for dense in (False, True)}
        super().__init__(derivation, style)
        self.printers = {
            dense: PaperPrinter(self.layout.names, self.layout.marks, dense=dense, **said) for dense in (False, True)
        }

    def summand(self, expr: Basic, dense: bool) -> str:
        return self.printers[dense].summand(expr)

    def whole(self, expr: Basic) -> str:
        return self.printers[False].whole(expr)

    def width_of(self, text: str) -> float:
        return latex_width(text)

    def reason_width(self, reason: str) -> float:
        return 1.0 + text_width(re.sub(r"\\eqref\{[^}]*\}", "(00)", reason))

    def mark(self, text: str) -> str:
        return MARKS[self.style.marked] % text

    def piece(self, piece: str | Basic | Ref) -> str:
        if isinstance(piece, Ref):
            return rf"\eqref{{{self.label(piece.number)}}}"
        return escape(inert(piece)) if isinstance(piece, str) else f"${self.whole(piece)}$"

    def text(self) -> str:
        """The fragment or the document."""
        chains = [self.chain(chain) for chain in self.layout.chains]
        if not self.style.document:
            packages = "mathtools,xcolor" if self.style.marked == "colour" else "mathtools"
            return "\n\n".join([rf"% needs \usepackage{{{packages}}} and \allowdisplaybreaks" + "\n" + chains[0], *chains[1:]])
        parts = [
            PREAMBLE + self.style.preamble.strip() + ("\n" if self.style.preamble.strip() else "") + r"\begin{document}",
            rf"\title{{{self.title()}}}",
            r"\author{}\date{}\maketitle",
            r"\section*{Setting}",
            self.setting(setting_of(self.derivation, self.layout)),
            r"\section*{Derivation}",
            *chains,
            r"\end{document}",
        ]
        return "\n\n".join(part for part in parts if part) + "\n"

    def title(self) -> str:
        """What the document is about."""
        if self.style.title is not None or self.derivation.model is None:
            return escape(inert(self.style.title or "Derivation"))
        model = escape(str(self.derivation.model)).replace("|", r"|\allowbreak{}") or "the model without blocks"
        return rf"Derivation of the closed form of \texttt{{{model}}}"

    def label(self, number: int) -> str:
        """The label of an equation."""
        return f"eq:{self.style.prefix}-{number}"

    def setting(self, setting: Setting) -> str:
        """Conventions, table of letters, definitions."""
        columns = [[", ".join(f"${self.whole(s)}$" for s in row.symbols) for row in setting.rows]]
        columns += [[self.prose(row.meaning) for row in setting.rows], [self.shape(row) for row in setting.rows]]
        heads, formats = ["", "meaning", "shape"], ["l", r">{\raggedright\arraybackslash}p{0.58\linewidth}", "l"]
        shown = [k for k in range(3) if any(columns[k])]
        rows = [" & ".join(columns[k][number] for k in shown) + r" \\" for number in range(len(setting.rows))]
        table = [rf"\begin{{longtable}}{{@{{}}{''.join(formats[k] for k in shown)}@{{}}}}", r"\toprule"]
        table += [" & ".join(heads[k] for k in shown) + r" \\", r"\midrule", r"\endhead"]
        table += [*rows, r"\bottomrule", r"\end{longtable}"]
        parts = [self.prose(setting.text), "\n".join(table) if rows else ""]
        if setting.definitions:
            lines = [rf"{self.whole(left)} &:= {self.whole(right)} \\" for left, right in setting.definitions]
            parts.append("Definitions:\n\\begin{align*}\n" + "\n".join(lines).removesuffix(r" \\") + "\n\\end{align*}")
        return "\n\n".join(part for part in parts if part)

    def shape(self, row: TableRow) -> str:
        """Sizes of a tensor."""
        sizes = r" \times ".join(self.whole(in_words_order(size)) for size in row.shape)
        return f"${sizes}$" if row.shape else row.kind

    def chain(self, chain: Chain) -> str:
        """The equations of one chain, with what is said before."""
        found = self.arranged(chain, DENSE)
        out: list[str] = []
        for number, (line, rows) in enumerate(found.lines):
            if line.reasons and not found.beside and (number or not found.words):
                out.append(rf"\shortintertext{{{capital(self.reason(line))}:}}")
            alone = r"&\quad " if len(found.lines) > 1 else "&"
            start = "&= " if number else f"{found.left} &= " if found.left else alone
            out += self.line(line, rows, start, found.beside)
        equations = "\n".join(self.environment(out[start : start + PIECE]) for start in range(0, len(out), PIECE))
        return f"{found.words}\n{equations}" if found.words else equations

    def environment(self, rows: Sequence[str]) -> str:
        """Aligned rows; TeX reads an environment as a whole, so that long ones come in pieces."""
        name = "align" if self.style.numbering else "align*"
        body = "\n".join(rows).removesuffix(r" \\")
        return f"\\begin{{{name}}}\n{body}\n\\end{{{name}}}"

    def line(self, line: Line, rows: Sequence[Row], sign: str, beside: bool) -> list[str]:
        """The rows of a line; the last one has the reason and the number."""
        out = []
        for place, (indent, text) in enumerate(rows):
            start = sign if place == 0 else f"&{STARTS[indent]}"
            is_last = place == len(rows) - 1
            reason = rf" && \text{{({self.reason(line)})}}" if is_last and beside and line.reasons else ""
            number = (
                rf" \label{{{self.label(line.number)}}}"
                if is_last and line.number
                else r" \notag"
                if self.style.numbering
                else ""
            )
            out.append(rf"{start}{text}{reason}{number} \\")
        return out


def text_width(prose: str) -> float:
    """The width of text with formulas in em: half an em a letter."""
    return sum(latex_width(piece) if number % 2 else 0.47 * len(piece) for number, piece in enumerate(prose.split("$")))
