"""The tour, a notebook: it runs, and the outputs that it is stored with are those of today; ``--regenerate-golden`` stores them anew."""

import json
import math
import re
from pathlib import Path

import golden
import pytest
from requirements import require

PATH = Path(__file__).parents[2] / "proofs" / "notebooks" / "tour.ipynb"
NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")
COMPARED = ("text/plain", "text/html", "text/latex")  # pictures depend on the version of matplotlib
ROUNDING = 1e-5  # numbers below it are rounding of float32


def stored() -> dict:
    return json.loads(PATH.read_text(encoding="utf-8"))


def executed() -> dict:
    """The notebook, run from its folder in a kernel of its own."""
    require("notebook")
    import nbclient
    import nbformat

    notebook = nbformat.read(PATH, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(PATH.parent)}}
    ).execute()
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    return notebook


def shown(cell: dict) -> list[dict[str, str]]:
    """What a cell shows, by MIME type."""
    return [
        {kind: "".join(text) for kind, text in output["data"].items() if kind in COMPARED}
        for output in cell.get("outputs", [])
        if "data" in output
    ]


def is_near(a: str, b: str) -> bool:
    """Whether two texts are the same up to rounding of the numbers in them."""
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    pairs = zip(NUMBER.findall(a), NUMBER.findall(b), strict=True)
    return all(
        x == y or (is_rounded(x, y) and math.isclose(float(x), float(y), rel_tol=0.02, abs_tol=ROUNDING)) for x, y in pairs
    )


def is_rounded(*numbers: str) -> bool:
    """Whether numbers are no integers, whose digits all count."""
    return not any(number.lstrip("+-").isdecimal() for number in numbers)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("remainder 3.12e-07 of 12 terms", "remainder 2.9e-07 of 12 terms", True),
        ("+92.4 %", "+92.3 %", True),
        ("1012 terms", "1013 terms", False),
        ("W_OV^1", "W_OV^0", False),
        ("attn.0[1]", "attn.0[0]", False),
        ("a b", "a c", False),
    ],
)
def test_texts_are_compared_up_to_rounding(a: str, b: str, expected: bool) -> None:
    assert is_near(a, b) == expected


def test_the_notebook_runs_and_its_outputs_are_current() -> None:
    found = executed()
    if golden.regenerate:
        import nbformat

        nbformat.write(found, PATH)
    for now, before in zip(found["cells"], stored()["cells"], strict=True):
        assert now["source"] == "".join(before["source"])
        outputs, old = shown(now), shown(before)
        assert len(outputs) == len(old) and all(set(a) == set(b) for a, b in zip(outputs, old, strict=True)), now["source"]
        for a, b in zip(outputs, old, strict=True):
            assert all(is_near(a[kind], b[kind]) for kind in a), now["source"]


def test_outputs_are_stored_in_full_and_say_nothing_of_where_they_were_made() -> None:
    text = PATH.read_text(encoding="utf-8")
    cells = [cell for cell in stored()["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(cell["outputs"] for cell in cells[1:])
    assert not any(output["output_type"] in ("error", "stream") for cell in cells for output in cell["outputs"])
    assert "<script" not in text and "/home/" not in text and "object at 0x" not in text
    assert len(text) < 1_000_000
