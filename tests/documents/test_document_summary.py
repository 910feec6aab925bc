"""The table of documents."""

import subprocess
import sys
from pathlib import Path

from symbolic_circuits.documents.summary import summary_table

TEXT = "# Heads | [one]\n<!-- symbols A, B : n x n -->\n\n**A1.** $$ A = A $$\n$$ A B \\neq B A $$\n\n## More\n$$ B = B $$\n<!-- not checked A2: x -->\n"
HEAD = "| source | statements | proved | refuted | tested | not checked |\n| --- | ---: | ---: | ---: | ---: | ---: |\n"


def test_table(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.md").write_text(TEXT)
    Path("b.tex").write_text("% not checked A1: x\n% tested A1: a.md\n% tested A3: a.md")
    rows = "| [Heads \\| \\[one\\]](a.md) | 2 | 2 | 1 | 0 | 1 |\n| [b](b.tex) | 2 | 0 | 0 | 2 | 1 |\n"
    assert summary_table(["a.md", Path("b.tex")]) == HEAD + rows


def test_failures_have_a_column(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("**A1.** $$ A = A $$")
    lines = summary_table([tmp_path / "a.md"]).splitlines()
    assert lines[0].endswith("| not checked | failed |") and lines[1].endswith("| ---: |")
    assert lines[2].endswith("| 1 | 0 | 0 | 0 | 0 | 1 |")
    assert summary_table([]) == HEAD


def test_as_a_script(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(TEXT)
    command = [sys.executable, "-m", "symbolic_circuits.documents.summary", "a.md"]
    found = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True, text=True)
    assert found.stdout == HEAD + "| [Heads \\| \\[one\\]](a.md) | 2 | 2 | 1 | 0 | 1 |\n", found.stderr
