"""What is said before each chain of a derivation: what the stream, a norm, the output or scores are."""

from sympy import MatrixSymbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.report.derivations.layout import Prose
from symbolic_circuits.spec import Attention, Block, Transformer
from symbolic_circuits.syntax.vec import Vec

__all__ = ["derived_from", "introduction", "stream_in_words"]


def introduction(derivation: Derivation, name: Basic | None, is_last: bool, columns: bool = False) -> Prose:
    """What is said before a chain."""
    model = derivation.model
    if model is None:
        return () if not derivation.lemmas else ("With these,",) if is_last else ("For ", name, ":")
    what = "scores" if derived_from(derivation, "S") else "output"
    if isinstance(name, MatrixElement):
        return (f"The entries of the {what} are",)
    if name is not None and not isinstance(name, MatrixSymbol | Vec):
        return (f"The {'columns' if columns else 'rows'} of the {what} are",)
    stream, _, number = str(getattr(name, "name", "")).partition("_")
    if number.isdigit():
        return (stream_in_words(model, stream, int(number)),)
    if name is not None and str(name) in ("S", "vec(S)"):
        return ("The scores are",)
    is_output = isinstance(name, Vec) or (name is not None and name.shape[0] == model.n)
    return ("The output is",) if is_output else ("As an operator on ", Vec(ModelTensors(model).source), " the model is")


def derived_from(derivation: Derivation, name: str) -> bool:
    """Whether a matrix of a name is what is derived, or its entries are."""
    return derivation.name is not None and MatrixSymbol(name, derivation.model.n, derivation.model.n) in derivation.name.atoms(
        MatrixSymbol
    )


def stream_in_words(model: Transformer, stream: str, number: int) -> str:
    """What is said before the derivation of a stream, or of what a norm makes of one.

    >>> stream_in_words(Transformer.parse("[rms_norm] attn(2)"), "N", 0), stream_in_words(Transformer.parse("[rms_norm] attn(2)"), "N", 1)
    ('Block 0 reads', 'The output reads')
    """
    if stream in ("N", "z"):
        reader = f"Block {number} reads" if number < model.number_of_blocks else "The output reads"
        return reader if model.unembedding or number < model.number_of_blocks else "The output is"
    if stream in ("X", "x") and number == 0:
        return "The residual stream starts as"
    return "The norm gives" if stream in ("X", "x") and model.post_norm else step_in_words(model, number - 1)


def step_in_words(model: Transformer, number: int) -> str:
    """What makes the stream after a step.

    >>> step_in_words(Transformer.parse("attn(2) attn(1)|bilinear"), 1)
    'Attention (block 1) and a bilinear layer (block 2) give'
    """
    blocks = model.steps[number].blocks
    words = [f"{block_in_words(block.spec)} (block {block.index})" for block in blocks]
    text = " and ".join(words)
    return f"{text[0].upper()}{text[1:]} {'gives' if len(words) == 1 else 'give'}"


def block_in_words(spec: Block) -> str:
    """The kind of a block."""
    if isinstance(spec, Attention):
        return "attention"
    return "a bilinear layer" if spec.gate is None else "a layer with gates"
