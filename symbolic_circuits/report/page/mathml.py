r"""LaTeX as MathML, with elements and attributes of MathML Core only: no link, no style, no script comes through.

``latex2mathml`` (extra ``report``) reads the LaTeX; its tree is written anew here, letters of one upright word together.
"""

import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element

from symbolic_circuits.errors import MissingExtraError
from symbolic_circuits.report.page.markup import Markup, element, escape, joined

__all__ = ["aligned", "mathml", "require_latex2mathml", "rich_text"]

TOKENS = frozenset({"mi", "mn", "mo", "mtext", "mspace"})
ELEMENTS = TOKENS | {
    *("mrow", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mfrac", "msqrt", "mroot"),
    *("mtable", "mtr", "mtd", "mpadded", "mphantom", "mstyle"),
}
ATTRIBUTES = {
    "stretchy": re.compile("true|false"),
    "mathvariant": re.compile("normal"),
    "displaystyle": re.compile("true|false"),
    "scriptlevel": re.compile(r"[+-]?\d"),
    **dict.fromkeys(("minsize", "maxsize", "width"), re.compile(r"\d{1,2}(\.\d{1,4})?em")),
}
BOLD = {ord(str(k)): 0x1D7CE + k for k in range(10)}  # MathML Core has no bold digits but these
THIN = element("mspace", width="0.167em")
PIECE = re.compile(r"\\begin\{align\*?\}(?P<align>.*?)\\end\{align\*?\}|(?<!\\)\$(?P<math>[^$]+)\$", re.DOTALL)
UNESCAPED = re.compile(r"\\([&%$#_{}])|\\(?:allowbreak|noindent|par)(?:\{\})?|\\text(?:tt|bf|it)\{([^{}]*)\}")


def require_latex2mathml() -> object:
    """The optional dependency, or the command that installs it."""
    try:
        from latex2mathml import converter
    except ImportError as error:
        raise MissingExtraError("formulas of a page need the extra 'report': pip install 'symbolic_circuits[report]'") from error
    return converter


@lru_cache(maxsize=4096)
def mathml(latex: str) -> Markup:
    r"""A formula; one that cannot be read is shown as it is written.

    Raises
    ------
    MissingExtraError
        latex2mathml is not installed.

    Examples
    --------
    >>> print(mathml(r"\mathrm{Id}^{2}"))
    <math><msup><mi>Id</mi><mn>2</mn></msup></math>
    """
    converter = require_latex2mathml()
    try:
        tree = converter.convert_to_element(latex)
        children = [*map(written, tree[0] if len(tree) == 1 and tree[0].tag == "mrow" else tree)]
    except Exception:  # it has no root error: several of its own, IndexError, KeyError, RecursionError
        return element("code", latex, class_="latex")
    return element("math", *children)


def written(node: Element) -> Markup | None:
    """An element anew; of what is not known only its parts."""
    if node.tag == "mrow" and is_word(node):
        return element("mi", "".join(child.text for child in node))
    text = html.unescape(node.text or "").replace("\xa0", " ")
    if node.tag == "mo" and text.isalpha() and text.isascii() and len(text) > 1:  # an operator of letters: vec
        return joined(element("mi", text), THIN)
    children = [text.translate(BOLD) if is_bold(node) else text] if node.tag in TOKENS else map(written, node)
    if node.tag not in ELEMENTS:
        return joined(*children)
    if node.tag == "mrow" and len(node) == 1:
        return joined(*children)
    return element(node.tag, *children, **kept_attributes(node))


def kept_attributes(node: Element) -> dict[str, str]:
    """The attributes that are known, without those that are so anyway: brackets are fences that stretch."""
    known = {name: value for name, value in node.attrib.items() if name in ATTRIBUTES and ATTRIBUTES[name].fullmatch(value)}
    return {name: value for name, value in known.items() if name == "minsize" or value != "true"} if node.tag == "mo" else known


def is_word(node: Element) -> bool:
    """Whether these are upright letters one by one."""
    return len(node) > 1 and all(
        child.tag == "mi" and child.get("mathvariant") == "normal" and (child.text or "").isalpha() for child in node
    )


def is_bold(node: Element) -> bool:
    """Whether the text is set bold."""
    return node.get("mathvariant") == "bold"


def aligned(body: str) -> Markup:
    r"""The lines of an ``align`` environment, each with its left side and the rest.

    >>> aligned(r"x &= 1 \\ &\quad + y").count("<math")
    3
    """
    lines = [line.partition("&") for line in body.split(r"\\") if line.strip()]
    return element("div", *(equation(left, rest) for left, _, rest in lines), class_="equations")


def equation(left: str, rest: str) -> Markup:
    """A line with its two sides."""
    indent = "indent" if rest.lstrip().startswith((r"\quad", r"\qquad")) else None
    rest = re.sub(r"^\s*\\q?quad", "", rest).replace("&", " ")
    sides = [
        element("span", mathml(left.strip()) if left.strip() else None, class_="left"),
        element("span", mathml(rest.strip()), class_=f"right {indent or ''}".rstrip()),
    ]
    return element("div", *sides, class_="equation")


def rich_text(latex: str) -> Markup:
    r"""Text with formulas between dollar signs and ``align`` environments.

    >>> rich_text(r"width $d$ \& <b>").count("<math"), "&lt;b&gt;" in rich_text(r"width $d$ \& <b>")
    (1, True)
    """
    parts, last = [], 0
    for found in PIECE.finditer(latex):
        parts.append(plain(latex[last : found.start()]))
        parts.append(aligned(found["align"]) if found["align"] is not None else mathml(found["math"]))
        last = found.end()
    return joined(*parts, plain(latex[last:]))


def plain(latex: str) -> Markup:
    """Text of LaTeX, its escapes undone."""
    return escape(UNESCAPED.sub(lambda found: found[1] or found[2] or "", latex).replace("~", " "))
