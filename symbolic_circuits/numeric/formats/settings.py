"""What no array says: numbers and switches from arguments, else from ``config.json`` beside the file; what is in neither is asked for by name."""

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from symbolic_circuits.errors import WeightsError

__all__ = ["Settings", "read_settings"]

CONFIG = "config.json"
MAX_BYTES = 2**20
MISSING = object()


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """Settings by the names of the format.

    >>> settings = Settings({"n_head": 4})
    >>> settings.count("n_head", "n_heads"), settings.find("eps", default=1e-8)
    (4, 1e-08)
    """

    values: Mapping[str, object]
    where: str = "the arguments"

    def find(self, *names: str, default: object = None) -> object:
        """The first of these that is set; a JSON null counts as set where there is no default to take."""
        for name in names:
            if name in self.values:
                return self.values[name]
        return default

    def require(self, argument: str, *names: str, why: str) -> object:
        """The first of these that is set, else an error that names the argument.

        Raises
        ------
        WeightsError
            None is set.
        """
        found = self.find(*names, default=MISSING)
        if found is MISSING:
            raise WeightsError(f"no array says {why}: give {argument} (there is none in {self.where})")
        return found

    def count(self, *names: str, default: int | None = None) -> int | None:
        """A positive integer; null counts as not set."""
        found = self.find(*names, default=default)
        if found is None or found is default or (isinstance(found, int) and not isinstance(found, bool) and found > 0):
            return default if found is None else found
        raise WeightsError(f"{names[0]} is a positive integer; got {found!r}")

    def choice(self, name: str, offered: Iterable[object]) -> object:
        """One of the words that are offered; null where it is one of them and nothing is set."""
        found, offered = self.find(name), tuple(offered)
        if found in offered:
            return found
        words = ", ".join("null" if word is None else repr(word) for word in offered)
        raise WeightsError(f"{name} is one of {words}; got {found!r}")

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        found = self.find(name, default=default)
        if not isinstance(found, bool):
            raise WeightsError(f"{name} is true or false; got {found!r}")
        return found

    def number(self, name: str, default: float | None = None) -> float | None:
        """A finite number; null counts as not set."""
        found = self.find(name, default=default)
        if (
            found is None
            or found is default
            or (isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found))
        ):
            return default if found is None else found
        raise WeightsError(f"{name} is a finite number; got {found!r}")


def read_settings(
    path: Path | None,
    config: Mapping[str, object] | None,
    arguments: Mapping[str, object],
    carried: Mapping[str, object] | None = None,
) -> Settings:
    """Settings: arguments that are not None, then those of ``config``, then those of ``config.json`` in the folder of a file.

    ``carried`` are those of a module, which come after all others.

    Raises
    ------
    WeightsError
        A configuration is none.
    """
    if config is not None and not isinstance(config, Mapping):
        raise WeightsError(f"config is a mapping of names to settings, such as {{'eps': 1e-5}}; got {type(config).__name__}")
    beside = path.parent / CONFIG if path is not None else None
    stored = read_config(beside) if beside is not None and beside.is_file() else {}
    given = {name: value for name, value in arguments.items() if value is not None}
    where = "the arguments" if beside is None else f"the arguments or in {CONFIG} beside {path.name}"
    return Settings(MappingProxyType(dict(carried or {}) | stored | dict(config or {}) | given), where)


def read_config(path: Path) -> dict[str, object]:
    """The settings of a JSON file."""
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path} has {path.stat().st_size:,} bytes; a configuration has at most {MAX_BYTES:,}")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise WeightsError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise WeightsError(f"{path} is a JSON object of settings; got {type(found).__name__}")
    return found
