r"""Writing a term in a notation: fold the term, apply the unembedding, multiply by the coefficient, sum over its head symbols.

A term of path classes has heads without number. Each of its occurrences becomes a head symbol of its own, h, g, ... (h_l,
g_l, ... with several attention blocks), and the term a sum over all of them.
"""

from abc import abstractmethod
from itertools import chain, count, islice
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from sympy import Expr, MatrixSymbol, S, Symbol

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra, applied
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, HeadTensors, ModelTensors
from symbolic_circuits.spec import Attention

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["Notation", "fresh_index", "index_symbol"]

T = TypeVar("T")

HEAD_LETTERS = "hgf"
MAX_NODES = 5000


def index_symbol(name: str) -> Symbol:
    """A symbol for positions, heads and other things counted from 0."""
    return Symbol(name, integer=True, nonnegative=True)


def fresh_index(letters: str, number: int, taken: set[str]) -> Symbol:
    """Index symbol ``number`` of the sequence letters[0], letters[1], ..., letters[0]_1, letters[0]_2, ... without the taken."""
    names = (name for name in chain(letters, (f"{letters[0]}_{k}" for k in count(1))) if name not in taken)
    return index_symbol(next(islice(names, number, None)))


class Notation(Algebra[T], Generic[T]):
    """An algebra whose values become SymPy expressions; one instance writes any number of terms."""

    name: ClassVar[str]

    def __init__(self, tensors: ModelTensors) -> None:
        self.tensors, self.model = tensors, tensors.model
        attention = [index for index, spec in self.model.numbered() if isinstance(spec, Attention)]
        self.several_attention_blocks = len(attention) > 1
        self.size_names = {symbol.name for symbol in self.model.symbolic_sizes}
        self.head_symbols: list[tuple[int, Symbol, Expr]] = []  # of the term being written: block, symbol, number of heads

    @abstractmethod
    def output(self, value: T) -> Expr:
        """The expression of a value of the residual stream, the unembedding applied."""

    @abstractmethod
    def scores_output(self, value: T) -> Expr:
        """The expression of a value of scores."""

    @abstractmethod
    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        """The sum of an expression over head symbols."""

    def scaled(self, coefficient: int, expr: Expr) -> Expr:
        """An integer multiple of an expression, nothing else evaluated."""
        return coefficient * expr

    @abstractmethod
    def total(self, summands: list[Expr]) -> Expr:
        """The sum of one or more terms' expressions."""

    def write(self, term: "Term") -> Expr:
        """The expression of a term (or of a path class), with its coefficient."""
        if term.nodes > MAX_NODES:
            raise BudgetError(f"an expression of a term of {term.nodes:,} nodes was asked for; the limit is {MAX_NODES:,}")
        self.head_symbols = []
        value = self.tree_value(term)
        value = self.scores_output(value) if term.component.kind == "scores" else self.output(value)
        latest_first = sorted(self.head_symbols, key=lambda found: -found[0])
        limits = [(symbol, 0, heads - 1) for _, symbol, heads in latest_first]
        value = self.sum_over_heads(value, limits) if limits else value
        return value if term.coefficient == 1 else self.scaled(term.coefficient, value)

    def tree_value(self, term: "Term") -> T:
        """The value of a term, every occurrence of a subterm with indices and head symbols of its own."""
        component, inputs = term
        values = [self.tree_value(x) for x in inputs]
        if component.kind == "attn":
            return self.head(component, values[0]) if len(values) == 1 else self.attention(component, values)
        return applied(component, values, self)

    def head_tensors(self, component: Component) -> HeadTensors:
        """A^h, W_OV^h and the others of a head, or of a new head symbol for any head."""
        block: AttentionTensors = self.tensors.block(component.layer)
        head = component.head
        if head is None:
            head = self.new_head_symbol(component.layer)
            self.head_symbols.append((component.layer, head, block.A.shape[0]))
        return block.at(head)

    def own_bias(self, component: Component) -> tuple[Expr, MatrixSymbol]:
        """What a bias is multiplied by, and the bias: b_O, b_out, or that of a norm."""
        if component.kind == "normbias":
            return S.One, self.tensors.norm(component.layer).b
        scale, bias = self.tensors.own_bias(component.layer)
        return S.One if scale is None else scale, bias

    def new_head_symbol(self, layer: int) -> Symbol:
        """The next symbol for a head of a block."""
        suffix = f"_{layer}" if self.several_attention_blocks else ""
        taken = self.size_names | {symbol.name for _, symbol, _ in self.head_symbols}
        letters = chain(HEAD_LETTERS, (f"h{k}" for k in count(1)))
        return index_symbol(next(letter + suffix for letter in letters if letter + suffix not in taken))

    def layer(self, component: Component) -> BilinearTensors:
        """The tensors of a bilinear layer."""
        return self.tensors.block(component.layer)

    def add(self, values: list[T]) -> T:
        raise NotImplementedError("terms are written one by one")
