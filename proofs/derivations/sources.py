"""The derivations of this folder: from which expression to which, in which steps, and what is said about them.

``python proofs/derivations/make.py`` writes the documents anew. Statements have the letters and numbers of the sources in
parentheses only where the source prints the formula.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import HadamardProduct, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol, Symbol, Trace
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement, ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.derivation.rules import (
    CollectTerms,
    Distribute,
    ExchangeInputs,
    Substitute,
    Symmetrise,
    ToIndex,
)
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, e, m, V, H = (Symbol(name, integer=True, positive=True) for name in "ndemVH")
h, g, s, i = (Symbol(name, integer=True, nonnegative=True) for name in "hgsi")
A, W_OV = MatrixFamily("A", H, n, n), MatrixFamily("W_OV", H, d, d)
ELHAGE = "Elhage et al. 2021, A Mathematical Framework for Transformer Circuits"
OVER_H, OVER_G = (h, 0, H - 1), (g, 0, H - 1)


@dataclass(frozen=True)
class Section:
    """One derivation and what is said before it."""

    title: str
    text: str
    derivation: sc.Derivation
    activations: tuple[str, ...] = ()
    detail: str = "main"  # which steps are shown


@dataclass(frozen=True)
class Document:
    """Several derivations on one subject."""

    name: str  # of the file
    title: str
    text: str
    source: str
    letters: dict[str, str]  # meanings that no model gives
    sections: tuple[Section, ...]


def documents() -> Iterator[Document]:
    """All documents."""
    yield attention_only()
    yield query_key_circuits()
    yield spectra()
    yield attention_and_bilinear()
    yield biases()


def attention_only() -> Document:
    """One head to three layers of heads."""
    P, R, X = MatrixSymbol("P", n, n), MatrixSymbol("R", n, n), MatrixSymbol("X", n, d)
    W, W_2 = MatrixSymbol("W", d, d), MatrixSymbol("W_2", d, d)
    W_O, W_V = MatrixSymbol("W_O", d, e), MatrixSymbol("W_V", e, d)
    I_n, I_d, I_e = Identity(n), Identity(d), Identity(e)
    head = KroneckerProduct(I_n, W_O) * KroneckerProduct(P, I_e) * KroneckerProduct(I_n, W_V)
    return Document(
        "attention-only",
        "Attention-only transformers",
        "With attention patterns held fixed, a transformer without MLPs is linear in its tokens. Multiplied out, it is a sum "
        "over paths: each passes through some heads, and is an attention pattern on positions tensor a product of weights.",
        ELHAGE,
        {
            "X": "a sequence, one row a position",
            "P": "attention pattern of a head",
            "R": "attention pattern of a later head",
            "W": "weights of a head",
            "W_2": "weights of a later head",
            "W_O": "output projection of a head",
            "W_V": "value projection of a head",
        },
        (
            Section(
                "One head is a tensor product",
                "A head with the pattern $P$ computes values, moves them between positions with its pattern, and projects the result back. The three "
                "operators act on different axes, so that the mixed product makes them one.",
                sc.derive(head, KroneckerProduct(P, W_O * W_V)),
            ),
            Section(
                "Left and right multiplication",
                "Acting on the rows of a sequence, the operator is multiplication from both sides.",
                sc.derive(Vec(P * X * W.T), KroneckerProduct(P, W) * Vec(X)),
                ("X",),
            ),
            Section(
                "Per-position maps commute with attention",
                "What acts on every position alike commutes with what moves information between positions.",
                sc.derive(
                    KroneckerProduct(I_n, W) * KroneckerProduct(P, I_d), KroneckerProduct(P, I_d) * KroneckerProduct(I_n, W)
                ),
            ),
            Section(
                "Two heads in sequence are one virtual head",
                "Patterns multiply, and so do the weights.",
                sc.derive(KroneckerProduct(R, W_2) * KroneckerProduct(P, W), KroneckerProduct(MatMul(R, P), MatMul(W_2, W))),
            ),
            Section("No layer", "The direct path.", sc.derive("")),
            Section(
                "One layer",
                "The direct path, which knows bigrams, and one term for each head: its pattern says where information moves, and its circuit "
                r"$W_U W_{OV}^h W_E$, of size $V \times V$ and of rank at most $e$, what a token there does to the logits.",
                sc.derive("attn(H)"),
            ),
            Section(
                "Two layers",
                "Besides the direct path and single heads there are virtual heads: a head of the second layer after one of the "
                "first. In all $(1 + H_0)(1 + H_1)$ terms.",
                sc.derive("attn(H_0) attn(H_1)"),
            ),
            Section(
                "Three layers",
                "Eight classes of paths; later layers stand on the left, and a path may skip a layer.",
                sc.derive("attn(H_0) attn(H_1) attn(H_2)"),
            ),
        ),
    )


def query_key_circuits() -> Document:
    """The scores of a head, in the first layer and in the second."""
    t, X_0, X_1 = MatrixSymbol("t", n, V), MatrixSymbol("X_0", n, d), MatrixSymbol("X_1", n, d)
    W_E, W_QK = MatrixSymbol("W_E", d, V), MatrixSymbol("W_QK", d, d)
    heads = MatrixSum(MatMul(A[h], X_0, W_OV[h].T), OVER_H)
    pairs = MatAdd(
        MatMul(t, W_E.T, W_QK, W_E, t.T),
        MatrixSum(MatMul(A[h], t, W_E.T, W_OV[h].T, W_QK, W_E, t.T), OVER_H),
        MatrixSum(MatMul(t, W_E.T, W_QK, W_OV[h], W_E, t.T, A[h].T), OVER_H),
        MatrixSum(MatMul(A[h], t, W_E.T, W_OV[h].T, W_QK, W_OV[g], W_E, t.T, A[g].T), OVER_H, OVER_G),
    )
    between = MatAdd(
        MatMul(X_0, W_QK, X_0.T),
        MatrixSum(MatMul(A[h], X_0, W_OV[h].T, W_QK, X_0.T), OVER_H),
        MatrixSum(MatMul(X_0, W_QK, W_OV[h], X_0.T, A[h].T), OVER_H),
        MatrixSum(MatMul(A[h], X_0, W_OV[h].T, W_QK, W_OV[g], X_0.T, A[g].T), OVER_H, OVER_G),
    )
    second = sc.derive(MatMul(X_1, W_QK, X_1.T), between, given={X_1: X_0 + heads})
    third = sc.derive(between, pairs, given={X_0: t * W_E.T})
    return Document(
        "query-key-circuits",
        "Query-key circuits",
        "Before the softmax the scores of a head are a bilinear form of the residual stream with itself. They expand into pairs "
        "of paths: one on the side of the query, one on the side of the key.",
        ELHAGE,
        {
            "X_0": "residual stream before the first layer",
            "X_1": "residual stream after it",
            "t": "one-hot tokens, one row a position",
            "W_E": "embedding",
            "W_QK": "query-key circuit of the head whose scores these are",
            "A": "attention patterns of the first layer",
            "W_OV": "output-value circuits of the first layer",
        },
        (
            Section(
                "First layer",
                r"In the first layer both sides are embedded tokens. The scores are $t \, C \, t^\top$ with the circuit "
                r"$C = W_E^\top W_{QK} W_E$ of size $V \times V$.",
                sc.derive(MatMul(X_0, W_QK, X_0.T), MatMul(t, W_E.T, W_QK, W_E, t.T), given={X_0: t * W_E.T}),
                ("t", "X_0"),
            ),
            Section(
                "Second layer",
                "After a layer of heads there are four kinds of pairs, $(1 + H)^2$ pairs in all: the head on the side of the query "
                "and the one on the side of the key vary independently. A pattern on the side of the query stands at the left, one "
                "on the side of the key at the right and transposed. The factors in the middle are the circuits of Q-, K- and "
                "QK-composition.",
                second,
                ("X_0", "X_1"),
            ),
            Section(
                "Second layer, from the tokens",
                r"With embedded tokens in place of $X_0$ each term is $A_q \, t \, C \, t^\top A_k^\top$ with a circuit $C$ of size "
                r"$V \times V$. The source writes it $A_q \otimes A_k \otimes C$, a pattern being the identity where there is none.",
                third,
                ("X_0", "t"),
            ),
        ),
    )


def spectra() -> Document:
    """Traces, power sums and singular values of a product of low rank."""
    F, G = MatrixSymbol("F", V, e), MatrixSymbol("G", e, V)
    P, D, C = MatrixSymbol("P", V, V), MatrixSymbol("D", V, V), MatrixSymbol("C", e, e)
    left = [MatrixSymbol("U_F", V, e), MatrixSymbol("S_F", e, e), MatrixSymbol("V_F", e, e)]
    right = [MatrixSymbol("U_G", e, e), MatrixSymbol("S_G", e, e), MatrixSymbol("V_G", e, V)]
    middle = [MatrixSymbol("U_C", e, e), MatrixSymbol("S_C", e, e), MatrixSymbol("V_C", e, e)]
    core = MatMul(*left[1:], *right[:2])
    f_1, f_2, f = MatrixSymbol("f_1", V, V), MatrixSymbol("f_2", V, V), ArraySymbol("f", (V, V, V))
    a, b, c, b_1, c_1 = (Symbol(name, integer=True, nonnegative=True) for name in ("a", "b", "c", "b_1", "c_1"))
    entry = lambda *indices: ArrayElement(f, indices)  # noqa: E731
    return Document(
        "spectra-of-circuits",
        "Spectra of circuits",
        "Seen from the tokens, the circuit of a head is a large matrix of low rank. What one asks of it - trace, eigenvalues, "
        "singular values - is that of a small one.",
        ELHAGE,
        {
            "f": "skip-trigram",
            "f_1": "its two factors",
            "f_2": "",
            "P": "eigenvectors",
            "D": "eigenvalues on the diagonal",
            "F": "left factor of a circuit",
            "G": "right factor",
            "C": "core",
        },
        (
            Section(
                "Skip-trigrams that factor have bugs",
                "A skip-trigram $f$ that is a product of two functions, both of the destination $a$, cannot raise two of its "
                "entries without the two that cross them.",
                sc.derive(
                    entry(a, b, c) * entry(a, b_1, c_1),
                    entry(a, b, c_1) * entry(a, b_1, c),
                    given={f: sc.contract("ab,ac->abc", f_1, f_2)},
                ),
                detail="every",
            ),
            Section(
                "The sum of the eigenvalues",
                "With eigenvectors in $P$ and eigenvalues on the diagonal of $D$, the trace does not see the basis.",
                sc.derive(Trace(MatMul(P, D, P.I)), Trace(D)),
            ),
            Section(
                "The spectrum of the circuit is that of its core",
                r"$F G$ is $V \times V$ and $G F$ is $e \times e$. Their power sums agree, here the second one, and so do their "
                "nonzero eigenvalues.",
                sc.derive(Trace((F * G) ** 2), Trace((G * F) ** 2)),
            ),
            Section(
                "The core of a product",
                "With the singular value decompositions of the factors at hand, what is between the outer ones is small.",
                sc.Derivation.begin(MatMul(F, G), given={F: MatMul(*left), G: MatMul(*right), C: core})
                .then(Substitute(F, MatMul(*left)), at=(0,), stage="substitute")
                .then(Substitute(G, MatMul(*right)), at=(3,), stage="substitute")
                .then(Substitute(C, core), at=(1,), backwards=MatMul(left[0], C, right[2])),
            ),
            Section(
                "Singular values of a product",
                r"Decomposing $C$, which is $e \times e$, gives the decomposition of the product: singular values in $S_C$, singular "
                r"vectors $U_F U_C$ and $V_C V_G$.",
                sc.derive(MatMul(left[0], C, right[2]), MatMul(left[0], *middle, right[2]), given={C: MatMul(*middle)}),
            ),
        ),
    )


def attention_and_bilinear() -> Document:
    """A layer of attention followed by a bilinear layer."""
    x_0, x_1 = MatrixSymbol("x_0", n * d, 1), MatrixSymbol("x_1", n * d, 1)
    B, S = ArraySymbol("B", (d, d, d)), ArraySymbol("S", (d, d, d))
    X = MatrixSymbol("X", n, d)
    W_1, W_2, W_out = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d), MatrixSymbol("W_out", d, m)
    stream = MatAdd(x_0, MatrixSum(KroneckerProduct(A[h], W_OV[h]) * x_0, OVER_H))
    interaction = (
        sc.Derivation.begin(ApplyBilinear(B, x_1, x_1), given={x_1: stream})
        .then(Substitute(x_1, stream), at=(1,), stage="substitute")
        .then(Substitute(x_1, stream), at=(2,), stage="substitute")
        .then(Distribute())
    )
    heads = [MatMul(A[k], X, W_OV[k].T) for k in (h, g)]
    pair = MatMul(HadamardProduct(MatMul(heads[0], W_1.T), MatMul(heads[1], W_2.T)), W_out.T)
    tensor = {B: sc.contract("ip,pj,pk->ijk", W_out, W_1, W_2)}
    written_out = sc.Derivation.begin(MatrixElement(pair, s, i), given=tensor).then(ToIndex(((B, W_1, W_2, W_out),)))
    symmetric = {S: sc.contract("ijk->ijk", B) / 2 + sc.contract("ikj->ijk", B) / 2}
    merged = (
        sc.Derivation.begin(ApplyBilinear(B, x_1, x_1), given=[{x_1: stream}, symmetric])
        .then(Symmetrise(B, S))
        .then(Substitute(x_1, stream), at=(1,), stage="substitute")
        .then(Substitute(x_1, stream), at=(2,), stage="substitute")
        .then(Distribute())
    )
    merged = merged.then(ExchangeInputs(S), at=(2, 0), stage="collect equal terms")
    merged = merged.then(CollectTerms(), stage="collect equal terms")
    return Document(
        "attention-then-bilinear",
        "Attention, then a bilinear layer",
        "A bilinear layer is a product of two linear maps of the stream, so that it is a tensor of order three applied twice to it. "
        "After attention the stream is a sum, and the layer pairs its summands. With attention patterns held fixed all of this is "
        "exact; norms and biases are left out.",
        "Sharkey 2023, A technical note on bilinear layers for interpretability, arXiv 2305.03452",
        {"S": "symmetric part of the layer", "X": "residual stream, one row a position"},
        (
            Section(
                "The layer at a sum of paths",
                "What comes by the residual stream and what comes through the heads are paired in every way, all at the position "
                "that is read.",
                interaction,
            ),
            Section(
                "Two heads, two source positions",
                "The last summand written out for two heads $h$ and $g$: each head brings its information from a source position of "
                "its own.",
                written_out,
                ("X",),
            ),
            Section(
                "Logits",
                "With embedding and unembedding: the direct path, $H$ heads, and $(1 + H)^2$ paths through the layer; "
                "$(1 + H)(2 + H)$ terms.",
                sc.derive("attn(H) bilinear"),
            ),
            Section(
                "A symmetric layer",
                r"At equal inputs only the part $S$ of $B$ that is symmetric in its inputs counts. Two paths that differ in which "
                "input they take are then one term, with a factor 2: $(1 + H)(2 + H)/2$ paths through the layer.",
                merged,
            ),
        ),
    )


def biases() -> Document:
    """A bilinear layer with biases."""
    W, U = MatrixSymbol("W", m, d), MatrixSymbol("V", m, d)
    b, c, x = MatrixSymbol("b", m, 1), MatrixSymbol("c", m, 1), MatrixSymbol("x", d, 1)
    parts = [(W * x, U * x), (c, W * x), (b, U * x), (c, b)]
    return Document(
        "biases",
        "A bilinear layer with biases",
        "With biases the layer is affine in each of its inputs.",
        "Pearce et al. 2024, Bilinear MLPs enable weight-based mechanistic interpretability, arXiv 2410.08417, appendix",
        {"W": "left weights", "V": "right weights", "b": "left bias", "c": "right bias", "x": "input"},
        (
            Section(
                "Interaction, linear and constant part",
                "Multiplied out it has an interaction part, quadratic in $x$; two linear parts, one for each bias; and a constant.",
                sc.derive(
                    HadamardProduct(W * x + b, U * x + c), MatAdd(*(HadamardProduct(left, right) for left, right in parts))
                ),
            ),
        ),
    )
