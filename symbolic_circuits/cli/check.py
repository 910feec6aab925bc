"""``symbolic-circuits check``: do the terms add up to the forward pass?"""

from pathlib import Path

import click

from symbolic_circuits.cli.inputs import EXIT_CODES, read_expansion, read_tokens, read_weights, scores_option
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.numeric.checking import MAX_TERMS
from symbolic_circuits.numeric.checking import check as check_expansion

EXAMPLES = """
\b
Examples:
  symbolic-circuits check
  symbolic-circuits check "attn(2) bilinear attn(2)" --seed 7
  symbolic-circuits check "attn(8)*3" --position -1
  symbolic-circuits check --weights model.safetensors --tokens "3 4 31"
  symbolic-circuits check "[rms_norm] attn(2, bias) attn(2)" --scores "1[0]"
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@click.option(
    "--weights",
    "path",
    type=click.Path(path_type=Path),
    help="An .npz or .safetensors file; else the example, or random weights.",
)
@scores_option
@click.option("--tokens", help='Token numbers, such as "3 4 31"; random ones by default.')
@click.option(
    "--position",
    "positions",
    type=int,
    multiple=True,
    help="An output position to compare, from the end if negative; all by default.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random weights, tokens and of the exact check."
)
@click.option(
    "--limit", type=click.IntRange(1), default=MAX_TERMS, show_default=True, help="On the number of terms evaluated one by one."
)
@click.pass_context
def check(
    ctx: click.Context,
    model: str | None,
    path: Path | None,
    scores: str | None,
    tokens: str | None,
    positions: tuple[int, ...],
    seed: int,
    limit: int,
) -> None:
    """Evaluate all terms of MODEL (or of a head's scores) and compare their sum with the forward pass: float64, float32, and exactly modulo a prime."""
    weights, words = read_weights(model, path, seed)
    expansion = read_expansion(weights.model, scores)
    given = read_tokens(tokens, weights, seed)
    with progress_bar("evaluating terms") as progress:
        report = check_expansion(
            expansion, weights, given, positions=positions or None, limit=limit, seed=seed, progress=progress
        )
    say(f"{report}\n  on {words}")
    ctx.exit(EXIT_CODES[report.verdict])
