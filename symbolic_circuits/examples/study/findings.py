"""Every number of proofs/study-addition.md by name; the document is checked against these."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from symbolic_circuits.examples.addition import accuracy, all_pairs, answers, held_out_pairs, sequences
from symbolic_circuits.examples.study.reading import made_to_order, prefer_different, scores, values
from symbolic_circuits.examples.study.subsets import accuracies, best_by_size, members
from symbolic_circuits.examples.study.sum_tables import amplitudes, by_class, centred, energies, kept_frequencies, share, spectrum
from symbolic_circuits.examples.study.term_outputs import TermOutputs, example_in_doubles, is_held_out, is_unseen, runs
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.interventions.ablate import RECOMPUTED, Plan
from symbolic_circuits.numeric.interventions.causal_graph import causal_graph
from symbolic_circuits.numeric.interventions.levels import TERMS
from symbolic_circuits.numeric.margins import margins
from symbolic_circuits.numeric.ranking.local_complexity import local_complexity
from symbolic_circuits.numeric.weights import Weights

__all__ = ["CROSSING", "FREQUENCIES", "REST", "SELECTED", "Study", "findings"]

SELECTED = "heads = 2"  # the terms in which two heads meet in the bilinear layer
REST = "embed >> output or attn >> output or embed >> bilinear"  # all others, written so that attention misses nothing
CROSSING = "attn.0[0] and attn.0[1]"  # the two heads are different ones
SAME = "heads = 2 and not (attn.0[0] and attn.0[1])"
CONSTANT = "not attn"  # embed at "=", and the bilinear layer of it with itself: the same for every pair
LINEAR = "attn and embed >> bilinear"
FREQUENCIES = [9, 10, 15]
NAMES = {"selected": SELECTED, "crossing": CROSSING, "same": SAME, "rest": REST, "constant": CONSTANT, "linear": LINEAR}


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What the numbers are made of."""

    weights: Weights
    frozen: list[Frozen]  # the run of every pair
    terms: TermOutputs
    margins: np.ndarray  # (T,) mean over the pairs

    @classmethod
    def of_example(cls) -> "Study":
        """Of the shipped weights, in float64."""
        weights = example_in_doubles()
        frozen = runs(weights)
        terms = TermOutputs.of(frozen)
        return cls(weights, frozen, terms, margins(terms.expansion, weights, sequences(all_pairs()), answers(all_pairs())))

    def share(self, query: str) -> float:
        """The share of the terms of a query in the margin."""
        return float(self.margins[self.terms.places(query)].sum() / self.margins.sum())


def findings(study: Study) -> dict[str, float]:
    """All numbers; shares and accuracies between 0 and 1."""
    parts = (
        of_model,
        of_terms,
        of_grades,
        of_ablations,
        of_subsets,
        of_explanations,
        of_reading,
        of_graph,
        of_tables,
        of_weights,
    )
    return {name: float(value) for part in parts for name, value in part(study).items()}


def three(study: Study, name: str, logits: np.ndarray) -> Iterator[tuple[str, float]]:
    """The accuracy of logits over all pairs, those held out, and those of which the mirror image is held out too."""
    for words, among in (("all", None), ("held", is_held_out()), ("unseen", is_unseen())):
        yield f"{name}.{words}", study.terms.accuracy(logits, among)


def of_model(study: Study) -> Mapping[str, float]:
    """The model as a whole."""
    logits, pairs = study.terms.total(), all_pairs()
    table = logits.reshape(31, 31, -1)
    held, unseen = int(is_held_out().sum()), int(is_unseen().sum())
    sizes = {"pairs": len(pairs), "held": held, "unseen": unseen, "mirrored": held - unseen, "terms": study.margins.size}
    wrong = np.flatnonzero(logits.argmax(axis=1) != answers(pairs))
    return (
        sizes
        | dict(three(study, "accuracy", logits))
        | {
            "wrong": len(wrong),
            "wrong.a": pairs[wrong[0], 0],
            "wrong.b": pairs[wrong[0], 1],
            "wrong.said": logits[wrong[0]].argmax(),
            "asymmetry": np.abs(table - table.transpose(1, 0, 2)).max(),
        }
    )


def of_terms(study: Study) -> Mapping[str, float]:
    """Each term: its share of the margin, what it answers alone, what the model answers without it; sums of some of them."""
    terms, whole = study.terms, study.terms.total()
    found = {"margin": study.margins.sum()}
    for k, margin in enumerate(study.margins):
        found[f"share.{k}"] = margin / study.margins.sum()
        found[f"alone.{k}"] = terms.accuracy(terms.logits[:, k])
        found[f"without.{k}"] = terms.accuracy(whole - terms.logits[:, k])
    for name, query in NAMES.items():
        found[f"size.{name}"] = len(terms.places(query))
        found[f"share.{name}"] = study.share(query)
        found |= dict(three(study, f"alone.{name}", terms.total(query)))
    found |= dict(three(study, "selected and constant", terms.total(SELECTED) + terms.total(CONSTANT)))
    found["constant.spread"] = terms.total(CONSTANT).std(axis=0).max()
    return found


