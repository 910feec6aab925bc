"""The text form of a model, ``[d=64] (attn(4, e=16) bilinear(tied))*3``, as plain data and back.

========================  =============================================================================
``attn(2)``, ``attn(H)``  attention with so many heads; options ``e=16`` (head width), ``no residual``, ``b_Q``, ``b_K``, ``b_V``,
                          ``b_O`` (biases; ``bias``: all), ``linear`` or ``bilinear`` (scores without softmax), ``frozen`` (their
                          patterns), ``no score_scale``, ``output_scale``
``bilinear``              a bilinear layer; options ``m=128``, ``tied``, ``no out``, ``no residual``, ``b_1``, ``b_2``, ``b_out``
                          (``bias``: all), ``relu``, ``silu``, ... (a gated layer)
``attn(2)|bilinear``      in parallel: both read the same stream; ``|`` binds tighter than juxtaposition
``(attn(2) bilinear)*3``  repetition; ``*`` binds tighter than ``|``
``(a|b)[no residual]``    parallel blocks without the residual stream
``[no embed, d=64] ...``  options of the model: sizes n, d, V; ``no embed``, ``no unembed``, ``rms_norm``, ``layer_norm``, ``gains``,
                          ``post_norm``, ``no final_norm``, ``learned``, ``shortformer``, ``rotary``, ``b_U``
========================  =============================================================================

The empty text is the model without blocks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, TypeAlias

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken, VisitError

from symbolic_circuits.axes import Size, size_symbol
from symbolic_circuits.errors import BudgetError, SpecSyntaxError, SymbolicCircuitsError

__all__ = ["ACTIVATIONS", "ATTENTION_BIASES", "BILINEAR_BIASES", "BlockText", "ModelText", "parse", "write"]

MAX_CHARACTERS = 100_000
MAX_BLOCKS = 256  # deeper than any model in use; terms are nested as deep, and Python's stack is not

ACTIVATIONS = ("relu", "silu", "gelu", "gelu_tanh", "sigmoid")
ATTENTION_BIASES = ("b_Q", "b_K", "b_V", "b_O")
BILINEAR_BIASES = ("b_1", "b_2", "b_out")

Value: TypeAlias = Size | bool | str | tuple[str, ...]

GRAMMAR = r"""
model: model_options? item*
model_options: "[" [option ("," option)*] "]"
?item: factor | parallel
parallel: factor ("|" factor)+
factor: primary ("*" INTEGER)?
?primary: attention | bilinear | group
group: "(" item* ")" group_options?
group_options: "[" option ("," option)* "]"
attention: "attn" "(" size ("," option)* ")"
bilinear: "bilinear" | "bilinear(" option ("," option)* ")"
?option: "no" NAME -> switched_off
       | NAME "=" size -> assigned
       | NAME -> switched_on
