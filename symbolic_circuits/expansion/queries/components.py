"""The components that a query names, held against those of a model: what is missing, and which heads the query tells apart."""

from collections.abc import Iterator
from dataclasses import replace

from symbolic_circuits.errors import SpecError, TermError
from symbolic_circuits.expansion.grammar import SLOTS, Component
from symbolic_circuits.expansion.queries.query import Count, Query, atoms
from symbolic_circuits.expansion.queries.step import LEAVES, Step, covers
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["blocks_told_apart", "require_components"]

MAX_SHOWN = 12


def steps_of(query: Query) -> Iterator[Step]:
    """The steps of all paths and counts of a query."""
    for atom in atoms(query):
        if not isinstance(atom, Count):
            yield from atom.steps
        elif isinstance(atom.what, Step):
            yield atom.what


def blocks_of(step: Step, model: Transformer) -> dict[int, Attention | Bilinear]:
    """The blocks that a step may stand for, by number; norms with biases for ``normbias``."""
    if step.kind == "normbias":
        return {k: None for k in norm_biases(model) if step.layers is None or k in step.layers}
    return {k: spec for k, spec in model.numbered() if is_kind(step.kind, spec) and (step.layers is None or k in step.layers)}


def norm_biases(model: Transformer) -> list[int]:
    """The numbers of the norms that have a bias."""
    if not model.gains or model.norm != "layer":
        return []
    if model.post_norm:
        return [step.blocks[-1].index for step in model.steps]
    return [*(k for k, _ in model.numbered()), *([model.number_of_blocks] if model.has_final_norm else [])]


def is_kind(kind: str, spec: Attention | Bilinear) -> bool:
    """Whether a block is of the kind of a step."""
    if kind == "bias":
        return "b_O" in spec.biases or "b_out" in spec.biases
    return kind == kind_of(spec)


def kind_of(spec: Attention | Bilinear) -> str:
    """The kind of the components of a block."""
    return "attn" if isinstance(spec, Attention) else ("bilinear" if spec.gate is None else "gated")


def require_components(query: Query, model: Transformer, root: Component | None = None) -> None:
    """Raise unless the model has every component that a query names by number, and the terms a root where it names one.

    Raises
    ------
    TermError
        A block, head or input is not there (the message suggests the nearest), or a layer has no left and right.
    SpecError
        A head is named by number where the number of heads is a symbol.
    """
    for step in steps_of(query):
        if step.kind == "scores":
            require_root(step, root)
            continue
        blocks = blocks_of(step, model)
        if step.kind in LEAVES and step.kind not in leaves_of(model):
            raise_missing(step, model)
        for layer in step.layers or ():
            if layer not in blocks:
                raise_missing(replace(step, layers=(layer,), heads=step.heads and step.heads[:1], side=None), model)
        require_heads(step, blocks, model)
        if step.side is not None:
            require_side(step, blocks, model)


def require_root(step: Step, root: Component | None) -> None:
    """Raise TermError where a step names the scores, or an input of them, that the terms are not of."""
    if root is None:
        raise TermError(f"{step}: these are terms of the output; the terms of scores come from scores(model, layer, head)")
    if not any(step.enters(slot) for slot in root.slots):
        raise TermError(f"{step}: {root.name} has the inputs {', '.join(root.slots)}")


def require_side(step: Step, blocks: dict[int, Attention | Bilinear], model: Transformer) -> None:
    """Raise TermError where a block that a step names by an input does not tell its inputs apart, or has no such input."""
    for k, spec in blocks.items():
        if isinstance(spec, Bilinear) and spec.tied:
            raise TermError(
                f"{step}: bilinear.{k} of {str(model)!r} has tied weights, so that its inputs are not told apart; write bilinear.{k}"
            )
        if isinstance(spec, Attention) and not any(step.enters(slot) for slot in slots_of(spec)):
            raise TermError(f"{step}: heads of attn.{k} of {str(model)!r} have the inputs {', '.join(slots_of(spec))}")


def slots_of(spec: Attention) -> tuple[str, ...]:
    """The names of the inputs of the heads of a block."""
    return SLOTS[spec.scores] if spec.is_polynomial else ("value",)


def leaves_of(model: Transformer) -> list[str]:
    """The names of the components without inputs that a step may name."""
    found = ["embed" if model.embedding else "input"]
    found += ["position"] if model.positions in ("learned", "shortformer") else []
    return found + (["one"] if model.has_constant else [])


def require_heads(step: Step, blocks: dict[int, Attention | Bilinear], model: Transformer) -> None:
    """Raise unless each head of a step is in each block that is named, or in some block where none is."""
    if step.heads is None:
        return
    symbolic = [k for k, spec in blocks.items() if not isinstance(spec.heads, int)]
    if symbolic:
        raise SpecError(
            f"{step} names heads, but the number of heads of attn.{symbolic[0]} of {str(model)!r} is the symbol "
            f"{blocks[symbolic[0]].heads}: write attn.{symbolic[0]}[*], or give it a number with model.subs({{...}})"
        )
    for head in step.heads:
        lacking = [k for k, spec in blocks.items() if head >= spec.heads]
        if lacking and (step.layers is not None or len(lacking) == len(blocks)):
            raise_missing(Step("attn", step.layers and (lacking[0],), (head,)), model)
        if not blocks:
            raise_missing(Step("attn", None, (head,)), model)


def raise_missing(step: Step, model: Transformer) -> None:
    """Raise TermError for a component that is not there, with the nearest that is."""
    known = leaves_of(model)
    for k, spec in model.numbered():
        if isinstance(spec, Bilinear):
            known.append(f"{kind_of(spec)}.{k}")
        else:
            known += [f"attn.{k}[{h}]" for h in range(spec.heads)] if isinstance(spec.heads, int) else [f"attn.{k}[*]"]
    known += [f"normbias.{k}" for k in norm_biases(model)]
    shown = ", ".join(known[:MAX_SHOWN]) + (", ..." if len(known) > MAX_SHOWN else "")
    name = str(step).removesuffix("[*]")
    raise TermError(f"there is no component {name} in {str(model)!r}; did you mean {nearest(step, model)}? It has {shown}")


def nearest(step: Step, model: Transformer) -> str:
    """The name of the component of the same kind with the nearest numbers; the input where there is none of the kind."""
    blocks = blocks_of(replace(step, layers=None), model)
    if not blocks:
        return "embed" if model.embedding else "input"
    asked = step.layers[0] if step.layers else 0
    if step.heads and not step.layers:
        asked = max(blocks, key=lambda k: (blocks[k].heads, -k))  # the block with most heads
    layer = min(blocks, key=lambda k: (abs(k - asked), k))
    if not step.heads:
        return f"{step.kind}.{layer}"
    heads = blocks[layer].heads
    return f"{step.kind}.{layer}[{min(step.heads[0], heads - 1) if isinstance(heads, int) else '*'}]"


def blocks_told_apart(query: Query, model: Transformer) -> frozenset[int]:
    """The attention blocks of which the query names some heads, but not all.

    >>> from symbolic_circuits.expansion.queries.language import parse_query
    >>> sorted(blocks_told_apart(parse_query("attn.0[1] > attn.1"), Transformer.parse("attn(2)*2")))
    [0]
    """
    return frozenset(
        k
        for step in steps_of(query)
        if step.heads is not None
        for k, spec in blocks_of(step, model).items()
        if any(head < spec.heads for head in step.heads) and not covers(step.heads, spec.heads)
    )
