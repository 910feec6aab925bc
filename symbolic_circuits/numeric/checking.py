"""Do the terms add up to the forward pass? In float64, in float32, and exactly modulo a prime.

All terms are evaluated with the attention patterns of a forward pass held fixed, and their sum is compared with the output of
:mod:`symbolic_circuits.numeric.reference`. Rounding is judged against the sum of the terms' norms, because terms may cancel. The
exact check draws small integer weights and patterns at small sizes and compares modulo a prime: a nonzero polynomial
identity of degree D survives a draw with probability at most D / prime (Schwartz 1980, Zippel 1979).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, TermError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.grammar import Grammar, grammar_of
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.evaluate import output_values, stream_values
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.matching import require_match, without_sizes
from symbolic_circuits.numeric.weights import Weights, layout, norms_of
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["CheckReport", "Comparison", "ExactComparison", "check", "check_exactly"]

MAX_TERMS = 100_000
AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
PRIME = 2**28 - 57  # products of residues stay below 2^56, so that 128 of them add up in an int64
EXACT_SIZES = {"n": 3, "d": 4, "V": 5, "e": 2, "m": 3, "n_ctx": 4, "pairs": 1}
INCONCLUSIVE = 1e-3  # an exact check that errs with a larger probability shows nothing
ROUNDING = 32.0  # allowed rounding error, in units of machine epsilon times the sum of the terms' norms


@dataclass(frozen=True, slots=True)
class Comparison:
    """The sum of the terms against the forward pass in one floating-point type."""

    dtype: str
    error: float  # norm of the difference over the norm of the output
    tolerance: float  # what rounding may explain
    cancellation: float  # sum of the norms of the terms over the norm of the output

    @property
    def verdict(self) -> str:
        """AGREES where rounding explains the difference; UNDECIDED where the output vanishes or overflows."""
        if not np.isfinite([self.error, self.tolerance]).all():
            return UNDECIDED
        return AGREES if self.error <= self.tolerance else DIFFERS


@dataclass(frozen=True, slots=True)
class ExactComparison:
    """The sum of the terms against the forward pass modulo a prime."""

    prime: int
    sizes: tuple[tuple[str, int], ...]  # sizes at which the draw was made
    seed: int
    differing: int  # entries of the output that differ
    entries: int
    degree: int  # of the output as a polynomial in weights and patterns

    @property
    def verdict(self) -> str:
        """AGREES where every entry is equal and chance does not explain it."""
        if self.differing:
            return DIFFERS
        return AGREES if self.error_probability <= INCONCLUSIVE else UNDECIDED

    @property
    def error_probability(self) -> float:
        """Bound on the probability that a false expansion agrees at these sizes."""
        return min(1.0, self.degree / self.prime)


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class CheckReport:
    """What :func:`check` found."""

    expansion: PathExpansion
    float64: Comparison
    float32: Comparison
    exact: ExactComparison
    norms: np.ndarray  # (terms,) root mean square over sequences of the norm of each term's output
    shares: np.ndarray  # (terms,) <term, output> / <output, output>: they add up to 1, or are nan where the output vanishes
    parts_at: str | None  # the first step after which the partial sums part from the forward pass; None where they do not

    @property
    def verdict(self) -> str:
        """DIFFERS if one of the three does, else UNDECIDED if one is, else AGREES."""
        verdicts = {self.float64.verdict, self.float32.verdict, self.exact.verdict}
        return next(verdict for verdict in (DIFFERS, UNDECIDED, AGREES) if verdict in verdicts)

    @property
    def agrees(self) -> bool:
        """Whether the terms add up to the forward pass in all three senses."""
        return self.verdict == AGREES

    def largest(self, top: int | None = None) -> list[tuple[Term, float, float]]:
        """(term, norm, share) by falling norm."""
        order = np.argsort(-self.norms, kind="stable")[:top]
        return [(self.expansion[int(k)], float(self.norms[k]), float(self.shares[k])) for k in order]

    def __str__(self) -> str:
        count = self.expansion.number_of_terms
        words = {AGREES: "add up", DIFFERS: "DO NOT add up", UNDECIDED: "were not shown to add up"}[self.verdict]
        what = "forward pass" if self.expansion.grammar.root is None else "scores of the forward pass"
        lines = [f"{count} terms of {self.expansion.title} {words} to the {what}"]
        for part in (self.float64, self.float32):
            found = f"relative error {part.error:.1e}, rounding explains {part.tolerance:.1e}"
            lines.append(
                f"  {part.dtype}: {found if part.verdict != UNDECIDED else 'undecided, the output vanishes or overflows'}"
            )
        e = self.exact
        sizes = ", ".join(f"{name}={value}" for name, value in e.sizes)
        lines.append(
            f"  modulo {e.prime}: {e.differing} of {e.entries} entries differ at {sizes}; "
            f"error probability {e.error_probability:.0e}"
        )
        lines.append(f"  sum of the terms' norms over the norm of the output: {self.float64.cancellation:.3g}")
        if self.parts_at:
            lines.append(f"  the partial sums part at {self.parts_at}")
        return "\n".join(lines)


def check(
    expansion: PathExpansion | Transformer | str,
    weights: Weights,
    tokens: object,
    *,
    positions: Sequence[int] | None = None,
    limit: int = MAX_TERMS,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> CheckReport:
    """Evaluate all terms on weights and compare their sum with the forward pass.

    Parameters
    ----------
    expansion : the path expansion of the weights' model
    tokens : one sequence (n,), or several (b, n); residual inputs (n, d) or (b, n, d) for a model without embedding
    positions : output positions that are compared and reported; all by default
    limit : on the number of terms that are evaluated one by one
    seed : of the exact check
    progress : called with the number of evaluations done and of all

    Raises
    ------
    BudgetError
        There are more terms than the limit; the message has both.
    SpecError, TokensError
        Expansion and weights are of different models; tokens out of range.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> report = sc.check(sc.path_expansion(weights.model), weights, [3, 4, 31])
    >>> report.agrees, report.exact.differing
    (True, 0)
    """
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    if expansion.query is not None:
        raise TermError(f"the terms of {expansion.title} are not all terms, and need not add up to the forward pass")
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_match(expansion, weights.model, weights.arrays, None)
    if expansion.number_of_terms > limit:
        raise BudgetError(
            f"checking {str(expansion.model)!r} would evaluate {in_words(expansion.number_of_terms)} terms one by one; the limit is {limit:,}"
        )
    runs = [freeze(weights, sequence) for sequence in as_batch(weights, tokens)]
    report = (lambda done: progress(done, 2 * len(runs))) if progress else (lambda done: None)
    double, norms, shares = compare(expansion, runs, np.float64, positions, report)
    single, _, _ = compare(expansion, runs, np.float32, positions, lambda done: report(done + len(runs)))
    exact, integers = check_exactly(expansion, seed=seed)
    parts_at = None
    if DIFFERS in (double.verdict, exact.verdict):
        parts_at = first_difference(expansion, runs[0].astype(np.float64)) or first_difference(expansion, integers)
    return CheckReport(expansion, double, single, exact, norms, shares, parts_at)


def as_batch(weights: Weights, tokens: object) -> list[np.ndarray]:
    """One or several sequences as a list."""
    try:
        array = np.asarray(tokens)
    except ValueError as error:
        raise TokensError("several sequences must be of equal length") from error
    one = 1 if weights.model.embedding else 2
    if array.ndim not in (one, one + 1) or not len(array):
        raise TokensError(f"tokens are one sequence or several of equal length; got shape {array.shape}")
    return [array] if array.ndim == one else list(array)


def compare(
    expansion: PathExpansion,
    runs: Sequence[Frozen],
    dtype: type,
    positions: Sequence[int] | None,
    report: Callable[[int], None],
) -> tuple[Comparison, np.ndarray, np.ndarray]:
    """The comparison over all runs in one floating-point type, and norm and share of every term."""
    count = expansion.number_of_terms
    squares, inner = np.zeros(count), np.zeros(count)
    total = difference = sum_of_norms = 0.0
    with np.errstate(all="ignore"):  # what overflows is found in the result
        for done, run in enumerate((run.astype(dtype) for run in runs), start=1):
            values = output_values(expansion, run, positions).reshape(count, -1).astype(np.float64)
            reference = run.reference(expansion.grammar.root)
            output = reference[slice(None) if positions is None else list(positions)].astype(np.float64)
            squares += np.einsum("kv,kv->k", values, values)
            inner += values @ output.ravel()
            sum_of_norms += np.linalg.norm(values, axis=1).sum() ** 2
            difference += float(np.sum((values.sum(axis=0) - output.ravel()) ** 2))
            total += float(np.sum(output**2))
            report(done)
    if not (np.isfinite(total) and total > np.finfo(dtype).tiny):
        return Comparison(np.dtype(dtype).name, np.nan, np.nan, np.nan), np.sqrt(squares / len(runs)), np.full(count, np.nan)
    scale = np.sqrt(total)
    cancellation = float(np.sqrt(sum_of_norms) / scale)
    tolerance = ROUNDING * float(np.finfo(dtype).eps) * max(1.0, cancellation) * (1 + len(expansion.model.steps))
    result = Comparison(np.dtype(dtype).name, float(np.sqrt(difference) / scale), tolerance, cancellation)
    return result, np.sqrt(squares / len(runs)), inner / total


def check_exactly(expansion: PathExpansion, *, seed: int = 0) -> tuple[ExactComparison, Frozen]:
    """The terms against the forward pass modulo a prime, on random integers; and the integers."""
    model = without_sizes(expansion.model)
    generator = np.random.default_rng(seed)

    def draw(shape: tuple) -> np.ndarray:
        numbers = tuple(size if isinstance(size, int) else EXACT_SIZES[str(size)] for size in shape)
        return generator.integers(0, PRIME, numbers)

    arrays = {name: draw(shape) for name, shape in layout(model).items()}
    n, V = EXACT_SIZES["n"], EXACT_SIZES["V"]
    blocks = dict(model.numbered())
    attention = {k: spec for k, spec in blocks.items() if isinstance(spec, Attention)}
    patterns = {k: draw((spec.heads, n, n)) for k, spec in attention.items() if not spec.is_polynomial}
    gates = {k: draw((n, model.hidden_width(spec))) for k, spec in blocks.items() if k not in attention and spec.gate is not None}
    source = generator.integers(0, V, n) if model.embedding else draw((model.n, model.d))
    scales = {k: draw((n,)) for k in norms_of(model)}
    factors = {k: int(draw((1,))[0]) for k in attention}
    rotation = (draw((n, EXACT_SIZES["pairs"])), draw((n, EXACT_SIZES["pairs"])))
    frozen = Frozen(model, arrays, patterns, source, PRIME, scales, gates, factors, rotation)
    opened = PathExpansion(replace(expansion.grammar, model=model))  # the same terms, at other sizes
    terms = output_values(opened, frozen).sum(axis=0) % PRIME
    output = frozen.reference(expansion.grammar.root)
    sizes = tuple((name, value) for name, value in EXACT_SIZES.items() if size_symbol(name) in model.symbolic_sizes)
    return ExactComparison(PRIME, sizes, seed, int((terms != output).sum()), output.size, degree_bound(model)), frozen


def degree_bound(model: Transformer) -> int:
    """Degree of the output in the entries of weights, patterns, scales, gates and residual input."""
    normed = {"rms": 1, "layer": 1, None: 0}[model.norm] + model.gains
    degree = 1
    for step in model.steps:
        read = degree if model.post_norm else degree + normed
        grown = [degree_of_block(spec, read) for _, spec in step.blocks]
        degree = max([*grown, degree] if step.residual else grown) + normed * model.post_norm
    return degree + normed * model.has_final_norm + model.unembedding


def degree_of_block(spec: Attention | Bilinear, read: int) -> int:
    """Degree of what a block makes of a stream of some degree."""
    if isinstance(spec, Attention):
        scores = 2 * (read + 2) + 1  # rotated queries and keys, and their factor
        pattern = {"softmax": 1, "linear": scores, "bilinear": 2 * scores}[spec.scores if spec.is_polynomial else "softmax"]
        return read + 2 + pattern + spec.output_scale
    return (2 * read + 2 if spec.gate is None else read + 2) + spec.output


def first_difference(expansion: PathExpansion, frozen: Frozen) -> str | None:
    """The first step after which the sum of the terms so far is not the residual stream."""
    streams = frozen.forward().streams
    places = expansion.grammar.streams or grammar_of(expansion.model).streams
    for number, (stream, place) in enumerate(zip(streams, places, strict=False)):
        prefix = PathExpansion(Grammar(frozen.model, expansion.grammar.nonterminals[: place + 1]))
        values = stream_values(prefix, frozen)[..., : stream.shape[-1]]
        difference = frozen.reduce(values.sum(axis=0) - stream)
        size = np.abs(values).sum() if frozen.modulus is None else 0.0
        if np.abs(difference).max() > 1e-9 * size:
            step = "the input" if number == 0 else step_name(expansion.model, number - 1)
            return f"{step} ({'float64' if frozen.modulus is None else f'modulo {frozen.modulus}'})"
    return None


def step_name(model: Transformer, number: int) -> str:
    """The blocks of a step, ``attn.0`` or ``attn.0|bilinear.1``."""
    blocks = model.steps[number].blocks
    return "|".join(f"{'attn' if isinstance(spec, Attention) else 'bilinear'}.{index}" for index, spec in blocks)
