r"""Matrix notation with contractions where products do not suffice: rotary positions, S_{su} = sum_b (R_s q_s)_b (R_u k_u)_b.

It is what einsums and code are made of, and what a closed form is compared with; in print index notation reads better.
"""

from sympy import Expr

from symbolic_circuits.expansion.notation.matrix import Factors, MatrixNotation, matrix_product
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["ContractedNotation"]


class ContractedNotation(MatrixNotation):
    """n x V' matrices."""

    def rotated(self, R: MatrixFamily, query: Factors, key: Factors) -> Expr:
        return contract("sa,sba,ubc,uc->su", matrix_product(query), R, R, matrix_product(key))
