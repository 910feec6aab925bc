r"""What names stand for while a function is traced: ``range``, ``np.eye``, ``sc.softmax``, ``einops.rearrange`` of sizes and traced arrays.

NumPy and PyTorch hand their functions of arrays over by protocols. What they do not hand over (Python's loops, arrays made from a size,
functions of other packages) is replaced where the traced function looks names up: the function runs with a copy of the globals of its
module, and so do the functions of that module that it calls. The modules themselves stay as they are.
"""

import builtins
import math
import sys
from collections.abc import Callable, Iterator
from types import CellType, FunctionType, MethodType, ModuleType
from typing import Any

from sympy import sqrt

from symbolic_circuits.syntax import functions as syntax_functions
from symbolic_circuits.tracing import operations, patterns
from symbolic_circuits.tracing.coercion import as_shape, as_value
from symbolic_circuits.tracing.contracting import zero
from symbolic_circuits.tracing.names import CALLS
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.sizes import Size
from symbolic_circuits.tracing.sweeps import Sweep, traced_enumerate, traced_range, traced_sum, traced_zip
from symbolic_circuits.tracing.table import FUNCTIONS
from symbolic_circuits.tracing.tracer import Tracer, call
from symbolic_circuits.tracing.values import Value, scalar

__all__ = ["rebuilt"]

LOOPS = {"range": traced_range, "zip": traced_zip, "enumerate": traced_enumerate, "sum": traced_sum}


def symbolic(items: Any) -> bool:
    """Whether a size or an array that is traced is among these."""
    if isinstance(items, tuple | list):
        return any(map(symbolic, items))
    return isinstance(items, Tracer | Size | Sweep)


def made(function: Callable[..., Value], original: Callable, always: bool = False) -> Callable:
    """A function that makes an array of a shape; one of numbers as the library does."""

    def make(
        *shape: Any, dtype: Any = None, device: Any = None, requires_grad: Any = None, order: Any = None, **kwargs: Any
    ) -> Any:
        shape = shape or tuple(kwargs.pop(key) for key in ("shape", "size") if key in kwargs)
        if not (always or symbolic(shape)) or kwargs:
            words = {"dtype": dtype, "device": device, "requires_grad": requires_grad, "order": order}
            return original(*shape, **{key: one for key, one in words.items() if one is not None}, **kwargs)
        return Tracer(function(*shape))

    return make


def shape_of(sizes: tuple) -> tuple:
    """``(n, d)`` of ``f(n, d)`` and of ``f((n, d))``."""
    return as_shape(sizes[0] if isinstance(sizes[0], tuple | list) else sizes)  # what follows a tuple is a dtype


def eye(n: Any, m: Any = None) -> Value:
    """The identity matrix."""
    if m is not None and as_shape(m) != as_shape(n):
        raise refuse(f"eye({n}, {m}): only the square one is traced")
    return operations.identity(as_shape(n)[0])


def full(shape: Any, fill_value: Any) -> Value:
    """All entries alike."""
    fill = fill_value.value if isinstance(fill_value, Tracer) else as_value(fill_value)
    return operations.multiplied(operations.ones(shape_of((shape,))), fill)


def replaced(name: str, original: Callable) -> Callable:
    """An operation of this package where an argument is traced, else what was there."""

    def function(*args: Any, **kwargs: Any) -> Any:
        return call(name, *args, **kwargs) if symbolic((*args, *kwargs.values())) else original(*args, **kwargs)

    return function


def root(original: Callable) -> Callable:
    """``math.sqrt`` of a size."""

    def function(x: Any) -> Any:
        if isinstance(x, Size):
            return Tracer(scalar(sqrt(x.expr)))
        return call("sqrt", x) if isinstance(x, Tracer) else original(x)

    return function


def refusing(what: str) -> Callable:
    """A function that has no expression."""

    def function(*args: Any, **kwargs: Any) -> Any:
        raise refuse(f"{what}: random numbers have no expression; pass them as an argument")

    return function


def table() -> dict[int, Any]:
    """id of an object -> what stands in for it; of the modules that are loaded."""
    found: dict[int, Any] = {id(getattr(builtins, name)): body for name, body in LOOPS.items()}
    found |= {id(body): replaced(name, body) for name, body in functions_of_packages()}
    found[id(math.sqrt)] = root(math.sqrt)
    for library in ("numpy", "torch"):
        module = sys.modules.get(library)
        if module is not None:
            found |= makers(module)
    for path in ("random", "numpy.random"):
        module = sys.modules.get(path)
        if module is not None:
            found[id(module)] = View(module, lambda name, path=path: refusing(f"{path}.{name}"))
    return found


def functions_of_packages() -> Iterator[tuple[str, Any]]:
    """Functions that have no protocol, and the operations that stand for them."""
    yield "numpy softmax", syntax_functions.softmax
    yield "relu", syntax_functions.relu
    for path, names in (
        (
            "einops",
            {"rearrange": "einops rearrange", "reduce": "einops reduce", "repeat": "einops repeat", "einsum": "einops einsum"},
        ),
        ("opt_einsum", {"contract": "einsum"}),
        ("scipy.special", {"softmax": "scipy softmax"}),
    ):
        module = sys.modules.get(path)
        for name, operation in names.items() if module is not None else ():
            if hasattr(module, name):
                yield operation, getattr(module, name)


