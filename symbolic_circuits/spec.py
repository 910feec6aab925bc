"""A model is a sequence of steps X -> X + sum of its blocks at X, between an embedding W_E and an unembedding W_U.

| letter | meaning | shape |
| --- | --- | --- |
| n, d, V | positions, residual width, vocabulary | sizes |
| H, e | heads of an attention block, width of a head | sizes |
| m | hidden width of a bilinear layer | size |

A step is one block, or several in parallel that read the same X. Blocks are numbered from 0 in reading order, blocks in
parallel included, so that ``attn.0`` and ``bilinear.1`` name one block each.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple, Self, TypeAlias

import sympy

from symbolic_circuits import spec_text
from symbolic_circuits.axes import Size, as_size, size_symbol, substitute_size
from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.spec_text import MAX_BLOCKS, BlockText, ModelText

E, N, D, VOCABULARY, M = map(size_symbol, ("e", "n", "d", "V", "m"))

__all__ = ["Attention", "Bilinear", "Block", "NumberedBlock", "Parallel", "Step", "Transformer"]


@dataclass(frozen=True, slots=True)
class Attention:
    """H attention heads: ``X -> sum_h A^h X (W_OV^h)^T``.

    >>> Attention(heads=2)
    Attention(heads=2, e=e, residual=True)
    """

    heads: Size = 1  # H
    e: Size = E  # width of a head
    residual: bool = True  # whether X itself is kept: X + heads(X)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", as_size(self.heads, "the number of heads of an attention block"))
        object.__setattr__(self, "e", as_size(self.e, "the head width e"))
        require_flags(self, "residual")


@dataclass(frozen=True, slots=True)
class Bilinear:
    """A bilinear layer, per position ``x -> W_out((W_1 x) . (W_2 x))``.

    Without output matrix W_out is the identity and m = d. Tied weights mean W_1 = W_2, so that B_{ijk} = B_{ikj}.

    >>> Bilinear(m=128, tied=True)
    Bilinear(m=128, output=True, tied=True, residual=True)
    """

    m: Size | None = None  # hidden width; None: the symbol m, or d without output matrix
    output: bool = True  # whether there is a W_out
    tied: bool = False  # whether W_1 = W_2
    residual: bool = True  # whether X itself is kept

    def __post_init__(self) -> None:
        if self.m is not None:
            object.__setattr__(self, "m", as_size(self.m, "the hidden width m"))
        if self.m == M and self.output:
            object.__setattr__(self, "m", None)  # one spelling of the default, so that equal models are equal
        require_flags(self, "output", "tied", "residual")


Block: TypeAlias = Attention | Bilinear


@dataclass(frozen=True, slots=True)
class Parallel:
    """Blocks that read the same stream: ``X -> X + sum_b b(X)``. The step keeps or drops the residual, not its blocks.

    >>> Parallel((Attention(2), Bilinear())).residual
    True
    """

    blocks: tuple[Block, ...]
    residual: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", as_blocks(self.blocks, "Parallel"))
        require_flags(self, "residual")
        if len(self.blocks) < 2:
            raise SpecError(f"parallel blocks are at least two; got {len(self.blocks)}")
        for block in self.blocks:
            if not isinstance(block, Attention | Bilinear):
                raise SpecError(f"parallel blocks are Attention or Bilinear; got {type(block).__name__}")
            if not block.residual:
                raise SpecError(f"a block in parallel has no residual of its own: drop it on Parallel, not on {block}")


class NumberedBlock(NamedTuple):
    """A block with its number in reading order."""

    index: int
    spec: Block


class Step(NamedTuple):
    """One update of the residual stream: the blocks that read it, and whether it is kept."""

    residual: bool
    blocks: tuple[NumberedBlock, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Transformer:
    """A transformer of attention heads and bilinear layers; frozen, validated and hashable.

    Parameters
    ----------
    blocks : sequence of Attention, Bilinear or Parallel, in the order in which they are applied
    n, d, V : sizes: positions, residual width, vocabulary; symbols unless given
    embedding : whether X_0 = t W_E^T for one-hot tokens t (n x V); otherwise X_0 = X (n x d) is the input
    unembedding : whether the output is X_L W_U^T (n x V); otherwise it is X_L (n x d)

    Raises
    ------
    SpecError
        An empty or contradictory specification.

    Examples
    --------
    >>> model = Transformer([Attention(heads=2), Bilinear()])
    >>> model == Transformer.parse("attn(2) bilinear")
    True
    >>> str(Transformer([Attention(4), Bilinear()] * 3, d=64))
    '[d=64] (attn(4) bilinear)*3'
    """

    blocks: tuple[Block | Parallel, ...] = ()
    n: Size = N
    d: Size = D
    V: Size = VOCABULARY
    embedding: bool = True
    unembedding: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", as_blocks(self.blocks, "a model"))
        for letter, meaning in (("n", "positions"), ("d", "residual width"), ("V", "vocabulary")):
            object.__setattr__(self, letter, as_size(getattr(self, letter), f"{letter} ({meaning})"))
        require_flags(self, "embedding", "unembedding")
        require_blocks(self.blocks)
        if not (self.embedding or self.unembedding) and size_symbol("V") != self.V:
            raise SpecError(f"a vocabulary V={self.V} is given, but the model has neither embedding nor unembedding")
        for block in self.numbered():
            require_hidden_width(block, self.d)
        object.__setattr__(self, "blocks", tuple(normal(block, self.d) for block in self.blocks))

    @classmethod
    def parse(cls, text: str) -> Self:
        """The model that ``text`` describes; see :mod:`symbolic_circuits.spec_text` for the grammar.

        >>> Transformer.parse("(attn(4) bilinear)*3").number_of_blocks
        6
        """
        parsed = spec_text.parse(text)
        return cls(tuple(map(from_block_text, parsed.items)), **parsed.fields)

    def __str__(self) -> str:
        fields_set = written(self, "n", "d", "V", "embedding", "unembedding")
        return spec_text.write(ModelText(fields_set, tuple(map(to_block_text, self.blocks))))

    def __repr__(self) -> str:
        return f"Transformer.parse({str(self)!r})"

    @property
    def steps(self) -> tuple[Step, ...]:
        """The updates of the residual stream, their blocks numbered from 0 in reading order."""
        steps, index = [], 0
        for item in self.blocks:
            leaves = item.blocks if isinstance(item, Parallel) else (item,)
            steps.append(Step(item.residual, tuple(NumberedBlock(index + k, leaf) for k, leaf in enumerate(leaves))))
            index += len(leaves)
        return tuple(steps)

    def numbered(self) -> Iterator[NumberedBlock]:
        """Every block with its number."""
        return (block for step in self.steps for block in step.blocks)

    @property
    def number_of_blocks(self) -> int:
        """Attention blocks and bilinear layers, those in parallel counted one by one."""
        return sum(len(step.blocks) for step in self.steps)

    def hidden_width(self, block: Bilinear) -> Size:
        """m of a bilinear layer of this model: as given, else d without output matrix, else the symbol m."""
        if block.m is not None:
            return block.m
        return M if block.output else self.d

    @property
    def symbolic_sizes(self) -> tuple[sympy.Symbol, ...]:
        """The size symbols that occur, by name."""
        sizes = [self.n, self.d]
        if self.embedding or self.unembedding:
            sizes.append(self.V)
        for _, block in self.numbered():
            sizes += [block.heads, block.e] if isinstance(block, Attention) else [self.hidden_width(block)]
        return tuple(sorted({size for size in sizes if isinstance(size, sympy.Symbol)}, key=str))

    @property
    def has_symbolic_heads(self) -> bool:
        """Whether the number of heads of some attention block is a symbol."""
        return any(isinstance(b, Attention) and isinstance(b.heads, sympy.Symbol) for _, b in self.numbered())

    def subs(self, sizes: Mapping[str | sympy.Symbol, int | sympy.Symbol]) -> Self:
        """The model with size symbols replaced, by name or symbol.

        >>> str(Transformer.parse("attn(H)").subs({"H": 3}))
        'attn(3)'
        """
        values = {size_symbol(str(key)): as_size(value, str(key)) for key, value in sizes.items()}
        unknown = [str(key) for key in values if key not in self.symbolic_sizes]
        if unknown:
            have = ", ".join(map(str, self.symbolic_sizes)) or "none"
            raise SpecError(f"the model {str(self)!r} has no size symbol {', '.join(unknown)}; it has {have}")
        changed = {letter: substitute_size(getattr(self, letter), values) for letter in ("n", "d", "V")}
        return replace(self, blocks=tuple(substitute(item, values) for item in self.blocks), **changed)


def substitute(item: Block | Parallel, values: Mapping[sympy.Symbol, Size]) -> Block | Parallel:
    """A block with its size symbols replaced."""
    if isinstance(item, Parallel):
        return replace(item, blocks=tuple(substitute(block, values) for block in item.blocks))
    if isinstance(item, Attention):
        return replace(item, heads=substitute_size(item.heads, values), e=substitute_size(item.e, values))
    if item.m is None and item.output:
        return replace(item, m=values.get(M))
    return replace(item, m=item.m if item.m is None else substitute_size(item.m, values))


def as_blocks(blocks: object, owner: str) -> tuple:
    """Blocks given in a sequence."""
    if isinstance(blocks, str) or not isinstance(blocks, Iterable):
        raise SpecError(f"the blocks of {owner} are given in a sequence; got {type(blocks).__name__}")
    return tuple(blocks)


def normal(item: Block | Parallel, d: Size) -> Block | Parallel:
    """One spelling of a layer without output matrix, whose hidden width d need not be said."""
    if isinstance(item, Parallel):
        return replace(item, blocks=tuple(normal(block, d) for block in item.blocks))
    return replace(item, m=None) if isinstance(item, Bilinear) and not item.output else item


def require_flags(item: object, *names: str) -> None:
    """Raise SpecError unless the named fields are booleans."""
    for name in names:
        if not isinstance(getattr(item, name), bool):
            raise SpecError(f"{name} of {type(item).__name__} is True or False; got {getattr(item, name)!r}")


def require_blocks(blocks: Iterable[object]) -> None:
    """Raise unless every block is a block, and there are not absurdly many."""
    count = 0
    for block in blocks:
        if not isinstance(block, Attention | Bilinear | Parallel):
            raise SpecError(f"a model is made of Attention, Bilinear and Parallel; got {type(block).__name__}: {block!r}")
        count += len(block.blocks) if isinstance(block, Parallel) else 1
    if count > MAX_BLOCKS:
        raise BudgetError(f"a model has at most {MAX_BLOCKS} blocks; this one has {count}")


def require_hidden_width(block: NumberedBlock, d: Size) -> None:
    """Without W_out the hidden width is the residual width."""
    spec = block.spec
    if isinstance(spec, Bilinear) and not spec.output and spec.m not in (None, d):
        raise SpecError(
            f"bilinear.{block.index} has no output matrix, so its hidden width m must equal d; got m={spec.m} and d={d}"
        )


def written(item: Block | Parallel | Transformer, *names: str, always: tuple[str, ...] = ()) -> dict[str, object]:
    """The named fields of a spec that differ from their defaults."""
    defaults = {field.name: field.default for field in fields(item)}
    return {name: getattr(item, name) for name in names if name in always or getattr(item, name) != defaults[name]}


def to_block_text(item: Block | Parallel) -> BlockText:
    """An item of a model as plain data of the text form."""
    if isinstance(item, Parallel):
        return BlockText("parallel", written(item, "residual"), tuple(map(to_block_text, item.blocks)))
    if isinstance(item, Attention):
        return BlockText("attn", written(item, "heads", "e", "residual", always=("heads",)))
    return BlockText("bilinear", written(item, "m", "output", "tied", "residual"))


def from_block_text(item: BlockText) -> Block | Parallel:
    """An item of a model from plain data of the text form."""
    if item.kind == "parallel":
        return Parallel(tuple(map(from_block_text, item.members)), **item.fields)
    return {"attn": Attention, "bilinear": Bilinear}[item.kind](**item.fields)
