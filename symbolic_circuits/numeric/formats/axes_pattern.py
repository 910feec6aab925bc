"""How an array is stored and what its axes are here, in one line: ``(H e) d -> H e d``; read from left to right, written from right to left.

| part of a pattern | meaning |
| --- | --- |
| d V -> V d | the axes are in another order |
| (H e) d -> H e d | a stored axis of length H e, the heads after each other |
| (H/r e) d -> H e d | each stored head serves r heads that follow each other (grouped queries) |

Letters are those of the array's own shape (``layout``), so that their lengths are known from the model, or found from the array.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.errors import SpecError, WeightsError

__all__ = ["AxesPattern"]

LETTER = r"[A-Za-z]\w*(?:/r)?"
STORED = re.compile(rf"\(\s*({LETTER}(?:\s+{LETTER})*)\s*\)|({LETTER})")
SHARED = "/r"


@dataclass(frozen=True, slots=True)
class AxesPattern:
    """A pattern, parsed.

    Raises
    ------
    SpecError
        The text is no pattern, or a letter is on one side only.

    Examples
    --------
    >>> AxesPattern.parse("(H e) d -> H e d")
    AxesPattern(stored=(('H', 'e'), ('d',)), ours=('H', 'e', 'd'), shared=None)
    """

    stored: tuple[tuple[str, ...], ...]  # the letters of each stored axis
    ours: tuple[str, ...]
    shared: str | None  # the letter of which there are r times fewer in the file

    @classmethod
    def parse(cls, text: str) -> "AxesPattern":
        """The pattern that a text like ``(H e) d -> H e d`` describes; no text is a number."""
        left, arrow, right = text.partition("->")
        found = [(pair or single).split() for pair, single in STORED.findall(left)]
        is_whole = not STORED.sub("", left).strip() and re.fullmatch(r"(\s*[A-Za-z]\w*)*\s*", right)
        letters = [letter for group in found for letter in group]
        shared = [letter.removesuffix(SHARED) for letter in letters if letter.endswith(SHARED)]
        names, ours = [letter.removesuffix(SHARED) for letter in letters], tuple(right.split())
        if (
            not (is_whole and (arrow or not text))
            or sorted(names) != sorted(ours)
            or len(set(ours)) < len(ours)
            or len(shared) > 1
        ):
            raise SpecError(
                f"axes are written as '(H e) d -> H e d', each letter once on both sides, at most one as 'H/r'; got {text!r}"
            )
        stored = tuple(tuple(letter.removesuffix(SHARED) for letter in group) for group in found)
        return cls(stored, ours, shared[0] if shared else None)

    def lengths(self, shape: tuple[int, ...], sizes: Mapping[str, int], parts: int, key: str) -> tuple[dict[str, int], int]:
        """The length of every letter, and r.

        Parameters
        ----------
        shape : of the stored array
        sizes : the lengths that are known
        parts : how many arrays share its first axis
        key : of the stored array, for errors

        Raises
        ------
        WeightsError
            The shape does not fit, or leaves a length open.
        """
        if len(shape) != len(self.stored):
            raise WeightsError(f"{key} must have shape ({self.words(parts)}); got shape {shape}")
        found, r = dict(sizes), 1
        for axis, (group, length) in enumerate(zip(self.stored, shape, strict=True)):
            r *= self.solve(group, length, parts if axis == 0 else 1, found, f"axis {axis} of {key}")
        return found, r

    def solve(self, group: tuple[str, ...], length: int, parts: int, found: dict[str, int], where: str) -> int:
        """Find the letter of one stored axis that is not known, or check the axis; r where this axis has it, else 1."""
        unknown = [letter for letter in group if letter not in found]
        if len(unknown) > 1:
            raise WeightsError(f"{where} has size {length} = {' · '.join(group)}: give one of {', '.join(unknown)} in the model")
        known = parts * math.prod(found[letter] for letter in group if letter in found)
        if unknown and length and length % known == 0:
            found[unknown[0]] = length // known
        elif not unknown and self.shared in group and length and known % length == 0:
            return known // length
        elif unknown or length != known:
            raise WeightsError(f"{where} has size {length}, {self.expectation(group, parts, found)}")
        return 1

    def expectation(self, group: tuple[str, ...], parts: int, found: Mapping[str, int]) -> str:
        """What an axis should be, in letters and numbers: ``not 3 · H · e = 3 · 4 · 8 = 96``."""
        letters = [*([str(parts)] if parts > 1 else []), *group]
        numbers = [*([str(parts)] if parts > 1 else []), *(str(found.get(letter, letter)) for letter in group)]
        if any(letter not in found for letter in group):
            return f"which is no multiple of {' · '.join(n for n in numbers if n.isdigit())}"
        product = parts * math.prod(found[letter] for letter in group)
        middle = f"{' · '.join(numbers)} = " if len(numbers) > 1 else ""
        tail = f", nor a part of it (as where several heads {self.shared} share one)" if self.shared in group else ""
        return f"not {' · '.join(letters)} = {middle}{product}{tail}"

    def words(self, parts: int) -> str:
        """The stored shape in letters, ``3 H e, d``."""
        axes = [" ".join(group) for group in self.stored]
        return ", ".join([f"{parts} {axes[0]}", *axes[1:]] if parts > 1 else axes)

    def read(self, stored: np.ndarray, lengths: Mapping[str, int], r: int) -> np.ndarray:
        """The stored array with the axes that it has here; a view where that is possible."""
        letters = [letter for group in self.stored for letter in group]
        split = stored.reshape([lengths[k] // (r if k == self.shared else 1) for k in letters])
        turned = split.transpose([letters.index(letter) for letter in self.ours])
        return turned if r == 1 else np.repeat(turned, r, axis=self.ours.index(self.shared))

    def write(self, array: np.ndarray, r: int) -> np.ndarray:
        """The array as it is stored; the inverse of :meth:`read`.

        Raises
        ------
        WeightsError
            The array has other axes, or heads that should share one differ.
        """
        if array.ndim != len(self.ours):
            raise WeightsError(f"an array of axes ({', '.join(self.ours)}) is needed; got shape {array.shape}")
        if r > 1:
            array = without_copies(array, self.ours.index(self.shared), r)
        lengths = dict(zip(self.ours, array.shape, strict=True))
        turned = array.transpose([self.ours.index(letter) for group in self.stored for letter in group])
        return np.ascontiguousarray(turned).reshape([math.prod(lengths[letter] for letter in group) for group in self.stored])


def without_copies(array: np.ndarray, axis: int, r: int) -> np.ndarray:
    """One of each r equal slices that follow each other."""
    kept = array.take(range(0, array.shape[axis], r), axis)
    if array.shape[axis] % r or not np.array_equal(np.repeat(kept, r, axis), array):
        raise WeightsError(f"{array.shape[axis]} heads are not groups of {r} equal ones, so that each group cannot share one")
    return kept
