"""The library that arrays belong to: NumPy, or PyTorch where a tensor is given; tensors become NumPy arrays for what is small or exact.

PyTorch is imported by nothing here unless a tensor, or the wish for one, comes from a user. ``array_api_compat`` gives both libraries the
names of the array API standard.
"""

from types import ModuleType

import numpy as np
from array_api_compat import array_namespace, is_torch_array

from symbolic_circuits.errors import MissingExtraError, WeightsError

__all__ = ["as_numpy", "library_of", "named_array", "same_kind", "to_tensor", "torch_library"]


def library_of(array: object) -> ModuleType:
    """The library of an array, with the names of the array API standard.

    >>> library_of(np.zeros(2)).permute_dims(np.zeros((2, 3)), (1, 0)).shape
    (3, 2)
    """
    return array_namespace(array)


def as_numpy(array: object) -> object:
    """A tensor as a NumPy array on the host, without its gradient; half precision, which NumPy lacks, as float32. Others as they are.

    >>> as_numpy([1, 2])
    [1, 2]
    """
    if not is_torch_array(array):
        return array
    array = array.detach().cpu()
    return (array.float() if str(array.dtype) == "torch.bfloat16" else array).numpy()


def named_array(name: str, array: object) -> np.ndarray:
    """An array, tensor or nested list of weights as a NumPy array.

    Raises
    ------
    WeightsError
        It has no numbers that NumPy reads: a tensor without data, a sparse or quantised one, a type of 8 bits, rows of several lengths.
    """
    try:
        return np.asarray(as_numpy(array))
    except (TypeError, ValueError, RuntimeError) as error:
        kind = f"a {type(array).__name__} of {array.dtype} on {array.device}" if is_torch_array(array) else type(array).__name__
        raise WeightsError(
            f"{name} must hold real numbers in a dense array; got {kind} ({str(error).splitlines()[0]})"
        ) from error


def torch_library() -> ModuleType:
    """PyTorch.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError("tensors need PyTorch: pip install 'symbolic_circuits[torch]'") from error
    return torch


def to_tensor(array: object, device: object = None, dtype: object = None) -> object:
    """An array as a tensor, a copy of its own on a device; integers keep their type."""
    torch = torch_library()
    array = array if is_torch_array(array) else torch.from_numpy(np.array(array))
    return array.to(device=device, dtype=dtype if array.is_floating_point() else None)


def same_kind(array: np.ndarray, like: object) -> object:
    """A NumPy array as what another array is: a tensor on its device, or itself."""
    return to_tensor(array, like.device) if is_torch_array(like) else array
