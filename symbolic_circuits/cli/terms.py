"""``symbolic-circuits terms``: count and list the terms of a model."""

from collections.abc import Callable

import click
from sympy import Expr

from symbolic_circuits.cli.formulas import formula
from symbolic_circuits.cli.inputs import notation_or_usual, read_expansion, read_number, scores_option, table, written_out
from symbolic_circuits.cli.output import Output, csv_text, output_options
from symbolic_circuits.cli.terminal import say
from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.report.classes import path_class_rows
from symbolic_circuits.report.count_figure import draw_counts
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.plain import to_plain

EXAMPLES = """
\b
Examples:
  symbolic-circuits terms "attn(2) bilinear"
  symbolic-circuits terms "(attn(12) bilinear)*4" \\
      --start 1000000000000000000000 --limit 3
  symbolic-circuits terms "attn(H) bilinear" --classes
  symbolic-circuits terms "attn(2) bilinear" --notation matrix --json
  symbolic-circuits terms "(attn(2) bilinear)*3" --sample 5 --seed 1
  symbolic-circuits terms "(attn(12) bilinear)*4" \\
      --where "attn.0[1] > bilinear.1.left and bilinear.* <= 1" --limit 3
  symbolic-circuits terms "(attn(12) bilinear)*4" --limit 0 -o counts.svg
  symbolic-circuits terms "attn(2) attn(2)" --scores "1[0]" \\
      --where "attn.0 > scores.query"
  symbolic-circuits terms "[rms_norm, rotary] attn(4, b_V) bilinear(bias)" \\
      --sample 3
\b
A query: components (attn.0[1], attn.*[1], bilinear.*, embed), paths (a > b:
later; a >> b: directly; bilinear.1.left), numbers (attn.* <= 2, order = 3,
height, degree), and, or, not, brackets.
"""
MAX_CLASSES = 10_000
LISTED = 20


@click.command(epilog=EXAMPLES)
@click.argument("model", default="attn(2) bilinear")
@click.option("--start", default="0", show_default=True, help="Number of the first term (or path class) listed.")
@click.option("--limit", type=click.IntRange(0), help=f"Terms listed, by default {LISTED}; path classes, by default all.")
@click.option("--sample", "sampled", type=click.IntRange(1, 1_000_000), help="List so many terms drawn uniformly instead.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of --sample.")
@click.option("--where", metavar="QUERY", help="Only the terms of a query; they have numbers of their own.")
@click.option("--classes", is_flag=True, help="Path classes, heads left open, with the number of terms in each.")
@scores_option
@click.option("--notation", help="Add the value of each term: operator, matrix, index or tensor.")
@output_options("A picture of the numbers by order")
def terms(
    model: str,
    start: str,
    limit: int | None,
    sampled: int | None,
    seed: int,
    where: str | None,
    classes: bool,
    scores: str | None,
    notation: str | None,
    output: Output,
) -> None:
    """Count the terms of MODEL, and list some of them with number, order, height and degree."""
    whole = read_expansion(model, scores)
    expansion = whole if where is None else whole.where(where)
    by_class = classes or not isinstance(expansion.number_of_terms, int)
    if sampled and by_class:
        raise click.UsageError("--sample draws terms, but heads are left open here: path classes are listed without it")
    first = read_number(start, "the number of a term")
    write = to_plain if output.as_json or output.as_csv else formula
    if expansion.is_empty:
        rows = []
    elif by_class:
        chosen = slice(first, first + (MAX_CLASSES if limit is None else limit)) if first or limit is not None else None
        rows = rows_of_classes(expansion, chosen, notation_or_usual(notation, expansion), write)
    else:
        rows = rows_of_terms(expansion, (first, LISTED if limit is None else limit), (sampled, seed), notation, write)
    output.show(
        lambda: data_of(expansion, whole, rows, by_class),
        lambda: csv_text(list(rows[0]), (row.values() for row in rows)) if rows else "",
        lambda: print_table(expansion, whole, rows),
    )
    output.write(lambda suffix: to_image(draw_counts(expansion).figure, suffix), "numbers of terms by order")


def print_table(expansion: PathExpansion, whole: PathExpansion, rows: list[dict[str, object]]) -> None:
    """The count, and the rows for people."""
    of_all = "" if expansion is whole else f" of {in_words(whole.number_of_terms)}"
    root = "" if expansion.grammar.root is None else f", {expansion.grammar.root.name}"
    say(f"{expansion.model}{root}: {in_words(expansion.number_of_terms)}{of_all} terms")
    if rows:
        table("", list(rows[0]), [[str(written_out(value)) for value in row.values()] for row in rows])


def rows_of_terms(
    expansion: PathExpansion,
    listed: tuple[int, int],
    drawn: tuple[int | None, int],
    notation: str | None,
    write: Callable[[Expr], str],
) -> list[dict[str, object]]:
    """A row for each term: so many terms from a number on, or so many drawn by a seed."""
    (first, limit), (sampled, seed) = listed, drawn
    chosen = expansion.sample(sampled, seed=seed) if sampled else expansion[first : first + limit]
    rows = []
    for k, term in enumerate(chosen):
        number = expansion.index(term) if sampled else first + k
        row = {"term": str(term), "number": number, "order": term.order, "height": term.height, "degree": term.degree}
        rows.append(row | ({notation: write(term.expr(notation))} if notation else {}))
    return rows


def rows_of_classes(
    expansion: PathExpansion, chosen: slice | None, notation: str, write: Callable[[Expr], str]
) -> list[dict[str, object]]:
    """A row for each path class, or for those chosen."""
    found = path_class_rows(expansion, notation, MAX_CLASSES, chosen)
    return [{"path class": str(r.term), "terms": r.count, "order": r.term.order, "value": write(r.value)} for r in found]


def data_of(expansion: PathExpansion, whole: PathExpansion, rows: list[dict[str, object]], by_class: bool) -> dict[str, object]:
    """Plain data; counts are integers, or text where they depend on symbols or have thousands of digits."""

    def plain(value: object) -> object:
        return written_out(value) if isinstance(value, str | int) else in_words(value)

    return {
        "model": str(expansion.model),
        "scores": None if expansion.grammar.root is None else expansion.grammar.root.name,
        "query": None if expansion.query is None else str(expansion.query),
        "number_of_terms": plain(expansion.number_of_terms),
        "number_of_all_terms": plain(whole.number_of_terms),
        "classes" if by_class else "terms": [{name: plain(value) for name, value in row.items()} for row in rows],
    }
