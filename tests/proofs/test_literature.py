"""The literature in proofs/: every statement stands there, every check is as claimed, and the README's table says what came of them."""

import re
from pathlib import Path

import pytest

from symbolic_circuits.documents.checking import check_document
from symbolic_circuits.documents.results import Report
from symbolic_circuits.documents.summary import summary_table

ROOT = Path(__file__).parents[2]
SOURCES = (
    "sharkey-2023",
    "elhage-2021",
    "pearce-2024",
    "chi-nets-and-tensor-transformers",
    "counting-and-deciding",
    "circuits-from-weights",
    "bilinear-layers-from-weights",
    "study-addition",
    "real-transformers",
    "tutorial",
)
NUMBERS = {"A": 23, "B": 47, "C": 24, "D": 36, "E": 23}


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """The documents, checked."""
    return {name: check_document(ROOT / "proofs" / f"{name}.md") for name in SOURCES}


def statements(report: Report) -> set[str]:
    """The ids in a document."""
    return set(report.statements)


def test_every_document_is_one_of_these():
    assert {path.stem for path in (ROOT / "proofs").glob("*.md")} == set(SOURCES)


def test_every_check_is_as_claimed(reports):
    failed = [
        f"{name}::{result.id}: {result.words}"
        for name, report in reports.items()
        for result in report.results
        if not result.is_ok
    ]
    assert not failed
    assert sum(report.counts["proved"] + report.counts["refuted"] for report in reports.values()) >= 200


@pytest.mark.parametrize("letter", sorted(NUMBERS))
def test_every_statement_stands_somewhere(reports, letter):
    there = set().union(*map(statements, reports.values()))
    assert {f"{letter}{k}" for k in range(1, NUMBERS[letter] + 1)} <= there


def test_every_erratum_is_refuted(reports):
    refuted = {r.statement for report in reports.values() for r in report.results if r.relation == "!=" and r.is_ok}
    assert {f"erratum-{k}" for k in range(1, 9)} <= refuted


def test_what_is_not_checked_says_why(reports):
    for report in reports.values():
        for result in report.results:
            assert result.status != "not checked" or len(result.words) > 20


def test_the_table_of_the_readme(monkeypatch):
    """Else: python -m symbolic_circuits.documents.summary proofs/sharkey-2023.md ..."""
    monkeypatch.chdir(ROOT)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- literature table -->\n(.*?)\n\n", text, re.DOTALL)
    assert found is not None
    assert found.group(1) + "\n" == summary_table(f"proofs/{name}.md" for name in SOURCES)
