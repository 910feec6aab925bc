r"""A model with biases, norms, positions, gates or scores that are expanded as equations, X_1 = X_0 + ..., read off its grammar.

Every nonterminal of the grammar is one equation: X_k is the stream after step k, N_l what norm l makes of one, Y_k a sum that is normed, P
what queries and keys read. So the equations are those that the terms are multiplied out of.
"""

from collections.abc import Iterator

from sympy import Expr, MatAdd, MatrixSymbol

from symbolic_circuits.expansion.constant import ONE, WithOne
from symbolic_circuits.expansion.grammar import ANY_HEAD, Grammar, Nonterminal, grammar_of
from symbolic_circuits.expansion.interpret import value_of
from symbolic_circuits.expansion.queries.factored import FactoredNotation
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors, NormTensors, ScoreTensors
from symbolic_circuits.report.latex import to_latex
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["equations", "is_plain", "real_definition", "tensors_in_words"]


def is_plain(model: Transformer) -> bool:
    """Whether a model has attention with patterns held fixed and bilinear layers, and nothing beside them."""
    if model.norm is not None or model.positions is not None or model.output_bias:
        return False
    attention = [spec for _, spec in model.numbered() if isinstance(spec, Attention)]
    scaled = any(spec.output_scale or spec.scores != "softmax" or not spec.score_scale for spec in attention)
    return not scaled and not any(spec.biases or getattr(spec, "gate", None) for _, spec in model.numbered())


def equations(model: Transformer) -> Iterator[tuple[Expr, list[Expr]]]:
    """Names and what they are the sum of, in matrix notation; the output last.

    >>> for name, summands in equations(Transformer.parse("[rms_norm, no embed, no unembed] bilinear(no out, b_out)")):
    ...     print(name, "=", *summands)
    X_0 = X
    N_0 = DiagMatrix(r_0)*X_0
    X_1 = X_0 HadamardProduct(N_0*W_1.T, N_0*W_2.T) 1*b_out.T
    N_1 = DiagMatrix(r_1)*X_1
    T = N_1
    """
    grammar, tensors = grammar_of(model, ANY_HEAD), ModelTensors(model)
    writer = FactoredNotation(tensors)
    values: list = []
    for k, nonterminal in enumerate(grammar.nonterminals):
        parts = [value_of(production, values, writer) for production in nonterminal]
        found = writer.add(parts)
        if found is ONE or isinstance(found, WithOne):
            values.append(found)
            continue
        name = MatrixSymbol(name_of(grammar, k, nonterminal), model.n, model.d)
        yield name, [writer.scores_output(part) for part in parts]
        values.append((name,))
    output = writer.output(values[-1])
    yield MatrixSymbol("T", *output.shape), list(output.args) if isinstance(output, MatAdd) else [output]


def name_of(grammar: Grammar, k: int, nonterminal: Nonterminal) -> str:
    """The name of a nonterminal."""
    if k in grammar.streams:
        return f"X_{grammar.streams.index(k)}"
    component = nonterminal[0].component
    if component is not None and component.kind == "norm":
        return f"N_{component.layer}"
    if any(production.component is not None and production.component.kind != "position" for production in nonterminal):
        return f"Y_{sum(stream < k for stream in grammar.streams)}"
    return f"P_{k}"


def real_definition(model: Transformer, tensors: ModelTensors) -> str:
    """The forward pass of a model with biases, norms and so on, and what stands for products of its tensors."""
    lines = []
    for name, (first, *others) in equations(model):
        lines.append(f"{to_latex(name)} &= {to_latex(first)}")
        lines += [rf"&\quad + {to_latex(summand)}" for summand in others]
    products = {tensor: value for tensor, value in tensors.definitions.items() if isinstance(tensor, MatrixSymbol)}
    lines += [f"{to_latex(tensor)} &= {to_latex(value)}" for tensor, value in products.items()]
    body = " \\\\\n".join(lines)
    return f"\\begin{{align*}}\n{body}\n\\end{{align*}}{third_order(tensors)}"


