"""What commands share: reading a model, its weights, tokens and numbers; tables; numbers of any size in JSON, CSV and tables."""

import math
import re
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
from rich.box import SIMPLE
from rich.cells import cell_len
from rich.table import Table

from symbolic_circuits.cli.inert import inert
from symbolic_circuits.cli.terminal import cell, console, headed
from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import SpecError, TermError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.scores import scores
from symbolic_circuits.numeric.checking import AGREES, DIFFERS, UNDECIDED
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Transformer

__all__ = [
    "EXIT_CODES",
    "RANDOM_POSITIONS",
    "input_options",
    "notation_option",
    "notation_or_usual",
    "read_expansion",
    "read_integers",
    "read_number",
    "read_tokens",
    "read_weights",
    "scores_option",
    "signed",
    "table",
    "without_nan",
    "written_out",
]

EXIT_CODES = {AGREES: 0, DIFFERS: 1, UNDECIDED: 3}
RANDOM_POSITIONS = 5
RANDOM_WIDTH = 16
MAX_DIGITS = 4000
MAX_BITS = 13_000  # of integers that are written with all their digits: Python writes 4,300
PADDING = 3  # characters between two columns of a table
NUMBER_WIDTH = 24  # of columns that are not folded
FOLDED_WIDTH = 24  # that others keep at least
LARGE = 1e7  # from here on a number of a table has an exponent


