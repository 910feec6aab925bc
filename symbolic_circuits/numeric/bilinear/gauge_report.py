r"""Which changes of basis leave the model unchanged, checked: each is applied and the outputs are compared, $\|f'(x) - f(x)\| / \|f(x)\|$.

A change is *unchanged* where the difference is no more than rounding makes (measured, by weights disturbed in their last digits), *changed* where it
is a thousand times that, else *undecided*. Unchanged at some inputs proves nothing; the laws are proved in proofs/bilinear-layers-from-weights.md
and, of rotary positions, proofs/real-transformers.md. Biases go with their matrices, and what norms, gates, positions and scores let pass is said
where it is claimed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import TokensError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.bilinear.gauge import Change, all_changes, stream_width
from symbolic_circuits.numeric.reference import forward
from symbolic_circuits.numeric.weights import Weights

__all__ = ["GaugeCheck", "GaugeReport", "gauge_report"]

CHANGED, UNCHANGED, UNDECIDED = "changed", "unchanged", "undecided"
POSITIONS, SEQUENCES = 5, 3
DISTURBED = 64 * np.finfo(float).eps  # of the largest entry of each array
ROUNDING, FAR = 100.0, 1e3


@dataclass(frozen=True, slots=True)
class GaugeCheck:
    """One change, what is claimed of it and what was found."""

    name: str
    words: str
    is_gauge: bool  # whether the model is claimed to stay the same function
    difference: float  # of the outputs, relative; NaN where they vanish
    verdict: str  # "unchanged", "changed" or "undecided"

    @property
    def as_claimed(self) -> bool:
        """Whether that is what was found."""
        return self.verdict == (UNCHANGED if self.is_gauge else CHANGED)


@displayed
@dataclass(frozen=True, slots=True)
class GaugeReport:
    """All changes; ``str(report)`` is a table."""

    model: str
    checks: tuple[GaugeCheck, ...]
    tolerance: float  # the relative difference that rounding may make
    seed: int

    @property
    def as_claimed(self) -> bool:
        """Whether everything was found as claimed."""
        return all(check.as_claimed for check in self.checks)

    def __str__(self) -> str:
        rows = [
            f"{c.name:12} {c.verdict:10} {c.difference:9.2e}  {c.words}{'' if c.as_claimed else '  (NOT AS CLAIMED)'}"
            for c in self.checks
        ]
        return "\n".join([f"changes of {self.model!r}; rounding makes up to {self.tolerance:.1e} (seed {self.seed})", *rows])


def gauge_report(weights: Weights, *, tokens: Sequence[object] | None = None, seed: int = 0) -> GaugeReport:
    """Apply every change of basis of the architecture, those that leave it the same and some that do not, and run the model.

    Parameters
    ----------
    tokens : sequences of tokens (or residual inputs) to run; three random ones by default
    seed : of the changes and the sequences

    Raises
    ------
    TokensError, WeightsError
        A sequence does not fit the weights; outputs are not finite.

    Examples
    --------
    >>> report = gauge_report(Weights.random("attn(2) bilinear", d=6, seed=0))
    >>> report.as_claimed, sum(check.is_gauge for check in report.checks), len(report.checks)
    (True, 8, 15)
    """
    weights = weights.astype(np.float64)
    sources = random_inputs(weights, seed) if tokens is None else [weights.source(as_numpy(row)) for row in tokens]
    if not sources:
        raise TokensError("at least one sequence is needed")
    before = outputs(weights, sources)
    tolerance = ROUNDING * relative(outputs(disturbed(weights, seed), sources), before) + ROUNDING * DISTURBED
    checks = tuple(checked(weights, sources, before, change, tolerance) for change in all_changes(weights, seed))
    return GaugeReport(str(weights.model), checks, tolerance, seed)


def checked(weights: Weights, sources: list, before: np.ndarray, change: Change, tolerance: float) -> GaugeCheck:
    """One change applied."""
    new = Weights(weights.model, dict(weights.arrays) | change.apply(dict(weights.arrays)))
    M, model = change.stream, weights.model
    given = sources if M is None or model.embedding else [source @ M.T for source in sources]
    after = outputs(new, given)
    if M is not None and not model.unembedding:
        after = after @ np.linalg.inv(M).T
    difference = relative(after, before)
    verdict = UNCHANGED if difference <= tolerance else CHANGED if difference > FAR * tolerance else UNDECIDED
    return GaugeCheck(change.name, change.words, change.is_gauge, difference, verdict)


def outputs(weights: Weights, sources: list) -> np.ndarray:
    """The outputs of all sequences, one below the other."""
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        found = np.concatenate([forward(weights.model, weights.arrays, source).output for source in sources])
    if not np.isfinite(found).all():
        raise WeightsError(f"outputs of {str(weights.model)!r} are not finite: scale the weights down")
    return found


def relative(after: np.ndarray, before: np.ndarray) -> float:
    """The norm of the difference over that of the output."""
    size = np.linalg.norm(before)
    return float(np.linalg.norm(after - before) / size) if size else float("nan")


def disturbed(weights: Weights, seed: int) -> Weights:
    """The weights with noise in their last digits."""
    generator = np.random.default_rng(seed)
    noise = lambda array: DISTURBED * np.abs(array).max() * generator.standard_normal(array.shape)  # noqa: E731
    return Weights(weights.model, {name: array + noise(array) for name, array in weights.arrays.items()})


def random_inputs(weights: Weights, seed: int) -> list[np.ndarray]:
    """Sequences of random tokens, or normal residual inputs."""
    model, generator = weights.model, np.random.default_rng(seed)
    n = model.n if isinstance(model.n, int) else POSITIONS
    if model.embedding:
        return [generator.integers(0, weights.size(model.V), n) for _ in range(SEQUENCES)]
    return [generator.standard_normal((n, stream_width(weights) or 4)) for _ in range(SEQUENCES)]
