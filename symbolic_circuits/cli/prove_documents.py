"""The part of ``symbolic-circuits prove`` for documents: a table of their checks, counts, explanations of failures."""

from collections import Counter
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.terminal import cell, console, is_terminal, say
from symbolic_circuits.documents.cache import Cache, user_folder
from symbolic_circuits.documents.checking import check_document
from symbolic_circuits.documents.reading import KINDS
from symbolic_circuits.documents.results import Report, Result, failure_text

__all__ = ["check_documents", "documents_data", "documents_exit_code", "is_document", "matching", "show_documents"]

COLOURS = {"ok": "green", "failed": "red", "tested": "cyan", "not checked": "yellow"}


def is_document(path: Path) -> bool:
    """Whether a file is Markdown or LaTeX, by its name."""
    return path.suffix.lower() in KINDS


def matching(path: Path) -> list[Path]:
    """A path; where it is none, the files that match it as a glob pattern."""
    if path.exists() or not any(mark in str(path) for mark in "*?["):
        return [path]
    found = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
    if not found:
        raise click.UsageError(f"no file matches {path}")
    return found


def check_documents(paths: list[Path], seed: int, no_cache: bool) -> list[Report]:
    """The reports of documents."""
    folder = None if no_cache else user_folder()
    cache = Cache(folder) if folder else None
    reports = []
    for path in paths:
        with progress_bar(f"checking {path.name}") as progress:
            reports.append(check_document(path, cache=cache, seed=seed, progress=progress))
    return reports


def documents_exit_code(reports: list[Report]) -> int:
    """1 where something is not as claimed, else 3 where something is undecided."""
    failed = [result for report in reports for result in report.results if not result.is_ok]
    return 0 if not failed else 3 if all(map(is_open, failed)) else 1


def is_open(result: Result) -> bool:
    """Whether a failure may yet be true: undecided, or shown with some probability only."""
    return result.verdict == "undecided" or (result.relation == "=" and result.verdict == "holds_at")


def documents_data(reports: list[Report]) -> list[dict[str, Any]]:
    """Results as plain data."""
    return [{"document": report.name} | result.to_data() for report in reports for result in report.results]


def show_documents(reports: list[Report], verbose: bool) -> None:
    """A table on a terminal; lines with tabs in a pipe, and the counts on standard error."""
    to_terminal = is_terminal()
    for report in reports:
        if to_terminal:
            console().print(table_of(report))
        else:
            for result in report.results:
                item = f"{report.name}::{result.id}"
                click.echo("\t".join(map(inert_line, [item, result.line, result.relation, verdict_of(result), result.words])))
        if verbose:
            for result in report.results:
                if not result.is_ok:
                    say(f"\n{failure_text(report.name, result)}")
            click.echo()
    if reports:
        click.echo(counts_text(reports), err=not to_terminal)


def table_of(report: Report) -> Table:
    """The table of a document."""
    table = Table("item", "line", "", "verdict", "", title=cell(report.name), title_justify="left", box=SIMPLE, pad_edge=False)
    table.columns[0].overflow = table.columns[4].overflow = "fold"
    for result in report.results:
        verdict = Text(verdict_of(result), COLOURS[result.status])
        table.add_row(cell(result.id), str(result.line), cell(result.relation), verdict, cell(result.words))
    return table


def verdict_of(result: Result) -> str:
    """The verdict, marked where it is not what is claimed; otherwise what kind of item it is."""
    if result.status == "failed":
        return f"FAILED: {result.verdict}"
    return result.verdict or result.status


def counts_text(reports: list[Report]) -> str:
    """The counts of all documents."""
    total: Counter[str] = Counter()
    for report in reports:
        total.update(report.counts)
    words = {"refuted": "refuted as claimed"}
    counts = ", ".join(
        f"{total[kind]} {words.get(kind, kind)}" for kind in ("proved", "refuted", "failed", "tested", "not checked")
    )
    return f"{counts} in {len(reports)} {'document' if len(reports) == 1 else 'documents'}"
