"""The reference forward pass against PyTorch, position by position where the definition is, and its attention patterns."""

import numpy as np
from requirements import require

import symbolic_circuits as sc
from symbolic_circuits.numeric.reference import causal_softmax, forward


def test_patterns_are_causal_distributions() -> None:
    weights = sc.Weights.random("attn(3)", seed=0)
    pattern = sc.freeze(weights, [1, 2, 3, 4]).patterns[0]
    assert pattern.shape == (3, 4, 4)
    assert np.allclose(pattern.sum(-1), 1) and (np.triu(pattern, 1) == 0).all() and (pattern >= 0).all()


def test_large_scores_do_not_overflow() -> None:
    x = np.array([[1000.0], [-1000.0]])
    assert np.isfinite(causal_softmax(x, np.ones((1, 1, 1)), np.ones((1, 1, 1)))).all()


def test_later_tokens_do_not_matter() -> None:
    weights = sc.Weights.random("attn(2) bilinear attn(2)|bilinear", seed=3)
    one, other = (forward(weights.model, weights.arrays, np.array(t)).output for t in ([1, 2, 3], [1, 2, 7]))
    assert np.array_equal(one[:2], other[:2]) and not np.allclose(one[2], other[2])


def test_a_block_left_out_adds_nothing() -> None:
    weights = sc.Weights.random("bilinear attn(2)", seed=3)
    direct = sc.Weights(sc.Transformer.parse("bilinear"), {k: a for k, a in weights.arrays.items() if "attn" not in k})
    tokens = np.array([1, 2, 3])
    cut = forward(weights.model, weights.arrays, tokens, without=(1,)).output
    assert np.allclose(cut, forward(direct.model, direct.arrays, tokens).output, rtol=1e-14)


def test_pytorch_agrees() -> None:
    require("torch")
    import torch

    torch.set_default_dtype(torch.float64)
    weights = sc.Weights.random("attn(2) (attn(3)|bilinear) bilinear(tied, no out, no residual)", d=6, V=7, e=4, m=5, seed=1)
    w = {name: torch.tensor(array) for name, array in weights.arrays.items()}
    tokens = torch.tensor([1, 6, 2, 2, 0])

    def heads(x: torch.Tensor, block: int) -> torch.Tensor:
        out = torch.zeros_like(x)
        for W_Q, W_K, W_V, W_O in zip(*(w[f"attn.{block}.W_{letter}"] for letter in "QKVO"), strict=True):
            mixed = torch.nn.functional.scaled_dot_product_attention(x @ W_Q.T, x @ W_K.T, x @ W_V.T, is_causal=True)
            out = out + mixed @ W_O.T
        return out

    def bilinear(x: torch.Tensor, block: int) -> torch.Tensor:
        left, right, out = (w[f"bilinear.{block}.{name}"] for name in ("W_1", "W_2", "W_out"))
        return torch.nn.functional.linear(torch.nn.functional.linear(x, left) * torch.nn.functional.linear(x, right), out)

    x = torch.nn.functional.embedding(tokens, w["W_E"].T)
    x = x + heads(x, 0)
    x = x + heads(x, 1) + bilinear(x, 2)
    x = (x @ w["bilinear.3.W_1"].T) ** 2
    expected = (x @ w["W_U"].T).numpy()
    torch.set_default_dtype(torch.float32)
    assert np.allclose(forward(weights.model, weights.arrays, tokens.numpy()).output, expected, rtol=1e-12, atol=1e-13)
