"""Documentation: the reference is made without warnings, examples run, names and JSON forms are those that were promised, pictures are current."""

import doctest
import importlib.util
import inspect
import json
import re
import shlex
import warnings
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path

import golden
import networkx
import pytest
from click.testing import CliRunner
from requirements import require

import symbolic_circuits as sc
from symbolic_circuits.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NAMES, FORMS = golden.FOLDER / "public_names.txt", golden.FOLDER / "json_forms.json"
REFERENCE = (
    "pdoc symbolic_circuits symbolic_circuits.errors symbolic_circuits.expansion.queries.language "
    "symbolic_circuits.report.figure_style -d numpy --math --no-show-source -t proofs/reference -o api"
)
FREE = frozenset(
    {"sizes", "values", "arrays", "shapes", "given", "defs", "laws", "counts", "histogram", "definitions", "tensors"}
)  # keys that are data below


# names and forms that are kept


def kept(recorded: list[str], found: list[str], path: Path, what: str) -> None:
    """Nothing that was recorded is lost, and what is new is recorded: by ``pytest --regenerate-golden``, which takes nothing out."""
    lost = sorted(set(recorded) - set(found))
    assert not lost, (
        f"{what} that were promised are gone: {lost}; take them out of {path.name} by hand, and say so in CHANGELOG.md"
    )
    if golden.regenerate:
        lines = sorted({*recorded, *found})
        path.write_text("\n".join(lines) + "\n" if path.suffix == ".txt" else json.dumps(grouped(lines), indent=1) + "\n")
        return
    new = sorted(set(found) - set(recorded))
    assert not new, (
        f"{what} that are new are not in {path.name}: {new[:10]}; run pytest --regenerate-golden {Path(__file__).name}"
    )


def public_names() -> Iterator[str]:
    """``rank``, ``rank(top)``, ``Ranking.rows``, ``Ranking.rows(...)``: functions, their parameters, and what classes have."""
    for name in sc.__all__:
        value = getattr(sc, name)
        yield name
        if inspect.isclass(value):
            yield from (f"{name}.{member}" for member in members_of(value))
        elif callable(value):
            yield from (f"{name}({parameter})" for parameter in parameters_of(value))


def members_of(cls: type) -> list[str]:
    """Fields, properties and methods of a class of this package; of those that it inherits from it, too."""
    own = [base for base in cls.__mro__ if base.__module__.startswith("symbolic_circuits")]
    names = {name for base in own for name in vars(base) if not name.startswith("_")}
    names |= {field.name for field in fields(cls)} if is_dataclass(cls) else set()
    return sorted([*names, *(f"{name}({p})" for name in names for p in parameters_of(getattr(cls, name, None)))])


def parameters_of(value: object) -> list[str]:
    """The names of the parameters of a function, without self."""
    if not (inspect.isfunction(value) or inspect.ismethod(value)):
        return []
    return [name for name in inspect.signature(value).parameters if name not in ("self", "cls")]


def test_public_names_are_kept() -> None:
    recorded = NAMES.read_text(encoding="utf-8").split("\n") if NAMES.exists() else []
    kept([line for line in recorded if line], list(public_names()), NAMES, "public names")


