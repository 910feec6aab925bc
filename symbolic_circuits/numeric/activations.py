"""The forward pass of a frozen model, refused where an activation is not finite, with the step at which that begins."""

from dataclasses import replace

import numpy as np

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.checking import step_name
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.reference import Forward
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
    require_finite(run, frozen.model)
    return run


def require_finite(run: Forward, model: Transformer) -> None:
    """Raise WeightsError that names the first step after which a forward pass is not finite."""
    for number, stream in enumerate((*run.streams, run.output)):
        if np.isfinite(stream).all():
            continue
        where = "in the output" if number == len(run.streams) else f"after {step_name(model, number - 1)}"
        raise WeightsError(
            f"activations of {str(model)!r} are not finite {where if number else 'in the input'}: scale the weights down"
        )


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
    model = frozen.model
    bare = replace(model, unembedding=False, output_bias=False, V=size_symbol("V"))
    with np.errstate(all="ignore"):
        run = replace(frozen.to_numpy(), model=bare).forward()
    require_finite(run, model)
    x = run.output
    if not model.has_constant:
        return x
    return np.concatenate([x, np.full_like(x[:, :1], int(model.output_bias))], axis=1)
