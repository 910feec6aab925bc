r"""A flat term -> tree: a sum takes what stands behind it, then loose operations part what tight ones join."""

from typing import Any

from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.tree import Big, Binary, Group, Node, Number, Product, Sum

__all__ = ["Based", "Late", "Operation", "Pending", "arranged"]

LOOSE = {"OTIMES": "\\otimes", "ODOT": "\\odot", "DOT": "\\cdot_{jk}"}


class Pending:
    """A term before its operations are arranged: nodes, and (kind, payload, span) for operations and big sums."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def resolved(self, source: Source) -> Node:
        """The tree."""
        return arranged([item.resolved(source) if isinstance(item, Late) else item for item in self.items], source)


class Late:
    """A node whose parts are not arranged yet."""

    def __init__(self, span: Span, make: Any, parts: tuple[Any, ...]) -> None:
        self.span, self.make, self.parts = span, make, parts

    def resolved(self, source: Source) -> Node:
        """The node."""
        return self.make(self.span, *(part.resolved(source) if isinstance(part, Late | Pending) else part for part in self.parts))


class Based(Late):
    """What has scripts, on one symbol or on brackets that are seen."""

    def resolved(self, source: Source) -> Node:
        """The node."""
        node = super().resolved(source)
        require_visible(node.base, source, is_base=True)
        return node


class Operation:
    """An operation between factors, or a big sum before its body."""

    def __init__(self, kind: str, span: Span, payload: Any = None) -> None:
        self.kind, self.span, self.payload = kind, span, payload


def arranged(items: list[Any], source: Source) -> Node:
    """The tree of a flat term."""
    for place, item in enumerate(items):
        if isinstance(item, Operation) and item.kind == "BIG":
            rest = items[place + 1 :]
            if not rest:
                raise source.error(f"nothing stands behind this {item.payload[0]}", item.span)
            body = arranged(rest, source)
            big = Big(item.span.to(body.span), *item.payload, body)
            return arranged([*items[:place], big], source)
    if len(items) > 1:
        for place, item in enumerate(items):
            require_visible(item, source, is_last=place == len(items) - 1)
    found = {item.kind for item in items if isinstance(item, Operation)}
    loose = sorted(found & set(LOOSE))
    if len(loose) > 1:
        operation = next(item for item in items if isinstance(item, Operation) and item.kind == loose[1])
        first, second = (LOOSE[kind] for kind in loose)
        raise source.error(
            f"{first} and {second} without brackets: is it (a {first} b) {second} c or a {first} (b {second} c)? write the brackets",
            operation.span,
        )
    if loose:
        return joined(items, {loose[0]}, loose[0], source)
    if found & {"CDOT", "TIMES"}:
        signs = {str(item.payload) for item in items if isinstance(item, Operation)} & {"times", "×", "*", "ast"}
        return joined(items, {"CDOT", "TIMES"}, "STAR" if signs & {"*", "ast"} else "TIMES" if signs else "CDOT", source)
    return tight(items, source)


def require_visible(item: Any, source: Source, *, is_last: bool = False, is_base: bool = False) -> None:
    """Raise where braces, which nobody sees, hold together what is read apart without them: ``{A + B} C``, ``{A B}^2``."""
    inside = item
    while isinstance(inside, Group) and inside.bracket == "{" and len(inside.parts) == 1:
        inside = inside.parts[0]
    if inside is item or not isinstance(inside, Sum | Binary | Product | Big):
        return
    if is_base or isinstance(inside, Sum | Binary) or (isinstance(inside, Big) and not is_last):
        raise source.error("braces are not seen: what they hold together needs brackets, (..)", item.span)


def joined(items: list[Any], kinds: set[str], name: str, source: Source) -> Node:
    """Parts between operations of one kind."""
    parts: list[Node] = []
    axes: list[tuple[int, int]] = []
    current: list[Any] = []
    for item in [*items, None]:
        if item is not None and not (isinstance(item, Operation) and item.kind in kinds):
            current.append(item)
            continue
        if not current:
            where = item if item is not None else items[-1]
            side = "right" if item is None or parts else "left"
            raise source.error(f"an operation has nothing on its {side}; expected a symbol, a number or a bracket", where.span)
        parts.append(arranged(current, source))
        current = []
        if item is not None and name == "DOT":
            axes.append(item.payload)
    if name != "DOT":
        return Binary(parts[0].span.to(parts[-1].span), name, tuple(parts))
    value = parts[0]
    for pair, part in zip(axes, parts[1:], strict=True):
        value = Binary(value.span.to(part.span), "DOT", (value, part), pair)
    return value


def tight(items: list[Any], source: Source) -> Node:
    """Juxtaposed factors, with at most one slash."""
    slashes = [k for k, item in enumerate(items) if isinstance(item, Operation)]
    if not slashes:
        return items[0] if len(items) == 1 else Product(items[0].span.to(items[-1].span), tuple(items))
    place = slashes[0]
    over, under = items[:place], items[place + 1 :]
    if not over or not under or isinstance(under[0], Operation):
        raise source.error("a quotient has two sides; expected a symbol, a number or a bracket", items[place].span)
    plain = len(under) == 1
    if not plain and not (isinstance(under[0], Number) and all(isinstance(item, Number) for item in over)):
        raise source.error("is it (a / b) c or a / (b c)? write the brackets, or \\frac", items[place].span)
    top, bottom = tight(over, source), under[0]
    quotient = Binary(top.span.to(bottom.span), "SLASH", (top, bottom))
    return quotient if plain else tight([quotient, *under[1:]], source)
