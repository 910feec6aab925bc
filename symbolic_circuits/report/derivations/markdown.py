r"""A derivation as Markdown that GitHub shows: math in ``$`...`$`` and fenced ``math`` blocks, without the macros that it refuses.

GitHub has no ``\operatorname``, ``\phantom``, ``\label`` and numbers of its own: operators are upright text, numbers are written.
"""

from collections.abc import Sequence

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.report.derivations.filling import Row
from symbolic_circuits.report.derivations.latex import DEFAULT, MARKS, STARTS, text_width
from symbolic_circuits.report.derivations.layout import Chain, Line, Ref
from symbolic_circuits.report.derivations.names import inert
from symbolic_circuits.report.derivations.paper import PaperPrinter
from symbolic_circuits.report.derivations.setting import Setting, in_words_order, setting_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.widths import latex_width
from symbolic_circuits.report.derivations.writer import Writer, capital, require_types

__all__ = ["to_markdown"]

PIECE = 60  # rows of a block
SPECIAL = frozenset("\\*_[]<>#|~$")


def to_markdown(derivation: Derivation, style: Style = DEFAULT) -> str:
    r"""A derivation as Markdown with math.

    Parameters
    ----------
    derivation : what is written
    style : what is shown and how; ``document=True`` puts a title and the setting before it

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
    >>> print(to_markdown(Derivation.begin(A * (B + C)).then(Distribute())))
    ```math
    \begin{aligned}
    A \, (B + C) &= A \, B + A \, C && \text{(distribute over the sum)} \qquad (1)
    \end{aligned}
    ```
    """
    require_types(derivation, style)
    return MarkdownWriter(derivation, style).text()


class MarkdownWriter(Writer):
    """Writes one derivation."""

    default_width = 45.0
    indents = (0.0, 1.0, 2.0)
    equals, number, gap = 1.4, 3.0, 2.5

    def __init__(self, derivation: Derivation, style: Style) -> None:
        said = {"operator": upright, "brief": derivation.model is not None}
        self.printer = PaperPrinter(style.rename, **said)
        super().__init__(derivation, style)
        self.printer = PaperPrinter(self.layout.names, self.layout.marks, **said)

    def summand(self, expr: Basic, dense: bool) -> str:
        return self.printer.summand(expr)

    def whole(self, expr: Basic) -> str:
        return self.printer.whole(expr)

    def width_of(self, text: str) -> float:
        return latex_width(text)

    def reason_width(self, reason: str) -> float:
        return 1.0 + text_width(reason.replace("$`", "$").replace("`$", "$"))

    def mark(self, text: str) -> str:
        return MARKS[self.style.marked] % text

    def piece(self, piece: str | Basic | Ref) -> str:
        if isinstance(piece, Ref):
            return f"({piece.number})"
        return markdown_text(piece) if isinstance(piece, str) else f"$`{self.whole(piece)}`$"

    def text(self) -> str:
        """The chains, in a document after title and setting."""
        chains = [self.chain(chain) for chain in self.layout.chains]
        if not self.style.document:
            return "\n\n".join(chains)
        setting = self.setting(setting_of(self.derivation, self.layout))
        return "\n\n".join([f"# {self.title()}", "## Setting", *setting, "## Derivation", *chains]) + "\n"

    def title(self) -> str:
        """What the document is about."""
        if self.style.title is not None or self.derivation.model is None:
            return markdown_text(self.style.title or "Derivation")
        return f"Derivation of the closed form of `{self.derivation.model}`" if str(self.derivation.model) else "Derivation"

    def setting(self, setting: Setting) -> list[str]:
        """Conventions, table of letters, definitions."""
        has_meanings = any(row.meaning != ("",) for row in setting.rows)
        rows = ["| | meaning | shape |", "| --- | --- | --- |"] if has_meanings else ["| | shape |", "| --- | --- |"]
        for row in setting.rows:
            symbols = ", ".join(f"$`{self.whole(symbol)}`$" for symbol in row.symbols)
            sizes = r" \times ".join(self.whole(in_words_order(size)) for size in row.shape)
            meaning = f" {self.prose(row.meaning)} |" if has_meanings else ""
            rows.append(f"| {symbols} |{meaning} {f'$`{sizes}`$' if row.shape else row.kind} |")
        parts = [self.prose(setting.text), "\n".join(rows) if setting.rows else ""]
        if setting.definitions:
            lines = [rf"{self.whole(left)} &:= {self.whole(right)} \\" for left, right in setting.definitions]
            parts.append(f"Definitions:\n\n{block(lines)}")
        return [part for part in parts if part]

    def chain(self, chain: Chain) -> str:
        """The equations of one chain: one block where reasons stand beside the lines, else a block a line."""
        found = self.arranged(chain, dense_from=10**9)
        parts: list[str] = [found.words] if found.words else []
        waiting: list[str] = []
        for number, (line, rows) in enumerate(found.lines):
            if line.reasons and not found.beside and (number or not found.words):
                parts += [*blocks(waiting), f"{capital(self.reason(line))}:"]
                waiting = []
            start = f"{found.left} &= " if number == 0 and found.left else "&= " if number else "& "
            waiting += self.line(line, rows, start, found.beside)
        return "\n\n".join([*parts, *blocks(waiting)])

    def line(self, line: Line, rows: Sequence[Row], sign: str, beside: bool) -> list[str]:
        """The rows of a line; the last one has the reason and the number."""
        out = []
        for place, (indent, text) in enumerate(rows):
            start = sign if place == 0 else f"&{STARTS[indent]}"
            is_last = place == len(rows) - 1
            reason = rf" && {self.reason_in_math(line)}" if is_last and beside and line.reasons else ""
            number = rf" \qquad ({line.number})" if is_last and line.number else ""
            out.append(rf"{start}{text}{reason}{number} \\")
        return out

    def reason_in_math(self, line: Line) -> str:
        """A reason as upright text with formulas between."""
        pieces = [", " if piece is None else piece for reason in line.reasons for piece in (None, *reason)][1:]
        out, words = [], "("
        for piece in pieces:
            if isinstance(piece, Basic):
                out += [rf"\text{{{words}}}", self.whole(piece)]
                words = ""
            else:
                words += f"({piece.number})" if isinstance(piece, Ref) else inert(piece).translate(PLAIN)
        return "".join([*out, rf"\text{{{words})}}"])


PLAIN = str.maketrans(dict.fromkeys("\\{}$%&#^_~", " "))  # within \text, where no character is worth an escape


def upright(name: str) -> str:
    """An operator; GitHub refuses \\operatorname."""
    return rf"\mathrm{{{name}}}"


def markdown_text(text: str) -> str:
    """Plain text that Markdown leaves alone."""
    return "".join(f"\\{c}" if c in SPECIAL else c for c in inert(text))


def blocks(rows: Sequence[str]) -> list[str]:
    """Rows in blocks that are not too long."""
    return [block(rows[start : start + PIECE]) for start in range(0, len(rows), PIECE)]


def block(rows: Sequence[str]) -> str:
    """A fenced block of aligned rows."""
    body = "\n".join(rows).removesuffix(r" \\")
    return f"```math\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n```"
