r"""A ``symbols`` block: what names stand for, line by line.

```
A, C : n x n;  x : d;  B : m x d x d;  a : scalar
A^h : n x n for h in H, row stochastic
s, t in n
B_{ijk} := \sum_p P_{ip} (W_1)_{pj} (W_2)_{pk}
given U^\top U = I
at d = 2;  convention rows;  einstein on;  vec columns
\newcommand{\OV}{W_{OV}}
```
"""

import re
from dataclasses import dataclass, field, replace

from sympy import Symbol

from symbolic_circuits.errors import LatexError, LawError, SymbolicCircuitsError
from symbolic_circuits.latex.atoms import Atom, atoms_of
from symbolic_circuits.latex.chains import raw_chains
from symbolic_circuits.latex.claims import built, side_values
from symbolic_circuits.latex.declared import (
    Family,
    Index,
    Key,
    OpaqueFunction,
    Scalar,
    Symbols,
    Tensor,
    family_symbol,
    symbol_name,
    tensor_symbol,
)
from symbolic_circuits.latex.declared_laws import with_laws
from symbolic_circuits.latex.declared_names import names_of
from symbolic_circuits.latex.definitions import checked_new, defined, defined_key
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.entries import abstracted
from symbolic_circuits.latex.grammar import parse
from symbolic_circuits.latex.hypotheses import law_of, require_fitting, rewrite_of
from symbolic_circuits.latex.macros import read_macro
from symbolic_circuits.latex.scanner import tokens_of
from symbolic_circuits.latex.shapes import axes_of, axis_of, size_name, split_commas, with_sizes
from symbolic_circuits.latex.sizes import Axis
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.statements import MACROS, statements_of

__all__ = ["Declarations"]

MAX_BLOCK = 100_000
FOR = re.compile(r"\bfor\s+(\S+)\s+(?:in|\\in)\s+([^\s,]+)")
SWITCHES = {
    "convention": ("rows", {"rows": True, "columns": False, "row": True, "column": False}),
    "einstein": ("einstein", {"on": True, "off": False}),
    "vec": ("vec_columns", {"columns": True, "rows": False}),
}


@dataclass(frozen=True)
class Declarations:
    r"""What names stand for.

    Examples
    --------
    >>> declarations = Declarations.parse("A, C : n x n; B, D : d x d")
    >>> sorted(declarations.symbols.sizes)
    ['d', 'n']
    """

    symbols: Symbols = field(default_factory=Symbols)

    @classmethod
    def parse(cls, text: str, *, line: int = 1) -> "Declarations":
        """The declarations of a block whose first line has a number.

        Raises
        ------
        LatexError
            A line cannot be read, a name is declared twice, a definition is circular.
        """
        return cls().extended(text, line=line)

    def extended(self, text: str, *, line: int = 1) -> "Declarations":
        """These declarations and those of a block."""
        if len(text) > MAX_BLOCK:
            raise Source(text[:100], line).error(f"a block of {len(text)} characters; the limit is {MAX_BLOCK}", Span(0, 1))
        statements = list(statements_of(text, line))
        symbols = self.symbols
        waiting = [(statement, key_of_definition(statement, symbols)) for statement in statements]
        lawful = []  # statements with laws, and how many laws there are after each
        for k, (statement, _) in enumerate(waiting):
            later = frozenset(key for _, key in waiting[k:] if key is not None)
            before, sizes = len(symbols.laws), symbols.sizes
            try:
                symbols = replace(read_statement(statement, replace(symbols, later=later)), later=frozenset())
            except RecursionError:
                raise statement.error("this is nested too deeply", Span(0, 1)) from None
            require_new_sizes(symbols.sizes - sizes, symbols, statement)
            lawful += [(statement, len(symbols.laws))] if len(symbols.laws) > before else []
        for statement, count in lawful:  # when all is read, for an inverse may be declared further down
            try:
                require_fitting(symbols, count)
            except LawError as error:
                raise statement.error(str(error), Span(0, len(statement.text))) from None
        return Declarations(symbols)


def require_new_sizes(names: frozenset[str], symbols: Symbols, statement: Source) -> None:
    """Raise where a new size has the name of something that is declared."""
    for name in sorted(names):
        base, _, rest = name.partition("_")
        for entry in symbols.entries.get(Key(base, rest), ()):
            words = f"{entry.shown} is declared in line {entry.line}, and a size here; rename one of them"
            raise statement.error(words, Span(0, len(statement.text)))


