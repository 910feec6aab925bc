"""``symbolic-circuits prove``: prove or refute the identities of files."""

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Verdict
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.identities.files import Identity, read_identities
from symbolic_circuits.identities.report import explanation, summary, verdict_data
from symbolic_circuits.whole_file import write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits prove identities.json
  symbolic-circuits prove --json identities.json > verdicts.json
  symbolic-circuits prove --certificates proofs/ identities.json
\b
A file holds one identity, or a list of them:
  {"id": "trace", "lhs": [[1, "ij,ji->", ["A", "B"]]], "rhs": [[1, "ij,ji->", ["B", "A"]]],
   "shapes": {"A": ["n", "d"], "B": ["d", "n"]}, "given": {}, "defs": {}}
\b
Exit codes: 0 every identity is proved (or true at the sizes that it fixes); 1 some is refuted; 2 wrong input; 3 some is undecided.
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="A list of verdicts with counterexamples and diagnoses.")
@click.option("--verbose", "-v", is_flag=True, help="Counterexample, residue and diagnosis of each refuted identity.")
@click.option(
    "--certificates", type=click.Path(path_type=Path, file_okay=False), help="A folder for a certificate of each proof, as JSON."
)
@click.option("--force", is_flag=True, help="Replace certificates that exist.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the search for counterexamples under laws."
)
@click.pass_context
def prove(
    ctx: click.Context, files: tuple[Path, ...], as_json: bool, verbose: bool, certificates: Path | None, force: bool, seed: int
) -> None:
    """Prove or refute the identities in FILES."""
    identities = [identity for path in files for identity in read_identities(path)]
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
    if certificates:
        write_certificates(certificates, found, force)
    if as_json:
        click.echo(json.dumps([{"id": identity.id} | verdict_data(verdict) for identity, verdict in found], indent=1))
    else:
        show(found, verbose)
    ctx.exit(exit_code([verdict for _, verdict in found]))


def exit_code(verdicts: list[Verdict]) -> int:
    """1 where one is refuted, else 3 where one is undecided or true with some probability only."""
    if any(verdict.verdict == "refuted" for verdict in verdicts):
        return 1
    claimed = (isinstance(v, Proved) or (isinstance(v, HoldsAt) and v.error_probability is None) for v in verdicts)
    return 0 if all(claimed) else 3


def show(found: list[tuple[Identity, Verdict]], verbose: bool) -> None:
    """A table on a terminal; lines with tabs in a pipe."""
    if not sys.stdout.isatty():
        for identity, verdict in found:
            click.echo(f"{identity.id}\t{verdict.verdict}\t{explanation(verdict) if verbose else summary(verdict)}")
        return
    table = Table("identity", "verdict", "")
    colours = {"proved": "green", "refuted": "red", "holds_at": "yellow", "undecided": "magenta"}
    for identity, verdict in found:
        colour = colours[verdict.verdict]
        text = explanation(verdict) if verbose else summary(verdict)
        table.add_row(escape(identity.id), f"[{colour}]{verdict.verdict}[/{colour}]", escape(text))
    Console().print(table)


def write_certificates(folder: Path, found: list[tuple[Identity, Verdict]], force: bool) -> None:
    """One file for each proof."""
    folder.mkdir(parents=True, exist_ok=True)
    for k, (identity, verdict) in enumerate(found):
        if isinstance(verdict, Proved):
            name = "".join(c if c.isalnum() or c in "-_." else "_" for c in identity.id)[:80]
            write_whole(folder / f"{k:04d}-{name}.json", json.dumps(verdict.certificate), force=force)
