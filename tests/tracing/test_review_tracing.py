"""What a review of the tracer found: results that were silently another array, loops that passed for sums, sums that were refused."""

from collections import deque

import numpy as np
import pytest
from traced_cases import traced_and_numbers

from symbolic_circuits.errors import TraceError
from symbolic_circuits.tracing.trace import trace


def diagonal_of_last_axes(B):
    return np.linalg.diagonal(B)


def trace_of_last_axes(B):
    return np.linalg.trace(B)


def outer_of_matrices(X, Y):
    return np.multiply.outer(X, Y)


def name_for_an_argument(X, WH):
    out = X
    for W in WH:
        stream = X
        out = out + stream @ W
    return out


def argument_out_of_a_list(X, WH):
    weights, out = [X], 0
    for W in WH:
        stream = weights[0]
        out = out + stream @ W
    return out


def term_without_the_place(X, WH):
    out = X
    for W in WH:
        out = out - X @ W
        out = out - X
    return out


SAME = [
    diagonal_of_last_axes,
    trace_of_last_axes,
    outer_of_matrices,
    name_for_an_argument,
    argument_out_of_a_list,
    term_without_the_place,
]


@pytest.mark.parametrize("function", SAME, ids=lambda function: function.__name__)
def test_same_as_numpy(function) -> None:
    _, found, expected = traced_and_numbers(function, {})
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def view_by_keyword(X):
    out = np.zeros(X.shape)
    view = np.transpose(a=out)
    out += 1
    return view.T - X


def dtype_by_position(X):
    return X.sum(0, float)


def dtype_of_mean_by_position(X):
    return np.mean(X, 0, float)


def whole_sum(X):
    return X.sum(axis=0, dtype=int)


def squeezed(c):
    return c.squeeze()


def late_by_two(X, WH):
    queue, out = deque([X, X], maxlen=2), 0
    for W in WH:
        out = out + queue[0] @ W
        queue.append(X @ W)
    return out


class Box:
    """Holds what a loop passes on."""


def counted_in_an_object(X, WH):
    box, out = Box(), X
    box.count = 0
    for W in WH:
        box.count += 1
        if box.count < 3:
            out = out + X @ W
    return out


REFUSED = {
    view_by_keyword: "shares its entries",
    dtype_by_position: "third argument",
    dtype_of_mean_by_position: "third argument",
    whole_sum: "entries are real numbers",
    squeezed: "name the axis",
    late_by_two: "changes in queue",
    counted_in_an_object: "changes in box",
}
SHAPES = {"X": "n x d", "WH": "H x d x d", "c": "n x 1"}


@pytest.mark.parametrize(("function", "message"), REFUSED.items(), ids=lambda item: getattr(item, "__name__", ""))
def test_refused(function, message: str) -> None:
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    with pytest.raises(TraceError, match=message) as error:
        trace(function, {name: SHAPES[name] for name in names})
    assert f"{function.__name__}, test_review_tracing.py, line " in str(error.value)


def test_sizes_that_are_numbers_are_squeezed() -> None:
    assert trace(squeezed, c="3 x 1").shape == (3,)
