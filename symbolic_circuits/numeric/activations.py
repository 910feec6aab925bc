"""The forward pass of a frozen model, refused where an activation is not finite, with the step at which that begins."""

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.checking import step_name
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.reference import Forward

__all__ = ["finite_forward"]


def finite_forward(frozen: Frozen) -> Forward:
    """The reference forward pass with frozen patterns.

    Raises
    ------
    WeightsError
        Activations overflow; the message names the step.
    """
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        run = frozen.forward()
    for number, stream in enumerate(run.streams):
        if not np.isfinite(stream).all():
            where = "in the input" if number == 0 else f"after {step_name(frozen.model, number - 1)}"
            raise WeightsError(f"activations of {str(frozen.model)!r} are not finite {where}: scale the weights down")
    return run
