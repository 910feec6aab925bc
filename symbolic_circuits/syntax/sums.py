r"""Sums of matrices and of arrays over index symbols, :math:`\sum_h A^h X (W^h)^\top`, which SymPy's Sum has no shape for."""

from collections.abc import Iterator
from itertools import product

from sympy import Add, Dummy, Expr, Integer, MatAdd, MatMul, MatrixExpr, Symbol, Tuple
from sympy.core.basic import Basic
from sympy.core.cache import cacheit
from sympy.core.sympify import _sympify
from sympy.printing.precedence import PRECEDENCE

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.calculus import no_derivative
from symbolic_circuits.syntax.explicit import total, worked_out

__all__ = ["IndexSum", "MatrixSum"]

MAX_SUMMANDS = 100_000


class BoundSum:
    """What both sums share: limits (symbol, lower, upper), both ends included, and symbols bound by them."""

    precedence = PRECEDENCE["Mul"] - 1  # binds like a sum, less than a product

    def __new__(cls, body: Expr, *limits: Tuple | tuple) -> Expr:
        body = _sympify(body)
        checked = []
        for limit in limits:
            limit = Tuple(*limit)
            if len(limit) != 3 or not isinstance(limit[0], Symbol):
                raise ValueError(f"a limit is (symbol, lower, upper); got {limit}")
            checked.append(limit)
        if len({limit[0] for limit in checked}) != len(checked):
            raise ValueError(f"the limits of a sum bind different symbols; got {checked}")
        return super().__new__(cls, body, *checked) if checked else body

    @property
    def body(self) -> Expr:
        """What is summed."""
        return self.args[0]

    @property
    def limits(self) -> tuple[Tuple, ...]:
        """(symbol, lower, upper) for each symbol."""
        return self.args[1:]

    @property
    def bound_symbols(self) -> list[Symbol]:
        """The symbols that the sum binds."""
        return [limit[0] for limit in self.limits]

    @property
    def free_symbols(self) -> set[Basic]:
        """Those of the body that are not bound, and those of the ends."""
        ends = set().union(*(end.free_symbols for limit in self.limits for end in limit[1:]))
        return (self.body.free_symbols - set(self.bound_symbols)) | ends

    def _eval_subs(self, old: Basic, new: Basic) -> Expr:
        """Bound symbols are not replaced, and are renamed where the replacement would be captured."""
        limits = [(s, low._subs(old, new), high._subs(old, new)) for s, low, high in self.limits]
        if old in self.bound_symbols:
            return self.func(self.body, *limits)
        captured = set(self.bound_symbols) & getattr(new, "free_symbols", set())
        fresh = {symbol: Dummy(symbol.name, **symbol._assumptions_orig) for symbol in captured}
        body = self.body.xreplace(fresh)._subs(old, new)
        return self.func(body, *((fresh.get(s, s), low, high) for s, low, high in limits))

    def summands(self) -> Iterator[Expr]:
        """The body at every value of the bound symbols; the ends must be numbers."""
        ranges = [range(int(low), int(high) + 1) for _, low, high in self.limits]
        count = 1
        for values in ranges:
            count *= len(values)
        if count > MAX_SUMMANDS:
            raise BudgetError(f"a sum of {count} terms was asked to be written out; the limit is {MAX_SUMMANDS}")
        for values in product(*ranges):
            yield self.body.subs(dict(zip(self.bound_symbols, map(Integer, values), strict=True)))

    def is_finite_sum(self) -> bool:
        """Whether the ends are numbers."""
        return all(isinstance(end, Integer) for limit in self.limits for end in limit[1:])

    def _sympystr(self, printer: object) -> str:
        limits = ", ".join(f"{s}={low}..{high}" for s, low, high in self.limits)
        return f"sum[{limits}] {self._printed_body(printer)}"

    def _latex(self, printer: object) -> str:
        symbols = ", ".join(printer._print(symbol) for symbol in self.bound_symbols)
        return rf"\sum_{{{symbols}}} {self._printed_body(printer)}"

    def _printed_body(self, printer: object) -> str:
        """In brackets where it is a sum or negative; SymPy multiplies a product by -1, all sums in it written out, to find out."""
        body = self.body
        if isinstance(body, MatMul) and not (body.args[0].is_Number and body.args[0].is_negative):
            return printer._print(body)
        return printer.parenthesize(body, PRECEDENCE["Mul"], strict=True)

    def _numpycode(self, printer: object) -> str:
        loops = " ".join(
            f"for {printer._print(s)} in range({printer._print(low)}, {printer._print(high)} + 1)" for s, low, high in self.limits
        )
        return f"builtins.sum({printer._print(self.body)} {loops})"


