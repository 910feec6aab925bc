"""``symbolic-circuits terms``: count and list the terms of a model."""

import click

from symbolic_circuits.cli.inputs import read_number, table
from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.report.classes import path_class_rows
from symbolic_circuits.report.plain import to_plain

EXAMPLES = """
\b
Examples:
  symbolic-circuits terms "attn(2) bilinear"
  symbolic-circuits terms "(attn(12) bilinear)*4" --start 1000000000000000000000 --limit 3
  symbolic-circuits terms "attn(H) bilinear" --classes
  symbolic-circuits terms "attn(2) bilinear" --notation matrix
  symbolic-circuits terms "(attn(2) bilinear)*3" --sample 5 --seed 1
  symbolic-circuits terms "(attn(12) bilinear)*4" --where "attn.0[1] > bilinear.1.left and bilinear.* <= 1" --limit 3
\b
A query: components (attn.0[1], attn.*[1], bilinear.*, embed), paths (a > b: later; a >> b: directly; bilinear.1.left),
numbers (attn.* <= 2, order = 3, height, degree), and, or, not, brackets.
"""
MAX_CLASSES = 10_000


@click.command(epilog=EXAMPLES)
@click.argument("model", default="attn(2) bilinear")
@click.option("--start", default="0", show_default=True, help="Number of the first term listed.")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, help="Terms listed.")
@click.option("--sample", "sampled", type=click.IntRange(1, 1_000_000), help="List so many terms drawn uniformly instead.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of --sample.")
@click.option("--where", metavar="QUERY", help="Only the terms of a query; they have numbers of their own.")
@click.option("--classes", is_flag=True, help="Path classes, heads left open, with the number of terms in each.")
@click.option("--notation", help="Add the value of each term: operator, matrix, index or tensor.")
def terms(
    model: str, start: str, limit: int, sampled: int | None, seed: int, where: str | None, classes: bool, notation: str | None
) -> None:
    """Count the terms of MODEL, and list some of them with number, order, height and degree."""
    whole = path_expansion(model)
    expansion = whole.where(where) if where else whole
    of_all = f" of {in_words(whole.number_of_terms)}" if where else ""
    click.echo(f"{expansion.model}: {in_words(expansion.number_of_terms)}{of_all} terms")
    if expansion.is_empty:
        return
    if sampled and (classes or not isinstance(expansion.number_of_terms, int)):
        raise click.UsageError("--sample draws terms, but heads are left open here: path classes are listed without it")
    if classes or not isinstance(expansion.number_of_terms, int):
        list_classes(expansion, notation or "operator")
        return
    first = read_number(start, "the number of a term")
    chosen = expansion.sample(sampled, seed=seed) if sampled else expansion[first : first + limit]
    heads = ["term", "number", "order", "height", "degree"] + ([notation] if notation else [])
    rows = []
    for k, term in enumerate(chosen):
        number = expansion.index(term) if sampled else first + k
        value = [to_plain(term.expr(notation))] if notation else []
        rows.append([str(term), str(number), str(term.order), str(term.height), str(term.degree), *value])
    table("", heads, rows)


def list_classes(expansion: PathExpansion, notation: str) -> None:
    """The table of path classes."""
    rows = path_class_rows(expansion, notation, MAX_CLASSES)
    table(
        "",
        ["path class", "terms", "order", "value"],
        [[str(r.term), str(r.count), str(r.term.order), to_plain(r.value)] for r in rows],
    )
