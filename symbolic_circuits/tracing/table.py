r"""The table of functions of arrays that are traced: NumPy's name -> what it does to values, with NumPy's signature."""

from collections.abc import Callable

__all__ = ["FUNCTIONS", "function"]

FUNCTIONS: dict[str, Callable] = {}


def function(*names: str, view: bool = False) -> Callable[[Callable], Callable]:
    """Enter a function into the table; ``view`` says that NumPy may return an array that shares its entries."""

    def enter(body: Callable) -> Callable:
        body.may_be_view = view  # type: ignore[attr-defined]
        FUNCTIONS.update(dict.fromkeys(names or (body.__name__,), body))
        return body

    return enter
