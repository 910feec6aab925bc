"""The terms of a query as sums of blocks inside products, nothing multiplied out: the product grammar in matrix notation."""

from sympy import Expr

from symbolic_circuits.expansion.notation.matrix import MatrixNotation, matrix_multiple, matrix_product

__all__ = ["FactoredNotation"]


class FactoredNotation(MatrixNotation):
    """Matrix notation in which sums can have integer multiples: pairs of different terms of a layer with tied weights."""

    def scale(self, factor: int, x: tuple[Expr, ...]) -> tuple[Expr, ...]:
        return (matrix_multiple(factor, matrix_product(x)),)
