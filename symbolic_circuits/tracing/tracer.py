r"""The stand-in for an array: it has a shape, NumPy's operators and both libraries' protocols, and builds an expression.

``+=`` writes into an array that the code has made itself, and every name of that array sees it, as in NumPy; into an argument, a
view, or an array that has views, it is an error. A scalar becomes a new one. Nothing else writes in place.
"""

import sys
from collections.abc import Callable, Iterator
from numbers import Number
from typing import Any
from weakref import ref

import numpy
from sympy import Expr, Mul
from sympy.core.basic import Basic

from symbolic_circuits.tracing.refusing import UnknownAttribute, in_library, refuse, user_frame
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.sizes import Size, size_of
from symbolic_circuits.tracing.turns import Place, Turn
from symbolic_circuits.tracing.values import Value, constant, from_sympy, scalar

__all__ = ["Tracer", "call", "lifted"]


class Tracer:
    """An array of which only the shape is known, and how it was computed."""

    __slots__ = ("__weakref__", "argument", "is_view", "turns", "value", "views")
    calls: dict[str, Callable]  # what operators and methods do; set by the module of names
    numpy_call: Callable
    torch_call: Callable
    sweep: Callable  # iteration over a symbolic axis

    def __init__(self, value: Value, turns: frozenset[Turn] = frozenset(), argument: str = "", is_view: bool = False) -> None:
        self.value, self.turns, self.argument, self.is_view = value, turns, argument, is_view
        self.views: list[ref[Tracer]] = []

    # what is known of it

    @property
    def shape(self) -> tuple[int | Size, ...]:
        """Its sizes; those that are no numbers can be multiplied, divided and handed on."""
        return tuple(map(size_of, self.value.shape))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.value.order

    @property
    def T(self) -> "Tracer":
        """All axes turned around."""
        return call("transpose", self)

    @property
    def mT(self) -> "Tracer":
        """The last two axes exchanged."""
        return call("matrix_transpose", self)

    @property
    def size(self) -> "Count":
        """The number of entries; called, PyTorch's sizes."""
        return Count(self.value.shape)

    @property
    def dtype(self) -> numpy.dtype:
        """Entries are real."""
        return numpy.dtype(float)

    @property
    def device(self) -> str:
        """Nowhere."""
        return "cpu"

    @property
    def requires_grad(self) -> bool:
        """Nothing is differentiated."""
        return False

    def __len__(self) -> int:
        if not self.value.shape:
            raise refuse("len() of a scalar")
        if not isinstance(self.shape[0], int):
            raise refuse(f"len() of an axis of symbolic size {self.shape[0]}: use shape[0]")
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<traced array {self.value.expr} of shape {shown_shape(self.value.shape)}>"

    # what it can be made of

    def __getitem__(self, key: Any) -> "Tracer":
        return call("getitem", self, key)

    def __iter__(self) -> Iterator:
        if not self.value.shape:
            raise refuse("iteration over a scalar")
        size = self.shape[0]
        return (self[k] for k in range(size)) if isinstance(size, int) else iter(Tracer.sweep(self))

    def __getattr__(self, name: str) -> Any:
        if name in Tracer.calls and not name.startswith("_"):
            return lambda *args, **kwargs: call(name, self, *args, **kwargs)
        if name.startswith("__") or in_library(sys._getframe(1)):
            raise AttributeError(name)
        raise UnknownAttribute(f"the method or attribute .{name} of an array is not traced{Tracer.hint(name)}")

    @staticmethod
    def hint(name: str) -> str:
        """What could have been meant; set by the module of names."""
        return ""

    # what it is not

    def no_number(self, what: str) -> Exception:
        """The error of code that asks for a value."""
        return refuse(
            f"{what} of a traced array{f' ({self.argument})' if self.argument else ''}: it has no numbers, only a shape"
        )

    def __bool__(self) -> bool:
        raise self.no_number("a branch on the value")

    def __float__(self) -> float:
        raise self.no_number("float()")

    def __int__(self) -> int:
        raise self.no_number("int()")

    def __complex__(self) -> complex:
        raise self.no_number("complex()")

    def __index__(self) -> int:
        raise self.no_number("an index, or int(),")

    def __array__(self, *args: Any, **kwargs: Any) -> numpy.ndarray:
        raise self.no_number("np.array, np.asarray, or a write into a NumPy array,")

    def __setitem__(self, key: Any, value: Any) -> None:
        raise refuse(
            "a write in place, x[...] = ...; build the array with np.stack or np.concatenate, or add up what differs from zero"
        )

    def __delitem__(self, key: Any) -> None:
        raise refuse("del of an entry of an array")

    def __contains__(self, item: Any) -> bool:
        raise self.no_number("`in`, which asks for the value,")

    def compared(self, other: Any) -> bool:
        """Comparisons have no value."""
        raise refuse(
            "a comparison of the entries of an array, which branches or masks on data; max(x, 0) is np.maximum(x, 0), a causal mask "
            "is an argument of the function"
        )

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = compared  # type: ignore[assignment]
    __hash__ = object.__hash__

    # in place

    def __iadd__(self, other: Any) -> "Tracer":
        return self.written(self + other, "+=")

    def __isub__(self, other: Any) -> "Tracer":
        return self.written(self - other, "-=")

    def __imul__(self, other: Any) -> "Tracer":
        return self.written(self * other, "*=")

    def __itruediv__(self, other: Any) -> "Tracer":
        return self.written(self / other, "/=")

    def written(self, new: "Tracer", what: str) -> "Tracer":
        """This array with another value."""
        if self.argument:
            raise refuse(f"{what} writes into the argument {self.argument}, the caller's array; write x = x + y")
        if self.is_view or any(view() is not None for view in self.views):
            raise refuse(f"{what} writes into an array that shares its entries with another (a transpose, a slice, a reshape)")
        if not self.value.shape:  # NumPy makes a new number, PyTorch writes: the same where no other name has it
            frame = user_frame()
            if frame is not None and sum(one is self for one in frame.f_locals.values()) > 1:
                raise refuse(f"{what} on a scalar that has two names, of which NumPy changes one and PyTorch both")
            return new
        if new.value.shape != self.value.shape:
            raise refuse(f"{what}: a result of shape {shown_shape(new.value.shape)} for one of {shown_shape(self.value.shape)}")
        self.value, self.turns = new.value, new.turns
        return self

    # protocols

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        return Tracer.numpy_call(name, inputs, kwargs)

    def __array_function__(self, function: Any, types: Any, args: tuple, kwargs: dict) -> Any:
        module = getattr(function, "__module__", "").split(".")
        name = f"linalg.{function.__name__}" if "linalg" in module else function.__name__
        return Tracer.numpy_call(name, args, kwargs)

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return Tracer.torch_call(function.__name__, args, kwargs or {})


