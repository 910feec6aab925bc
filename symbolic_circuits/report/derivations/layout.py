"""The neutral layout of a derivation: chains of equations with a left side, lines, reasons and numbers, and what is said around them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sympy import MatrixSymbol
from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.pieces import is_sum
from symbolic_circuits.derivation.places import part as part_of
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.rules.sums import Rename, Reorder
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.report.derivations.convention import Columns, Rows
from symbolic_circuits.report.derivations.lines import Shown, changes, shown, without_long
from symbolic_circuits.report.derivations.marks import Marks, marked
from symbolic_circuits.report.derivations.names import checked_names, leaves_in
from symbolic_circuits.report.derivations.style import Style

__all__ = ["Chain", "Layout", "Line", "Prose", "Ref", "activations_of", "expressions", "laid_out"]

MAX_ROWS = 4  # a line of more rows between the first and the last is left out of the main steps
LONG = 30  # and so is the last line of a lemma, in favour of the line that it is substituted in


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to a numbered equation."""

    number: int


Prose: TypeAlias = tuple[str | Basic | Ref, ...]  # text, formulas and references in turn


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chain."""

    expr: Basic  # as it is printed, in the convention of the style
    reasons: tuple[Prose, ...]  # how it was made from the line before
    number: int | None


@dataclass(frozen=True, slots=True)
class Chain:
    """left = line = line = ..."""

    name: Basic | None  # what is derived, before the convention
    left: Basic | None  # None: the first line is the left side
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Layout:
    """What the writers write."""

    chains: tuple[Chain, ...]
    names: dict[str, str]  # as names are written
    marks: Marks
    turn: Rows | Columns  # the convention
    leaves: tuple[Basic, ...]  # tensors, sizes and indices that occur


def laid_out(derivation: Derivation, style: Style, rows_of: Callable[[Basic], int], extra: Iterable[Basic] = ()) -> Layout:
    """The layout in a style.

    Parameters
    ----------
    rows_of : how many rows a line takes where it is written
    extra : expressions that are written beside the derivation, whose names may be renamed

    Raises
    ------
    NotationError
        A name that is renamed, or an activation, does not occur; or two names are written alike.
    """
    leaves = leaves_in(expressions(derivation))
    names = checked_names(style.rename, leaves_in([*leaves, *extra]))
    marks, turn = Marks(), convention_of(derivation, style, leaves)
    builder = Builder(style, turn, marks, lambda expr: rows_of(turn(expr)))
    parts = list(derivation.parts())
    chains = tuple(builder.chain(part, part is parts[-1]) for part in parts)
    return Layout(chains, names, marks, turn, tuple(leaves))


def expressions(derivation: Derivation) -> Iterator[Basic]:
    """Lines, left sides, reasons, laws and definitions."""
    for part in derivation.parts():
        yield from part.lines
        if part.name is not None:
            yield part.name
        for tensor, stated in part.given:
            yield tensor
            yield from (law for law in stated if isinstance(law, Basic))
        for step in part.steps:
            yield from (piece for piece in step.rule.reason if isinstance(piece, Basic))


def activations_of(derivation: Derivation, leaves: Iterable[Basic]) -> tuple[MatrixSymbol, ...]:
    """The matrices of a model that have a row a position: its input, its streams and its output."""
    model = derivation.model
    if model is None:
        return ()
    tensors = ModelTensors(model)
    streams = {f"{letter}_{k}" for k in range(model.number_of_blocks + 1) for letter in "XNY"}
    gates = {block.G.name for block in tensors.blocks if getattr(block, "G", None) is not None}
    names = streams | gates | {"t", "X", "T", "W_pos"}
    matrices = [leaf for leaf in leaves if isinstance(leaf, MatrixSymbol) and leaf.name in names]
    found = [leaf for leaf in matrices if leaf.rows == model.n and leaf.cols != model.n]
    return tuple(dict.fromkeys([tensors.source, *found]))


def convention_of(derivation: Derivation, style: Style, leaves: Iterable[Basic]) -> Rows | Columns:
    """Rows as they are, or columns."""
    if style.convention == "row":
        return Rows()
    matrices = [leaf for leaf in leaves if isinstance(leaf, MatrixSymbol)]
    for name in style.activations:
        if name not in {matrix.name for matrix in matrices}:
            known = ", ".join(dict.fromkeys(matrix.name for matrix in matrices)) or "no matrices"
            raise NotationError(f"the activation {name!r} does not occur; there are {known}")
    stated = [matrix for matrix in matrices if matrix.name in style.activations]
    found = tuple(dict.fromkeys([*activations_of(derivation, leaves), *stated]))
    if not found:
        raise NotationError("column convention needs to know which matrices have a row a position: state them as activations")
    return Columns(found)


@dataclass
class Builder:
    """Makes chains one after the other, with the numbers of those before."""

    style: Style
    turn: Rows | Columns
    marks: Marks
    rows_of: Callable[[Basic], int]
    count: int = 0
    numbers: dict[Basic, int] = field(default_factory=dict)  # of what is derived, by name
    waiting: dict[Basic, tuple[Prose, ...]] = field(default_factory=dict)  # reasons of lines left out at the end of a lemma

    def chain(self, part: Derivation, is_last: bool) -> Chain:
        """One chain with its left side, marks, reasons and numbers."""
        lines, rest = self.selected(part, is_last)
        first = self.count + 1
        self.count += {"chain": 1, "line": max(1, len(lines) - starts_bare(part))}.get(self.style.numbering or "", 0)
        places = changes(lines) if self.style.marked else [[] for _ in lines]
        printed = [self.turn(marked(line.expr, where, self.marks), self.marks) for line, where in zip(lines, places, strict=True)]
        reasons = [self.reasons(line.steps) if self.style.reasons and self.style.detail != "result" else () for line in lines]
        if part.name is not None:
            self.waiting[part.name] = self.reasons(rest)
            if self.style.numbering:
                self.numbers[part.name] = self.count
        left = self.turn(part.name) if part.name is not None else None
        if is_own_name(part):
            left, printed, reasons = printed[0], printed[1:], reasons[1:]
        numbers = range(first, self.count + 1)
        given = [*[None] * (len(printed) - len(numbers)), *numbers]
        return Chain(part.name, left, tuple(Line(*found) for found in zip(printed, reasons, given, strict=True)))

    def selected(self, part: Derivation, is_last: bool) -> tuple[list[Shown], tuple[Step, ...]]:
        """The lines in the detail of the style, and the steps to a last line that is so long that only the next chain has it."""
        detail = self.style.detail
        lines = tidied(shown(part, detail), Reorder if detail == "every" else Rename | Reorder)
        if detail == "every":
            return lines, ()
        if detail == "main":
            lines = without_long(lines, lambda expr: self.rows_of(expr) > MAX_ROWS)
        if not is_last and len(lines) > 1 and not is_own_name(part) and self.rows_of(lines[-1].expr) > LONG:
            return lines[:-1], lines[-1].steps
        return lines, ()

    def reasons(self, steps: Sequence[Step]) -> tuple[Prose, ...]:
        """What was done, each thing once; renaming and reordering only where nothing else was."""
        telling = [step for step in steps if not isinstance(step.rule, Rename | Reorder)] or steps
        return tuple(dict.fromkeys(reason for step in telling for reason in self.reasons_of(step)))

    def reasons_of(self, step: Step) -> Iterator[Prose]:
        """The words of one step, with a reference to the lemma that is substituted, and what that was left to show."""
        pieces = tuple(self.turn(piece) if is_compound(piece) else piece for piece in step.rule.reason if piece != "")
        if isinstance(step.rule, Substitute) and step.rule.symbol in self.numbers:
            yield (*pieces, " from ", Ref(self.numbers[step.rule.symbol]))
        else:
            yield pieces
        if isinstance(step.rule, Substitute):
            yield from self.waiting.get(step.rule.symbol, ())


def tidied(lines: Sequence[Shown], tidying: type) -> list[Shown]:
    """Lines that only tidy up, in place of those before them: the order of summands is one that the writers choose anyway."""
    kept: list[Shown] = []
    for line in lines:
        tidy = line.steps and all(isinstance(step.rule, tidying) and is_tidying(step) for step in line.steps)
        if tidy and len(kept) > 1:
            kept[-1] = Shown(line.expr, (*kept[-1].steps, *line.steps))
        else:
            kept.append(line)
    return kept


def is_tidying(step: Step) -> bool:
    """Whether a step changes names, or the order of summands; the order of factors of an elementwise product is worth a line."""
    return isinstance(step.rule, Rename) or is_sum(part_of(step.source, step.place))


def is_own_name(part: Derivation) -> bool:
    """Whether what is derived is the first line itself."""
    return part.name is not None and part.name == part.start and bool(part.steps)


def starts_bare(part: Derivation) -> bool:
    """Whether the first line stands on the left side, and so has no number."""
    return is_own_name(part) or (part.name is None and bool(part.steps))


def is_compound(piece: object) -> bool:
    """Whether a piece of a reason is more than the name of a tensor."""
    return isinstance(piece, Basic) and not isinstance(piece, MatrixSymbol)
