r"""Entries of block matrices: that of block (a, b) where the row is in block a and the column in block b; along one block there is no choice."""

from itertools import product

from sympy import BlockDiagMatrix, BlockMatrix

from symbolic_circuits.identities.expansion_indices import Index
from symbolic_circuits.identities.expansion_walk import ONE, At, Sum_, Walk, entries, multiplied

__all__: list[str] = []


@entries.register(BlockMatrix)
@entries.register(BlockDiagMatrix)
def _blocks(expr: BlockMatrix, at: At, walk: Walk) -> Sum_:
    out: Sum_ = []
    sizes = [tuple(expr.rowblocksizes), tuple(expr.colblocksizes)]
    for place in product(*map(range, expr.blocks.shape)):
        inside: list[Index] = []
        where = ONE
        for k, own, axis in zip(place, at, sizes, strict=True):
            if len(axis) == 1:
                inside.append(own)
                continue
            pair, held = walk.in_block(k, axis)
            inside.append(pair[1:] if axis[k] != 1 else ())
            where = where._replace(equations=(*where.equations, (own, pair)), held=where.held + held)
        out += multiplied([where], entries(expr.blocks[place], tuple(inside), walk))
    return out
