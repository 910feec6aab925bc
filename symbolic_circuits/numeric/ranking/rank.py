r"""The terms with the largest contribution to a logit or a direction, or with the largest norm, and a bound on all others.

Where the terms are few, each is evaluated, with shared subterms. Else they are searched: suffixes of heads are functionals on what they read,
bounded together with all terms that continue them (:mod:`symbolic_circuits.numeric.ranking.suffixes`), and pairs of a bilinear layer are
compared by norms (:mod:`symbolic_circuits.numeric.ranking.pair_search`). Either way the list comes with its certificate. Norms, biases,
positions and gates are searched like the rest; heads whose patterns are expanded are not, so that all terms are evaluated.
"""

import time
from collections.abc import Callable

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, CertificateError, NotationError, SpecError, TermIndexError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.interpret import fold, interpret_grammar
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.evaluate import MAX_BYTES, stream_contributions, stream_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.matching import require_match, require_output
from symbolic_circuits.numeric.output_places import places
from symbolic_circuits.numeric.ranking.ground import Ground
from symbolic_circuits.numeric.ranking.held_fixed import held_fixed
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.ranking import RankedTerm, Ranking
from symbolic_circuits.numeric.ranking.search import MAX_VALUES, Found, Limits, margin_at, margin_of, search
from symbolic_circuits.numeric.ranking.term_errors import TermErrors
from symbolic_circuits.numeric.readout import readout
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["margin_of_all", "rank", "read_at"]

FEW = 200_000  # terms that are evaluated one by one rather than searched
MOST = 2**25  # of models that are not searched
MAX_TOP = 100_000
RELATIVE = 1e-12  # rounding of bounds
UNDERFLOW = 1e-290  # values below lose digits
METHODS = ("auto", "every", "search")


