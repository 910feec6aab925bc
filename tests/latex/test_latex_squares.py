r"""Formulas of every construct against NumPy: what is read, evaluated at small arrays of whole numbers, is what was meant.

A case is a formula, its free indices, its value, and the value of a near-miss: what it would be with a transpose, an index, a sign
or a bracket misread. The sizes differ from each other, so that no axis can stand for another.
"""

from typing import NamedTuple

import numpy as np
import pytest
from latex_values import over_places, softmax, value
from opt_einsum import contract

import symbolic_circuits as sc

n, d, m, H, k = 3, 2, 4, 5, 6
SYMBOLS = r"""
A, C : n x n; X, Y : n x d; W, Q : d x d; x, y : d; u, w : n; b : m
B : m x d x d; T : n x d x m; W_1, W_2 : m x d; P : d x m; a, c : scalar
F^h : n x n for h in H; W_{OV}^h : d x d for h in H
v_l : d for l in k; \lambda : k
f : function
"""
generator = np.random.default_rng(5)


def draw(*shape: int) -> np.ndarray:
    """Whole numbers, few of them 0."""
    return generator.integers(-4, 6, shape)


A, C, X, Y, W, Q = draw(n, n), draw(n, n), draw(n, d), draw(n, d), draw(d, d), draw(d, d)
x, y, u, w, b = draw(d), draw(d), draw(n), draw(n), draw(m)
B, T, W1, W2, P = draw(m, d, d), draw(n, d, m), draw(m, d), draw(m, d), draw(d, m)
F, OV, V, lam = draw(H, n, n), draw(H, d, d), draw(k, d), draw(k)
a, c = 3, -2
A += 20 * np.eye(n, dtype=int)  # has an inverse


def f(entry: float) -> float:
    """The function of which the reader knows nothing."""
    return entry**3 + 1


KNOWN = {
    "A": A,
    "C": C,
    "X": X,
    "Y": Y,
    "W": W,
    "Q": Q,
    "x": x,
    "y": y,
    "u": u,
    "w": w,
    "b": b,
    "B": B,
    "T": T,
    "P": P,
    "W_1": W1,
    "W_2": W2,
    "a": a,
    "c": c,
    "F": F,
    "W_OV": OV,
    "v": V,
    "lambda": lam,
    "f": f,
    "z": x,
    "n": n,
    "d": d,
    "m": m,
    "H": H,
    "k": k,
}
I3, I2, one3 = np.eye(n, dtype=int), np.eye(d, dtype=int), np.ones(n, dtype=int)
AXW = A @ X @ W.T
Ai = np.linalg.inv(A)
relu = lambda z: np.maximum(z, 0)  # noqa: E731


class Case(NamedTuple):
    """A formula, the value that it has, and one that it must not have."""

    text: str
    value: object
    miss: object
    free: str = ""  # indices, each of one letter, in the order of the first axes of the value
    more: str = ""  # declarations