def makers(module: ModuleType) -> dict[int, Any]:
    """Functions that make arrays. Zeros are traced always, as code adds to them in place."""
    bodies = {
        "zeros": (lambda *shape: zero(shape_of(shape)), True),
        "ones": (lambda *shape: operations.ones(shape_of(shape)), False),
        "eye": (eye, False),
        "identity": (eye, False),
        "full": (full, False),
    }
    found = {id(getattr(module, name)): made(body, getattr(module, name), always)
             for name, (body, always) in bodies.items() if hasattr(module, name)}  # fmt: skip
    if module.__name__ == "torch":
        names = [name for name in ("rand", "randn", "randint", "randperm", "normal", "bernoulli") if hasattr(module, name)]
        found |= {id(getattr(module, name)): refusing(f"torch.{name}") for name in names}
    return found


class View(ModuleType):
    """A module with some of its names replaced."""

    def __init__(self, module: ModuleType, attribute: Callable[[str], Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__["_module"], self.__dict__["_attribute"] = module, attribute

    def __getattr__(self, name: str) -> Any:
        return self.__dict__["_attribute"](name)


PACKAGES = {"numpy", "torch", "einops", "opt_einsum", "scipy", "math", "symbolic_circuits", "random"}


class Substitution:
    """Stand-ins for objects, made once in a trace."""

    def __init__(self) -> None:
        self.known = table()
        self.kept: list[Any] = []  # ids are of objects that live
        self.globals: dict[int, dict[str, Any]] = {}

    def of(self, item: Any) -> Any:
        """What stands in for an object."""
        if id(item) in self.known:
            return self.known[id(item)]
        if isinstance(item, ModuleType) and not isinstance(item, View) and item.__name__.split(".")[0] in PACKAGES:
            return self.remember(item, View(item, lambda name: self.of(getattr(item, name))))
        return item

    def remember(self, item: Any, found: Any) -> Any:
        """Keep a stand-in."""
        self.kept.append(item)
        self.known[id(item)] = found
        return found

    def function(self, function: FunctionType) -> FunctionType:
        """A function with stand-ins for the globals and the closed-over modules and functions that it names."""
        if id(function) in self.known:
            return self.known[id(function)]
        names = self.namespace(function)
        cells = tuple(map(self.cell, function.__closure__)) if function.__closure__ else None
        new = FunctionType(function.__code__, names, function.__name__, function.__defaults__, cells)
        new.__kwdefaults__ = function.__kwdefaults__
        return self.remember(function, new)

    def cell(self, cell: CellType) -> CellType:
        """A closed-over name; one that is no function or module stays the cell that it is."""
        try:
            item = cell.cell_contents
        except ValueError:  # not yet bound
            return cell
        found = self.function(item) if is_plain(item) else self.of(item)
        return cell if found is item else CellType(found)

    def namespace(self, function: FunctionType) -> dict[str, Any]:
        """The globals of a function, copied once."""
        own = function.__globals__
        if id(own) not in self.globals:
            names = self.globals[id(own)] = dict(own)
            self.kept.append(own)
            for name, body in LOOPS.items():
                names.setdefault(name, body)
            for name, item in own.items():
                names[name] = self.of(item)
            for name, item in own.items():
                if is_plain(item) and item.__globals__ is own:
                    names[name] = self.function(item)
        return self.globals[id(own)]


def is_plain(item: Any) -> bool:
    """Whether it is a function of the user's code."""
    return isinstance(item, FunctionType) and item.__module__ is not None and item.__module__.split(".")[0] not in PACKAGES


def rebuilt(function: Callable) -> Callable:
    """A function that looks names up among the stand-ins; what is no function or method of the user's stays as it is."""
    substitution = Substitution()
    if isinstance(function, MethodType) and is_plain(function.__func__):
        return MethodType(substitution.function(function.__func__), function.__self__)
    return substitution.function(function) if is_plain(function) or is_doctest(function) else substitution.of(function)


def is_doctest(function: Callable) -> bool:
    """Whether it is a function of an example in a docstring."""
    return isinstance(function, FunctionType) and "doctest" in function.__code__.co_filename


def scipy_softmax(x: Value, axis: Any = None) -> Value:
    """SciPy's is over all entries where no axis is named."""
    if axis is None and x.order > 1:
        raise refuse("scipy.special.softmax without axis is over all entries at once: axis=-1")
    return FUNCTIONS["softmax"](x, -1 if axis is None else axis)


CALLS |= {
    "einops rearrange": patterns.rearrange,
    "einops reduce": patterns.reduce,
    "einops repeat": patterns.repeat,
    "einops einsum": patterns.einops_einsum,
    "scipy softmax": scipy_softmax,
}
patterns.rearrange.may_be_view = patterns.einops_einsum.may_be_view = patterns.repeat.may_be_view = True  # type: ignore[attr-defined]
