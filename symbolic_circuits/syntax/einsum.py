r"""Expressions as running NumPy code: each product-like part is one einsum, sums are sums, by a printer for SymPy's lambdify.

``lambdify(args, expr)`` returns a function of arrays. Tensors of order 2 are arrays of their shape, families have the head
axis in front, and a column (vec) is an array of shape (size, 1), as SymPy's own printer has it.
"""

import ast
import builtins
import itertools
import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, wraps

import numpy
import opt_einsum
import sympy
from sympy import Add, Expr, MatrixSymbol, Mul, Sum, Symbol
from sympy.core.basic import Basic
from sympy.core.symbol import Str
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.numpy import NumPyPrinter
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.errors import CodeError, ShapeError, SymbolicCircuitsError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contraction import Contraction, Operand, contraction
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.names import identifier
from symbolic_circuits.syntax.sums import IndexSum

__all__ = ["EinsumPrinter", "contract", "lambdify"]


@lru_cache(maxsize=4096)
def planned(subscripts: str, *shapes: tuple[int, ...]) -> Callable:
    """The contraction of arrays of these shapes, its order found once."""
    return opt_einsum.contract_expression(subscripts, *shapes, optimize="auto")


def contract(subscripts: str, *arrays: numpy.ndarray) -> numpy.ndarray:
    """einsum, in an order of contraction that is remembered for the shapes."""
    arrays = tuple(map(numpy.asarray, arrays))
    return planned(subscripts, *(array.shape for array in arrays))(*arrays)


def group_axes(array: numpy.ndarray, counts: Sequence[int]) -> numpy.ndarray:
    """Merge consecutive axes: the first counts[0] of them into one, and so on; no axes at all make an axis of size 1."""
    shape, start = [], 0
    for count in counts:
        shape.append(math.prod(array.shape[start : start + count]))
        start += count
    return numpy.reshape(array, shape)


NAMESPACE = {"contract": contract, "group_axes": group_axes}
RESERVED = frozenset({*NAMESPACE, *keyword.kwlist, *dir(builtins), *dir(numpy), "builtins", "numpy"})
INDEXED = (MatrixElement, ArrayElement, Sum, IndexSum)


