"""Which keys speak for which format; keys of well-known models that are none of these are named too."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats import bilinear_decomposition, image, toy, transformer_lens
from symbolic_circuits.numeric.formats.state import State

__all__ = ["BUILT_IN", "format_of"]

BUILT_IN = {module.FORMAT: module for module in (bilinear_decomposition, transformer_lens, image, toy)}

MARKS = {  # format -> keys, all of which speak for it
    bilinear_decomposition.FORMAT: ("transformer.wte.weight", "transformer.h.*.attn.qkv.weight"),
    transformer_lens.FORMAT: ("embed.W_E", "blocks.*.attn.W_Q"),
    image.FORMAT: ("embed.weight", "blocks.*.weight", "head.weight"),
    toy.FORMAT: ("left.weight", "right.weight", "head.weight"),
}
SECOND_MARKS = {  # enough where no format has all of its marks: models of one kind of block, or of none
    bilinear_decomposition.FORMAT: ("transformer.wte.weight", "transformer.h.*.mlp.w.weight"),
    transformer_lens.FORMAT: ("embed.W_E", "unembed.W_U"),
}
WITHOUT_BLOCKS = {
    bilinear_decomposition.FORMAT: (("transformer.wte.weight", "lm_head.weight"), "transformer.h.*")
}  # keys; none of these
FOREIGN = {  # a key -> what has it
    "*.attn.c_attn.weight": "GPT-2 of Hugging Face (its MLP is not gated)",
    "*.attention.query_key_value.weight": "GPT-NeoX, Pythia (their MLP is not gated)",
    "*.mlp.gate_proj.weight": "Llama, Mistral, Gemma or Qwen of Hugging Face",
    "*.self_attn.q_proj.weight": "a decoder of Hugging Face",
    "*.attention.wq.weight": "Llama as its authors store it",
    "*.attention.self.query.weight": "BERT, an encoder",
    "*.attn.in_proj_weight": "torch.nn.MultiheadAttention",
    "*.in_proj_weight": "torch.nn.MultiheadAttention",
}
SHOWN = 4


def format_of(state: State, asked: str | None = None) -> str:
    """The built-in format that the keys of a state speak for; ``asked`` where they speak for none.

    Raises
    ------
    WeightsError
        They speak for none, or for another than the one asked for; the message says what they are and what those of each format would be.
    """
    found = [name for marks in (MARKS, SECOND_MARKS) for name, keys in marks.items() if all(matching(state, key) for key in keys)]
    found = found or [
        name for name, (keys, blocks) in WITHOUT_BLOCKS.items() if set(keys) <= set(state) and not matching(state, blocks)
    ]
    if asked is not None and asked not in BUILT_IN:
        raise WeightsError(f"format is one of {', '.join(BUILT_IN)}, or a WeightFormat; got {asked!r}")
    if asked is not None and found and asked not in found:
        raise WeightsError(f"the keys speak for {found[0]}, not for {asked}. {known_words(state)}")
    if not found and asked is None:
        raise WeightsError(f"{state.where} is of no known format: {foreign_words(state)}. {known_words(state)}")
    return asked or found[0]


def matching(keys: Iterable[str], pattern: str) -> list[str]:
    """The keys that a pattern describes."""
    return [key for key in keys if fnmatchcase(key, pattern)]


def foreign_words(state: State) -> str:
    """What the keys are, in words."""
    for pattern, what in FOREIGN.items():
        found = matching(state, pattern)
        if found:
            return (
                f"{found[0]} is a key of {what}. Give format=WeightFormat(...), a table of its keys, with model=, or load it with TransformerLens "
                "and give its module"
            )
    keys = sorted(state)
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f"its keys are {', '.join(keys[:SHOWN])}{more}" if keys else "it has no arrays"


def known_words(state: State) -> str:
    """The marks of every format, and which of them are there."""
    words = []
    for name, patterns in MARKS.items():
        here = [pattern for pattern in patterns if matching(state, pattern)]
        gone = [pattern for pattern in patterns if pattern not in here]
        words.append(
            f"{name}: " + "; ".join(f"{word} {', '.join(keys)}" for word, keys in (("has", here), ("lacks", gone)) if keys)
        )
    return "Formats, by their keys: " + " | ".join(words)
