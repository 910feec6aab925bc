"""``symbolic-circuits graph``: write the graph of a model or of a term."""

from pathlib import Path

import click

from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.inputs import read_number
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.expansion.expansion import path_expansion
from symbolic_circuits.expansion.graphs import model_graph
from symbolic_circuits.report.graph_files import FORMATS, graph_bytes, to_dot
from symbolic_circuits.spec import Transformer
from symbolic_circuits.whole_file import require_format, require_free, write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits graph "attn(2) bilinear" -o model.svg
  symbolic-circuits graph "attn(2) bilinear" --term 7 -o term.png
  symbolic-circuits graph "attn(2) bilinear" \\
      --term "bilinear.1(embed, attn.0[1](embed))"
"""


@click.command(epilog=EXAMPLES)
@click.argument("model", default="attn(2) bilinear")
@click.option("--term", "which", help="The graph of this term instead, by number or by name.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help=f"A file ending in {', '.join(FORMATS)}; else DOT is printed."
)
@click.option("--force", is_flag=True, help="Replace an existing file.")
def graph(model: str, which: str | None, output: Path | None, force: bool) -> None:
    """Write the graph of MODEL, residual stream and components, or of one of its terms."""
    if output is not None:
        suffix = require_format(output, tuple(FORMATS))
        require_free(output, force=force)
    parsed = Transformer.parse(model)
    if which is None:
        made = model_graph(parsed)
    else:
        expansion = path_expansion(parsed)
        made = (expansion[read_number(which, "the number of a term")] if which.isdecimal() else expansion.parse(which)).graph
    if output is None:
        click.echo(to_dot(made), nl=False)
        return
    write_whole(output, graph_bytes(made, suffix), force=force)
    say(f"wrote {inert_line(output)}: {len(made)} nodes, {made.number_of_edges()} edges")
