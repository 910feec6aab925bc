"""``symbolic-circuits verify``: replay certificates of proofs with the independent checker, and derivations by their rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.terminal import is_terminal, say
from symbolic_circuits.derivation.files import FORMAT, from_derivation_data
from symbolic_circuits.errors import CertificateError, DerivationError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.files import read_json

EXAMPLES = """
\b
Examples:
  symbolic-circuits prove --certificates proofs/ identities.json
  symbolic-circuits verify proofs/*.json
  symbolic-circuits derive "attn(H) bilinear" -o derivation.json
  symbolic-circuits verify derivation.json
\b
Exit codes: 0 every file shows what it claims; 1 some does not; 2 a file
cannot be read.
"""


def check_file(data: Any) -> None:
    """Raise CertificateError or DerivationError unless what a file claims is shown."""
    if isinstance(data, Mapping) and data.get("format") == FORMAT:
        from_derivation_data(data).check()
    else:
        check_certificate(data)


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Check the certificates and derivations in FILES.

    Certificates of proofs are replayed by code that shares nothing with the prover. Derivations are replayed rule by rule, and every
    step is proved anew.
    """
    wrong = 0
    for path in files:
        try:
            check_file(read_json(path))
        except (CertificateError, DerivationError) as error:
            wrong += 1
            told(path, "wrong", str(error))
        else:
            told(path, "right")
    ctx.exit(1 if wrong else 0)


def told(path: Path, *words: str) -> None:
    """A line with tabs in a pipe; in a terminal one that is broken at words."""
    parts = [inert_line(part) for part in (path, *words)]
    if is_terminal():
        say(": ".join(parts))
    else:
        click.echo("\t".join(parts))