size: INTEGER | NAME
NAME: /(?!no\b)[A-Za-z][A-Za-z0-9]{0,10}(_[A-Za-z0-9]{1,7})?/
INTEGER: /[0-9]{1,9}/
%ignore /[ \t\r\n]+/
"""

EXPECTED = {
    "ATTN": '"attn(heads)"',
    "BILINEAR": '"bilinear"',
    "__ANON_0": '"bilinear("',
    "LPAR": '"("',
    "RPAR": '")"',
    "LSQB": '"["',
    "RSQB": '"]"',
    "VBAR": '"|"',
    "STAR": '"*"',
    "COMMA": '","',
    "EQUAL": '"="',
    "NO": '"no"',
    "NAME": "a name",
    "INTEGER": "a positive integer",
    "$END": "the end of the text",
}

OPTIONS = {  # kind -> field of the specification -> its words: a size, one word and its negation, or several to choose from
    "model": {
        "n": "n",
        "d": "d",
        "V": "V",
        "embedding": "embed",
        "unembedding": "unembed",
        "norm": {"rms_norm": "rms", "layer_norm": "layer"},
        "gains": "gains",
        "post_norm": "post_norm",
        "final_norm": "final_norm",
        "positions": {name: name for name in ("learned", "shortformer", "rotary")},
        "output_bias": "b_U",
    },
    "attn": {
        "e": "e",
        "residual": "residual",
        "biases": ATTENTION_BIASES,
        "scores": {name: name for name in ("linear", "bilinear")},
        "frozen": "frozen",
        "score_scale": "score_scale",
        "output_scale": "output_scale",
    },
    "bilinear": {
        "m": "m",
        "output": "out",
        "tied": "tied",
        "residual": "residual",
        "biases": BILINEAR_BIASES,
        "gate": {name: name for name in ACTIVATIONS},
    },
    "parallel": {"residual": "residual"},
}
SIZES = frozenset({"n", "d", "V", "e", "m"})
ON_BY_DEFAULT = frozenset({"embed", "unembed", "final_norm", "residual", "score_scale", "out"})


@dataclass(frozen=True, slots=True)
class BlockText:
    """One item of a model: its kind, the fields that it sets, and the members of parallel blocks."""

    kind: str  # "attn", "bilinear" or "parallel"
    fields: dict[str, Value] = field(default_factory=dict)
    members: tuple["BlockText", ...] = ()


@dataclass(frozen=True, slots=True)
class ModelText:
    """A model: the fields that it sets, and its items in order."""

    fields: dict[str, Value] = field(default_factory=dict)
    items: tuple[BlockText, ...] = ()


def parse(text: str) -> ModelText:
    """The plain data of a model text.

    Raises
    ------
    SpecSyntaxError
        The text does not parse: the message has the position and what was expected there.
    BudgetError
        The text, or the model that it spells out, is absurdly long.

    Examples
    --------
    >>> [item.kind for item in parse("attn(2) bilinear").items]
    ['attn', 'bilinear']
    """
    if not isinstance(text, str):
        raise SpecSyntaxError(f"a model text is a str; got {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise BudgetError(f"a model text has at most {MAX_CHARACTERS} characters; this one has {len(text)}")
    try:
        return PARSER.parse(text)
    except (UnexpectedCharacters, UnexpectedToken, UnexpectedEOF) as error:
        found = error  # raised outside, so that tracebacks do not show the parser
    except VisitError as error:
        if isinstance(error.orig_exc, SymbolicCircuitsError):
            raise error.orig_exc from None
        raise
    raise_syntax_error(text, found)


def raise_syntax_error(text: str, error: UnexpectedCharacters | UnexpectedToken | UnexpectedEOF) -> NoReturn:
    """Turn a parser error into position, caret and what was expected."""
    allowed = getattr(error, "accepts", None) or getattr(error, "allowed", None) or getattr(error, "expected", ())
    expected = ", ".join(sorted({EXPECTED.get(str(name), str(name)) for name in allowed}))
    position = error.pos_in_stream if error.pos_in_stream is not None and error.pos_in_stream >= 0 else len(text)
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        position = len(text)
    fail(text, position, f"expected {expected}")


def fail(text: str, position: int, what: str) -> NoReturn:
    """Raise SpecSyntaxError with a caret under ``position``."""
    start = max(0, position - 40)
    shown = "".join(c if c.isprintable() else " " for c in text[start : position + 40])  # nothing that a terminal obeys
    raise SpecSyntaxError(f"cannot read the model text: {what} at character {position}\n  {shown}\n  {' ' * (position - start)}^")


@v_args(inline=True)
class Build(Transformer):
    """Rules of the grammar as functions from their parts to plain data."""

    def size(self, token: Token) -> Size:
        if token.type == "NAME":
            return size_symbol(str(token))
        if int(token) == 0:
            raise SpecSyntaxError(f"sizes are at least 1; got 0 at character {token.start_pos}")
        return int(token)

    def switched_off(self, name: Token) -> tuple[Token, Value]:
        return name, False

    def switched_on(self, name: Token) -> tuple[Token, Value]:
        return name, True

    def assigned(self, name: Token, value: Size) -> tuple[Token, Value]:
        return name, value

    def attention(self, heads: Size, *options: tuple[Token, Value]) -> tuple[BlockText]:
        return (BlockText("attn", {"heads": heads} | read_options("attn", options)),)

    def bilinear(self, *options: tuple[Token, Value]) -> tuple[BlockText]:
        return (BlockText("bilinear", read_options("bilinear", options)),)

    def group(self, *parts: object) -> tuple[BlockText, ...]:
        options = parts[-1] if parts and isinstance(parts[-1], dict) else None
        items = flatten(parts[:-1] if options is not None else parts)
        if options is None:
            return items
        if len(items) != 1 or items[0].kind != "parallel":
            raise SpecSyntaxError("options in [...] after a group apply to parallel blocks only: (attn(2)|bilinear)[no residual]")
        return (BlockText("parallel", items[0].fields | options, items[0].members),)

    def group_options(self, *options: tuple[Token, Value]) -> dict[str, Value]:
        return read_options("parallel", options)

    def model_options(self, *options: tuple[Token, Value] | None) -> dict[str, Value]:
        return read_options("model", tuple(option for option in options if option is not None))

    def factor(self, items: tuple[BlockText, ...], times: Token | None = None) -> tuple[BlockText, ...]:
        return repeat(items, 1 if times is None else int(times))

    def parallel(self, *factors: tuple[BlockText, ...]) -> tuple[BlockText]:
        for items in factors:
            if len(items) != 1 or items[0].kind == "parallel":
                raise SpecSyntaxError(
                    f"each side of | is a single block; got {len(items)} blocks"
                    if len(items) != 1
                    else "each side of | is a single block; got parallel blocks: write a|b|c without parentheses"
                )
        return (BlockText("parallel", {}, flatten(factors)),)

    def model(self, *parts: object) -> ModelText:
        options = parts[0] if parts and isinstance(parts[0], dict) else None
        return ModelText(options or {}, flatten(parts[1:] if options is not None else parts))


def repeat(items: tuple[BlockText, ...], times: int) -> tuple[BlockText, ...]:
    """Items one after the other, so many times."""
    if times == 0:
        raise SpecSyntaxError("a repetition *k needs k of at least 1; got 0")
    if len(items) * times > MAX_BLOCKS:
        raise BudgetError(f"a model has at most {MAX_BLOCKS} blocks; the text repeats {len(items)} of them {times} times")
    return items * times


def flatten(parts: tuple[object, ...]) -> tuple[BlockText, ...]:
    """Tuples of items joined."""
    return tuple(item for part in parts for item in part)


def read_options(kind: str, options: tuple[tuple[Token, Value], ...]) -> dict[str, Value]:
    """Options of one kind of item as fields, or an error that says which there are."""
    read: dict[str, Value] = {}
    words: dict[str, list[str]] = {}
    for name, value in options:
        field_name, meaning = meaning_of(kind, name, value)
        joins = field_name == "biases" and isinstance(meaning, tuple) and isinstance(read.get(field_name, ()), tuple)
        if field_name in read and not (joins and not set(meaning) & set(read[field_name])):
            raise_conflict(kind, name, words[field_name])
        read[field_name] = read.get(field_name, ()) + meaning if joins else meaning
        words.setdefault(field_name, []).append(str(name))
    return read


def raise_conflict(kind: str, name: Token, earlier: list[str]) -> NoReturn:
    """Raise SpecSyntaxError for an option that says again, or otherwise, what earlier ones say."""
    if str(name) in earlier:
        raise SpecSyntaxError(f"the option {str(name)!r} of {kind} is given twice, again at character {name.start_pos}")
    before = " and ".join(map(repr, earlier))
    raise SpecSyntaxError(f"the option {str(name)!r} of {kind} at character {name.start_pos} cannot stand beside {before}")


def meaning_of(kind: str, name: Token, value: Value) -> tuple[str, Value]:
    """The field that an option sets, and to what."""
    is_size = not isinstance(value, bool)
    for field_name, words in OPTIONS[kind].items():
        if field_name == "biases":
            if value is True and name in (*words, "bias"):
                return field_name, name == "bias" or (str(name),)
        elif isinstance(words, dict):
            if value is True and name in words:
                return field_name, words[name]
        elif name == words and is_size == (name in SIZES):
            return field_name, value
    raise SpecSyntaxError(
        f"{kind} has no option {str(name)!r} of that form at character {name.start_pos}; it has {', '.join(offered(kind))}"
    )


def offered(kind: str) -> Iterator[str]:
    """The options of one kind of item, as they are written."""
    for field_name, words in OPTIONS[kind].items():
        if field_name == "biases":
            yield from ("bias", *words)
        elif isinstance(words, dict):
            yield from words
        else:
            yield f"{words}=..." if words in SIZES else (f"no {words}" if words in ON_BY_DEFAULT else words)


PARSER = Lark(GRAMMAR, start="model", parser="lalr", lexer="contextual", transformer=Build(), propagate_positions=False)


def write(model: ModelText) -> str:
    """The shortest text of this form: defaults left out, repetitions as ``*k``.

    >>> write(parse("attn(2) bilinear attn(2) bilinear"))
    '(attn(2) bilinear)*2'
    """
    options = write_options("model", model.fields)
    words = compress([write_item(item) for item in model.items])
    return " ".join(([f"[{options}]"] if options else []) + words)


def write_item(item: BlockText) -> str:
    """One item."""
    options = write_options(item.kind, item.fields)
    if item.kind == "parallel":
        text = "|".join(map(write_item, item.members))
        return f"({text})[{options}]" if options else text
    if item.kind == "attn":
        return f"attn({item.fields['heads']}{', ' if options else ''}{options})"
    return f"bilinear({options})" if options else "bilinear"


def write_options(kind: str, values: dict[str, Value]) -> str:
    """The fields that are set, in the order of the grammar's table."""
    return ", ".join(part for name in OPTIONS[kind] if name in values for part in written(kind, name, values[name]))


