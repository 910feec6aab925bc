r"""Random formulas that have a meaning: a LaTeX text and, side by side, its value by NumPy as a function of the places of its indices.

A formula is made from its parts by the rules of writing: what binds loosely is put in brackets before it is multiplied, indices of
sums may hide those further out, and there is often more than one way to write the same.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

SIZES = {"n": 3, "d": 2, "m": 4, "H": 5}
MATRICES = {"A": "nn", "C": "nn", "X": "nd", "Y": "nd", "W": "dd", "Q": "dd", "U": "md", "V": "md", "P": "dm"}
VECTORS = {"x": "d", "y": "d", "u": "n", "w": "m"}
FAMILIES = {"F": "nn", "G": "dd", "K": "nd"}
SCALARS = {"a": 3, "c": -2}
FREE = {"s": "n", "p": "d", "g": "H"}  # indices that are declared
SYMBOLS = r"""
A, C : n x n; X, Y : n x d; W, Q : d x d; U, V : m x d; P : d x m; B : m x d x d; x, y : d; u : n; w : m; a, c : scalar
F^h : n x n for h in H; G^h : d x d for h in H; K^h : n x d for h in H; s in n; p in d; g in H
"""
NAMES = {"n": "ijk", "d": "ijk", "m": "ijk", "H": "hijg"}  # of indices of sums
generator = np.random.default_rng(11)
ARRAYS = {
    **{name: generator.integers(-3, 4, [SIZES[k] for k in shape]) for name, shape in (MATRICES | VECTORS).items()},
    **{name: generator.integers(-3, 4, [SIZES["H"], *(SIZES[k] for k in shape)]) for name, shape in FAMILIES.items()},
    "B": generator.integers(-3, 4, (4, 2, 2)),
}
NAME, SCRIPTED, PRODUCT, LOOSE, SUM, BIG = range(6)  # how tightly a formula holds together; NAME: may take scripts
Places = Mapping[str, int]


class Formula(NamedTuple):
    """A text and its value at places of its free indices."""

    text: str
    value: Callable[[Places], np.ndarray]
    level: int = NAME
    used: frozenset[str] = frozenset()

    def within(self, level: int) -> str:
        """The text as a part of something that binds at a level."""
        return self.text if self.level <= level else f"({self.text})"


def joined(parts: tuple[Formula, ...]) -> frozenset[str]:
    """The free indices of parts."""
    return frozenset().union(*(part.used for part in parts))


def made(template: str, level: int, rule: Callable[..., np.ndarray], *parts: Formula, within: int = NAME) -> Formula:
    """A formula by a template, whose parts bind within a level."""
    text = template.format(*(part.within(within) for part in parts))
    return Formula(text, lambda at: rule(*(part.value(at) for part in parts)), level, joined(parts))


@st.composite
def formulas(draw: st.DrawFn) -> tuple[Formula, str]:
    """A matrix, vector or scalar, with its shape as letters of sizes."""
    shape = draw(st.sampled_from(["nn", "nd", "dd", "md", "n", "d", "m", "", ""]))
    return Writer(draw).anything(shape, draw(st.integers(1, 4)), dict(FREE)), shape


class Writer:
    """Draws formulas of a shape, of at most a depth, with indices in scope."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw

    def one_of(self, options: list) -> object:
        """One of some options."""
        return self.draw(st.sampled_from(options))

    def size(self) -> str:
        """A size of positions or features."""
        return self.one_of(["n", "d", "m"])

    def anything(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A formula of a shape."""
        if depth == 0:
            return [self.number_leaf, self.vector_leaf, self.matrix_leaf][len(shape)](shape, scope)
        rules = [self.added, self.scaled, self.multiplied, self.entrywise, self.summed]
        rules += [[self.contracted, self.entry, self.power], [self.row, self.bilinear], [self.turned, self.outer, self.operated]][
            len(shape)
        ]
        return self.one_of(rules)(shape, depth - 1, scope)

    # ---- leaves
    def number_leaf(self, shape: str, scope: dict[str, str]) -> Formula:
        """A scalar, number or entry."""
        kind = self.one_of(["scalar", "number", "fraction", "entry", "entry"])
        if kind == "scalar":
            name = self.one_of(list(SCALARS))
            return Formula(name, lambda at: SCALARS[name])
        if kind == "number":
            number = self.one_of([1, 2, 7])
            return Formula(str(number), lambda at: number, PRODUCT)
        if kind == "fraction":
            text = self.one_of([r"\frac{1}{2}", r"\tfrac12", "0.5"])
            return Formula(text, lambda at: 0.5, PRODUCT)
        return self.entry_of(Formula(name := self.one_of(list(VECTORS)), lambda at: ARRAYS[name]), VECTORS[name], scope)

    def vector_leaf(self, shape: str, scope: dict[str, str]) -> Formula:
        """A vector, or ones."""
        names = [name for name, own in VECTORS.items() if own == shape]
        name = self.one_of([*names, *names, r"\mathbf{1}_" + shape])
        return Formula(
            name,
            lambda at: ARRAYS[name] if name in ARRAYS else np.ones(SIZES[shape], dtype=int),
            NAME if name in ARRAYS else SCRIPTED,
        )

    def matrix_leaf(self, shape: str, scope: dict[str, str]) -> Formula:
        """A matrix, a member of a family, a transpose or an identity."""
        options = [(name, False) for name, own in MATRICES.items() if own == shape]
        options += [(name, True) for name, own in MATRICES.items() if own == shape[::-1]]
        labels = [name for name, size in scope.items() if size == "H"] * 2 + ["0", "2"]
        members = [(name, self.one_of(labels)) for name, own in FAMILIES.items() if own == shape]
        if members and self.draw(st.booleans()):
            name, label = self.one_of(members)
            used = frozenset({label} - {"0", "2"})
            return Formula(f"{name}^{{{label}}}", lambda at: ARRAYS[name][at[label] if used else int(label)], SCRIPTED, used)
        if shape[0] == shape[1] and self.draw(st.integers(0, 4)) == 0:
            return Formula(rf"I_{shape[0]}", lambda at: np.eye(SIZES[shape[0]], dtype=int), SCRIPTED)
        if not options:
            return self.outer(shape, 0, scope)
        name, turned = self.one_of(options)
        if turned:
            mark = self.one_of([r"^\top", "^T", r"^{\mathsf{T}}"])
            return Formula(name + mark, lambda at: ARRAYS[name].T, SCRIPTED)
        return Formula(name, lambda at: ARRAYS[name])

    # ---- of every shape
    def added(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """Terms with signs; a sum over an index reaches to the next sign."""
        terms = [self.anything(shape, depth, scope) for _ in range(self.draw(st.integers(2, 3)))]
        signs = [self.one_of([1, 1, -1]) for _ in terms]
        texts = [term.text if term.level in (NAME, SCRIPTED, PRODUCT, LOOSE, BIG) else f"({term.text})" for term in terms]
        text = ("-" if signs[0] < 0 else "") + texts[0]
        for sign, other in zip(signs[1:], texts[1:], strict=True):
            text += (" + " if sign > 0 else " - ") + other
        return Formula(
            text, lambda at: sum(s * t.value(at) for s, t in zip(signs, terms, strict=True)), SUM, joined(tuple(terms))
        )

    def scaled(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A scalar times something; or something over a number."""
        factor, value = self.anything("", depth, scope), self.anything(shape, depth, scope)
        if self.draw(st.integers(0, 3)) == 0:
            return made(r"\frac{{{0}}}{{2}}", PRODUCT, lambda v: v / 2, value, within=BIG)
        factor_text = factor.within(SCRIPTED) if not factor.text.isdecimal() else factor.text
        text = f"{factor_text} {self.last(value)}"
        return Formula(text, lambda at: factor.value(at) * value.value(at), self.level_of(text, value), joined((factor, value)))

    def last(self, value: Formula) -> str:
        """What stands last in a product; a sum there needs no brackets."""
        return value.text if value.level == BIG and self.draw(st.booleans()) else value.within(self.one_of([SCRIPTED, PRODUCT]))

    def level_of(self, text: str, last: Formula) -> int:
        """A product that ends with a sum reaches as far as that."""
        return BIG if text.endswith(last.text) and last.level == BIG else PRODUCT

    def multiplied(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """Matrix products; of two scalars, their product."""
        if not shape:
            return self.scaled("", depth, scope)
        inner = self.size()
        left = self.anything(shape[0] + inner, depth, scope)
        right = self.anything(inner + shape[1:], depth, scope)
        sign = self.one_of([" ", " ", r" \, ", r" \cdot "])
        text = f"{left.within(self.one_of([SCRIPTED, PRODUCT]))}{sign}{self.last(right)}"
        return Formula(text, lambda at: left.value(at) @ right.value(at), self.level_of(text, right), joined((left, right)))

    def entrywise(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """Elementwise products, powers, relu; the last two of scalars too."""
        left, right = self.anything(shape, depth, scope), self.anything(shape, depth, scope)
        kind = self.one_of(["product", "product", "relu", "power"])
        if kind == "relu":
            name = self.one_of([r"\operatorname{relu}", r"\mathrm{ReLU}"])
            return Formula(rf"{name}({left.text})", lambda at: np.maximum(left.value(at), 0), PRODUCT, left.used)
        if kind == "power" or not shape:
            return made(r"{0}^{{\odot 2}}" if shape else "{0}^2", SCRIPTED, lambda v: v**2, left)
        return made(self.one_of([r"{0} \odot {1}", r"{0} \circ {1}"]), LOOSE, lambda v, w: v * w, left, right, within=PRODUCT)

    def summed(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A sum over an index, whose range is written where nothing else says it."""
        size = self.one_of(["n", "d", "m", "H", "H"])
        name = self.one_of(list(NAMES[size]))
        inner = {**scope, name: size}
        body = self.anything(shape, depth, inner)
        if name not in body.used and self.draw(st.integers(0, 4)):
            body = self.using(name, body, inner)
        below = [rf"\sum_{{{name} \in {size}}}", rf"\sum_{{{name}=1}}^{{{size}}}", rf"\sum_{{{name}=0}}^{{{size}-1}}"]
        if name in body.used and name not in FREE:
            below += [rf"\sum_{{{name}}}", rf"\sum_{name}"]
        places = range(SIZES[size])
        text = f"{self.one_of(below)} {body.within(LOOSE) if body.level != BIG else body.text}"
        return Formula(text, lambda at: sum(body.value({**at, name: place}) for place in places), BIG, body.used - {name})

    def using(self, name: str, body: Formula, scope: dict[str, str]) -> Formula:
        """Something multiplied by an entry, or by the trace of a member, at an index."""
        size = scope[name]
        if size == "H":
            family = self.one_of(["F", "G"])
            mark = self.one_of(["", r"\top"])
            factor = Formula(
                rf"\operatorname{{tr}}({family}^{{{name}{mark}}})",
                lambda at: np.trace(ARRAYS[family][at[name]]),
                PRODUCT,
                frozenset({name}),
            )
        else:
            vector = self.one_of([one for one, own in VECTORS.items() if own == size])
            factor = Formula(f"{vector}_{name}", lambda at: ARRAYS[vector][at[name]], SCRIPTED, frozenset({name}))
        text = f"{factor.text} {body.within(SCRIPTED)}"
        return Formula(text, lambda at: factor.value(at) * body.value(at), PRODUCT, joined((factor, body)))

    # ---- scalars
    def contracted(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """Inner products, norms, traces, quadratic forms."""
        one, two = self.size(), self.size()
        x, y = self.anything(one, depth, scope), self.anything(one, depth, scope)
        z, M = self.anything(two, depth, scope), self.anything(one + two, depth, scope)
        S = self.anything(one + one, depth, scope)
        return self.one_of(
            [
                made(r"{0}^\top {1}", PRODUCT, np.dot, self.plain(x), y),
                made(r"\langle {0}, {1} \rangle", PRODUCT, np.dot, x, y, within=BIG),
                made(r"({0} \cdot {1})", PRODUCT, np.dot, x, y, within=SCRIPTED),
                made(r"\|{0}\|^2", SCRIPTED, lambda v: v @ v, x, within=BIG),
                made(r"\|{0}\|_F^2", SCRIPTED, lambda v: np.sum(v * v), M, within=BIG),
                made(r"\operatorname{{tr}}({0})", PRODUCT, np.trace, S, within=BIG),
                made(
                    r"{0}^\top {1} {2}", PRODUCT, lambda v, m, w: v @ m @ w, self.plain(x), self.bracketed(M), self.bracketed(z)
                ),
            ]
        )

    def plain(self, value: Formula) -> Formula:
        """What a script may be put on."""
        return value if value.level == NAME else Formula(f"({value.text})", value.value, NAME, value.used)

    def bracketed(self, value: Formula) -> Formula:
        """What may stand between other factors."""
        return value if value.level <= SCRIPTED else Formula(f"({value.text})", value.value, NAME, value.used)

    def entry(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """An entry of a matrix or vector."""
        shape = self.size() + self.one_of(["", self.size()])
        return self.entry_of(self.anything(shape, depth, scope), shape, scope)

    def entry_of(self, value: Formula, shape: str, scope: dict[str, str]) -> Formula:
        """An entry at indices in scope or numbers."""
        base = self.plain(value)
        choices = [[name for name, size in scope.items() if size == own] * 2 + ["0", "1"] for own in shape]
        places = [self.one_of(choice) for choice in choices]
        comma = ", " if any(place.isdecimal() for place in places) else self.one_of(["", " ", ", "])
        used = frozenset(place for place in places if not place.isdecimal())

        def at_places(at: Places) -> np.ndarray:
            return base.value(at)[tuple(at[place] if place in used else int(place) for place in places)]

        return Formula(f"{base.text}_{{{comma.join(places)}}}", at_places, SCRIPTED, base.used | used)

    def power(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A square or cube."""
        number = self.one_of([2, 3])
        return made(f"{{0}}^{{{{{number}}}}}", SCRIPTED, lambda v: v**number, self.plain(self.anything("", depth, scope)))

    # ---- vectors
    def row(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A row of a matrix, or the diagonal of one."""
        if self.draw(st.integers(0, 3)) == 0:
            return made(r"\operatorname{{diag}}({0})", PRODUCT, np.diag, self.anything(shape + shape, depth, scope), within=BIG)
        first = self.size()
        return self.entry_of(self.anything(first + shape, depth, scope), first, scope)

    def bilinear(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A tensor applied to vectors, where the shape is its output; else a matrix times a vector."""
        if shape != "m":
            return self.multiplied(shape, depth, scope)
        x, y = self.anything("d", depth, scope), self.anything("d", depth, scope)
        rule = lambda v, w: np.einsum("ijk,j,k->i", ARRAYS["B"], v, w)  # noqa: E731
        if self.draw(st.booleans()):
            return made("B({0}, {1})", PRODUCT, rule, x, y, within=BIG)
        return made(r"({0} \cdot_{{12}} B \cdot_{{21}} {1})", NAME, rule, x, y, within=SCRIPTED)

    # ---- matrices
    def turned(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A transpose; of a square matrix also a power."""
        value = self.plain(self.anything(shape[::-1], depth, scope))
        if shape[0] == shape[1] and self.draw(st.booleans()):
            return made("{0}^2", SCRIPTED, lambda v: v @ v, value)
        return made(r"{0}^\top", SCRIPTED, lambda v: v.T, value)

    def outer(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """A column times a row; or a diagonal matrix times a matrix."""
        x, y = self.anything(shape[0], depth, scope), self.anything(shape[1], depth, scope)
        if depth and self.draw(st.booleans()):
            M = self.bracketed(self.anything(shape, depth, scope))
            return Formula(
                rf"\operatorname{{diag}}({x.text}) {M.text}",
                lambda at: x.value(at)[:, None] * M.value(at),
                PRODUCT,
                joined((x, M)),
            )
        text = rf"{x.within(SCRIPTED)} {self.plain(y).text}^\top"
        return Formula(text, lambda at: np.outer(x.value(at), y.value(at)), PRODUCT, joined((x, y)))

    def operated(self, shape: str, depth: int, scope: dict[str, str]) -> Formula:
        """An operator on a matrix of positions and features."""
        one, two = self.size(), self.size()
        left, right = self.anything(shape[0] + one, depth, scope), self.anything(shape[1] + two, depth, scope)
        value = self.bracketed(self.anything(one + two, depth, scope))
        text = rf"({left.within(PRODUCT)} \otimes {right.within(PRODUCT)}) {value.text}"
        return Formula(
            text,
            lambda at: left.value(at) @ value.value(at) @ right.value(at).T,
            LOOSE,  # in brackets as a factor: applying an operator is not associative
            joined((left, right, value)),
        )
