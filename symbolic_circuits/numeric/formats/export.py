"""Weights of ours -> the keys of another program, and the settings that it needs; read back before they are given out.

What was read back must be the same model with the same numbers, so that nothing is lost or guessed (frequencies of rotary positions in
TransformerLens, which has only their base, to 1e-6).
"""

import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import SpecError, WeightsError
from symbolic_circuits.numeric.files import import_safetensors
from symbolic_circuits.numeric.formats.detect import BUILT_IN
from symbolic_circuits.numeric.formats.planned import Arranged
from symbolic_circuits.numeric.formats.reading import listed, read_arrays, zero_keys
from symbolic_circuits.numeric.formats.settings import CONFIG, Settings, read_settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.weight_format import Place, WeightFormat, numbered, places
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, N, Transformer
from symbolic_circuits.whole_file import require_format, require_free, write_whole

__all__ = ["Exported", "export_weights"]

SUFFIXES = (".npz", ".safetensors")
ROUNDED = {"rotary.inv_freq": 1e-6}  # relative


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """Arrays by the keys of another program, as :func:`export_weights` makes them.

    Examples
    --------
    >>> exported = export_weights(Weights.random("attn(2)", seed=0), "transformer-lens")
    >>> exported.config["n_heads"], exported.arrays["blocks.0.attn.W_O"].shape
    (2, (2, 4, 16))
    """

    format: str
    arrays: Mapping[str, np.ndarray]
    config: Mapping[str, object]  # the settings that no array says; load_weights(arrays, config=config) reads the model back

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write a ``.safetensors`` or ``.npz`` file, and its settings as ``config.json`` beside it where there are any.

        Raises
        ------
        OutputError
            One of the files exists and ``force`` is not set, or there is no such folder.
        NotationError
            The path ends otherwise.
        """
        path = Path(path)
        suffix = require_format(path, SUFFIXES)
        beside = path.parent / CONFIG
        for file in (path, beside) if self.config else (path,):
            require_free(file, force=force)
        if suffix == ".npz":
            stream = io.BytesIO()
            np.savez(stream, **self.arrays)
            content = stream.getvalue()
        else:
            import_safetensors()
            from safetensors.numpy import save

            content = save(dict(self.arrays))
        write_whole(path, content, force=force)
        if self.config:
            write_whole(beside, json.dumps(dict(self.config), indent=2) + "\n", force=force)


def export_weights(
    weights: Weights,
    format: str | WeightFormat,
    *,
    config: Mapping[str, object] | None = None,
    extra: Mapping[str, object] | None = None,
) -> Exported:
    """The weights under the keys and in the conventions of another program.

    Parameters
    ----------
    format : "bilinear-decomposition", "transformer-lens", "image" or "toy", or a ``WeightFormat``
    config : choices of the format: ``n_key_value_heads``, ``rotary_adjacent_pairs``; ``n_inputs``, ``n_outputs``
    extra : arrays to add under keys that the model knows nothing of, such as ``embed.weight`` of an image model

    Raises
    ------
    WeightsError
        The format cannot say what the model has; the message has what it would be read as.

    Examples
    --------
    >>> exported = export_weights(Weights.random("(attn(2) bilinear)*2", e=8, seed=0), "bilinear-decomposition")
    >>> exported.arrays["transformer.h.1.attn.qkv.weight"].shape, exported.config["n_head"]
    ((48, 16), 2)
    """
    if not isinstance(format, WeightFormat) and format not in BUILT_IN:
        raise WeightsError(f"format is one of {', '.join(BUILT_IN)}, or a WeightFormat; got {format!r}")
    name = format.name if isinstance(format, WeightFormat) else format
    try:
        settings = read_settings(None, config, {})
        arranged = (
            Arranged(format, weights.arrays, {})
            if isinstance(format, WeightFormat)
            else BUILT_IN[format].arrange(weights, settings)
        )
        written = stored_arrays(arranged, weights) | {key: np.asarray(array, order="C") for key, array in (extra or {}).items()}
        require_same(weights, read_back(weights, format, State(written, "what was written"), arranged, tuple(extra or ())))
    except (WeightsError, SpecError) as error:
        raise WeightsError(f"{str(weights.model)!r} cannot be written as {name}: {error}") from error
    return Exported(name, written, arranged.config)


def stored_arrays(arranged: Arranged, weights: Weights) -> dict[str, np.ndarray]:
    """The stored arrays, those of several parts joined."""
    where = places(arranged.format, weights.model)
    said = (*arranged.format.constants, *arranged.in_config)
    constants = {name for text in said for name, _ in numbered(text, weights.model)}
    homeless = [name for name in weights.arrays if name not in where and name not in constants]
    if homeless:
        raise WeightsError(f"the format has no place for {listed(homeless)}")
    parts: dict[str, dict[tuple[int, int], np.ndarray]] = {}
    for name in weights.arrays:
        for place in where.get(name, ()) if name not in constants else ():
            add_part(parts.setdefault(place.key, {}), place, arranged.arrays[name], arranged.repeats)
    joined = {key: join(key, found) for key, found in parts.items()}
    dtype = np.result_type(np.float32, *joined.values()) if joined else np.float64
    return joined | {
        key: np.zeros(shape_of(axes, weights, arranged.repeats), dtype)
        for key, axes in zero_keys(arranged.format, weights.model).items()
    }


def add_part(parts: dict[tuple[int, int], np.ndarray], place: Place, array: np.ndarray, repeats: int) -> None:
    """Add one part of a stored array; what two arrays share must agree."""
    written = place.stored.pattern.write(array, repeats if place.stored.pattern.shared else 1)
    if not np.array_equal(parts.setdefault(place.stored.part, written), written):
        raise WeightsError(f"{place.key} is stored once for several arrays, which differ here")


def join(key: str, parts: Mapping[tuple[int, int], np.ndarray]) -> np.ndarray:
    """The parts of a stored array after each other."""
    of = next(iter(parts))[1]
    missing = [k for k in range(of) if (k, of) not in parts]
    if missing:
        raise WeightsError(f"{key} has {of} parts, but the model has no array for part {', '.join(map(str, missing))}")
    return parts[0, 1] if of == 1 else np.concatenate([parts[k, of] for k in range(of)])


def shape_of(axes: str, weights: Weights, repeats: int) -> tuple[int, ...]:
    """The shape of an array of zeros, ``"H e"``, or ``"H/r e"`` where r heads share one."""
    model, sizes = weights.model, {"d": weights.model.d, "V": weights.model.V}
    for _, spec in model.numbered():
        sizes |= {"H": spec.heads, "e": spec.e} if isinstance(spec, Attention) else {}
        sizes |= {"m": model.hidden_width(spec)} if isinstance(spec, Bilinear) else {}
    lengths = {letter: weights.size(size) for letter, size in sizes.items() if letter in axes}
    return tuple(lengths[axis[0]] // (repeats if axis.endswith("/r") else 1) for axis in axes.split())


def read_back(weights: Weights, format: str | WeightFormat, state: State, arranged: Arranged, skip: tuple[str, ...]) -> Weights:
    """What the written arrays are read as."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of repeated heads, which were asked for
        if isinstance(format, WeightFormat):
            return Weights(weights.model, read_arrays(format, weights.model, state, skip).arrays)
        planned = BUILT_IN[format].plan(state, Settings(arranged.config))
        return Weights(planned.model, read_arrays(planned.format, planned.model, planned.state, skip).arrays)


def require_same(weights: Weights, read: Weights) -> None:
    """Raise WeightsError where a model, or a number of it, was read back as another."""
    if with_sizes(read) != with_sizes(weights):
        raise WeightsError(f"it would be read as {str(read.model)!r}")
    for name, array in weights.arrays.items():
        tolerance = ROUNDED.get(name, 0)
        if not np.allclose(read.arrays[name], array, rtol=tolerance, atol=0):
            raise WeightsError(f"{name} would be read as other numbers")


def with_sizes(weights: Weights) -> Transformer:
    """The model of weights with the sizes that its arrays have; for any number of positions, which no format says."""
    known = {str(symbol): value for symbol, value in weights.sizes.items() if symbol in weights.model.symbolic_sizes}
    return replace(weights.model.subs(known), n=N)
