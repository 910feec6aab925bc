"""Random queries, and what they mean term by term: by listing every path of a term from a leaf to the root."""

from collections.abc import Iterator
from random import Random

import symbolic_circuits as sc
from symbolic_circuits.expansion.queries.query import MEASURES, RELATIONS, And, Count, Not, Or, Passes, Query
from symbolic_circuits.expansion.queries.step import Step
from symbolic_circuits.expansion.term import Term, subterms

MODELS = (  # tied, parallel, without residual, without heads, without embedding; a few hundred terms at most
    "",
    "attn(3)*2",
    "attn(2) bilinear",
    "attn(2) bilinear(tied)",
    "(attn(1) bilinear(tied))*2",
    "bilinear*3",
    "bilinear(tied)*4",
    "attn(2)|bilinear attn(2)",
    "attn(2)|bilinear(tied)|attn(1) bilinear(tied)",
    "(attn(2)|bilinear)[no residual] bilinear",
    "attn(2, no residual) bilinear(no residual) attn(1)",
    "[no embed] attn(2) bilinear(tied) attn(1)",
)


def random_step(random: Random, model: sc.Transformer, sides: bool = True) -> Step:
    """A step whose components the model has."""
    blocks = list(model.numbered())
    if not blocks or random.random() < 0.12:
        return Step(random.choice(("embed" if model.embedding else "input", "*")))
    number, spec = random.choice(blocks)
    layers = random.choice((None, (number,), (number,)))
    if isinstance(spec, sc.Attention):
        heads = random.choice((None, (random.randrange(spec.heads),), tuple(range(spec.heads))))
        return Step("attn", layers, heads)
    tied = any(isinstance(b, sc.Bilinear) and b.tied and (layers is None or k in layers) for k, b in blocks)
    return Step("bilinear", layers, None, random.choice((None, "left", "right")) if sides and not tied else None)


def random_query(random: Random, model: sc.Transformer, depth: int = 3) -> Query:
    """A query of any form."""
    kind = random.random()
    if depth and kind < 0.2:
        return ~random_query(random, model, depth - 1)
    if depth and kind < 0.55:
        parts = tuple(random_query(random, model, depth - 1) for _ in range(random.randint(2, 3)))
        return random.choice((And, Or))(parts)
    if kind < 0.75:
        what = random.choice(MEASURES) if random.random() < 0.4 else random_step(random, model, sides=False)
        return Count(what, random.choice(RELATIONS), random.randint(0, 4))
    steps = tuple(random_step(random, model) for _ in range(random.randint(1, 3)))
    return Passes(steps, tuple(random.random() < 0.4 for _ in steps[1:]), random.random() < 0.2)


def paths(term: Term) -> Iterator[list[tuple[Term, int]]]:
    """The paths from a leaf to the root: nodes, and by which input the path comes into each."""
    if not term.inputs:
        yield [(term, 0)]
    for side, x in enumerate(term.inputs):
        for path in paths(x):
            yield [*path, (term, side)]


def fits(step: Step, term: Term, side: int | None) -> bool:
    """Whether a node is one of a step."""
    kind, layer, head = term.component.kind, term.component.layer, term.component.head
    if step.kind == "*":
        return True
    if {"embed": "input"}.get(step.kind, step.kind) != kind:
        return False
    if step.layers is not None and layer not in step.layers:
        return False
    if step.heads is not None and head not in step.heads:
        return False
    return step.side is None or ("left", "right").index(step.side) == side


def follows(query: Passes, path: list[tuple[Term, int]], at: int = 0, found: int = 0) -> bool:
    """Whether the steps from number ``found`` on are on the path, from place ``at`` on."""
    if found == len(query.steps):
        return not query.ends or at == len(path)
    places = range(at, len(path))
    if found and query.direct[found - 1]:
        places = places[:1]
    return any(fits(query.steps[found], *path[place]) and follows(query, path, place + 1, found + 1) for place in places)


def measured(what: Step | str, term: Term) -> int:
    """The number that is counted."""
    if what == "order":
        return term.order
    if what == "height":
        return max(len(path) for path in paths(term)) - 1
    if what == "degree":
        return term.degree
    if what in ("heads", "bilinears"):
        return str(term).count({"heads": "attn", "bilinears": "bilinear"}[what])
    return sum(fits(what, node, None) for node in subterms(term))


def holds(query: Query, term: Term) -> bool:
    """Whether a term belongs to a query."""
    if isinstance(query, Not):
        return not holds(query.query, term)
    if isinstance(query, And):
        return all(holds(part, term) for part in query.parts)
    if isinstance(query, Or):
        return any(holds(part, term) for part in query.parts)
    if isinstance(query, Count):
        number, wanted = measured(query.what, term), query.number
        return {"<=": number <= wanted, ">=": number >= wanted, "=": number == wanted}[query.relation]
    return any(follows(query, path) for path in paths(term))
