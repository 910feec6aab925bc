"""A table of documents in Markdown: source, statements, proved, refuted, tested, not checked.

``python -m symbolic_circuits.documents.summary proofs/*.md`` prints it.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from symbolic_circuits.documents.cache import Cache
from symbolic_circuits.documents.checking import check_document
from symbolic_circuits.documents.results import Report

__all__ = ["summary_table"]

HEAD = "| source | statements | proved | refuted | tested | not checked |\n| --- | ---: | ---: | ---: | ---: | ---: |"


def summary_table(paths: Iterable[Path | str], *, cache: Cache | None = None) -> str:
    """The table of documents, a row each; a statement is an id that occurs in it, whatever came of its checks.

    Checks that are not as claimed are in no column of the others: a column for them appears if there are any.
    """
    reports = [check_document(path, cache=cache) for path in paths]
    failed = any(not report.is_ok for report in reports)
    head, rule = HEAD.split("\n")
    lines = [head + " failed |" * failed, rule + " ---: |" * failed]
    return "\n".join(lines + [row(report) + f" {report.counts['failed']} |" * failed for report in reports]) + "\n"


def row(report: Report) -> str:
    """The row of a document."""
    title = (report.title or Path(report.name).stem).replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")
    counts = [str(report.counts[kind]) for kind in ("proved", "refuted", "tested", "not checked")]
    return f"| [{title}]({Path(report.name).as_posix()}) | {' | '.join([str(len(report.statements)), *counts])} |"


if __name__ == "__main__":
    print(summary_table(sys.argv[1:]), end="")
