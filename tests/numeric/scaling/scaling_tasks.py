"""Functions that tests send to workers: at the top level of a module, as users' functions are."""

import os
import time

import numpy as np

import symbolic_circuits as sc


class TwoPartsError(Exception):
    """An exception that cannot be read back from its pickle."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def square(x: int) -> int:
    return x * x


def slow_square(x: int) -> int:
    time.sleep(0.05)
    return x * x


def late_first(x: int) -> int:
    """The first one is done last."""
    time.sleep(0.5 if x == 0 else 0.01)
    return x


def fails_at_seven(x: int) -> int:
    if x == 7:
        raise ValueError("seven is not liked")
    return x


def fails_in_two_parts(x: int) -> int:
    if x == 7:
        raise TwoPartsError("seven", "is not liked")
    return x


def leaves_at_seven(x: int) -> int:
    if x == 7:
        raise SystemExit("seven")
    return x


def dies_at_seven(x: int) -> int:
    if x == 7:
        os._exit(1)
    time.sleep(0.01)
    return x


def gives_a_function(x: int) -> object:
    return (lambda: x) if x == 7 else x


def number_of_loads(counted: object, x: int) -> tuple[int, int]:
    """The process, and how many times what is shared was read in it."""
    time.sleep(0.005)
    return os.getpid(), counted.loads()


class Counted:
    """Something large that is shared, and counts how often it arrives in a process."""

    arrivals = 0

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.array = np.random.default_rng(seed).standard_normal(100_000)

    def __setstate__(self, state: dict) -> None:
        type(self).arrivals += 1
        self.__dict__.update(state)

    def loads(self) -> int:
        return type(self).arrivals


def largest_contribution(expansion: sc.PathExpansion, weights: sc.Weights, tokens: object, *, token: int) -> tuple[str, float]:
    """A user's own function of an input."""
    values = sc.contributions(expansion, sc.freeze(weights, tokens), direction=token)
    k = int(np.abs(values).argmax())
    return str(expansion[k]), float(values[k])
