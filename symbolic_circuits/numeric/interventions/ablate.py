r"""The terms of a query taken out of the output: $\sum_{y \notin Q} k(y) + \mathrm{put\ in}$; nothing, a mean or another input's terms put in.

With *frozen* patterns every term keeps the value that it has in its own run: the output is that of the terms outside of the query,
plus the terms of the query at the other inputs, each with what its own run holds: attention patterns, scales of norms, gates of
layers. It is a sum of two totals, exact.

With *recomputed* patterns (and scales, and gates), and where *activations* are replaced rather than whole terms, the run is done
anew stream by stream (:mod:`symbolic_circuits.numeric.interventions.levels`): each block sees the stream without the terms of the query that are in it, and with
what is put in.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, TokensError, WeightsError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.language import as_query
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.intervention import Intervention
from symbolic_circuits.numeric.interventions.levels import ACTIVATIONS, TERMS, IntervenedStream, Levels
from symbolic_circuits.numeric.interventions.runs import finite_run, inputs_of, require_choice, runs_of, whole_expansion
from symbolic_circuits.numeric.interventions.source_values import SourceValues
from symbolic_circuits.numeric.ranking.spectral import norm_bound
from symbolic_circuits.numeric.rounding import carried_rounding, relative_rounding
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["FROZEN", "RECOMPUTED", "WAYS", "Plan", "ablate", "inputs_for"]

WAYS = ("zero", "mean", "resample")
FROZEN, RECOMPUTED = "frozen", "recomputed"


@dataclass(frozen=True, slots=True)
class Plan:
    """An intervention before it is done: its options checked, its query compiled."""

    expansion: PathExpansion
    query: Query
    through: PathExpansion  # the terms of the query
    past: PathExpansion  # the others
    patterns: str
    replace: str
    levels: Levels | None  # for a run done anew; None where two totals suffice

    @classmethod
    def make(
        cls,
        expansion: PathExpansion | Transformer | str,
        query: Query | str,
        weights: Weights,
        patterns: str,
        replace: str,
        by: str,
    ) -> "Plan":
        """Check everything that needs no run."""
        require_choice("by", by, WAYS)
        require_choice("patterns", patterns, (FROZEN, RECOMPUTED))
        require_choice("replace", replace, (TERMS, ACTIVATIONS))
        query, expansion = as_query(query), whole_expansion(expansion, weights)
        anew = patterns == RECOMPUTED or (replace == ACTIVATIONS and by != "zero")
        levels = Levels(expansion, query) if anew else None
        return cls(expansion, query, expansion.where(query), expansion.where(~query), patterns, replace, levels)

    @property
    def is_anew(self) -> bool:
        """Whether the run is done anew; where no term is removed the patterns stay too."""
        return self.levels is not None and not self.through.is_empty

    def done(self, frozen: Frozen, sources: Iterable[Frozen], number: int, by: str, max_bytes: int = MAX_BYTES) -> Intervention:
        """The intervention on one run, with what a number of others put in; those are made as they are needed."""
        self.require_bytes(frozen, number, max_bytes)
        return self.with_values(frozen, self.put_in(sources, number), number, by)

    def put_in(self, sources: Iterable[Frozen], number: int) -> SourceValues | np.ndarray | None:
        """What the runs of other inputs put in, wherever it is put: values by state, or one stream; None where there are no such runs."""
        if not number:
            return None
        with np.errstate(all="ignore"):
            if self.is_anew:
                return self.levels.source_values(list(sources), replace=self.replace)
            return sum(self.through.interpret(Streams(source)) / number for source in sources)

    def with_values(self, frozen: Frozen, values: SourceValues | np.ndarray | None, number: int, by: str) -> Intervention:
        """The intervention on one run, with what a number of others put in."""
        with np.errstate(all="ignore"):  # what overflows is an error of its own
            removed = self.through.interpret(Streams(frozen))
            stream = self.stream(frozen, values, removed)
            run = stream.frozen.forward()
            before = run.output if stream.frozen is frozen else frozen.forward().output
            kept, same, put_in, removed = (frozen.output(x) for x in (stream.kept, stream.removed, stream.put_in, removed))
            remainder, cancellation = left_over(run.output, kept, same)
            tolerance = self.tolerance(stream.frozen, run.output, cancellation, remainder)
        if not np.isfinite([kept, put_in]).all():
            raise WeightsError(f"the terms of {self.past.title} overflow {kept.dtype} one by one: scale the weights down")
        return Intervention(
            expansion=self.expansion,
            query=self.query,
            number_of_terms=self.through.number_of_terms,
            by=by,
            patterns=self.patterns,
            replace=self.replace,
            inputs=number,
            frozen=frozen,
            before=before,
            after=before if self.through.is_empty else kept + put_in,
            removed=removed,
            put_in=put_in,
            attention=stream.patterns,
            remainder=remainder,
            cancellation=cancellation,
            tolerance=tolerance,
            scales=stream.frozen.scales,
            gates=stream.frozen.gates,
        )

    def require_bytes(self, frozen: Frozen, number: int, max_bytes: int) -> None:
        """Raise BudgetError where the streams of one total, or of the run done anew, take more memory than the limit."""
        if self.is_anew:
            self.levels.require_bytes(frozen, number, max_bytes)
            return
        streams = max(len(part.grammar.nonterminals) for part in (self.through, self.past))
        needed = streams * frozen.x0.size * dtype_of(frozen).itemsize
        if needed > max_bytes:
            raise BudgetError(
                f"{streams:,} streams by state of the query take {in_words(needed)} bytes; the limit is {max_bytes:,}: "
                "ask for smaller counts, or for less at once"
            )

    def tolerance(self, frozen: Frozen, output: np.ndarray, cancellation: float, remainder: float) -> float:
        """The remainder that rounding may explain; one that is larger than expected is held against the errors of the sums."""
        expected = relative_rounding(self.expansion, output.dtype, cancellation)
        if not remainder > expected:
            return expected
        size = float(np.linalg.norm(output)) / float(norm_bound(frozen.arrays["W_U"]) if frozen.model.unembedding else 1.0)
        sums = (self.expansion, self.through, self.past)
        return max(expected, carried_rounding(sums, frozen, range(frozen.positions), size))

    def stream(self, frozen: Frozen, values: SourceValues | np.ndarray | None, removed: np.ndarray) -> IntervenedStream:
        """The last stream: by two totals, or by a run done anew."""
        if self.is_anew:
            return self.levels.run(frozen, values, replace=self.replace, recomputed=self.patterns == RECOMPUTED)
        put_in = np.zeros_like(removed) if values is None else values
        return IntervenedStream(self.past.interpret(Streams(frozen)), removed, put_in, frozen)


def ablate(
    expansion: PathExpansion | Transformer | str,
    query: Query | str,
    weights: Weights,
    tokens: object,
    *,
    by: str = "zero",
    batch: Iterable[object] | None = None,
    other: object = None,
    patterns: str = FROZEN,
    replace: str = TERMS,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Intervention:
    """The output without the terms of a query, or with others in their place; no term is listed.

    Parameters
    ----------
    expansion : the path expansion of the weights' model, whole
    query : a text in the language of :mod:`symbolic_circuits.expansion.queries.language`, or a Query
    tokens : one sequence (n,), or the residual input (n, d) of a model without embedding
    by : "zero", "mean" over ``batch``, or "resample" from ``other``. Biases and positions are terms (``bias.0``, ``one``,
        ``position``), which a query takes out or leaves; norms are no steps, and biases and positions inside a softmax or a gate
        are no terms: they stay where patterns are recomputed
    batch : inputs like ``tokens``, of the same length, for the mean
    other : an input like ``tokens``, of the same length, to resample from
    patterns : "frozen": every term keeps the value of its own run, and with it the attention patterns, scales of norms and gates of
        that run; "recomputed": for the terms kept all three are computed from the intervened streams, in which the terms of the
        query are missing too: ``not heads = 2`` then takes the embedding from what attention reads. A path that ends in
        ``>> output`` takes terms from the output only, and no norm sees it. Patterns of heads without softmax are parts of the terms
        (unless the model holds them fixed)
    replace : "terms": what is put in is the value of whole terms in their own run. "activations": only what becomes part of the
        query is put in, and all that is built on it is computed in the intervened run; so ablating a head overwrites its
        output, as in activation patching (and that of components that read nothing else). The same for "zero".
    max_bytes : limit on the memory for streams by state of the query
    progress : called with the number of other inputs done and of all

    Raises
    ------
    TermError, BudgetError
        The text is not a query, or names a component that is not there; it takes too many states.
    NotationError
        There is no such way, or no such patterns.
    SpecError, TokensError, WeightsError
        The weights are of another model; inputs do not fit, are of different lengths, missing or not asked for; activations overflow.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> expansion = sc.path_expansion(weights.model)
    >>> found = ablate(expansion, "attn.0[1] > bilinear.1", weights, [3, 4, 31])
    >>> found.number_of_terms, found.verdict, f"{found.effect(token=7, against=8):.2f}"
    (5, 'agrees', '-47.16')
    >>> anew = ablate(expansion, "attn.0[1] > bilinear.1", weights, [3, 4, 31], by="resample", other=[5, 4, 31], replace="activations")
    >>> anew.rows(top=1)[0]["token"], bool(anew.effect(token=9, against=7) > 0)
    (7, True)
    """
    plan = Plan.make(expansion, query, weights, patterns, replace, by)
    given = inputs_for(by, batch, other)
    here = weights.source(tokens)
    others = [] if given is None else inputs_of(weights, given, len(here), "batch" if by == "mean" else "other")
    frozen = finite_run(weights, here, "the input at hand")
    return plan.done(frozen, runs_of(weights, others, progress), len(others), by, max_bytes)


def inputs_for(by: str, batch: Iterable[object] | None, other: object) -> list[object] | None:
    """The other inputs of a way to ablate; None where it has none."""
    wanted = {"mean": "batch", "resample": "other"}.get(by)
    for name, value in (("batch", batch), ("other", other)):
        if (value is not None) != (name == wanted):
            raise TokensError(f"by={by!r} takes {wanted or 'neither batch nor other'}; got {name}={value!r:.40}")
    return None if wanted is None else ([other] if wanted == "other" else batch)


def left_over(whole: np.ndarray, *parts: np.ndarray) -> tuple[float, float]:
    """The norm of what is left of the whole without its parts, and the sum of their norms, both over the norm of the whole."""
    size = float(np.linalg.norm(whole))
    if not size:
        return float("nan"), float("nan")
    left = np.linalg.norm(whole - sum(parts[1:], parts[0]))
    return float(left / size), float(sum(map(np.linalg.norm, parts)) / size)
