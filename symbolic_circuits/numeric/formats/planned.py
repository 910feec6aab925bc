"""What a built-in format makes of a state: the model, where its arrays are, and the state with its conventions turned into ours."""

import warnings
from collections.abc import Mapping
from typing import NamedTuple

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.weight_format import WeightFormat
from symbolic_circuits.spec import Transformer

__all__ = ["Arranged", "Planned", "head_or_tied", "normalization_of"]


class Planned(NamedTuple):
    """A reading that is prepared."""

    model: Transformer
    format: WeightFormat
    state: State


class Arranged(NamedTuple):
    """A writing that is prepared."""

    format: WeightFormat
    arrays: Mapping[str, object]  # ours, by name, in the conventions of the format
    config: dict[str, object]  # the settings that no array says
    in_config: tuple[str, ...] = ()  # names of ours that the settings stand for, with fields
    repeats: int = 1  # how many heads share a key head


def head_or_tied(state: State, head: str, embedding: str) -> str:
    """The key of the unembedding; that of the embedding where the file has no other, which a warning says."""
    if head in state or embedding not in state:
        return head
    warnings.warn(
        f"{state.where} has no {head}: embeddings are tied, W_U is taken as W_E^T ({embedding})", UserWarning, stacklevel=2
    )
    return embedding


def normalization_of(settings: Settings, offered: Mapping[str, object], *, default: str | None = None) -> object:
    """What ``offered`` has for the ``normalization`` that is set; None where there is none of it.

    Raises
    ------
    WeightsError
        It is not set, or not offered.
    """
    names = ("normalization", "normalization_type")
    options = ", ".join([*map(repr, offered), "False for none"])
    if default is None:
        found = settings.require(f"normalization= ({options})", *names, why="whether there are norms")
    else:
        found = settings.find(*names, default=default)
    if found is True and len(offered) == 1:
        return next(iter(offered.values()))
    if found is None or found is False or found == "none":
        return None
    if not isinstance(found, str) or found not in offered:
        raise WeightsError(f"normalization is one of {options}; got {found!r}")
    return offered[found]
