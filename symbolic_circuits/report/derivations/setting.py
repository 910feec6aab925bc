r"""The setting of a derivation: its letters with meanings and shapes, its conventions, laws and definitions, each stated once."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, KroneckerProduct, MatMul, MatrixSymbol, Mul, Symbol, Transpose
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.expansion.notation.writer import index_symbol
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors
from symbolic_circuits.report.derivations.convention import Columns
from symbolic_circuits.report.derivations.introductions import derived_from
from symbolic_circuits.report.derivations.layout import Layout, Prose, activations_of
from symbolic_circuits.report.derivations.letters import Letter, Letters, held_fixed
from symbolic_circuits.report.derivations.marks import copied
from symbolic_circuits.report.derivations.names import TENSORS, name_of
from symbolic_circuits.report.entries import entry, in_entries
from symbolic_circuits.spec import Attention, Block, Transformer
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Setting", "TableRow", "in_words_order", "model_rows", "setting_names", "setting_of"]


STREAMS = {  # first letters of names
    "xX": "residual stream after each step",
    "zN": "what a norm makes of the stream that its block, or the output, reads",
    "yY": "sum that the norm after a step is of",
}
OUTPUTS = {"T": "output, one row a position", "S": "scores, one row a query and one column a key"}


@dataclass(frozen=True, slots=True)
class TableRow:
    """Symbols, what they mean, and their shape."""

    symbols: tuple[Basic, ...]
    meaning: Prose
    shape: tuple[Expr, ...]  # () for sizes and numbers

    @property
    def kind(self) -> str:
        """What a symbol without shape is."""
        return "sizes" if all(symbol.is_integer for symbol in self.symbols) else "number"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a document says first."""

    text: Prose
    rows: tuple[TableRow, ...]
    definitions: tuple[tuple[Basic, Basic], ...]  # left and right sides


def setting_of(derivation: Derivation, layout: Layout) -> Setting:
    """The setting of a derivation in a convention."""
    rows = rows_of(derivation)
    known = {symbol for row in rows for symbol in row.symbols}
    rows += other_rows(derivation, layout, {base_name(symbol) for symbol in known})
    turn = layout.turn
    definitions = tuple((turn(tensor), turn(value)) for tensor, value in stated_definitions(derivation))
    return Setting(opening(derivation, layout), tuple(turned(row, turn) for row in rows), definitions)


def setting_names(derivation: Derivation) -> list[Basic]:
    """Expressions of the setting, whose names may be renamed as well."""
    rows = rows_of(derivation)
    return [piece for row in rows for piece in (*row.symbols, *row.meaning, *row.shape) if isinstance(piece, Basic)]


def turned(row: TableRow, turn: object) -> TableRow:
    """A row in a convention."""
    if not isinstance(turn, Columns) or not any(symbol in turn.activations for symbol in row.symbols):
        return row
    meaning = tuple(piece.replace("row", "column") if isinstance(piece, str) else piece for piece in row.meaning)
    return TableRow(row.symbols, meaning, tuple(reversed(row.shape)))


def opening(derivation: Derivation, layout: Layout) -> Prose:
    """Conventions in words."""
    columns = isinstance(layout.turn, Columns)
    text: list[str | Basic] = []
    if derivation.model is not None:
        text.append(held_fixed(derivation.model))
    if columns:
        text.append("Column convention: each column is a position. ")
    elif activations_of(derivation, layout.leaves):
        text.append("Row convention: each row is a position. ")
    if any(expr.has(Vec, KroneckerProduct) for part in derivation.parts() for expr in (part.start, part.result)):
        n, d = (Symbol(name, integer=True, positive=True) for name in "nd")
        A, X, W = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
        flat = Columns((X,)) if columns else lambda expr: expr
        operator, value = MatMul(KroneckerProduct(A, W), flat(Vec(X))), flat(Vec(MatMul(A, X, Transpose(W))))
        text += [
            f"Operators act on matrices read {'column by column' if columns else 'row by row'}: ",
            operator,
            " = ",
            value,
            ". ",
        ]
    if derivation.model is not None:
        text.append("Positions, heads and blocks count from 0; sums run over the heads of a block.")
    return tuple([*text[:-1], text[-1].rstrip()] if text and isinstance(text[-1], str) else text)


def rows_of(derivation: Derivation) -> list[TableRow]:
    """Letters of the model that is derived."""
    return [] if derivation.model is None else model_rows(derivation.model, scores=derived_from(derivation, "S"))