def rank(
    expansion: PathExpansion | Transformer | str,
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    direction: object = None,
    top: int = 20,
    method: str = "auto",
    seconds: float | None = None,
    max_values: int = MAX_VALUES,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Ranking:
    """The terms with the largest absolute contribution to a readout, or with the largest norm, and a certificate for all others.

    Parameters
    ----------
    expansion : of the model of the weights, perhaps of a query
    weights, tokens : attention patterns are those of the forward pass on these tokens; or weights that are frozen already
    position : of the output, from the end where negative
    token, against : the logit of a token, less that of another where there is one
    direction : a vector on the last axis of the output, instead of tokens; with none of the three, terms are ranked by the norm of
        their output at the position
    top : how many terms are wanted; fewer where there are fewer, or where all others are zero
    method : "every" evaluates every term, "search" bounds most of them; "auto" takes the first for up to 200,000 terms
    seconds, max_values : after its first narrow pass the search ends when so long has passed, or so many values and bounds are
        computed, with the bound that it has reached
    max_bytes : limit on the memory for values of terms
    progress : called with the passes done and of all

    Raises
    ------
    TermIndexError
        ``top`` is not a number from 1 to 100,000.
    BudgetError
        The terms take more memory than the limit; raised before it is spent. Or there are over 33 million, of a model that is not
        searched.
    SpecError, TokensError, WeightsError
        A search is asked for where patterns are expanded; the weights are of another model; tokens, position or direction do not fit; activations overflow.

    References
    ----------
    Fagin, Lotem and Naor 2003, Optimal aggregation algorithms for middleware: the threshold algorithm.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = rank(sc.path_expansion(weights.model), weights, [3, 4, 31], token=7, top=2)
    >>> [f"{value:.2f} {term}" for term, value in found]
    ['22.49 bilinear.1(attn.0[0](embed), attn.0[1](embed))', '11.02 bilinear.1(attn.0[1](embed), attn.0[0](embed))']
    >>> found.is_certified, bool(found.bound < 11)
    (True, True)
    """
    start = time.perf_counter()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_request(top, method, seconds, max_values)
    frozen = held_fixed(weights, tokens)
    require_output(expansion, "a ranking")
    require_match(expansion, frozen.model, frozen.weights, frozen.positions)
    finite_forward(frozen)
    root, rounding, place, words = read_at(frozen, position, token, against, direction)
    few = is_evaluated(expansion, method)
    with np.errstate(all="ignore"):  # bounds that overflow are an error of their own
        if expansion.is_empty:
            found = Found(is_closed=True)
        elif few:
            found = evaluated_all(expansion, frozen, root, rounding, place, top, max_bytes)
        else:
            limits = Limits(seconds, max_values, max_bytes)
            found = search(expansion, frozen, root, place, top, rounding=rounding, limits=limits, progress=progress)
        listed = recomputed(found, frozen, root, place)
    order = sorted(listed, key=lambda ranked: (-abs(ranked.value), expansion.index(ranked.term)))
    margin = found.margin + RELATIVE * found.bound
    return Ranking(
        expansion=expansion,
        what=words,
        terms=tuple(order),
        bound=found.bound + margin,
        margin=margin,
        total=value_of(root, expansion.interpret(Streams(frozen))[place]),
        top=int(top),
        is_norm=len(root) > 1,
        evaluated=found.evaluated,
        bounded=found.bounded,
        stopped=found.stopped,
        seconds=time.perf_counter() - start,
    )


def require_request(top: object, method: str, seconds: float | None, max_values: int) -> None:
    """Raise unless these can be asked for."""
    if isinstance(top, bool) or not hasattr(top, "__index__") or not 1 <= top <= MAX_TOP:
        raise TermIndexError(f"top is how many terms are wanted, from 1 to {MAX_TOP:,}; got {top!r}")
    if method not in METHODS:
        raise NotationError(f"a method is one of {', '.join(METHODS)}; got {method!r}")
    for limit, words in ((seconds, "seconds is a time limit"), (max_values, "max_values is a number of values")):
        if limit is not None and not limit > 0:
            raise NotationError(f"{words} above 0; got {limit!r}")


def is_evaluated(expansion: PathExpansion, method: str) -> bool:
    """Whether every term is evaluated, rather than searched for the largest.

    Raises
    ------
    SpecError, BudgetError
        The terms cannot be searched; and are too many to evaluate.
    """
    count, names = expansion.number_of_terms, not_searched(expansion)
    if not names:
        return count <= FEW if method == "auto" else method == "every"
    shown = ", ".join([*names][:4]) + (", ..." if len(names) > 4 else "")
    if method == "search":
        raise SpecError(
            f"terms through heads whose patterns are expanded ({shown}) are not searched: use method='every', or hold patterns fixed (attn(.., frozen))"
        )
    if method == "auto" and count > MOST:
        raise BudgetError(
            f"{expansion.title} has {in_words(count)} terms, through heads whose patterns are expanded ({shown}); they are not "
            f"searched, and up to {MOST:,} are evaluated one by one: rank those of a query (expansion.where), or hold patterns fixed"
        )
    return True


def not_searched(expansion: PathExpansion) -> list[str]:
    """The components that a search does not go through."""
    found = (p.component for rules in expansion.grammar.nonterminals for p in rules if p.component is not None)
    return [*dict.fromkeys(c.name for c in found if c.kind == "attn" and len(c.slots) > 1)]


def read_at(
    frozen: Frozen, position: int, token: int | None, against: int | None, direction: object
) -> tuple[np.ndarray, float, int, str]:
    """The functionals (q, d) on the stream that are read, how far rounding may have moved them, the position, and words for both.

    One functional is a number with a sign; a norm has two at least.
    """
    W_U, epsilon = frozen.arrays.get("W_U"), np.finfo(np.float64).eps
    if token is None and against is None and direction is None:
        (place,) = places(frozen, [position])
        root = frozen.on_stream(np.eye(frozen.output_width)) if W_U is None else np.linalg.qr(W_U, mode="r")
        rounding = 0.0 if W_U is None else epsilon * len(W_U) * lengths(W_U, axes=2)
        root = np.pad(root, ((0, max(0, 2 - len(root))), (0, 0)))
        return root, float(rounding), place, f"norm of the output at position {place}"
    wanted = readout(frozen, position=position, token=token, against=against, direction=direction)
    u = np.abs(wanted.direction)
    rounding = 0.0 if W_U is None else epsilon * np.count_nonzero(u) * lengths(u @ np.abs(W_U))
    return wanted.on_stream(frozen)[None], float(rounding), wanted.position, wanted.words


def value_of(root: np.ndarray, stream: np.ndarray) -> float:
    """The readout of a stream (d,): a number with its sign, or a norm."""
    read = root @ stream
    return float(read[0]) if len(read) == 1 else float(lengths(read))


def evaluated_all(
    expansion: PathExpansion, frozen: Frozen, root: np.ndarray, rounding: float, place: int, top: int, max_bytes: int
) -> Found:
    """Every term, and the largest of them."""
    if len(root) == 1:
        values = np.abs(stream_contributions(expansion, frozen, place, root[0]))
    else:
        values = lengths(stream_values(expansion, frozen, [place])[:, 0] @ root.T)
    order = np.argsort(-finite(values), kind="stable")
    found = Found(evaluated=len(values), is_closed=True)
    found.values = {expansion[int(k)]: float(values[k]) for k in order[:top] if values[k]}
    found.bound = float(values[order[top]]) if len(order) > top else 0.0
    found.margin = margin_of_all(expansion, frozen, root, rounding, place, max_bytes)
    return found


def margin_of_all(
    expansion: PathExpansion, frozen: Frozen, root: np.ndarray, rounding: float, place: int, max_bytes: int
) -> float:
    """How far rounding may move the value of any term."""
    if not not_searched(expansion):
        probe = np.zeros(frozen.positions)
        probe[place] = 1
        return margin_of(Ground(expansion, frozen, root, probe, max_bytes, work=0.0).whole.bounds, root, rounding, place)
    sizes = interpret_grammar(expansion.grammar, TermErrors(frozen))
    largest = max(float(found.nu.max(initial=0.0)) for found in sizes)
    return margin_at(root, rounding, sizes[-1].nu[place], sizes[-1].err[place], largest)


def recomputed(found: Found, frozen: Frozen, root: np.ndarray, place: int) -> list[RankedTerm]:
    """The values of the terms found, each computed anew by itself.

    Raises
    ------
    CertificateError
        One differs from the value that it was found with by more than rounding.
    """
    streams, known, out = Streams(frozen), {}, []
    for term, value in found.values.items():
        anew = value_of(root, fold(term, streams, known)[place])
        if abs(abs(anew) - value) > 4 * found.margin + 1e-9 * value + UNDERFLOW:
            raise CertificateError(f"{term} was found with the value {value!r}, but has {anew!r}: the bounds do not hold")
        out.append(RankedTerm(term, anew))
    return out
