"""``symbolic-circuits verify``: replay certificates of proofs with the independent checker."""

from pathlib import Path

import click

from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.files import printable, read_json

EXAMPLES = """
\b
Examples:
  symbolic-circuits prove --certificates proofs/ identities.json
  symbolic-circuits verify proofs/*.json
\b
Exit codes: 0 every certificate shows what it claims; 1 some does not; 2 a file cannot be read.
"""


@click.command(epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.pass_context
def verify(ctx: click.Context, files: tuple[Path, ...]) -> None:
    """Check the certificates in FILES, with code that shares nothing with the prover."""
    wrong = 0
    for path in files:
        try:
            check_certificate(read_json(path))
        except CertificateError as error:
            wrong += 1
            click.echo(f"{printable(str(path))}\twrong\t{printable(str(error))}")
        else:
            click.echo(f"{printable(str(path))}\tright")
    ctx.exit(1 if wrong else 0)
