r"""A table $L_{abc}$ on $Z_p \times Z_p$ split into its constant, what depends on a + b alone, and the rest; and its Fourier energy.

$\hat L_{jkc} = \sum_{ab} L_{abc} \omega^{ja + kb}$, $\omega = e^{-2 \pi i / p}$. Functions of a + b alone are those with $\hat L_{jkc} = 0$ for j != k.

The table is centred over c first: adding the same to all logits changes no answer.
"""

import numpy as np

from symbolic_circuits.examples.addition import MODULUS

__all__ = ["SUM", "amplitudes", "centred", "by_class", "energies", "kept_frequencies", "share", "spectrum"]

SUM = (1, 1)  # a + b


def centred(logits: np.ndarray, p: int = MODULUS) -> np.ndarray:
    """The logits (P, V) of the residues as a table (p, p, p), less their mean over c."""
    table = logits[:, :p].reshape(p, p, p)
    return table - table.mean(axis=2, keepdims=True)


def by_class(table: np.ndarray, form: tuple[int, int] = SUM) -> np.ndarray:
    r"""The mean over the pairs of equal $\alpha a + \beta b$ mod p in place of each: an orthogonal projection.

    >>> table = np.zeros((3, 3, 1))
    >>> table[0, 1] = 3
    >>> by_class(table)[:, :, 0].tolist()
    [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    """
    p = len(table)
    a, b = np.indices((p, p))
    classes = (form[0] * a + form[1] * b) % p
    means = np.array([table[classes == value].mean(axis=0) for value in range(p)])
    return means[classes]


def share(table: np.ndarray, form: tuple[int, int] = SUM) -> float:
    r"""The share of the energy, but for the constant, that is in functions of $\alpha a + \beta b$ alone."""
    varying = table - table.mean(axis=(0, 1))
    return float(np.sum(by_class(varying, form) ** 2) / np.sum(varying**2))


def energies(table: np.ndarray) -> np.ndarray:
    """The share of the energy, but for the constant, at each pair of frequencies; shape (p, p), their sum is 1."""
    varying = table - table.mean(axis=(0, 1))
    found = np.sum(np.abs(np.fft.fft2(varying, axes=(0, 1))) ** 2, axis=2)
    return found / found.sum()


def kept_frequencies(table: np.ndarray, frequencies: list[int]) -> np.ndarray:
    """Only the waves (k, k) and (-k, -k) of the table for some k."""
    transform = np.fft.fft2(table, axes=(0, 1))
    mask = np.zeros(table.shape[:2])
    for k in frequencies:
        mask[k, k] = mask[-k, -k] = 1
    return np.fft.ifft2(transform * mask[:, :, None], axes=(0, 1)).real


def spectrum(vectors: np.ndarray) -> np.ndarray:
    """The share of each frequency 1 to (p - 1) / 2 in a family of p vectors (p, d), but for their mean."""
    p = len(vectors)
    found = np.sum(np.abs(np.fft.fft(vectors, axis=0)) ** 2, axis=1)[1 : (p + 1) // 2]
    return found / found.sum()


def amplitudes(table: np.ndarray, k: int) -> np.ndarray:
    r"""$\frac2p \sum_c L_{abc} e^{2 \pi i k (c - a - b) / p}$, complex (p, p): real and positive where the wave k points at a + b."""
    p = len(table)
    a, b, c = np.indices((p, p, p))
    return 2 / p * np.sum(table * np.exp(2j * np.pi * k * (c - a - b) / p), axis=2)
