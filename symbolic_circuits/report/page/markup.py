r"""HTML as text that is safe by construction: whatever is not :class:`Markup` is escaped, by :func:`escape` alone.

Characters that are not printable (controls, marks that turn the direction of writing) are written as their escapes.
"""

from collections.abc import Iterator
from html import escape as escaped_html

__all__ = ["Markup", "element", "escape", "joined"]

VOID = frozenset({"br", "col", "input", "link", "meta"})
KEPT = "\n\t"


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def escape(text: object) -> Markup:
    r"""Text as it is read, not obeyed: in elements and in attributes.

    >>> escape("<script>alert('\u202e')</script>")
    '&lt;script&gt;alert(&#x27;\\u202e&#x27;)&lt;/script&gt;'
    """
    if isinstance(text, Markup):
        return text
    shown = "".join(c if c.isprintable() or c in KEPT else c.encode("unicode_escape").decode("ascii") for c in str(text))
    return Markup(escaped_html(shown))


def joined(*parts: object) -> Markup:
    """Parts one after the other; None is nothing.

    >>> joined("a < b", None, element("b", "c"))
    'a &lt; b<b>c</b>'
    """
    return Markup("".join(map(escape, leaves(parts))))


def leaves(parts: object) -> Iterator[object]:
    """The parts of nested lists and tuples."""
    for part in parts:
        if isinstance(part, list | tuple):
            yield from leaves(part)
        elif part is not None:
            yield part


def element(name: str, *children: object, **attributes: object) -> Markup:
    """An element. ``class_`` is ``class``, ``aria_label`` is ``aria-label``; True is an attribute without value, None and False none.

    >>> element("th", "order", scope="col", class_="number", hidden=True)
    '<th scope="col" class="number" hidden>order</th>'
    """
    written = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(key)
        elif value is not None and value is not False:
            written.append(f'{key}="{escape(value)}"')
    start = f"<{' '.join(written)}>"
    return Markup(start if name in VOID else f"{start}{joined(*children)}</{name}>")