def of_grades(study: Study) -> Mapping[str, float]:
    """The terms by order: accuracy of the grades so far, and their cross entropy; means over the held-out pairs."""
    pairs = held_out_pairs()
    sums = [
        graded(study.terms.expansion, study.weights, tokens, by="order", positions=[-1], targets=[int(answer)])
        for tokens, answer in zip(sequences(pairs), answers(pairs), strict=True)
    ]
    so_far = np.array([result.logits[:, 0] for result in sums]).cumsum(axis=1)
    found = {f"order.{k}.accuracy": accuracy(so_far[:, k], pairs) for k in range(so_far.shape[1])}
    losses = np.mean([result.losses for result in sums], axis=0)
    return found | {f"order.{k}.loss": loss for k, loss in enumerate(losses)}


def of_ablations(study: Study) -> Mapping[str, float]:
    """Accuracy without the selected terms, and without all others: nothing or their means in their place."""
    found, terms, whole = {}, study.terms, study.terms.total()
    for name in ("selected", "rest", "crossing", "same", "linear", "constant"):
        found |= dict(three(study, f"zero.{name}", whole - terms.total(NAMES[name])))
        found |= dict(three(study, f"mean.{name}", terms.with_means(NAMES[name])))
    for name, query in (("selected", SELECTED), ("rest", REST), ("blind", f"not ({SELECTED})")):
        found |= dict(three(study, f"recomputed.{name}", recomputed(study, query)))
    return found


def recomputed(study: Study, query: str) -> np.ndarray:
    """The logits (P, V) without the terms of a query, the patterns being those of the streams without them."""
    plan = Plan.make(study.terms.expansion, query, study.weights, RECOMPUTED, TERMS, "zero")
    streams = np.array([plan.levels.run(run, []).kept[-1] for run in study.frozen])
    return streams @ study.weights.arrays["W_U"].T


def of_subsets(study: Study) -> Mapping[str, float]:
    """The accuracy of all subsets of terms, the others left out or at their means."""
    found, inside = {}, members(study.margins.size)
    for words, means in (("", False), ("at means.", True)):
        scores_of = accuracies(study.terms.logits, means)
        for size, (score, _) in enumerate(best_by_size(scores_of)):
            found[f"{words}best.{size}"] = score
        for threshold in (0.9, 0.99):
            found[f"{words}fewest.{threshold}"] = inside[scores_of >= threshold].sum(axis=1).min()
        found[f"{words}fewest.all"] = inside[scores_of >= scores_of[-1]].sum(axis=1).min()
        for name in ("selected", "crossing"):
            mine = inside[:, study.terms.places(NAMES[name])]
            found[f"{words}no {name}"] = scores_of[~mine.any(axis=1)].max()
            found[f"{words}all {name}"] = scores_of[mine.all(axis=1)].min()
    return found | {"subsets": len(inside)}


def of_explanations(study: Study) -> Mapping[str, float]:
    """The fewest terms that make 90 % of a prediction's lead over the runner-up, on the held-out pairs."""
    found = local_complexity(study.terms.expansion, study.weights, sequences(held_out_pairs()))
    proved = sum(result.is_minimal for result in found.inputs)
    at = {f"complexity.{size}": number for size, number in found.histogram.items()}
    return at | {"complexity.median": np.median(found.sizes), "complexity.largest": max(found.sizes), "complexity.proved": proved}


def of_reading(study: Study) -> Mapping[str, float]:
    """What the heads read, and what the model answers with other patterns."""
    reads, (first, second) = study.terms.reads, scores(study.weights)
    differ = (reads[:, 0, 0] - reads[:, 0, 1]) * (reads[:, 1, 0] - reads[:, 1, 1]) < 0
    found = {
        "scores.correlation": np.corrcoef(first, second)[0, 1],
        "reads.different": prefer_different(reads),
        "reads.equals": reads[:, :, 2].mean(),
        "reads.equals.largest": reads[:, :, 2].max(),
    }
    found |= {f"reads.preferred.{h}": reads[:, h, :2].max(axis=1).mean() for h in (0, 1)}
    for name, patterns in made_to_order(reads).items():
        terms = TermOutputs.of(study.frozen, patterns)
        found |= {f"patterns.{name}": terms.accuracy(), f"patterns.{name}.crossing": terms.accuracy(terms.total(CROSSING))}
        found[f"patterns.{name}.opposed"] = terms.accuracy(among=differ)
    return found


