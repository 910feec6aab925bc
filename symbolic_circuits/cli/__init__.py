"""The command line: one file a command, imported only when that command runs, so that ``--help`` starts without SymPy."""

import errno
from importlib import import_module

import click

from symbolic_circuits import __version__
from symbolic_circuits.cli.inert import inert, keep_what_has_no_code
from symbolic_circuits.errors import BudgetError, SymbolicCircuitsError

__all__ = ["main"]

COMMANDS = {
    "ablate": "Remove or replace the terms of a query, and see what the output makes of it.",
    "check": "Check that the terms of a model add up to its forward pass.",
    "convert": "Convert weights of other programs to a file of ours, or back.",
    "derive": "Derive the closed form of a model, check it on weights, write the article.",
    "explain": "Explain a prediction by the fewest terms; over a batch, a histogram.",
    "graded": "Sum all terms of each order, without listing any.",
    "graph": "Write the graph of a model or of a term.",
    "prove": "Prove or refute the identities of files.",
    "rank": "Rank the terms with the largest contribution to a logit, certified.",
    "report": "Write one self-contained HTML page about a model.",
    "terms": "Count and list the terms of a model.",
    "verify": "Replay certificates of proofs.",
}

EXAMPLES = """
\b
Examples:
  symbolic-circuits derive -o addition.tex
  symbolic-circuits derive "attn(H) bilinear"
  symbolic-circuits terms "(attn(4) bilinear)*2" --start 1000 --limit 5
  symbolic-circuits graph "attn(2) bilinear" -o model.svg
  symbolic-circuits check "attn(3)|bilinear(tied)"
  symbolic-circuits prove identities.json
  symbolic-circuits ablate "attn.0[1] > bilinear.1"
  symbolic-circuits rank "attn(12)*4" --top 10
  symbolic-circuits explain --batch 50
  symbolic-circuits report -o page.html

\b
Exit codes: 0 all as claimed; 1 something is not; 2 wrong usage or input; 3
undecided or over budget.
"""


class Commands(click.Group):
    """Commands by name, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return getattr(import_module(f"symbolic_circuits.cli.{name}"), name) if name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        keep_what_has_no_code()
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            error.message = inert(error.message)  # it names what was given
            raise
        except SymbolicCircuitsError as error:
            click.echo(f"error: {inert(error)}", err=True)
            ctx.exit(3 if isinstance(error, BudgetError) else 2)
        except MemoryError:
            click.echo("error: there is not enough memory for this", err=True)
            ctx.exit(3)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever reads has had enough; click ends quietly
            click.echo(f"error: {inert(error)}", err=True)
            ctx.exit(2)


@click.group(cls=Commands, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="symbolic-circuits")
def main() -> None:
    """Symbolic mathematics for transformers of attention heads and bilinear layers.

    A MODEL is written like "attn(2) bilinear", "(attn(4) bilinear)*3" or "attn(H)|bilinear(tied)".
    """