def model_rows(model: Transformer, *, scores: bool = False) -> list[TableRow]:
    """Letters of a model; those of queries and keys where they are expanded, or scores are asked about."""
    tensors, more = ModelTensors(model), Letters(model, scores=scores)
    words = size_words(model)
    rows = [TableRow(tuple(words), (", ".join(words.values()),), ())] if words else []
    source = "one-hot tokens, one row a position" if model.embedding else "residual input, one row a position"
    rows.append(row_of(tensors.source, source))
    if model.embedding:
        rows.append(row_of(tensors.W_E, "embedding"))
    rows += map(table_row, more.of_positions())
    for index, block in enumerate(tensors.blocks):
        is_attention = isinstance(block, AttentionTensors)
        if not is_attention or not model_spec(model, index).is_polynomial:
            rows += attention_rows(index, block, model) if is_attention else bilinear_rows(index, block)
        rows += map(table_row, more.of_attention(index) if is_attention else more.of_layer(index))
    rows += map(table_row, more.of_norms())
    if model.unembedding:
        rows.append(row_of(tensors.W_U, "unembedding"))
    return [*rows, *map(table_row, more.of_output())]


def table_row(letter: Letter) -> TableRow:
    """A row of the table."""
    return TableRow((letter.symbol,), letter.meaning, letter.shape)


def model_spec(model: Transformer, index: int) -> Block:
    """The specification of a block."""
    return dict(model.numbered())[index]


def size_words(model: Transformer) -> dict[Basic, str]:
    """What the symbolic sizes are."""
    words = {model.n: "positions", model.d: "residual width", model.V: "vocabulary"}
    for _, spec in model.numbered():
        if isinstance(spec, Attention):
            words |= {spec.heads: "number of heads", spec.e: "head width"}
        else:
            words.setdefault(model.hidden_width(spec), "hidden width")
    return {size: word for size, word in words.items() if size in model.symbolic_sizes}


def row_of(tensor: Basic, *meaning: str | Basic) -> TableRow:
    """A tensor with its own shape."""
    return TableRow((tensor,), meaning, array_shape(tensor))


def attention_rows(index: int, block: AttentionTensors, model: Transformer) -> list[TableRow]:
    """Pattern and weights of the heads of a block."""
    spec = dict(model.numbered())[index]
    several = sum(isinstance(other, Attention) for _, other in model.numbered()) > 1
    head, e = index_symbol(f"h_{index}" if several else "h"), spec.e
    label = block.A.name.partition("^")[2]
    W_O, W_V = (MatrixFamily(f"{name}^{label}" if label else name, *block.W_OV.shape) for name in ("W_O", "W_V"))
    pattern, circuit = block.A[head], block.W_OV[head]
    of = ("attention pattern of head ", head, f" of block {index}, which has ", as_expr(spec.heads), " heads")
    rank = (MatMul(W_O[head], W_V[head]), ", of rank at most ", as_expr(e))
    return [TableRow((pattern,), of, tuple(pattern.shape)), TableRow((circuit,), rank, tuple(circuit.shape))]


def as_expr(size: int | Expr) -> Expr | str:
    """A size as a formula, a number as text."""
    return str(size) if isinstance(size, int) else size


def bilinear_rows(index: int, block: BilinearTensors) -> list[TableRow]:
    """Weights and tensor of a bilinear layer."""
    if block.G is not None:
        return gated_rows(index, block)
    tied = block.W_1 == block.W_2
    inputs = (block.W_1,) if tied else (block.W_1, block.W_2)
    words = f"bilinear layer {index}, {'both inputs' if tied else 'left and right input'}"
    rows = [TableRow(inputs, (words,), tuple(block.W_1.shape))]
    i, j, k, p = map(index_symbol, "ijkp")
    if block.W_out is None:
        value = in_order(MatrixElement(block.W_1, i, j), MatrixElement(block.W_2, i, k))
    else:
        rows.append(row_of(block.W_out, f"bilinear layer {index}, output"))
        entries = MatrixElement(block.W_out, i, p), MatrixElement(block.W_1, p, j), MatrixElement(block.W_2, p, k)
        value = IndexSum(in_order(*entries), (p, 0, block.W_1.rows - 1))
    return [*rows, TableRow((ArrayElement(block.B, (i, j, k)),), (value,), array_shape(block.B))]


