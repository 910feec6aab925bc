r"""The degree of a count of terms in the numbers of heads that are symbols, without the count: $\deg xy = \deg x + \deg y$, sums have the largest.

Nothing cancels, because all coefficients of a count are positive.
"""

from collections.abc import Sequence
from math import comb

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.report.display.magnitude import Logarithmic
from symbolic_circuits.spec import Size

__all__ = ["Degree", "head_symbols", "monomials"]


class Degree(Logarithmic):
    """The total degree; -inf where there are no terms.

    >>> import symbolic_circuits as sc
    >>> [sc.path_expansion(model).interpret(Degree()) for model in ("attn(3)", "(attn(H) bilinear)*12")]
    [0, 8190]
    """

    def heads(self, component: Component, x: float, copies: Size) -> float:
        return x if isinstance(copies, int) else x + 1

    def add(self, values: Sequence[float]) -> float:
        return max(values)


def head_symbols(expansion: PathExpansion) -> list[str]:
    """The numbers of heads that are symbols, by name.

    >>> import symbolic_circuits as sc
    >>> head_symbols(sc.path_expansion("attn(H) attn(K) attn(2)"))
    ['H', 'K']
    """
    blocks = [spec for _, spec in expansion.model.numbered() if hasattr(spec, "heads")]
    return sorted({str(block.heads) for block in blocks if not isinstance(block.heads, int)})


def monomials(degree: float, variables: int) -> int:
    """How many monomials a polynomial has at most.

    >>> monomials(2, 2), monomials(float("-inf"), 1)
    (6, 0)
    """
    return comb(int(degree) + variables, variables) if degree >= 0 else 0
