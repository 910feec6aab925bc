"""A derivation as plain Unicode text: signs of equality under each other, reasons at the right or on a line of their own."""

from collections.abc import Sequence
from dataclasses import replace
from textwrap import wrap

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.report.derivations.filling import BREAK, Row
from symbolic_circuits.report.derivations.latex import DEFAULT
from symbolic_circuits.report.derivations.layout import Chain, Line, Ref
from symbolic_circuits.report.derivations.setting import Setting, in_words_order, setting_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.writer import Arranged, Writer, require_types
from symbolic_circuits.report.unicode import UnicodePrinter

__all__ = ["to_text"]


def to_text(derivation: Derivation, style: Style = DEFAULT) -> str:
    """A derivation as plain text, 100 characters wide unless the style has a width; marks are not shown, names are as they are given.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> from symbolic_circuits.derivation.derivation import Derivation
    >>> from symbolic_circuits.derivation.rules.distribute import Distribute
    >>> A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
    >>> print(to_text(Derivation.begin(A * (B + C)).then(Distribute()), Style(width=60)))
    A (B + C) = A B + A C     (distribute over the sum)      (1)
    """
    require_types(derivation, style)
    return TextWriter(derivation, replace(style, marked=None)).text()


class TextWriter(Writer):
    """Writes one derivation."""

    default_width = 100
    indents = (0, 2, 6)
    equals, number, gap = 3, 6, 5

    def __init__(self, derivation: Derivation, style: Style) -> None:
        self.printer = UnicodePrinter(style.rename, BREAK, brief=derivation.model is not None)
        super().__init__(derivation, style)

    def summand(self, expr: Basic, dense: bool) -> str:
        return self.printer.doprint(expr)

    def whole(self, expr: Basic) -> str:
        return self.printer.doprint(expr).replace(BREAK, "")

    def width_of(self, text: str) -> float:
        return len(text)

    def reason_width(self, reason: str) -> float:
        return len(reason) + 2

    def mark(self, text: str) -> str:
        return text

    def piece(self, piece: str | Basic | Ref) -> str:
        if isinstance(piece, Ref):
            return f"({piece.number})"
        return "".join(c for c in piece if c.isprintable()) if isinstance(piece, str) else self.whole(piece)

    def text(self) -> str:
        """The chains, in a document after title and setting."""
        chains = [self.chain(chain) for chain in self.layout.chains]
        if not self.style.document:
            return "\n\n".join(chains)
        title = self.style.title or f"Derivation of the closed form of {self.derivation.model or 'a model'}"
        title = "Derivation" if self.style.title is None and self.derivation.model is None else self.piece(title)
        return "\n\n".join([self.wrapped(title), *self.setting(setting_of(self.derivation, self.layout)), *chains]) + "\n"

    def wrapped(self, text: str, indent: int = 0) -> str:
        """Prose on lines of the width."""
        lines = wrap(text, int(self.width), subsequent_indent=" " * indent, drop_whitespace=True, break_long_words=False)
        return "\n".join(lines)

    def setting(self, setting: Setting) -> list[str]:
        """Conventions, table of letters, definitions."""
        rows = [
            (
                ", ".join(map(self.whole, row.symbols)),
                " × ".join(self.whole(in_words_order(size)) for size in row.shape) or row.kind,
                self.prose(row.meaning),
            )
            for row in setting.rows
        ]
        widths = [max((len(row[k]) for row in rows), default=0) for k in range(2)]
        table = "\n".join(self.wrapped(f"{a:<{widths[0]}}   {b:<{widths[1]}}   {c}", sum(widths) + 6) for a, b, c in rows)
        definitions = "\n".join(f"{self.whole(left)} := {self.whole(right)}" for left, right in setting.definitions)
        sentences = self.wrapped(self.prose(setting.text))
        return [part for part in (sentences, table, definitions) if part]

    def chain(self, chain: Chain) -> str:
        """The equations of one chain."""
        found = self.arranged(chain, dense_from=10**9)
        out = [self.wrapped(found.words)] if found.words else []
        for number, (line, rows) in enumerate(found.lines):
            if line.reasons and not found.beside and (number or not found.words):
                indent = len(found.left) + 3
                out.append(self.wrapped(f"{'':{indent}}({self.reason(line)})", indent + 1))
            sign = f"{found.left} = " if number == 0 and found.left else f"{'':{len(found.left)}} = " if number else ""
            out += self.line(line, rows, sign, found)
        return "\n".join(out)

    def line(self, line: Line, rows: Sequence[Row], sign: str, found: Arranged) -> list[str]:
        """The rows of a line; the last one has the reason and the number."""
        out = []
        widest = max(len(row.text) for _, others in found.lines for row in others)
        for place, (indent, text) in enumerate(rows):
            start = sign if place == 0 else f"{'':{len(found.left) + 3 + self.indents[indent]}}"
            is_last = place == len(rows) - 1
            if is_last and found.beside and line.reasons:
                text = f"{text:<{widest}}{'':{self.gap}}({self.reason(line)})"
            shown = start + text
            if is_last and line.number:
                number = f"({line.number})"
                shown = f"{shown:<{max(len(shown) + 1, int(self.width) - len(number))}}{number}"
            out.append(shown)
        return out