class EinsumPrinter(NumPyPrinter):
    """SymPy's NumPy printer, with products, sums over indices and tensor inner products as einsums.

    Examples
    --------
    >>> n, d = sympy.symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> EinsumPrinter({"fully_qualified_modules": False}).doprint(A * X * X.T + A)
    "(contract('ab,bc,dc->ad', A, X, X) + A)"
    """

    def __init__(self, settings: dict | None = None) -> None:
        super().__init__(settings)
        self.printmethod = "_einsumcode"  # not the nodes' own code: that is for SymPy's printer, one array operation a node

    def product(self, expr: Expr) -> str:
        """Code of a product-like expression."""
        try:
            found = contraction(expr)
        except SymbolicCircuitsError as error:
            raise CodeError(f"cannot write {str(expr)[:200]} as an einsum: {error}") from error
        code = self.network(found)
        if found.coefficient == 1:
            return code or "1"
        coefficient = self.parenthesize(found.coefficient, PRECEDENCE["Mul"])
        return f"{coefficient}*{code}" if code else coefficient

    def network(self, found: Contraction) -> str:
        """Code of a network, its output axes grouped; the empty text for the number 1."""
        arrays = [(self.operand(factor.operand), factor.indices) for factor in found.network.factors]
        output = self.open_output(found, arrays)
        if not arrays:
            return ""
        subscripts = Network(tuple(Factor(code, indices) for code, indices in arrays), output).to_einsum()
        code = f"contract({subscripts!r}, {', '.join(code for code, _ in arrays)})"
        return code if all(count == 1 for count in found.axes) else f"group_axes({code}, {found.axes})"

    def open_output(self, found: Contraction, arrays: list[tuple[str, tuple[int, ...]]]) -> tuple[int, ...]:
        """Output indices that each occur once and in some factor: identity matrices and vectors of ones join the factors."""
        output, present = [], {index for _, indices in arrays for index in indices}
        fresh = 1 + max([*found.sizes, -1])
        for position, index in enumerate(found.network.output):
            if index in output:
                arrays.append((f"{self._module_format('numpy.eye')}({self.size(index, found)})", (index, fresh)))
                index, fresh = fresh, fresh + 1
            elif index not in present and index not in found.network.output[position + 1 :]:
                arrays.append((f"{self._module_format('numpy.ones')}({self.size(index, found)})", (index,)))
            output.append(index)
        return tuple(output)

    def operand(self, operand: Operand) -> str:
        """Code of one factor, held axes indexed and composite axes split."""
        code = self._print(operand.expr)
        if any(value is not None for value in operand.fixed):
            places = ", ".join(":" if value is None else self._print(value) for value in operand.fixed)
            code = f"{code if code.isidentifier() else f'({code})'}[{places}]"
        if any(len(part) != 1 for part in operand.split):
            sizes = ", ".join(self._print(size) for part in operand.split for size in part)
            code = f"{self._module_format('numpy.reshape')}({code}, ({sizes},))"
        return code

    def size(self, index: int, found: Contraction) -> str:
        """Code of the size of an index: a number, or read off an operand that has it, or the symbol's name."""
        size = found.sizes[index]
        if size.is_Integer:
            return str(size)
        for operand in (factor.operand.expr for factor in found.network.factors):
            if isinstance(operand, MatrixSymbol | ArraySymbol | MatrixFamily) and size in tuple(operand.shape):
                return f"{self._print(operand)}.shape[{tuple(operand.shape).index(size)}]"
        return self._print(size)

    _print_MatMul = _print_HadamardProduct = _print_HadamardPower = _print_KroneckerProduct = _print_Transpose = product
    _print_DiagMatrix = _print_OneMatrix = _print_MatrixSum = _print_IndexSum = _print_Sum = _print_Trace = _print_TensorDot = (
        product
    )
    _print_Vec = _print_ApplyBilinear = _print_Row = _print_Identity = product

    def _print_Mul(self, expr: Mul) -> str:
        joined = any(isinstance(arg, INDEXED) or array_shape(arg) for arg in expr.args)
        return self.product(expr) if joined else super()._print_Mul(expr)

    def _print_MatAdd(self, expr: Expr) -> str:
        return f"({' + '.join(self.parenthesize(arg, PRECEDENCE['Add']) for arg in expr.args)})"

    def _print_Add(self, expr: Add, order: str | None = None) -> str:
        return self._print_MatAdd(expr)

    def _print_MatrixElement(self, expr: Expr) -> str:
        return self.product(expr)

    _print_ArrayElement = _print_MatrixElement

    def _print_FamilyMember(self, expr: Expr) -> str:
        return expr._numpycode(self)

    def _print_MatrixFamily(self, expr: MatrixFamily) -> str:
        return expr._numpycode(self)

    def _print_MatrixSymbol(self, expr: MatrixSymbol) -> str:
        return identifier(expr.name)

    def _print_ArraySymbol(self, expr: ArraySymbol) -> str:
        return identifier(str(expr.name))


def lambdify(args: Sequence[Basic], expr: Expr) -> Callable[..., numpy.ndarray]:
    """A NumPy function of ``args`` that evaluates ``expr``: SymPy's lambdify with the einsum printer.

    Parameters
    ----------
    args : matrix symbols, array symbols, families (arrays with the head axis in front), sizes and index symbols
    expr : an expression in them, in any notation

    Raises
    ------
    CodeError
        A symbol of the expression is not among the arguments, or a node cannot be written as NumPy code.
    ShapeError
        The function is called with an array whose shape is not that of its symbol.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> expr = sc.path_expansion("attn(2)")[1].expr("matrix")
    >>> args = sorted(expr.free_symbols, key=str)
    >>> args
    [A, W_E, W_OV, W_U, t]
    >>> f = lambdify(args, expr)
    >>> shapes = {"A": (2, 5, 5), "W_E": (3, 7), "W_OV": (2, 3, 3), "W_U": (7, 3), "t": (5, 7)}
    >>> f(*(numpy.ones(shapes[str(a)]) for a in args)).shape
    (5, 7)
    """
    args = list(args)
    if len(set(args)) != len(args):
        raise CodeError(f"an argument is given twice: {', '.join(map(str, args))}")
    taken = set(RESERVED)
    names = {arg: unused(identifier(str(arg)), taken) for arg in args}
    sizes = {arg: with_name(arg, name, {}) for arg, name in names.items() if isinstance(arg, Symbol)}
    renamed = {arg: with_name(arg, name, sizes) for arg, name in names.items()}
    printer = EinsumPrinter({"fully_qualified_modules": False, "inline": True, "allow_unknown_functions": True})
    body = expr.xreplace(renamed)
    code = printer.doprint(body)  # as text: SymPy iterates over array expressions, which have no end
    require_arguments(code, body, args, list(renamed.values()))
    function = sympy.lambdify([renamed[a] for a in args], code, modules=[NAMESPACE, "numpy"], printer=printer)
    used = expr.atoms(MatrixSymbol, ArraySymbol, MatrixFamily)
    return checked(function, [(str(arg), tuple(arg.shape) if arg in used else None) for arg in args])


