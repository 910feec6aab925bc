r"""The terms of a query at other inputs, summed by state: s(y) is the value of a term in the run of another input, with all that is held there.

What is put in are means over the inputs, so that they are found once, however many inputs they are put into.
"""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.held import held_of_runs, linear
from symbolic_circuits.numeric.interventions.products import Choice, Product, joined
from symbolic_circuits.numeric.interventions.wiring import Group, Wires

__all__ = ["SourceValues", "is_computed"]


class SourceValues:
    """Means of s over the runs of other inputs.

    Attributes
    ----------
    fresh : for each nonterminal, the terms of each state, (states, n, width)
    means : (nonterminal, number of the group) -> the same of the terms of one component; of leaves, and of all where it is asked for
    overwritten : (nonterminal, number of the group) -> what is put in without being computed anew: of a component with one input
        for each flow by the state of the input; of one with several, behind their weights, by the state of the result
    """

    def __init__(self, wires: Sequence[Wires], runs: Sequence[Frozen], *, activations: bool, by_component: bool) -> None:
        self.wires, self.runs, self.activations, self.by_component = wires, list(runs), activations, by_component
        self.dtype = dtype_of(self.runs[0])
        self.fresh: list[np.ndarray] = []
        self.means: dict[tuple[int, int], np.ndarray] = {}
        self.overwritten: dict[tuple[int, int], list[np.ndarray] | np.ndarray] = {}
        live: dict[int, np.ndarray] = {}
        for k, node in enumerate(wires):
            live[k] = self.node(k, node, live)
            self.fresh.append(live[k].mean(axis=1))
            live = {source: values for source, values in live.items() if wires[source].last_use > k}

    def node(self, k: int, node: Wires, live: dict[int, np.ndarray]) -> np.ndarray:
        """The sums of s of one nonterminal, (states, inputs, n, width)."""
        out = np.zeros((len(node.states), len(self.runs), *self.runs[0].x0.shape), dtype=self.dtype)
        for g, group in enumerate(node.groups):
            given = out if not self.by_component and group.flows[0].sources else np.zeros_like(out)
            self.add(given, (k, g), group, live)
            if given is not out:
                self.means[k, g] = given.mean(axis=1)
                out += given
        return out

    def add(self, out: np.ndarray, key: tuple[int, int], group: Group, live: dict[int, np.ndarray]) -> None:
        """The terms of one component."""
        component, first = group.component, group.flows[0]
        if not first.sources:
            out[first.targets[0]] += np.stack([run.leaf(component) for run in self.runs])
        elif len(first.sources) > 1:
            self.add_product(out, key, group, live)
        else:
            self.add_linear(out, key, group, live)

    def add_linear(self, out: np.ndarray, key: tuple[int, int], group: Group, live: dict[int, np.ndarray]) -> None:
        """A component with one input, or terms that pass by."""
        component, kept = group.component, []
        held = None if component is None else held_of_runs(component, self.runs)
        for flow in group.flows:
            values = live[flow.sources[0]]
            values = values if component is None else linear(self.runs[0], component, held, values)
            for target, (place,) in zip(flow.targets, flow.places, strict=True):
                out[target] += values[place]
            if self.activations and group.all_inside:
                kept.append(values.mean(axis=1))
        if kept:
            self.overwritten[key] = kept

    def add_product(self, out: np.ndarray, key: tuple[int, int], group: Group, live: dict[int, np.ndarray]) -> None:
        """A component with several inputs."""
        product = Product(self.runs[0], group.component)
        hidden = np.zeros((*out.shape[:-1], product.width), dtype=self.dtype)
        kept = np.zeros((len(out), *hidden.shape[2:]), dtype=self.dtype)
        for target, value, choice in joined(product, group, lambda slot, source: live[source]):
            hidden[target] += value
            if self.activations and not is_computed(group, choice, self.wires):
                kept[target] += value.mean(axis=0)
        out += product.written(hidden)
        if self.activations:
            self.overwritten[key] = kept


def is_computed(group: Group, choice: Choice, wires: Sequence[Wires]) -> bool:
    """Whether what is put in for terms of several inputs is computed from these: where one of them is put in, or decides."""
    return not group.all_inside and any(
        wires[source].inside[place] or group.decides[slot][source][place] for slot, (source, place) in enumerate(choice)
    )
