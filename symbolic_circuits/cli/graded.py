"""``symbolic-circuits graded``: the sum of all terms of each grade, with what is left after it."""

from pathlib import Path

import click

from symbolic_circuits.cli.inputs import (
    EXIT_CODES,
    input_options,
    read_integers,
    read_tokens,
    read_weights,
    signed,
    table,
)
from symbolic_circuits.cli.output import Output, csv_text, output_options
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.expansion import path_expansion
from symbolic_circuits.numeric.graded import GradedSums
from symbolic_circuits.numeric.graded import graded as graded_sums
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.graded_figure import draw_graded

EXAMPLES = """
\b
Examples:
  symbolic-circuits graded
  symbolic-circuits graded --tokens "3 4 31" --positions -1 --targets 7 \\
      --logits "7 8"
  symbolic-circuits graded "(attn(8) bilinear)*4" --by order --up-to 16 \\
      -o orders.svg
  symbolic-circuits graded "(attn(2) bilinear)*3" --by height --csv
  symbolic-circuits graded --weights model.safetensors --tokens "5 2 9" --json
"""
MAX_COLUMNS = 8  # logits that the table has room for
SHOWN = 60  # grades that the table has room for
DIGITS = 15  # of numbers of terms in the table


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@input_options
@click.option("--by", default="order", show_default=True, help="The grading: order, height, degree, heads or bilinears.")
@click.option("--up-to", type=int, help="The highest grade; all by default.")
@click.option("--positions", help='Output positions, from the end if negative, such as "0 -1"; all by default.')
@click.option("--logits", help='Tokens whose logits are given, such as "7 8"; none in the table by default, all in --json.')
@click.option("--targets", help='The right token at each of the positions, such as "7", for the loss.')
@output_options("A picture")
@click.pass_context
def graded(
    ctx: click.Context,
    model: str | None,
    path: Path | None,
    tokens: str | None,
    by: str,
    up_to: int | None,
    positions: str | None,
    logits: str | None,
    targets: str | None,
    seed: int,
    output: Output,
) -> None:
    """Sum all terms of MODEL of each order (height, degree, ...): norms, remainders, logits, loss; no term is listed."""
    weights, words = read_weights(model, path, seed)
    given = read_tokens(tokens, weights, seed)
    with progress_bar("summing by grade") as progress:
        result = graded_sums(
            path_expansion(weights.model),
            weights,
            given,
            by=by,
            up_to=up_to,
            positions=read_integers(positions, "--positions"),
            logits=read_integers(logits, "--logits"),
            targets=read_integers(targets, "--targets"),
            progress=progress,
        )
    output.show(
        result.to_dict, lambda: as_table(result, logits is not None), lambda: print_table(result, words, logits is not None)
    )
    output.write(lambda suffix: to_image(draw_graded(result)[0].figure, suffix), f"{len(result.grades)} grades")
    ctx.exit(EXIT_CODES[result.verdict])


def columns(result: GradedSums) -> list[tuple[str, int, int]]:
    """(name, place of the position, place of the token) of every logit."""
    pairs = [(i, j) for i in range(len(result.positions)) for j in range(len(result.logits_of))]
    return [(f"logit {result.logits_of[j]} at {result.positions[i]}", i, j) for i, j in pairs]


def as_table(result: GradedSums, with_logits: bool) -> str:
    """CSV with all digits; logits are columns where they were asked for."""
    chosen = columns(result) if with_logits else []
    heads = ["grade", "terms", "norm", "share", "remainder", *(["loss"] if result.losses is not None else [])]
    rows = ([*row.values(), *(float(result.logits[k, i, j]) for _, i, j in chosen)] for k, row in enumerate(result.rows()))
    return csv_text([*heads, *(name for name, _, _ in chosen)], rows)


def print_table(result: GradedSums, words: str, with_logits: bool) -> None:
    """Grades for people, and below them what they add up to."""
    chosen = columns(result)[:MAX_COLUMNS] if with_logits else []
    heads = [result.by, "terms", "norm", "share", "remainder", *(["loss"] if result.losses is not None else [])]
    rows = []
    for k, row in enumerate(result.rows()[:SHOWN]):
        line = [
            str(row["grade"]),
            "" if row["terms"] is None else in_words(row["terms"], DIGITS),
            f"{row['norm']:.3e}",
            f"{row['share']:+.4f}",
            f"{row['remainder']:.2e}",
        ]
        line += [f"{row['loss']:.4f}"] if "loss" in row else []
        rows.append([*line, *(signed(result.logits[k, i, j]) for _, i, j in chosen)])
    say(str(result).split("\n")[0])
    table("", [*heads, *(name for name, _, _ in chosen)], rows)
    if len(result.grades) > SHOWN:
        say(f"  {len(result.grades) - SHOWN} grades more are in --csv and --json")
    if with_logits and len(columns(result)) > MAX_COLUMNS:
        say(f"  {len(columns(result)) - MAX_COLUMNS} logits more are in --csv and --json")
    loss = "" if result.loss is None else f"; loss of all terms {result.loss:.4f}"
    say(f"  {result.summary()}{loss}\n  on {words}")
