"""Train the example: ``attn(2) bilinear`` on ``a + b = ? (mod p)``, tokens ``a b =``, the answer read at ``=``.

Run ``python -m symbolic_circuits.examples.train OUT.npz``; it needs the extra ``torch``. The forward pass is the one of the
package: no norm, no biases, no positional embedding, causal softmax attention over scores divided by sqrt(e).

| letter | meaning | here |
| --- | --- | --- |
| p, V | modulus; vocabulary: the residues and ``=`` | 31, p + 1 |
| n | positions | 3 |
| d, e, m | residual width, head width, hidden width | 64, 32, 128 |
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import numpy as np
import torch

from symbolic_circuits.examples.addition import all_pairs, answers, held_out_pairs, sequences
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["Recipe", "train"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every number that the run depends on."""

    model: str = "[n=3, d=64, V=32] attn(2, e=32) bilinear(m=128)"
    modulus: int = 31
    steps: int = 3000
    learning_rate: float = 3e-3
    weight_decay: float = 1.0
    seed: int = 1


def initial_parameters(recipe: Recipe) -> dict[str, torch.Tensor]:
    """Gaussian entries of variance 1 / (input width), in the layout of ``Weights``."""
    model = Transformer.parse(recipe.model)
    start = Weights.random(model, seed=recipe.seed)
    return {name: torch.tensor(array, dtype=torch.float32).requires_grad_() for name, array in start.arrays.items()}


def logits(w: dict[str, torch.Tensor], tokens: torch.Tensor) -> torch.Tensor:
    """Logits (batch, n, V) of ``attn bilinear`` on tokens (batch, n)."""
    x = w["W_E"].T[tokens]
    q, k, v = (torch.einsum("hea,bta->bhte", w[f"attn.0.W_{letter}"], x) for letter in "QKV")
    scores = torch.einsum("bhse,bhte->bhst", q, k) / q.shape[-1] ** 0.5
    later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    pattern = scores.masked_fill(later, -torch.inf).softmax(-1)
    x = x + torch.einsum("hae,bhst,bhte->bsa", w["attn.0.W_O"], pattern, v)
    x = x + ((x @ w["bilinear.1.W_1"].T) * (x @ w["bilinear.1.W_2"].T)) @ w["bilinear.1.W_out"].T
    return x @ w["W_U"].T


def training_batch(modulus: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens (pairs, 3) and answers (pairs,) of every pair that is not held out."""
    held = set(map(tuple, held_out_pairs(modulus).tolist()))
    kept = np.array([pair for pair in all_pairs(modulus).tolist() if tuple(pair) not in held])
    return torch.tensor(sequences(kept, modulus)), torch.tensor(answers(kept, modulus))


def train(recipe: Recipe, report: Callable[[str], None] = print) -> dict[str, np.ndarray]:
    """Full-batch AdamW on the cross entropy of the answer; returns float32 arrays in the layout of ``Weights``."""
    torch.manual_seed(recipe.seed)
    parameters = initial_parameters(recipe)
    tokens, targets = training_batch(recipe.modulus)
    optimizer = torch.optim.AdamW(
        parameters.values(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98)
    )
    for step in range(recipe.steps):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(1.0, (step + 1) / 50, 2.0 * (1 - step / recipe.steps))
        loss = torch.nn.functional.cross_entropy(logits(parameters, tokens)[:, -1, :], targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 500 == 0:
            report(f"step {step}: training loss {loss.item():.4g}")
    return {name: value.detach().numpy() for name, value in parameters.items()}


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--seed", default=Recipe().seed, show_default=True, help="Seed of the initial weights.")
@click.option("--steps", default=Recipe().steps, show_default=True, help="Steps of full-batch AdamW.")
def main(out: Path, seed: int, steps: int) -> None:
    """Train the example and write it to OUT (.npz or .safetensors)."""
    recipe = replace(Recipe(), seed=seed, steps=steps)
    arrays = train(recipe, report=click.echo)
    Weights(Transformer.parse(recipe.model), arrays).save(out)


if __name__ == "__main__":
    main()
