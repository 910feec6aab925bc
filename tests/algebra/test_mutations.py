"""The prover made wrong on purpose: each mutation must be noticed by the hunt for wrong verdicts, and by the checker of certificates."""

import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "identities"))

from soundness import judge, random_identity

from symbolic_circuits.algebra import normal_form, polynomial
from symbolic_circuits.algebra.canonical import Canonical, canonical
from symbolic_circuits.algebra.certificate import certificate_of
from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.files import parse_identity

PAIRS = 4_000


def with_factors(change: Callable[[object, tuple[int, ...]], tuple]) -> Callable:
    """A canonical form whose factors are changed."""

    def mutated(network: object, sizes: object) -> Canonical:
        found = canonical(network, sizes)
        factors, output, form_sizes = found.form
        return found._replace(form=(tuple(change(tensor, indices) for tensor, indices in factors), output, form_sizes))

    return mutated


def without_order_of_output(network: object, sizes: object) -> Canonical:
    found = canonical(network, sizes)
    factors, output, form_sizes = found.form
    return found._replace(form=(factors, tuple(sorted(output)), form_sizes))


def without_last_factor(network: object, sizes: object) -> Canonical:
    found = canonical(network, sizes)
    factors, output, form_sizes = found.form
    return found._replace(form=(factors[:-1], output, form_sizes))


def without_sign(network: object, sizes: object) -> Canonical:
    found = canonical(network, sizes)
    return found._replace(sign=abs(found.sign))


FORMS = {
    "a port is dropped": with_factors(lambda tensor, indices: (tensor, indices[:-1])),
    "a transpose is ignored": with_factors(lambda tensor, indices: (tensor, tuple(sorted(indices)))),
    "two colours are merged": with_factors(lambda tensor, indices: (len(tensor.shape), indices)),
    "indices are ignored": with_factors(lambda tensor, indices: (tensor, ())),
    "the order of the output is ignored": without_order_of_output,
    "a factor is dropped": without_last_factor,
    "the sign of an exchange is ignored": without_sign,
}


def complaints(pairs: int = PAIRS, seed: int = 1) -> tuple[int, int]:
    """Wrong proofs, and proofs that the checker refuses, among random identities; ends when there is one of each."""
    rng, wrong, refused = Random(seed), 0, 0
    for _ in range(pairs):
        if wrong and refused:
            break
        case, truth = random_identity(rng)
        form = normal_form.normal_form(parse_identity(case).statement)
        if not form.is_zero:
            continue
        truth = judge(case) if truth is None else truth
        wrong += not truth
        try:
            check_certificate(certificate_of(form))
        except CertificateError:
            refused += 1
    return wrong, refused


def test_the_prover_as_it_is() -> None:
    assert complaints(300) == (0, 0)


@pytest.mark.parametrize("name", FORMS)
def test_mutated_canonical_form(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polynomial, "canonical", FORMS[name])
    wrong, refused = complaints()
    assert wrong and refused


def test_coefficients_that_are_not_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    true = normal_form.keyed

    def mutated(term: object) -> tuple:
        key, coefficient, labels = true(term)
        return key, coefficient and Fraction(1 if coefficient > 0 else -1), labels

    monkeypatch.setattr(normal_form, "keyed", mutated)
    wrong, refused = complaints()
    assert wrong and refused
