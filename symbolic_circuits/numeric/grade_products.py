r"""Products of graded arrays: of grade k by sum, $\sum_{i+j=k} x_i \odot y_j$; of grade k by height, $\sum_{\max(i,j)=k} x_i \odot y_j$.

Arrays have shape (n, grades, m). The second needs no pairs: with $X_k = \sum_{i \le k} x_i$ it is $x_k \odot Y_k + X_{k-1} \odot y_k$, the
difference $X_k \odot Y_k - X_{k-1} \odot Y_{k-1}$ of two runs of the ablation algorithm, without its loss of digits.

Matrices are multiplied likewise: all pairs of a grade are one product, side by side on the inner axis.
"""

from collections.abc import Sequence

import numpy as np
from array_api_compat import device, is_torch_array

from symbolic_circuits.numeric.array_library import library_of

__all__ = ["matrices_by_height", "matrices_by_sum", "product_by_height", "product_by_sum"]

INNER = 64  # products of residues below 2^28 that are added up before they are reduced
ROWS = 4  # positions that are multiplied at once, so that their grades stay in the cache


def product_by_sum(x: np.ndarray, y: np.ndarray, length: int, modulus: int | None = None) -> np.ndarray:
    """The grades 0 to length - 1 of the product, where x and y begin with grade 0; arrays, or tensors in floating point.

    >>> product_by_sum(np.ones((1, 2, 1)), np.ones((1, 3, 1)), 4).ravel()
    array([1., 2., 2., 1.])
    """
    if is_torch_array(x):
        return product_of_tensors(x, y, length)
    out = np.empty((len(x), length, x.shape[2]), dtype=x.dtype)
    g, f = x.shape[1], y.shape[1]
    for start in range(0, len(x), ROWS):
        left, right, rows = x[start : start + ROWS], y[start : start + ROWS], out[start : start + ROWS]
        for k in range(length):
            low, high = max(0, k - f + 1), min(g, k + 1)
            reversed_right = right[:, k - high + 1 : k - low + 1][:, ::-1]
            if modulus is None:
                np.einsum("sgm,sgm->sm", left[:, low:high], reversed_right, out=rows[:, k])
            else:
                rows[:, k] = (left[:, low:high] * reversed_right % modulus).sum(axis=1) % modulus
    return out


def product_of_tensors(x: object, y: object, length: int) -> object:
    """The same of tensors, all positions at once; tensors have no negative steps, so y is turned round once."""
    g, f = x.shape[1], y.shape[1]
    turned = y.flip(1)  # grade j at place f - 1 - j
    out = x.new_empty((len(x), length, x.shape[2]))
    for k in range(length):
        low, high = max(0, k - f + 1), min(g, k + 1)
        out[:, k] = (x[:, low:high] * turned[:, f - 1 - k + low : f - 1 - k + high]).sum(1)
    return out


def product_by_height(
    x: np.ndarray, first_x: int, y: np.ndarray, first_y: int, first: int, length: int, modulus: int | None = None
) -> np.ndarray:
    """The grades ``first`` to ``first + length - 1`` of the product, where x and y begin with the grades given.

    >>> product_by_height(np.ones((1, 3, 1)), 0, np.ones((1, 3, 1)), 0, 0, 3).ravel()
    array([1., 3., 5.])
    """
    reduce = (lambda array: array) if modulus is None else (lambda array: array % modulus)
    out = library_of(x).zeros((len(x), length, x.shape[2]), dtype=x.dtype, device=device(x))
    below_x = reduce(x[:, : max(0, first - first_x)].sum(axis=1))
    below_y = reduce(y[:, : max(0, first - first_y)].sum(axis=1))
    for k in range(length):
        i, j = first + k - first_x, first + k - first_y
        if 0 <= j < y.shape[1]:
            out[:, k] += reduce(below_x * y[:, j])
            below_y = reduce(below_y + y[:, j])
        if 0 <= i < x.shape[1]:
            out[:, k] += reduce(x[:, i] * below_y)
            below_x = reduce(below_x + x[:, i])
    return reduce(out)


def matrices_by_sum(x: np.ndarray, y: np.ndarray, length: int, modulus: int | None = None) -> np.ndarray:
    """Grades 0 to length - 1 of $\\sum_{i+j=k} x_i y_j$ for each head, where x and y begin with grade 0.

    Parameters
    ----------
    x : (heads, rows, grades, inner)
    y : (heads, grades, inner, columns)

    Returns
    -------
    array
        (heads, rows, length, columns)

    >>> matrices_by_sum(np.ones((1, 1, 2, 1)), np.ones((1, 3, 1, 1)), 4).ravel()
    array([1., 2., 2., 1.])
    """
    (h, rows, g, inner), (f, columns) = x.shape, (y.shape[1], y.shape[3])
    library = library_of(x)
    turned = library.flip(y, axis=1)  # grade j at place f - 1 - j
    out = library.empty((h, rows, length, columns), dtype=x.dtype, device=device(x))
    for k in range(length):
        low, high = max(0, k - f + 1), min(g, k + 1)
        left = x[:, :, low:high].reshape(h, rows, (high - low) * inner)
        right = turned[:, f - 1 - k + low : f - 1 - k + high].reshape(h, (high - low) * inner, columns)
        out[:, :, k] = matrix_product(left, right, modulus)
    return out


def matrices_by_height(
    x: np.ndarray, first_x: int, y: np.ndarray, first_y: int, first: int, length: int, modulus: int | None = None
) -> np.ndarray:
    """Grades ``first`` to ``first + length - 1`` of $\\sum_{\\max(i,j)=k} x_i y_j$; shapes as by sum.

    >>> matrices_by_height(np.ones((1, 1, 3, 1)), 0, np.ones((1, 3, 1, 1)), 0, 0, 3).ravel()
    array([1., 3., 5.])
    """
    library, (h, rows, g, _), f = library_of(x), x.shape, y.shape[1]
    out = library.zeros((h, rows, length, y.shape[3]), dtype=x.dtype, device=device(x))
    below_x, below_y = (running_sum(parts, modulus) for parts in ([x[:, :, i] for i in range(g)], [y[:, j] for j in range(f)]))
    for k in range(first, first + length):
        i, j = k - first_x, k - first_y
        terms = []
        if 0 <= j < f and i > 0:
            terms.append(matrix_product(below_x[min(i, g) - 1], y[:, j], modulus))
        if 0 <= i < g and j >= 0:
            terms.append(matrix_product(x[:, :, i], below_y[min(j, f - 1)], modulus))
        if terms:
            found = sum(terms[1:], terms[0])
            out[:, :, k - first] = found if modulus is None else found % modulus
    return out


def running_sum(parts: Sequence[np.ndarray], modulus: int | None) -> list[np.ndarray]:
    """The sums of the first parts."""
    out = list(parts[:1])
    for part in parts[1:]:
        out.append(out[-1] + part if modulus is None else (out[-1] + part) % modulus)
    return out


def matrix_product(x: np.ndarray, y: np.ndarray, modulus: int | None) -> np.ndarray:
    """x y; of residues, the inner axis some at a time, so that nothing overflows."""
    if modulus is None:
        return x @ y
    parts = [slice(start, start + INNER) for start in range(0, x.shape[-1], INNER)]
    return sum(x[..., part] @ y[..., part, :] % modulus for part in parts) % modulus
