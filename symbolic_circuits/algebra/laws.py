r"""Laws that tensors are declared to satisfy, and what follows from them.

| law | says |
| --- | --- |
| ``identity``, ``copy``, ``ones`` | T_{ij...} = 1 where all indices are equal, else 0 (identity: order 2); T_{ij...} = 1 |
| ``diagonal`` | T_{ij...} = 0 unless all indices are equal |
| ``symmetric(0,1)``, ``antisymmetric(0,1)`` | exchanging two of these axes leaves T as it is, or changes its sign |
| ``orthonormal_columns``, ``orthonormal_rows`` | sum_i U_{ij} U_{ik} = delta_{jk}; sum_j U_{ij} U_{kj} = delta_{ik} |
| ``inverse(N)`` | sum_j M_{ij} N_{jk} = delta_{ik} = sum_j N_{ij} M_{jk} |
| ``row_stochastic``, ``column_stochastic`` | sum_j A_{ij} = 1; sum_i A_{ij} = 1 |
| ``one_hot_rows``, ``one_hot_columns`` | t_{sv} t_{sw} = delta_{vw} t_{sv} and rows sum to 1; the same for columns |
| ``permutation`` | one-hot rows and columns |
| ``exclusive_rows``, ``exclusive_columns`` | t_{sv} t_{sw} = delta_{vw} t_{sv}, whatever the sums |
| ``signs`` | a diagonal matrix whose entries square to 1 |
| ``transpose(M)``, ``equal(M)`` | N_{ij} = M_{ji}; N = M (these two only follow from others) |

Laws of matrices speak of the last two axes (rows and columns) and hold for every value of the axes before: a family of heads
with row-stochastic patterns is ``row_stochastic``. A law about one axis (row sums, one-hot rows) speaks of the last.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from symbolic_circuits.algebra.open_terms import Axis
from symbolic_circuits.errors import LawError

__all__ = ["Derivation", "Law", "closed_laws", "parse_law"]


class Law(NamedTuple):
    """A law of a tensor.

    >>> str(Law("S", "symmetric", (0, 1))), str(Law("M", "inverse", (), "N"))
    ('symmetric(0,1)', 'inverse(N)')
    """

    tensor: str
    kind: str
    axes: tuple[int, ...] = ()  # of symmetric and antisymmetric
    other: str = ""  # of inverse, transpose, equal

    def __str__(self) -> str:
        inside = ",".join(map(str, self.axes)) if self.axes else self.other
        return f"{self.kind}({inside})" if inside else self.kind


class Derivation(NamedTuple):
    """Why a law follows from others."""

    reason: str
    premises: tuple[Law, ...]


MATRIX = {
    "orthonormal_columns",
    "orthonormal_rows",
    "permutation",
    "inverse",
    "column_stochastic",
    "one_hot_columns",
    "exclusive_columns",
}
SQUARE = {"permutation", "inverse", "identity"}
PLAIN = MATRIX - {"inverse"} | {"identity", "copy", "ones", "diagonal", "row_stochastic", "one_hot_rows", "exclusive_rows"}
FORM = re.compile(r"\s*([a-z_]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*")
LETTERS = {"identity": 2}


def parse_law(tensor: str, text: str) -> Law:
    """The law that a text such as ``symmetric(0,1)`` declares of a tensor.

    Raises
    ------
    LawError
        The text is none of the laws; the message lists them.

    Examples
    --------
    >>> parse_law("B", "symmetric(1, 2)")
    Law(tensor='B', kind='symmetric', axes=(1, 2), other='')
    """
    found = FORM.fullmatch(text)
    kind, inside = (found[1], found[2] or "") if found else ("", "")
    if kind in PLAIN and not inside:
        return Law(tensor, kind)
    if kind in ("symmetric", "antisymmetric"):
        parts = [part.strip() for part in inside.split(",")] if inside else ["0", "1"]
        if all(re.fullmatch(r"[0-9]{1,3}", part) for part in parts) and len(set(map(int, parts))) == len(parts) > 1:
            return Law(tensor, kind, tuple(sorted(map(int, parts))))
        raise LawError(f"{kind} of {tensor} names at least two different axes, as in {kind}(0,1); got {text!r}")
    if kind == "inverse" and inside:
        return Law(tensor, kind, (), inside)
    known = sorted(PLAIN | {"symmetric(0,1)", "antisymmetric(0,1)", "inverse(M)"})
    raise LawError(f"{tensor} is given the law {text!r}; the laws are {', '.join(known)}")


def closed_laws(laws: Iterable[Law], axes: Mapping[str, tuple[Axis, ...]]) -> dict[Law, Derivation | None]:
    """All laws that follow from the declared ones, with the reason; None for those declared.

    Parameters
    ----------
    laws : as declared
    axes : the axes of every tensor

    Raises
    ------
    LawError
        A law does not fit the shape of its tensor, names a tensor that is not there, or contradicts others.

    Examples
    --------
    >>> square = {"U": (("n",), ("n",))}
    >>> [str(law) for law in closed_laws([Law("U", "orthonormal_columns")], square)]
    ['orthonormal_columns', 'orthonormal_rows']
    """
    known: dict[Law, Derivation | None] = {}
    for law in laws:
        require_fit(law, axes)
        known[law] = None
    grown = True
    while grown:
        grown = False
        for reason, rule in CLOSURE.items():
            for conclusion, premises in rule(list(known), axes):
                if conclusion not in known:
                    known[conclusion] = Derivation(reason, premises)
                    grown = True
    for law in known:
        require_consistent(law, known, axes)
    return known


def require_fit(law: Law, axes: Mapping[str, tuple[Axis, ...]]) -> None:
    """The tensor is there, and has the axes that the law speaks of."""
    for name in (law.tensor, law.other):
        if name and name not in axes:
            raise LawError(f"the law {law} of {law.tensor} speaks of {name}, which is not declared")
    shape = axes[law.tensor]
    if (law.kind in MATRIX | {"identity"} and len(shape) < 2) or (law.kind == "identity" and len(shape) != 2):
        raise LawError(f"{law} is a law of matrices; {law.tensor} has {len(shape)} axes")
    if law.kind in ("diagonal", "row_stochastic", "one_hot_rows", "exclusive_rows", "copy") and not shape:
        raise LawError(f"{law} is a law of tensors with axes; {law.tensor} is a scalar")
    if any(axis >= len(shape) for axis in law.axes):
        raise LawError(f"{law} of {law.tensor}: its axes are 0 to {len(shape) - 1}")
    same = law.axes or (range(len(shape)) if law.kind in ("copy", "diagonal") else (-2, -1) if law.kind in SQUARE else ())
    if len({shape[axis] for axis in same}) > 1:
        raise LawError(f"{law} of {law.tensor} needs axes of one size; they are {show(shape)}")
    if law.kind == "inverse" and (axes[law.other][-2:] != shape[-2:] or axes[law.other][:-2] != shape[:-2]):
        raise LawError(f"{law} of {law.tensor}: {law.tensor} is {show(shape)} and {law.other} is {show(axes[law.other])}")
    rows, columns = (shape[-2], shape[-1]) if len(shape) > 1 else ((), ())
    if all(isinstance(size, int) for size in (*rows, *columns)):
        high, wide = product(rows), product(columns)
        if (law.kind == "orthonormal_columns" and high < wide) or (law.kind == "orthonormal_rows" and high > wide):
            raise LawError(f"{law} of {law.tensor} contradicts its shape {high} x {wide}")


def product(sizes: Iterable[int]) -> int:
    """The product of fixed sizes."""
    out = 1
    for size in sizes:
        out *= size
    return out


def show(shape: tuple[Axis, ...]) -> str:
    """Sizes for an error message."""
    return " x ".join("*".join(map(str, axis)) or "1" for axis in shape) or "a scalar"


TRUE_OF = {  # what is true of the tensors that a law determines
    "identity": {
        "symmetric", "diagonal", "signs", "orthonormal_columns", "orthonormal_rows", "permutation", "inverse", "row_stochastic",
        "column_stochastic", "one_hot_rows", "one_hot_columns", "exclusive_rows", "exclusive_columns", "identity", "copy",
        "transpose", "equal",
    },
    "copy": {"symmetric", "diagonal", "copy", "identity", "equal", "exclusive_rows", "exclusive_columns"},
    "ones": {"symmetric", "ones", "equal"},
}  # fmt: skip
VANISHING = {  # what an antisymmetric tensor cannot be unless it is zero
    "diagonal", "row_stochastic", "column_stochastic", "exclusive_rows", "exclusive_columns", "one_hot_rows", "one_hot_columns",
    "permutation", "identity", "copy", "ones",
}  # fmt: skip


def require_consistent(law: Law, known: Mapping[Law, object], axes: Mapping[str, tuple[Axis, ...]]) -> None:
    """No other law of the tensor contradicts this one."""
    for other in known:
        if other.tensor != law.tensor or other == law:
            continue
        wrong = law.kind in TRUE_OF and other.kind not in TRUE_OF[law.kind]
        if law.kind == "ones" and other.kind in ("row_stochastic", "one_hot_rows", "exclusive_rows"):
            wrong = bool(axes[law.tensor][-1])  # the one entry of a row of size 1 is 1
        if law.kind == "copy" and len(axes[law.tensor]) == 2:
            wrong = other.kind not in TRUE_OF["identity"]
        if law.kind in TRUE_OF and not any(axes[law.tensor]):
            wrong = False  # the one entry is 1
        if {law.kind, other.kind} == {"copy", "ones"} and len(axes[law.tensor]) == 1:
            wrong = False
        if law.kind == "antisymmetric":
            wrong |= other.kind in VANISHING and speaks_of(other, law.axes, axes)
            wrong |= other.kind == "symmetric" and len(set(law.axes) & set(other.axes)) > 1
        if wrong:
            raise LawError(f"the laws {law} and {other} of {law.tensor} contradict each other")


def speaks_of(law: Law, pair: tuple[int, ...], axes: Mapping[str, tuple[Axis, ...]]) -> bool:
    """Whether a law makes a tensor that is antisymmetric in these axes zero or impossible."""
    order = len(axes[law.tensor])
    return law.kind in ("diagonal", "identity", "copy", "ones") or {order - 2, order - 1} <= set(pair)


Conclusions = Iterable[tuple[Law, tuple[Law, ...]]]
Facts = list[Law]
Axes = Mapping[str, tuple[Axis, ...]]


def of_kind(facts: Facts, *kinds: str) -> list[Law]:
    """The laws of these kinds."""
    return [law for law in facts if law.kind in kinds]


def both(facts: Facts, first: str, second: str) -> Iterable[tuple[Law, Law]]:
    """Two laws of one tensor."""
    of_second = {law.tensor: law for law in of_kind(facts, second)}
    return ((law, of_second[law.tensor]) for law in of_kind(facts, first) if law.tensor in of_second)


def exchangeable(facts: Facts, axes: Axes) -> dict[str, Law]:
    """Tensors that are symmetric in their last two axes."""
    out = {}
    for law in of_kind(facts, "symmetric"):
        order = len(axes[law.tensor])
        if {order - 2, order - 1} <= set(law.axes):
            out[law.tensor] = law
    return out


def also(source: str, *implied: str) -> Callable[[Facts, Axes], Conclusions]:
    """A law that is several."""
    return lambda facts, axes: ((Law(f.tensor, kind), (f,)) for f in of_kind(facts, source) for kind in implied)


def together(first: str, second: str, *implied: str) -> Callable[[Facts, Axes], Conclusions]:
    """Laws that follow from two of one tensor."""
    return lambda facts, axes: ((Law(a.tensor, k), (a, b)) for a, b in both(facts, first, second) for k in implied)


def square(source: str, implied: str) -> Callable[[Facts, Axes], Conclusions]:
    """A law of square matrices."""
    return lambda facts, axes: (
        (Law(f.tensor, implied), (f,)) for f in of_kind(facts, source) if axes[f.tensor][-1] == axes[f.tensor][-2]
    )


OPPOSITE = {
    "row_stochastic": "column_stochastic",
    "one_hot_rows": "one_hot_columns",
    "exclusive_rows": "exclusive_columns",
    "orthonormal_rows": "orthonormal_columns",
}
OPPOSITE |= {b: a for a, b in OPPOSITE.items()}


def turned(facts: Facts, axes: Axes) -> Conclusions:
    """What holds of the rows of a symmetric matrix holds of its columns."""
    symmetric = exchangeable(facts, axes)
    for law in of_kind(facts, *OPPOSITE):
        if law.tensor in symmetric:
            yield Law(law.tensor, OPPOSITE[law.kind]), (symmetric[law.tensor], law)


def diagonal_symmetric(facts: Facts, axes: Axes) -> Conclusions:
    """A diagonal tensor is symmetric in all axes."""
    for law in of_kind(facts, "diagonal"):
        if len(axes[law.tensor]) > 1:
            yield Law(law.tensor, "symmetric", tuple(range(len(axes[law.tensor])))), (law,)


def inverse_back(facts: Facts, axes: Axes) -> Conclusions:
    """An inverse is one from both sides."""
    return ((Law(law.other, "inverse", (), law.tensor), (law,)) for law in of_kind(facts, "inverse"))


def inverse_inherits(facts: Facts, axes: Axes) -> Conclusions:
    """M 1 = 1 gives 1 = N 1; the transpose of an inverse is the inverse of the transpose."""
    for law in of_kind(facts, "inverse"):
        order = len(axes[law.tensor])
        for fact in facts:
            inherited = fact.kind in ("row_stochastic", "column_stochastic", "identity") or (
                fact.kind == "diagonal" and order == 2
            )
            inherited |= fact.kind in ("symmetric", "antisymmetric") and fact.axes == (order - 2, order - 1)
            if fact.tensor == law.tensor and inherited:
                yield Law(law.other, fact.kind, fact.axes), (law, fact)


def inverse_of_orthonormal(facts: Facts, axes: Axes) -> Conclusions:
    """The inverse of a square matrix with orthonormal columns is its transpose; of two names the later one is replaced."""
    orthonormal = {law.tensor: law for law in of_kind(facts, "orthonormal_columns")}
    for law in of_kind(facts, "inverse"):
        if law.tensor in orthonormal and law.tensor < law.other:
            yield Law(law.other, "transpose", (), law.tensor), (law, orthonormal[law.tensor])
        elif law.tensor == law.other and law.tensor in orthonormal:
            order = len(axes[law.tensor])
            yield Law(law.tensor, "symmetric", (order - 2, order - 1)), (law, orthonormal[law.tensor])
        elif law.tensor in orthonormal:
            yield Law(law.other, "orthonormal_columns"), (law, orthonormal[law.tensor])


def inverses_agree(facts: Facts, axes: Axes) -> Conclusions:
    """Two inverses of one matrix are equal; the later name is replaced."""
    inverses = of_kind(facts, "inverse")
    for a in inverses:
        for b in inverses:
            if a.tensor == b.tensor and a.other < b.other:
                yield Law(b.other, "equal", (), a.other), (a, b)


CLOSURE: dict[str, Callable[[Facts, Axes], Conclusions]] = {
    "a permutation has one-hot rows and columns": also("permutation", "one_hot_rows", "one_hot_columns"),
    "a permutation is orthonormal": also("permutation", "orthonormal_columns", "orthonormal_rows"),
    "one-hot rows exclude each other and sum to 1": also("one_hot_rows", "exclusive_rows", "row_stochastic"),
    "one-hot columns exclude each other and sum to 1": also("one_hot_columns", "exclusive_columns", "column_stochastic"),
    "orthonormal columns of a square matrix": square("orthonormal_columns", "orthonormal_rows"),
    "orthonormal rows of a square matrix": square("orthonormal_rows", "orthonormal_columns"),
    "rows and columns of a symmetric matrix": turned,
    "a diagonal tensor is symmetric": diagonal_symmetric,
    "an inverse is one from both sides": inverse_back,
    "an inverse inherits": inverse_inherits,
    "the inverse of an orthonormal matrix is its transpose": inverse_of_orthonormal,
    "an inverse is unique": inverses_agree,
    "orthonormal one-hot rows exclude each other": together("one_hot_rows", "orthonormal_rows", "exclusive_columns"),
    "orthonormal one-hot columns exclude each other": together("one_hot_columns", "orthonormal_columns", "exclusive_rows"),
    "one-hot rows with orthonormal columns": together(
        "one_hot_rows", "orthonormal_columns", "column_stochastic", "exclusive_columns"
    ),
    "one-hot columns with orthonormal rows": together("one_hot_columns", "orthonormal_rows", "row_stochastic", "exclusive_rows"),
    "rows that sum to 1, orthonormal columns": together("row_stochastic", "orthonormal_columns", "column_stochastic"),
    "columns that sum to 1, orthonormal rows": together("column_stochastic", "orthonormal_rows", "row_stochastic"),
    "a diagonal matrix with orthonormal columns": lambda facts, axes: (
        (Law(a.tensor, "signs"), (a, b)) for a, b in both(facts, "diagonal", "orthonormal_columns") if len(axes[a.tensor]) == 2
    ),
    "a diagonal matrix whose rows sum to 1": lambda facts, axes: (
        (Law(a.tensor, "identity"), (a, b)) for a, b in both(facts, "diagonal", "row_stochastic") if len(axes[a.tensor]) == 2
    ),
}  # fmt: skip
