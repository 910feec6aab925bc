"""What cannot be traced is an error with the operation and the line; loops that are no sums are among it."""

import inspect

import numpy as np
import pytest
from traced_cases import SHAPES, parameters

from symbolic_circuits.errors import ShapeError, TraceError
from symbolic_circuits.tracing.trace import trace


def branch(X):
    if X.sum() > 0:  # here
        return X
    return -X


def truth(X):
    while X:  # here
        X = X - 1
    return X


def as_float(X):
    return X * float(X[0, 0])  # here


def item_written(X):
    Z = X @ X.T
    Z[0] = 1  # here
    return Z


def argument_written(X):
    X += 1  # here
    return X


def view_written(X):
    Z = X @ X.T
    top = Z[0]
    top += 1  # here
    return Z


def viewed_written(X):
    Z = X @ X.T
    flat = Z.reshape(-1)
    Z += 1  # here
    return flat


def into_numbers(X):
    out = np.ones((3, 2))
    out += X  # here
    return out


def out_argument(X):
    return np.add(X, X, out=X)  # here


def unknown_function(X):
    return np.cumsum(X)  # here


def near_name(X):
    return X.permut(0, 1)  # here


def spelled_softmax(X):
    e = np.exp(X)
    return e / e.sum(-1, keepdims=True)  # here


def spelled_with_max(X):
    return np.exp(X - X.max(-1, keepdims=True))  # here


def to_numbers(X):
    return np.asarray(X) @ X.T  # here


def random_numbers(X):
    return X + np.random.randn(3, 2)  # here


def wrong_sizes(X, W):
    return X.T @ X @ X  # here


def wrong_sum(X, W):
    return X + W  # here


def wrong_einsum(X, W):
    return np.einsum("ij,ij->i", X, W)  # here


def wrong_reshape(X):
    return X.reshape(X.shape[1], X.shape[1])  # here


def own_error(X):
    return [X][1]  # here


def size_as_number(X):
    return [0] * X.shape[0]  # here


def branch_on_size(X):
    return X if X.shape[0] == 4 else -X  # here


