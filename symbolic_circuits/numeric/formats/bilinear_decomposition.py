"""Bilinear transformers of Pearce, Dooms et al.: x += s Attn(norm x); x += MLP(norm x); logits = W_U norm(x).

Every matrix is a Linear layer of PyTorch, out x in, y = W x, as here. Layer l has attention block 2l and bilinear layer 2l + 1.

| key | shape | ours |
| --- | --- | --- |
| transformer.wte.weight | (V, d) | W_E, transposed; tied to the head: W_U too |
| transformer.h.{l}.attn.qkv.weight | (3 H e, d) | rows q, k, v, each (head)(e); without softmax 5 H e rows q1, k1, q2, k2, v |
| transformer.h.{l}.attn.qkv.bias | (3 H e,) | b_Q, b_K, b_V, where it is there |
| transformer.h.{l}.attn.o.weight | (d, H e) | W_O, columns (head)(e) |
| transformer.h.{l}.attn.rotary.inv_freq | (e/2,) | rotary.inv_freq |
| transformer.h.{l}.mlp.w.weight, .bias | (2m, d), (2m,) | W_1 (the gated side), then W_2; b_1, then b_2 |
| transformer.h.{l}.mlp.p.weight, .bias | (d, m), (d,) | W_out, b_out; older files: mlp.o |
| lm_head.weight | (V, d) | W_U |

norm x = x / sqrt(mean(x^2) + 1e-8). The number of heads is that of the frequencies, or ``n_head``. No key tells whether there are norms, a gate, or
the scale s = 1/sqrt(2 layers) (1 in some models): they are ``normalization``, ``gate`` (none unless set) and ``attention_scale`` (or
``scale_attn``, true or false); where there are no frequencies, ``rotary`` says whether positions are, of ``rotary_base``.

References
----------
Pearce, Dooms, Rigg, Oramas, Sharkey 2024, Bilinear MLPs enable weight-based mechanistic interpretability.
"""

import math

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.planned import Arranged, Planned, head_or_tied, normalization_of
from symbolic_circuits.numeric.formats.rotary import frequencies
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat, layers_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["FORMAT", "arrange", "plan"]

FORMAT = "bilinear-decomposition"
EPS = 1e-8
LAYER = "transformer.h."
EMBED, HEAD = "transformer.wte.weight", "lm_head.weight"
QKV, QKV_BIAS, OUT_OF_HEADS = (f"{LAYER}{{l}}.attn.{name}" for name in ("qkv.weight", "qkv.bias", "o.weight"))
INV_FREQ, HIDDEN, HIDDEN_BIAS = (f"{LAYER}{{l}}.{name}" for name in ("attn.rotary.inv_freq", "mlp.w.weight", "mlp.w.bias"))
OUT, OLDER_OUT = f"{LAYER}{{l}}.mlp.p.weight", f"{LAYER}{{l}}.mlp.o.weight"
GATES = ("relu", "silu", "gelu")
ROWS = {3: ("Q", "K", "V"), 5: ("Q1", "K1", "Q2", "K2", "V")}  # of the stacked matrix


def plan(state: State, settings: Settings) -> Planned:
    """The model of a state, and where its arrays are.

    Raises
    ------
    WeightsError
        A setting is missing or a shape fits no model of this format.
    """
    V, d = state.shape(EMBED, "V d")
    layers = state.layers(LAYER)
    has_attention = any(key.format(l=0) in state for key in (QKV, OUT_OF_HEADS))
    scale = attention_scale(settings, layers) if has_attention else 1.0
    found = (attention(state, settings, d, scale) if has_attention else None, mlp(state, settings))
    blocks = [block for block in found if block is not None]
    norm = normalization_of(settings, {"rms": "rms"})
    rotary = rotary_frequencies(state, settings, d) if has_attention else None
    model = Transformer(tuple(blocks) * layers, d=d, V=V, norm=norm, positions=None if rotary is None else "rotary")
    constants = {"norm.eps": settings.number("eps", EPS), "attn.{attn}.scale": scale}
    if rotary is not None and INV_FREQ.format(l=0) not in state:
        constants["rotary.inv_freq"] = rotary
    lines = table(model, OLDER_OUT if OLDER_OUT.format(l=0) in state else OUT, head_or_tied(state, HEAD, EMBED))
    return Planned(model, WeightFormat(FORMAT, lines, constants), state)


def arrange(weights: Weights, settings: Settings) -> Arranged:
    """How weights are stored in this format, and the settings that go with them.

    Raises
    ------
    WeightsError
        Layers have different scales.
    """
    model = weights.model
    scales = sorted({float(weights.arrays[name]) for name in weights.arrays if name.endswith(".scale")})
    scaled = [spec.output_scale for _, spec in model.numbered() if isinstance(spec, Attention)]
    if len(scales) > 1 or len(set(scaled)) > 1:
        raise WeightsError(
            f"the format {FORMAT} has one attention_scale for all layers; the weights have {scales}, and 1 where there is none"
        )
    attention = next((spec for _, spec in model.numbered() if isinstance(spec, Attention)), None)
    gates = [spec.gate for _, spec in model.numbered() if isinstance(spec, Bilinear)]
    config = {
        "n_layer": layers_of(model),
        "d_model": weights.size(model.d),
        "normalization": model.norm is not None,
        "attention_scale": scales[0] if scales else 1.0,
        "gate": gates[0] if gates else None,
    }
    if attention is not None:
        config |= {"n_head": weights.size(attention.heads), "rotary": model.positions == "rotary"}
    if model.norm is not None:
        config["eps"] = float(weights.arrays["norm.eps"])
    return Arranged(WeightFormat(FORMAT, table(model, OUT, HEAD)), weights.arrays, config, ("attn.{attn}.scale", "norm.eps"))


