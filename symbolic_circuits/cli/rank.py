"""``symbolic-circuits rank``: the terms with the largest contribution to a logit, with a bound on all others."""

from pathlib import Path

import click
import numpy as np

from symbolic_circuits.cli.inputs import input_options, read_tokens, read_weights, table
from symbolic_circuits.cli.output import Output, csv_text, output_options
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.readouts import chosen_tokens, readout_options, with_tokens
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.expansion.expansion import path_expansion
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.ranking.rank import rank as ranked
from symbolic_circuits.numeric.ranking.ranking import Ranking
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.ranking_figure import draw_ranking

EXAMPLES = """
\b
Examples:
  symbolic-circuits rank
  symbolic-circuits rank --tokens "3 4 31" --token 7 --against runner-up \\
      --top 5
  symbolic-circuits rank "(attn(8) bilinear)*2" --where "attn.0[1]" \\
      -o largest.svg
  symbolic-circuits rank "attn(12)*6" --seconds 10 --json
  symbolic-circuits rank --weights model.safetensors --tokens "5 2 9" \\
      --norm --csv
"""
COLUMNS = ("rank", "term", "number", "order", "height", "value", "share")
SHOWN = 100  # terms that the table has room for


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@input_options
@readout_options
@click.option("--top", type=click.IntRange(1), default=20, show_default=True, help="Terms that are wanted.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="After which the search ends with the bound it has.",
)
@output_options("A picture")
@click.pass_context
def rank(
    ctx: click.Context,
    model: str | None,
    path: Path | None,
    tokens: str | None,
    where: str | None,
    position: int,
    token: int | None,
    against: str | None,
    norm: bool,
    top: int,
    seconds: float | None,
    seed: int,
    output: Output,
) -> None:
    """The terms of MODEL with the largest contribution to a logit, and a certificate that no other term is larger."""
    weights, words = read_weights(model, path, seed)
    expansion = path_expansion(weights.model)
    expansion = expansion if where is None else expansion.where(where)
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = freeze(weights, read_tokens(tokens, weights, seed))
    token, other, which = chosen_tokens(frozen, position, token, against, norm)
    with progress_bar("ranking") as progress:
        result = ranked(
            expansion, frozen, position=position, token=token, against=other, top=top, seconds=seconds, progress=progress
        )
    with_shares = token is not None and result.total != 0
    output.show(
        result.to_dict,
        lambda: csv_text(COLUMNS, (row.values() for row in result.rows())),
        lambda: print_table(result, which, with_tokens(words, frozen.source), with_shares),
    )
    if len(result):
        output.write(lambda suffix: to_image(draw_ranking(result).figure, suffix), f"{len(result)} terms")
    else:
        output.leave("there is no term to draw")
    ctx.exit(0 if result.is_certified else 3)


def print_table(result: Ranking, which: str, words: str, with_shares: bool) -> None:
    """Terms for people, and below them the certificate."""
    rows = [[str(term), str(term.order), f"{value:+.5g}"] for term, value in result.terms[:SHOWN]]
    if with_shares:
        rows = [[*row, f"{100 * term.value / result.total:+.1f} %"] for row, term in zip(rows, result.terms, strict=False)]
    say(f"{result.what}: {result.total:+.6g}" + (f" ({which})" if which else ""))
    if rows:
        table("", ["term", "order", "value", *(["of total"] if with_shares else [])], rows)
    if len(result) > SHOWN:
        say(f"  {len(result) - SHOWN} terms more are in --csv and --json")
    say(f"  {result.summary()}\n  on {words}")
