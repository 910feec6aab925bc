"""Number k <-> term k <-> the k-th term of the iteration, for grammars with any number of terms.

The terms of a nonterminal come production by production. A head runs through the terms of its input. A bilinear layer runs
through pairs, the left input slowest: pair (i, j) has number i N + j; so do heads of several inputs. Unordered pairs (i <= j) run through j, then i:
their number is j (j + 1) / 2 + i. Where a layer with tied weights reads two different nonterminals, pairs are numbered like
those of any layer. Of the two inputs of such a layer the one that comes first among all terms of the model stands left.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from math import isqrt, prod

from symbolic_circuits.errors import TermError
from symbolic_circuits.expansion.grammar import Component, Grammar, Production
from symbolic_circuits.expansion.queries.membership import Membership, fits, is_before
from symbolic_circuits.expansion.term import Term

__all__ = ["Enumeration"]

SHARED = 4096  # nonterminals with so few terms are listed once, and their terms shared


class Enumeration:
    """The terms of every nonterminal of a grammar, by number.

    Parameters
    ----------
    grammar : Grammar
    counts : the number of terms of each nonterminal
    """

    def __init__(self, grammar: Grammar, counts: Sequence[int]) -> None:
        self.grammar, self.counts = grammar, counts
        self.lists: dict[int, tuple[Term, ...]] = {}
        self.sizes = [[self.size(p) for p in nonterminal] for nonterminal in grammar.nonterminals]
        self.starts = [[0, *accumulate(sizes)][:-1] for sizes in self.sizes]
        self.places: list[dict[Component | None, list[int]]] = []  # the productions of each component; None: those that pass by
        for rules in grammar.nonterminals:
            self.places.append({})
            for k, production in enumerate(rules):
                self.places[-1].setdefault(production.component, []).append(k)
        self.sorted: list[bool] = []  # whether the terms of a nonterminal come in the order that they have among all terms
        for rules, places in zip(grammar.nonterminals, self.places, strict=True):
            alone = len(places) == len(rules) and not any(p.twice for p in rules)
            self.sorted.append(alone and all(self.sorted[k] for p in rules for k in p.inputs))
        self.membership = Membership(grammar)

    def size(self, production: Production) -> int:
        """The number of terms of one production."""
        counts = [self.counts[k] for k in production.inputs]
        if production.unordered:
            return counts[0] * (counts[0] + 1) // 2
        return prod(counts)

    def term(self, nonterminal: int, k: int) -> Term:
        """Term number k of a nonterminal, 0 <= k < its count."""
        outer: list[Component] = []  # heads around the term, outermost first
        while self.counts[nonterminal] > SHARED:
            place = bisect_right(self.starts[nonterminal], k) - 1
            k -= self.starts[nonterminal][place]
            production = self.grammar.nonterminals[nonterminal][place]
            if len(production.inputs) != 1:
                term = Term(production.component, self.inputs(production, k))
                break
            if production.component is not None:
                outer.append(production.component)
            nonterminal = production.inputs[0]
        else:
            term = self.listed(nonterminal)[k]
        for component in reversed(outer):
            term = Term(component, (term,))
        return term

    def inputs(self, production: Production, k: int) -> tuple[Term, ...]:
        """The inputs of term number k of a production with several."""
        if production.unordered:
            j = (isqrt(8 * k + 1) - 1) // 2
            places = [k - j * (j + 1) // 2, j]
        else:
            places = []
            for source in reversed(production.inputs):  # the last input runs fastest
                k, place = divmod(k, self.counts[source])
                places.insert(0, place)
        found = tuple(map(self.term, production.inputs, places))
        return found[::-1] if self.may_swap(production) and is_before(found[1], found[0]) else found

    def may_swap(self, production: Production) -> bool:
        """Whether the inputs of a layer with tied weights come in another order than among all terms."""
        return production.twice or (production.unordered and not self.sorted[production.inputs[0]])

    def index(self, nonterminal: int, term: Term, known: dict[int, frozenset[int]] | None = None) -> int:
        """The number of a term of a nonterminal; TermError where it is not one. ``known``: the nonterminals of its subterms."""
        offset, known = 0, {} if known is None else known
        while True:
            places = self.places[nonterminal].get(term.component) or self.places[nonterminal].get(None)
            if not places:
                raise TermError(f"{term} is not a term of this expansion: {term.component.name} cannot stand there")
            found = places[0] if len(places) == 1 else self.place(nonterminal, places, term, known)
            offset += self.starts[nonterminal][found]
            production = self.grammar.nonterminals[nonterminal][found]
            if production.component is not None:
                if len(term.inputs) != len(production.inputs):
                    name, arity = term.component.name, len(production.inputs)
                    raise TermError(f"{name} has {arity} inputs; got {len(term.inputs)} in {term}")
                if len(term.inputs) != 1:
                    return offset + self.place_among(production, term, known)
                term = term.inputs[0]
            nonterminal = production.inputs[0]

    def place(self, nonterminal: int, places: list[int], term: Term, known: dict[int, frozenset[int]]) -> int:
        """Which of several productions of one component makes a term."""
        member, rules = self.membership, self.grammar.nonterminals[nonterminal]
        inputs = [term] if rules[places[0]].component is None else term.inputs
        of = [member.of(x, known) for x in inputs]
        found = next((k for k in places if fits(rules[k], of)), None)
        if found is None:
            raise TermError(f"{term} is not a term of this expansion: {term.component.name} with these inputs is left out")
        return found

    def place_among(self, production: Production, term: Term, known: dict[int, frozenset[int]]) -> int:
        """The number of a term within a production with several inputs, or with none."""
        inputs = term.inputs
        if production.twice and production.inputs[0] not in self.membership.of(inputs[0], known):
            inputs = inputs[::-1]
        places = [self.index(k, x, known) for k, x in zip(production.inputs, inputs, strict=True)]
        if production.unordered:
            i, j = sorted(places)
            return j * (j + 1) // 2 + i
        number = 0
        for source, place in zip(production.inputs, places, strict=True):
            number = number * self.counts[source] + place
        return number

    def terms(self, nonterminal: int, start: int = 0) -> Iterator[Term]:
        """The terms of a nonterminal in order, from number ``start`` on, in constant memory."""
        if self.counts[nonterminal] <= SHARED:
            return iter(self.listed(nonterminal)[start:] if start else self.listed(nonterminal))
        return self.generated(nonterminal, start)

    def listed(self, nonterminal: int) -> tuple[Term, ...]:
        """The terms of a small nonterminal, built once so that larger terms share them."""
        if nonterminal not in self.lists:
            self.lists[nonterminal] = tuple(self.generated(nonterminal, 0))
        return self.lists[nonterminal]

    def generated(self, nonterminal: int, start: int) -> Iterator[Term]:
        """The terms of a nonterminal, production by production."""
        for production, size in zip(self.grammar.nonterminals[nonterminal], self.sizes[nonterminal], strict=True):
            if start >= size:
                start -= size
                continue
            yield from self.produced(production, start)
            start = 0

    def produced(self, production: Production, start: int) -> Iterator[Term]:
        """The terms of one production, from number ``start`` on."""
        component, inputs = production.component, production.inputs
        if component is None:
            return self.terms(inputs[0], start)
        if not inputs:
            return iter((Term(component, ()),))
        if len(inputs) == 1:
            return self.applied(component, inputs[0], start)
        if len(inputs) > 2:
            return self.tuples(component, inputs, start)
        pairs = (
            self.unordered_pairs(component, inputs[0], start) if production.unordered else self.pairs(component, inputs, start)
        )
        return map(in_order, pairs) if self.may_swap(production) else pairs

    def tuples(self, component: Component, inputs: tuple[int, ...], start: int) -> Iterator[Term]:
        """The terms of a component with many inputs, the last one fastest."""
        for given in self.choices(inputs, start):
            yield Term(component, given)

    def choices(self, inputs: tuple[int, ...], start: int) -> Iterator[tuple[Term, ...]]:
        """The tuples of terms of several nonterminals, from number ``start`` on."""
        if not inputs:
            yield ()
            return
        i, start = divmod(start, prod(self.counts[k] for k in inputs[1:]))
        for x in self.terms(inputs[0], i):
            for rest in self.choices(inputs[1:], start):
                yield (x, *rest)
            start = 0

    def applied(self, component: Component, source: int, start: int) -> Iterator[Term]:
        new = tuple.__new__  # Term(...) without the keyword machinery: twice as fast
        for x in self.terms(source, start):
            yield new(Term, (component, (x,)))

    def pairs(self, component: Component, inputs: tuple[int, ...], start: int) -> Iterator[Term]:
        new = tuple.__new__
        i, j = divmod(start, self.counts[inputs[1]])
        for x in self.terms(inputs[0], i):
            for y in self.terms(inputs[1], j):
                yield new(Term, (component, (x, y)))
            j = 0

    def unordered_pairs(self, component: Component, source: int, start: int) -> Iterator[Term]:
        new = tuple.__new__
        j = (isqrt(8 * start + 1) - 1) // 2
        i = start - j * (j + 1) // 2
        for y in self.terms(source, j):
            for x in islice(self.terms(source, i), j + 1 - i):
                yield new(Term, (component, (x, y)))
            i, j = 0, j + 1


def in_order(term: Term) -> Term:
    """A term of a layer with tied weights, its inputs in the order that they have among all terms."""
    x, y = term.inputs
    return Term(term.component, (y, x)) if is_before(y, x) else term
