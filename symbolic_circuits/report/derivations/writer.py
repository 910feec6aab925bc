"""What writers of derivations share: lines broken into rows, left sides, and whether reasons have room beside the lines."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.errors import BudgetError, UnsupportedNodeError
from symbolic_circuits.report.derivations.convention import Columns
from symbolic_circuits.report.derivations.filling import Row, filled, shown_marks
from symbolic_circuits.report.derivations.introductions import introduction
from symbolic_circuits.report.derivations.layout import Chain, Layout, Line, Prose, Ref, laid_out
from symbolic_circuits.report.derivations.lines import of_result
from symbolic_circuits.report.derivations.paper import summands_of
from symbolic_circuits.report.derivations.setting import setting_names
from symbolic_circuits.report.derivations.style import Style

__all__ = ["Arranged", "Writer", "capital", "require_types"]

WIDEST_LEFT = 0.3  # of the width
MAX_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class Arranged:
    """A chain in rows."""

    words: str  # said before
    left: str  # side; "" where the first line stands alone
    lines: tuple[tuple[Line, tuple[Row, ...]], ...]
    beside: bool  # whether reasons stand beside the lines


class Writer(ABC):
    """Writes one derivation in one format."""

    default_width: ClassVar[float]
    indents: ClassVar[tuple[float, float, float]]  # of rows
    equals: ClassVar[float]  # the width of the sign of equality
    number: ClassVar[float]  # of a number at the right
    gap: ClassVar[float]  # between a line and its reason

    def __init__(self, derivation: Derivation, style: Style) -> None:
        self.derivation = of_result(derivation) if style.detail == "result" else derivation
        self.style, self.written = style, 0
        self.layout: Layout = laid_out(self.derivation, style, self.count_rows, setting_names(self.derivation))

    @abstractmethod
    def summand(self, expr: Basic, dense: bool) -> str:
        """A summand with its places to break; called before there is a layout as well."""

    @abstractmethod
    def whole(self, expr: Basic) -> str:
        """An expression in one piece."""

    @abstractmethod
    def width_of(self, text: str) -> float:
        """The width of a piece of a formula."""

    @abstractmethod
    def reason_width(self, reason: str) -> float:
        """The width of a reason with its brackets."""

    @abstractmethod
    def mark(self, text: str) -> str:
        """A marked part."""

    @abstractmethod
    def piece(self, piece: str | Basic | Ref) -> str:
        """A piece of prose."""

    @property
    def width(self) -> float:
        """Of a line."""
        return self.style.width or self.default_width

    @property
    def room(self) -> float:
        """The width of a row without its left side."""
        return self.width - self.equals - (self.number if self.style.numbering else 0.0)

    def count_rows(self, expr: Basic) -> int:
        """About how many rows a line takes."""
        return len(self.rows(expr, self.room - 3 * self.equals, dense=True))

    def rows(self, expr: Basic, room: float, dense: bool = False) -> tuple[Row, ...]:
        """The rows of a line."""
        summands = [self.summand(summand, dense) for summand in summands_of(expr)]
        return tuple(shown_marks(filled(summands, room, self.width_of, self.indents), self.mark))

    def prose(self, pieces: Prose) -> str:
        """Text with formulas."""
        return "".join(map(self.piece, pieces))

    def reason(self, line: Line) -> str:
        """What was done, in words."""
        return ", ".join(map(self.prose, line.reasons))

    def arranged(self, chain: Chain, dense_from: int) -> Arranged:
        """A chain in rows; those of a line of more than ``dense_from`` rows are set dense."""
        is_last, columns = chain is self.layout.chains[-1], isinstance(self.layout.turn, Columns)
        words = self.prose(introduction(self.derivation, chain.name, is_last, columns))
        left, lines = self.left_side(chain)
        room = self.room - self.width_of(left)
        rows = [self.rows(line.expr, room) for line in lines]
        if max(map(len, rows)) > dense_from:
            rows = [self.rows(line.expr, room, dense=True) for line in lines]
        self.written += sum(map(len, rows))
        if self.written > MAX_ROWS:
            raise BudgetError(
                f"the derivation of {len(self.layout.chains)} chains takes more than {MAX_ROWS:,} rows in the detail "
                f"{self.style.detail!r}; choose less detail"
            )
        beside = self.have_room(lines, rows, room)
        if words and lines[0].reasons and not beside:
            words += f" ({self.reason(lines[0])})"
        return Arranged(words, left, tuple(zip(lines, rows, strict=True)), beside)

    def left_side(self, chain: Chain) -> tuple[str, tuple[Line, ...]]:
        """The left side, which is the first line where nothing is named and it is short; and the lines."""
        if chain.left is not None:
            return self.whole(chain.left), chain.lines
        first = self.rows(chain.lines[0].expr, self.width)
        if len(chain.lines) > 1 and len(first) == 1 and self.width_of(first[0].text) <= WIDEST_LEFT * self.width:
            return first[0].text, chain.lines[1:]
        return "", chain.lines

    def have_room(self, lines: Sequence[Line], rows: Sequence[Sequence[Row]], room: float) -> bool:
        """Whether every line is one row with room for its reason."""
        widest = max(self.width_of(row.text) for broken in rows for row in broken)
        reason = max((self.gap + self.reason_width(self.reason(line)) for line in lines if line.reasons), default=0.0)
        return all(len(broken) == 1 for broken in rows) and widest + reason <= room


def require_types(derivation: object, style: object) -> None:
    """Raise UnsupportedNodeError where something else than a derivation is to be written, or in something else than a style."""
    for given, wanted in ((derivation, Derivation), (style, Style)):
        if not isinstance(given, wanted):
            what = f"a class, {given.__name__}" if isinstance(given, type) else f"{type(given).__name__}: {str(given)[:60]!r}"
            raise UnsupportedNodeError(f"a Derivation is written in a Style; instead of a {wanted.__name__} there came {what}")


def capital(text: str) -> str:
    """Text with its first letter large; a formula stays."""
    return text[:1].upper() + text[1:]
