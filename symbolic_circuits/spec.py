"""A model is a sequence of steps X -> X + sum of its blocks at X, between an embedding W_E and an unembedding W_U.

| letter | meaning | shape |
| --- | --- | --- |
| n, d, V | positions, residual width, vocabulary | sizes |
| H, e | heads of an attention block, width of a head | sizes |
| m | hidden width of a bilinear layer | size |

A step is one block, or several in parallel that read the same X. Blocks are numbered from 0 in reading order, blocks in
parallel included, so that ``attn.0`` and ``bilinear.1`` name one block each. What trained models have beside that is switched on:
biases, norms, positions, scales, gates, and attention without softmax.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import NamedTuple, Self, TypeAlias

import sympy

from symbolic_circuits import spec_text
from symbolic_circuits.axes import Size, as_size, size_symbol, substitute_size
from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.spec_text import ACTIVATIONS, ATTENTION_BIASES, BILINEAR_BIASES, MAX_BLOCKS, BlockText, ModelText

E, N, D, VOCABULARY, M = map(size_symbol, ("e", "n", "d", "V", "m"))

__all__ = ["Attention", "Bilinear", "Block", "NumberedBlock", "Parallel", "Step", "Transformer"]


SCORES = ("softmax", "linear", "bilinear")
NORMS = ("rms", "layer")
POSITIONS = ("learned", "shortformer", "rotary")


class Brief:
    """The fields that differ from their defaults, as a repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if getattr(self, f.name) != f.default)
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, slots=True, repr=False)
class Attention(Brief):
    """H attention heads: ``X -> sum_h A^h X (W_OV^h)^T``, where A is held fixed unless the scores are a polynomial.

    | scores | A_{st}, where t comes no later than s (0 otherwise) |
    | --- | --- |
    | softmax | softmax over t of q_s . k_t / sqrt(e) |
    | linear | q_s . k_t / sqrt(e) |
    | bilinear | (q1_s . k1_t) (q2_s . k2_t) / e |

    >>> Attention(heads=2, biases=("b_V",))
    Attention(heads=2, biases=('b_V',))
    """

    heads: Size = 1  # H
    e: Size = E  # width of a head
    residual: bool = True  # whether X itself is kept: X + heads(X)
    biases: tuple[str, ...] = ()  # of b_Q, b_K, b_V, b_O; True: all of them
    scores: str = "softmax"
    frozen: bool = False  # whether the patterns of polynomial scores are held fixed too
    score_scale: bool = True  # whether products of queries and keys are divided by sqrt(e)
    output_scale: bool = False  # whether the heads' sum is multiplied by a number s: X + s heads(X)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", as_size(self.heads, "the number of heads of an attention block"))
        object.__setattr__(self, "e", as_size(self.e, "the head width e"))
        object.__setattr__(self, "biases", as_biases(self.biases, ATTENTION_BIASES, "an attention block"))
        require_choice(self, "scores", SCORES)
        require_flags(self, "residual", "frozen", "score_scale", "output_scale")
        if self.frozen and self.scores == "softmax":
            raise SpecError("patterns of softmax attention are held fixed anyway: frozen=True is for linear and bilinear scores")

    @property
    def is_polynomial(self) -> bool:
        """Whether the patterns are expanded too, so that a head is a polynomial of its queries, keys and values."""
        return self.scores != "softmax" and not self.frozen


@dataclass(frozen=True, slots=True, repr=False)
class Bilinear(Brief):
    """A bilinear layer, per position ``x -> W_out((W_1 x + b_1) . (W_2 x + b_2)) + b_out``; or with a gate instead of W_1 x + b_1.

    Without output matrix W_out is the identity and m = d. Tied weights mean W_1 = W_2, so that B_{ijk} = B_{ikj}. With an activation
    as ``gate`` (SwiGLU, ReGLU) the layer is ``W_out(gate(W_1 x + b_1) . (W_2 x + b_2)) + b_out``: linear in x where its gates are held
    fixed.

    >>> Bilinear(m=128, tied=True)
    Bilinear(m=128, tied=True)
    """

    m: Size | None = None  # hidden width; None: the symbol m, or d without output matrix
    output: bool = True  # whether there is a W_out
    tied: bool = False  # whether W_1 = W_2 (and b_1 = b_2)
    residual: bool = True  # whether X itself is kept
    biases: tuple[str, ...] = ()  # of b_1, b_2, b_out; True: all of them
    gate: str | None = None  # an activation

    def __post_init__(self) -> None:
        if self.m is not None:
            object.__setattr__(self, "m", as_size(self.m, "the hidden width m"))
        if self.m == M and self.output:
            object.__setattr__(self, "m", None)  # one spelling of the default, so that equal models are equal
        if self.biases is True and self.tied:
            object.__setattr__(self, "biases", ("b_1", "b_out"))
        object.__setattr__(self, "biases", as_biases(self.biases, BILINEAR_BIASES, "a bilinear layer"))
        require_flags(self, "output", "tied", "residual")
        if self.gate is not None:
            require_choice(self, "gate", ACTIVATIONS)
        if self.gate is not None and self.tied:
            raise SpecError(f"a layer with the gate {self.gate} tells its two sides apart, so that they cannot be tied")
        if self.tied and "b_2" in self.biases:
            raise SpecError("tied weights have one bias inside, b_1, for both sides; got b_2")


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