class MatrixSum(BoundSum, MatrixExpr):
    r"""A sum of matrices, itself a matrix expression with a shape.

    Examples
    --------
    >>> from sympy import symbols
    >>> from symbolic_circuits.syntax.family import MatrixFamily
    >>> n, H, h = symbols("n H h", integer=True, positive=True)
    >>> A = MatrixFamily("A", H, n, n)
    >>> MatrixSum(A[h], (h, 0, H - 1))
    sum[h=0..H - 1] A[h]
    >>> MatrixSum(A[h], (h, 0, H - 1)).subs(H, 2).doit()
    A[0] + A[1]
    """

    _eval_derivative = no_derivative

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """The shape of the body."""
        return self.body.shape

    def _entry(self, i: Expr, j: Expr, **kwargs: object) -> Expr:
        from_body = self.body._entry(i, j, **kwargs)
        return Add(*(from_body.subs(dict(zip(self.bound_symbols, v, strict=True))) for v in self._values()))

    def _values(self) -> Iterator[tuple[Integer, ...]]:
        if not self.is_finite_sum():
            raise NotImplementedError(f"entries of a sum with symbolic ends: {self}")
        return product(*([Integer(k) for k in range(int(low), int(high) + 1)] for _, low, high in self.limits))

    def _eval_transpose(self) -> Expr:
        return MatrixSum(self.body.T, *self.limits)

    @cacheit
    def doit(self, **hints: bool) -> Expr:
        """The sum written out where its ends are numbers."""
        if not self.is_finite_sum():
            return self.func(self.body.doit(**hints), *self.limits)
        return MatAdd(*(summand.doit(**hints) for summand in self.summands())).doit(deep=False)


class IndexSum(BoundSum, Expr):
    r"""A sum of arrays or of scalars over index symbols, such as :math:`\sum_u A_{su} X_u`.

    SymPy's own Sum captures (``Sum(A[s, u], (u, 0, n - 1)).subs(s, u)``) and keeps the sizes of matrices when n is replaced.

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.arrays import Row
    >>> n, d, s, u = symbols("n d s u", integer=True, nonnegative=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> IndexSum(A[s, u] * Row(X, u), (u, 0, n - 1))
    sum[u=0..n - 1] A[s, u]*X[u,:]
    """

    is_commutative = True

    def __new__(cls, body: Expr, *limits: Tuple | tuple) -> Expr:
        inner = body.limits if isinstance(body, IndexSum) else ()
        obj = super().__new__(cls, body.body if inner else body, *limits, *inner)
        if isinstance(obj, IndexSum):
            obj._shape = array_shape(obj.body)  # kept: nested sums would work it out again at every level
        return obj

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The shape of the body; () for a scalar."""
        return self._shape

    def doit(self, **hints: bool) -> Expr:
        """The sum written out where its ends are numbers."""
        if not self.is_finite_sum():
            return self.func(self.body.doit(**hints), *self.limits)
        return total(worked_out(summand, **hints) for summand in self.summands())


@array_shape.register(IndexSum)
def sum_shape(expr: IndexSum) -> tuple[Expr, ...]:
    """The shape of the body."""
    return expr.shape
