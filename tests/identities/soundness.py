"""``lhs = rhs``: random identities whose truth is known, to hunt for wrong verdicts.

A third are equal by construction: a random sum, and what chains of random rewrites make of it. Half are near-misses: a true identity
after one small edit, or one of a family that holds at small sizes only; an edit may by chance change nothing, so these are judged. The
rest are unrelated sums of one type. Identities are dicts in the form of identity files, and their ids begin with their kind.
"""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from random import Random

from soundness_edits import EDIT_WEIGHTS, EDITS, SHARES, Planted, edited, plant_edit
from soundness_families import FALSE, TRUE
from soundness_judge import TooLarge, agrees_at, judge, judging_cost, loops_agree
from soundness_rewrites import rewritten
from soundness_statement import Statement, Term, random_term, written

__all__ = [
    "SHARES",
    "Planted",
    "TooLarge",
    "agrees_at",
    "equal_identity",
    "fixed_size",
    "judge",
    "judging_cost",
    "loops_agree",
    "near_miss",
    "plant_edit",
    "planted_identity",
    "random_identity",
    "unrelated",
]

MOST_ENTRIES, MOST_VERTICES = 30_000, 8  # of judging a random identity; families may need more
FAMILY_SHARE = {"equal": 0.15, "near": 0.42}


def random_identity(rng: Random) -> tuple[dict, bool | None]:
    """An identity, and its truth where it is known by construction.

    >>> identity, truth = random_identity(Random(1))
    >>> identity["id"].split(":")[0], truth is None or judge(identity) == truth
    ('equal', True)
    """
    r = rng.random()
    if r < 1 / 3:
        return equal_identity(rng), True
    return (near_miss(rng) if r < 5 / 6 else unrelated(rng)), None


def equal_identity(rng: Random, most_steps: int = 9) -> dict:
    """An identity that holds for all sizes."""
    statement, name = true_statement(rng)
    while True:
        steps = rng.randint(2, most_steps)
        identity = written(rng, rewritten(rng, statement, steps), f"equal:{name}:{steps}")
        if name == "same_graph" or is_cheap(identity, 10):
            return identity


def near_miss(rng: Random) -> dict:
    """A true identity after one edit, or one of a family that holds at small sizes only, rewritten."""
    if rng.random() < FAMILY_SHARE["near"]:
        family = rng.choices(list(FALSE), list(FALSE.values()))[0]
        if family.__name__ == "rook_and_shrikhande":  # false at size 2; too large to be judged where it would be true
            return written(rng, family(rng), f"near:{family.__name__}:0")
        return rewritten_cheaply(rng, family(rng), f"near:{family.__name__}", 4)
    while True:
        statement, _ = true_statement(rng)
        statement = rewritten(rng, statement, rng.randint(1, 6))
        name = rng.choices(list(EDITS), EDIT_WEIGHTS)[0]
        done = edited(rng, statement, EDITS[name])
        if done is not None and is_cheap(written(rng, done[0], ""), 10):
            return rewritten_cheaply(rng, done[0], f"near:{name}", 3)


def unrelated(rng: Random) -> dict:
    """Two random sums with the same output."""
    while True:
        statement = random_statement(rng)
        other = random_sum(rng, statement)
        identity = written(rng, replace(statement, rhs=other), "unrelated:random:0")
        if is_cheap(identity):
            return identity


def planted_identity(rng: Random) -> tuple[dict, Planted]:
    """A random true identity after one planted edit that makes it false, and what the edit was.

    >>> false, planted = planted_identity(Random(0))
    >>> judge(false), judge(planted.true)
    (False, True)
    """
    while True:
        true = equal_identity(rng, 4)
        if not true["id"].startswith("equal:same_graph"):
            try:
                return plant_edit(rng, true)
            except ValueError:  # both sides are 0, or symmetries undo each edit
                continue


def rewritten_cheaply(rng: Random, statement: Statement, name: str, most_steps: int) -> dict:
    """The statement after so many rewrites that it can still be judged."""
    while True:
        steps = rng.randint(0, most_steps)
        identity = written(rng, rewritten(rng, statement, steps), f"{name}:{steps}")
        if steps == 0 or is_cheap(identity, 10):
            return identity


def is_cheap(identity: dict, slack: int = 1) -> bool:
    """Whether judging takes few operations."""
    entries, vertices = judging_cost(identity)
    return entries <= MOST_ENTRIES * slack and vertices <= MOST_VERTICES + 2 * (slack > 1)


# --- random statements ---------------------------------------------------------------------------------------------------------


def true_statement(rng: Random) -> tuple[Statement, str]:
    """A statement that is true, with its name: one of a family, or a random sum as both sides."""
    if rng.random() < FAMILY_SHARE["equal"]:
        family = rng.choices(list(TRUE), list(TRUE.values()))[0]
        return family(rng), family.__name__
    while True:
        statement = random_statement(rng)
        if is_cheap(written(rng, replace(statement, rhs=()), "")):
            return replace(statement, rhs=statement.lhs), "random"