def of_graph(study: Study) -> Mapping[str, float]:
    """The causal graph of the answer's logit less the mean logit: the mean weights of its edges over the held-out pairs."""
    pairs, found = held_out_pairs(), {}
    for tokens, answer in zip(sequences(pairs), answers(pairs), strict=True):
        direction = np.eye(32)[answer] - 1 / 32
        graph = causal_graph(study.terms.expansion, study.weights, tokens, direction=direction)
        for before, after, weight in graph.edges(data="weight"):
            found[f"edge.{before}.{after}"] = found.get(f"edge.{before}.{after}", 0.0) + weight / len(pairs)
    return found


def of_tables(study: Study) -> Mapping[str, float]:
    """The logits as tables over (a, b): how much of them depends on a + b alone, and at which frequencies."""
    in_order = TermOutputs.of(study.frozen, made_to_order(study.terms.reads)["in order"])
    logits = {"whole": study.terms.total(), "weights": in_order.total(CROSSING)}
    logits |= {name: study.terms.total(NAMES[name]) for name in ("selected", "crossing", "same", "rest")}
    found = {}
    for name, values_of in logits.items():
        found |= of_table(f"table.{name}", centred(values_of))
    found |= {f"factor.{k}": explained_by_factor(study, centred(logits["crossing"]), k) for k in FREQUENCIES}
    largest = sorted(range(1, 16), key=lambda k: -found[f"table.crossing.energy.{k}"])[: len(FREQUENCIES)]
    return found | {f"frequency.{place}": k for place, k in enumerate(largest)}


def of_table(name: str, table: np.ndarray) -> Mapping[str, float]:
    """One table."""
    pairs, (by_sum, by_difference), flat = all_pairs(), (by_class(table), by_class(table, (1, -1))), (-1, table.shape[2])
    waves = kept_frequencies(table, FREQUENCIES)
    found = {
        f"{name}.sum": share(table),
        f"{name}.difference": share(table, (1, -1)),
        f"{name}.keep": accuracy(by_sum.reshape(flat), pairs),
        f"{name}.drop": accuracy((table - by_sum).reshape(flat), pairs),
        f"{name}.keep difference": accuracy(by_difference.reshape(flat), pairs),
        f"{name}.waves": accuracy(waves.reshape(flat), pairs),
    }
    at = energies(table)
    for k in range(1, 16):
        found[f"{name}.energy.{k}"] = 2 * at[k, k]
    for k in FREQUENCIES:
        found[f"{name}.phase.{k}"] = (np.abs(np.angle(amplitudes(table, k))) < np.pi / 4).mean()
    return found


def explained_by_factor(study: Study, table: np.ndarray, k: int) -> float:
    r"""The squared correlation, over pairs, of the amplitude of a wave with $w_0 (1 - w_1) + w_1 (1 - w_0) + (w_0 w_1 + (1 - w_0)(1 - w_1)) \cos$.

    The cosine is of $2 \pi k (a - b) / p$; for opposite heads this is the factor of statement S8.
    """
    a, b = all_pairs().T
    first, second = (study.terms.reads[:, h, 0] / study.terms.reads[:, h, :2].sum(axis=1) for h in (0, 1))
    alike = first * second + (1 - first) * (1 - second)
    factor = 1 - alike + alike * np.cos(2 * np.pi * k * (a - b) / len(table))
    return float(np.corrcoef(factor, amplitudes(table, k).real.ravel())[0, 1] ** 2)


def of_weights(study: Study) -> Mapping[str, float]:
    """Frequencies of embeddings, and what is left when the numbers of the weights are rounded."""
    w = study.weights.arrays
    families = {"embedding": w["W_E"].T[:31], "unembedding": w["W_U"][:31]}
    families |= {f"values.{h}": vectors for h, vectors in enumerate(values(study.weights))}
    found = {f"spectrum.{name}": spectrum(v)[[k - 1 for k in FREQUENCIES]].sum() for name, v in families.items()}
    logits, pairs = study.terms.total(), all_pairs()
    best = np.partition(logits, -2, axis=1)
    found["lead.median"] = np.median(best[:, -1] - best[:, -2])
    for bits in (8, 4):
        other = final_logits(replace(study.weights, arrays={name: rounded(array, bits) for name, array in w.items()}))
        found |= {f"bits.{bits}.accuracy": accuracy(other, pairs), f"bits.{bits}.change": relative(other, logits)}
    single = final_logits(Weights.example())
    return found | {"float32.change": relative(single, logits), "float32.accuracy": accuracy(single, pairs)}


def final_logits(weights: Weights) -> np.ndarray:
    """The logits at ``=`` of all pairs."""
    return np.array([freeze(weights, tokens).forward().output[-1] for tokens in sequences(all_pairs())])


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    """The norm of the difference over that of what is wanted."""
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def rounded(array: np.ndarray, bits: int) -> np.ndarray:
    """Numbers with so many significant bits.

    >>> rounded(np.array([1.0, 0.3, -5.1]), 2).tolist()
    [1.0, 0.25, -6.0]
    """
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.round(mantissa * 2.0**bits) / 2.0**bits, exponent)
