r"""Norms of all products $F_R F_W^T$ of two stacks of factors, in a few large matrix products."""

import numpy as np

__all__ = ["norms_of_products"]

ENTRIES = 2**23  # of products that are held at once


def norms_of_products(readers: np.ndarray, writers: np.ndarray) -> np.ndarray:
    r"""$\|F_a F_b^T\|_F$ for F_a of (A, r, d) and F_b of (B, s, d), shape (A, B).

    >>> norms_of_products(np.eye(2)[None], np.ones((3, 1, 2))).round(3).tolist()
    [[1.414, 1.414, 1.414]]
    """
    (A, r, d), (B, s, _) = readers.shape, writers.shape
    columns, out = writers.reshape(B * s, d).T, np.empty((A, B))
    step = max(1, ENTRIES // (r * B * s))
    for start in range(0, A, step):
        some = readers[start : start + step]
        product = (some.reshape(-1, d) @ columns).reshape(len(some), r, B, s)
        out[start : start + step] = np.einsum("aibj,aibj->ab", product, product)
    return np.sqrt(out)
