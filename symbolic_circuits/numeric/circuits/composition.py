r"""How much of what one component writes another reads, from weights alone: $\|R W\| / (\|R\| \|W\|)$ in Frobenius norms.

| kind | R W | |
| --- | --- | --- |
| attention -> query | $W_{QK}^{h_2 T} W_{OV}^{h_1}$ | Q-composition |
| attention -> key | $W_{QK}^{h_2} W_{OV}^{h_1}$ | K-composition |
| attention -> value | $W_{OV}^{h_2} W_{OV}^{h_1}$ | V-composition |
| attention -> left | $\sum_j B_{ijk} (W_{OV}^h)_{ja}$ | of shape d x d x d, as the next |
| attention -> right | $\sum_k B_{ijk} (W_{OV}^h)_{ka}$ | |
| bilinear -> query, key, value | $\sum_i (W_{QK}^{h T})_{ai} B_{ijk}$, $\sum_i (W_{QK}^h)_{ai} B_{ijk}$, $\sum_i (W_{OV}^h)_{ai} B_{ijk}$ | |
| bilinear -> left, right | $\sum_j B'_{ijk} B_{jab}$, $\sum_k B'_{ijk} B_{kab}$ | of shape $d^4$ |

| attention -> gate, linear; gated -> query, ... | $W_1 W_{OV}^h$, $W_2 W_{OV}^h$; $W_{QK}^{h T} W_{out}$, ... of a layer with a gate | |
| embed, position -> ...; ... -> unembed | $R\, W_E$, $R\, W_{pos}^T$; $W_U W$ | with ``ends=True`` |

where $B_{ijk} = \sum_p (W_{out})_{ip} (W_1)_{pj} (W_2)_{pk}$. None of these is formed: each norm is that of a product of two factors of at
most d x d (:mod:`symbolic_circuits.numeric.circuits.sides`). What reads has the norm before it inside, $W \operatorname{diag}(w) C$, and what is written passes the
norms behind it where these come after; scales of positions and biases are left out, so that of a layer with biases it is the
interaction part that is meant. Keys of a model with rotary positions are those of one offset.

References
----------
Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, "Two-layer attention-only transformers": Q-, K- and V-composition.
"""

from dataclasses import dataclass

import networkx
import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import NotationError, TermError, TermIndexError
from symbolic_circuits.numeric.circuits.baseline import expected_square
from symbolic_circuits.numeric.circuits.bilinear_sides import BilinearSides
from symbolic_circuits.numeric.circuits.components import bilinear_arrays, gated_arrays, heads_arrays, pairs_of
from symbolic_circuits.numeric.circuits.pairs import Pairs
from symbolic_circuits.numeric.circuits.rotary import turned_keys
from symbolic_circuits.numeric.circuits.sides import RESOLUTION, GatedSides, HeadSides, Side, at_unit_norm, side_of
from symbolic_circuits.numeric.readers import passed, reader
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, NumberedBlock

__all__ = ["Composition", "composition", "passed_on", "sources_of", "written_by"]

