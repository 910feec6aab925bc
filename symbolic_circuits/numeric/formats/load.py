"""Weights of other programs, from files, state dicts or modules, in our letters and layout."""

import warnings
from collections.abc import Mapping, Sequence

from symbolic_circuits.errors import SpecError, WeightsError
from symbolic_circuits.numeric.formats.detect import BUILT_IN, format_of
from symbolic_circuits.numeric.formats.planned import Planned
from symbolic_circuits.numeric.formats.reading import Reading, listed, read_arrays
from symbolic_circuits.numeric.formats.settings import read_settings
from symbolic_circuits.numeric.formats.state import State, read_state
from symbolic_circuits.numeric.formats.weight_format import WeightFormat, key_patterns
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["load_weights"]


def load_weights(
    source: object,
    *,
    format: str | WeightFormat | None = None,
    model: Transformer | str | None = None,
    n_head: int | None = None,
    attention_scale: float | None = None,
    normalization: str | bool | None = None,
    config: Mapping[str, object] | None = None,
    skip: str | Sequence[str] = (),
) -> Weights:
    """The weights of a trained model.

    Parameters
    ----------
    source : path of a ``.safetensors`` or ``.npz`` file; a mapping of names to arrays or tensors; or a ``torch.nn.Module``
    format : "bilinear-decomposition", "transformer-lens", "image" or "toy"; a ``WeightFormat`` of your own; by default what the keys say
    model : the specification, for a format of your own
    n_head : number of heads, where no shape says it
    attention_scale : s in X + s heads(X)
    normalization : "rms" or False; for TransformerLens "LN", "LNPre", "RMS", "RMSPre" or False
    config : other settings, by the names of the format; ``config.json`` beside a file, and ``cfg`` or ``config`` of a module, say the rest
    skip : keys that carry nothing, with ``*`` for any text; one, or several

    Raises
    ------
    WeightsError
        The file is a pickle, unreadable or of no known format; a setting that no array says is missing; keys are missing or not known;
        a shape does not fit; an entry is NaN or infinite; or the model has something without expansion.
    MissingExtraError
        ``safetensors`` is not installed.

    Warns
    -----
    UserWarning
        Half precision is read as float32; embeddings are tied; heads of keys and values are repeated.

    Examples
    --------
    >>> import numpy as np
    >>> toy = {"left.weight": np.eye(2), "right.weight": np.eye(2), "head.weight": np.ones((2, 2))}
    >>> load_weights(toy)
    <Weights of '[d=2, no embed, no unembed] bilinear(m=2, no residual)': 12 parameters>
    """
    state = read_state(source)
    try:
        if state.is_ours and format is None:
            return Weights.load(state.path, model)
        arguments = {"n_head": n_head, "attention_scale": attention_scale, "normalization": normalization}
        planned = plan(state, format, model, config, arguments)
        reading = read_arrays(planned.format, planned.model, planned.state, key_patterns(skip, "skip"))
        warn_of(state, reading)
        return built(planned, reading)
    except (WeightsError, SpecError) as error:
        raise WeightsError(f"cannot load {state.where}: {error}") from error


def plan(
    state: State,
    format: str | WeightFormat | None,
    model: Transformer | str | None,
    config: Mapping[str, object] | None,
    arguments: Mapping[str, object],
) -> Planned:
    """The model and the table that a state is read by."""
    if isinstance(format, WeightFormat):
        given = [name for name, value in arguments.items() if value is not None]
        if model is None or given or config is not None:
            raise WeightsError(
                f"the format {format.name!r} is a table: give model=, and numbers that no key has as its constants"
                + (f", not {', '.join(given or ['config'])}" if given or config is not None else "")
            )
        return Planned(Transformer.parse(model) if isinstance(model, str) else model, format, state)
    name = format_of(state, format)
    if model is not None:
        raise WeightsError(f"the format {name} says which model it is: model= is for a WeightFormat of your own")
    return BUILT_IN[name].plan(state, read_settings(state.path, config, arguments, state.settings))


def warn_of(state: State, reading: Reading) -> None:
    """Say what was not taken as it is."""
    halves = state.halves(dict.fromkeys(reading.keys.values()))
    if halves:
        types = " and ".join(sorted({state.type_of(key) for key in halves}))
        warnings.warn(f"{listed(halves)} of {state.where} are {types}, read as float32", UserWarning, stacklevel=3)
    if reading.repeated:
        key, r = next(iter(reading.repeated.items()))
        words = f"each head of {key} serves {r} query heads: keys and values are repeated, which changes nothing"
        warnings.warn(words, UserWarning, stacklevel=3)


def built(planned: Planned, reading: Reading) -> Weights:
    """The weights, validated; an error names the key too."""
    try:
        return Weights(planned.model, reading.arrays)
    except WeightsError as error:
        name = str(error).split(" ")[0]
        if name in reading.keys:
            raise WeightsError(f"{error} ({name} is read from {reading.keys[name]})") from error
        raise