def written(kind: str, name: str, value: Value) -> tuple[str, ...]:
    """One field as options."""
    words = OPTIONS[kind][name]
    if name == "biases":
        return ("bias",) if value in (True, words) else value
    if isinstance(words, dict):
        return (next(word for word, meaning in words.items() if meaning == value),)
    if words in SIZES:
        return (f"{words}={value}",)
    return (words if value else f"no {words}",)


def compress(words: list[str]) -> list[str]:
    """Adjacent repetitions as ``word*k`` or ``(word word)*k``, shortest period first, left to right."""
    out, start = [], 0
    while start < len(words):
        period, times = best_repetition(words, start)
        body = words[start : start + period]
        if times > 1:
            single = len(body) == 1 and "|" not in body[0] and not body[0].endswith("]")
            out.append(f"{body[0]}*{times}" if single else f"({' '.join(body)})*{times}")
        else:
            out.append(body[0])
        start += period * times
    return out


def best_repetition(words: list[str], start: int) -> tuple[int, int]:
    """(period, times) that covers most words from ``start``; (1, 1) where nothing repeats."""
    best = (1, 1)
    for period in range(1, min((len(words) - start) // 2, 64) + 1):
        block, times = words[start : start + period], 1
        while words[start + times * period : start + (times + 1) * period] == block:
            times += 1
        if times > 1 and period * times > best[0] * best[1]:
            best = (period, times)
    return best
