"""``symbolic-circuits ablate``: the output without the terms of a query, or with others in their place."""

import json
from pathlib import Path

import click
import networkx
import numpy as np

from symbolic_circuits.cli.batches import example_batch, read_batch
from symbolic_circuits.cli.inputs import EXIT_CODES, input_options, read_tokens, read_weights, signed, table, without_nan
from symbolic_circuits.cli.output import Output, csv_text, output_options
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.readouts import chosen_tokens
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.expansion.expansion import path_expansion
from symbolic_circuits.numeric.interventions.ablate import FROZEN, RECOMPUTED, WAYS
from symbolic_circuits.numeric.interventions.ablate import ablate as ablated
from symbolic_circuits.numeric.interventions.causal_graph import causal_graph
from symbolic_circuits.numeric.interventions.intervention import Intervention
from symbolic_circuits.numeric.interventions.levels import ACTIVATIONS, TERMS
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.causal_figure import draw_causal_graph
from symbolic_circuits.report.figures import to_image

EXAMPLES = """
\b
Examples:
  symbolic-circuits ablate "attn.0[1] > bilinear.1"
  symbolic-circuits ablate "attn.0[1]" --tokens "3 4 31" --by resample \\
      --other "5 4 31" --token 7 --against 9
  symbolic-circuits ablate "attn.0[1]" --by mean --batch 64 \\
      --patterns recomputed --replace activations
  symbolic-circuits ablate "order >= 4" "(attn(4) bilinear)*2" --csv
  symbolic-circuits ablate "attn.0[0]" --tokens "3 4 31" --token 7 \\
      -o graph.svg
\b
A query: components (attn.0[1], attn.*[1], bilinear.*, embed), paths (a > b:
later; a >> b: directly; bilinear.1.left), numbers (attn.* <= 2, order = 3,
height, degree), and, or, not, brackets.
"""
FORMATS = (".svg", ".png", ".json")
BATCH = 32  # inputs of a mean by default
MAX_BATCH = 100_000


@click.command(epilog=EXAMPLES)
@click.argument("query")
@click.argument("model", required=False)
@input_options
@click.option("--by", type=click.Choice(WAYS), default=WAYS[0], show_default=True, help="What is put in place of the terms.")
@click.option("--other", help="The input to resample from, such as --tokens; a random one by default.")
@click.option(
    "--batch",
    type=click.IntRange(1, MAX_BATCH),
    help=f"The mean is over so many inputs: random ones, or pairs that the example was not trained on; {BATCH} by default.",
)
@click.option("--sequences", type=click.Path(path_type=Path), help="The mean is over the inputs of a file, one a line.")
@click.option(
    "--patterns",
    type=click.Choice((FROZEN, RECOMPUTED)),
    default=FROZEN,
    show_default=True,
    help="Attention patterns as they were, or those of the changed streams.",
)
@click.option(
    "--replace",
    type=click.Choice((TERMS, ACTIVATIONS)),
    default=TERMS,
    show_default=True,
    help="Whole terms of another run, or activations (the output of a head) on which the model goes on.",
)
@click.option("--position", type=int, default=-1, show_default=True, help="Output position, from the end if negative.")
@click.option("--token", type=int, help="The logit that is read; by default that of the model's own prediction.")
@click.option("--against", help="A token whose logit is subtracted, or 'runner-up': the next most likely one.")
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Logits in the table, largest change first.")
@output_options("The causal graph of that logit before anything is removed", FORMATS)
@click.pass_context
def ablate(
    ctx: click.Context,
    query: str,
    model: str | None,
    path: Path | None,
    tokens: str | None,
    by: str,
    other: str | None,
    batch: int | None,
    sequences: Path | None,
    patterns: str,
    replace: str,
    position: int,
    token: int | None,
    against: str | None,
    top: int,
    seed: int,
    output: Output,
) -> None:
    """Remove the terms of QUERY from MODEL, or put a mean or another input's terms in their place: logits before and after."""
    weights, words = read_weights(model, path, seed)
    expansion, given = path_expansion(weights.model), read_tokens(tokens, weights, seed)
    inputs = other_inputs(weights, model is None and path is None, len(given), by, (other, batch, sequences), seed)
    with progress_bar("running other inputs") as progress:
        result = ablated(expansion, query, weights, given, by=by, **inputs, patterns=patterns, replace=replace, progress=progress)
    token, minus, which = chosen_tokens(result.frozen, position, token, against, False)
    if output.path and token is None:
        raise click.UsageError("without unembedding the causal graph is of a coordinate of the output: give --token")
    effect = None if token is None else effect_of(result, position, token, minus)
    output.show(
        lambda: result.to_dict() | {"effect": effect},
        lambda: csv_text(["token", "before", "after", "change"], (row.values() for row in result.rows(position))),
        lambda: print_result(result, position, top, effect, which, words),
    )
    if output.path:
        with progress_bar("causal graph") as progress:
            graph = causal_graph(expansion, weights, given, position=position, token=token, against=minus, progress=progress)
        output.write(lambda suffix: graph_bytes(graph, suffix), f"{len(graph)} components, {graph.number_of_edges()} edges")
    ctx.exit(EXIT_CODES[result.verdict])