def division_of_size(X):
    return X.reshape(X.shape[0], X.shape[1] // 12, 12)  # here


def last_row(X):
    return X[-1]  # here


def by_mask(X):
    return X[X > 0]  # here


def two_axes(X):
    return X.transpose(0, 1)  # here


def caught(X):
    try:
        return X if X.sum() > 0 else -X  # here
    except TypeError:
        return X


def infinite(X):
    return X + np.array([-np.inf, 0])  # here


def triangle_of_symbols(A):
    return np.tril(A)  # here


def overwritten(AH):
    for A_h in AH:
        out = A_h
    return out


def product(X, AH):
    for A_h in AH:  # here
        X = A_h @ X
    return X


def running(X, AH):
    out, previous = 0, X
    for A_h in AH:  # here
        out = out + A_h @ previous
        previous = A_h @ X
    return out


def delayed(X, AH):
    out, first, second, third = 0, X, X, X
    for A_h in AH:  # here
        out = out + third
        third, second, first = second, first, A_h @ X
    return out


def alternating(X, AH):
    out, sign = 0, 1
    for A_h in AH:  # here
        out, sign = out + sign * A_h @ X, -sign
    return out


def counted(X, AH):
    out, count = 0, 0
    for A_h in AH:  # here
        out, count = out + A_h @ X, count + 1
    return out / count


def listed(X, AH):
    outs = []
    for A_h in AH:  # here
        outs.append(A_h @ X)
    return sum(outs)


def comprehended(X, AH):
    return sum([A_h @ X for A_h in AH])  # here


def unpacked(X, AH):
    first, *_ = AH  # here
    return first @ X


def maximal(X, AH):
    return max(A_h @ X for A_h in AH)  # here


def broken_off(X, AH):
    out = 0
    for A_h in AH:
        out = out + A_h @ X
        if A_h is not None:
            break
    return out


def returned_inside(X, AH):
    for A_h in AH:
        return A_h @ X


def place_as_number(X, AH):
    out = 0
    for j in range(AH.shape[0]):
        out = out + j * AH[j] @ X  # here
    return out


def place_compared(X, AH):
    out = 0
    for j, A_h in enumerate(AH):
        if j > 0:  # here
            out = out + A_h @ X
    return out


def wrong_zip(X, AH):
    return sum(A_h @ X for A_h, x in zip(AH, X, strict=True))  # here


def backwards(X, AH):
    return sum(A_h @ X for A_h in reversed(AH))  # here


def outside(X, AH):
    out = 0
    for A_h in AH:
        out = out + A_h @ X
    return out + A_h @ X  # here


def vanishing_at_first(X, AH):
    out, turn = 0, np.zeros(())
    for A_h in AH:  # here
        out = out + turn * (turn - 1) * (turn - 2) * A_h @ X
        turn = turn + 1
    return out


def kept_in_a_dict(X, AH):
    out, kept = 0, {"previous": X}
    for A_h in AH:  # here
        out = out + A_h @ kept["previous"]
        kept["previous"] = A_h @ X
    return out


def yielded(X, AH):
    def terms():
        for A_h in AH:  # here
            yield A_h @ X

    return sum(terms())


def fortran_order(X):
    return np.reshape(X, -1, order="F")  # here


def by_mask_argument(X, A):
    return np.where(A, A, 0) @ X  # here


def two_names_of_a_scalar(X):
    first = second = X.sum()
    first += 1  # here
    return second


def diagonal_seen(A):
    Z = A @ A
    diagonal = np.diag(Z)
    Z += 1  # here
    return diagonal


ERRORS = [
    (fortran_order, "order"),
    (by_mask_argument, "no array of numbers"),
    (two_names_of_a_scalar, "two names"),
    (diagonal_seen, "shares its entries"),
    (branch, "comparison of the entries"),
    (truth, "a branch on the value of a traced array"),
    (as_float, r"float\(\)"),
    (item_written, "write in place"),
    (argument_written, "the argument X"),
    (view_written, "shares its entries"),
    (viewed_written, "shares its entries"),
    (into_numbers, "writes in place"),
    (out_argument, "writes in place"),
    (unknown_function, "numpy.cumsum of a traced array is not traced"),
    (near_name, "permute"),
    (spelled_softmax, "symbolic_circuits.softmax"),
    (spelled_with_max, "symbolic_circuits.softmax"),
    (to_numbers, "np.asarray"),
    (random_numbers, "random numbers"),
    (wrong_sizes, r"shapes \(d, d\) and \(n, d\)"),
    (wrong_sum, r"shapes \(n, d\) and \(d, d\)"),
    (wrong_einsum, "index i has size n in array 0"),
    (wrong_reshape, "different numbers of entries"),
    (own_error, "IndexError: list index out of range"),
    (size_as_number, "symbolic size n"),
    (branch_on_size, "n == 4"),
    (division_of_size, "whether 12 divides d"),
    (last_row, "place -1"),
    (by_mask, "comparison"),
    (two_axes, "PyTorch"),
    (caught, "goes on without it"),
    (infinite, "-inf"),
    (triangle_of_symbols, "triangular mask"),
    (overwritten, "value of one turn of the loop over the axis of size H"),
    (product, "is no sum: no turn adds the same to X"),
    (running, "is no sum"),
    (delayed, "is no sum"),
    (alternating, "is no sum"),
    (counted, "counts in count"),
    (listed, "changes in outs"),
    (comprehended, "list comprehension"),
    (unpacked, "tuple unpacking"),
    (maximal, r"not summed by sum\(\)"),
    (broken_off, "break or return"),
    (returned_inside, "break or return"),
    (place_as_number, "used as a number"),
    (place_compared, "used as a number"),
    (wrong_zip, "axes of sizes H, n"),
    (backwards, "symbolic size H"),
    (outside, "value of one turn"),
    (vanishing_at_first, "is no sum"),
    (kept_in_a_dict, "is no sum"),
    (yielded, "turns are counted elsewhere"),
]


@pytest.mark.parametrize(("function", "message"), ERRORS, ids=lambda one: getattr(one, "__name__", ""))
def test_errors(function, message: str):
    shapes = {name: SHAPES[name] for name in parameters(function)} | ({"X": "3 x 2"} if function is into_numbers else {})
    with pytest.raises(TraceError, match=message) as found:
        trace(function, **shapes)
    lines, start = inspect.getsourcelines(function)
    marked = [start + k for k, line in enumerate(lines) if "# here" in line]
    for line in marked:
        assert f"{function.__name__}, test_trace_errors.py, line {line}" in str(found.value)


def test_original_error_is_the_cause():
    with pytest.raises(TraceError) as found:
        trace(own_error, X="n x d")
    assert isinstance(found.value.__cause__, IndexError)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ({}, "no shape for X"),
        ({"X": "n x d", "Z": "n"}, "no parameter Z"),
        ({"X": "n x d+"}, "a size"),
        ({"X": "n x -1"}, "a size"),
    ],
)
def test_wrong_arguments(shapes: dict, message: str):
    with pytest.raises((TraceError, ShapeError), match=message):
        trace(two_axes, **shapes)
