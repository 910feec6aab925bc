"""Golden files under tests/golden, compared line by line; `pytest --regenerate-golden` writes them anew."""

from pathlib import Path

FOLDER = Path(__file__).parent / "golden"
regenerate = False  # set by conftest from the command line


def check_golden(name: str, text: str) -> None:
    """The text equals the golden file of that name."""
    path = FOLDER / name
    if regenerate:
        path.write_text(text)
    assert path.exists(), f"no golden file {name}: run pytest --regenerate-golden"
    assert text.splitlines() == path.read_text().splitlines()
