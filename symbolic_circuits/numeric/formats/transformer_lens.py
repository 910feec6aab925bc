"""TransformerLens ``HookedTransformer``: matrices act from the right, y = x W, axes in, out; here they act on columns.

Layer l has attention block 2l and, unless the model is attention-only, gated layer 2l + 1.

| key | shape | ours |
| --- | --- | --- |
| embed.W_E, pos_embed.W_pos | (V, d), (n_ctx, d) | W_E transposed; W_pos, added to the stream or (shortformer) to queries and keys |
| blocks.{l}.attn.W_Q, W_K, W_V | (H, d, e) | transposed; _W_K and _W_V of fewer heads are repeated |
| blocks.{l}.attn.W_O | (H, e, d) | transposed |
| blocks.{l}.attn.b_Q, b_K, b_V, b_O | (H, e), (d,) | where they are not zero in every layer |
| blocks.{l}.ln1, ln2, ln_final .w, .b | (d,) | norm.l.w, .b: LN has both, RMS only w, LNPre and RMSPre none |
| blocks.{l}.mlp.W_gate, W_in | (d, m) | W_1, W_2, transposed: act(x W_gate) . (x W_in) |
| blocks.{l}.mlp.W_out, b_out | (m, d), (d,) | W_out transposed; b_out |
| blocks.{l}.mlp.b_in | (m,) | comes after the product, so that b_out + W_out b_in is our b_out |
| unembed.W_U, b_U | (d, V), (V,) | W_U transposed; tied: W_E^T |
| blocks.{l}.attn.mask, IGNORE, rotary_sin, rotary_cos | | buffers |

Settings have the names of ``HookedTransformerConfig``: ``normalization_type``, ``eps``, ``use_attn_scale``, ``positional_embedding_type``,
``act_fn`` ("identity" for a bilinear layer), ``rotary_dim``, ``rotary_base``, ``rotary_adjacent_pairs``, ``parallel_attn_mlp``.
"""

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.planned import Arranged, Planned, head_or_tied, normalization_of
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.transformer_lens_blocks import ACTIVATIONS, layer_blocks, require_gated, with_b_in_folded
from symbolic_circuits.numeric.formats.transformer_lens_rotary import paired, unpaired
from symbolic_circuits.numeric.formats.transformer_lens_settings import (
    NORMS,
    POSITION_TYPES,
    norm_in,
    positions_of,
    require_supported,
    required_eps,
)
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat, layers_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Parallel, Transformer

__all__ = ["FORMAT", "arrange", "plan"]

FORMAT = "transformer-lens"
EMBED, POSITIONS, HEAD, OUTPUT_BIAS = "embed.W_E", "pos_embed.W_pos", "unembed.W_U", "unembed.b_U"
ATTENTION, MLP = "blocks.{l}.attn.", "blocks.{l}.mlp."
BUFFERS = tuple(f"blocks.*.attn.{name}" for name in ("mask", "IGNORE", "rotary_sin", "rotary_cos"))
NORM_KEYS = {"attn": "blocks.{l}.ln1", "mlp": "blocks.{l}.ln2", "end": "ln_final"}
BIASES = {"b_Q": "H e", "b_K": "H e", "b_V": "H e", "b_O": "d"}


def plan(state: State, settings: Settings) -> Planned:
    """The model of a state, where its arrays are, and the state with b_in moved and the coordinates that rotate paired.

    Raises
    ------
    WeightsError
        A setting is missing, the model has something without expansion, or a shape fits no model of this format.
    """
    require_supported(settings)
    V, d = state.shape(EMBED, "V d")
    layers = state.layers("blocks.")
    require_gated(state, layers)
    norm, gains = normalization_of(settings, NORMS, default=norm_in(state)) or (None, False)
    constants = {} if norm is None else {"norm.eps": required_eps(settings)}
    positions = positions_of(state, settings)
    if positions == "rotary" and layers:
        state, constants["rotary.inv_freq"] = paired(state, settings, layers)
    state = with_b_in_folded(state, layers)
    output_bias = OUTPUT_BIAS in state and bool(state.array(OUTPUT_BIAS).any())
    blocks = layer_blocks(state, settings, layers) * layers
    model = Transformer(blocks, d=d, V=V, norm=norm, gains=gains, positions=positions, output_bias=output_bias)
    format = format_of(model, head_or_tied(state, HEAD, EMBED), f"{ATTENTION}_W_K".format(l=0) in state, constants)
    return Planned(model, format, state)