PRODUCTS = [
    Case("A X", A @ X, A.T @ X),
    Case("A C X", A @ C @ X, C @ A @ X),
    Case(r"A \, X W^\top", AXW, A @ X @ W),
    Case("A X W^T", AXW, A @ X @ W),
    Case(r"A X W^{\mathsf T}", AXW, A @ X @ W),
    Case(r"A X W^{\mathsf{T}}", AXW, A @ X @ W),
    Case(r"A X W^{\intercal}", AXW, A @ X @ W),
    Case(r"(A X)^\top", (A @ X).T, A.T @ X[:, :1] @ X[:1]),
    Case(r"(A C)^{\top\top}", A @ C, (A @ C).T),
    Case("A + C", A + C, A - C),
    Case("A - C + A", 2 * A - C, -C),
    Case("-A - C", -A - C, C - A),
    Case("-(A - C)", C - A, -A - C),
    Case("A - (C - A)", 2 * A - C, -C),
    Case("2 A C", 2 * A @ C, A @ C),
    Case("2(A + C)", 2 * (A + C), 2 * A + C),
    Case("a A c", a * c * A, a * A),
    Case("A a C", a * A @ C, A @ C),
    Case("3 a - 2 c^2", 3 * a - 2 * c**2, 3 * a + 4 * c**2),
    Case("(a + c)(a - c)", a**2 - c**2, a**2 + c**2),
    Case("W x", W @ x, W.T @ x),
    Case(r"W \cdot x", W @ x, W.T @ x),
    Case(r"2 \cdot 3 W", 6 * W, 5 * W),
    Case(r"W \times x", W @ x, W.T @ x),
    Case(r"x^\top W y", x @ W @ y, y @ W @ x),
    Case(r"x^\top W", (x @ W)[None], (W @ x)[None]),
    Case(r"x y^\top", np.outer(x, y), np.outer(y, x)),
    Case(r"x \cdot y", x @ y, x @ x),
    Case(r"W x \cdot y", W @ x @ y, W @ y @ x),
    Case(r"\langle x, W y \rangle", x @ W @ y, W @ x @ y),
    Case(r"\langle x | W y \rangle", x @ W @ y, W @ x @ y),
    Case(r"\left\langle A, C \right\rangle", np.sum(A * C), np.trace(A @ C)),
    Case(r"\|x\|^2", x @ x, np.sqrt(x @ x)),
    Case(r"\|x\|", np.sqrt(x @ x), x @ x),
    Case(r"\lVert W x - y \rVert^2", np.sum((W @ x - y) ** 2), np.sum((W @ x) ** 2) - np.sum(y**2)),
    Case(r"\|A\|_F^2", np.sum(A * A), np.trace(A @ A)),
    Case(r"\|x\|^4", (x @ x) ** 2, x @ x),
    Case(r"\left\|W_1 x\right\|_2^2 - \|y\|^2", np.sum((W1 @ x) ** 2) - y @ y, np.sum((W1 @ x) ** 2) + y @ y),
]
POWERS = [
    Case("A^2", A @ A, A * A),
    Case("A^{3}", A @ A @ A, A @ A),
    Case("A^0", I3, np.ones((n, n))),
    Case(r"A^{\odot 2}", A * A, A @ A),
    Case(r"x^{\circ 3}", x**3, x**2),
    Case(r"x^{\odot 2} \odot y", x**2 * y, x * y**2),
    Case("A^{-1} C", Ai @ C, C @ Ai),
    Case(r"A^{-\top} C", Ai.T @ C, Ai @ C),
    Case(r"A^{-T} C", Ai.T @ C, Ai @ C),
    Case("A^{-2}", Ai @ Ai, Ai),
    Case("(A + C)^2", (A + C) @ (A + C), A @ A + 2 * A @ C + C @ C),
    Case("(A C)^2", A @ C @ A @ C, A @ A @ C @ C),
    Case("a^2 A", 9 * A, 3 * A),
    Case("a^{-1} A", A / 3, A * 3),
    Case(r"\frac{1}{2} A", A / 2, A * 2),
    Case(r"\tfrac12 A", A / 2, 12 * A),
    Case(r"\frac12 A + \tfrac 3 4 A", A * 1.25, A * 0.5),
    Case(r"\dfrac{A + C}{a c}", (A + C) / (a * c), A + C / (a * c)),
    Case("A / 2", A / 2, A * 2),
    Case("1/2 A", A / 2, A * 2),
    Case("(A + C)/(a + 1)", (A + C) / 4, A + C / 4),
    Case("0.5 A", A / 2, 5 * A),
    Case(r"\frac{A}{\sqrt{d}}", A / np.sqrt(2), A / 2),
    Case(r"\sqrt{a + 1} A", 2 * A, np.sqrt(3) * A),
    Case(r"\sqrt2", np.sqrt(2), 2),
    Case("n d^{-1/2}", 3 / np.sqrt(2), 3 * np.sqrt(2)),
    Case("n d - n", 3, 0),
    Case("e^{a}", np.exp(3), np.exp(-3)),
    Case(r"\exp(a)", np.exp(3), np.exp(-3)),
]
ELEMENTWISE = [
    Case(r"x \odot y", x * y, x * x),
    Case(r"x \circ y", x * y, x * x),
    Case("x ⊙ y", x * y, x * x),
    Case(r"W_1 x \odot W_2 y", (W1 @ x) * (W2 @ y), (W1 @ y) * (W2 @ x)),
    Case(r"(A \odot C) X", (A * C) @ X, A * (C @ C)),
    Case(r"A \odot C C", A * (C @ C), (A * C) @ C),
    Case(r"A \odot C + C", A * C + C, A * (C + C)),
    Case(r"A \odot C \odot A", A * C * A, A * C),
    Case(r"\operatorname{diag}(x) y", x * y, x * x),
    Case(r"\operatorname{diag}(u) A", u[:, None] * A, A * u),
    Case(r"A \operatorname{diag}(u)", A * u, u[:, None] * A),
    Case(r"\operatorname{diag}(A)", np.diag(A), A[0]),
    Case(r"\mathrm{diag}(W_1 x) W_2", (W1 @ x)[:, None] * W2, W1 * W2),
    Case(r"\operatorname{tr}(A C)", np.trace(A @ C), np.trace(A @ C.T)),
    Case(r"\operatorname{tr} A C", np.trace(A @ C), np.trace(A) * np.trace(C)),
    Case(r"\operatorname{tr}(A) C", np.trace(A) * C, np.trace(A @ C) * I3),
    Case(r"\operatorname{tr}(A)^2", np.trace(A) ** 2, np.trace(A @ A)),
    Case(r"\mathrm{Tr}(A^2)", np.trace(A @ A), np.trace(A) ** 2),
    Case(r"\operatorname{tr}(A) \operatorname{tr}(C)", np.trace(A) * np.trace(C), np.trace(A @ C)),
    Case(r"\operatorname{relu}(X)", relu(X), X),
    Case(r"\operatorname{relu}(W_1 x)", relu(W1 @ x), W1 @ relu(x)),
    Case(r"\mathrm{ReLU}(X W)_{0 1}", relu(X @ W)[0, 1], (relu(X) @ W)[0, 1]),
    Case(r"\operatorname{softmax}(C)", softmax(C), softmax(C.T).T),
    Case(r"\operatorname{softmax}(X W X^\top) Y", softmax(X @ W @ X.T) @ Y, softmax(X @ W.T @ X.T) @ Y),
    Case(r"\operatorname{softmax}(C)^\top X", softmax(C).T @ X, softmax(C.T) @ X),
    Case(r"\operatorname{softmax}(u)", softmax(u), softmax(w)),
    Case(r"f(A X)", f(A @ X), A @ f(X)),
    Case(r"f(a)", f(3), 3),
    Case(r"\operatorname{softmax}\left(\frac{A}{\sqrt d}\right)_{st}", softmax(A / np.sqrt(2)), softmax(A).T, "st"),
]
KRONECKER = [
    Case(r"A \otimes W", np.kron(A, W), np.kron(W, A)),
    Case(r"A ⊗ W", np.kron(A, W), np.kron(W, A)),
    Case(r"A C \otimes W Q", np.kron(A @ C, W @ Q), np.kron(C @ A, W @ Q)),
    Case(r"(A \otimes W)(C \otimes Q)", np.kron(A @ C, W @ Q), np.kron(A @ C, Q @ W)),
    Case(r"A \otimes W + C \otimes Q", np.kron(A, W) + np.kron(C, Q), np.kron(A, W + Q)),
    Case(r"(A \otimes W) X", AXW, A @ X @ W),
    Case(r"(A \otimes W) \operatorname{vec} X", AXW.reshape(-1), AXW.T.reshape(-1)),
    Case(r"(A \otimes W) \operatorname{vec}(X)", AXW.reshape(-1), AXW.T.reshape(-1)),
    Case(r"(A \otimes P) \operatorname{vec}(X W_1^\top)", (A @ X @ W1.T @ P.T).reshape(-1), (A @ X @ W1.T @ P.T).T.reshape(-1)),
    Case(r"(A \otimes W_1) X", A @ X @ W1.T, A.T @ X @ W1.T),
    Case(r"(\mathrm{Id} \otimes W)(A \otimes \mathrm{Id}) X", AXW, X @ W.T),
    Case(r"(\mathrm{Id} \otimes W)(A \otimes \mathrm{Id})", np.kron(A, W), np.kron(W, A)),
    Case(r"(I \otimes W_1) (A \otimes I_d)", np.kron(A, W1), np.kron(W1, A)),
    Case(r"\left(\mathrm{Id} + A \otimes W\right) X", X + AXW, AXW),
    Case(r"(A \otimes W)(C \otimes Q) X", A @ C @ X @ (W @ Q).T, C @ A @ X @ (W @ Q).T),
    Case(r"\operatorname{diag}(u)(A \otimes W) X", u[:, None] * AXW, AXW),
    Case(r"A \otimes W \otimes C", np.kron(np.kron(A, W), C), np.kron(A, np.kron(C, W))),
    Case(r"x \otimes u", np.kron(x, u), np.kron(u, x)),
    Case(r"(A \otimes W)^\top X", A.T @ X @ W, AXW),
    Case(r"\operatorname{vec} X", X.reshape(-1), X.T.reshape(-1)),
    Case(r"\operatorname{vec}(A X W^\top)", AXW.reshape(-1), AXW.T.reshape(-1)),
    Case(r"A + \mathrm{Id}", A + I3, A + 1),
    Case(r"A + 2 I", A + 2 * I3, A + 2),
    Case(r"a I_n - A", a * I3 - A, a - A),
    Case(r"A \mathbf{1}", A.sum(1), A.sum(0)),
    Case(r"\mathbf{1}^\top A", A.sum(0)[None], A.sum(1)[None]),
    Case(r"X + \mathbf{1} x^\top", X + x, X + 1),
    Case(r"X + \mathbf 1 x^\top W", X + x @ W, X + W @ x),
    Case(r"\operatorname{tr} I_d", d, n),
    Case(r"\mathbf{1}^\top \mathbf{1}_n", n, d),
    Case(r"A - 0", A, -A),
]
INDICES = [
    Case("x_i", x, y, "i"),
    Case("(W x)_i", W @ x, W.T @ x, "i"),
    Case("W_{ij} x_i y_j", np.outer(x, y) * W, np.outer(y, x) * W, "ij"),
    Case("W_{ij}", W.T, W, "ji"),
    Case("W_{i,j}", W, W.T, "ij"),
    Case("W_{0,1}", W[0, 1], W[1, 0]),
    Case("W_{0 1}", W[0, 1], W[1, 0]),
    Case("X_s", X, Y, "s"),
    Case("(A X)_s", A @ X, X, "s"),
    Case("(A X)_{s p}", A @ X, X, "sp", "p in d"),
    Case(r"W X_s", X @ W.T, X @ W, "s"),
    Case(r"X_s^\top W X_t", X @ W @ X.T, X @ W.T @ X.T, "st"),
    Case(r"\sum_j W_{ij} x_j", W @ x, W.T @ x, "i"),
    Case(r"\sum_{j} W_{ij} x_j + y_i", W @ x + y, W @ x + d * y, "i"),
    Case(r"\sum_{i,j} x_i W_{ij} y_j", x @ W @ y, y @ W @ x),
    Case(r"\sum_{ij} W_{ij}^2", np.sum(W**2), np.trace(W @ W)),
    Case(r"\sum_i \sum_j W_{ij}", W.sum(), np.trace(W)),
    Case(r"\sum_i x_i \sum_i y_i", x.sum() * y.sum(), x @ y),
    Case(r"\left(\sum_i x_i\right)\left(\sum_i y_i\right)", x.sum() * y.sum(), x @ y),
    Case(r"\sum_{i=1}^{d} x_i", x.sum(), x[1:].sum()),
    Case(r"\sum_{i=0}^{d-1} x_i y_i", x @ y, x[0] * y[0]),
    Case(r"\sum_{i \in d} x_i", x.sum(), x[0]),
    Case(r"\sum_{s \in [n]} X_{si}", X.sum(0), Y.sum(0), "i"),
    Case(r"\sum_{s,t \in n} A_{st} X_{ti}", (A @ X).sum(0), (A.T @ X).sum(0), "i"),
    Case(r"\sum_{jk} B_{ijk} x_j y_k", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y), "i"),
    Case(r"\sum_{j} B_{ijk} x_j", contract("ijk,j->ik", B, x), contract("ijk,k->ij", B, x), "ik"),
    Case("B_{ijk}", B.transpose(0, 2, 1), B, "ikj"),
    Case("B_i", B, B.transpose(0, 2, 1), "i"),
    Case("B_{ij}", B, B.transpose(0, 2, 1), "ij"),
    Case("x^T B_i y", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y), "i"),
    Case("B(x, y)", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y)),
    Case("B(x, y)_i", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y), "i"),
    Case("B(X, Y)", contract("ijk,sj,sk->si", B, X, Y), contract("ijk,sk,sj->si", B, X, Y)),
    Case("W(x, y)", x @ W @ y, y @ W @ x),
    Case(
        r"B(\operatorname{vec} X, \operatorname{vec} Y)",
        contract("ijk,sj,sk->si", B, X, Y).reshape(-1),
        contract("ijk,sk,sj->si", B, X, Y).reshape(-1),
    ),
    Case("B(W x + y, x)", contract("ijk,j,k->i", B, W @ x + y, x), contract("ijk,j,k->i", B, W @ x, x)),
    Case(r"x \cdot_{12} B \cdot_{21} y", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y)),
    Case(r"B \cdot_{3,1} x", contract("ijk,k->ij", B, x), contract("ijk,j->ik", B, x)),
    Case(r"T \cdot_{31} B", np.tensordot(T, B, (2, 0)), np.tensordot(B, T, (0, 2))),
    Case(r"W_1 \cdot_{21} x", W1 @ x, W2 @ x),
    Case(r"W_1 \cdot_{12} P", W1.T @ P.T, (W1 @ P)[:d, :d]),
    Case(r"\delta_{ij} x_j", np.diag(x), np.outer(x, x), "ij"),
    Case(r"\sum_j \delta_{ij} x_j", x, x.sum() * np.ones(d), "i"),
    Case(r"\sum_{tu} \delta_{stu} X_{tj} Y_{uj}", X * Y, Y, "sj"),
    Case(r"\delta_{i0} x_i", x * [1, 0], x * [0, 1], "i"),
    Case(r"A_{ss}", np.diag(A), A[0], "s"),
    Case(r"\sum_s A_{ss}", np.trace(A), A.sum()),
    Case(r"\left(\sum_j B_{ijk} x_j\right)_{ik} y", contract("ijk,j,k->i", B, x, y), contract("ijk,k,j->i", B, x, y)),
    Case(r"(A_{st} u_t)_{st} X", (A * u) @ X, (A.T * u) @ X),
    Case(r"X_{s1} - 2 X_{s0}", X[:, 1] - 2 * X[:, 0], X[:, 0] - 2 * X[:, 1], "s"),
    Case(r"x_{i'} W_{i'j}", x[:, None] * W, x * W, "pj"),
    Case(r"\sum_{i'} x_{i'} W_{i'j}", x @ W, W @ x, "j"),
    Case(r"\exp(C_{st}) / \sum_{r} \exp(C_{sr})", softmax(C), softmax(C.T).T, "st", "s, t in n"),
    Case(r"x_i^2 y_i", x**2 * y, x * y**2, "i"),
    Case(r"(x_i)^2 + x_i", x**2 + x, 2 * x, "i"),
]
FAMILIES = [
    Case("F^h X", F @ X, F.transpose(0, 2, 1) @ X, "h"),
    Case(r"\sum_h F^h X W_{OV}^{h\top}", sum(F @ X @ OV.transpose(0, 2, 1)), sum(F @ X @ OV)),
    Case(r"\sum_{h \in H} F^h X W_{OV}^{h \top}", sum(F @ X @ OV.transpose(0, 2, 1)), sum(F @ X @ OV)),
    Case(r"\sum_h F^h X (W_{OV}^h)^\top", sum(F @ X @ OV.transpose(0, 2, 1)), sum(F @ X @ OV)),
    Case(r"\sum_{h=1}^{H} F^h \otimes W_{OV}^h", sum(map(np.kron, F, OV)), np.kron(F.sum(0), OV.sum(0))),
    Case(
        r"\left(\mathrm{Id} + \sum_h F^h \otimes W_{OV}^h\right) X", X + sum(F @ X @ OV.transpose(0, 2, 1)), X + sum(F @ X @ OV)
    ),
    Case(r"\sum_{h, g} F^h F^g X", F.sum(0) @ F.sum(0) @ X, sum(F @ F @ X)),
    Case(r"\sum_h \sum_g W_{OV}^g W_{OV}^h x", OV.sum(0) @ OV.sum(0) @ x, sum(OV @ OV @ x)),
    Case("F^0 F^1 - F^{1} F^{0}", F[0] @ F[1] - F[1] @ F[0], F[1] @ F[0] - F[0] @ F[1]),
    Case(r"\sum_{g} F^g_{st}", F.sum(0), F.sum(0).T, "st"),
    Case("F^3_{0,2}", F[3, 0, 2], F[3, 2, 0]),
    Case(r"\prod_{l=0}^{2} F^l", F[0] @ F[1] @ F[2], F[2] @ F[1] @ F[0]),
    Case("F^{1} F^{2} X", F[1] @ F[2] @ X, F[0] @ F[1] @ X),
    Case("v_l", V, V[::-1], "l"),
    Case(r"\sum_l \lambda_l v_l v_l^\top", (V.T * lam) @ V, V.T @ V),
    Case(r"\sum_l \lambda_l (v_l^\top x)^2", np.sum(lam * (V @ x) ** 2), np.sum(lam * (V @ x)) ** 2),
    Case(r"x^\top \Bigl( \sum_{l} \lambda_l v_l v_l^\top \Bigr) y", x @ (V.T * lam) @ V @ y, x @ V.T @ V @ y),
    Case("v_2 + v_0", V[2] + V[0], V[1] + V[2]),
    Case("(v_l)_i", V, V + 1, "li"),
    Case(r"\sum_{l, i} (v_l)_i \lambda_l", V.T @ lam @ np.ones(d), V.sum()),
    Case(r"v_{l} v_{p}^\top", contract("li,pj->lpij", V, V), contract("li,pj->lpji", V, V), "lp", "p in k"),
    Case(r"\operatorname{tr}(F^h F^g)", contract("hij,gji->hg", F, F), contract("hij,gij->hg", F, F), "hg"),
]
BLOCKS = [
    Case(r"\begin{pmatrix} W & x \end{pmatrix}", np.hstack([W, x[:, None]]), np.hstack([x[:, None], W])),
    Case(r"\begin{pmatrix} x \\ 1 \end{pmatrix}", np.append(x, 1), np.append(1, x)),
    Case(r"\begin{bmatrix} W_1 & b \end{bmatrix} \begin{bmatrix} x \\ 1 \end{bmatrix}", W1 @ x + b, W1 @ x),
    Case(
        r"\left[\begin{matrix} W_1 & b \\ 0 & 1 \end{matrix}\right]",
        np.block([[W1, b[:, None]], [np.zeros((1, 2)), np.ones((1, 1))]]),
        np.block([[W1, b[:, None]], [np.ones((1, 2)), np.ones((1, 1))]]),
    ),
    Case(
        r"\begin{pmatrix} A & X \\ X^\top & 0 \end{pmatrix}",
        np.block([[A, X], [X.T, np.zeros((2, 2))]]),
        np.block([[A, X], [X.T, I2]]),
    ),
    Case(r"\begin{pmatrix} A & \mathrm{Id} \end{pmatrix} \begin{pmatrix} X \\ Y \end{pmatrix}", A @ X + Y, A @ Y + X),
    Case(r"\begin{pmatrix} 1 & a \\ 0 & -1 \end{pmatrix} z", [x[0] + a * x[1], -x[1]], [x[0], a * x[0] - x[1]], "", "z : 2"),
    Case(r"\begin{smallmatrix} 1 \\ 2 \end{smallmatrix}", [1, 2], [2, 1]),
    Case(r"\left[\begin{array}{cc} 1 & 2 \\ 3 & 4 \end{array}\right]", [[1, 2], [3, 4]], [[1, 3], [2, 4]]),
    Case(r"\begin{pmatrix} W_1 \\ W_2 \end{pmatrix} x", np.append(W1 @ x, W2 @ x), np.append(W2 @ x, W1 @ x)),
    Case(r"\begin{pmatrix} x^\top W \\ y^\top \end{pmatrix}", np.array([x @ W, y]), np.array([W @ x, y])),
]
LAYOUT = [
    Case(r"\left( A + C \right) X", (A + C) @ X, A + C @ C),
    Case(r"\bigl( A + C \bigr) X", (A + C) @ X, A + C @ C),
    Case(r"\Big[ A + C \Big] X", (A + C) @ X, A + C @ C),
    Case(r"\left\{ A + C \right\} X", (A + C) @ X, A + C @ C),
    Case(r"\{A + C\} X", (A + C) @ X, A + C @ C),
    Case(r"\lbrack A + C \rbrack X", (A + C) @ X, A + C @ C),
    Case(r"{A} {X}", A @ X, A.T @ X),
    Case(r"\boxed{A X}", A @ X, A.T @ X),
    Case(r"\underbrace{A X}_{\text{moved}} W^\top", AXW, A @ X @ W),
    Case(r"\displaystyle A ~ X \quad", A @ X, A.T @ X),
    Case("A % then\n X", A @ X, A.T @ X),
    Case(r"\mathbf{A} \mathbf{X}", A @ X, A.T @ X),
    Case(r"\boldsymbol{x}^\top \bm{y}", x @ y, x @ x),
]
CASES = [*PRODUCTS, *POWERS, *ELEMENTWISE, *KRONECKER, *INDICES, *FAMILIES, *BLOCKS, *LAYOUT]


def read(case: Case) -> np.ndarray:
    """The value of what the reader makes of a case; a column is a vector where one was meant."""
    expected = np.asarray(case.value)
    expr = sc.read_latex(case.text, SYMBOLS + case.more)
    names = [symbol for letter in case.free for symbol in free_symbols(expr, letter)]
    found = np.asarray(over_places(expr, names, expected.shape, KNOWN) if case.free else value(expr, KNOWN))
    is_column = found.ndim == expected.ndim + 1 and found.shape[-1] == 1
    return found[..., 0] if is_column else found


def free_symbols(expr: object, letter: str) -> list[object]:
    """The index of that letter in an expression; p stands for i with a prime where there is no p."""
    wanted = {"p": ("p", "iprime")}.get(letter, (letter,))
    return [symbol for symbol in expr.free_symbols if getattr(symbol, "name", "") in wanted and symbol.is_nonnegative]


@pytest.mark.parametrize("case", CASES, ids=[case.text for case in CASES])
def test_value(case: Case) -> None:
    found, expected, miss = read(case), np.asarray(case.value), np.asarray(case.miss)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-12, atol=1e-9)
    assert miss.shape != expected.shape or not np.allclose(miss, expected, rtol=1e-6, atol=1e-6)
