r"""Components with several inputs, linear in each: $W_{out}(W_1 x \odot W_2 y)$, and heads whose patterns are polynomials, $A(x, y) z W_V^T W_O^T$.

Each input is *projected* once a state, projections are *joined* once a choice of states, and the sums are *written* once a result.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.interventions.wiring import Group
from symbolic_circuits.numeric.scores import masked, reading

__all__ = ["Choice", "Product", "joined"]

Choice: TypeAlias = tuple[tuple[int, int], ...]  # for each slot: a nonterminal, and the place of a state of it


class Product:
    """One such component of a frozen model.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("[rotary] attn(1, linear)", seed=0), [1, 2, 3])
    >>> head = Product(frozen, sc.path_expansion(frozen.model).components["attn.0[0]"])
    >>> parts = [head.projected(slot, frozen.x0) for slot in range(3)]
    >>> out = head.written(head.joined(head.begun(parts[:-1]), parts[-1]))
    >>> bool(np.allclose(frozen.x0 + out, frozen.forward().streams[1]))
    True
    """

    def __init__(self, frozen: Frozen, component: Component) -> None:
        self.frozen, self.component, self.arrays = frozen, component, frozen.arrays
        self.is_layer = component.kind == "bilinear"
        self.name = f"{component.kind}.{component.layer}"

    @property
    def width(self) -> int:
        """m of a layer, e of a head."""
        return len(self.arrays[f"{self.name}.W_1"]) if self.is_layer else self.arrays[f"{self.name}.W_V"].shape[1]

    def projected(self, slot: int, x: np.ndarray) -> np.ndarray:
        """What an input (..., n, width) is behind its weights, (..., n, m) or (..., n, e)."""
        if self.is_layer:
            return x @ self.arrays[f"{self.name}.W_{2 if slot and not self.component.is_tied else 1}"].T
        where = self.component.slots[slot]
        if where == "value":
            return x @ self.arrays[f"{self.name}.W_V"][self.component.head].T
        letter = ("Q" if where.startswith("query") else "K") + where[-1] * where[-1].isdigit()
        return reading(self.frozen, self.component, letter, x)

    def begun(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        """All projections but the last one joined: W_1 x; or the pattern."""
        if self.is_layer:
            return parts[0]
        scores = [query @ np.swapaxes(key, -1, -2) for query, key in zip(parts[::2], parts[1::2], strict=True)]
        return masked(scores[0] if len(scores) == 1 else scores[0] * scores[1])

    def joined(self, begun: np.ndarray, last: np.ndarray) -> np.ndarray:
        """And the last one."""
        return begun * last if self.is_layer else begun @ last

    def written(self, hidden: np.ndarray) -> np.ndarray:
        """The output, (..., n, width)."""
        if not self.is_layer:
            return hidden @ self.arrays[f"{self.name}.W_O"][self.component.head].T
        W_out = self.arrays.get(f"{self.name}.W_out")
        return hidden if W_out is None else hidden @ W_out.T

    def at(self, inputs: Sequence[np.ndarray]) -> np.ndarray:
        """The output at one stream for each input."""
        parts = [self.projected(slot, x) for slot, x in enumerate(inputs)]
        return self.written(self.joined(self.begun(parts[:-1]), parts[-1]))

    def change(self, inputs: Sequence[np.ndarray], changes: Sequence[np.ndarray]) -> np.ndarray:
        """c(x_1 + d_1, ...) - c(x_1, ...) for changes (B, n, width): one input after the other, so that small ones keep their digits."""
        parts = [self.projected(slot, x) for slot, x in enumerate(inputs)]
        new = [self.projected(slot, x) for slot, x in enumerate(changes)]
        hidden = 0
        for slot, own in enumerate(new):
            mixed = [old + other for old, other in zip(parts[:slot], new, strict=False)] + [own, *parts[slot + 1 :]]
            hidden = hidden + self.joined(self.begun(mixed[:-1]), mixed[-1])
        return self.written(hidden)


def joined(
    product: Product,
    group: Group,
    given: Callable[[int, int], np.ndarray],
    wanted: Callable[[Choice], bool] | None = None,
) -> Iterator[tuple[int, np.ndarray, Choice]]:
    """What a component makes of each choice of states, behind its weights (m or e wide): the place of its state, the value, the choice.

    Parameters
    ----------
    given : the streams by state (states, ..., n, width) of an input, of its slot and nonterminal; each is asked for once
    wanted : of which choices; all by default
    """
    known: dict[tuple[int, int], np.ndarray] = {}
    for flow in group.flows:
        for slot, source in enumerate(flow.sources):
            if (slot, source) not in known:
                known[slot, source] = product.projected(slot, given(slot, source))
        parts = [known[slot, source] for slot, source in enumerate(flow.sources)]
        begun, last = None, None
        for target, places, factor in zip(flow.targets, flow.places, flow.factors, strict=True):
            choice = tuple(zip(flow.sources, places, strict=True))
            if wanted is not None and not wanted(choice):
                continue
            if places[:-1] != last:
                begun, last = product.begun([part[p] for part, p in zip(parts[:-1], places[:-1], strict=True)]), places[:-1]
            value = product.joined(begun, parts[-1][places[-1]])
            yield target, factor * value, choice
