r"""Upper bounds of spectral norms, in the same few matrix products for a whole stack of matrices.

$\|M\|_2 \le (\operatorname{tr} (M^T M)^p)^{1/2p}$, within a factor of $r^{1/2p}$ for rank r: 1.07 for r = 8 and p = 16. For a bilinear
layer, $|B(x, y)| \le \sigma |x| |y|$ with the smallest norm of its three unfoldings, each from a Gram matrix of the hidden width.
"""

import numpy as np

__all__ = ["bilinear_bound", "norm_bound", "output_bound", "scaled"]

SQUARINGS = 4
SAFETY = 1 + 1e-9  # more than these products round
LEAST = 1e-290  # a smaller product of sizes might be zero, which bounds nothing


def norm_bound(M: np.ndarray) -> np.ndarray:
    """Upper bounds of the spectral norms of matrices (..., a, b), shape (...).

    >>> float(norm_bound(np.diag([3.0, 1.0])).round(6))
    3.0
    """
    size = np.abs(M).max(axis=(-1, -2), initial=0.0)
    M = M / np.where(size > 0, size, 1)[..., None, None]  # squares of very small, or large, entries are no numbers
    across = np.swapaxes(M, -1, -2)
    gram = across @ M if M.shape[-1] <= M.shape[-2] else M @ across
    trace = np.trace(gram, axis1=-2, axis2=-1)
    bound, power = size * np.sqrt(trace), 1
    for _ in range(SQUARINGS):
        gram = gram / np.where(trace > 0, trace, 1)[..., None, None]
        gram, power = gram @ gram, 2 * power
        trace = np.trace(gram, axis1=-2, axis2=-1)
        bound = bound * np.where(trace > 0, trace, 1) ** (0.5 / power)
    return bound * SAFETY


def bilinear_bound(W_1: np.ndarray, W_2: np.ndarray, W_out: np.ndarray | None) -> float:
    r"""$\sigma$ with $|W_{out} (W_1 x \odot W_2 y)| \le \sigma |x| |y|$ for all x and y.

    >>> bool(bilinear_bound(np.eye(3), np.eye(3), None) >= 1)
    True
    """
    by_output = output_bound(W_out, W_1, W_2)
    (W_1, one), (W_2, two), (W_out, out) = scaled(W_1), scaled(W_2), scaled(np.eye(len(W_1)) if W_out is None else W_out)
    gram_1, gram_2, gram_out = W_1 @ W_1.T, W_2 @ W_2.T, W_out.T @ W_out
    by_left = norm_bound(W_1.T @ (gram_out * gram_2) @ W_1) ** 0.5
    by_right = norm_bound(W_2.T @ (gram_out * gram_1) @ W_2) ** 0.5
    return float(min(by_output, min(by_left, by_right) * max(one * two * out, LEAST)))


def output_bound(W: np.ndarray | None, W_1: np.ndarray, W_2: np.ndarray) -> float:
    r"""$\|W (W_1 \odot W_2)\|$, row by row Kronecker products, for W (a, m), whose Gram matrix is $W_1 W_1^T \odot W_2 W_2^T$ (m, m)."""
    (W_1, one), (W_2, two), (W, out) = scaled(W_1), scaled(W_2), (None, 1.0) if W is None else scaled(W)
    pairs = (W_1 @ W_1.T) * (W_2 @ W_2.T)
    return float(norm_bound(pairs if W is None else W @ pairs @ W.T) ** 0.5 * max(one * two * out, LEAST))


def scaled(M: np.ndarray) -> tuple[np.ndarray, float]:
    """The matrix divided by its largest entry, and that: fourth powers of entries are to be numbers."""
    size = float(np.abs(M).max(initial=0.0)) or 1.0
    return M / size, size
