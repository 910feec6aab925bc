"""A tree whose subtrees are shared is printed once for each of them; the text itself can still double at each level, and has a limit."""

from collections.abc import Sequence

from sympy import Basic, Expr

from symbolic_circuits.errors import BudgetError

__all__ = ["SharedPrinter", "short_first", "tree_size"]

MAX_CHARACTERS = 10_000_000


class SharedPrinter:
    """Before one of SymPy's printers among the bases of a class: texts are kept until the outermost expression is printed."""

    def _print(self, expr: object, **settings: object) -> str:
        if self._print_level == 0:
            self._texts: dict[int, tuple[object, str]] = {}
        if settings or not isinstance(expr, Basic) or not expr.args:
            return super()._print(expr, **settings)
        if id(expr) not in self._texts:
            self._texts[id(expr)] = expr, limited(super()._print(expr))  # held, so that no other tree gets its id
        return self._texts[id(expr)][1]


def limited(text: str) -> str:
    """A text that is not too long."""
    if len(text) > MAX_CHARACTERS:
        raise BudgetError(
            f"an expression was to be written in over {len(text):,} characters; the limit is {MAX_CHARACTERS:,}: "
            "write single terms, or a derivation (derive(model)), where each stream has a name"
        )
    return text


def short_first(summands: Sequence[Expr]) -> list[Expr]:
    """Summands with few nodes first; those of equal length keep their order."""
    known: dict[int, int] = {}
    return sorted(summands, key=lambda summand: tree_size(summand, known))


def tree_size(expr: Basic, known: dict[int, int] | None = None) -> int:
    """The number of nodes of a tree, shared ones as often as they occur.

    >>> from sympy.abc import x, y
    >>> tree_size((x + y) * x)
    5
    """
    known = {} if known is None else known
    todo = [expr]
    while todo:
        tree = todo[-1]
        if id(tree) not in known and (below := [arg for arg in tree.args if id(arg) not in known]):
            todo += below
            continue
        known[id(tree)] = 1 + sum(known[id(arg)] for arg in tree.args)
        todo.pop()
    return known[id(expr)]
