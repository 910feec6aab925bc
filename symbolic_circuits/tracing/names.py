r"""Which function a name stands for: operators and methods of arrays, NumPy's functions, PyTorch's.

The libraries differ in ``transpose``: NumPy's method takes all axes, PyTorch's takes two. For a matrix, ``X.transpose(0, 1)`` is X in
one and X^T in the other: an error that asks for ``.T``.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from sympy import Integer

from symbolic_circuits.tracing import axis_functions, functions, operations, product_functions
from symbolic_circuits.tracing.coercion import as_shape, as_value, require_real
from symbolic_circuits.tracing.operations import normal_axes, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.sizes import size_of
from symbolic_circuits.tracing.table import FUNCTIONS
from symbolic_circuits.tracing.tracer import Tracer, call
from symbolic_circuits.tracing.values import Value

__all__ = ["CALLS", "HINTS", "METHODS", "TORCH", "axis_functions", "functions", "hint", "product_functions"]

SOFTMAX = "a softmax spelled out is not recognised: use symbolic_circuits.softmax(x), scipy.special.softmax or torch.softmax"
HINTS = {
    "max": SOFTMAX,
    "amax": SOFTMAX,
    "logsumexp": SOFTMAX,
    "argmax": "it branches on data",
    "argsort": "it branches on data",
    "sort": "it branches on data",
    "nonzero": "its shape depends on data",
    "unique": "its shape depends on data",
    "norm": "write (X * X).sum() for its square",
    "linalg.norm": "write (X * X).sum() for its square",
    "item": "a traced array has no numbers",
    "tolist": "a traced array has no numbers",
    "numpy": "a traced array has no numbers",
    "fill": "it writes in place",
    "masked_fill": "pass the mask as an argument and multiply",
    "putmask": "it writes in place",
    "copyto": "it writes in place",
    "repeat": "write einops.repeat, or an einsum with an identity",
    "tile": "write einops.repeat, or an einsum with an identity",
    "allclose": "prove(trace(f), trace(g)) compares two functions",
    "array_equal": "prove(trace(f), trace(g)) compares two functions",
}


def given_together(arguments: tuple) -> Any:
    """``(a, b)`` of ``f(a, b)`` and of ``f((a, b))``."""
    return arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple | list) else arguments


def reshape(a: Value, *shape: Any) -> Value:
    """``X.reshape(n, d)`` and ``X.reshape((n, d))``."""
    return reshaped(a, as_shape(given_together(shape)))


def transpose(a: Value, *axes: Any) -> Value:
    """NumPy's with all axes or none, PyTorch's with two."""
    axes = given_together(axes)
    if not axes or axes == (None,):
        return FUNCTIONS["transpose"](a)
    if len(axes) == 2 and a.order == 2 and normal_axes(axes, 2, "transpose") == (0, 1):
        raise refuse(
            f"X.transpose{tuple(axes)} of a matrix is X in NumPy and X^T in PyTorch: write X.T, np.swapaxes or torch.transpose"
        )
    return FUNCTIONS["swapaxes"](a, *axes) if len(axes) == 2 else FUNCTIONS["transpose"](a, axes)


def permute(a: Value, *dims: Any) -> Value:
    """PyTorch's order of all axes."""
    return FUNCTIONS["transpose"](a, given_together(dims))


def expand(a: Value, *sizes: Any) -> Value:
    """PyTorch's broadcast_to, in which -1 keeps a size."""
    shape = as_shape(given_together(sizes))
    old = (None,) * (len(shape) - a.order) + a.shape
    return FUNCTIONS["broadcast_to"](a, tuple(size_of(own if size == -1 else size) for size, own in zip(shape, old, strict=True)))


def same(a: Value, *args: Any, **kwargs: Any) -> Value:
    """What changes nothing that an expression has."""
    return a


def as_type(a: Value, dtype: Any = float, **kwargs: Any) -> Value:
    """The same, unless entries would be cut off."""
    require_real("astype", dtype)
    return a


def to(a: Value, *args: Any, dtype: Any = None, **kwargs: Any) -> Value:
    """PyTorch's, to a device or to a type of entries."""
    for one in (*args, *([] if dtype is None else [dtype])):
        if type(one).__name__ == "dtype":
            require_real("to", one)
    return a