def checked(
    function: Callable[..., numpy.ndarray], arguments: Sequence[tuple[str, tuple | None]]
) -> Callable[..., numpy.ndarray]:
    """The function, with arrays refused whose shapes are not those of the symbols: numbers as they are, equal symbols equal."""
    shapes = [(n, s and [int(x) if isinstance(x, sympy.Integer) else x for x in s]) for n, s in arguments]  # None: any

    @wraps(function)
    def evaluate(*values: object) -> numpy.ndarray:
        if len(values) != len(shapes):
            raise CodeError(f"the function takes {len(shapes)} arguments, {', '.join(n for n, _ in shapes)}; got {len(values)}")
        known: dict[object, int] = {}
        for (name, shape), value in zip(shapes, values, strict=True):
            if shape is None:
                continue
            found = numpy.shape(value)
            if len(found) != len(shape):
                raise ShapeError(f"{name} has {len(shape)} axes; got an array of shape {found}")
            for axis, (size, length) in enumerate(zip(shape, found, strict=True)):
                if (size if isinstance(size, int) else known.setdefault(size, length)) != length:
                    expected = size if isinstance(size, int) else f"{size} = {known[size]}"
                    raise ShapeError(f"axis {axis} of {name} has size {expected}; got an array of shape {found}")
        return function(*values)

    return evaluate


def require_arguments(code: str, body: Expr, args: Sequence[Basic], renamed: Sequence[Basic]) -> None:
    """Raise CodeError unless the code uses no symbol but its arguments; sizes are read off arrays where possible."""
    used = {node.id for node in ast.walk(ast.parse(code, mode="eval")) if isinstance(node, ast.Name)}
    symbols = body.atoms(Symbol, MatrixSymbol, ArraySymbol, MatrixFamily) - set(renamed)
    given = {str(arg) for arg in renamed}
    missing = sorted({str(symbol) for symbol in symbols if identifier(str(symbol)) in used - given})
    if missing:
        raise CodeError(f"the expression uses {', '.join(missing)}, not among the arguments {', '.join(map(str, args))}")


def unused(name: str, taken: set[str]) -> str:
    """``name``, or with a number behind it where that identifier is taken; it is taken from then on."""
    candidates = itertools.chain([name], (f"{name}_{k}" for k in itertools.count(1)))
    chosen = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(chosen)
    return chosen


def with_name(arg: Basic, name: str, sizes: Mapping[Basic, Basic]) -> Basic:
    """The symbol under a name that is a Python identifier, its sizes under theirs."""
    shape = [size.xreplace(sizes) if isinstance(size, Basic) else size for size in getattr(arg, "shape", ())]
    if isinstance(arg, MatrixSymbol):
        return MatrixSymbol(name, *shape)
    if isinstance(arg, ArraySymbol):
        return ArraySymbol(Symbol(name), tuple(shape))
    if isinstance(arg, MatrixFamily):
        return MatrixFamily(Str(name), *shape)
    if isinstance(arg, Symbol):
        return Symbol(name, **arg._assumptions_orig)
    raise CodeError(f"an argument is a symbol for a matrix, array, family, size or index; got {type(arg).__name__}")