COMMANDS = {  # all that changes which keys there are, or their types
    "terms": [
        "terms --json",
        "terms 'attn(2) bilinear' --where 'attn.0[1]' --notation matrix --json",
        "terms 'attn(2)*2' --scores '1[0]' --limit 0 --json",
    ],
    "terms --classes": [
        "terms 'attn(2) bilinear' --where 'attn.0[1]' --classes --json",
        "terms 'attn(H) bilinear' --classes --json",
    ],
    "graded": ["graded --tokens '3 4 31' --positions -1 --targets 7 --json", "graded '[no unembed] attn(2)' --up-to 1 --json"],
    "rank": ["rank --tokens '3 4 31' --token 7 --against 8 --top 2 --json", "rank --norm --where 'attn.0[1]' --json"],
    "explain": ["explain --tokens '3 4 31' --token 7 --json"],
    "explain --batch": ["explain --batch 3 --json"],
    "ablate": ["ablate 'attn.0[1]' --tokens '3 4 31' --token 7 --json"],
    "ablate --batch": ["ablate 'attn.0[1]' --by mean --batch 4 --json"],
    "prove": ["prove --no-cache --json {identities} {document}"],
}


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """What every command prints as JSON, and the files that are JSON."""
    folder = tmp_path_factory.mktemp("forms")
    product, turned = [1, "ij,jk->ik", ["A", "B"]], [1, "ij,jk->ik", ["B", "A"]]
    shapes = {"A": ["n", "n"], "B": ["n", "n"]}
    rows = [
        {"id": "same", "lhs": [product], "rhs": [product], "shapes": shapes},
        {"id": "turned", "lhs": [product], "rhs": [turned], "shapes": shapes},
        {"id": "at two", "lhs": [product], "rhs": [product], "shapes": {"A": [2, 2], "B": [2, 2]}},
    ]
    paths = {"identities": folder / "identities.json", "document": folder / "document.md"}
    paths["identities"].write_text(json.dumps(rows))
    paths["document"].write_text(
        "```symbols\nA, B : n x n\n```\n\n**Z1.** Products are turned:\n\n$$ (A B)^\\top = B^\\top A^\\top $$\n"
    )
    found = {name: [printed(command.format(**paths)) for command in commands] for name, commands in COMMANDS.items()}
    sc.save_derivation(sc.derive("attn(1)"), folder / "derivation.json")
    found["derivation file"] = [json.loads((folder / "derivation.json").read_text())]
    found["certificate"] = [json.loads(json.dumps(sc.prove_identity(rows[0]).certificate))]
    found["certificate of an expansion"] = [json.loads(json.dumps(sc.path_expansion("attn(2) bilinear").prove().certificate))]
    expansion, weights = sc.path_expansion("attn(2) bilinear"), sc.Weights.example()
    graphs = [sc.model_graph("attn(2) bilinear"), expansion[8].graph]
    found["graph file"] = [networkx.node_link_data(graph, edges="edges") for graph in graphs]
    causes = sc.causal_graph(weights.model, weights, [3, 4, 31], token=7)
    found["causal graph file"] = [networkx.node_link_data(causes, edges="edges")]
    return found


def printed(command: str) -> object:
    """The JSON that a command prints."""
    result = CliRunner().invoke(main, shlex.split(command))
    assert result.exit_code in (0, 1), result.output
    return json.loads(result.stdout)


def keys_of(value: object, place: str = "") -> Iterator[str]:
    """``terms[].value: number``: the place of every value, and its type; below keys whose contents have names of data there is one place."""
    if isinstance(value, dict):
        yield f"{place}: object"
        for key, part in value.items():
            inner = f"{place}.{key}" if place else key
            if key in FREE:
                yield f"{inner}: {type_of(part)}"
            else:
                yield from keys_of(part, inner)
    elif isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for part in value:
            yield from keys_of(part, f"{place}[]")
    else:
        yield f"{place}: {type_of(value)}"


