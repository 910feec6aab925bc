"""Settings of ``HookedTransformerConfig``: what they say of norms and positions, and those that no model here has."""

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State

__all__ = ["NORMS", "POSITION_TYPES", "norm_in", "positions_of", "require_supported", "required_eps"]

NORMS = {"LN": ("layer", True), "LNPre": ("layer", False), "RMS": ("rms", True), "RMSPre": ("rms", False)}  # norm, gains
POSITION_TYPES = {"standard": "learned", "shortformer": "shortformer", "rotary": "rotary", "none": None}
UNSUPPORTED = {  # setting -> the values that change nothing, and what others are
    "attention_dir": (("causal",), "attention that looks ahead"),
    "attn_scores_soft_cap": ((None, -1, 0), "a soft cap of scores"),
    "output_logits_soft_cap": ((None, -1, 0), "a soft cap of logits"),
    "scale_attn_by_inverse_layer_idx": ((None, False), "scores divided by the number of the layer: scale W_Q and b_Q by it"),
    "use_local_attn": ((None, False), "attention to a window of positions"),
    "use_normalization_before_and_after": ((None, False), "norms after blocks"),
    "use_qk_norm": ((None, False), "norms of queries and keys"),
    "use_NTK_by_parts_rope": ((None, False), "rotary frequencies that are scaled by parts"),
    "post_embedding_ln": ((None, False), "a norm after the embedding"),
    "final_rms": ((None, False), "a final norm of another kind"),
    "num_experts": ((None, 0), "experts"),
}


def require_supported(settings: Settings) -> None:
    """Raise WeightsError for a setting that makes a model of another kind."""
    for name, (harmless, meaning) in UNSUPPORTED.items():
        found = settings.find(name, default=harmless[0])
        if found not in harmless:
            raise WeightsError(f"{name} is {found!r} ({meaning}): models here have none of it")
    if settings.find("attention_scale") is not None:
        raise WeightsError(
            "attention_scale multiplies the output of attention, which TransformerLens does not; scores are divided by sqrt(e) or, "
            "with config={'use_attn_scale': False}, by 1"
        )


def norm_in(state: State) -> str | None:
    """The norm that the keys tell: LN has weights and biases, RMS weights; the others have no keys."""
    if "ln_final.w" not in state:
        return None
    return "LN" if "ln_final.b" in state else "RMS"


def required_eps(settings: Settings) -> float:
    """What norms add to the mean of squares."""
    settings.require("config={'eps': 1e-5}, which is the default of TransformerLens,", "eps", why="what eps the norms have")
    return settings.number("eps")


def positions_of(state: State, settings: Settings) -> str | None:
    """The positions as set; else what keys tell: W_pos is added to the stream, tables of sines are rotary."""
    name = "positional_embedding_type"
    if name not in settings.values:
        if "pos_embed.W_pos" in state:
            return "learned"
        if any(key.endswith(".attn.rotary_sin") for key in state):
            return "rotary"
    settings.require(f"config={{{name!r}: 'rotary'}} or 'none'", name, why="how positions enter, since there is no W_pos")
    return POSITION_TYPES[settings.choice(name, POSITION_TYPES)]
