"""What commands share: reading a model, its weights, tokens and numbers; printing a table; JSON without NaN."""

import math
import sys
from pathlib import Path

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from symbolic_circuits.errors import SpecError, TermError, TokensError
from symbolic_circuits.numeric.checking import AGREES, DIFFERS, UNDECIDED
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = [
    "EXIT_CODES",
    "RANDOM_POSITIONS",
    "read_integers",
    "read_number",
    "read_tokens",
    "read_weights",
    "table",
    "without_nan",
]

EXIT_CODES = {AGREES: 0, DIFFERS: 1, UNDECIDED: 3}
RANDOM_POSITIONS = 5
RANDOM_WIDTH = 16
MAX_DIGITS = 4000
PIPE_WIDTH = 10_000  # lines are not folded where a program reads them


def read_weights(model: str | None, path: Path | None, seed: int) -> tuple[Weights, str]:
    """Weights of a file, of the example, or random ones; and words for which."""
    if path is not None:
        return Weights.load(path, model=model), f"the weights of {path.name}"
    if model is None:
        return Weights.example(), "the trained example, addition modulo 31"
    parsed = Transformer.parse(model)
    if parsed.has_symbolic_heads:
        raise SpecError(f"the number of heads of {model!r} is a symbol: weights and checks need a number")
    extra = {str(size): 3 for size in parsed.symbolic_sizes if str(size) not in ("n", "d", "V", "e", "m")}
    return Weights.random(parsed, sizes=extra, seed=seed), f"random weights, seed {seed}"


def read_tokens(text: str | None, weights: Weights, seed: int) -> np.ndarray:
    """Tokens as written, ``"3 4 31"``; random ones (or a random residual input) by default."""
    model = weights.model
    if text is None:
        generator = np.random.default_rng(seed)
        n = model.n if isinstance(model.n, int) else RANDOM_POSITIONS
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
    """Print a table; first column left, the others right."""

    made = Table(title=Text(title) if title else None, title_justify="left", box=SIMPLE, pad_edge=False)
    for k, head in enumerate(heads):
        made.add_column(head, justify="right" if k else "left", overflow="fold", no_wrap=bool(k))
    for row in rows:
        made.add_row(*map(Text, row))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
    console.print(made)


def without_nan(value: object) -> object:
    """JSON has no NaN: null stands for a ratio to a total that vanishes."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
