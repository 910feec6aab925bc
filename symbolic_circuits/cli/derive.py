"""``symbolic-circuits derive``: the main job, from an architecture to its path expansion, checked on weights."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from symbolic_circuits.cli.formulas import formula
from symbolic_circuits.cli.inert import inert_line
from symbolic_circuits.cli.inputs import (
    EXIT_CODES,
    notation_option,
    notation_or_usual,
    read_expansion,
    read_tokens,
    read_weights,
    scores_option,
    table,
)
from symbolic_circuits.cli.progress import progress_bar
from symbolic_circuits.cli.terminal import is_terminal, room, say
from symbolic_circuits.counts import in_words
from symbolic_circuits.derivation.derive import derive as find_derivation
from symbolic_circuits.derivation.files import save_derivation
from symbolic_circuits.examples.addition import all_pairs, answers, sequences
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.checking import MAX_TERMS, UNDECIDED, CheckReport, check
from symbolic_circuits.numeric.margins import margins
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.article import article
from symbolic_circuits.report.classes import path_class_rows
from symbolic_circuits.report.derivations.markdown import to_markdown
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.text import to_text
from symbolic_circuits.report.latex import to_latex
from symbolic_circuits.spec import Transformer
from symbolic_circuits.whole_file import require_format, require_free, write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits derive
  symbolic-circuits derive -o addition.tex
  symbolic-circuits derive "attn(H) bilinear" --notation tensor --steps
  symbolic-circuits derive "(attn(2) bilinear)*2" -o two_layers.tex
  symbolic-circuits derive "attn(2) attn(2)" --scores "1[0]" --steps
  symbolic-circuits derive "attn(H_0) attn(H_1)" -o part.tex --fragment \\
      --rename "W_OV=\\WOV{#1}" --marked colour
\b
Written are, by the name of the file:
  .tex   an article: setting, model, derivation, terms, check on weights;
         with --fragment the derivation alone, to \\input
  .md    the derivation with GitHub's math
  .txt   the derivation in Unicode
  .json  the derivation as data, for `symbolic-circuits verify`
"""
MAX_LINES = 40
MAX_ROWS = 20
STEPS_WIDTH = 100  # characters of a line of a derivation


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this .tex, .md, .txt or .json file.")
@click.option("--weights", "path", type=click.Path(path_type=Path), help="An .npz or .safetensors file to check on.")
@click.option("--tokens", help='Token numbers to check on, such as "3 4 31".')
@scores_option
@notation_option
@click.option("--steps", is_flag=True, help="Print the derivation, each step with its rule, and the verdict on it.")
@click.option(
    "--detail", type=click.Choice(["every", "main", "result"]), default="main", show_default=True, help="Steps that are shown."
)
@click.option("--marked", type=click.Choice(["colour", "underline"]), help="Mark what the next step changes (.tex and .md).")
@click.option("--convention", type=click.Choice(["row", "column"]), default="row", show_default=True, help="What positions are.")
@click.option(
    "--rename", "renames", multiple=True, metavar="NAME=LATEX", help="How a tensor, size or index is written; #1 is the head."
)
@click.option("--fragment", is_flag=True, help="The .tex file is a part of a document.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random weights and tokens.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_context
def derive(
    ctx: click.Context,
    model: str | None,
    output: Path | None,
    path: Path | None,
    tokens: str | None,
    scores: str | None,
    notation: str | None,
    steps: bool,
    seed: int,
    force: bool,
    fragment: bool,
    **options: object,
) -> None:
    """Derive the closed form of MODEL, list its terms with their share of the output, check them, write the derivation.

    Without MODEL this runs the embedded default: attn(2) bilinear, trained on addition modulo 31.
    """
    if output is not None:
        require_format(output, (".tex", ".md", ".txt", ".json"))
        require_free(output, force=force)
    style = style_of(**options)
    if model is not None and Transformer.parse(model).has_symbolic_heads:
        if path is not None or tokens is not None:
            raise click.UsageError(
                "the number of heads is a symbol, so that --weights and --tokens have nothing to be checked on"
            )
        expansion, report = read_expansion(model, scores), None
        notation = notation_or_usual(notation, expansion)
        print_closed_form(expansion, notation)
        say("\nThe number of heads is a symbol, so there is nothing to check on weights.")
    else:
        weights, words = read_weights(model, path, seed)
        expansion = read_expansion(model or Transformer.parse(str(weights.model)), scores)
        notation = notation_or_usual(notation, expansion)
        print_closed_form(expansion, notation)
        report = checked(expansion, weights, words, tokens, seed, is_example=model is None and path is None and tokens is None)
    if steps:
        print_steps(expansion, notation, style)
    if output is not None:
        write_output(output, expansion, notation, report, style, fragment=fragment, force=force)
    claimed = not expansion.model.has_symbolic_heads
    ctx.exit(EXIT_CODES[report.verdict] if report is not None else EXIT_CODES[UNDECIDED] if claimed else 0)


def style_of(renames: tuple[str, ...], **options: Any) -> Style:
    """How the derivation is written."""
    pairs = [rename.partition("=") for rename in renames]
    if any(not (name and equals) for name, equals, _ in pairs):
        raise click.UsageError('--rename takes a name and its LaTeX, such as --rename "W_OV=\\\\WOV"')
    return Style(rename={name: value for name, _, value in pairs}, **options)


def print_steps(expansion: PathExpansion, notation: str, style: Style) -> None:
    """The derivation, and whether every step of it is proved."""
    derivation = find_derivation(expansion, notation=notation)
    say("\n" + to_text(derivation, style=replace(style, width=min(STEPS_WIDTH, room())) if is_terminal() else style))
    count = sum(len(part.steps) for part in derivation.parts())
    derivation.replay()
    say(f"\n{count} steps, replayed: {derivation.prove().verdict}")


def write_output(
    output: Path,
    expansion: PathExpansion,
    notation: str,
    report: CheckReport | None,
    style: Style,
    *,
    fragment: bool,
    force: bool,
) -> None:
    """The derivation in the format that the name of the file asks for."""
    if output.suffix.lower() == ".json":
        save_derivation(find_derivation(expansion, notation=notation), output, force=force)
    else:
        write_whole(output, text_of(output.suffix.lower(), expansion, notation, report, style, fragment=fragment), force=force)
    say(f"\nwrote {inert_line(output)}")


def text_of(
    suffix: str, expansion: PathExpansion, notation: str, report: CheckReport | None, style: Style, *, fragment: bool
) -> str:
    """The text of a file."""
    derivation = find_derivation(expansion, notation=notation)
    if suffix == ".tex":
        return to_latex(derivation, style) if fragment else article(expansion, report, derivation, style=style)
    return (to_markdown if suffix == ".md" else to_text)(derivation, style=replace(style, document=True))


def print_closed_form(expansion: PathExpansion, notation: str) -> None:
    """The number of terms, and the closed form where it is short enough to read."""
    classes = expansion.path_classes().number_of_terms
    root = "" if expansion.grammar.root is None else f", {expansion.grammar.root.name}"
    say(f"{expansion.model}{root}: {in_words(expansion.number_of_terms)} terms in {in_words(classes)} path classes\n")
    if classes > MAX_LINES:
        say(f"The closed form has {in_words(classes)} summands; see `symbolic-circuits terms --classes` or write the article.")
        return
    rows = path_class_rows(expansion, notation, MAX_LINES)
    for k, row in enumerate(rows):
        say(f"  {'+' if k else ' '} {formula(row.value)}")


def checked(
    expansion: PathExpansion, weights: Weights, words: str, tokens: str | None, seed: int, *, is_example: bool
) -> CheckReport | None:
    """Check the terms on weights and print the largest; None where they are too many to evaluate."""
    if expansion.number_of_terms > MAX_TERMS:
        say(f"\nThe terms are too many to evaluate one by one (the limit is {MAX_TERMS:,}).")
        return None
    pairs = all_pairs() if is_example else None
    given = sequences(pairs) if is_example else read_tokens(tokens, weights, seed)
    with progress_bar("evaluating terms") as progress:
        report = check(expansion, weights, given, positions=[-1] if is_example else None, seed=seed, progress=progress)
    by_term = None
    if is_example:
        with progress_bar("margins of the answer") as progress:
            by_term = margins(expansion, weights, given, answers(pairs), progress=progress)
    where = f"{len(pairs)} sequences a b =, read at =" if is_example else "one sequence"
    print_terms(report, by_term, f"On {words} ({where}):")
    say(f"{report}")
    return report


def print_terms(report: CheckReport, by_term: np.ndarray | None, title: str) -> None:
    """The largest terms, with their share of the output and of the margin of the answer."""
    heads, rows = ["term", "norm", "share of output"], []
    if by_term is not None:
        heads.append("share of answer's margin")
    for term, norm, share in report.largest(MAX_ROWS):
        row = [str(term), f"{norm:.4g}", f"{share:.1%}"]
        if by_term is not None:
            row.append(f"{by_term[report.expansion.index(term)] / by_term.sum():.1%}")
        rows.append(row)
    say(f"\n{title}")
    table("", heads, rows)
    hidden = report.expansion.number_of_terms - len(rows)
    if hidden:
        say(f"and {hidden} smaller terms\n")
