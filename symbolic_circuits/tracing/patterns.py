r"""einops patterns: rearrange, reduce, repeat and einsum, ``"n (h e) -> h n e"``, on traced arrays; einops itself is not needed.

Names are joined by blanks, groups in parentheses are axes that are products, ``1`` and ``()`` are axes of size 1, ``...`` stands for any axes.
"""

import re
from collections.abc import Mapping
from typing import Any

from sympy import Expr, Mul, cancel

from symbolic_circuits.tracing.coercion import as_value
from symbolic_circuits.tracing.einsums import labelled
from symbolic_circuits.tracing.joining import stacked
from symbolic_circuits.tracing.operations import filled, identity, times
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.sizes import as_size_expr, is_whole
from symbolic_circuits.tracing.values import Value

__all__ = ["einops_einsum", "is_einops", "read_pattern", "rearrange", "reduce", "repeat"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z|_[A-Za-z0-9_]+\Z|1\Z|\.\.\.\Z|_\Z")
Groups = list[list[str]]


def is_einops(text: str) -> bool:
    """Whether names are separated by blanks, which means more than one letter a name.

    >>> is_einops("i j, j k -> i k"), is_einops("ij, jk -> ik")
    (True, False)
    """
    return "(" in text or any(len(part.split()) > 1 for side in text.split("->") for part in side.split(","))


def read_pattern(text: str) -> tuple[Groups, Groups]:
    """The names of the axes on both sides.

    >>> read_pattern("n (h e) -> h n e")
    ([['n'], ['h', 'e']], [['h'], ['n'], ['e']])
    """
    left, arrow, right = text.partition("->")
    if not arrow or "->" in right:
        raise refuse(f"the pattern {text!r} has no or more than one ->")
    return read_side(left, text), read_side(right, text)


def read_side(side: str, text: str) -> Groups:
    """The groups of a side."""
    groups: Groups = []
    inside = False
    for word in re.findall(r"[()]|[^\s()]+", side.replace("…", "...")):
        if word in "()":
            if inside == (word == "("):
                raise refuse(f"the parentheses of the pattern {text!r} do not match")
            inside = word == "("
            groups += [[]] if inside else []
        elif not NAME.match(word):
            raise refuse(f"{word!r} in the pattern {text!r} is no name of an axis")
        elif inside:
            groups[-1] += [word] if word != "1" else []
        else:
            groups.append([word] if word != "1" else [])
    if inside:
        raise refuse(f"the parentheses of the pattern {text!r} do not match")
    names = [name for group in groups for name in group if name != "_"]
    if len(set(names)) < len(names):
        raise refuse(f"a name occurs twice on one side of the pattern {text!r}")
    return groups


def with_dots(groups: Groups, extra: int) -> Groups:
    """The axes of an ellipsis under names of their own."""
    dots = [f"...{k}" for k in range(extra)]
    out: Groups = []
    for group in groups:
        if group == ["..."]:
            out += [[one] for one in dots]
        else:
            out.append([one for name in group for one in (dots if name == "..." else [name])])
    return out


def sizes_in(groups: Groups, value: Value, given: Mapping[str, Any], text: str) -> dict[str, Expr]:
    """The size of every name of the left side; one in a group may be what the others leave."""
    if len(groups) != value.order:
        raise refuse(f"the pattern {text!r} is for {len(groups)} axes; the array has shape {shown_shape(value.shape)}")
    sizes: dict[str, Expr] = {}
    for name, size in given.items():
        expr = as_size_expr(size)
        if expr is None or not is_whole(expr):
            raise refuse(f"the pattern {text!r} is given {name} = {size!r}, which is no size")
        sizes[name] = expr
    for group, size in zip(groups, value.shape, strict=True):
        missing = [name for name in group if name not in sizes]
        rest = cancel(size / Mul(*(sizes[name] for name in group if name in sizes)))
        if len(missing) > 1:
            raise refuse(
                f"the pattern {text!r} splits an axis of size {size} into {', '.join(group)}; give the size of one, {group[0]}=..."
            )
        if missing:
            sizes[missing[0]] = rest
        if not is_whole(rest) or (not missing and rest != 1):
            raise refuse(f"the pattern {text!r} has an axis ({' '.join(group)}) that does not fit size {size}")
    return sizes


def transformed(tensor: Any, text: str, given: Mapping[str, Any], kind: str) -> tuple[Value, list[str], dict[str, Expr]]:
    """The array with its axes as the right side has them, the names that are summed over, and sizes."""
    value = stacked([as_value(one) for one in tensor], 0) if isinstance(tensor, list | tuple) else as_value(tensor)
    left, right = read_pattern(text)
    extra = value.order - len(left) + 1 if ["..."] in left else 0
    if extra < 0:
        raise refuse(f"the pattern {text!r} has more axes than an array of shape {shown_shape(value.shape)}")
    left, right = with_dots(left, extra), with_dots(right, extra)
    sizes = sizes_in(left, value, given, text)
    before, after = ([name for group in side for name in group] for side in (left, right))
    gone, new = [one for one in before if one not in after], [one for one in after if one not in before]
    if (gone and kind != "reduce") or (new and kind != "repeat"):
        raise refuse(f"{kind} with the pattern {text!r}: {', '.join(gone + new)} on one side only")
    for one in new:
        if one not in sizes:
            raise refuse(f"repeat with the pattern {text!r} needs the size of {one}")
    if set(given) - set(before) - set(after):
        raise refuse(f"the pattern {text!r} has no {', '.join(sorted(set(given) - set(before) - set(after)))}")
    said = [(identity(sizes[one]), [(one,), (one,)]) for group in left if len(group) > 1 for one in group[:-1]]
    operands = [(value, [tuple(group) for group in left]), *said]
    return filled(operands, [tuple(group) for group in right], sizes), gone, sizes


def rearrange(tensor: Any, pattern: str, **axes_lengths: Any) -> Value:
    """Axes split, merged and moved."""
    return transformed(tensor, pattern, axes_lengths, "rearrange")[0]


def reduce(tensor: Any, pattern: str, reduction: str, **axes_lengths: Any) -> Value:
    """The same with a sum or mean over what the right side leaves out."""
    if reduction not in ("sum", "mean"):
        raise refuse(f"reduce with {reduction!r}: sums and means are traced")
    found, gone, sizes = transformed(tensor, pattern, axes_lengths, "reduce")
    return found if reduction == "sum" else times(found, 1 / Mul(*(sizes[one] for one in gone)))


def repeat(tensor: Any, pattern: str, **axes_lengths: Any) -> Value:
    """The same with new axes along which entries repeat."""
    return transformed(tensor, pattern, axes_lengths, "repeat")[0]


def einops_einsum(*tensors_and_pattern: Any) -> Value:
    """einops' einsum: the arrays, then the pattern."""
    *tensors, text = tensors_and_pattern
    if not isinstance(text, str):
        raise refuse("einops.einsum takes the arrays and then the pattern")
    inputs, arrow, output = text.partition("->")
    if not arrow:
        raise refuse(f"the pattern {text!r} has no ->")
    parts = [names_in(part, text) for part in inputs.split(",")]
    if len(parts) != len(tensors):
        raise refuse(f"the pattern {text!r} is for {len(parts)} arrays; got {len(tensors)}")
    return labelled(f"einsum {text!r}", [as_value(one) for one in tensors], parts, names_in(output, text))


def names_in(part: str, text: str) -> list[str]:
    """The names of one array in an einsum."""
    words = part.split()
    if any(not NAME.match(word) or word == "1" for word in words):
        raise refuse(f"the pattern {text!r} of an einsum has names and ... only")
    return words