def softmax(a: Value, dim: Any = None, axis: Any = None) -> Value:
    """PyTorch's, which has a default axis that depends on the number of axes."""
    axis = axis if dim is None else dim
    if axis is None:
        raise refuse("softmax without an axis: dim=-1 is that of rows")
    return FUNCTIONS["softmax"](a, axis)


def squeeze_dim(a: Value, dim: Any = None) -> Value:
    """PyTorch's, which leaves an axis that is longer than 1."""
    if dim is not None and not isinstance(dim, tuple | list) and isinstance(a.shape[dim], Integer) and a.shape[dim] != 1:
        return a
    return FUNCTIONS["squeeze"](a, dim)


def chunk(a: Value, chunks: int, dim: int = 0) -> tuple[Value, ...]:
    """So many equal parts."""
    return tuple(FUNCTIONS["split"](a, chunks, dim))


def torch_split(a: Value, split_size: Any, dim: int = 0) -> tuple[Value, ...]:
    """Parts of this size, or of these sizes."""
    (dim,) = normal_axes(dim, a.order, "split")
    if not isinstance(split_size, tuple | list):
        count = size_of(a.shape[dim]) // split_size
        if not isinstance(count, int) or count * split_size != size_of(a.shape[dim]):
            raise refuse(f"split of an axis of size {a.shape[dim]} into parts of size {split_size}")
        return chunk(a, count, dim)
    ends = [0]
    for size in split_size:
        ends.append(ends[-1] + size)
    if ends[-1] != size_of(a.shape[dim]):
        raise refuse(f"split of an axis of size {a.shape[dim]} into parts of sizes {split_size}")
    return tuple(FUNCTIONS["split"](a, ends[1:-1], dim))


def unbind(a: Value, dim: int = 0) -> tuple[Value, ...]:
    """The arrays along an axis of fixed size."""
    (dim,) = normal_axes(dim, a.order, "unbind")
    if not isinstance(a.shape[dim], Integer):
        raise refuse(f"unbind of an axis of symbolic size {a.shape[dim]}")
    return tuple(FUNCTIONS["getitem"](a, (slice(None),) * dim + (k,)) for k in range(int(a.shape[dim])))


def linear(a: Value, weight: Any, bias: Any = None) -> Value:
    """x W^T + b."""
    found = FUNCTIONS["matmul"](a, FUNCTIONS["matrix_transpose"](as_value(weight)))
    return found if bias is None else FUNCTIONS["add"](found, bias)


