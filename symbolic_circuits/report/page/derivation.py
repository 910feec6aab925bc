r"""A derivation as HTML: chains of equations in MathML, each line under the rule that made it, with links between numbered ones."""

from collections.abc import Sequence

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.report.derivations.filling import Row
from symbolic_circuits.report.derivations.layout import Chain, Line, Ref
from symbolic_circuits.report.derivations.markdown import upright
from symbolic_circuits.report.derivations.paper import PaperPrinter
from symbolic_circuits.report.derivations.setting import Setting, in_words_order, setting_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.widths import latex_width
from symbolic_circuits.report.derivations.writer import Writer, capital
from symbolic_circuits.report.page.markup import Markup, element, escape, joined
from symbolic_circuits.report.page.mathml import mathml

__all__ = ["derivation_section"]


class PageWriter(Writer):
    """Writes one derivation."""

    default_width = 58.0  # em
    indents = (0.0, 1.0, 2.0)
    equals, number, gap = 1.4, 3.0, 2.5

    def __init__(self, derivation: Derivation, style: Style) -> None:
        self.printer = PaperPrinter(style.rename, operator=upright)
        super().__init__(derivation, style)
        self.printer = PaperPrinter(self.layout.names, self.layout.marks, operator=upright)

    def summand(self, expr: Basic, dense: bool) -> str:
        return self.printer.summand(expr)

    def whole(self, expr: Basic) -> str:
        return self.printer.whole(expr)

    def width_of(self, text: str) -> float:
        return latex_width(text)

    def reason_width(self, reason: str) -> float:
        return 0.0  # reasons stand above the lines

    def mark(self, text: str) -> str:
        return text

    def piece(self, piece: str | Basic | Ref) -> Markup:
        if isinstance(piece, Ref):
            return element("a", f"({piece.number})", href=f"#equation-{piece.number}")
        return escape(piece) if isinstance(piece, str) else mathml(self.whole(piece))

    def prose(self, pieces: Sequence[str | Basic | Ref]) -> Markup:
        return joined(*map(self.piece, pieces))

    def reason(self, line: Line) -> Markup:
        parts = [part for reason in line.reasons for part in (", ", self.prose(reason))]
        return joined(*parts[1:])

    def chains(self) -> Markup:
        """All chains."""
        return joined(*map(self.chain, self.layout.chains))

    def chain(self, chain: Chain) -> Markup:
        """The equations of one chain after what is said before."""
        found = self.arranged(chain, dense_from=10**9)
        lines = [self.lines(line, rows, found.left, number) for number, (line, rows) in enumerate(found.lines)]
        words = element("p", Markup(found.words), class_="lead") if found.words else None
        return element(
            "div",
            words,
            element("div", *lines, class_="equations scroll", tabindex="0", role="group", aria_label="Equations"),
            class_="chain",
        )

    def lines(self, line: Line, rows: Sequence[Row], left: str, place: int) -> Markup:
        """A line: the rule that made it, then its rows."""
        reason = element("div", Markup(capital(self.reason(line))), class_="reason") if line.reasons and place else None
        shown = [self.row(row, left if place == 0 and k == 0 else "", k, place) for k, row in enumerate(rows)]
        name = element("span", f"({line.number})", class_="tag") if line.number else None
        id_ = f"equation-{line.number}" if line.number else None
        return element("div", reason, element("div", *shown, class_="rows"), name, class_="line", id=id_)

    def row(self, row: Row, left: str, number: int, place: int) -> Markup:
        """A row of a line."""
        sign = "= " if number == 0 and (left or place) else ""
        sides = [
            element("span", mathml(left) if left else None, class_="left"),
            element("span", mathml(sign + row.text), class_=f"right indent-{row.indent}" if number else "right"),
        ]
        return element("div", *sides, class_="equation")

    def letters(self) -> Markup:
        """What the letters mean, with shapes."""
        return self.setting(setting_of(self.derivation, self.layout))

    def setting(self, setting: Setting) -> Markup:
        """Conventions and the table of letters."""
        rows = []
        for row in setting.rows:
            symbols = joined(*(part for symbol in row.symbols for part in (", ", mathml(self.whole(symbol)))))
            sizes = mathml(r" \times ".join(self.whole(in_words_order(size)) for size in row.shape)) if row.shape else "sizes"
            rows.append(
                element(
                    "tr",
                    element("th", Markup(symbols[2:]), scope="row"),
                    element("td", self.prose(row.meaning)),
                    element("td", sizes),
                )
            )
        heads = element("tr", *(element("th", name, scope="col") for name in ("letter", "meaning", "shape")))
        caption = element("caption", "Letters of the derivation")
        table = element("table", caption, element("thead", heads), element("tbody", *rows), class_="plain") if rows else None
        return joined(
            element("p", self.prose(setting.text)), element("div", table, class_="scroll", tabindex="0") if table else None
        )


def derivation_section(derivation: Derivation, style: Style) -> tuple[Markup, Markup]:
    """The chains of a derivation, and its letters.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> chains, letters = derivation_section(sc.derive("attn(H)"), Style())
    >>> chains.count('class="reason"'), letters.count("<tr>") > 3
    (2, True)
    """
    writer = PageWriter(derivation, style)
    return writer.chains(), writer.letters()
