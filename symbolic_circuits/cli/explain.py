"""``symbolic-circuits explain``: the fewest terms that explain a prediction, or a histogram of how many over a batch."""

import csv
import io
import json
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from symbolic_circuits.cli.batches import example_batch, random_batch, read_batch
from symbolic_circuits.cli.inert import inert
from symbolic_circuits.cli.inputs import read_tokens, read_weights, table, without_nan, written_out
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.readouts import chosen_tokens, read_against, readout_options, with_tokens
from symbolic_circuits.errors import SpecError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.ranking.explain import explain as explained
from symbolic_circuits.numeric.ranking.explanation import Explanation
from symbolic_circuits.numeric.ranking.local_complexity import Complexity, LocalComplexity, local_complexity
from symbolic_circuits.numeric.ranking.predictions import PREDICTION, RUNNER_UP
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.ranking_figure import draw_explanation, draw_local_complexity
from symbolic_circuits.whole_file import require_format, require_free, write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits explain
  symbolic-circuits explain --tokens "3 4 31" --token 7 --against 8 --fraction 0.95
  symbolic-circuits explain --batch 192 -o histogram.svg
  symbolic-circuits explain "(attn(4) bilinear)*2" --batch 20 --fraction 0.8 --csv
  symbolic-circuits explain --weights model.safetensors --sequences inputs.txt --json
"""
FORMATS = (".svg", ".png")
SHOWN = 100  # terms that the table has room for
MAX_BATCH = 100_000


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@click.option(
    "--weights",
    "path",
    type=click.Path(path_type=Path),
    help="An .npz or .safetensors file; else the example, or random weights.",
)
@click.option("--tokens", help='Token numbers, such as "3 4 31"; random ones by default.')
@readout_options
@click.option("--fraction", type=float, default=0.9, show_default=True, help="The part of the total that is to be explained.")
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    help="A histogram over so many inputs: random ones, or pairs that the example was not trained on. "
    "The logit of the prediction is then read against the runner-up, unless tokens are given.",
)
@click.option("--sequences", type=click.Path(path_type=Path), help="A histogram over the inputs of a file, one a line.")
@click.option("--seconds", type=click.FloatRange(0, min_open=True), help="For each input; then what was found is given.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random weights and tokens.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help=f"A picture, ending in {' or '.join(FORMATS)}.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_context
def explain(
    ctx: click.Context,
    model: str | None,
    path: Path | None,
    tokens: str | None,
    where: str | None,
    position: int,
    token: int | None,
    against: str | None,
    norm: bool,
    fraction: float,
    batch: int | None,
    sequences: Path | None,
    seconds: float | None,
    seed: int,
    as_json: bool,
    as_csv: bool,
    output: Path | None,
    force: bool,
) -> None:
    """The fewest terms of MODEL that add up to a fraction of a logit; over a batch, a histogram of how many it takes."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv print one or the other: give one of them")
    suffix = require_format(output, FORMATS) if output else ""
    if output:
        require_free(output, force=force)  # before the work is done
    weights, words = read_weights(model, path, seed)
    expansion = path_expansion(weights.model)
    expansion = expansion if where is None else expansion.where(where)
    read = Reading(position, token, against, norm, fraction, seconds)
    if batch is None and sequences is None:
        given = read_tokens(tokens, weights, seed)
        result, which = one_input(expansion, weights, given, read)
        words = with_tokens(words, given)
    elif tokens is not None:
        raise click.UsageError("--tokens is one input; --batch and --sequences are many: give one of them")
    else:
        inputs = batch_of(weights, model is None and path is None, batch, sequences, seed)
        result, which = many_inputs(expansion, weights, inputs, read), ""
    print_result(result, which, words, as_json, as_csv)
    if output and not is_drawable(result):
        click.echo(f"there is nothing to draw: {inert(output)} is not written", err=as_json or as_csv)
    elif output:
        draw = draw_local_complexity if isinstance(result, LocalComplexity) else draw_explanation
        drawn = draw(result)
        write_whole(output, to_image((drawn[0] if isinstance(drawn, tuple) else drawn).figure, suffix), force=force)
        click.echo(f"wrote {inert(output)}", err=as_json or as_csv)
    ctx.exit(0 if result.is_explained else 3)


