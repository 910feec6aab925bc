r"""The terms of a query swapped between two inputs: $\sum_{y \notin Q} y(x) + \sum_{y \in Q} y(x')$ and $\sum_{y \notin Q} y(x') + \sum_{y \in Q} y(x)$.

With frozen patterns and whole terms each term keeps the value of its own run, so that the two outputs add up to what they were: path
patching without an approximation. Otherwise each direction is an intervention of its own (see :mod:`symbolic_circuits.numeric.interventions.levels`).
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.interventions.ablate import FROZEN, TERMS, Plan
from symbolic_circuits.numeric.interventions.intervention import Intervention
from symbolic_circuits.numeric.interventions.runs import finite_run, inputs_of, runs_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["Patch", "patch"]


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Both directions of a swap.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.patch(weights.model, "heads = 2", weights, [3, 4, 31], [5, 4, 31])
    >>> int(found.before[-1].argmax()), int(found.after[-1].argmax())
    (7, 9)
    """

    clean: Intervention  # on the first input, terms of the second put in
    source: Intervention  # on the second input, terms of the first put in

    @property
    def before(self) -> np.ndarray:
        """The output at the first input, (n, V), or (n, d) without unembedding."""
        return self.clean.before

    @property
    def after(self) -> np.ndarray:
        """The same with the terms of the second input put in."""
        return self.clean.after

    @property
    def source_before(self) -> np.ndarray:
        """The output at the second input."""
        return self.source.before

    @property
    def source_after(self) -> np.ndarray:
        """The same with the terms of the first input put in."""
        return self.source.after

    def effect(
        self, position: int = -1, *, token: int | None = None, against: int | None = None, direction: object = None
    ) -> float:
        """How much a readout at the first input changes; see :meth:`Intervention.effect`."""
        return self.clean.effect(position, token=token, against=against, direction=direction)

    def share(
        self, position: int = -1, *, token: int | None = None, against: int | None = None, direction: object = None
    ) -> float:
        """That change over the difference of the readout between the two inputs: 1 where the terms carry all of it; nan without any."""
        wanted = self.clean.readout(position, token=token, against=against, direction=direction)
        whole = wanted.of(self.source_before - self.before)
        return wanted.of(self.after - self.before) / whole if whole else float("nan")

    def to_dict(self) -> dict:
        """Plain data of both directions."""
        return {"clean": self.clean.to_dict(), "source": self.source.to_dict()}

    def summary(self) -> str:
        """What the swap did to both outputs, in words."""
        return f"at the first input: {self.clean.summary()}\n  at the second: {self.source.summary()}"

    def __str__(self) -> str:
        return f"{str(self.clean).splitlines()[0]}\n  {self.summary()}"


def patch(
    expansion: PathExpansion | Transformer | str,
    query: Query | str,
    weights: Weights,
    tokens: object,
    source_tokens: object,
    *,
    patterns: str = FROZEN,
    replace: str = TERMS,
    max_bytes: int = MAX_BYTES,
) -> Patch:
    """Both outputs when two inputs swap the terms of a query; options and errors are those of :func:`ablate`.

    Parameters
    ----------
    tokens, source_tokens : two inputs of one length

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = patch(sc.path_expansion(weights.model), "bilinear.1", weights, [3, 4, 31], [5, 4, 31])
    >>> f"{found.share(token=9, against=7):.3f}"  # of 5 + 4 against 3 + 4
    '1.000'
    >>> bool(np.allclose(found.after + found.source_after, found.before + found.source_before, atol=1e-3))
    True
    """
    plan = Plan.make(expansion, query, weights, patterns, replace, "resample")
    here = weights.source(tokens)
    others = inputs_of(weights, [source_tokens], len(here), "the source")
    clean = finite_run(weights, here, "the input at hand")
    (source,) = runs_of(weights, others)
    return Patch(plan.done(clean, [source], 1, "resample", max_bytes), plan.done(source, [clean], 1, "resample", max_bytes))