def input_options(command: Callable) -> Callable:
    """Add --weights, --tokens and --seed to a command."""
    options = [
        click.option(
            "--weights",
            "path",
            type=click.Path(path_type=Path),
            help="An .npz or .safetensors file; else the example, or random weights.",
        ),
        click.option("--tokens", help='Token numbers, such as "3 4 31"; random ones by default.'),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of random weights and tokens."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


scores_option = click.option(
    "--scores", metavar="LAYER[HEAD]", help="The scores of a head, such as 1[0], instead of the output: pairs of terms."
)
HEAD = re.compile(r"([0-9]{1,6})\[([0-9]{1,6})\]")


def read_expansion(model: Transformer | str, head: str | None) -> PathExpansion:
    """The expansion of the output of a model; or of the scores of a head, written ``1[0]``."""
    if head is None:
        return path_expansion(model)
    found = HEAD.fullmatch(head)
    if found is None:
        raise TermError(f"--scores names a head by its block and number, such as 1[0]; got {head[:40]!r}")
    return scores(model, int(found[1]), int(found[2]))


notation_option = click.option(
    "--notation", help="operator, matrix, index or tensor; by default operator, and index where keys are rotated."
)


def notation_or_usual(notation: str | None, expansion: PathExpansion) -> str:
    """A notation as given; else operator notation, or index notation where that has no products of rotated queries and keys."""
    if notation is not None:
        return notation
    model, attention = expansion.model, (spec for _, spec in expansion.model.numbered() if isinstance(spec, Attention))
    products = expansion.grammar.root is not None or any(spec.is_polynomial for spec in attention)
    return "index" if model.positions == "rotary" and products else "operator"


def read_weights(model: str | None, path: Path | None, seed: int) -> tuple[Weights, str]:
    """Weights of a file, of the example, or random ones; and words for which."""
    if path is not None:
        return Weights.load(path, model=model), f"the weights of {inert(path.name)}"
    if model is None:
        return Weights.example(), "the trained example, addition modulo 31"
    parsed = Transformer.parse(model)
    if parsed.has_symbolic_heads:
        raise SpecError(f"the number of heads of {model!r} is a symbol: weights and checks need a number")
    path_expansion(parsed)  # an error where the model is too large to be expanded
    extra = {str(size): 3 for size in parsed.symbolic_sizes if str(size) not in ("n", "d", "V", "e", "m")}
    return Weights.random(parsed, sizes=extra, seed=seed), f"random weights, seed {seed}"


def read_tokens(text: str | None, weights: Weights, seed: int) -> np.ndarray:
    """Tokens as written, ``"3 4 31"``; random ones (or a random residual input) by default."""
    model = weights.model
    if text is None:
        generator = np.random.default_rng(seed)
        n = weights.sizes.get(model.n, model.n)
        n = n if isinstance(n, int) else min(RANDOM_POSITIONS, len(weights.arrays.get("W_pos", range(RANDOM_POSITIONS))))
        if model.embedding:
            return generator.integers(0, weights.size(model.V), n)
        d = weights.size(model.d) if model.d in weights.sizes or isinstance(model.d, int) else RANDOM_WIDTH
        return generator.standard_normal((n, d))
    if not model.embedding:
        raise TokensError("a model without embedding reads no tokens; leave --tokens out for a random residual input")
    words = text.replace(",", " ").split()
    bad = [word for word in words if not (word.isascii() and word.isdigit() and len(word) < 10)]
    if bad or not words:
        raise TokensError(f"--tokens is a list of token numbers such as '3 4 31'; got {text!r}")
    return np.array([int(word) for word in words])


def read_number(text: str, what: str) -> int:
    """A natural number of at most a few thousand digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise TermError(f"{what} is a natural number of at most {MAX_DIGITS} digits; got {text[:40]!r}")
    return int(text)


def read_integers(text: str | None, option: str) -> list[int] | None:
    """Integers as written, ``"0 -1"``."""
    if text is None:
        return None
    words = text.replace(",", " ").split()
    if not words or not all(word.removeprefix("-").isascii() and word.removeprefix("-").isdigit() for word in words):
        raise TokensError(f"{option} is a list of integers such as '0 1'; got {text!r}")
    return [int(word[:20]) for word in words]


def table(title: str, heads: list[str], rows: list[list[str]]) -> None:
    """Print a table; numbers to the right; columns that the terminal has no room for below, with the first again."""
    screen = console()
    columns = [[cell_len(inert(row[k])) for row in rows] for k in range(len(heads))]
    if sum(max([*column, cell_len(head)]) + PADDING for head, column in zip(heads, columns, strict=True)) > screen.width:
        heads = [
            headed(head, column if k else [cell_len(head)]) for k, (head, column) in enumerate(zip(heads, columns, strict=True))
        ]
    widths = [max([*column, *map(cell_len, head.split("\n"))]) for head, column in zip(heads, columns, strict=True)]
    for chosen in side_by_side(widths, screen.width):
        made = Table(title=cell(title) if title else None, title_justify="left", box=SIMPLE, pad_edge=False)
        wide = [k for k in chosen if not is_narrow(k, widths)]
        left = screen.width - sum(widths[k] + PADDING for k in chosen if k not in wide) - PADDING * len(wide) + 1
        for k in chosen:
            made.add_column(cell(heads[k]), justify="right" if is_narrow(k, widths) else "left", overflow="fold", no_wrap=True)
        share = shared_out([widths[k] for k in wide], max(left, 1))
        most = dict(zip(wide, share, strict=True))
        for row in rows:
            made.add_row(*(cell(row[k], most.get(k)) for k in chosen))
        screen.print(made)


def is_narrow(k: int, widths: list[int]) -> bool:
    """Whether a column is one that is not folded."""
    return k > 0 and widths[k] <= NUMBER_WIDTH


def shared_out(widths: list[int], room: int) -> list[int]:
    """The room for columns that are folded: those that need less than an equal part have what they need.

    >>> shared_out([10, 90, 50], 90)
    [10, 40, 40]
    """
    found, left = dict.fromkeys(range(len(widths)), 0), room
    for place, k in enumerate(sorted(range(len(widths)), key=lambda k: widths[k])):
        found[k] = max(1, min(widths[k], left // (len(widths) - place)))
        left -= found[k]
    return list(found.values())


def side_by_side(widths: list[int], room: int) -> list[list[int]]:
    """The columns of tables that each have room, the first column in all of them.

    >>> side_by_side([5, 9, 9, 9], 45), side_by_side([5, 9, 9, 9], 32)
    ([[0, 1, 2, 3]], [[0, 1, 2], [0, 3]])
    """
    needed = [width if is_narrow(k, widths) else min(width, FOLDED_WIDTH) for k, width in enumerate(widths)]
    found = [[0]]
    for k in range(1, len(widths)):
        if len(found[-1]) > 1 and sum(needed[j] + PADDING for j in [*found[-1], k]) > room + 1:
            found.append([0])
        found[-1].append(k)
    return found


def signed(value: float) -> str:
    """A number of a table: four decimals, or an exponent where it is large.

    >>> signed(-1.25), signed(3e20)
    ('-1.2500', '+3.0000e+20')
    """
    return f"{value:+.4f}" if abs(value) < LARGE else f"{value:+.4e}"


def written_out(value: object) -> object:
    """A value as it is; an integer of thousands of digits in words."""
    return in_words(value) if isinstance(value, int) and value.bit_length() >= MAX_BITS else value


def without_nan(value: object) -> object:
    """JSON has no NaN: null stands for a ratio to a total that vanishes. Integers of thousands of digits are in words."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else written_out(value)
