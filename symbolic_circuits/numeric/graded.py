r"""The sum of all terms of each grade, $X_L = \sum_k x_k$, with what is left after every grade: the remainder $\|X_L - \sum_{i \le k} x_i\| / \|X_L\|$.

*Descriptive accuracy* is that remainder; *predictive accuracy* is the loss of the output of the grades up to k. Grades may
cancel: $\sum_k \|x_k\| / \|X_L\|$ says by how much, and so how many digits of the sum are lost.

References
----------
Elhage et al. 2021, A Mathematical Framework for Transformer Circuits: the n-th run of their ablation algorithm is the sum of the
grades by height up to n - 1 (on attention-only models, by order).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, SpecError, WeightsError
from symbolic_circuits.expansion.expansion import PathExpansion, interpret, path_expansion
from symbolic_circuits.expansion.grammar import grammar_of
from symbolic_circuits.numeric.activations import last_stream
from symbolic_circuits.numeric.array_library import as_numpy, library_of, same_kind
from symbolic_circuits.numeric.checking import AGREES, DIFFERS, UNDECIDED
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.grade_counts import GradeCounts
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.graded_budget import dtype_of
from symbolic_circuits.numeric.graded_series import heads_of
from symbolic_circuits.numeric.graded_streams import graded_streams
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.output_places import places, require_grade, targets_read, tokens_read
from symbolic_circuits.numeric.rounding import relative_rounding
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["GradedSums", "graded"]

MAX_COUNTED = 2048  # grades whose terms are counted; the work grows with the square
FORWARD, TERMS = "the forward pass with these patterns", "the sum of its terms, ungraded"


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class GradedSums:
    """What :func:`graded` found. Arrays have one row a grade; norms are over the positions asked for.

    Streams, logits and the total are tensors where the weights were; everything else is in NumPy.

    Examples
    --------
    >>> weights = Weights.random("attn(1) bilinear", d=8, V=5, seed=0)
    >>> sums = graded("attn(1) bilinear", weights, [1, 2, 3], by="degree", positions=[-1])
    >>> sums.grades, sums.terms, sums.streams.shape, sums.logits.shape
    ((1, 2), (2, 4), (2, 1, 8), (2, 1, 5))
    >>> bool(np.allclose(sums.streams.sum(axis=0), sums.total)), sums.is_complete, sums.verdict
    (True, True, 'agrees')
    >>> list(sums.rows()[0])
    ['grade', 'terms', 'norm', 'share', 'remainder']
    """

    expansion: PathExpansion
    by: str
    up_to: int | None  # the highest grade asked for
    lowest: int | None  # of the grades that there are; None where there are no terms
    highest: int | None
    grades: tuple[int, ...]
    terms: tuple[int, ...] | None  # number of terms of each grade; None where there are over MAX_COUNTED grades
    positions: tuple[int, ...]
    streams: (
        np.ndarray
    )  # (grades, positions, d), or (grades, positions, n) of scores; after the last norm; the bias b_U is no part of it
    logits: np.ndarray | None  # (grades, positions, tokens), b_U in grade 0; None without unembedding
    logits_of: tuple[int, ...]  # the tokens
    norms: np.ndarray  # (grades,) norm of the stream
    shares: np.ndarray  # (grades,) <x_k, X> / <X, X>, which add up to 1 where no grade is left out
    remainders: np.ndarray  # (grades,) norm of what is left after this grade over that of X: the descriptive accuracy
    remainder: float  # after the last grade
    tolerance: float  # the remainder that rounding may explain
    cancellation: float  # sum of the grades' norms over the norm of X
    total: np.ndarray  # (positions, d) X
    total_of: str  # what X is: the forward pass, or the sum of the terms of a part of an expansion
    losses: np.ndarray | None  # (grades,) mean cross entropy, in nats, of the grades so far: the predictive accuracy
    loss: float | None  # that of X

    @property
    def is_complete(self) -> bool:
        """Whether no grade is left out."""
        return self.highest is None or self.up_to is None or self.up_to >= self.highest

    @property
    def verdict(self) -> str:
        """Whether the grades add up: DIFFERS where all are there and rounding does not explain what is left.

        UNDECIDED where the total vanishes, or cancellation leaves no digits.
        """
        if not np.isfinite(self.remainder) or (self.is_complete and self.tolerance >= 1):
            return UNDECIDED
        return DIFFERS if self.is_complete and self.remainder > self.tolerance else AGREES

    def rows(self) -> list[dict[str, int | float | None]]:
        """One row a grade: grade, terms, norm (over that of X), share, remainder, and loss where there are targets."""
        size = float(np.linalg.norm(as_numpy(self.total)))
        out = []
        for k, grade in enumerate(self.grades):
            row = {
                "grade": grade,
                "terms": None if self.terms is None else self.terms[k],
                "norm": ratio(self.norms[k], size),
                "share": float(self.shares[k]),
            }
            row["remainder"] = float(self.remainders[k])
            out.append(row if self.losses is None else row | {"loss": float(self.losses[k])})
        return out

    def to_dict(self) -> dict:
        """Plain data: what was asked, the rows, the logits of each grade; not the streams."""
        return {
            "model": str(self.expansion.model),
            "by": self.by,
            "up_to": self.up_to,
            "lowest": self.lowest,
            "highest": self.highest,
            "is_complete": self.is_complete,
            "verdict": self.verdict,
            "positions": list(self.positions),
            "rows": self.rows(),
            "remainder": self.remainder,
            "tolerance": self.tolerance,
            "cancellation": self.cancellation,
            "total_of": self.total_of,
            "total_norm": float(np.linalg.norm(as_numpy(self.total))),
            "loss": self.loss,
            "logits_of": list(self.logits_of),
            "logits": None if self.logits is None else self.logits.tolist(),
        }

    def summary(self) -> str:
        """What is left, in words, and whether grades are left out."""
        if self.highest is None:
            return "there are no terms, so there are no grades"
        all_there = f"that is all there is, by {self.by} {self.lowest} to {self.highest}"
        asked = "" if self.up_to is None or self.up_to <= self.highest else f" ({self.by} {in_words(self.up_to)} was asked for)"
        left_out = f"grades {max(self.lowest, 1 + (self.up_to or 0))} to {in_words(self.highest)} are left out"
        return (
            f"remainder {self.remainder:.2e} of {self.total_of}: {all_there + asked if self.is_complete else left_out}; "
            f"sum of the grades' norms over that of the total: {self.cancellation:.3g}"
        )

    def __str__(self) -> str:
        terms = "terms" if self.terms is None else f"{in_words(sum(self.terms))} terms"
        head = f"{terms} of {str(self.expansion.model)!r} by {self.by}, {len(self.grades)} grades"
        return f"{head}\n  {self.summary()}"


def graded(
    expansion: PathExpansion | Transformer | str,
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    by: str = "order",
    up_to: int | None = None,
    positions: Sequence[int] | None = None,
    logits: Sequence[int] | None = None,
    targets: Sequence[int] | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> GradedSums:
    """The exact sum of all terms of each grade, in the stream and in logits; one pass, no term is listed.

    Parameters
    ----------
    expansion : the path expansion of the weights' model, or a part of it; or of the scores of a head, whose sums (n, n) then stand for streams
    weights, tokens : weights with one sequence (n,), or the residual input (n, d) of a model without embedding; or weights that are
        frozen already, as arrays or tensors. Of tensors, the forward pass that the remainder is against is NumPy's
    by : "order" (heads and bilinear layers passed), "height" (how deep they are nested), "degree" (copies of the input), "heads"
        or "bilinears"
    up_to : the highest grade wanted; all that there are by default, and where it exceeds them
    positions : those that are reported, from the end where negative; all by default
    logits : tokens whose logits are reported; all by default
    targets : the right token at each of the positions, for the loss
    max_bytes : limit on the memory for streams and logits
    progress : called with the number of streams done and of all, counted by grade

    Raises
    ------
    BudgetError
        The grades take more memory than the limit; raised before it is spent.
    NotationError, TermIndexError
        There is no such grading; ``up_to`` is negative.
    SpecError, TokensError, WeightsError
        The weights are of another model; tokens, positions or targets are out of range; activations overflow.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> sums = graded(sc.path_expansion(weights.model), weights, [3, 4, 31], positions=[-1], logits=[7], targets=[7])
    >>> sums.grades, sums.terms
    ((0, 1, 2, 3), (1, 3, 4, 4))
    >>> [f"{loss:.3f}" for loss in sums.losses], sums.verdict
    (['3.473', '9.819', '5.840', '0.000'], 'agrees')
    """
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    require_grade(up_to)
    require_match(expansion, weights.model, weights.weights if isinstance(weights, Frozen) else weights.arrays, None)
    bounds = expansion.interpret(GradeRanges(by))
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = weights if isinstance(weights, Frozen) else freeze(weights, tokens)
        host = frozen.to_numpy()
        where = places(frozen, positions)
        root = expansion.grammar.root
        if root is not None and (logits is not None or targets is not None):
            raise SpecError(f"logits and targets are of the output; {expansion.title} are terms of scores, which have none")
        chosen = [] if root is not None else tokens_read(frozen, logits, "logits")
        right = targets_read(frozen, targets, len(where))
        total, total_of = total_of_expansion(expansion, host)
        high = None if bounds is None else bounds[1] if up_to is None else min(up_to, bounds[1])
        number = 0 if bounds is None else max(0, high - bounds[0] + 1)
        require_output(expansion, frozen, number, len(where), len(chosen), max_bytes)
        series = graded_streams(expansion, frozen, by, up_to=high, max_bytes=max_bytes, progress=progress)
    found = library_of(series.array).permute_dims(series.array[where], (1, 0, 2))
    read, whole = (
        np.ascontiguousarray(as_numpy(found)),
        total[where],
    )  # what the unembedding reads, the constant coordinate included
    read = np.concatenate([read, np.zeros((number - len(read), *read.shape[1:]), read.dtype)])  # no term is of the last grades
    if not np.isfinite(read).all():
        raise WeightsError(f"grades of {str(expansion.model)!r} by {by} overflow {read.dtype}: scale the weights down")
    d = frozen.positions if root is not None else frozen.width - frozen.model.has_constant
    streams, total = read[..., :d], whole[:, :d]
    grades = tuple(range(bounds[0], bounds[0] + number)) if number else ()
    W_U = host.arrays["W_U"] if host.model.unembedding and root is None else None
    remainders = remainders_of(streams, total)
    size, norms = float(np.linalg.norm(total)), np.linalg.norm(streams, axis=(1, 2))
    return GradedSums(
        expansion=expansion,
        by=by,
        up_to=up_to,
        lowest=None if bounds is None else bounds[0],
        highest=None if bounds is None else bounds[1],
        grades=grades,
        terms=terms_of_grades(expansion, by, grades),
        positions=tuple(where),
        streams=same_kind(streams, found),
        logits=None if W_U is None else same_kind(read @ heads_of(W_U, chosen).T, found),
        logits_of=tuple(chosen) if W_U is not None else (),
        norms=norms,
        shares=np.array([ratio(np.vdot(x, total), size**2) for x in streams]),
        remainders=remainders,
        remainder=float(remainders[-1]) if len(remainders) else ratio(size, size),
        tolerance=relative_rounding(expansion, streams.dtype, ratio(norms.sum(), size)),
        cancellation=ratio(norms.sum(), size),
        total=same_kind(total, found),
        total_of=total_of,
        losses=None if right is None else losses_of(read, W_U, right),
        loss=None if right is None else cross_entropy(whole @ W_U.T, right),
    )


def terms_of_grades(expansion: PathExpansion, by: str, grades: Sequence[int]) -> tuple[int, ...] | None:
    """The number of terms of each grade."""
    if len(grades) > MAX_COUNTED:
        return None
    counts = expansion.interpret(GradeCounts(by, grades[-1])) if grades else {}
    return tuple(counts.get(grade, 0) for grade in grades)


def total_of_expansion(expansion: PathExpansion, frozen: Frozen) -> tuple[np.ndarray, str]:
    """The stream (n, width) that all grades add up to, and what it is: the reference forward pass where no term is left out."""
    root = expansion.grammar.root
    stream = last_stream(frozen) if root is None else frozen.reference(root)
    if expansion.grammar == grammar_of(expansion.model, root=root):
        return stream, FORWARD
    if expansion.is_empty and root is not None:
        return np.zeros_like(stream), TERMS
    return interpret(expansion, Streams(frozen)), TERMS


def require_output(expansion: PathExpansion, frozen: Frozen, grades: int, positions: int, tokens: int, max_bytes: int) -> None:
    """Raise BudgetError where the streams and logits that are given back exceed the limit."""
    needed = grades * positions * (2 * frozen.x0.shape[1] + tokens) * dtype_of(frozen).itemsize
    if needed > max_bytes:
        raise BudgetError(
            f"{in_words(grades)} grades of {str(expansion.model)!r} at {positions} positions and {tokens} logits take "
            f"{in_words(needed)} bytes; the limit is {max_bytes:,}: ask for fewer positions or logits"
        )


def remainders_of(streams: np.ndarray, total: np.ndarray) -> np.ndarray:
    """The remainder after each grade."""
    size, so_far, remainders = float(np.linalg.norm(total)), np.zeros_like(total), []
    for stream in streams:
        so_far = so_far + stream
        remainders.append(ratio(np.linalg.norm(total - so_far), size))
    return np.array(remainders)


def losses_of(streams: np.ndarray, W_U: np.ndarray, targets: Sequence[int]) -> np.ndarray:
    """The loss of the grades so far, after each grade."""
    so_far, losses = np.zeros_like(streams[:1]).sum(axis=0), []
    for stream in streams:
        so_far = so_far + stream
        losses.append(cross_entropy(so_far @ W_U.T, targets))
    return np.array(losses)


def cross_entropy(logits: np.ndarray, targets: Sequence[int]) -> float:
    """-log softmax(logits)[target] in nats, the mean over positions."""
    top = logits.max(axis=-1)
    normaliser = top + np.log(np.exp(logits - top[:, None]).sum(axis=-1))
    return float((normaliser - logits[np.arange(len(logits)), list(targets)]).mean())


def ratio(part: float, whole: float) -> float:
    """part / whole, or nan where the whole vanishes."""
    return float(part) / whole if whole else float("nan")
