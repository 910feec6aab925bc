"""The sheet of a derivation: the main lines of its chains, each with what was done."""

from collections.abc import Iterator
from itertools import islice

from sympy.core.basic import Basic
from sympy.core.traversal import preorder_traversal

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.report.derivations.layout import Chain, Prose, Ref, laid_out
from symbolic_circuits.report.derivations.paper import summands_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.text import to_text
from symbolic_circuits.report.display.sheet import Cell, Formula, Sheet, clipped
from symbolic_circuits.report.plain import to_plain

__all__ = ["derivation_sheet"]

SHOWN = 24  # lines
MAX_NODES = 600  # of a line that is written out
ROW = 40  # nodes that take about a row


def derivation_sheet(derivation: Derivation) -> Sheet:
    """The main steps; ``to_latex``, ``to_markdown`` and ``to_text`` write all."""
    steps = sum(len(part.steps) for part in derivation.parts())
    what = "" if derivation.model is None else f" of the closed form of {str(derivation.model)!r}"
    gaps = sum(len(part.gaps) for part in derivation.parts())
    notes = ["every step has a rule" if not gaps else f"{gaps} of the steps have no rule: the decision procedure shows them"]
    try:
        layout = laid_out(derivation, Style(numbering=None), lambda expr: 1 + size(expr) // ROW)
        rows = list(islice((row for chain in layout.chains for row in chain_rows(chain)), SHOWN + 1))
    except SymbolicCircuitsError as error:
        return Sheet(f"derivation{what}", notes=(str(error),))
    is_short = len(rows) <= SHOWN and all(isinstance(row[2], Formula) for row in rows)
    if len(rows) > SHOWN:
        notes.append(f"the first {SHOWN} lines are shown")
    return Sheet(
        f"derivation{what}, {steps} {'step' if steps == 1 else 'steps'}",
        heads=("", "", "", ""),
        rows=tuple(rows[:SHOWN]),
        notes=tuple(notes),
        code=("derivation.prove()", "derivation.check()", "to_latex(derivation)", "to_text(derivation)"),
        text=(lambda: to_text(derivation)) if is_short else None,
    )


def chain_rows(chain: Chain) -> Iterator[tuple[Cell, ...]]:
    """left = line (reason), and below it = line (reason)."""
    for k, line in enumerate(chain.lines):
        left: Cell = Formula(chain.left) if k == 0 and chain.left is not None else ""
        sign = "=" if k or chain.left is not None else ""
        yield left, sign, line_cell(line.expr), clipped(", ".join(map(words, line.reasons)))


def line_cell(expr: Basic) -> Cell:
    """A line; one that is too long, in words."""
    if size(expr) > MAX_NODES:
        number = len(summands_of(expr))
        return f"a sum of {number:,} terms" if number > 1 else "a long product"
    return Formula(expr)


def size(expr: Basic) -> int:
    """The number of nodes, counted up to a limit."""
    return sum(1 for _ in islice(preorder_traversal(expr), 4 * MAX_NODES))


def words(prose: Prose) -> str:
    """What was done, as text."""
    return "".join(f"({p.number})" if isinstance(p, Ref) else p if isinstance(p, str) else to_plain(p) for p in prose)
