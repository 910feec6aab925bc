"""A network is a product of factors with labelled indices: sum over all indices that are not in the output.

``Network(factors=((A, (0, 1)), (B, (1, 2))), output=(0, 2))`` is the matrix product AB. An index may occur any number of times:
occurring in three factors it is an elementwise product along that axis.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

import opt_einsum

__all__ = ["Factor", "Network"]


@dataclass(frozen=True, slots=True)
class Factor:
    """An operand and the index of each of its axes."""

    operand: Hashable
    indices: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Network:
    """Factors and the output index tuple; indices are integers.

    >>> Network((Factor("A", (0, 1)), Factor("B", (1, 2))), (0, 2)).to_einsum()
    'ab,bc->ac'
    """

    factors: tuple[Factor, ...]
    output: tuple[int, ...]

    def indices(self) -> Iterator[int]:
        """Every index, in order of first occurrence in the factors, then in the output."""
        seen = set()
        for index in (i for part in (*(f.indices for f in self.factors), self.output) for i in part):
            if index not in seen:
                seen.add(index)
                yield index

    def to_einsum(self) -> str:
        """The einsum string, letters in order of first occurrence; beyond 52 letters as opt_einsum continues them."""
        letter = {index: opt_einsum.get_symbol(k) for k, index in enumerate(self.indices())}
        inputs = ("".join(letter[i] for i in factor.indices) for factor in self.factors)
        return f"{','.join(inputs)}->{''.join(letter[i] for i in self.output)}"
