"""The options that say which terms are read, and of what: a query, a position, and a token against another."""

import click
import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.predictions import RUNNER_UP, predicted, runner_up

__all__ = ["chosen_tokens", "read_against", "readout_options", "with_tokens"]

MAX_TOKENS = 12  # that are written out


def readout_options(command: object) -> object:
    """Add --where, --position, --token, --against and --norm to a command."""
    options = [
        click.option("--where", metavar="QUERY", help="Only the terms of a query."),
        click.option("--position", type=int, default=-1, show_default=True, help="Output position, from the end if negative."),
        click.option("--token", type=int, help="The logit that is read; by default that of the model's own prediction."),
        click.option("--against", help="A token whose logit is subtracted, or 'runner-up': the next most likely one."),
        click.option("--norm", is_flag=True, help="Read the whole output vector, in the Euclidean norm, instead of a logit."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_against(text: str | None) -> int | str | None:
    """A token as written, or the runner-up."""
    if text is None or text == RUNNER_UP:
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise TokensError(f"--against is a token number or {RUNNER_UP!r}; got {text!r}")
    return int(text)


def chosen_tokens(
    frozen: Frozen, position: int, token: int | None, against: str | None, norm: bool
) -> tuple[int | None, int | None, str]:
    """The token and the one against it, and words for those that were not given; none of them for the whole output."""
    other = read_against(against)
    if norm and (token is not None or other is not None):
        raise click.UsageError("--norm reads the whole output: give it, or tokens")
    if norm or (token is None and other is None and not frozen.model.unembedding):
        return None, None, ""
    words = []
    if token is None:
        token = predicted(frozen, position)
        words.append(f"{token} is the model's prediction")
    if other == RUNNER_UP:
        other = runner_up(frozen, token, position)
        words.append(f"{other} the runner-up")
    return token, other, ", ".join(words)


def with_tokens(words: str, source: np.ndarray) -> str:
    """Words for the weights, with the tokens where there are few.

    >>> with_tokens("random weights, seed 0", np.array([3, 4, 31]))
    'random weights, seed 0; tokens 3 4 31'
    """
    if np.ndim(source) != 1 or len(source) > MAX_TOKENS:
        return words
    return f"{words}; tokens {' '.join(map(str, source))}"
