"""An expansion and weights belong together: one architecture, and every size that the expansion fixes is that of the arrays."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.errors import SpecError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.weights import find_sizes, layout
from symbolic_circuits.spec import Attention, Bilinear, Parallel, Transformer

__all__ = ["require_match", "require_output", "without_sizes"]


def without_sizes(model: Transformer) -> Transformer:
    """The architecture of a model, all sizes but the numbers of heads left open."""

    def opened(block: Attention | Bilinear | Parallel) -> Attention | Bilinear | Parallel:
        if isinstance(block, Parallel):
            return replace(block, blocks=tuple(map(opened, block.blocks)))
        return replace(block, e=size_symbol("e")) if isinstance(block, Attention) else replace(block, m=None)

    sizes = {letter: size_symbol(letter) for letter in ("n", "d", "V")}
    return replace(model, blocks=tuple(map(opened, model.blocks)), **sizes)


def require_output(expansion: PathExpansion, what: str) -> None:
    """Raise SpecError unless the terms of an expansion are of the output, not of scores."""
    if expansion.grammar.root is not None:
        raise SpecError(
            f"{what} is of terms of the output; {expansion.title} are terms of scores: contributions(expansion, frozen, position=query, "
            "direction=key) has the value of each"
        )


def require_match(expansion: PathExpansion, model: Transformer, arrays: Mapping[str, np.ndarray], positions: int | None) -> None:
    """Raise unless the terms of an expansion can be evaluated on these arrays.

    Raises
    ------
    SpecError
        The expansion is of another architecture, its heads are symbols or left open, or its number of positions is another.
    WeightsError
        A size that the expansion fixes differs; the message names both and where they come from.
    """
    expanded = expansion.model
    if without_sizes(expanded) != without_sizes(model):
        raise SpecError(f"the expansion is of {str(expanded)!r}, but the weights are of {str(model)!r}")
    used = (production.component for rules in expansion.grammar.nonterminals for production in rules)
    if any(component is not None and component.kind == "attn" and component.head is None for component in used):
        raise SpecError(f"the terms of {expansion} leave heads open, so that they have no value: evaluate the expansion itself")
    find_sizes(layout(expanded), arrays)
    if isinstance(expanded.n, int) and positions not in (None, expanded.n):
        raise SpecError(f"the expansion is of n={expanded.n} positions, but the sequence has {positions}")
