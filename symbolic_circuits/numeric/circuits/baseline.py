r"""What chance makes of a composition score: two components whose orientations in the stream have nothing to do with each other.

Turn what is written by a random rotation Q of the stream, uniform on O(d). With unit Gram matrices ($\operatorname{tr} G = 1$), for all
components, whatever their singular values:

$$E\, \operatorname{tr} G_R Q G_W Q^T = \frac1d, \qquad
\operatorname{Var} = \frac{2 (\|G_R\|^2 - \frac1d)(\|G_W\|^2 - \frac1d)}{(d - 1)(d + 2)}.$$

The *baseline* of a score is the root mean square, $1 / \sqrt d$. It is exact for any factors whose law no rotation changes (Gaussian
ones, say). The mean of the score itself is smaller, by about an eighth of the relative variance of its square: :func:`random_composition`
samples it.

Why the variance: $G - \frac1d I$ lies in the irreducible representation of traceless symmetric matrices, of dimension
$(d - 1)(d + 2) / 2$, where by Schur's lemma $E \langle A, Q B Q^T \rangle^2 = \|A\|^2 \|B\|^2 / \dim$.
"""

import numpy as np

from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.numeric.circuits.bilinear_sides import BilinearSides
from symbolic_circuits.numeric.circuits.components import BilinearArrays, HeadArrays, gated_arrays, heads_arrays, pairs_of
from symbolic_circuits.numeric.circuits.products import norms_of_products
from symbolic_circuits.numeric.circuits.sides import GatedSides, HeadSides
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Block

__all__ = ["deviations", "expected_square", "random_composition"]


FIELDS = ("tied", "output", "gate", "scores")  # beside the shapes of arrays, what tells one block from another


def expected_square(d: int) -> float:
    """The mean of the squared score under a random rotation of what is written: 1 / d."""
    return 1 / d


def deviations(scores: np.ndarray, spreads_read: np.ndarray, spreads_written: np.ndarray, d: int) -> np.ndarray:
    r"""How many standard deviations a squared score lies above 1/d, under a random rotation of what is written.

    Parameters
    ----------
    scores : (readers, writers)
    spreads_read, spreads_written : $\|G\|_F^2$ of each, for Gram matrices of trace one

    Returns
    -------
    (readers, writers); nan where no rotation changes the score: one of the two Gram matrices is a multiple of the identity
    """
    excess = [np.where(spreads - 1 / d > 1e-12, spreads - 1 / d, np.nan) for spreads in (spreads_read, spreads_written)]
    variance = 2 * np.multiply.outer(*excess) / max(1, (d - 1) * (d + 2))
    return (scores**2 - expected_square(d)) / np.sqrt(variance)


def random_composition(
    weights: Weights, *, samples: int = 16, symmetric: bool = False, seed: int
) -> list[dict[str, str | int | float]]:
    """Scores of Gaussian matrices of the same shapes, one pair a sample: their mean, standard deviation and root mean square.

    Returns
    -------
    one row for each shape of a writer and each input of each shape of a reader that occur in the model, in its order; every row has
    writer, reader (blocks that are the first of their shape), port, mean, deviation, root_mean_square, expected and samples

    Examples
    --------
    >>> weights = Weights.random("attn(2)*2", d=64, e=16, V=5, seed=0)
    >>> for row in random_composition(weights, seed=0):
    ...     print(row["port"], f"{row['mean']:.3f}", f"{row['expected']:.3f}")
    query 0.125 0.125
    key 0.121 0.125
    value 0.124 0.125
    """
    if isinstance(samples, bool) or not hasattr(samples, "__index__") or samples < 2:
        raise TermIndexError(f"the number of samples must be an integer of at least 2; got {samples!r}")
    shapes = shapes_of(weights)
    generator, found = np.random.default_rng(seed), {}
    for _ in range(samples):
        writers = [random_sides(arrays, spec, symmetric, generator).writers() for spec, arrays in shapes.values()]
        readers = [random_sides(arrays, spec, symmetric, generator).readers() for spec, arrays in shapes.values()]
        for writer, written in zip(shapes, writers, strict=True):
            for reader, read in zip(shapes, readers, strict=True):
                for name, (score,) in zip(read.names, norms_of_products(read.factors, written.factors), strict=True):
                    found.setdefault((writer, reader, name.rpartition(".")[2]), []).append(score)
    expected = expected_square(weights.size(weights.model.d)) ** 0.5
    return [row_of(*key, np.array(scores), expected) for key, scores in found.items()]


def shapes_of(weights: Weights) -> dict[str, tuple[Block, HeadArrays | BilinearArrays]]:
    """The first block of each shape, and arrays of one head or of the layer."""
    found: dict[tuple, tuple[str, Block, HeadArrays | BilinearArrays]] = {}
    for index, spec in weights.model.numbered():
        if isinstance(spec, Attention):
            name, arrays = f"attn.{index}", HeadArrays(*(array[:1] for array in heads_arrays(weights, index)))
        else:
            name, arrays = f"{'bilinear' if spec.gate is None else 'gated'}.{index}", gated_arrays(weights, index)
        key = (type(spec), *(getattr(spec, field, None) for field in FIELDS), tuple(array.shape for array in arrays))
        found.setdefault(key, (name, spec, arrays))
    return {name: (spec, arrays) for name, spec, arrays in found.values()}


def random_sides(
    arrays: HeadArrays | BilinearArrays, spec: Block, symmetric: bool, generator: np.random.Generator
) -> HeadSides | BilinearSides | GatedSides:
    """The sides of Gaussian matrices of these shapes; a layer without output matrix keeps the identity."""
    drawn = type(arrays)(*(generator.standard_normal(array.shape) for array in arrays))
    if isinstance(spec, Attention):
        further = [
            drawn._replace(**{W: generator.standard_normal(drawn.W_Q.shape) for W in ("W_Q", "W_K")}) for _ in pairs_of(spec)[1:]
        ]
        return HeadSides("", drawn, *further)
    if spec.gate is not None:
        return GatedSides("", drawn if spec.output else drawn._replace(W_out=arrays.W_out))
    W_2 = drawn.W_1 if spec.tied else drawn.W_2
    drawn = BilinearArrays(drawn.W_1, W_2, drawn.W_out if spec.output else arrays.W_out)
    return BilinearSides("", drawn, tied=spec.tied, symmetric=symmetric)


def row_of(writer: str, reader: str, port: str, scores: np.ndarray, expected: float) -> dict[str, str | int | float]:
    """A row of :func:`random_composition`."""
    return {
        "writer": writer,
        "reader": reader,
        "port": port,
        "mean": float(scores.mean()),
        "deviation": float(scores.std(ddof=1)),
        "root_mean_square": float(np.sqrt((scores**2).mean())),
        "expected": expected,
        "samples": len(scores),
    }
