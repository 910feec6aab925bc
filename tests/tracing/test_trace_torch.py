"""PyTorch's functions and methods on traced arrays."""

import functools

import numpy as np
import pytest
from requirements import require
from traced_cases import traced_and_numbers

from symbolic_circuits.errors import TraceError
from symbolic_circuits.tracing.trace import trace


def torch_attention(X, WQ, WK, WV, width):
    import torch

    q, key, v = ((X @ M.T).view(X.size(0), -1, width).transpose(0, 1) for M in (WQ, WK, WV))
    scores = torch.einsum("hsk,htk->hst", q, key) / width**0.5
    return torch.matmul(torch.softmax(scores, dim=-1), v).permute(1, 0, 2).reshape(X.shape[0], -1)


def torch_parts(X, W):
    import torch
    from torch.nn import functional

    first, second = torch.cat([X @ W, X], dim=1).chunk(2, dim=-1)
    return functional.relu(first) * second.sum(dim=0, keepdim=True) + torch.stack([X, X]).mean(dim=0)


def torch_constants(X):
    import torch

    weight = torch.tensor([[1.0, 2.0], [0.5, 0.0]], dtype=torch.float64)
    return torch.nn.functional.linear(X, weight) + weight[0] * X + weight @ X.mT @ X


TORCH = {
    "attention": (torch_attention, dict.fromkeys(("WQ", "WK", "WV"), "H*k x d")),
    "parts": (torch_parts, {}),
    "constants": (torch_constants, {"X": "2 x 2"}),
}


@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str):
    require("torch")
    import torch

    function, shapes = TORCH[name]

    @functools.wraps(function)
    def on_numbers(**arguments):
        arrays = {key: torch.tensor(one) if isinstance(one, np.ndarray) else one for key, one in arguments.items()}
        traced = any(not isinstance(one, torch.Tensor | int) for one in arrays.values())
        return function(**arguments) if traced else function(**arrays).numpy()

    _, got, expected = traced_and_numbers(on_numbers, shapes)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def test_torch_in_place_and_unknown():
    require("torch")
    import torch

    for function, message in [
        (lambda X: X.add_(1), "in place"),
        (lambda X: torch.nn.functional.relu(X, inplace=True), "inplace"),
        (lambda X: torch.nn.functional.softmax(X), "without an axis"),
        (lambda X: torch.nn.functional.gelu(X, approximate="tanh"), "approximate"),
        (lambda X: torch.sort(X), "branches on data"),
        (lambda X: torch.randn(2) + X, "random numbers"),
        (lambda X: X.softmax(-1).argmax(), "data"),
    ]:
        with pytest.raises(TraceError, match=message):
            trace(function, X="n x 2")
