"""Derivations as JSON: every tree once, and each step as the numbers of its lines, its place, and its rule with what it was given.

Reading a file replays it: each line must come from the one before by the rule that the file states. Nothing is evaluated.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from sympy.core.basic import Basic

import symbolic_circuits
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.rules import RULES, Rule
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import DerivationError, SymbolicCircuitsError
from symbolic_circuits.identities.files import printable, read_json
from symbolic_circuits.spec import Transformer
from symbolic_circuits.syntax.tree_data import from_data, to_data
from symbolic_circuits.whole_file import write_whole

__all__ = ["derivation_data", "from_derivation_data", "read_derivation", "save_derivation"]

FORMAT, VERSION = "symbolic_circuits derivation", 1


def save_derivation(derivation: Derivation, path: Path | str, *, force: bool = False) -> None:
    """Write a derivation to a JSON file, whole or not at all.

    Parameters
    ----------
    derivation : of :func:`derive`, or by hand
    path : of the file
    force : whether to replace a file that is there

    Raises
    ------
    OutputError
        The file exists and ``force`` is not set, or cannot be written.

    Examples
    --------
    >>> import json, tempfile
    >>> from symbolic_circuits.derivation.derive import derive
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_derivation(derive("attn(1)"), f"{folder}/one_head.json")
    ...     sorted(json.loads(Path(folder, "one_head.json").read_text()))
    ['chains', 'format', 'trees', 'version', 'written_by']
    """
    write_whole(Path(path), json.dumps(derivation_data(derivation), separators=(",", ":")) + "\n", force=force)


def read_derivation(path: Path | str) -> Derivation:
    """Read a derivation from a JSON file, and replay it. What only ``prove()`` shows, it does not show.

    Raises
    ------
    DerivationError
        The file is of another version, malformed, or a step does not replay.

    Examples
    --------
    >>> import tempfile
    >>> from symbolic_circuits.derivation.derive import derive
    >>> found = derive("attn(1)")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_derivation(found, f"{folder}/one_head.json")
    ...     read_derivation(f"{folder}/one_head.json") == found
    True
    """
    try:
        data = read_json(path)
    except (SymbolicCircuitsError, OSError) as error:
        raise DerivationError(f"{path} cannot be read: {error}") from error
    try:
        return from_derivation_data(data)
    except DerivationError as error:
        raise DerivationError(f"{path}: {printable(str(error))}") from error


def derivation_data(derivation: Derivation) -> dict[str, Any]:
    """A derivation as data that JSON can hold.

    Examples
    --------
    >>> from symbolic_circuits.derivation.derive import derive
    >>> found = derive("attn(2)")
    >>> from_derivation_data(derivation_data(found)) == found
    True
    """
    trees = Trees()
    chains = [chain_data(part, trees) for part in derivation.parts()]
    return {
        "format": FORMAT,
        "version": VERSION,
        "written_by": f"symbolic_circuits {symbolic_circuits.__version__}",
        "chains": chains,
        "trees": to_data(*trees.known),
    }


class Trees:
    """Trees by number."""

    def __init__(self) -> None:
        self.known: dict[Basic, int] = {}

    def number(self, tree: Basic) -> int:
        """The number of a tree, a new one if it has none."""
        return self.known.setdefault(tree, len(self.known))

    def coded(self, value: Any) -> Any:
        """A parameter of a rule: trees by number, everything else as it is."""
        if isinstance(value, Basic):
            return {"tree": self.number(value)}
        return [self.coded(item) for item in value] if isinstance(value, tuple) else value


def chain_data(chain: Derivation, trees: Trees) -> dict[str, Any]:
    """One chain; its lemmas are the chains before it."""
    return {
        "name": trees.coded(chain.name),
        "model": None if chain.model is None else str(chain.model),
        "given": [[trees.number(tensor), trees.coded(stated)] for tensor, stated in chain.given],
        "start": trees.number(chain.start),
        "steps": [step_data(step, trees) for step in chain.steps],
    }


def step_data(step: Step, trees: Trees) -> dict[str, Any]:
    """One step; the line before is the line after of the step before it."""
    parameters = {field.name: trees.coded(getattr(step.rule, field.name)) for field in fields(step.rule)}
    return {
        "rule": step.rule.name,
        "given": parameters,
        "at": list(step.place),
        "after": trees.number(step.after),
        "backwards": step.backwards,
        "stage": step.stage,
    }


def from_derivation_data(data: Any) -> Derivation:
    """The derivation that data stands for, replayed.

    Raises
    ------
    DerivationError
        The data are of another version, malformed, or a step does not replay.
    """
    require_version(data)
    try:
        found = read_chains(data)
        found.replay()
    except DerivationError:
        raise
    except (SymbolicCircuitsError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise DerivationError(f"the file cannot be read: {error}") from error
    return found


def read_chains(data: Mapping[str, Any]) -> Derivation:
    """The last chain, the others its lemmas."""
    trees = from_data(data.get("trees"))
    chains: list[Derivation] = []
    for chain in expect(data, "chains", list):
        chains.append(read_chain(chain, trees, tuple(chains)))
    if not chains:
        raise DerivationError("the file has no chain of lines")
    return chains[-1]


def require_version(data: Any) -> None:
    """The file is a derivation that this version reads."""
    if not isinstance(data, Mapping) or data.get("format") != FORMAT:
        raise DerivationError(f"a derivation file is an object with the format {FORMAT!r}")
    if data.get("version") != VERSION:
        found, writer = (printable(str(data.get(key)))[:80] for key in ("version", "written_by"))
        raise DerivationError(
            f"the file has version {found}, written by {writer}; this package reads version {VERSION}: derive it anew"
        )


def expect(data: Any, key: str, kind: type) -> Any:
    """A part of an object, of a type."""
    if not isinstance(data, Mapping) or not isinstance(data.get(key), kind) or (kind is int and isinstance(data[key], bool)):
        there = type(data.get(key)).__name__ if isinstance(data, Mapping) else f"no object but {type(data).__name__}"
        raise DerivationError(f"{key!r} must be of type {getattr(kind, '__name__', kind)}; got {there}")
    return data[key]


def read_chain(data: Any, trees: list[Basic], lemmas: tuple[Derivation, ...]) -> Derivation:
    """One chain."""
    model = expect(data, "model", str | None)
    given = tuple((trees[natural(number)], decoded(stated, trees)) for number, stated in expect(data, "given", list))
    line = start = trees[natural(data["start"])]
    steps = []
    for step in expect(data, "steps", list):
        after = trees[natural(expect(step, "after", int))]
        place = tuple(natural(number) for number in expect(step, "at", list))
        rule = read_rule(expect(step, "rule", str), expect(step, "given", Mapping), trees)
        steps.append(Step(place, rule, line, after, expect(step, "backwards", bool), expect(step, "stage", str)))
        line = after
    name = decoded(data.get("name"), trees)
    if any(not isinstance(stated, tuple) or not all(isinstance(value, str | Basic) for value in stated) for _, stated in given):
        raise DerivationError("what is given of a tensor is a list of laws and definitions")
    if not isinstance(name, Basic | None):
        raise DerivationError("the name of a chain is a tree or nothing")
    return Derivation(start, tuple(steps), given, lemmas, name, None if model is None else Transformer.parse(model))


def natural(number: Any) -> int:
    """A number from 0 on."""
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise DerivationError(f"a number from 0 on was expected; got {printable(str(number))[:80]}")
    return number


def decoded(value: Any, trees: list[Basic]) -> Any:
    """A parameter of a rule."""
    if isinstance(value, Mapping):
        return trees[natural(expect(value, "tree", int))]
    return tuple(decoded(item, trees) for item in value) if isinstance(value, list) else value


def read_rule(name: str, parameters: Mapping[str, Any], trees: list[Basic]) -> Rule:
    """A rule by its name."""
    if name not in RULES:
        raise DerivationError(f"there is no rule {printable(name)[:80]!r}; there are {', '.join(RULES)}")
    kind = RULES[name]
    known = {field.name for field in fields(kind)}
    if set(parameters) - known:
        raise DerivationError(
            f"the rule {name} takes {', '.join(sorted(known)) or 'nothing'}; got {', '.join(sorted(parameters))}"
        )
    return kind(**{key: decoded(value, trees) for key, value in parameters.items()})