def other_inputs(
    weights: Weights, is_example: bool, positions: int, by: str, given: tuple[str | None, int | None, Path | None], seed: int
) -> dict[str, object]:
    """The arguments of the library for what is put in: read, drawn, or none."""
    other, batch, sequences = given
    if (other is not None and by != "resample") or ((batch or sequences) and by != "mean"):
        raise click.UsageError("--other is for --by resample, --batch and --sequences are for --by mean")
    if by == "resample":
        return {"other": random_other(weights, positions, seed) if other is None else read_tokens(other, weights, seed)}
    if by != "mean":
        return {}
    if sequences is not None:
        return {"batch": read_batch(sequences, batch)}
    if is_example:
        return {"batch": example_batch(batch or BATCH, seed)}
    return {"batch": [random_other(weights, positions, seed + k) for k in range(batch or BATCH)]}


def random_other(weights: Weights, positions: int, seed: int) -> np.ndarray:
    """A random input of the length of the one at hand, drawn after that."""
    model, generator = weights.model, np.random.default_rng(seed + 1)
    if model.embedding:
        return generator.integers(0, weights.size(model.V), positions)
    return generator.standard_normal((positions, read_tokens(None, weights, seed).shape[1]))


def effect_of(result: Intervention, position: int, token: int, against: int | None) -> dict[str, str | float]:
    """A readout before and after."""
    wanted = result.readout(position, token=token, against=against)
    before, after = wanted.of(result.before), wanted.of(result.after)
    return {"readout": wanted.words, "before": before, "after": after, "change": wanted.of(result.after - result.before)}


def print_result(
    result: Intervention, position: int, top: int, effect: dict[str, str | float] | None, which: str, words: str
) -> None:
    """The logits that change most, for people, and below them the effect on the one that is read."""
    say(str(result).split("\n")[0])
    if result.number_of_terms:
        rows, what = result.rows(position, top), "token" if result.frozen.model.unembedding else "coordinate"
        shown = [[str(row["token"]), *(signed(row[name]) for name in ("before", "after", "change"))] for row in rows]
        table("", [what, "before", "after", "change"], shown)
        left = result.before.shape[1] - len(rows)
        if left:
            say(f"  {left} more are in --csv and --json")
    if effect is not None:
        numbers = f"{signed(effect['before'])} before, {signed(effect['after'])} after, effect {signed(effect['change'])}"
        say(f"  {effect['readout']}: {numbers}" + (f" ({which})" if which else ""))
    say(f"  {result.summary()}\n  on {words}")


def graph_bytes(graph: networkx.DiGraph, suffix: str) -> bytes:
    """A causal graph as a picture, or in networkx's node-link form."""
    if suffix == ".json":
        return json.dumps(without_nan(networkx.node_link_data(graph, edges="edges")), indent=1, allow_nan=False).encode()
    return to_image(draw_causal_graph(graph).figure, suffix)