def key_of_definition(statement: Source, symbols: Symbols) -> Key | None:
    """The name that a statement defines, as far as it can be told without its meaning."""
    if ":=" not in statement.text or statement.text.startswith("\\newcommand"):
        return None
    try:
        chains = raw_chains(tokens_of(statement, symbols.macros), statement)
        return defined_key(parse(list(chains[0].sides[0]), statement), statement)
    except LatexError:
        return None


def read_statement(statement: Source, symbols: Symbols) -> Symbols:
    """What is declared after a statement."""
    text = statement.text
    word = text.split(None, 1)[0] if text else ""
    if text.startswith(MACROS):
        macro, end = read_macro(text, 0, statement)
        if text[end:].strip():
            raise statement.error("something stands behind the macro; one statement a line", Span(end, end + 1))
        return replace(symbols, macros={**symbols.macros, macro.name: macro})
    if word in SWITCHES:
        return switched(statement, word, symbols)
    if word in ("given", "hypothesis", "assume"):
        return hypothesis(statement, len(word), symbols)
    if word == "at":
        return at_sizes(statement, symbols)
    if word in ("sizes", "size"):
        names = [size_name(part, statement) for part in text[len(word) :].replace(":", " ").replace(",", " ").split()]
        return replace(symbols, sizes=symbols.sizes | set(names))
    if ":=" in text:
        return definition(statement, symbols)
    if ":" in text:
        return declaration(statement, symbols)
    found = re.match(r"(.+?)\s+(?:in|\\in)\s+(\S+)\Z", text, re.DOTALL)
    if found:
        return indices(statement, found, symbols)
    raise statement.error(
        "expected a declaration (A : n x d), an index (s, t in n), a definition (B := ...), given ..., at ..., or a switch",
        Span(0, len(text)),
    )


def switched(statement: Source, word: str, symbols: Symbols) -> Symbols:
    """``convention rows``, ``einstein on``."""
    attribute, options = SWITCHES[word]
    value = statement.text[len(word) :].strip(" :")
    if value not in options:
        raise statement.error(f"{word} is one of {', '.join(options)}; got {value!r}", Span(0, len(statement.text)))
    return replace(symbols, **{attribute: options[value]})


def at_sizes(statement: Source, symbols: Symbols) -> Symbols:
    """``at d = 2, n = 3``."""
    at = dict(symbols.at)
    for part in statement.text[2:].split(","):
        name, equals, number = part.partition("=")
        if not equals or not re.fullmatch(r"\s*[1-9][0-9]{0,3}\s*", number):
            raise statement.error("sizes are fixed as in: at d = 2, n = 3", Span(0, len(statement.text)))
        at[size_name(name.strip(), statement)] = int(number)
    return replace(symbols, at=at, sizes=symbols.sizes | set(at))


def indices(statement: Source, found: re.Match, symbols: Symbols) -> Symbols:
    """``s, t in n``."""
    axis = axis_of(found.group(2), statement)
    for key, _, _, span in names_of(found.group(1), statement, symbols):
        line, _ = statement.position(span.start)
        checked_new(key, symbols, statement, span)
        symbols = symbols.with_entry(Index(key, line, axis))
    return with_sizes(symbols, axis)


def definition(statement: Source, symbols: Symbols) -> Symbols:
    """``B_{ijk} := ...``."""
    chains = raw_chains(tokens_of(statement, symbols.macros), statement)
    if len(chains) != 1 or [token.value for token in chains[0].relations] != [":="]:
        raise statement.error("a definition has one := and no other relation", Span(0, len(statement.text)))
    left, right = (parse(list(side), statement) for side in chains[0].sides)
    return defined(left, right, symbols, statement)