def third_order(tensors: ModelTensors) -> str:
    """What the tensors B are, in entries."""
    layers = (block for block in tensors.blocks if isinstance(block, BilinearTensors))
    texts = []
    for layer in layers:
        out = "" if layer.W_out is None else rf"({to_latex(layer.W_out)})_{{ip}} "
        right = rf"({to_latex(layer.W_2)})_{{pk}}"
        left = "" if layer.G is not None else rf"({to_latex(layer.W_1)})_{{pj}} "
        total = "" if layer.G is not None or not out else r"\sum_p "
        factors = f"{out}{left}{right}" if out else f"{left}{right}".replace("_{p", "_{i") if left else rf"\delta_{{ip}} {right}"
        place = "ijk" if layer.G is None else "ipk"
        texts.append(rf"$({to_latex(layer.B)})_{{{place}}} = {total}{factors}$")
    return f"\nHere {', '.join(texts)}." if texts else ""


def tensors_in_words(model: Transformer) -> Iterator[tuple[Expr, str]]:
    """The tensors of a model beside t, W_E and W_U, each with what it is."""
    tensors = ModelTensors(model)
    if model.positions in ("learned", "shortformer"):
        yield tensors.W_pos, "positions"
    if any(isinstance(spec, Attention) and spec.is_polynomial for _, spec in model.numbered()):
        yield tensors.mask, "causal mask, 1 for sources that are not later"
    for (index, spec), block in zip(model.numbered(), tensors.blocks, strict=True):
        yield from attention_in_words(index, spec, block) if isinstance(spec, Attention) else layer_in_words(index, block)
    for number, norm in zip(tensors.norm_numbers, tensors.norms, strict=True):
        yield from norm_in_words(number, norm)
    if model.norm == "layer":
        yield tensors.centering, "subtraction of the mean"
    if model.output_bias:
        yield tensors.b_U, "bias of the output"


def attention_in_words(index: int, spec: Attention, block: AttentionTensors) -> Iterator[tuple[Expr, str]]:
    """The families of an attention block."""
    if not spec.is_polynomial:
        yield block.A, f"attention patterns of block {index}, one a head"
    yield block.W_OV, f"products of output and value matrices of block {index}"
    if block.b_OV is not None:
        yield block.b_OV, f"output matrices times value biases of block {index}"
    if block.b_O is not None:
        yield block.b_O, f"bias of block {index}"
    if block.scale is not None:
        yield block.scale, f"scale of block {index}"
    for scores in block.scores if spec.is_polynomial else ():
        yield from scores_in_words(index, scores)


def scores_in_words(index: int, scores: ScoreTensors) -> Iterator[tuple[Expr, str]]:
    """The families of a product of queries and keys."""
    words = ("products of query and key matrices", "query matrices", "key matrices", "query biases", "key biases")
    for family, word in zip(scores.families, words, strict=True):
        if family is not None:
            yield family, f"{word} of block {index}"
    if scores.R is not None:
        yield scores.R, "rotations, one a position"


def layer_in_words(index: int, block: BilinearTensors) -> Iterator[tuple[Expr, str]]:
    """The tensors of a layer."""
    name = f"layer {index}"
    if block.G is not None:
        yield block.G, f"gates of {name}"
    else:
        yield block.W_1, f"left input of {name}" if block.W_1 != block.W_2 else f"both inputs of {name}"
    if block.W_2 != block.W_1:
        yield block.W_2, f"{'right ' if block.G is None else ''}input of {name}"
    for symbol, words in (
        (block.W_out, "output"),
        (block.b_1 if block.G is None else None, "left bias"),
        (block.b_2, "right bias"),
    ):
        if symbol is not None and not (words == "right bias" and block.b_2 == block.b_1):
            yield symbol, f"{words} of {name}"
    if block.b_out is not None:
        yield block.b_out, f"bias of {name}"


def norm_in_words(number: int, norm: NormTensors) -> Iterator[tuple[Expr, str]]:
    """The tensors of a norm."""
    yield norm.r, f"scales of norm {number}, one a position"
    if norm.w is not None:
        yield norm.w, f"gains of norm {number}"
    if norm.b is not None:
        yield norm.b, f"bias of norm {number}"
