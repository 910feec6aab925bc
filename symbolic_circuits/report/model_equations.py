r"""A model with biases, norms, positions, gates or scores that are expanded, as equations: X_1 = X_0 + ..., N_0 = diag(r) X_0 ..."""

from sympy import Basic

from symbolic_circuits.derivation.matrices import equations
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.report.derivations.filling import filled
from symbolic_circuits.report.derivations.latex import STARTS, LatexWriter
from symbolic_circuits.report.derivations.paper import PaperPrinter, summands_of
from symbolic_circuits.report.derivations.setting import in_words_order, model_rows
from symbolic_circuits.report.derivations.widths import latex_width
from symbolic_circuits.report.field_latex import escape
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["is_plain", "real_definition", "real_rows"]

PRINTER = PaperPrinter({}, brief=True)
ROOM = LatexWriter.default_width - 4  # beside the left side


def is_plain(model: Transformer) -> bool:
    """Whether a model has attention with patterns held fixed and bilinear layers, and nothing beside them."""
    if model.norm is not None or model.positions is not None or model.output_bias:
        return False
    attention = [spec for _, spec in model.numbered() if isinstance(spec, Attention)]
    scaled = any(spec.output_scale or spec.scores != "softmax" or not spec.score_scale for spec in attention)
    return not scaled and not any(spec.biases or getattr(spec, "gate", None) for _, spec in model.numbered())


def real_definition(expansion: PathExpansion) -> str:
    """The forward pass, step by step."""
    lines = []
    for name, value in equations(expansion):
        summands = [PRINTER.summand(summand) for summand in summands_of(value)]
        rows = filled(summands, ROOM, latex_width, LatexWriter.indents)
        lines += [f"{PRINTER.whole(name)} &= {rows[0].text}", *(f"&{STARTS[row.indent]}{row.text}" for row in rows[1:])]
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}"


def real_rows(model: Transformer) -> list[str]:
    """The table of its letters: meaning in words and formulas, shape."""
    rows = []
    for row in model_rows(model):
        symbols = ", ".join(f"${PRINTER.whole(symbol)}$" for symbol in row.symbols)
        meaning = "".join(f"${PRINTER.whole(piece)}$" if isinstance(piece, Basic) else escape(piece) for piece in row.meaning)
        shape = r" \times ".join(PRINTER.whole(in_words_order(size)) for size in row.shape)
        rows.append(rf"{symbols} & {meaning} & {f'${shape}$' if shape else row.kind} \\")
    return rows
