"""What sums by grade take: the grades of each nonterminal, the type of their entries, and the bytes of what is held at a time."""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.interpret import interpret_grammar, last_uses
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.graded_series import CHUNK
from symbolic_circuits.spec import Attention

__all__ = ["dtype_of", "numbers_of_grades", "require_bytes"]


def dtype_of(frozen: Frozen) -> np.dtype:
    """The type that everything is computed in: floating point, or integers modulo a prime."""
    library = library_of(frozen.x0)
    least = [] if frozen.modulus is not None else [library.float32]
    held = [*frozen.scales.values(), *frozen.gates.values()]
    return library.result_type(frozen.x0, *frozen.arrays.values(), *held, *least)


def numbers_of_grades(expansion: PathExpansion, by: str, up_to: int | None) -> list[int]:
    """How many grades each nonterminal has."""
    ranges = interpret_grammar(expansion.grammar, GradeRanges(by))
    highest = [pair and (pair[1] if up_to is None else min(pair[1], up_to)) for pair in ranges]
    return [0 if pair is None else max(0, high - pair[0] + 1) for pair, high in zip(ranges, highest, strict=True)]


def require_bytes(expansion: PathExpansion, frozen: Frozen, by: str, numbers: Sequence[int], max_bytes: int) -> None:
    """Raise BudgetError where the streams by grade held at a time, and what the largest block needs beside them, exceed the limit."""
    n, itemsize = frozen.positions, dtype_of(frozen).itemsize
    streams = n * frozen.width * (held(expansion, numbers) + 2 * max(numbers)) * itemsize
    needed = streams + max(of_blocks(frozen, max(numbers), itemsize))
    if needed > max_bytes:
        raise BudgetError(
            f"{in_words(max(numbers))} grades by {by} of {str(expansion.model)!r} at {n} positions take {in_words(needed)} bytes; "
            f"the limit is {max_bytes:,}: ask for fewer grades (up_to), or raise max_bytes"
        )


def held(expansion: PathExpansion, numbers: Sequence[int]) -> int:
    """The largest number of streams that wait for their last use at a time."""
    waiting, most = 0, 0
    uses = last_uses(expansion.grammar)
    for k, number in enumerate(numbers):
        waiting += number
        most = max(most, waiting)
        waiting -= sum(numbers[j] for j in range(k) if uses[j] == k)
    return most


def of_blocks(frozen: Frozen, grades: int, itemsize: int) -> list[int]:
    """The bytes of what each kind of block holds beside its input and its result."""
    n, found = frozen.positions, [4 * CHUNK]
    for index, spec in frozen.model.numbered():
        if not isinstance(spec, Attention):
            found.append(4 * max(CHUNK, grades * len(frozen.arrays[f"bilinear.{index}.W_1"]) * itemsize))
            continue
        heads, e, _ = frozen.arrays[f"attn.{index}.W_V"].shape
        found.append(3 * n * heads * e * grades * itemsize)
        if (
            spec.is_polynomial
        ):  # patterns of one head, or of those that keep to CHUNK, four at a time; all pairs of a grade side by side
            found[-1] += (5 if spec.scores == "linear" else 7) * max(CHUNK, n * n * grades * itemsize)
    return found