def type_of(value: object) -> str:
    """The name that JSON has for the type of a value."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}
    return names[type(value)]


def grouped(lines: list[str]) -> dict[str, list[str]]:
    """Lines ``command / place: type`` by command."""
    out: dict[str, list[str]] = {}
    for line in lines:
        name, _, place = line.partition(" / ")
        out.setdefault(name, []).append(place)
    return out


def test_json_forms_are_kept(forms) -> None:
    recorded = json.loads(FORMS.read_text(encoding="utf-8")) if FORMS.exists() else {}
    before = [f"{name} / {place}" for name, places in recorded.items() for place in places]
    found = [f"{name} / {place}" for name, values in forms.items() for value in values for place in keys_of(value)]
    kept(before, found, FORMS, "JSON forms")


def test_what_is_kept_is_missed() -> None:
    """A test that cannot fail is a defect: a name that is lost, a type that changes, a name that is not recorded."""
    before = list(keys_of({"terms": [{"value": 1.0, "term": "embed"}], "model": "attn(2)"}))
    for now in ({"terms": [{"value": 1.0}], "model": "a"}, {"terms": [{"value": "1.0", "term": "embed"}], "model": "a"}):
        with pytest.raises(AssertionError, match="that were promised are gone"):
            kept(before, list(keys_of(now)), FORMS, "JSON forms")
    if not golden.regenerate:
        with pytest.raises(AssertionError, match=r"that are new are not in json_forms\.json: \['more: null'\]"):
            kept(before, [*before, "more: null"], FORMS, "JSON forms")
        kept(before, before, FORMS, "JSON forms")


# documents


def test_the_tutorial_runs() -> None:
    path = ROOT / "proofs" / "tutorial.md"
    failed, tried = doctest.testfile(str(path), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert not failed and tried > 25


@pytest.mark.parametrize("path", sorted([ROOT / "README.md", *(ROOT / "proofs").glob("*.md")]), ids=lambda path: path.name)
def test_links_and_pictures_are_there(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", text):
        if re.match(r"[\w./-]+\.\w+$", target) and "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} points to {target}"
    assert all(words.strip() for words in re.findall(r"!\[([^\]]*)\]\(", text))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}  # as GitHub makes them
    assert set(re.findall(r"\]\(#([^)]*)\)", text)) <= anchors


def test_pictures_are_made_by_the_script(tmp_path: Path) -> None:
    """With the same words; fonts, ticks and the digits of coordinates differ between versions of matplotlib."""
    pytest.importorskip("matplotlib.figure")
    folder = ROOT / "proofs" / "pictures"
    spec = importlib.util.spec_from_file_location("pictures", folder / "make.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} | {"study-addition.svg", "make.py"} == {
        path.name for path in folder.iterdir() if path.name != "__pycache__"
    }
    for path in tmp_path.glob("*.svg"):
        made, there = (words_in(file.read_text(encoding="utf-8")) for file in (path, folder / path.name))
        assert made == there and made, f"{path.name} is not what proofs/pictures/make.py draws"


def words_in(svg: str) -> list[str]:
    """The texts of a picture that are no numbers."""
    return sorted(text for text in re.findall(r"<!-- (.*?) -->", svg) if re.search("[A-Za-z]", text))


def test_the_citation_is_of_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = dict(re.findall(r"^([\w-]+): *(.*)$", text, re.MULTILINE))
    assert found["cff-version"] == "1.2.0" and found["title"] == "symbolic_circuits" and found["license"] == "MIT"
    assert found["version"] == sc.__version__
    assert {"message", "authors", "abstract"} <= found.keys()


def test_the_reference_is_made_without_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    """One command, which README.md has, in this process, where all is imported already; every public name is on the page."""
    require("pdoc")
    from pdoc.__main__ import cli

    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        cli([*REFERENCE.split()[1:-1], str(tmp_path / "api")])
    assert not [str(warning.message) for warning in warned] and not capfd.readouterr().err.strip()
    page = (tmp_path / "api" / "symbolic_circuits.html").read_text(encoding="utf-8")
    assert not [name for name in sc.EXPORTS if f'id="{name}"' not in page]
    assert (tmp_path / "api" / "symbolic_circuits" / "expansion" / "queries" / "language.html").exists()
    [rows] = re.findall(r'<section id="qk_parts">.*?</section>', page, re.DOTALL)
    assert "<strong>offset, which</strong>: as in" in rows  # a colon in the words does not make them the name
    assert "<summary>Definitions" in rows and "<table>" in rows and "W_{QK}" in rows


def test_what_is_public_has_an_example_and_says_what_its_parameters_are() -> None:
    """Every name has an example (which runs: doctests are collected); every method and property has words; parameters are those there are."""
    names = {name: getattr(sc, name) for name in sc.EXPORTS}
    assert not [name for name, value in names.items() if ">>> " not in (value.__doc__ or "")]
    members = {
        f"{name}.{member}": inspect.getattr_static(cls, member, None)
        for name, cls in names.items()
        if inspect.isclass(cls)
        for member in members_of(cls)
        if "(" not in member
    }
    functions = {name: getattr(value, "__func__", value) for name, value in (names | members).items()}
    described = {name: value for name, value in functions.items() if inspect.isfunction(value) or isinstance(value, property)}
    assert not [name for name, value in described.items() if not (value.__doc__ or "").strip()]
    for name, value in described.items():
        if inspect.isfunction(value):
            extra = set(documented(inspect.getdoc(value))) - set(inspect.signature(value).parameters)
            assert not extra, f"{name} has no parameter {', '.join(sorted(extra))}"


def documented(text: str) -> list[str]:
    """The names in the section of parameters of a docstring."""
    _, _, rest = text.partition("Parameters\n----------\n")
    lines = rest.partition("\n\n")[0].split("\n")
    return [word.strip(" *") for line in lines if line[:1].strip() for word in line.partition(" : ")[0].split(",")]


def test_documented_reads_names() -> None:
    assert documented("One.\n\nParameters\n----------\na, b : of c : d\n    more : words\ne : f\n\nRaises\n") == ["a", "b", "e"]


def test_the_readme_has_the_command_of_the_reference_and_says_what_is_stable() -> None:
    assert REFERENCE in " ".join(README.replace("\\\n", " ").split())
    for words in ("## Stability", "tests/golden/public_names.txt", "tests/golden/json_forms.json", "CITATION.cff"):
        assert words in README