def attention(state: State, settings: Settings, d: int, scale: float) -> Attention:
    """The attention block of every layer."""
    key = QKV.format(l=0)
    rows = state.shape(key, "3·d d")[0]
    heads = heads_of(state, settings, d)
    if rows not in (3 * d, 5 * d):
        raise WeightsError(
            f"axis 0 of {key} has size {rows}, not 3 d = {3 * d} (or 5 d = {5 * d} without softmax){grouped(rows, heads, d)}"
        )
    letters = ROWS[rows // d]
    biases = tuple(f"b_{letter}" for letter in "QKV") if QKV_BIAS.format(l=0) in state else ()
    scores = "softmax" if len(letters) == 3 else "bilinear"
    return Attention(heads, d // heads, biases=biases, scores=scores, output_scale=scale != 1)


def heads_of(state: State, settings: Settings, d: int) -> int:
    """The number of heads: as set, or from the frequencies, of which a head of width e has e/2."""
    key = INV_FREQ.format(l=0)
    pairs = state.shape(key, "e/2")[0] if key in state else 0
    if not pairs or d % (2 * pairs):
        settings.require("n_head=", "n_head", "n_heads", why="how many heads there are")
    heads = settings.count("n_head", "n_heads", default=d // (2 * pairs) if pairs else None)
    if d % heads:
        raise WeightsError(f"n_head={heads} does not divide d={d}, so that heads have no width")
    if pairs and 2 * pairs * heads != d:
        raise WeightsError(
            f"n_head={heads} heads have width e = {d // heads}, but {key} has {pairs} frequencies, for e = {2 * pairs}"
        )
    return heads


def grouped(rows: int, heads: int, d: int) -> str:
    """What other numbers of rows would be: key and value heads that several queries share."""
    shared, rest = divmod(rows * heads - heads * d, 2 * d)
    if rest or not 0 < shared < heads:
        return ""
    return f"; {shared} key and value heads for {heads} heads would have as many, but this format has as many keys as queries"


def attention_scale(settings: Settings, layers: int) -> float:
    """s, as given, or from ``scale_attn``."""
    published = 1 / math.sqrt(2 * layers)
    if "attention_scale" not in settings.values and "scale_attn" in settings.values:
        return published if settings.flag("scale_attn", default=True) else 1.0
    why = f"the number s that multiplies the output of attention, 1/sqrt(2 layers) = {published:.6g} in published models and 1 in some"
    settings.require("attention_scale=", "attention_scale", why=why)
    return settings.number("attention_scale", 1.0)


def mlp(state: State, settings: Settings) -> Bilinear | None:
    """The bilinear layer of every layer."""
    key = HIDDEN.format(l=0)
    if key not in state:
        return None
    if not settings.flag("bilinear", default=True):
        raise WeightsError("bilinear is false: x -> W_out act(W x) is neither bilinear nor gated, and has no expansion")
    gate = settings.choice("gate", (None, *GATES))
    rows = state.shape(key, "2·m d")[0]
    if rows % 2:
        raise WeightsError(f"axis 0 of {key} has size {rows}, which is not 2 m: W_1 and W_2 have as many rows each")
    inside = ("b_1", "b_2") if HIDDEN_BIAS.format(l=0) in state else ()
    outside = ("b_out",) if any(bias_of(out.format(l=0)) in state for out in (OUT, OLDER_OUT)) else ()
    return Bilinear(rows // 2, biases=inside + outside, gate=gate)


def rotary_frequencies(state: State, settings: Settings, d: int) -> np.ndarray | None:
    """Frequencies of a model that turns queries and keys; None for one that does not."""
    if INV_FREQ.format(l=0) in state:
        return state.array(INV_FREQ.format(l=0))
    why = f"whether positions are rotary, since {INV_FREQ.format(l=0)} is not there"
    settings.require("config={'rotary': True} or False", "rotary", why=why)
    e = d // settings.count("n_head", "n_heads", default=1)
    return frequencies(e, settings.number("rotary_base", 10000)) if settings.flag("rotary", default=True) else None


def table(model: Transformer, out: str, head: str) -> tuple[StoredArray, ...]:
    """Where the arrays are."""
    letters = next((ROWS[5 if s.scores == "bilinear" else 3] for _, s in model.numbered() if isinstance(s, Attention)), ())
    parts = [(letter, (k, len(letters))) for k, letter in enumerate(letters)]
    return (
        StoredArray("W_E", EMBED, "V d -> d V"),
        *(StoredArray(f"attn.{{attn}}.W_{letter}", QKV, "(H e) d -> H e d", part) for letter, part in parts),
        *(StoredArray(f"attn.{{attn}}.b_{letter}", QKV_BIAS, "(H e) -> H e", part) for letter, part in parts),
        StoredArray("attn.{attn}.W_O", OUT_OF_HEADS, "d (H e) -> H d e"),
        StoredArray("rotary.inv_freq", INV_FREQ, "f -> f"),
        *(StoredArray(f"bilinear.{{mlp}}.W_{k + 1}", HIDDEN, "m d -> m d", (k, 2)) for k in (0, 1)),
        *(StoredArray(f"bilinear.{{mlp}}.b_{k + 1}", HIDDEN_BIAS, "m -> m", (k, 2)) for k in (0, 1)),
        StoredArray("bilinear.{mlp}.W_out", out, "d m -> d m"),
        StoredArray("bilinear.{mlp}.b_out", bias_of(out), "d -> d"),
        StoredArray("W_U", head, "V d -> V d"),
    )


def bias_of(key: str) -> str:
    """The key of the bias of a Linear layer."""
    return key.removesuffix("weight") + "bias"
