"""``symbolic-circuits convert``: weights of another program as a file of ours, or the other way round."""

import json
import warnings
from pathlib import Path

import click

from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.detect import BUILT_IN
from symbolic_circuits.numeric.formats.export import SUFFIXES, export_weights
from symbolic_circuits.numeric.formats.load import load_weights
from symbolic_circuits.whole_file import require_format, require_free

EXAMPLES = """
\b
Examples:
  symbolic-circuits convert model.safetensors ours.npz \\
      --attention-scale 0.25 --normalization rms
  symbolic-circuits convert hooked.safetensors ours.safetensors \\
      --set eps=1e-5 --set act_fn=silu
  symbolic-circuits convert ours.npz hooked.safetensors --to transformer-lens
"""
NORMALIZATIONS = ("none", "rms", "LN", "LNPre", "RMS", "RMSPre")


@click.command(epilog=EXAMPLES)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--format", "format", type=click.Choice(sorted(BUILT_IN)), help="The format of SOURCE; by default what its keys say."
)
@click.option("--to", type=click.Choice(sorted(BUILT_IN)), help="The format of TARGET; a file of ours by default.")
@click.option("--n-head", type=click.IntRange(1), help="Number of heads, where no shape says it.")
@click.option("--attention-scale", type=float, help="What the output of attention is multiplied by.")
@click.option("--normalization", type=click.Choice(NORMALIZATIONS), help="The norms that the model has.")
@click.option("--set", "settings", multiple=True, help="Another setting of the format, such as eps=1e-5; as often as needed.")
@click.option("--force", is_flag=True, help="Replace TARGET where it exists.")
def convert(
    source: Path,
    target: Path,
    format: str | None,
    to: str | None,
    n_head: int | None,
    attention_scale: float | None,
    normalization: str | None,
    settings: tuple[str, ...],
    force: bool,
) -> None:
    """Read weights from SOURCE, in the format that its keys say, and write them to TARGET (.npz or .safetensors)."""
    require_format(target, SUFFIXES)
    require_free(target, force=force)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always", UserWarning)
        weights = load_weights(
            source,
            format=format,
            n_head=n_head,
            attention_scale=attention_scale,
            normalization=normalization,
            config=dict(map(read_setting, settings)),
        )
    for note in notes:
        say(f"note: {note.message}", err=True)
    if to is None:
        weights.save(target)
    else:
        export_weights(weights, to).save(target, force=force)
    say(f"wrote {inert_line(target)}: {weights!r}")


def read_setting(text: str) -> tuple[str, object]:
    """A setting as written, ``eps=1e-5``: a name and a JSON value, or a word.

    >>> read_setting("eps=1e-5"), read_setting("act_fn=silu"), read_setting("gate=null")
    (('eps', 1e-05), ('act_fn', 'silu'), ('gate', None))
    """
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise WeightsError(f"--set is a setting such as eps=1e-5; got {text!r}")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
