r"""Names as they are written: W_OV as :math:`W_{OV}`, or as a mapping says, {"W_OV": "\WOV"}; names from elsewhere come out inert.

| key | renames |
| --- | --- |
| ``W_1^3`` | the tensor of that name |
| ``W_1`` | the tensor of that name, and those of all blocks, ``W_1^3`` then having its label as a superscript |
| ``d``, ``h_0`` | a size, a head or an index |

Two names are not written alike, and a name is not a sum, so that no line says something else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from sympy import IndexedBase, MatrixSymbol, Symbol
from sympy.core.basic import Basic
from sympy.printing.latex import greek_letters_set, tex_greek_dictionary
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.errors import NotationError
from symbolic_circuits.report.field_latex import escape
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.names import latex_name

__all__ = ["TENSORS", "checked_names", "inert", "latex_tensor", "leaves_in", "name_of", "names_in", "renamed", "with_script"]

GREEK = (greek_letters_set - {"omicron"}) | {name for name, latex in tex_greek_dictionary.items() if latex == f"\\{name}"}
TENSORS = MatrixSymbol | ArraySymbol | MatrixFamily | IndexedBase
ONE_SYMBOL = re.compile(r"(\\[A-Za-z]+|.)\Z")
ESCAPED = re.compile(r"\\.", re.DOTALL)
UPRIGHT = re.compile(r"\\(mathrm|text|operatorname)(?![A-Za-z])|\\[,:;! ]|[{}\s]")
HIDDEN = re.compile(r"\\left\b|\\right\b|\\[A-Za-z]+|\\.|[_^]?.", re.DOTALL)
SIGNS = {"+", "-", "=", "<", ">", "\N{MINUS SIGN}", r"\pm", r"\mp", r"\oplus", r"\ominus"}


def leaves_in(exprs: Iterable[Basic]) -> list[Basic]:
    """Tensors, sizes, scalars and indices, by name; what occurs in several expressions is looked at once."""
    seen: set[Basic] = set()
    found: set[Basic] = set()
    waiting = [expr for expr in exprs if isinstance(expr, Basic)]
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, TENSORS):
            found.add(node)
            waiting += [size for size in array_shape(node) if isinstance(size, Basic)]
        elif isinstance(node, Symbol):
            found.add(node)
        else:
            waiting += [arg for arg in node.args if isinstance(arg, Basic)]
    return sorted(found, key=lambda leaf: (name_of(leaf), type(leaf).__name__, str(leaf.args[1:])))


def name_of(leaf: Basic) -> str:
    """The name of a tensor, size or index."""
    return str(leaf.label if isinstance(leaf, IndexedBase) else leaf.name)


def names_in(leaves: Iterable[Basic]) -> list[str]:
    """The names, and for blocks' tensors those without the label, in alphabetical order."""
    names = {name_of(leaf) for leaf in leaves}
    return sorted(names | {name.partition("^")[0] for name in names})


def checked_names(rename: Mapping[str, str], leaves: Sequence[Basic]) -> dict[str, str]:
    r"""The mapping, if every name occurs, every value is whole LaTeX and names that differ are written differently.

    Raises
    ------
    NotationError
        A name does not occur (the message lists those that do), a value would break what surrounds it or is a sum, or two names
        are written alike.

    Examples
    --------
    >>> checked_names({"A": "{P"}, [MatrixSymbol("A", 2, 2)])
    Traceback (most recent call last):
    ...
    symbolic_circuits.errors.NotationError: A is renamed to '{P', whose braces are not balanced
    """
    known = names_in(leaves)
    for name, value in rename.items():
        if name not in known:
            raise NotationError(f"{name!r} is renamed, but does not occur; there are {', '.join(known) or 'no names'}")
        if not isinstance(value, str) or not value.strip():
            raise NotationError(f"{name} is renamed to {value!r}; a name is a text that is not empty")
        if not balanced(value):
            raise NotationError(f"{name} is renamed to {value!r}, whose braces are not balanced")
        bare = ESCAPED.sub("", value).replace("#1", "")
        if "\\\\" in value or any(c in "%&$#~" or not c.isprintable() for c in bare):
            raise NotationError(f"{name} is renamed to {value!r}; a name is one piece of math without % & $ # and line breaks")
        if is_sum(value):
            raise NotationError(rf"{name} is renamed to {value!r}, which is a sum; write \left({value}\right)")
        if "#1" in value:
            require_label(name, value, leaves)
    require_different(rename, leaves)
    return dict(rename)