def hypothesis(statement: Source, skip: int, symbols: Symbols) -> Symbols:
    """``given U^\\top U = I``: a law of a tensor, or one of its own."""
    source = Source(
        " " * skip + statement.text[skip:].replace(":", " ", 1 if statement.text[skip : skip + 1] == ":" else 0),
        statement.line,
        statement.column,
    )
    chains = raw_chains(tokens_of(source, symbols.macros), source)
    whole = Span(skip, len(statement.text))
    if len(chains) != 1 or [token.value for token in chains[0].relations] != ["="]:
        raise statement.error("a hypothesis is one equation, as in: given U^\\top U = I", whole)
    state = Elaboration(symbols, source)
    values = side_values([parse(list(side), source) for side in chains[0].sides], state)
    lhs, rhs = built(values, state)
    laws = law_of(lhs, rhs)
    if laws:
        return replace(symbols, laws=(*symbols.laws, *laws))
    free = [state.by_symbol[name] for name in dict.fromkeys(name for value in values for name in value.indices)]
    if free:  # for all values of the indices: an equation between arrays
        lhs, rhs = built([value if value.is_zero else abstracted(value, free, value.span, state) for value in values], state)
    try:
        rewrite = rewrite_of(lhs, rhs, statement.text[skip:].strip())
    except SymbolicCircuitsError as error:
        raise statement.error(str(error), whole) from error
    return replace(symbols, rewrites=(*symbols.rewrites, rewrite))


def declaration(statement: Source, symbols: Symbols) -> Symbols:
    """``A, C : n x n, symmetric``."""
    left, _, right = statement.text.partition(":")
    found = FOR.search(right)
    head = None
    if found:
        head = found.group(2)
        right = right[: found.start()] + right[found.end() :]
    shape, *laws = split_commas(right)
    shape = " ".join(shape.split())
    names = names_of(left, statement, symbols)
    if not names:
        raise statement.error("a name was expected before the colon", Span(0, 1))
    for key, below, above, span in names:
        line, _ = statement.position(span.start)
        if found:
            symbols = family(
                key, below, above, found.group(1), axis_of(head, statement), shape, laws, statement, span, line, symbols
            )
        elif shape in ("scalar", "real", "number", "positive scalar"):
            checked_new(key, symbols, statement, span)
            sign = {"positive": True} if shape.startswith("positive") else {"real": True}
            symbols = symbols.with_entry(Scalar(key, line, Symbol(symbol_name(key), **sign)))
            if laws:
                raise statement.error("a scalar has no laws", span)
        elif shape == "function":
            checked_new(key, symbols, statement, span)
            symbols = symbols.with_entry(OpaqueFunction(key, line))
        else:
            symbols = tensor(key, axes_of(shape, statement), laws, statement, span, line, symbols)
    return symbols


def tensor(
    key: Key, axes: tuple[Axis, ...], laws: list[str], statement: Source, span: Span, line: int, symbols: Symbols
) -> Symbols:
    """One tensor."""
    symbols = with_sizes(symbols, *axes)
    checked_new(key, symbols, statement, span)
    symbol = tensor_symbol(symbol_name(key), axes)
    symbols = symbols.with_entry(Tensor(key, line, axes, symbol))
    return with_laws(symbols, symbol, laws, statement, len(axes))


def family(
    key: Key,
    below: tuple[Atom, ...],
    above: tuple[Atom, ...],
    label: str,
    heads: Axis,
    shape: str,
    laws: list[str],
    statement: Source,
    span: Span,
    line: int,
    symbols: Symbols,
) -> Symbols:
    """One family: its label is the last part of the superscript, or of the subscript."""
    [atom] = atoms_of(tokens_of(Source(label, statement.line)), Source(label, statement.line))[:1] or (None,)
    text = atom.text if atom else label
    axes = () if shape in ("scalar", "real", "number") else axes_of(shape, statement)
    if above and above[-1].text == text:
        place, base = "sup", Key(key.base, key.sub, "".join(a.text for a in above[:-1]))
    elif below and below[-1].text == text:
        place, base = "sub", Key(key.base, "".join(a.text for a in below[:-1]), key.sup)
    else:
        raise statement.error(f"the name of a family ends with its label {label}, as in A^{label} or v_{label}", span)
    if not axes:
        raise statement.error("a family of scalars is a vector: declare it as one", span)
    symbols = with_sizes(symbols, heads, *axes)
    others = symbols.entries.get(base, ())
    for other in others:
        if not isinstance(other, Family) or other.heads == heads or other.place != place:
            raise statement.error(f"{other.shown} is declared twice; first in line {other.line}", span)
    name = (
        symbol_name(base)
        if not others
        else f"{symbol_name(Key(base.base, base.sub))}^{base.sup}{''.join(c for c in text if c.isalnum())}"
    )
    if name in symbols.taken():
        raise statement.error(f"the name {name} is taken; rename this family", span)
    symbol = family_symbol(name, heads, axes)
    symbols = symbols.with_entry(Family(base, line, axes, heads, place, text, symbol))
    return with_laws(symbols, symbol, laws, statement, len(axes) + 1)
