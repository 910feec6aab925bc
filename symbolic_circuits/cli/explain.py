"""``symbolic-circuits explain``: the fewest terms that explain a prediction, or a histogram of how many over a batch."""

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from symbolic_circuits.cli.batches import example_batch, random_batch, read_batch
from symbolic_circuits.cli.inputs import input_options, read_tokens, read_weights, table
from symbolic_circuits.cli.output import Output, csv_text, output_options
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.readouts import chosen_tokens, read_against, readout_options, with_tokens
from symbolic_circuits.cli.terminal import say
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

EXAMPLES = """
\b
Examples:
  symbolic-circuits explain
  symbolic-circuits explain --tokens "3 4 31" --token 7 --against 8 \\
      --fraction 0.95
  symbolic-circuits explain --batch 192 -o histogram.svg
  symbolic-circuits explain "(attn(4) bilinear)*2" --batch 20 \\
      --fraction 0.8 --csv
  symbolic-circuits explain --weights model.safetensors \\
      --sequences inputs.txt --json
"""
SHOWN = 100  # terms that the table has room for
MAX_BATCH = 100_000


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@input_options
@readout_options
@click.option("--fraction", type=float, default=0.9, show_default=True, help="The part of the total that is to be explained.")
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    help="A histogram over so many inputs: random ones, or pairs that the example was not trained on. "
    "The logit of the prediction is then read against the runner-up, unless tokens are given.",
)
@click.option("--sequences", type=click.Path(path_type=Path), help="A histogram over the inputs of a file, one a line.")
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=60.0,
    show_default=True,
    help="For each input; then what was found is given.",
)
@output_options("A picture")
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
    output: Output,
) -> None:
    """The fewest terms of MODEL that add up to a fraction of a logit; over a batch, a histogram of how many it takes."""
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
    output.show(result.to_dict, lambda: as_table(result), lambda: print_result(result, which, words))
    if is_drawable(result):
        output.write(lambda suffix: picture(result, suffix), "")
    else:
        output.leave("there is nothing to draw")
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


def picture(result: Explanation | LocalComplexity, suffix: str) -> bytes:
    """The terms with their shares, or the histogram."""
    if isinstance(result, LocalComplexity):
        return to_image(draw_local_complexity(result).figure, suffix)
    return to_image(draw_explanation(result)[0].figure, suffix)


def print_result(result: Explanation | LocalComplexity, which: str, words: str) -> None:
    """Tables for people."""
    if isinstance(result, LocalComplexity):
        print_histogram(result, words)
    else:
        print_terms(result, which, words)


def as_table(result: Explanation | LocalComplexity) -> str:
    """One row a term, or one an input."""
    if isinstance(result, LocalComplexity):
        heads, rows = list(Complexity._fields), [found._asdict() for found in result.inputs]
    else:
        heads, rows = ["rank", "term", "order", "height", "value", "share", "so_far"], result.rows()
    return csv_text(heads, ([row[name] for name in heads] for row in rows))


def print_terms(result: Explanation, which: str, words: str) -> None:
    """The terms of an explanation, and below them what is known."""
    say(f"{result.what}: {result.total:+.6g}" + (f" ({which})" if which else ""))
    rows = [
        [row["term"], f"{row['value']:+.4g}", f"{100 * row['share']:+.1f} %", f"{100 * row['so_far']:.1f} %"]
        for row in result.rows()[:SHOWN]
    ]
    if rows:
        table("", ["term", "value", "of total", "so far"], rows)
    if len(result) > SHOWN:
        say(f"  {len(result) - SHOWN} terms more are in --csv and --json")
    say(f"  {result.summary()}\n  on {words}")


def print_histogram(result: LocalComplexity, words: str) -> None:
    """How many inputs take how many terms."""
    say(f"terms that explain {100 * result.fraction:g} % of {result.reading}, for {len(result.inputs)} inputs")
    rows = [
        [f"{row['terms']:,}", f"{row['inputs']:,}", f"{100 * row['share']:.1f} %", f"{row['minimum']:,}"] for row in result.rows()
    ]
    if rows:
        table("", ["terms", "inputs", "of all", "minimum proved"], rows)
    say(f"  {result.summary()}\n  on {words}")
