"""The blocks of a layer of TransformerLens, read off its keys and shapes; MLPs are gated, act(x W_gate) . (x W_in) + b_in, then W_out.

Biases that are zero in every layer are left out of the model: the format has them always.
"""

import math

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.spec import Attention, Bilinear, Block, Parallel

__all__ = ["ACTIVATIONS", "layer_blocks", "require_gated", "with_b_in_folded"]

ACTIVATIONS = {
    "identity": None,
    "silu": "silu",
    "relu": "relu",
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "sigmoid": "sigmoid",
}


def layer_blocks(state: State, settings: Settings, layers: int) -> tuple[Block | Parallel, ...]:
    """The blocks of every layer, as those of the first.

    Raises
    ------
    WeightsError
        A setting contradicts a shape, or the activation is not said.
    """
    if not layers:
        return ()
    attention = attention_block(state, settings, layers)
    if not any(key.startswith("blocks.0.mlp.") for key in state):
        return (attention,)
    settings.require("config={'act_fn': 'silu'} ('identity' for a bilinear layer)", "act_fn", why="the activation of the gate")
    act = settings.choice("act_fn", ACTIVATIONS)
    m = state.shape("blocks.0.mlp.W_gate", "d m")[1]
    mlp = Bilinear(m, biases=("b_out",) if is_used(state, "mlp.b_out", layers) else (), gate=ACTIVATIONS[act])
    return (Parallel((attention, mlp)),) if settings.flag("parallel_attn_mlp", default=False) else (attention, mlp)


def attention_block(state: State, settings: Settings, layers: int) -> Attention:
    """The attention block of every layer."""
    key = "blocks.0.attn.W_Q"
    heads, _, e = state.shape(key, "H d e")
    said = settings.count("n_head", "n_heads", default=heads)
    if said != heads:
        raise WeightsError(f"n_head={said}, but {key} has {heads} heads")
    is_scaled, by = settings.flag("use_attn_scale", default=True), settings.number("attn_scale", -1)
    if is_scaled and by != -1 and not math.isclose(by, math.sqrt(e), rel_tol=1e-6):
        raise WeightsError(
            f"attn_scale={by}: scores are divided by sqrt(e) = {math.sqrt(e):.6g} here, or by 1; multiply W_Q and b_Q by sqrt(e) / attn_scale"
        )
    biases = tuple(
        name for name in ("b_Q", "b_K", "b_V", "b_O") if any(is_used(state, f"attn.{p}{name}", layers) for p in ("", "_"))
    )
    return Attention(heads, e, biases=biases, score_scale=is_scaled)


def is_used(state: State, name: str, layers: int) -> bool:
    """Whether an array is there and not zero, in some layer."""
    return any(key in state and bool(state.array(key).any()) for key in (f"blocks.{l}.{name}" for l in range(layers)))  # noqa: E741


def require_gated(state: State, layers: int) -> None:
    """Raise WeightsError for MLPs without gate."""
    for key in (f"blocks.{layer}.mlp." for layer in range(layers)):
        if f"{key}W_in" in state and f"{key}W_gate" not in state:
            raise WeightsError(
                f"{key}W_in has no {key}W_gate: the MLP act(x W_in + b_in) W_out is neither bilinear nor gated and has no expansion; "
                "models that are attention-only, or whose MLPs have W_gate, W_in and W_out, can be loaded"
            )


def with_b_in_folded(state: State, layers: int) -> State:
    """The state with b_out + W_out b_in for b_out, and no b_in: (g . h + b_in) W_out + b_out = (g . h) W_out + (b_in W_out + b_out)."""
    new, gone = {}, []
    for key in (f"blocks.{layer}.mlp." for layer in range(layers)):
        if f"{key}b_in" not in state:
            continue
        gone.append(f"{key}b_in")
        b_in, W_out = state.array(f"{key}b_in"), state.array(f"{key}W_out")
        if b_in.shape != W_out.shape[:1] or W_out.ndim != 2:
            raise WeightsError(f"{key}b_in has shape {b_in.shape}, but {key}W_out has shape {W_out.shape}")
        if b_in.any():
            b_out = state.array(f"{key}b_out") if f"{key}b_out" in state else np.zeros(W_out.shape[1], W_out.dtype)
            new[f"{key}b_out"] = b_out + b_in @ W_out
    return state.with_arrays(new, gone)
