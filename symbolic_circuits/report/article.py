r"""A complete article: the setting with shapes, the model, its closed form, and the table of path classes with their meaning."""

from dataclasses import replace

from sympy import Expr

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.tensors import AttentionTensors, ModelTensors
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.checking import AGREES, DIFFERS, CheckReport
from symbolic_circuits.report.classes import PathClass, definitions, meaning, path_class_rows, terms_in_class
from symbolic_circuits.report.derivations.letters import held_fixed
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.latex import align, check_to_latex, escape, is_linear, left_side, longtable, to_latex
from symbolic_circuits.report.model_equations import is_plain, real_definition, real_rows
from symbolic_circuits.report.plain import to_plain
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["article"]

MAX_CLASSES = 500
DEFAULT = Style()
LINE = 88  # characters of plain text that fit a line of the page

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,margin=25mm]{geometry}
\usepackage{amsmath,amssymb,array,booktabs,longtable}
\allowdisplaybreaks
\setlength{\emergencystretch}{3em}
\begin{document}
"""


def article(
    expansion: PathExpansion,
    report: CheckReport | None = None,
    derivation: Derivation | None = None,
    *,
    style: Style = DEFAULT,
) -> str:
    """A LaTeX document about the path expansion of a model, with its derivation and the check on weights where they are given.

    Parameters
    ----------
    expansion : what the document is about
    report : the check of its terms on weights
    derivation : of its closed form
    style : of the derivation

    Raises
    ------
    BudgetError
        There are too many path classes to print.
    NotationError
        The expansion is of scores.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> article(sc.path_expansion("attn(2) bilinear")).count("begin{longtable}")
    2
    """
    if expansion.grammar.root is not None:
        raise NotationError(
            f"an article is about the output of a model; {expansion.grammar.root.name} is an expansion of scores: to_latex writes its terms"
        )
    model = expansion.model
    notation = "operator" if is_plain(model) else notation_of(expansion)
    rows = path_class_rows(expansion, notation, MAX_CLASSES)
    sections = [
        rf"\title{{Path expansion of \texttt{{{spec_name(model)}}}}}",
        r"\author{}\date{}\maketitle",
        r"\section{Setting}",
        setting(model, expansion.tensors),
        r"\section{Model}",
        definition_of_model(model, expansion.tensors) if is_plain(model) else real_definition(expansion),
        *([r"\section{Derivation}", to_latex(derivation, replace(style, document=False))] if derivation is not None else []),
        r"\section{Closed form}",
        closed_form(expansion, rows, is_derived=derivation is not None and derivation.result == expansion.closed_form(notation)),
        r"\section{Path classes}",
        path_classes(expansion, rows),
    ]
    if report is not None:
        sections += [r"\section{On weights}", on_weights(report)]
    preamble = PREAMBLE if derivation is None else with_derivations(style)
    return preamble + "\n\n".join(sections) + "\n\\end{document}\n"


def notation_of(expansion: PathExpansion) -> str:
    """The notation of a model with biases, norms and so on: operators, or indices where queries and keys are rotated."""
    return "index" if expansion.model.positions == "rotary" else "operator"


def with_derivations(style: Style) -> str:
    """The preamble of a document that has a derivation."""
    added = r"\usepackage{mathtools,xcolor}" + f"\n{style.preamble.strip()}".rstrip() + "\n"
    return PREAMBLE.replace("\\allowdisplaybreaks\n", added + "\\allowdisplaybreaks\n")


def spec_name(model: Transformer) -> str:
    """The text of a model, with places where a line may break."""
    return escape(str(model)).replace("|", r"|\allowbreak{}").replace(",", r",\allowbreak{}") or "the model without blocks"


CONVENTIONS = (
    r"Operators act on row-major $\operatorname{vec}$: $(A \otimes W) \operatorname{vec} X "
    r"= \operatorname{vec}(A X W^\top)$, "
    r"and $\odot$ is the elementwise product. Positions, heads and blocks count from 0; sums run over the heads of a block."
)


def setting(model: Transformer, tensors: ModelTensors) -> str:
    """Letters, meanings and shapes of the tensors that occur."""
    rows = [
        ("$n, d" + (", V$" if model.embedding or model.unembedding else "$"), "positions, residual width, vocabulary", "sizes")
    ]
    source = "one-hot tokens, one row a position" if model.embedding else "residual input, one row a position"
    rows.append(shaped(tensors.source, source, tensors.source.shape))
    if model.embedding:
        rows.append(shaped(tensors.W_E, "embedding", tensors.W_E.shape))
    for index, block in enumerate(tensors.blocks):
        rows += attention_rows(index, block, model) if isinstance(block, AttentionTensors) else bilinear_rows(index, block)
    if model.unembedding:
        rows.append(shaped(tensors.W_U, "unembedding", tensors.W_U.shape))
    text = f"{held_fixed(model)}{CONVENTIONS}"
    if not is_plain(model):
        return (
            text
            + "\n\n"
            + longtable(r"l>{\raggedright\arraybackslash}p{0.62\linewidth}r", ["", "meaning", "shape"], real_rows(model))
        )
    return text + "\n\n" + longtable("llr", ["", "meaning", "shape"], [" & ".join(row) + r" \\" for row in rows])


def shaped(tensor: Expr, words: str, shape: tuple) -> tuple[str, str, str]:
    """A row of the table of the setting."""
    sizes = r" \times ".join(map(to_latex, shape))
    return f"${to_latex(tensor)}$", words, f"${sizes}$"


def head_symbol(block: AttentionTensors) -> str:
    """The head symbol of a block: h, or h_l with several attention blocks."""
    label = block.A.name.partition("^")[2]
    return f"h_{{{label}}}" if label else "h"


def attention_rows(index: int, block: AttentionTensors, model: Transformer) -> list[tuple[str, str, str]]:
    """The tensors of an attention block."""
    spec, several = dict(model.numbered())[index], head_symbol(block)
    heads, e, d = to_latex_size(spec.heads), to_latex_size(spec.e), to_latex_size(model.d)
    return [
        (
            f"$A^{{{several}}}$",
            f"attention pattern of head ${several}$ of block {index}, of ${heads}$",
            f"${to_latex_size(model.n)} \\times {to_latex_size(model.n)}$",
        ),
        (f"$W_{{OV}}^{{{several}}}$", rf"$W_O^{{{several}}} W_V^{{{several}}}$, of rank at most ${e}$", rf"${d} \times {d}$"),
    ]


def bilinear_rows(index: int, block: object) -> list[tuple[str, str, str]]:
    """The tensors of a bilinear layer."""
    matrices = (
        f"bilinear layer {index}, left and right input" if block.W_1 != block.W_2 else f"bilinear layer {index}, both inputs"
    )
    names = ", ".join(dict.fromkeys([to_latex(block.W_1), to_latex(block.W_2)]))
    rows = [(f"${names}$", matrices, shaped(block.W_1, "", block.W_1.shape)[2])]
    out = ""
    if block.W_out is not None:
        rows.append(shaped(block.W_out, f"bilinear layer {index}, output", block.W_out.shape))
        out = f"({to_latex(block.W_out)})_{{ip}}"
    factor = f"{out} ({to_latex(block.W_1)})_{{pj}} ({to_latex(block.W_2)})_{{pk}}"
    value = rf"$\sum_p {factor}$" if out else f"${factor.replace('p', 'i')}$"
    return [
        *rows,
        (
            f"${to_latex(block.B)}_{{ijk}}$" if "^" not in str(block.B) else f"$({to_latex(block.B)})_{{ijk}}$",
            value,
            shaped(block.B, "", block.B.shape)[2],
        ),
    ]


def to_latex_size(size: object) -> str:
    """A size as LaTeX."""
    return str(size) if isinstance(size, int) else to_latex(size)


def definition_of_model(model: Transformer, tensors: ModelTensors) -> str:
    """The forward pass, step by step."""
    lines = [rf"X_0 &= {to_latex(tensors.source * tensors.W_E.T if model.embedding else tensors.source)}"]
    for number, step in enumerate(model.steps):
        parts = [f"X_{{{number}}}"] if step.residual else []
        parts += [block_value(tensors.block(block.index), f"X_{{{number}}}") for block in step.blocks]
        lines.append(rf"X_{{{number + 1}}} &= {parts[0]}")
        for k, part in enumerate(parts[1:], start=1):
            if k % 2:  # two blocks a line
                lines[-1] += f" + {part}"
            else:
                lines.append(rf"&\quad + {part}")
    if model.unembedding:
        lines.append(
            rf"T(t) &= X_{{{len(model.steps)}}} \, W_U^{{\top}}"
            if model.embedding
            else rf"T(X) &= X_{{{len(model.steps)}}} \, W_U^{{\top}}"
        )
    body = " \\\\\n".join(lines)
    text = f"\\begin{{align*}}\n{body}\n\\end{{align*}}"
    if any(isinstance(spec, Attention) for _, spec in model.numbered()):
        text += (
            "\nIn a forward pass the pattern of a head that reads $X$ is "
            r"$A = \operatorname{softmax}\bigl(\operatorname{mask}(X W_Q^\top W_K X^\top / \sqrt{e})\bigr)$, "
            r"row by row; here it is given."
        )
    return text


def block_value(block: object, stream: str) -> str:
    """What a block adds to the stream that it reads."""
    if isinstance(block, AttentionTensors):
        several = head_symbol(block)
        return rf"\sum_{{{several}}} A^{{{several}}} \, {stream} \, (W_{{OV}}^{{{several}}})^{{\top}}"
    left, right = (rf"{stream} \, {to_latex(matrix.T)}" for matrix in (block.W_1, block.W_2))
    hidden = rf"\left({left} \odot {right}\right)"
    return hidden if block.W_out is None else rf"{hidden} {to_latex(block.W_out.T)}"


def closed_form(expansion: PathExpansion, rows: list[PathClass], *, is_derived: bool = False) -> str:
    """The sum of the path classes, where each fits a line and it was not just derived; else the table of path classes has it."""
    text = f"The model has ${to_latex_size(expansion.number_of_terms)}$ terms in {len(rows)} path classes"
    if fits(rows) and is_derived:
        return f"{text}: the summands of the last line of the derivation."
    if fits(rows):
        source = to_latex(expansion.tensors.source)
        text += rf"; as an operator on $\operatorname{{vec}}({source})$ it is" if is_linear(expansion.model) else ""
        notation = "operator" if is_plain(expansion.model) else notation_of(expansion)
        return f"{text}:\n{align([to_latex(row.value) for row in rows], left_side(expansion, notation))}"
    if not is_plain(expansion.model):
        return f"{text}, which are too wide for a line and are listed by name below."
    short = list(definitions(expansion, MAX_CLASSES))
    classes = [part for part in short if part.is_class]
    total = "all" if len(classes) == len(short) else "those marked with a dot"
    start = f"{text}. Each is a column $c_k$ of the residual stream, built from earlier ones in the table below; "
    output = left_side(expansion, "operator")
    if expansion.model.unembedding:
        return f"{start}the output is ${output} = (\\mathrm{{Id}} \\otimes W_U) \\sum_k c_k$ over {total} of them."
    return f"{start}the output is ${output} = \\sum_k c_k$ over {total} of them."


def fits(rows: list[PathClass]) -> bool:
    """Whether the closed form can be written out, a path class a line."""
    return all(len(to_plain(row.value)) <= LINE for row in rows)


def path_classes(expansion: PathExpansion, rows: list[PathClass]) -> str:
    """The table of path classes, by name, or by their definitions where the closed form is too wide."""
    if fits(rows) or not is_plain(expansion.model):
        heads = ["", "path class", "terms", "order", "meaning"]
        note = "A star stands for any head of its block; the order is the number of heads and bilinear layers passed."
        columns = r">{\raggedright\arraybackslash}p{0.42\linewidth}rr>{\raggedright\arraybackslash}p{0.32\linewidth}"
        lines = [table_row(str(k), rf"\texttt{{{breakable(str(row.term))}}}", row.term) for k, row in enumerate(rows)]
    else:
        short = list(definitions(expansion, MAX_CLASSES))
        heads = ["", "column of the stream", "terms", "order", "meaning"]
        note = "The order is the number of heads and bilinear layers passed."
        columns = r"l rr>{\raggedright\arraybackslash}p{0.45\linewidth}"
        dots = not all(part.is_class for part in short)
        lines = [
            table_row(
                r"$\cdot$" if dots and part.is_class else "", f"${to_latex(part.name)} = {to_latex(part.value)}$", part.term
            )
            for part in short
        ]
    return f"{note}\n\n{longtable(f'r{columns}', heads, lines)}"


def table_row(mark: str, value: str, term: Term) -> str:
    """A row of the table of path classes."""
    return rf"{mark} & {value} & ${to_latex_size(terms_in_class(term))}$ & {term.order} & {escape(meaning(term))} \\"


def breakable(name: str) -> str:
    """A term name that may break after brackets and commas."""
    return escape(name).replace("(", r"(\allowbreak{}").replace(", ", r",\allowbreak{} ").replace("]", r"]\allowbreak{}")


def on_weights(report: CheckReport) -> str:
    """The check and the largest terms."""
    exact = report.exact
    verdict = {AGREES: "add up to", DIFFERS: r"\textbf{do not} add up to"}.get(report.verdict, "were not shown to add up to")
    text = (
        f"The terms {verdict} the forward pass: relative error {report.float64.error:.1e} in float64 and "
        f"{report.float32.error:.1e} in float32; "
        f"on random integers {exact.differing} of {exact.entries} entries differ modulo {exact.prime}. "
        "The share of a term is its inner product with the output over that of the output with itself; "
        "the shares of all terms add up to one."
    )
    return f"{text}\n\n{check_to_latex(report)}"
