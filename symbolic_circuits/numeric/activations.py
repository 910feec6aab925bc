"""The forward pass of a frozen model, refused where an activation is not finite, with the step at which that begins."""

from collections.abc import Iterable

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.checking import step_name
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.reference import Forward, HeldFixed, Run
from symbolic_circuits.spec import Transformer

__all__ = ["finite_forward", "last_stream"]


def finite_forward(frozen: Frozen) -> Forward:
    """The reference forward pass with frozen patterns.

    Raises
    ------
    WeightsError
        Activations overflow; the message names the step.
    """
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        run = frozen.forward()
    require_finite(run.streams, frozen.model)
    return run


def require_finite(streams: Iterable[np.ndarray], model: Transformer, first: int = 0) -> None:
    """Raise WeightsError that names the step after which a stream is not finite; the streams begin with that after ``first`` steps."""
    for number, stream in enumerate(streams, start=first):
        if not np.isfinite(stream).all():
            where = "in the input" if number == 0 else f"after {step_name(model, number - 1)}"
            raise WeightsError(f"activations of {str(model)!r} are not finite {where}: scale the weights down")


def last_stream(frozen: Frozen) -> np.ndarray:
    """What the unembedding reads, (n, width): the last stream after its norm, by the reference forward pass, without any logit.

    The constant coordinate, where the model has one, is 1 if the output has a bias.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("[rms_norm, b_U] attn(2) bilinear", seed=0), [1, 2, 3])
    >>> bool(np.allclose(frozen.output(last_stream(frozen)), frozen.forward().output))
    True

    Raises
    ------
    WeightsError
        Activations overflow; the message names the step.
    """
    frozen = frozen.to_numpy()
    model, held = frozen.model, HeldFixed(frozen.patterns, frozen.scales, frozen.gates, frozen.factors, frozen.rotation)
    run = Run(model, frozen.weights, held, None)
    with np.errstate(all="ignore"):
        x = run.embedded(frozen.source)
        require_finite([x], model)
        for number, step in enumerate(model.steps, start=1):  # one stream is held at a time
            x = run.after(step, x)
            require_finite([x], model, number)
        x = run.norm(model.number_of_blocks, x) if model.has_final_norm else x
    if not model.has_constant:
        return x
    return np.concatenate([x, np.full_like(x[:, :1], int(model.output_bias))], axis=1)