@dataclass(frozen=True, repr=False)  # without slots: steps are made once
class Transformer:
    """A transformer of attention heads and bilinear layers; frozen, validated and hashable.

    Parameters
    ----------
    blocks : sequence of Attention, Bilinear or Parallel, in the order in which they are applied
    n, d, V : sizes: positions, residual width, vocabulary; symbols unless given
    embedding : whether X_0 = t W_E^T for one-hot tokens t (n x V); otherwise X_0 = X (n x d) is the input
    unembedding : whether the output is X_L W_U^T (n x V); otherwise it is X_L (n x d)
    norm : "rms" or "layer": every block reads a norm of X, and so does the output (``final_norm``)
    gains : whether norms have weights w (d), and those of "layer" biases b (d)
    post_norm : whether steps are X -> norm(X + blocks(X)) instead; the output then has no norm of its own
    positions : "learned" (W_pos is added to X_0), "shortformer" (W_pos is added to what queries and keys read), or "rotary"
    output_bias : whether the output has a bias b_U (V)

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
    norm: str | None = None
    gains: bool = False
    post_norm: bool = False
    final_norm: bool = True
    positions: str | None = None
    output_bias: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", as_blocks(self.blocks, "a model"))
        for letter, meaning in (("n", "positions"), ("d", "residual width"), ("V", "vocabulary")):
            object.__setattr__(self, letter, as_size(getattr(self, letter), f"{letter} ({meaning})"))
        require_flags(self, "embedding", "unembedding", "gains", "post_norm", "final_norm", "output_bias")
        require_blocks(self.blocks)
        require_norms(self)
        if self.positions is not None:
            require_choice(self, "positions", POSITIONS)
        if self.output_bias and not self.unembedding:
            raise SpecError("a model without unembedding has no output bias b_U")
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
        fields_set = written(self, *(field.name for field in fields(self) if field.name != "blocks"))
        return spec_text.write(ModelText(fields_set, tuple(map(to_block_text, self.blocks))))

    def __repr__(self) -> str:
        return f"Transformer.parse({str(self)!r})"

    @cached_property
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

    @property
    def has_final_norm(self) -> bool:
        """Whether the output reads a norm of the last stream; its number is the number of blocks."""
        return self.norm is not None and self.final_norm and not self.post_norm

    @property
    def has_constant(self) -> bool:
        """Whether something reads a constant beside the stream: a bias other than b_O and b_out."""
        inner = any(name not in ("b_O", "b_out") for _, spec in self.numbered() for name in spec.biases)
        return inner or self.output_bias

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


def require_choice(item: object, name: str, choices: Iterable[str]) -> None:
    """Raise SpecError unless the named field is one of several words."""
    if getattr(item, name) not in choices:
        raise SpecError(f"{name} of {type(item).__name__} is one of {', '.join(choices)}; got {getattr(item, name)!r}")


def require_norms(model: "Transformer") -> None:
    """Raise SpecError where something is said of norms that the model does not have."""
    if model.norm is not None:
        require_choice(model, "norm", NORMS)
    said = [
        name
        for name, value in (("gains", model.gains), ("post_norm", model.post_norm), ("final_norm", not model.final_norm))
        if value
    ]
    if said and model.norm is None:
        raise SpecError(f"{said[0]} is said of norms, but the model has none: give norm='rms' or norm='layer'")
    if model.post_norm and not model.final_norm:
        raise SpecError("with norms after each step (post_norm) the output has none of its own, so that final_norm says nothing")


def as_biases(given: object, known: tuple[str, ...], owner: str) -> tuple[str, ...]:
    """Names of biases, in one order; True stands for all."""
    if given is True:
        return known
    if not isinstance(given, Iterable | None | bool):
        raise SpecError(f"biases of {owner} are names in a sequence, or True for all of them; got {given!r}")
    names = (given,) if isinstance(given, str) else tuple(given or ())
    wrong = [name for name in names if name not in known]
    if wrong:
        raise SpecError(f"{owner} has biases {', '.join(known)}; got {wrong[0]!r}")
    return tuple(name for name in known if name in names)


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
        names = (field.name for field in fields(item))
        return BlockText("attn", written(item, *names, always=("heads",)))
    return BlockText("bilinear", written(item, *(field.name for field in fields(item))))


def from_block_text(item: BlockText) -> Block | Parallel:
    """An item of a model from plain data of the text form."""
    if item.kind == "parallel":
        return Parallel(tuple(map(from_block_text, item.members)), **item.fields)
    return {"attn": Attention, "bilinear": Bilinear}[item.kind](**item.fields)
