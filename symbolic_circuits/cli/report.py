"""``symbolic-circuits report``: one self-contained HTML page about a model."""

from itertools import starmap
from pathlib import Path

import click
import numpy as np

from symbolic_circuits.algebra.diagnosis import shown
from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.cli.inert import inert
from symbolic_circuits.cli.inputs import (
    input_options,
    notation_option,
    notation_or_usual,
    read_expansion,
    read_tokens,
    read_weights,
    scores_option,
)
from symbolic_circuits.cli.prove import prove_identities
from symbolic_circuits.cli.prove_documents import check_documents, documents_exit_code, is_document, matching
from symbolic_circuits.cli.readouts import chosen_tokens, readout_options
from symbolic_circuits.documents.results import Report, Result, is_as_claimed
from symbolic_circuits.errors import NotationError, WeightsError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.identities.files import Identity, read_identities
from symbolic_circuits.identities.report import explanation, summary
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.report.page.page import html_page
from symbolic_circuits.spec import Transformer
from symbolic_circuits.whole_file import require_format, require_free, write_whole

EXAMPLES = """
\b
Examples:
  symbolic-circuits report -o example.html
  symbolic-circuits report --tokens "3 4 31" --against runner-up \\
      -o logits.html
  symbolic-circuits report "attn(12) bilinear" --norm -o shares.html
  symbolic-circuits report "attn(H) bilinear" --notation tensor \\
      -o closed_form.html
  symbolic-circuits report "attn(2) attn(2)" --scores "1[0]" -o scores.html
  symbolic-circuits report --weights model.safetensors --tokens "5 2 9" \\
      -o page.html --force
  symbolic-circuits report "attn(2)" --document proofs/elhage-2021.md \\
      -o verdicts.html
"""
EXAMPLE_TOKENS = (3, 4, 31)  # 3 + 4 =


@click.command(epilog=EXAMPLES)
@click.argument("model", required=False)
@input_options
@readout_options
@scores_option
@click.option("--key", type=int, help="With --scores, the position of the key; by default the one with the largest score.")
@click.option(
    "--document",
    "documents",
    multiple=True,
    type=click.Path(path_type=Path),
    help="A .md or .tex file, or a .json file of identities, whose verdicts are shown.",
)
@notation_option
@click.option(
    "--seconds",
    type=click.FloatRange(0, min_open=True),
    default=5.0,
    show_default=True,
    help="Of the search for the largest of very many terms: what it finds depends on the machine's speed.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="The page; ends in .html.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.pass_context
def report(
    ctx: click.Context,
    model: str | None,
    path: Path | None,
    tokens: str | None,
    seed: int,
    where: str | None,
    position: int,
    token: int | None,
    against: str | None,
    norm: bool,
    scores: str | None,
    key: int | None,
    documents: tuple[Path, ...],
    notation: str | None,
    seconds: float,
    output: Path,
    force: bool,
) -> None:
    """Write a page about MODEL: derivation, graph, terms with what they contribute, orders, verdicts of documents.

    Without MODEL and --weights it is about the trained example, attn(2) bilinear on addition modulo 31.
    """
    require_format(output, (".html",))
    require_free(output, force=force)
    reads_output = token is not None or against is not None or norm
    require_fitting(scores, key, reads_output, seconds)
    expansion, frozen, words = subject(model, path, tokens, seed, scores)
    expansion = expansion if where is None else expansion.where(where)
    if frozen is None and (reads_output or key is not None):
        raise click.UsageError(f"there is nothing to read: {words}")
    checked, chosen = checked_documents(documents, seed), (None, None)
    if frozen is not None and scores is None:
        *chosen, which = chosen_tokens(frozen, position, token, against, norm)
        words = "; ".join(filter(None, (words, which)))
    page = html_page(
        expansion,
        frozen,
        position=position,
        token=chosen[0],
        against=chosen[1],
        key=key,
        documents=checked,
        notation=notation_or_usual(notation, expansion),
        seconds=seconds,
        words=words,
    )
    write_whole(output, page, force=force)
    click.echo(f"wrote {inert(output)}: {len(page.encode()):,} bytes")
    ctx.exit(documents_exit_code(checked))


def require_fitting(scores: str | None, key: int | None, reads_output: bool, seconds: float) -> None:
    """Raise UsageError where options contradict each other."""
    if scores is None and key is not None:
        raise click.UsageError("--key is the position of a key, of --scores")
    if scores is not None and reads_output:
        raise click.UsageError("--token, --against and --norm read the output; scores are read at --position (query) and --key")
    if not seconds > 0:  # which nan is not either
        raise click.UsageError(f"--seconds is a positive number; got {seconds}")


def subject(
    model: str | None, path: Path | None, tokens: str | None, seed: int, scores: str | None
) -> tuple[PathExpansion, Frozen | None, str]:
    """The expansion, a run where the heads are known and its activations finite, and words for its weights."""
    if model is not None and Transformer.parse(model).has_symbolic_heads:
        if path is not None or tokens is not None:
            raise click.UsageError("the number of heads is a symbol, so that --weights and --tokens have nothing to run")
        return read_expansion(model, scores), None, "the number of heads is a symbol"
    weights, words = read_weights(model, path, seed)
    is_example = model is None and path is None and tokens is None
    given = np.array(EXAMPLE_TOKENS) if is_example else read_tokens(tokens, weights, seed)
    expansion = read_expansion(model or Transformer.parse(str(weights.model)), scores)
    try:
        with np.errstate(all="ignore"):  # what overflows is an error of its own
            frozen = freeze(weights, given)
        finite_forward(frozen)
    except WeightsError as error:
        if path is not None:
            raise
        return expansion, None, f"no numbers: with {words}, {str(error).partition(': scale')[0]}"
    return expansion, frozen, words


def checked_documents(paths: tuple[Path, ...], seed: int) -> list[Report]:
    """The verdicts on documents and on identities, in the order in which they are given."""
    found = [item for path in paths for item in matching(path)]
    for path in found:
        if not is_document(path) and path.suffix.lower() != ".json":
            raise NotationError(f"--document is a .md or .tex file, or a .json file of identities; got {path.name!r}")
    return [report for path in found for report in checked(path, seed)]


def checked(path: Path, seed: int) -> list[Report]:
    """The verdicts on one file."""
    if is_document(path):
        return check_documents([path], seed, no_cache=False)
    return [Report(str(path), "Identities", tuple(starmap(result_of, prove_identities(read_identities(path), seed))))]


def result_of(identity: Identity, verdict: Verdict) -> Result:
    """The verdict on an identity as on a claim of a document."""
    is_ok = is_as_claimed("=", verdict.verdict, getattr(verdict, "error_probability", None))
    source = " = ".join(" + ".join(map(shown, side.terms)) or "0" for side in (identity.statement.lhs, identity.statement.rhs))
    status, why = ("ok", "") if is_ok else ("failed", explanation(verdict))
    return Result(identity.id, identity.id, 0, "=", source.replace("+ -", "- "), status, verdict.verdict, summary(verdict), why)