def is_sum(latex: str) -> bool:
    r"""Whether a sign stands outside of brackets, scripts and what a macro takes.

    >>> [is_sum(text) for text in ("P + Q", "-P", r"\left(P + Q\right)", "P^{+}", "P^+", r"d_{i-1}", "{P - Q}")]
    [True, True, False, False, False, False, True]
    """
    closing: list[bool] = []  # of each brace or bracket that is open, whether it hides signs
    before = ""
    for token in HIDDEN.findall(latex):
        if token[-1] in "([{":
            takes = token in ("_{", "^{") or (token == "{" and (before.startswith("\\") or before == "}"))
            closing.append(token != "{" or takes)
        elif token[-1] in ")]}" and closing:
            closing.pop()
        elif token in SIGNS and not any(closing):
            return True
        before = token if not token.isspace() else before
    return False


def require_label(name: str, value: str, leaves: Iterable[Basic]) -> None:
    """Raise NotationError where there is nothing that #1 could stand for."""
    named = [leaf for leaf in leaves if name in (name_of(leaf), name_of(leaf).partition("^")[0])]
    if not any(isinstance(leaf, MatrixFamily) or name_of(leaf) != name for leaf in named):
        raise NotationError(f"{name} is renamed to {value!r}, but {name} is no family and has no label for #1")
    if not value.replace("#1", "").strip():
        raise NotationError(f"{name} is renamed to {value!r}, a label without a name")


def require_different(rename: Mapping[str, str], leaves: Sequence[Basic]) -> None:
    """Raise NotationError where two names, one of them renamed, are written alike."""
    heads = [written(leaf.name, [], rename, True) for leaf in leaves if isinstance(leaf, Symbol)]
    seen: dict[str, str] = {}
    for leaf in leaves:
        name = name_of(leaf)
        shown = {written(name, [], rename, isinstance(leaf, Symbol)): name}
        if isinstance(
            leaf, MatrixFamily
        ):  # with a symbol for its head it has no block's label, those of all blocks being written alike
            base = name if name in rename else name.partition("^")[0]
            shown |= {written(base, [head], rename): base for head in heads}
        for text, own in shown.items():
            other = seen.setdefault(UPRIGHT.sub("", text), own)
            if other != own and (renamed(own, rename) or renamed(other, rename)):
                raise NotationError(f"{other} and {own} are both written {text}; rename one of them otherwise")


def written(name: str, labels: Sequence[str], rename: Mapping[str, str], is_index: bool = False) -> str:
    """A tensor, with labels a member of a family, or a size or index in LaTeX."""
    return latex_tensor(name, labels, {key: rename[key] for key in (name,) if key in rename} if is_index else rename)


def balanced(latex: str) -> bool:
    """Whether every brace that is opened is closed, in order."""
    depth = 0
    for character in ESCAPED.sub("", latex):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    return depth == 0 and not re.search(r"(?<!\\)(\\\\)*\\\Z", latex)


def renamed(name: str, mapping: Mapping[str, str]) -> tuple[str, str] | None:
    """What a name is renamed to, and the block's label where that is not part of it; None where it keeps its name."""
    if name in mapping:
        return mapping[name], ""
    base, _, label = name.partition("^")
    return (mapping[base], label) if label and base in mapping else None


def with_script(base: str, script: str) -> str:
    r"""A superscript; on what has one already, or is several symbols, in braces.

    >>> with_script("A", "h"), with_script(r"\WOV", "h"), with_script("P^{*}", "h")
    ('A^{h}', '\\WOV^{h}', '{P^{*}}^{h}')
    """
    if not script:
        return base
    bare = ONE_SYMBOL.match(base) or ("_" in base and "^" not in base)
    return f"{base if bare else f'{{{base}}}'}^{{{script}}}"


def latex_tensor(name: str, labels: Iterable[str], mapping: Mapping[str, str]) -> str:
    r"""A tensor, or with head labels a member of a family, in LaTeX.

    >>> latex_tensor("W_OV^1", ["h"], {"W_OV": r"\WOV"}), latex_tensor("A", ["h"], {"A": r"\pattern{#1}"})
    ('\\WOV^{1,h}', '\\pattern{h}')
    """
    found = renamed(name, mapping)
    if found is None:
        try:
            return greek(latex_name(name, labels))
        except NotationError:
            return with_script(rf"\text{{{escape(inert(name))}}}", ",".join(labels))
    value, label = found
    above = ",".join([*([label] if label else []), *labels])
    return value.replace("#1", above) if "#1" in value else with_script(value, above)


def greek(latex: str) -> str:
    r"""``\mathrm{Sigma}`` as ``\Sigma``."""
    found = re.match(r"\\mathrm\{([A-Za-z]+)\}", latex)
    if found is None or found[1] not in GREEK:
        return latex
    rest = latex[found.end() :]
    return rf"\{found[1]}{rest}"


def inert(text: str) -> str:
    """Text on one line without control characters and backticks; other alphabets by their code, which LaTeX can print."""
    shown = (c if c.isascii() and c.isprintable() and c != "`" else "'" if c == "`" else f"U+{ord(c):04X}" for c in text)
    return "".join(shown)
