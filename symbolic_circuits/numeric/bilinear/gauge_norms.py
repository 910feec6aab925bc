r"""Gains of norms: $w \to \gamma \odot w$, $b \to \gamma \odot b$, where all that reads the norm is divided by $\gamma$."""

from collections.abc import Iterator

import numpy as np

from symbolic_circuits.numeric.bilinear.changes import Arrays, Change, is_felt
from symbolic_circuits.numeric.folds.norms import readers_of
from symbolic_circuits.numeric.weights import Weights

__all__ = ["of_norms"]


def of_norms(weights: Weights, generator: np.random.Generator) -> Iterator[Change]:
    """Of every norm that blocks or the output read; what passes a sum, or is the output, is no gauge and left out."""
    model = weights.model
    if not model.gains or model.post_norm:
        return
    for number, names in readers_of(model).items():
        if names[0] not in weights.arrays or (model.positions == "shortformer" and names[0].startswith("attn.")):
            continue
        gamma = generator.uniform(0.5, 2.0, len(weights.arrays[f"norm.{number}.w"]))
        words = (
            "w -> gamma w, b -> gamma b, all that reads it -> W gamma^-1"
            if model.norm == "layer"
            else "w -> gamma w, all that reads it -> W gamma^-1"
        )
        yield Change(f"norm.{number}", words, True, lambda w, k=number, g=gamma, names=names: regained(w, k, names, g))
        if number == model.number_of_blocks or is_felt(model, number):
            yield Change(
                f"norm.{number}", "w -> gamma w alone", False, lambda w, k=number, g=gamma: {f"norm.{k}.w": w[f"norm.{k}.w"] * g}
            )


def regained(arrays: Arrays, number: int, names: list[str], gamma: np.ndarray) -> Arrays:
    """The norm and what reads it."""
    own = {key: arrays[key] * gamma for key in (f"norm.{number}.w", f"norm.{number}.b") if key in arrays}
    return own | {name: arrays[name] / gamma for name in names}
