"""How often the diagnosis of a false identity names the edit that made it false: 1,000 true identities, one planted edit each.

``python tests/benchmarks/diagnosis.py [--count 1000] [--seed 0]`` prints, by kind of edit, how often the first suggestion makes the
identity true (as a judge finds that shares no code with the prover: the planted edit undone, or an equivalent one), and how often
it gives both sides of the true identity back. The two differ where the other side can be edited alike: l = 2 r is mended on either
side, and nothing in it says which side was right. Milliseconds a diagnosis are of this machine.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "identities"))

import opt_einsum
from soundness import judge, planted_identity

from symbolic_circuits.algebra.diagnosis import diagnosis
from symbolic_circuits.algebra.normal_form import normal_form, replace_sides
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.identities.files import parse_identity

TARGET = 0.9


def sides(statement: object) -> list[dict]:
    """The normal forms of both sides."""
    zero = Open(statement.lhs.axes, ())
    return [dict(normal_form(replace_sides(statement, side, zero)).residue.terms) for side in (statement.lhs, statement.rhs)]


def identity_of(identity: dict, statement: object) -> dict:
    """The edited statement as an identity; a factor that is a size is the sum over a vector of ones."""
    sides = {name: [terms_of(term) for term in getattr(statement, name).terms] for name in ("lhs", "rhs")}
    ones = {f"ones {size}": [size] for axes in statement.axes.values() for axis in axes for size in axis}
    shapes = identity["shapes"] | ones
    return identity | sides | {"shapes": shapes, "given": identity.get("given", {}) | {name: ["ones"] for name in ones}}


def terms_of(term: OpenTerm) -> list:
    """A term in the form of identity files."""
    letter = opt_einsum.get_symbol
    inputs = ["".join(map(letter, indices)) for _, indices in term.factors]
    names = [tensor.name for tensor, _ in term.factors]
    for size, exponent in term.scalar.monomial:
        for _ in range(int(exponent)):
            names.append(f"ones {size}")
            inputs.append(letter(len(term.sizes) + len(inputs)))
    return [str(term.scalar.rational), f"{','.join(inputs)}->{''.join(map(letter, term.legs))}", names]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, kinds, first, proved = Random(options.seed), Counter(), Counter(), Counter()
    spent = 0.0
    for _ in range(options.count):
        false, planted = planted_identity(rng)
        kinds[planted.kind] += 1
        statement = parse_identity(false).statement
        start = time.perf_counter()
        found = diagnosis(statement)
        spent += time.perf_counter() - start
        if found:
            proved[planted.kind] += judge(identity_of(false, found[0].statement))
            first[planted.kind] += sides(found[0].statement) == sides(parse_identity(planted.true).statement)
    print(f"{'planted edit':<28} {'count':>6} {'true after':>10} {'sides back':>12}")
    for kind in sorted(kinds):
        print(f"{kind:<28} {kinds[kind]:>6} {proved[kind] / kinds[kind]:>10.1%} {first[kind] / kinds[kind]:>12.1%}")
    total = sum(kinds.values())
    share = sum(proved.values()) / total
    print(f"{'all':<28} {total:>6} {share:>10.1%} {sum(first.values()) / total:>12.1%}  (target: {TARGET:.0%} true)")
    print(f"{1e3 * spent / total:.1f} ms a diagnosis")


if __name__ == "__main__":
    main()