def gated_rows(index: int, block: BilinearTensors) -> list[TableRow]:
    """Weights and tensor of a layer with gates."""
    i, p, k = map(index_symbol, "ipk")
    rows = [row_of(block.W_2, f"layer {index} with gates, input")]
    if block.W_out is None:
        return [
            *rows,
            TableRow((ArrayElement(block.B, (i, i, k)),), (MatrixElement(block.W_2, i, k), ", else zero"), array_shape(block.B)),
        ]
    rows.append(row_of(block.W_out, f"layer {index} with gates, output"))
    value = in_order(MatrixElement(block.W_out, i, p), MatrixElement(block.W_2, p, k))
    return [*rows, TableRow((ArrayElement(block.B, (i, p, k)),), (value,), array_shape(block.B))]


def in_order(*factors: Expr) -> Expr:
    """A product whose factors keep their order in print."""
    product = Mul(*factors)
    return copied(product, factors) if isinstance(product, Mul) else product


def base_name(symbol: Basic) -> str:
    """The name of a tensor, of an entry its tensor's, of a head its family's."""
    if isinstance(symbol, ArrayElement | MatrixElement):
        symbol = symbol.args[0]
    return str(getattr(getattr(symbol, "family", symbol), "name", symbol))


def derived_names(derivation: Derivation) -> set[Basic]:
    """Tensors that the derivation itself introduces."""
    names = {part.name for part in derivation.parts() if part.name is not None}
    return names | {tensor for name in names for tensor in name.atoms(MatrixSymbol)}


def other_rows(derivation: Derivation, layout: Layout, known: set[str]) -> Iterator[TableRow]:
    """Tensors that a model does not name, with the laws that are stated of them; of a model its streams and output."""
    laws: dict[Basic, list[str]] = {}
    for part in derivation.parts():
        for tensor, stated in part.given:
            laws.setdefault(tensor, []).extend(law.replace("_", " ") for law in stated if isinstance(law, str))
    rest = [leaf for leaf in layout.leaves if isinstance(leaf, TENSORS) and name_of(leaf) not in known]
    rest = sorted(rest, key=lambda leaf: natural(name_of(leaf)))
    streams: list[Basic] = []
    for letters, words in STREAMS.items() if derivation.model is not None else ():
        found = [leaf for leaf in rest if re.fullmatch(f"[{letters}]_[0-9]+", name_of(leaf))]
        if found:
            rows = ", as a column" if found[0].cols == 1 else ", one row a position"
            yield TableRow(tuple(found), (f"{words}{rows}",), array_shape(found[0]))
        streams += found
    for tensor in rest:
        if tensor not in streams:
            words = OUTPUTS.get(name_of(tensor), "") if derivation.model is not None else ""
            is_operator = name_of(tensor) == "T" and words and tensor.shape[0] != derivation.model.n
            yield row_of(
                tensor, "the model as an operator" if is_operator else words or ", ".join(dict.fromkeys(laws.get(tensor, ())))
            )


def natural(name: str) -> list[tuple[int, str]]:
    """Text and numbers of a name in turn, so that x_2 comes before x_10."""
    return [(int(piece), "") if piece.isdigit() else (0, piece) for piece in re.split("([0-9]+)", name)]


def stated_definitions(derivation: Derivation) -> list[tuple[Basic, Basic]]:
    """Definitions of tensors that are neither derived nor those of a model's layers."""
    new = derived_names(derivation)
    layers = set(ModelTensors(derivation.model).definitions) if derivation.model else set()
    found: dict[Basic, Basic] = {}
    for part in derivation.parts():
        for tensor, stated in part.given:
            for value in stated:
                if isinstance(value, Basic) and tensor not in new | layers:
                    found[tensor] = value
    return [as_equation(tensor, value) for tensor, value in found.items()]


def as_equation(tensor: Basic, value: Basic) -> tuple[Basic, Basic]:
    """The two sides of a definition, that of a contraction by entries."""
    entries = in_entries(value) if isinstance(value, Contracted) else None
    left = entry(tensor, entries[1]) if entries is not None else None
    return (left, entries[0]) if left is not None else (tensor, value)


def in_words_order(size: Expr) -> Expr:
    """The size n d in this order, as positions come first in a column."""
    return copied(size, size.args[::-1]) if isinstance(size, Mul) else size
