r"""What the laws of a certificate say, as rules on indices, and which laws follow from which; written from the meaning of each law.

| law of T (axes: leading ones h, then rows i and columns j) | rule |
| --- | --- |
| ``identity``, ``copy`` | T_{ij...} = 1 with all its indices made one |
| ``ones`` | T_{ij...} = 1 |
| ``diagonal`` | T_{ij...} = T_{ij...} with all its indices made one |
| ``row_stochastic`` / ``column_stochastic`` | sum_j T_{hij} = 1 / sum_i T_{hij} = 1 |
| ``exclusive_rows`` / ``exclusive_columns`` | T_{hij} T_{hik} = T_{hij} with j = k / T_{hij} T_{hkj} = T_{hij} with i = k |
| ``orthonormal_columns`` / ``orthonormal_rows`` | sum_i T_{hij} T_{hik} = [j = k] / sum_j T_{hij} T_{hkj} = [i = k] |
| ``inverse(N)`` | sum_j T_{hij} N_{hjk} = [i = k] |
| ``signs`` | T_{ii} T_{ii} = 1 |
| ``transpose(M)`` / ``equal(M)`` | T_{hij} = M_{hji} / T_{hij} = M_{hij} |
| ``diagonal inverse(N)``, where both are diagonal | T_{ii} N_{ii} = 1 |

Symmetric and antisymmetric laws have no rule: they say in which orders the axes of a factor may be read. Only where two axes
that are exchanged with a change of sign have size 1 is there one: ``antisymmetric(...)`` then says T = 0. An axis may be a group of legs (a product of
sizes): then each of its legs has an index.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from symbolic_circuits.identities.checker_data import Axes, Result, Rule, fail, scalar

__all__ = ["Exchanges", "Law", "all_laws", "exchanges_of", "rules_of_laws"]

FORM = re.compile(r"([a-z_]+)(?:\(([^()]+)\))?")
MATRIX = {  # laws of the last two axes
    "orthonormal_columns", "orthonormal_rows", "column_stochastic", "one_hot_columns", "exclusive_columns",
    "permutation", "inverse", "transpose", "equal",
}  # fmt: skip
ROWS = {"row_stochastic", "one_hot_rows", "exclusive_rows"}  # laws of the last axis
PLAIN = MATRIX - {"inverse", "transpose", "equal"} | ROWS | {"identity", "copy", "ones", "diagonal", "signs"}
DERIVED_ONLY = {"signs", "transpose", "equal"}
ONE = scalar(1)


class Law(NamedTuple):
    """A law of a tensor, with the axes or the other tensor that it names."""

    tensor: str
    kind: str
    axes: tuple[int, ...] = ()
    other: str = ""

    @property
    def text(self) -> str:
        """The law as a certificate writes it."""
        inside = self.other or ",".join(map(str, self.axes))
        return f"{self.kind}({inside})" if inside else self.kind


def to_law(tensor: str, text: str, where: str) -> Law:
    """A law from its text."""
    found = FORM.fullmatch(text)
    kind, inside = (found[1], found[2]) if found else ("", None)
    if kind in PLAIN and inside is None:
        return Law(tensor, kind)
    if kind in ("inverse", "transpose", "equal") and inside is not None:
        return Law(tensor, kind, (), inside)
    if kind in ("symmetric", "antisymmetric") and re.fullmatch(r"[0-9]{1,3}(,[0-9]{1,3})+", inside or ""):
        return Law(tensor, kind, tuple(map(int, inside.split(","))))
    fail(where, f"{text[:80]!r} is not a law")


def require_fit(law: Law, tensors: Mapping[str, Axes], where: str) -> None:
    """The tensors are there, and have the axes that the law speaks of, of equal sizes where it compares them."""
    for name in (law.tensor, law.other):
        if name and name not in tensors:
            fail(where, f"the tensor {name} is not declared")
    axes, kind = tensors[law.tensor], law.kind
    least = 2 if kind in MATRIX | {"identity", "signs"} else 1 if kind in ROWS | {"copy", "diagonal"} else 0
    if len(axes) < least or (kind in ("identity", "signs") and len(axes) != 2):
        fail(where, f"{law.text} does not fit {law.tensor}, which has {len(axes)} axes")
    same: Sequence[int] = ()
    if kind in ("symmetric", "antisymmetric"):
        if len(set(law.axes)) != len(law.axes) or max(law.axes) >= len(axes):
            fail(where, f"{law.text} does not fit {law.tensor}, which has {len(axes)} axes")
        same = law.axes
    elif kind in ("identity", "copy", "diagonal", "signs"):
        same = range(len(axes))
    elif kind in ("permutation", "inverse"):
        same = (len(axes) - 2, len(axes) - 1)
    if len({axes[axis] for axis in same}) > 1:
        fail(where, f"{law.text} of {law.tensor} compares axes of different sizes: {axes}")
    if law.other:
        expected = (*axes[:-2], axes[-1], axes[-2]) if kind == "transpose" else axes
        if tensors[law.other] != expected:
            fail(where, f"{law.text} does not fit: {law.tensor} has axes {axes}, {law.other} has {tensors[law.other]}")


def all_laws(
    declared: Sequence[tuple[str, str]],
    derived: Sequence[tuple[str, str, tuple[tuple[str, str], ...]]],
    tensors: Mapping[str, Axes],
) -> list[Law]:
    """The laws that are declared, and those that follow.

    Raises
    ------
    CertificateError
        A law does not fit its tensor, or does not follow from its premises, or a premise is not known before it.
    """
    known: list[Law] = []
    for tensor, text in declared:
        where = f"the law {text} of {tensor}"
        law = to_law(tensor, text, where)
        require_fit(law, tensors, where)
        if law.kind in DERIVED_ONLY:
            fail(where, "it can only follow from others")
        known.append(law)
    for tensor, text, reasons in derived:
        where = f"the derived law {text} of {tensor}"
        law = to_law(tensor, text, where)
        require_fit(law, tensors, where)
        premises = [to_law(*premise, where) for premise in reasons]
        for premise in premises:
            if premise not in known:
                fail(where, f"its premise {premise.text} of {premise.tensor} is not known before it")
        if not follows(law, premises, tensors):
            shown = ", ".join(f"{premise.text} of {premise.tensor}" for premise in premises)
            fail(where, f"it does not follow from {shown or 'nothing'}")
        known.append(law)
    return known


# --- which laws follow ------------------------------------------------------------------------------------------------

IMPLIES = [  # (kinds of one tensor, kind that follows, and why)
    ({"permutation"}, "one_hot_rows"),  # its definition
    ({"permutation"}, "one_hot_columns"),
    ({"permutation"}, "orthonormal_columns"),  # P_ij P_ik = [j = k] P_ij, and sum_i P_ij = 1
    ({"permutation"}, "orthonormal_rows"),
    ({"one_hot_rows"}, "exclusive_rows"),  # its definition
    ({"one_hot_rows"}, "row_stochastic"),
    ({"one_hot_columns"}, "exclusive_columns"),
    ({"one_hot_columns"}, "column_stochastic"),
    # entries are 0 or 1, and sum_j T_ij T_kj = 0 for i != k, so that every product is 0
    ({"one_hot_rows", "orthonormal_rows"}, "exclusive_columns"),
    ({"one_hot_columns", "orthonormal_columns"}, "exclusive_rows"),
    # entries are 0 or 1, and sum_i T_ij = sum_i T_ij T_ij = 1, so that a column has a single 1
    ({"one_hot_rows", "orthonormal_columns"}, "exclusive_columns"),
    ({"one_hot_columns", "orthonormal_rows"}, "exclusive_rows"),
    # T^T 1 = T^T T 1 = 1 where T 1 = 1 and T^T T = 1
    ({"row_stochastic", "orthonormal_columns"}, "column_stochastic"),
    ({"one_hot_rows", "orthonormal_columns"}, "column_stochastic"),
    ({"column_stochastic", "orthonormal_rows"}, "row_stochastic"),
    ({"one_hot_columns", "orthonormal_rows"}, "row_stochastic"),
]
TURNED = {  # what a transposed matrix has
    "row_stochastic": "column_stochastic", "column_stochastic": "row_stochastic",
    "one_hot_rows": "one_hot_columns", "one_hot_columns": "one_hot_rows",
    "exclusive_rows": "exclusive_columns", "exclusive_columns": "exclusive_rows",
    "orthonormal_rows": "orthonormal_columns", "orthonormal_columns": "orthonormal_rows",
}  # fmt: skip


def follows(law: Law, premises: Collection[Law], tensors: Mapping[str, Axes]) -> bool:
    """Whether the premises imply the law."""
    axes = tensors[law.tensor]
    own = {premise.kind for premise in premises if premise.tensor == law.tensor and not premise.other}
    square = len(axes) >= 2 and axes[-1] == axes[-2]
    last = {len(axes) - 2, len(axes) - 1}
    if any(kinds <= own and law.kind == kind for kinds, kind in IMPLIES):
        return True
    # U^T U = 1 for a square U gives U U^T = 1, and the other way round
    if square and law.kind in ("orthonormal_rows", "orthonormal_columns") and TURNED[law.kind] in own:
        return True
    # what holds of the rows of a symmetric matrix holds of its columns
    symmetric = any(p.tensor == law.tensor and p.kind == "symmetric" and last <= set(p.axes) for p in premises)
    if symmetric and len(axes) >= 2 and TURNED.get(law.kind) in own:
        return True
    # the entries of a diagonal tensor that an exchange moves are 0
    if law.kind == "symmetric" and "diagonal" in own:
        return True
    # D_ii = sum_j D_ij = 1; D_ii^2 = sum_i D_ij D_ij = 1
    if len(axes) == 2 and "diagonal" in own and law.kind in ("identity", "signs"):
        needed = (
            {"row_stochastic", "column_stochastic"} if law.kind == "identity" else {"orthonormal_columns", "orthonormal_rows"}
        )
        return square and bool(needed & own)
    return follows_from_inverse(law, premises, tensors)


def follows_from_inverse(law: Law, premises: Collection[Law], tensors: Mapping[str, Axes]) -> bool:
    """Whether a law follows from what is said of inverses."""
    axes = tensors[law.tensor]
    last = {len(axes) - 2, len(axes) - 1}
    inverses = {(p.tensor, p.other) for p in premises if p.kind == "inverse"}
    inverses |= {(b, a) for a, b in inverses}  # M N = 1 = N M
    if law.kind == "inverse":
        return (law.tensor, law.other) in inverses
    if law.kind == "equal":  # N = N M P = P
        return any(a == law.tensor and (b, law.other) in inverses for a, b in inverses)
    for tensor, other in inverses:  # tensor is what the law speaks of, other its inverse
        if tensor != law.tensor:
            continue
        kinds = {p.kind for p in premises if p.tensor == other and not p.other}
        orthonormal = bool({"orthonormal_columns", "orthonormal_rows"} & kinds)  # square, so that each gives the other
        if law.kind == "transpose" and law.other == other and orthonormal:  # N = M^T M N = M^T
            return True
        if law.kind in ("orthonormal_columns", "orthonormal_rows") and orthonormal:  # N = M^T
            return True
        if law.kind == "symmetric" and tensor == other and orthonormal and set(law.axes) == last:  # M = M^T M M = M^T
            return True
        # 1 = N M 1 = N 1; 1 N = 1
        if law.kind in ("row_stochastic", "column_stochastic", "identity") and law.kind in kinds:
            return True
        # M_ii N_ij = [i = j] with M_ii != 0
        if law.kind == "diagonal" and law.kind in kinds and len(axes) == 2:
            return True
        # the transpose of the inverse is the inverse of the transpose
        exchanged = any(p.tensor == other and p.kind == law.kind and last <= set(p.axes) for p in premises)
        if law.kind in ("symmetric", "antisymmetric") and set(law.axes) == last and exchanged:
            return True
    return False


# --- laws as rules ----------------------------------------------------------------------------------------------------


def rules_of_laws(laws: Collection[Law], tensors: Mapping[str, Axes]) -> dict[str, Rule]:
    """The rules that laws are, by name."""
    rules = {}
    for law in laws:
        name = f"{law.text} of {law.tensor}"
        if (rule := rule_of_law(name, law, tensors[law.tensor])) is not None:
            rules[name] = rule
    diagonal = {law.tensor for law in laws if law.kind == "diagonal"}
    for law in laws:
        if law.kind == "inverse" and {law.tensor, law.other} <= diagonal and len(tensors[law.tensor]) == 2:
            i = tuple(range(len(tensors[law.tensor][0])))
            name = f"diagonal {law.text} of {law.tensor}"
            rules[name] = Rule(name, ((law.tensor, i + i), (law.other, i + i)), frozenset(), (Result(ONE),))
    return rules


def rule_of_law(name: str, law: Law, axes: Axes) -> Rule | None:
    """The rule of a law, as in the table; None for laws that have none of their own."""
    T, kind = law.tensor, law.kind
    groups: list[tuple[int, ...]] = []  # variables of each axis, and of one axis more
    for axis in (*axes, axes[-1] if axes else ()):
        start = sum(map(len, groups))
        groups.append(tuple(range(start, start + len(axis))))
    everything = sum(groups[:-1], ())

    def rule(factors: tuple, summed: tuple = (), kept: tuple = (), united: tuple = ()) -> Rule:
        return Rule(name, factors, frozenset(summed), (Result(ONE, kept, united),))

    if kind in ("identity", "copy", "ones", "diagonal"):
        all_one = tuple((a, b) for group in groups[1:-1] for a, b in zip(groups[0], group, strict=kind != "ones"))
        kept = ((T, everything),) if kind == "diagonal" else ()
        return rule(((T, everything),), kept=kept, united=() if kind == "ones" else all_one)
    if kind == "antisymmetric" and sum(not axes[axis] for axis in law.axes) > 1:  # T = -T
        return Rule(name, ((T, everything),), frozenset(), (Result(scalar(0)),))
    if kind in ("symmetric", "antisymmetric", "permutation", "one_hot_rows", "one_hot_columns"):
        return None
    h, j = sum(groups[: max(len(axes) - 2, 0)], ()), groups[len(axes) - 1]
    i = groups[len(axes) - 2] if len(axes) > 1 else ()
    if kind == "row_stochastic":
        return rule(((T, h + i + j),), summed=j)
    if kind == "column_stochastic":
        return rule(((T, h + i + j),), summed=i)
    if kind == "signs":
        return rule(((T, i + i), (T, i + i)))
    if kind == "equal":
        return rule(((T, h + i + j),), kept=((law.other, h + i + j),))
    if kind == "transpose":
        return rule(((T, h + i + j),), kept=((law.other, h + j + i),))
    along_rows = kind in ("exclusive_rows", "orthonormal_columns")  # two factors with the same rows and other columns
    start = len(everything)
    k = tuple(range(start, start + len(axes[-1] if along_rows else axes[-2])))
    if kind == "inverse":
        return rule(((T, h + i + j), (law.other, h + j + k)), summed=j, united=tuple(zip(i, k, strict=True)))
    pair = ((T, h + i + j), (T, h + i + k if along_rows else h + k + j))
    united = tuple(zip(j if along_rows else i, k, strict=True))
    if kind in ("exclusive_rows", "exclusive_columns"):
        return rule(pair, kept=((T, h + i + j),), united=united)
    return rule(pair, summed=i if along_rows else j, united=united)  # orthonormal


# --- exchanges of axes ------------------------------------------------------------------------------------------------


class Exchanges(NamedTuple):
    """Which axes of a tensor may be exchanged."""

    spans: tuple[tuple[int, ...], ...]  # the places of the legs of each axis
    groups: tuple[tuple[tuple[int, ...], int], ...]  # axes of which each exchange of two has this sign

    def sign(self, order: tuple[int, ...]) -> int | None:
        """The sign that reading the legs in an order has; None where it is not allowed."""
        if sorted(order) != sorted(sum(self.spans, ())):
            return None
        moved: list[int] = []  # the axis that is read at the place of each axis
        for axis, span in enumerate(self.spans):
            group = next((set(group) for group, _ in self.groups if axis in group), {axis})
            read = tuple(order[place] for place in span)
            moved.append(axis if not span else next((other for other in sorted(group) if self.spans[other] == read), -1))
        if sorted(moved) != list(range(len(moved))):
            return None
        sign = 1
        for group, group_sign in self.groups:
            if group_sign < 0:
                sign *= parity([moved[axis] for axis in group])
        return sign

    def sorted(self, legs: tuple) -> tuple[tuple, int]:
        """The legs in the least order that exchanges lead to, and the sign of it: 0 where an antisymmetric pair is equal."""
        read = [tuple(legs[place] for place in span) for span in self.spans]
        sign = 1
        for group, group_sign in self.groups:
            ranked = sorted(group, key=lambda axis: (read[axis], axis))
            if group_sign < 0:
                sign *= parity(ranked) if len({read[axis] for axis in group}) == len(group) else 0
            values = [read[axis] for axis in ranked]
            for axis, value in zip(group, values, strict=True):
                read[axis] = value
        return sum(read, ()), sign


def parity(order: Sequence[int]) -> int:
    """1 or -1: the number of pairs in the wrong order."""
    return (-1) ** sum(a > b for k, b in enumerate(order) for a in order[:k])


def exchanges_of(laws: Collection[Law], tensors: Mapping[str, Axes]) -> dict[str, Exchanges]:
    """The exchanges that are allowed for each tensor.

    Exchanges of 0, 1 and of 1, 2 make all those of 0, 1, 2. Axes that take part in a symmetric and in an antisymmetric law are
    refused: a tensor that has both in common axes is zero.
    """
    out = {}
    for name, axes in tensors.items():
        groups: list[tuple[set[int], int]] = []
        for law in laws:
            if law.tensor != name or law.kind not in ("symmetric", "antisymmetric"):
                continue
            sign, found = (1 if law.kind == "symmetric" else -1), set(law.axes)
            meeting = [group for group in groups if group[0] & found]
            if any(group_sign != sign for _, group_sign in meeting):
                fail(f"the law {law.text} of {name}", "axes are both symmetric and antisymmetric")
            groups = [group for group in groups if group not in meeting]
            groups.append((found.union(*(group for group, _ in meeting)), sign))
        starts = [sum(map(len, axes[:k])) for k in range(len(axes))]
        spans = tuple(tuple(range(start, start + len(axis))) for start, axis in zip(starts, axes, strict=True))
        out[name] = Exchanges(spans, tuple((tuple(sorted(group)), sign) for group, sign in groups))
    return out