ORDERS = ("score", "excess", "deviations")
KINDS = {"attn": "attention"}


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Composition:
    """What :func:`composition` found. Arrays are (readers, writers), nan where the reader does not read the writer directly.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.composition(weights)
    >>> found.kinds, found.scores.shape, found.baseline
    (('attention -> left', 'attention -> right'), (2, 2), 0.125)
    """

    model: str
    symmetric: bool  # whether the symmetric part of every bilinear layer was taken
    components: tuple[str, ...]  # heads and bilinear layers, in the order of the model
    writers: tuple[str, ...]  # "attn.0[1]", "bilinear.1": the components
    readers: tuple[
        str, ...
    ]  # "attn.2[0].query", ".key", ".value", "bilinear.1.left", ".right" (".input" where these are one), "unembed"
    scores: np.ndarray  # between 0 and 1; nan also where one of the two vanishes
    baseline: float  # 1 / sqrt(d): the root mean square of the score where what is written is turned at random
    deviations: np.ndarray  # of the squared score from 1 / d, in its standard deviations under such turns
    reads: np.ndarray  # whether the reader reads the writer directly

    @property
    def excess(self) -> np.ndarray:
        """The scores less the baseline."""
        return self.scores - self.baseline

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of composition that there are, such as "attention -> key", in the order of the readers."""
        return tuple(dict.fromkeys(kind_of(self.writers[b], self.readers[a]) for a, b in np.argwhere(self.reads)))

    def score(self, writer: str, reader: str) -> float:
        """One score, by the names of what writes and what reads.

        Raises
        ------
        TermError
            There is no such writer or reader, or the one does not read the other directly.
        """
        for name, names, what in ((writer, self.writers, "writers"), (reader, self.readers, "readers")):
            if name not in names:
                raise TermError(f"there is no {name!r} among the {what} of {self.model!r}; they are {shown(names)}")
        a, b = self.readers.index(reader), self.writers.index(writer)
        if not self.reads[a, b]:
            raise TermError(f"{reader} does not read what {writer} writes directly, in {self.model!r}")
        return float(self.scores[a, b])

    def rows(self, kind: str | None = None) -> list[dict[str, str | float]]:
        """One row a pair, or a pair of one kind: writer, reader, kind, score, excess, deviations; in the order of the readers.

        Raises
        ------
        TermError
            There is no such kind.
        """
        if kind is not None and kind not in self.kinds:
            raise TermError(f"there is no kind {kind!r} in {self.model!r}; there are {shown(self.kinds)}")
        return [self.row(a, b) for a, b in np.argwhere(self.reads) if kind in (None, kind_of(self.writers[b], self.readers[a]))]

    def row(self, a: int, b: int) -> dict[str, str | float]:
        """The row of one pair."""
        numbers = (self.scores[a, b], self.scores[a, b] - self.baseline, self.deviations[a, b])
        names = {"writer": self.writers[b], "reader": self.readers[a], "kind": kind_of(self.writers[b], self.readers[a])}
        return names | dict(zip(ORDERS, map(float, numbers), strict=True))

    def largest(self, k: int = 10, *, by: str = "score", kind: str | None = None) -> list[dict[str, str | float]]:
        """The k rows with the largest score, excess or deviations; of equal ones those that come first, and none that are nan."""
        if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
            raise TermIndexError(f"the number of pairs must be a positive integer; got {k!r}")
        if by not in ORDERS:
            raise NotationError(f"pairs are ordered by {', '.join(map(repr, ORDERS))}; got {by!r}")
        rows = [row for row in self.rows(kind) if not np.isnan(row[by])]
        return sorted(rows, key=lambda row: -row[by])[:k]

    def graph(self, threshold: float | None = None) -> networkx.DiGraph:
        """The components, with an edge where one reads another with a score of at least the threshold (the baseline by default).

        ``weight`` of an edge is its largest score; those of all inputs have the names of the inputs (query, key, value, left, right,
        input).
        """
        least = self.baseline if threshold is None else threshold
        graph = networkx.DiGraph(model=self.model, baseline=self.baseline, threshold=least)
        graph.add_nodes_from(self.components)
        edges: dict[tuple[str, str], dict[str, float]] = {}
        for row in self.rows():
            name, _, port = row["reader"].rpartition(".")
            edges.setdefault((row["writer"], name or port), {})[port] = row["score"]
        for (writer, name), ports in edges.items():
            weight = max((score for score in ports.values() if not np.isnan(score)), default=-np.inf)
            if weight >= least:
                graph.add_edge(writer, name, weight=weight, **ports)
        return graph

    def to_dict(self) -> dict:
        """Plain data."""
        return {
            "model": self.model,
            "symmetric": self.symmetric,
            "baseline": self.baseline,
            "kinds": list(self.kinds),
            "rows": self.rows(),
        }

    def __str__(self) -> str:
        number = int(self.reads.sum())
        head = f"composition in {self.model!r}: {number:,} pairs, baseline {self.baseline:.3g}"
        best = [f"  {row['score']:.3f}  {row['writer']} -> {row['reader']}" for row in self.largest(5)]
        return "\n".join([head, *best])


def composition(weights: Weights, *, symmetric: bool = False, ends: bool = False, offset: int | None = None) -> Composition:
    r"""Scores $\|R W\| / (\|R\| \|W\|)$ of all pairs in which one component reads directly what an earlier one writes.

    A block reads the blocks before it as far back as the stream is kept, and not those in parallel with it. Scores do not depend on the
    scale of any weights, on a change of basis inside a head ($W_V \to N W_V$, $W_O \to W_O N^{-1}$), nor on a rotation of the stream.
    What is left and what is right may be exchanged for every hidden unit without changing the model: scores with ``.left`` and
    ``.right`` depend on it, those of the symmetric part do not. Squares of scores that a bilinear layer takes part in are exact to
    about 1e-15, so that these scores are to about 1e-8 where they vanish; all is done in double precision.

    Behind LayerNorm a mean that is written is read by nothing, but is part of what is written: ``fold_norms(weights, centre=True)`` leaves it out.

    Parameters
    ----------
    symmetric : whether bilinear layers are replaced by their symmetric parts $(B_{ijk} + B_{ikj}) / 2$, which compute the same; then,
        and where weights are tied, left and right are one ``.input``
    ends : whether the embedding, learned positions and the unembedding take part: writers ``embed`` and ``position``, reader ``unembed``
        (positions of "shortformer" are not written into the stream)
    offset : of a model with rotary positions, whose queries and keys match by $W_Q^T R(\text{offset}) W_K$: the position of the key less that
        of the query

    Raises
    ------
    SpecError
        Rotary positions without an offset, or the other way round.

    Examples
    --------
    >>> found = composition(Weights.example())
    >>> print(found)
    composition in '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=128)': 4 pairs, baseline 0.125
      0.325  attn.0[0] -> bilinear.1.right
      0.324  attn.0[1] -> bilinear.1.left
      0.319  attn.0[0] -> bilinear.1.left
      0.316  attn.0[1] -> bilinear.1.right
    """
    pairs, model = Pairs(weights.size(weights.model.d)), weights.model
    reaching = sources_of(weights) if ends else []  # what is in the stream
    last = len(model.steps) - 1
    for number, step in enumerate(model.steps):
        sides = [sides_of(weights, block, symmetric=symmetric, offset=offset) for block in step.blocks]
        for side in sides if reaching else ():
            pairs.add(side.readers(), reaching)
        reaching = reaching if step.residual else []
        if number < last or ends:
            reaching = passed_on(weights, reaching + [side.writers() for side in sides], number)
    if ends and reaching and model.unembedding:
        pairs.add(side_of("unembed", reader(weights, "W_U")), reaching)
    scores, reads, found = pairs.table()
    blocks = tuple(name for block in model.numbered() for name in names_of(weights, block))
    return Composition(
        model=str(model),
        symmetric=symmetric,
        components=(*end_names(weights, before=True), *blocks, *end_names(weights, before=False)) if ends else blocks,
        writers=tuple(name for side in pairs.written for name in side),
        readers=tuple(name for side in pairs.read for name in side),
        scores=scores,
        baseline=expected_square(pairs.d) ** 0.5,
        deviations=found,
        reads=reads,
    )


def sources_of(weights: Weights) -> list[Side]:
    """What is in the stream before the first block: embeddings, and learned positions."""
    found = [side_of("embed", weights.arrays["W_E"].T)] if weights.model.embedding else []
    return found + ([side_of("position", weights.arrays["W_pos"])] if weights.model.positions == "learned" else [])


def end_names(weights: Weights, *, before: bool) -> list[str]:
    """The names of the ends of the model, those before the blocks or the one behind."""
    if not before:
        return ["unembed"] if weights.model.unembedding else []
    return [name for side in sources_of(weights) for name in side.names]


def passed_on(weights: Weights, sides: list[Side], step: int) -> list[Side]:
    """What was written, behind the norm that follows a step; the same sides where there is none."""
    if not weights.model.post_norm or (weights.model.norm == "rms" and not weights.model.gains):
        return sides
    found = []
    for side in sides:
        factors = passed(weights, side.factors.transpose(2, 0, 1), step, step + 1).transpose(1, 2, 0)
        found.append(Side(side.names, at_unit_norm(factors, np.full(len(factors), RESOLUTION))))
    return found


def sides_of(
    weights: Weights, block: NumberedBlock, *, symmetric: bool = False, offset: int | None = None
) -> HeadSides | BilinearSides | GatedSides:
    """What a block reads and writes."""
    if isinstance(block.spec, Attention):
        pairs = (heads_arrays(weights, block.index, which) for which in pairs_of(block.spec))
        turned = (pair._replace(W_K=turned_keys(weights, pair.W_K, offset)) for pair in pairs)
        return HeadSides(f"attn.{block.index}", *turned)
    if block.spec.gate is not None:
        return GatedSides(f"gated.{block.index}", gated_arrays(weights, block.index))
    arrays = bilinear_arrays(weights, block.index)
    return BilinearSides(f"bilinear.{block.index}", arrays, tied=block.spec.tied, symmetric=symmetric)


def written_by(weights: Weights, block: NumberedBlock, *, symmetric: bool = False) -> Side:
    """What a block writes, which no offset of queries and keys changes."""
    rotary = weights.model.positions == "rotary"
    return sides_of(weights, block, symmetric=symmetric, offset=0 if rotary else None).writers()


def names_of(weights: Weights, block: NumberedBlock) -> list[str]:
    """The names of the components of a block."""
    if not isinstance(block.spec, Attention):
        return [f"{'bilinear' if block.spec.gate is None else 'gated'}.{block.index}"]
    return [f"attn.{block.index}[{head}]" for head in range(weights.size(block.spec.heads))]


def kind_of(writer: str, reader: str) -> str:
    """``attention -> key`` of ``attn.0[1]`` and ``attn.2[0].key``."""
    what = writer.partition(".")[0]
    return f"{KINDS.get(what, what)} -> {reader.rpartition('.')[2]}"


def shown(names: tuple[str, ...], most: int = 12) -> str:
    """The first names, and how many more there are."""
    more = len(names) - most
    return (", ".join(names[:most]) or "none") + (f" and {more:,} more" if more > 0 else "")