def arrange(weights: Weights, settings: Settings) -> Arranged:
    """How weights are stored in this format, and the settings that go with them."""
    model, arrays = weights.model, weights.arrays
    config: dict[str, object] = {"n_layers": layers_of(model), "d_model": weights.size(model.d)}
    config |= {"positional_embedding_type": next(k for k, v in POSITION_TYPES.items() if v == model.positions)}
    config |= {"normalization_type": next((k for k, v in NORMS.items() if v == (model.norm, model.gains)), None)}
    config |= {"d_vocab": weights.size(model.V)} if model.embedding else {}
    config |= {"n_ctx": len(arrays["W_pos"])} if "W_pos" in arrays else {}
    config |= {"eps": float(arrays["norm.eps"])} if model.norm is not None else {}
    config |= heads_config(weights, settings) | layers_config(weights)
    if model.positions == "rotary":
        arrays, rotary = unpaired(weights, settings)
        config |= rotary
    repeats = config.get("n_heads", 1) // config.get("n_key_value_heads", config.get("n_heads", 1))
    return Arranged(format_of(model, HEAD, repeats > 1, {}), arrays, config, ("norm.eps", "rotary.inv_freq"), repeats)


def heads_config(weights: Weights, settings: Settings) -> dict[str, object]:
    """The settings of attention, with the number of key heads that is asked for."""
    attention = next((spec for _, spec in weights.model.numbered() if isinstance(spec, Attention)), None)
    if attention is None:
        return {}
    heads = weights.size(attention.heads)
    shared = settings.count("n_key_value_heads", default=heads)
    if heads % shared:
        raise WeightsError(f"n_key_value_heads divides the number of heads, {heads}; got {shared}")
    config = {"n_heads": heads, "d_head": weights.size(attention.e), "use_attn_scale": attention.score_scale}
    return config if shared == heads else config | {"n_key_value_heads": shared}


def layers_config(weights: Weights) -> dict[str, object]:
    """The settings of gated layers."""
    model = weights.model
    layers = [spec for _, spec in model.numbered() if isinstance(spec, Bilinear)]
    if not layers:
        return {"attn_only": True}
    act = next(name for name, gate in ACTIVATIONS.items() if gate == layers[0].gate)
    is_parallel = any(isinstance(block, Parallel) for block in model.blocks)
    d_mlp = weights.size(model.hidden_width(layers[0]))
    return {"attn_only": False, "gated_mlp": True, "act_fn": act, "d_mlp": d_mlp, "parallel_attn_mlp": is_parallel}


def format_of(model: Transformer, head: str, is_shared: bool, constants: dict[str, object]) -> WeightFormat:
    """Where the arrays of a model are; ``is_shared``: several heads share each key and value."""
    attention = next((spec.biases for _, spec in model.numbered() if isinstance(spec, Attention)), None)
    mlp = next((spec.biases for _, spec in model.numbered() if isinstance(spec, Bilinear)), None)
    under = dict.fromkeys("QO", "") | dict.fromkeys("KV", "_" if is_shared else "")
    zeros = {} if model.output_bias else {OUTPUT_BIAS: "V"}
    if attention is not None:
        absent = {name: axes for name, axes in BIASES.items() if name not in attention}
        zeros |= {
            f"{ATTENTION}{under[k[-1]]}{k}": axes.replace("H", "H/r") if under[k[-1]] else axes for k, axes in absent.items()
        }
    if mlp is not None:
        zeros |= {f"{MLP}b_in": "m"} | ({} if "b_out" in mlp else {f"{MLP}b_out": "d"})
    return WeightFormat(FORMAT, table(head, under), constants, zeros, BUFFERS)


def table(head: str, under: dict[str, str]) -> tuple[StoredArray, ...]:
    """Where the arrays are."""
    heads = {letter: "H/r" if under[letter] else "H" for letter in "QKV"}
    return (
        StoredArray("W_E", EMBED, "V d -> d V"),
        StoredArray("W_pos", POSITIONS, "n d -> n d"),
        *(StoredArray(f"attn.{{attn}}.W_{k}", f"{ATTENTION}{under[k]}W_{k}", f"{heads[k]} d e -> H e d") for k in "QKV"),
        *(StoredArray(f"attn.{{attn}}.b_{k}", f"{ATTENTION}{under[k]}b_{k}", f"{heads[k]} e -> H e") for k in "QKV"),
        StoredArray("attn.{attn}.W_O", f"{ATTENTION}W_O", "H e d -> H d e"),
        StoredArray("attn.{attn}.b_O", f"{ATTENTION}b_O", "d -> d"),
        *(StoredArray(f"norm.{{{at}}}.{k}", f"{key}.{k}", "d -> d") for at, key in NORM_KEYS.items() for k in "wb"),
        StoredArray("bilinear.{mlp}.W_1", f"{MLP}W_gate", "d m -> m d"),
        StoredArray("bilinear.{mlp}.W_2", f"{MLP}W_in", "d m -> m d"),
        StoredArray("bilinear.{mlp}.W_out", f"{MLP}W_out", "m d -> d m"),
        StoredArray("bilinear.{mlp}.b_out", f"{MLP}b_out", "d -> d"),
        StoredArray("W_U", head, "V d -> V d" if head == EMBED else "d V -> V d"),
        StoredArray("b_U", OUTPUT_BIAS, "V -> V"),
    )