def flatten(a: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """Axes from one to another merged."""
    first, last = (normal_axes(k, a.order, "flatten")[0] for k in (start_dim, end_dim))
    return reshaped(a, (*a.shape[:first], *(Integer(-1),), *a.shape[last + 1 :]))


def diag_embed(a: Value) -> Value:
    """Rows as diagonal matrices."""
    return operations.multiplied(reshaped(a, (*a.shape, Integer(1))), operations.identity(a.shape[-1]))


for shared in (reshape, transpose, permute, expand, squeeze_dim, chunk, torch_split, unbind, flatten):
    shared.may_be_view = True  # type: ignore[attr-defined]
same.may_be_view = as_type.may_be_view = to.may_be_view = True  # type: ignore[attr-defined]

BOTH = [
    "sum",
    "mean",
    "dot",
    "trace",
    "diagonal",
    "ravel",
    "squeeze",
    "swapaxes",
    "copy",
    "clone",
    "add",
    "sub",
    "subtract",
    "mul",
    "multiply",
    "div",
    "divide",
    "matmul",
    "square",
    "pow",
    "softmax",
    "relu",
    "sigmoid",
    "exp",
    "log",
    "tanh",
    "sin",
    "cos",
    "sqrt",
    "clip",
    "clamp",
    "unsqueeze",
    "swapdims",
    "moveaxis",
    "movedim",
    "outer",
    "inner",
    "kron",
    "vdot",
    "einsum",
    "tensordot",
    "diag",
    "negative",
    "neg",
    "positive",
    "power",
    "getitem",
    "matrix_transpose",
    "adjoint",
    "transpose",
    "inverse",
]
METHODS: dict[str, Callable] = {name: FUNCTIONS[name] for name in BOTH} | {
    "softmax": softmax,
    "reshape": reshape,
    "view": reshape,
    "transpose": transpose,
    "permute": permute,
    "expand": expand,
    "broadcast_to": FUNCTIONS["broadcast_to"],
    "flatten": flatten,
    "t": FUNCTIONS["transpose"],
    "mm": FUNCTIONS["matmul"],
    "bmm": FUNCTIONS["matmul"],
    "mv": FUNCTIONS["matmul"],
    "astype": as_type,
    "type": as_type,
    "chunk": chunk,
    "split": torch_split,
    "unbind": unbind,
    "dim": lambda a: a.order,
    "numel": lambda a: FUNCTIONS["size"](a),
    "to": to,
    **dict.fromkeys(("detach", "contiguous", "float", "double", "cpu", "cuda", "requires_grad_"), same),
}
TORCH: dict[str, Callable] = (
    {name: body for name, body in FUNCTIONS.items() if name not in ("split", "square_", "size", "ndim", "hstack")}
    | METHODS
    | {
        "transpose": FUNCTIONS["swapaxes"],
        "einsum": lambda equation, *operands: FUNCTIONS["einsum"](equation, *given_together(operands)),
        "reshape": reshape,
        "squeeze": squeeze_dim,
        "cat": FUNCTIONS["concatenate"],
        "hstack": FUNCTIONS["hstack"],
        "linear": linear,
        "diag_embed": diag_embed,
        "rsub": lambda a, b: FUNCTIONS["subtract"](b, a),
        **{f"__{name}__": FUNCTIONS[name] for name in ("add", "sub", "mul", "matmul", "pow")},
        **{f"__r{name}__": (lambda a, b, body=FUNCTIONS[name]: body(b, a)) for name in ("add", "sub", "mul", "matmul", "pow")},
        "__truediv__": FUNCTIONS["divide"],
        "__rtruediv__": lambda a, b: FUNCTIONS["divide"](b, a),
    }
)
READ_OVER = {"optimize", "casting", "subok", "dtype", "device", "_stacklevel", "inplace", "half_to_float"}
CALLS: dict[str, Callable] = (
    {f"numpy {name}": body for name, body in FUNCTIONS.items()}
    | {f"torch {name}": body for name, body in TORCH.items()}
    | FUNCTIONS
    | METHODS
)


def hint(name: str, known: Mapping[str, Any] = METHODS) -> str:
    """What to write instead of a name that is not known."""
    if name in HINTS:
        return f"; {HINTS[name]}"
    if name.endswith("_") and name[:-1] in known:
        return f"; it writes in place: use {name[:-1]}"
    near = get_close_matches(name, known, n=3)
    return f"; there is {', '.join(near)}" if near else f"; there are {', '.join(sorted(one for one in known if one[0] != '_'))}"


def numpy_call(name: str, args: tuple, kwargs: dict) -> Any:
    """A function of NumPy."""
    return library_call("numpy", name, args, kwargs, FUNCTIONS)


def torch_call(name: str, args: tuple, kwargs: dict) -> Any:
    """A function of PyTorch."""
    return library_call("torch", name, args, kwargs, TORCH)


def library_call(library: str, name: str, args: tuple, kwargs: dict, known: Mapping[str, Callable]) -> Any:
    """A function of a library by its name there."""
    if kwargs.get("out") is not None:
        raise refuse(f"{library}.{name} writes in place into out={type(kwargs['out']).__name__} (or += on an array of numbers)")
    if name not in known:
        raise refuse(f"{library}.{name} of a traced array is not traced{hint(name, known)}")
    if kwargs.get("inplace"):
        raise refuse(f"{library}.{name} with inplace=True")
    if kwargs.get("order", "C") in ("C", None):
        kwargs = {key: value for key, value in kwargs.items() if key != "order"}
    kept = {key: value for key, value in kwargs.items() if key not in READ_OVER and key != "out"}
    if "dtype" in kwargs and kwargs["dtype"] is not None:
        as_type(as_value(0), kwargs["dtype"])
    return call(f"{library} {name}", *args, **kept)


Tracer.calls = CALLS
Tracer.numpy_call = staticmethod(numpy_call)
Tracer.torch_call = staticmethod(torch_call)
Tracer.hint = staticmethod(hint)