class Reading(NamedTuple):
    """What is explained of an input, as the options say."""

    position: int
    token: int | None
    against: str | None
    norm: bool
    fraction: float
    seconds: float | None


def one_input(expansion: PathExpansion, weights: Weights, tokens: np.ndarray, read: Reading) -> tuple[Explanation, str]:
    """The explanation of one prediction, and words for the tokens that were not given."""
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = freeze(weights, tokens)
    token, other, which = chosen_tokens(frozen, read.position, read.token, read.against, read.norm)
    with progress_bar("ranking") as progress:
        found = explained(
            expansion,
            frozen,
            position=read.position,
            token=token,
            against=other,
            fraction=read.fraction,
            seconds=read.seconds,
            progress=progress,
        )
    return found, which


def batch_of(weights: Weights, is_example: bool, count: int | None, path: Path | None, seed: int) -> list[np.ndarray]:
    """The inputs of a batch."""
    if path is None:
        return example_batch(count, seed) if is_example else random_batch(weights, count, seed)
    if not weights.model.embedding:
        raise SpecError(f"{str(weights.model)!r} has no embedding and reads no sequences: --batch gives random residual inputs")
    return read_batch(path, count)


def many_inputs(expansion: PathExpansion, weights: Weights, inputs: list[np.ndarray], read: Reading) -> LocalComplexity:
    """The local complexity of a batch; by default of the prediction against its runner-up."""
    against = read_against(read.against)
    if read.norm and (read.token is not None or against is not None):
        raise click.UsageError("--norm reads the whole output: give it, or tokens")
    whole = read.norm or not (weights.model.unembedding or read.token is not None)
    token = None if whole else PREDICTION if read.token is None else read.token
    with progress_bar("explaining") as progress:
        return local_complexity(
            expansion,
            weights,
            inputs,
            position=read.position,
            token=token,
            against=RUNNER_UP if token == PREDICTION and against is None else against,
            fraction=read.fraction,
            seconds=read.seconds,
            progress=progress,
        )


def is_drawable(result: Explanation | LocalComplexity) -> bool:
    """Whether there is anything to draw."""
    return bool(result.histogram if isinstance(result, LocalComplexity) else len(result))


def print_result(result: Explanation | LocalComplexity, which: str, words: str, as_json: bool, as_csv: bool) -> None:
    """JSON, CSV with all digits, or tables."""
    if as_json:
        click.echo(json.dumps(without_nan(result.to_dict()), indent=1, allow_nan=False))
    elif as_csv:
        click.echo(as_table(result), nl=False)
    elif isinstance(result, LocalComplexity):
        print_histogram(result, words)
    else:
        print_terms(result, which, words)


def as_table(result: Explanation | LocalComplexity) -> str:
    """One row a term, or one an input."""
    if isinstance(result, LocalComplexity):
        heads, rows = list(Complexity._fields), [found._asdict() for found in result.inputs]
    else:
        heads, rows = ["rank", "term", "order", "height", "value", "share", "so_far"], result.rows()
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([written_out(row[name]) for name in heads] for row in rows)
    return stream.getvalue()


def print_terms(result: Explanation, which: str, words: str) -> None:
    """The terms of an explanation, and below them what is known."""
    click.echo(f"{result.what}: {result.total:+.6g}" + (f" ({which})" if which else ""))
    rows = [
        [row["term"], f"{row['value']:+.4g}", f"{100 * row['share']:+.1f} %", f"{100 * row['so_far']:.1f} %"]
        for row in result.rows()[:SHOWN]
    ]
    if rows:
        table("", ["term", "value", "of total", "so far"], rows)
    if len(result) > SHOWN:
        click.echo(f"  {len(result) - SHOWN} terms more are in --csv and --json")
    click.echo(f"  {result.summary()}\n  on {words}")


def print_histogram(result: LocalComplexity, words: str) -> None:
    """How many inputs take how many terms."""
    click.echo(f"terms that explain {100 * result.fraction:g} % of {result.reading}, for {len(result.inputs)} inputs")
    rows = [
        [f"{row['terms']:,}", f"{row['inputs']:,}", f"{100 * row['share']:.1f} %", f"{row['minimum']:,}"] for row in result.rows()
    ]
    if rows:
        table("", ["terms", "inputs", "of all", "minimum proved"], rows)
    click.echo(f"  {result.summary()}\n  on {words}")
