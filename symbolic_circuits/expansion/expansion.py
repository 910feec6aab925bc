"""The path expansion of a model: its output as a sum of terms, counted, indexed, listed, sampled and written out.

The terms are those of the grammar of the residual stream (:mod:`symbolic_circuits.expansion.grammar`), in its order: terms that
pass by a step first, then those of its heads, then those of its bilinear layer, left input slowest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import islice
from random import Random

from sympy import Expr, Poly, S, Symbol

from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, CodeError, SpecError, TermError, TermIndexError
from symbolic_circuits.expansion.code import to_code
from symbolic_circuits.expansion.counting import Counting, LargestTerm
from symbolic_circuits.expansion.enumeration import Enumeration
from symbolic_circuits.expansion.grammar import ANY_HEAD, EACH_HEAD, Component, Grammar, component_of, grammar_of
from symbolic_circuits.expansion.interpret import Algebra, T, interpret_grammar
from symbolic_circuits.expansion.names import parse_term
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.proof import prove_closed_form, prove_expansion
from symbolic_circuits.expansion.queries.compiling import compile_query
from symbolic_circuits.expansion.queries.components import blocks_told_apart
from symbolic_circuits.expansion.queries.factored import FactoredNotation
from symbolic_circuits.expansion.queries.generating import generating_function
from symbolic_circuits.expansion.queries.language import as_query
from symbolic_circuits.expansion.queries.product import product
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.spec import Transformer

__all__ = ["PathExpansion", "interpret", "path_expansion"]

MAX_WRITTEN = 20_000  # terms in one SymPy expression
MAX_SLICE = 1_000_000
MAX_NODES = 2**20  # of one term as a tree


@displayed
@dataclass(frozen=True, eq=False)
class PathExpansion:
    """The terms of a model; made by :func:`path_expansion`.

    Examples
    --------
    >>> expansion = path_expansion("attn(2) bilinear")
    >>> expansion.number_of_terms
    12
    >>> print(expansion[4])
    bilinear.1(embed, attn.0[0](embed))
    >>> expansion.index(expansion[4])
    4
    >>> path_expansion("attn(H) bilinear").number_of_terms
    H**2 + 3*H + 2
    """

    grammar: Grammar
    query: Query | None = None  # the terms are those of this query; None: all terms of the model

    def __reduce__(self) -> tuple:
        return type(self), tuple(getattr(self, field.name) for field in fields(self))  # not what is cached: it may be large

    @property
    def model(self) -> Transformer:
        """The model that is expanded."""
        return self.grammar.model

    @cached_property
    def tensors(self) -> ModelTensors:
        """The SymPy symbols of the model."""
        return ModelTensors(self.model)

    def __repr__(self) -> str:
        root = self.grammar.root
        made = (
            f"path_expansion({str(self.model)!r})" if root is None else f"scores({str(self.model)!r}, {root.layer}, {root.head})"
        )
        return made + ("" if self.query is None else f".where({str(self.query)!r})")

    @property
    def title(self) -> str:
        """The model and the query, for messages."""
        root = "" if self.grammar.root is None else f"{self.grammar.root.name} of "
        return root + repr(str(self.model)) + ("" if self.query is None else f" where {self.query}")

    def __bool__(self) -> bool:
        return True  # without this, truth would ask for a length, which overflows

    def interpret(self, algebra: Algebra[T]) -> T:
        """The sum of all terms in an algebra, without listing them."""
        return interpret_grammar(self.grammar, algebra)[-1]

    def where(self, query: Query | str) -> "PathExpansion":
        """The terms of a query, as an expansion of its own, in an order of its own; none is listed for it.

        Parameters
        ----------
        query : a text in the language of :mod:`symbolic_circuits.expansion.queries.language`, or a Query

        Raises
        ------
        TermError
            The text is not a query, or names a component that the model does not have.
        BudgetError
            The query takes too many states.

        Examples
        --------
        >>> expansion = path_expansion("attn(2) bilinear")
        >>> expansion.where("attn.0[1] > bilinear.1.left").number_of_terms
        3
        >>> expansion.where("attn.* = 1 and not bilinear").number_of_terms
        2
        """
        query = as_query(query)
        found = product(self.grammar, compile_query(query, self.model, self.grammar.root))
        return PathExpansion(found, query if self.query is None else self.query & query)

    @property
    def is_empty(self) -> bool:
        """Whether no term belongs to the query."""
        return not self.grammar.nonterminals[-1]

    # counting and enumeration

    @cached_property
    def counts(self) -> list:
        """The number of terms of the residual stream before the first step and after each."""
        return interpret_grammar(self.grammar, Counting())

    @property
    def number_of_terms(self) -> int | Expr:
        """Exact; a SymPy polynomial where the number of heads of some block is a symbol."""
        count = self.counts[-1]
        return count.as_expr() if isinstance(count, Poly) else count

    def count_by(self, by: str | Sequence[str] = "order", z: Symbol | Sequence[Symbol] | None = None) -> Expr:
        """The generating function of the terms: the coefficient of z^k is the number of those of grade k.

        Parameters
        ----------
        by : "order" (heads and bilinear layers passed), "height" (the most of them on one path), "degree" (copies of the input),
            "heads" or "bilinears"; or several of them
        z : the variable, or one for each grading; by default z, and z_order, z_height, ... for several

        Examples
        --------
        >>> path_expansion("bilinear*2").count_by("degree")
        z**4 + 2*z**3 + 2*z**2 + z
        >>> path_expansion("bilinear*2").count_by(("order", "height"))
        z_height**2*z_order**3 + 2*z_height**2*z_order**2 + 2*z_height*z_order + 1
        """
        return generating_function(self.grammar, by, z)

    @cached_property
    def enumeration(self) -> Enumeration:
        """Number <-> term, for a number of heads that is known."""
        if not isinstance(self.number_of_terms, int):
            raise SpecError(
                f"the terms of {str(self.model)!r} cannot be listed: the number of heads is a symbol. Use path_classes(), "
                f"closed_form(), or path_expansion(model.subs({{...}}))"
            )
        largest = self.interpret(LargestTerm())
        if largest > MAX_NODES:
            raise BudgetError(
                f"the largest term of {str(self.model)!r} has {in_words(largest)} nodes; terms are made up to {MAX_NODES:,}"
            )
        return Enumeration(self.grammar, self.counts)

    def __iter__(self) -> Iterator[Term]:
        return self.terms()

    def terms(self, start: int = 0) -> Iterator[Term]:
        """The terms in order from number ``start`` on, in constant memory."""
        if start < 0:
            raise TermIndexError(f"the terms of {str(self.model)!r} are numbered from 0; got a start of {in_words(start)}")
        return self.enumeration.terms(len(self.grammar.nonterminals) - 1, start)

    def __getitem__(self, k: int | slice) -> Term | tuple[Term, ...]:
        """Term number k, from the end where k is negative; a tuple of terms for a slice."""
        enumeration, count = self.enumeration, self.number_of_terms
        last = len(self.grammar.nonterminals) - 1
        if isinstance(k, slice):
            return self.slice(k)
        if isinstance(k, bool) or not hasattr(k, "__index__"):
            raise TypeError(f"terms are numbered by integers; got {k!r}")
        k = k.__index__()
        if not -count <= k < count:
            raise TermIndexError(
                f"term {in_words(k)} was asked for, but {self.title} has {in_words(count)} terms, numbered from 0"
            )
        return enumeration.term(last, k % count)

    def slice(self, wanted: slice) -> tuple[Term, ...]:
        """The terms of a slice, at most a million."""
        start, stop, step = (
            wanted.indices(self.number_of_terms) if self.number_of_terms < 2**62 else big_indices(wanted, self.number_of_terms)
        )
        size = max(0, (stop - start + step - (1 if step > 0 else -1)) // step)
        if size > MAX_SLICE:
            raise BudgetError(
                f"a slice of {in_words(size)} terms was asked for; the limit is {MAX_SLICE:,}: iterate over terms(start) instead"
            )
        if step == 1:
            return tuple(islice(self.terms(start), size))
        return tuple(self[start + k * step] for k in range(size))

    def index(self, term: Term) -> int:
        """The number of a term: ``expansion[expansion.index(term)] == term``; TermError where it is not one."""
        if not isinstance(term, Term):
            raise TermError(f"only a term has a number; got {type(term).__name__} (parse(name) makes a term of its name)")
        return self.enumeration.index(len(self.grammar.nonterminals) - 1, term)

    def __contains__(self, term: object) -> bool:
        try:
            return isinstance(term, Term) and self.index(term) >= 0
        except TermError:
            return False

    def sample(self, k: int, *, seed: int) -> tuple[Term, ...]:
        """k terms drawn uniformly and independently, with replacement.

        >>> [str(term) for term in path_expansion("attn(2)").sample(3, seed=0)]
        ['attn.0[0](embed)', 'attn.0[0](embed)', 'embed']
        """
        generator, last = Random(seed), len(self.grammar.nonterminals) - 1
        enumeration, count = self.enumeration, self.number_of_terms
        if k and not count:
            raise TermIndexError(f"{self.title} has no terms to draw from")
        return tuple(enumeration.term(last, generator.randrange(count)) for _ in range(k))

    def parse(self, name: str) -> Term:
        """The term with this name.

        >>> expansion = path_expansion("attn(2) bilinear")
        >>> expansion.index(expansion.parse("bilinear.1(embed, attn.0[1](embed))"))
        5
        """
        term = parse_term(name, self.components)
        owner = self if isinstance(self.number_of_terms, int) else self.path_classes()
        return owner[owner.index(term)]

    @cached_property
    def components(self) -> dict[str, Component]:
        """The components that terms are made of, by name."""
        used = (p.component for nonterminal in self.grammar.nonterminals for p in nonterminal)
        return {component.name: component for component in used if component is not None}

    # closed forms

    def path_classes(self) -> "PathExpansion":
        """The same expansion with heads left open, ``attn.0[*]``: one term for each class of paths, to be summed over heads.

        Heads that a query tells apart stay listed.

        >>> [str(c) for c in path_expansion("attn(2) bilinear").path_classes()][2:4]
        ['bilinear.1(embed, embed)', 'bilinear.1(embed, attn.0[*](embed))']
        """
        root = self.grammar.root
        if self.query is None:
            return PathExpansion(grammar_of(self.model, ANY_HEAD, root=root))
        grammar = grammar_of(self.model, ANY_HEAD, blocks_told_apart(self.query, self.model), root)
        return PathExpansion(product(grammar, compile_query(self.query, self.model, root)), self.query)

    def closed_form(self, notation: str = "operator") -> Expr:
        """The sum of all terms, grouped by path class with sums over heads.

        Examples
        --------
        >>> print(path_expansion("attn(2)").closed_form("matrix"))
        sum[h=0..1] A[h]*t*W_E.T*W_OV[h].T*W_U.T + t*W_E.T*W_U.T
        """
        return self.path_classes().listed(notation)

    def unexpanded(self) -> Expr:
        """The model as it stands, in matrix notation: sums of blocks inside products, nothing multiplied out.

        Of the terms of a query, the same sum over what the query leaves. Streams are shared by what reads them, so that the
        expression of a deep model is small and its text long: ``to_latex`` and ``to_plain`` write each stream once.

        >>> print(path_expansion("attn(2)").unexpanded())
        (sum[h=0..1] A[h]*t*W_E.T*W_OV[h].T + t*W_E.T)*W_U.T
        """
        if self.is_empty:
            return self.listed("matrix")
        writer = FactoredNotation(self.tensors)
        return writer.total_of(self.path_classes().interpret(writer), self.grammar.root)

    def expr(self, notation: str = "matrix") -> Expr:
        """The sum of all terms, each written out; path classes with sums over heads where their number is a symbol."""
        return self.closed_form(notation) if self.model.has_symbolic_heads else self.listed(notation)

    def prove(self, notation: str | None = None) -> Verdict:
        """The verdict on: the expanded form is the model as it stands, for the sizes of its specification.

        Parameters
        ----------
        notation : of a closed form, which is then compared with ``unexpanded()`` as SymPy expressions (``holds_at`` where that uses
            that a block has the number of heads that it has); by default the terms themselves, one by one, are compared with
            the residual stream

        Raises
        ------
        SpecError
            The expansion is of a query, so that its terms are not the whole model.

        Examples
        --------
        >>> path_expansion("(attn(2) bilinear)*2").prove().verdict
        'proved'
        >>> path_expansion("attn(H) bilinear").prove("tensor").verdict
        'proved'
        """
        if self.query is not None:
            raise SpecError(
                f"all terms of a model add up to it, which is what is proved; these are only those where {self.query}"
            )
        if notation is not None:
            return prove_closed_form(self, notation)
        return prove_expansion(self.path_classes() if self.model.has_symbolic_heads else self)

    def to_code(self, library: str = "numpy") -> str:
        """The source of a function in NumPy or PyTorch; see :func:`symbolic_circuits.expansion.code.to_code`."""
        if self.is_empty:
            raise CodeError(f"{self.title} has no terms to write code of")
        return to_code(self, library)

    def listed(self, notation: str) -> Expr:
        """The sum of all terms, one summand each."""
        writer = notation_for(notation, self.tensors)
        if self.number_of_terms > MAX_WRITTEN:
            raise BudgetError(
                f"an expression of {in_words(self.number_of_terms)} terms was asked for; the limit is {MAX_WRITTEN:,}: "
                "write out single terms, or count and evaluate without writing"
            )
        if self.is_empty:
            source, root = Term(component_of(self.model, "input"), ()), self.grammar.root
            return S.Zero * writer.write(source if root is None else Term(root, (source,) * len(root.slots)))
        return writer.total([writer.write(term) for term in self])


def big_indices(wanted: slice, count: int) -> tuple[int, int, int]:
    """slice.indices for counts beyond the machine's integers."""
    step = 1 if wanted.step is None else wanted.step.__index__()
    if step == 0:
        raise ValueError("slice step cannot be zero")
    low, high = (0, count) if step > 0 else (-1, count - 1)

    def clip(value: int | None, default: int) -> int:
        if value is None:
            return default
        value = value.__index__()
        return min(max(value + count if value < 0 else value, low), high)

    return clip(wanted.start, low if step > 0 else high), clip(wanted.stop, high if step > 0 else low), step


def path_expansion(model: Transformer | str) -> PathExpansion:
    """The path expansion of a model, given as a specification or its text form.

    With attention patterns held fixed, a transformer of attention heads and bilinear layers is a polynomial in its input; its
    path expansion is that polynomial as a sum of terms, one for each way in which information can branch through the model.

    References
    ----------
    Elhage et al. 2021, A Mathematical Framework for Transformer Circuits; Sharkey 2023, arXiv 2305.03452.

    Examples
    --------
    >>> path_expansion("(attn(12) bilinear)*2").number_of_terms
    5600322
    """
    model = Transformer.parse(model) if isinstance(model, str) else model
    if not isinstance(model, Transformer):
        raise SpecError(f"a path expansion is of a Transformer or its text form; got {type(model).__name__}")
    return PathExpansion(grammar_of(model, EACH_HEAD))


def interpret(expansion: PathExpansion, algebra: Algebra[T]) -> T:
    """The sum of all terms of an expansion in an algebra, without listing them.

    >>> interpret(path_expansion("attn(2) bilinear"), Counting())
    12
    """
    return expansion.interpret(algebra)