class Count(Size):
    """The number of entries, which PyTorch's code calls for the sizes: ``X.size(0)``."""

    __slots__ = ("sizes",)

    def __init__(self, sizes: tuple[Expr, ...]) -> None:
        super().__init__(Mul(*sizes))
        self.sizes = sizes

    def __call__(self, dim: int | None = None) -> Any:
        return tuple(map(size_of, self.sizes)) if dim is None else size_of(self.sizes[dim])

    def __index__(self) -> int:
        return int(self.expr) if self.expr.is_Integer else super().__index__()


def operator(name: str, swapped: bool = False) -> Callable:
    """A method that calls an operation on the array and another."""

    def method(self: Tracer, other: Any) -> Any:
        if not is_operand(other):
            return NotImplemented
        return call(name, other, self) if swapped else call(name, self, other)

    return method


for special, called in {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "matmul": "matmul",
    "pow": "power",
}.items():
    setattr(Tracer, f"__{special}__", operator(called))
    setattr(Tracer, f"__r{special}__", operator(called, swapped=True))
for special, called in {"neg": "negative", "pos": "positive"}.items():
    setattr(Tracer, f"__{special}__", lambda self, name=called: call(name, self))
for special in ("floordiv", "mod", "divmod", "and", "or", "xor", "invert", "abs", "round", "lshift", "rshift"):

    def refused(self: Tracer, *other: Any, what: str = special) -> None:
        raise refuse(f"the operation {what} on the entries of an array")

    setattr(Tracer, f"__{special}__", refused)
    setattr(Tracer, f"__r{special}__", refused)
Size.to_scalar = staticmethod(lambda expr: Tracer(scalar(expr)))


def is_operand(other: Any) -> bool:
    """Whether arithmetic with an array is defined."""
    return isinstance(other, Tracer | Size | Number | numpy.ndarray | Basic) or is_tensor(other)


def is_tensor(other: Any) -> bool:
    """Whether it is an array of PyTorch, which is not imported here."""
    return type(other).__module__.split(".")[0] == "torch" and hasattr(other, "detach")


def lifted(item: Any) -> Any:
    """What an argument of a call is: values for arrays and scalars, anything else as it is; lists item by item."""
    if isinstance(item, Tracer):
        for turn in item.turns:
            if turn.loop.over:
                raise refuse(
                    f"the value of one turn of {turn.loop} is used outside of it; only what a loop adds up has a value after it: "
                    "out = out + ..., or np.einsum over the axis"
                )
        return item.value
    if isinstance(item, numpy.ndarray):
        return constant(item)
    if isinstance(item, Basic) and not item.is_Number:
        return from_sympy(item)
    if is_tensor(item):
        return constant(item.detach().cpu().numpy())
    if isinstance(item, tuple | list):
        return type(item)(map(lifted, item)) if type(item) in (tuple, list) else tuple(map(lifted, item))
    return item


def turns_of(item: Any) -> frozenset[Turn]:
    """The turns of loops that an argument was made in."""
    if isinstance(item, Tracer):
        return item.turns
    if isinstance(item, Place):
        return frozenset({item.turn})
    if isinstance(item, slice):
        return turns_of((item.start, item.stop))
    if isinstance(item, tuple | list):
        return frozenset().union(*map(turns_of, item))
    return frozenset()


def call(name: str, *args: Any, **kwargs: Any) -> Any:
    """An operation by name on traced arrays and what goes with them."""
    values = [lifted(arg) for arg in args]
    named = {key: lifted(arg) for key, arg in kwargs.items()}
    turns = turns_of((*args, *kwargs.values()))
    function = Tracer.calls[name]
    try:
        found = function(*values, **named)
    except TypeError as error:
        if type(error) is TypeError and "argument" in str(error):
            raise refuse(f"{name}: these arguments are not traced: {error}") from error
        raise
    views = (
        [arg for arg in (*args, *kwargs.values()) if isinstance(arg, Tracer)] if getattr(function, "may_be_view", False) else []
    )
    return wrapped(found, turns, views if len(views) == 1 else [])


def wrapped(found: Any, turns: frozenset[Turn], views: list[Tracer]) -> Any:
    """Traced arrays for values."""
    if isinstance(found, tuple | list):
        return type(found)(wrapped(one, turns, views) for one in found)
    if not isinstance(found, Value):
        return found
    out = Tracer(found, turns, is_view=bool(views))
    for source in views:
        source.views = [view for view in source.views if view() is not None] + [ref(out)]
    return out
