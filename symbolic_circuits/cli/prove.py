"""``symbolic-circuits prove``: prove or refute the identities of files, and check the equations of documents."""

import json
from pathlib import Path

import click
from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Verdict
from symbolic_circuits.cli.inert import inert, inert_line
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.prove_documents import (
    check_documents,
    documents_data,
    documents_exit_code,
    is_document,
    matching,
    show_documents,
)
from symbolic_circuits.cli.terminal import cell, console, is_terminal
from symbolic_circuits.errors import OutputError
from symbolic_circuits.identities.files import Identity, read_identities
from symbolic_circuits.identities.report import explanation, summary, verdict_data
from symbolic_circuits.whole_file import require_free, write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits prove identities.json
  symbolic-circuits prove --json identities.json > verdicts.json
  symbolic-circuits prove --certificates proofs/ identities.json
  symbolic-circuits prove paper.tex notes.md
  symbolic-circuits prove --verbose "proofs/*.md"
\b
A file holds one identity, or a list of them:
  {"id": "trace",
   "lhs": [[1, "ij,ji->", ["A", "B"]]], "rhs": [[1, "ij,ji->", ["B", "A"]]],
   "shapes": {"A": ["n", "d"], "B": ["d", "n"]}, "given": {}, "defs": {}}
\b
A document, .md or .tex, declares its symbols, and each equation in display
mathematics is checked: "=" is to be proved, "\\neq" to be refuted. Results of
documents are kept in $XDG_CACHE_HOME or ~/.cache, by the content of the
document and the version of this package.
\b
Exit codes: 0 everything is as claimed (or true at the sizes that it fixes);
1 something is not; 2 wrong input; 3 something is undecided.
"""

COLOURS = {"proved": "green", "refuted": "red", "holds_at": "yellow", "undecided": "magenta"}


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A list of verdicts with counterexamples and diagnoses.")
@click.option("--verbose", "-v", is_flag=True, help="Counterexample, residue and diagnosis of what is not as claimed.")
@click.option(
    "--certificates", type=click.Path(path_type=Path, file_okay=False), help="A folder for a certificate of each proof, as JSON."
)
@click.option("--force", is_flag=True, help="Replace certificates that exist.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the search for counterexamples under laws."
)
@click.option("--no-cache", is_flag=True, help="Check documents anew, and keep nothing.")
@click.pass_context
def prove(
    ctx: click.Context,
    files: tuple[Path, ...],
    as_json: bool,
    verbose: bool,
    certificates: Path | None,
    force: bool,
    seed: int,
    no_cache: bool,
) -> None:
    """Prove or refute the identities in FILES (.json), and the equations in them (.md, .tex)."""
    files = tuple(path for pattern in files for path in matching(pattern))
    documents = [path for path in files if is_document(path)]
    if certificates and documents:
        raise click.UsageError(f"--certificates are of identity files; {documents[0]} is a document")
    identities = [identity for path in files if not is_document(path) for identity in read_identities(path)]
    if certificates:
        require_room(certificates, identities, force)
    reports = check_documents(documents, seed, no_cache)
    found = prove_identities(identities, seed)
    if certificates:
        write_certificates(certificates, found, force)
    if as_json:
        data = [{"id": identity.id} | verdict_data(verdict) for identity, verdict in found]
        click.echo(json.dumps(data + documents_data(reports), indent=1))
    else:
        if found or not reports:
            show(found, verbose)
        show_documents(reports, verbose)
    ctx.exit(worst([exit_code([verdict for _, verdict in found]), documents_exit_code(reports)]))


def prove_identities(identities: list[Identity], seed: int) -> list[tuple[Identity, Verdict]]:
    """Identities with their verdicts."""
    for identity in identities:
        if identity.ignored:
            click.echo(
                f"warning: identity {identity.id!r} has keys that mean nothing here: {', '.join(identity.ignored)}", err=True
            )
    found: list[tuple[Identity, Verdict]] = []
    with progress_bar("proving") as progress:
        for k, identity in enumerate(identities):
            found.append((identity, decide(identity.statement, seed=seed)))
            progress(k + 1, len(identities))
    return found


def worst(codes: list[int]) -> int:
    """The exit code of several parts."""
    return 1 if 1 in codes else max(codes)


def exit_code(verdicts: list[Verdict]) -> int:
    """1 where one is refuted, else 3 where one is undecided or true with some probability only."""
    if any(verdict.verdict == "refuted" for verdict in verdicts):
        return 1
    claimed = (isinstance(v, Proved) or (isinstance(v, HoldsAt) and v.error_probability is None) for v in verdicts)
    return 0 if all(claimed) else 3


def show(found: list[tuple[Identity, Verdict]], verbose: bool) -> None:
    """A table on a terminal; lines with tabs in a pipe."""
    if not is_terminal():
        for identity, verdict in found:
            text = explanation(verdict) if verbose else summary(verdict)
            click.echo("\t".join([inert_line(identity.id), verdict.verdict, inert(text)]))
        return
    table = Table("identity", "verdict", "", box=SIMPLE, pad_edge=False)
    table.columns[0].overflow = table.columns[2].overflow = "fold"
    for identity, verdict in found:
        text = explanation(verdict) if verbose else summary(verdict)
        table.add_row(cell(identity.id), Text(verdict.verdict, COLOURS[verdict.verdict]), cell(text))
    console().print(table)


def require_room(folder: Path, identities: list[Identity], force: bool) -> None:
    """Raise OutputError, before the work, where a certificate that may be written is there already, or something that is no folder."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is no folder: certificates are written into one")
    if folder.is_dir():
        for k, identity in enumerate(identities):
            require_free(folder / certificate_name(k, identity), force=force)


def certificate_name(number: int, identity: Identity) -> str:
    """The file of a certificate; the name of the identity in letters that every disk has."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in identity.id)
    return f"{number:04d}-{name[:80]}.json"


def write_certificates(folder: Path, found: list[tuple[Identity, Verdict]], force: bool) -> None:
    """One file for each proof."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, (identity, verdict) in enumerate(found):
        if isinstance(verdict, Proved):
            write_whole(folder / certificate_name(k, identity), json.dumps(verdict.certificate), force=force)
