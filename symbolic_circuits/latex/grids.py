r"""Matrices written out: of numbers and scalars, or of blocks whose sizes add up."""

from sympy import BlockMatrix, Expr, ImmutableMatrix, Matrix

from symbolic_circuits.latex import tree
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.meaning import as_matrix, known, meaning
from symbolic_circuits.latex.sizes import Axis, Blocks, Unknown
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.values import Value, either, zero

__all__: list[str] = []


@meaning.register
def _grid(node: tree.Grid, state: Elaboration) -> Value:
    """A matrix of blocks or of scalars."""
    rows = [[known(meaning(cell, state), state) for cell in row] for row in node.rows]
    cells = [cell for row in rows for cell in row]
    if all(cell.order == 0 for cell in cells) and not (state.zeros_are_blocks and is_column_with_zeros(rows)):
        return of_scalars(rows, node.span)
    return of_blocks(rows, node, state)


def is_column_with_zeros(rows: list[list[Value]]) -> bool:
    """Whether a zero may be a block as high as its place asks for, as in the column (0, 1) that stands beside (x, 1)."""
    cells = [row[0] for row in rows]
    return len(rows[0]) == 1 and any(cell.is_zero for cell in cells) and not all(cell.is_zero for cell in cells)


def of_scalars(rows: list[list[Value]], span: Span) -> Value:
    """A matrix of scalars; one column is a vector."""
    builds = [[cell.build for cell in row] for row in rows]
    cells = [cell for row in rows for cell in row]

    def build() -> Expr:
        return ImmutableMatrix([[cell() for cell in row] for row in builds])

    if len(rows[0]) == 1 and len(rows) > 1:
        return Value(((len(rows),),), build, span, "column", either(cells))
    return Value((number_axis(len(rows)), number_axis(len(rows[0]))), build, span, "plain", either(cells))


def number_axis(number: int) -> Axis:
    """An axis of a size that is a number."""
    return (number,) if number > 1 else ()


def of_blocks(rows: list[list[Value]], node: tree.Grid, state: Elaboration) -> Value:
    """A matrix of blocks: those of a row have one height, those of a column one width; where all are zero it may be any."""
    heights: list[Axis] = [(Unknown("this row of blocks", is_free=True),) for _ in rows]
    widths: list[Axis] = [(Unknown("this column of blocks", is_free=True),) for _ in rows[0]]
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if cell.is_zero and not cell.order:
                continue
            if cell.order > 2:
                raise state.error(f"a block is a matrix, a vector or a number; this is {state.shape(cell)}", cell.span)
            high, wide = as_matrix(cell, state)[1] if cell.order else ((), ())
            shown = state.source.slice(cell.span)[:40]
            state.unify(heights[i], high, f"row {i + 1} of the blocks", f"the rows of {shown}", cell.span)
            state.unify(widths[j], wide, f"column {j + 1} of the blocks", f"the columns of {shown}", cell.span)

    def build() -> Expr:
        high = [state.known(axis) for axis in heights]
        wide = [state.known(axis) for axis in widths]
        state.any_size |= {unknown for axis in (*heights, *widths) for unknown in axis}
        for axis in (*high, *wide):
            state.size(axis, node.span, "a block of zeros")
        high, wide = ([state.known(axis) for axis in axes] for axes in (heights, widths))
        return BlockMatrix([[block(cell, high[i], wide[j], state) for j, cell in enumerate(row)] for i, row in enumerate(rows)])

    axes = (joined(heights), joined(widths))
    indices = either([cell for row in rows for cell in row])
    if len(widths) == 1 and state.known(widths[0]) == () and not state.symbols.rows:
        return Value(axes[:1], build, node.span, "column", indices)
    return Value(axes, build, node.span, "plain", indices)


def block(cell: Value, high: Axis, wide: Axis, state: Elaboration) -> Expr:
    """The expression of a block."""
    if cell.is_zero:
        return zero((high, wide), state.known)
    if cell.order == 0:
        return Matrix([[cell.build()]])
    return as_matrix(cell, state)[0]()


def joined(axes: list[Axis]) -> Axis:
    """The axis along which blocks stand."""
    return axes[0] if len(axes) == 1 else (Blocks(tuple(axes)),)