def random_statement(rng: Random) -> Statement:
    """Random tensors, laws and definitions, and a random sum of them as the left side."""
    sizes = rng.sample(["n", "d", "m", "k"], rng.choice([1, 1, 2, 2, 3]))
    names = rng.sample(["A", "B", "C", "M", "W_1", "W_2", "x", "y", "T", "s"], rng.randint(2, 5))
    shapes = {name: random_shape(rng, sizes, rng.choices(range(5), [5, 22, 50, 16, 7])[0]) for name in names}
    if all(len(shape) == 0 for shape in shapes.values()):
        shapes["A"] = (sizes[0], sizes[0])
    given = {name: laws for name, shape in shapes.items() if (laws := random_laws(rng, shape))}
    statement = Statement((), (), shapes, given)
    if rng.random() < 0.3:
        statement = with_special(rng, statement)
    if rng.random() < 0.35:
        statement = with_definition(rng, statement)
    return replace(statement, lhs=random_sum(rng, statement))


def random_shape(rng: Random, sizes: list[str], order: int) -> tuple[str, ...]:
    """Sizes of a tensor, the first one more often."""
    return tuple(rng.choice([sizes[0], *sizes]) for _ in range(order))


def random_laws(rng: Random, shape: tuple[str, ...]) -> tuple[str, ...]:
    """Symmetry or antisymmetry in two axes, or in all."""
    pairs = [(a, b) for a, b in combinations(range(len(shape)), 2) if shape[a] == shape[b]]
    if not pairs or rng.random() < 0.6:
        return ()
    law = rng.choice(["symmetric", "symmetric", "antisymmetric"])
    chosen = pairs if len(set(shape)) == 1 and rng.random() < 0.3 else [rng.choice(pairs)]
    return tuple(f"{law}({a},{b})" for a, b in chosen)


def with_special(rng: Random, statement: Statement) -> Statement:
    """An identity, ones or a copy tensor among the tensors."""
    size = rng.choice([s for shape in statement.shapes.values() for s in shape])
    law, order = rng.choice([("identity", 2), ("ones", 1), ("ones", 2), ("copy", 1), ("copy", 2), ("copy", 3)])
    return replace(statement, shapes=statement.shapes | {"E": (size,) * order}, given=statement.given | {"E": (law,)})


def with_definition(rng: Random, statement: Statement) -> Statement:
    """A sum of small terms, or half a tensor and half its transpose, as a tensor."""
    pairs = [(name, a, b) for name, s in statement.shapes.items() for a, b in combinations(range(len(s)), 2) if s[a] == s[b]]
    if pairs and rng.random() < 0.4:
        name, a, b = rng.choice(pairs)
        shape = statement.shapes[name]
        plain, swapped = list(range(len(shape))), list(range(len(shape)))
        swapped[a], swapped[b] = b, a
        body = tuple(Term(Fraction(1, 2), ((name, tuple(plain)),), tuple(output)) for output in (plain, swapped))
    else:
        shape = random_output(rng, statement, [4, 6, 10, 3, 0])
        body = tuple(random_term(rng, statement.shapes, shape, rng.randint(1, 3)) for _ in range(rng.choice([1, 2, 2, 3])))
    return replace(statement, shapes=statement.shapes | {"Q": shape}, defs={"Q": body})


def random_output(rng: Random, statement: Statement, weights: list[int]) -> tuple[str, ...]:
    """Sizes of output axes."""
    sizes = [s for shape in statement.shapes.values() for s in shape]
    return tuple(rng.choice(sizes) for _ in range(rng.choices(range(5), weights)[0]))


def random_sum(rng: Random, statement: Statement) -> tuple[Term, ...]:
    """One to four random terms, with the outputs of the left side where there is one."""
    if statement.lhs:
        first = statement.lhs[0]
        sizes = {i: s for name, ports in first.factors for i, s in zip(ports, statement.shapes[name], strict=True)}
        output = tuple(sizes[i] for i in first.output)
    else:
        output = random_output(rng, statement, [30, 20, 30, 12, 8])
    number = rng.choice([1, 1, 1, 2, 2, 3, 4])
    factors = rng.choices(range(1, 8), [3, 5, 6, 5, 3, 2, 1], k=number)
    return tuple(random_term(rng, statement.shapes, output, f) for f in factors)


def fixed_size(rng: Random, identity: dict) -> dict:
    """The identity with one size name replaced by 1, 2 or 3."""
    names = sorted({s for shape in identity["shapes"].values() for s in shape if isinstance(s, str)})
    if not names:
        return identity
    name, size = rng.choice(names), rng.choice([1, 2, 2, 3])
    shapes = {k: [size if s == name else s for s in shape] for k, shape in identity["shapes"].items()}
    return {**identity, "id": f"{identity['id']}:{name}={size}", "shapes": shapes}
