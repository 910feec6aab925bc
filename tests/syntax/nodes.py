"""One example of each node of the package, its arrays at small sizes, and the value that NumPy gives it."""

import numpy as np
from sympy import MatrixSymbol, symbols
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
h, g, s, u = symbols("h g s u", integer=True, nonnegative=True)
A, F = MatrixFamily("A", H, n, n), MatrixFamily("W_OV", H, d, d)
X, W, P = MatrixSymbol("X", n, d), MatrixSymbol("W", m, d), MatrixSymbol("P", d, d)
B = ArraySymbol("B", (d, d, d))
NUMBERS = {n: 3, d: 2, m: 4, H: 2}

generator = np.random.default_rng(0)
ARRAYS = {
    A: generator.standard_normal((2, 3, 3)),
    F: generator.standard_normal((2, 2, 2)),
    X: generator.standard_normal((3, 2)),
    W: generator.standard_normal((4, 2)),
    P: generator.standard_normal((2, 2)),
    B: generator.standard_normal((2, 2, 2)),
}
a, f, x, w, p, b = ARRAYS.values()
H_VALUE, S_VALUE = 1, 2

NODES = {  # name -> (node, its value at h = 1, s = 2)
    "member": (A[h], a[1]),
    "numbered member": (F[0], f[0]),
    "row": (Row(X, s), x[2]),
    "dot": (TensorDot(W, 2, Row(X, s), 1), w @ x[2]),
    "dots": (TensorDot(TensorDot(Row(X, s), 1, B, 2), 2, Row(X, 0), 1), np.einsum("ijk,j,k->i", b, x[2], x[0])),
    "vec": (Vec(X), x.reshape(-1, 1)),
    "bilinear": (ApplyBilinear(B, Vec(X), Vec(X * P)), np.einsum("ijk,sj,sk->si", b, x, x @ p).reshape(-1, 1)),
    "matrix sum": (MatrixSum(A[h] * X * F[h].T, (h, 0, H - 1)), sum(a[k] @ x @ f[k].T for k in range(2))),
    "double sum": (MatrixSum(A[h] * A[g] * X, (h, 0, H - 1), (g, 0, H - 1)), a.sum(0) @ a.sum(0) @ x),
    "index sum": (IndexSum(A[0][s, u] * TensorDot(P, 2, Row(X, u), 1), (u, 0, n - 1)), a[0][2] @ x @ p.T),
}
