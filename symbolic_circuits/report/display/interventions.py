"""Sheets of interventions: what was removed or put in, and the entries of the output that change most."""

from symbolic_circuits.numeric.interventions.intervention import Intervention
from symbolic_circuits.numeric.interventions.patch import Patch
from symbolic_circuits.report.display.sheet import Cell, Sheet, number

__all__ = ["intervention_sheet", "patch_sheet"]

SHOWN = 8  # entries of the output at its last position


def intervention_sheet(result: Intervention) -> Sheet:
    """The entries that change most, at the last position."""
    first, *rest = str(result).splitlines()
    heads = (head_of(result), "before", "after", "change")
    notes = (*(line.strip() for line in rest), "at the last position; others: intervention.rows(position)")
    code = ("intervention.effect(position, token=)",)
    return Sheet(first, heads=heads, rows=changes(result), notes=notes, code=code)


def patch_sheet(result: Patch) -> Sheet:
    """Both directions."""
    first, *rest = str(result).splitlines()
    sides = (("first", result.clean), ("second", result.source))
    rows = tuple((side, *row) for side, found in sides for row in changes(found, SHOWN // 2))
    heads = ("input", head_of(result.clean), "before", "after", "change")
    notes = (*(line.strip() for line in rest), "at the last position")
    return Sheet(
        first, heads=heads, rows=rows, notes=notes, code=("patch.effect(position, token=)", "patch.share(position, token=)")
    )


def head_of(result: Intervention) -> str:
    """What an entry of the output is."""
    return "token" if result.frozen.model.unembedding else "coordinate"


def changes(result: Intervention, most: int = SHOWN) -> tuple[tuple[Cell, ...], ...]:
    """The entries that change most; none where no term belongs to the query."""
    found = result.rows(-1, most) if result.number_of_terms else []
    return tuple((str(row["token"]), *(number(row[name]) for name in ("before", "after", "change"))) for row in found)
