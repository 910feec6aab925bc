r"""What a verdict says, in words and as plain data for JSON."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symbolic_circuits.algebra.diagnosis import Edit, shown
from symbolic_circuits.algebra.fixed import open_terms
from symbolic_circuits.algebra.open_terms import OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import Monomial, exact_text
from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Refuted, Undecided, Verdict
from symbolic_circuits.algebra.witness import Witness

__all__ = ["explanation", "residue_text", "summary", "verdict_data"]

MAX_TERMS = 12
MAX_ENTRIES = 64


def summary(verdict: Verdict) -> str:
    """One line.

    >>> from symbolic_circuits.identities.files import prove_identity
    >>> false = {"lhs": [[1, "ij,jk->ik", ["A", "B"]]], "rhs": [[1, "ij,jk->ik", ["B", "A"]]],
    ...          "shapes": {"A": ["n", "n"], "B": ["n", "n"]}}
    >>> summary(prove_identity(false))
    'counterexample at n = 2; fix: rhs, term 0: exchange B (factor 0) and A (factor 1)'
    """
    match verdict:
        case Proved():
            return "for all sizes and all real tensors" + (" that satisfy the laws" if verdict.statement.laws else "")
        case Refuted():
            fix = f"; fix: {verdict.diagnosis[0]}" if verdict.diagnosis else ""
            return f"counterexample at {sizes_text(verdict.witness)}{fix}"
        case HoldsAt():
            sizes = ", ".join(f"{name} = {value}" for name, value in sorted(verdict.sizes.items())) or "the fixed sizes"
            chance = f", with an error probability below {verdict.error_probability:.1e}" if verdict.error_probability else ""
            return f"true at {sizes}{chance}; not for all sizes"
        case Undecided():
            return verdict.reason
    raise TypeError(f"a verdict was expected; got {type(verdict).__name__}")


def sizes_text(witness: Witness) -> str:
    """Sizes and scalars of a counterexample."""
    parts = [f"{name} = {value}" for name, value in (*sorted(witness.sizes.items()), *sorted(witness.scalars.items()))]
    return ", ".join(parts) or "the fixed sizes"


def explanation(verdict: Verdict, residue: str | None = None) -> str:
    """Several lines: verdict, what is left, counterexample, diagnosis.

    Parameters
    ----------
    verdict : of :func:`prove` and the like
    residue : lhs - rhs as it is to be shown; as einsums by default

    Raises
    ------
    TypeError
        It is no verdict.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(explanation(sc.prove_latex("A B = B A", "A, B : n x n")))
    refuted at n = 2
      lhs - rhs = einsum('ab,bc->ac', A, B) - einsum('ab,ca->cb', A, B)
        A = [[0, 1], [0, 0]]
        B = [[0, 0], [1, 0]]
        lhs = 1, rhs = 0 at [0, 0]
      it would be proved with one edit:
        rhs, term 0: exchange B (factor 0) and A (factor 1)
        lhs, term 0: exchange A (factor 0) and B (factor 1)
    """
    lines = [
        f"{verdict.verdict}: {summary(verdict)}"
        if not isinstance(verdict, Refuted)
        else f"refuted at {sizes_text(verdict.witness)}"
    ]
    if isinstance(verdict, Refuted | Undecided) and verdict.residue is not None:
        lines.append(f"  lhs - rhs = {residue or residue_text(verdict.residue)}")
    if isinstance(verdict, Refuted):
        lines += witness_lines(verdict.witness)
    if isinstance(verdict, Refuted | Undecided) and verdict.diagnosis:
        lines += ["  it would be proved with one edit:"] + [f"    {edit}" for edit in verdict.diagnosis]
    return "\n".join(lines)


def witness_lines(witness: Witness) -> list[str]:
    """The tensors of a counterexample and the entry at which the sides differ."""
    lines = []
    for name in sorted(witness.arrays):
        array = witness.arrays[name]
        if array.size <= MAX_ENTRIES:
            lines.append(f"    {name} = {entries(array)}")
        else:
            places = [f"{name}[{', '.join(map(str, p))}] = {array[tuple(p)]}" for p in np.argwhere(array != 0)[:MAX_ENTRIES]]
            lines.append("    " + ", ".join(places) + ", other entries 0" if places else f"    {name} = 0")
    place = f" at [{', '.join(map(str, witness.entry))}]" if witness.entry else ""
    modulo = f" modulo {witness.modulus}" if witness.modulus else ""
    lines.append(f"    lhs = {sum_text(witness.lhs)}, rhs = {sum_text(witness.rhs)}{place}{modulo}")
    return lines


def entries(array: np.ndarray) -> Any:
    """Nested lists of integers and fractions as text."""
    if array.ndim == 0:
        return str(Fraction(array[()]))
    return f"[{', '.join(entries(part) if isinstance(part, np.ndarray) else str(Fraction(part)) for part in array)}]"


def sum_text(value: Mapping[Monomial, Fraction]) -> str:
    """An exact number."""
    parts = []
    for monomial, coefficient in sorted(value.items(), key=lambda pair: str(pair[0])):
        roots = "*".join(f"{base}^({exponent})" for base, exponent in monomial)
        shown_number = exact_text(coefficient) if isinstance(coefficient, Fraction) else str(coefficient)
        parts.append(f"{shown_number}*{roots}" if roots else shown_number)
    return " + ".join(parts) or "0"


def residue_text(residue: Polynomial) -> str:
    """A polynomial as einsums."""
    terms = [shown(term) for term in open_terms(residue)]
    more = f" + {len(terms) - MAX_TERMS} more terms" if len(terms) > MAX_TERMS else ""
    return " + ".join(terms[:MAX_TERMS]).replace("+ -", "- ") + more or "0"


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain data that JSON can hold.

    Returns
    -------
    dict
        ``verdict`` and ``summary``; of a refuted one ``witness``, ``residue``, ``diagnosis``; of one that holds at some sizes ``sizes``
        and ``error_probability`` (None where it is shown exactly); of an undecided one ``reason``, ``residue``, ``diagnosis``.

    Raises
    ------
    TypeError
        It is no verdict.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> verdict_data(sc.prove_latex("A B = B A", "A, B : n x n; at n = 1"))
    {'verdict': 'holds_at', 'summary': 'true at n = 1; not for all sizes', 'sizes': {'n': 1}, 'error_probability': None}
    >>> verdict_data(sc.prove_latex("A B = B A", "A, B : n x n"))["witness"]["tensors"]
    {'A': [[0, 1], [0, 0]], 'B': [[0, 0], [1, 0]]}
    """
    data: dict[str, Any] = {"verdict": verdict.verdict, "summary": summary(verdict)}
    match verdict:
        case Refuted():
            data["witness"] = witness_data(verdict.witness)
            data["residue"] = None if verdict.residue is None else [einsum_data(term) for term in open_terms(verdict.residue)]
            data["diagnosis"] = [edit_data(edit) for edit in verdict.diagnosis]
        case HoldsAt():
            data["sizes"] = dict(verdict.sizes)
            data["error_probability"] = verdict.error_probability
        case Undecided():
            data["reason"] = verdict.reason
            data["residue"] = None if verdict.residue is None else [einsum_data(term) for term in open_terms(verdict.residue)]
            data["diagnosis"] = [edit_data(edit) for edit in verdict.diagnosis]
    return data


def einsum_data(term: OpenTerm) -> dict[str, Any]:
    """A term as plain data; powers are those of sizes, scalars and roots in front."""
    network, _ = term.network()
    return {
        "coefficient": exact_text(term.scalar.rational),
        "powers": {str(name): str(exponent) for name, exponent in term.scalar.monomial},
        "einsum": network.to_einsum(),
        "operands": [tensor.name for tensor, _ in term.factors],
    }


def witness_data(witness: Witness) -> dict[str, Any]:
    """A counterexample as plain data; numbers are written as text, exactly."""
    return {
        "sizes": dict(witness.sizes),
        "scalars": {name: str(value) for name, value in witness.scalars.items()},
        "tensors": {name: number_lists(array) for name, array in sorted(witness.arrays.items())},
        "entry": list(witness.entry),
        "lhs": sum_text(witness.lhs),
        "rhs": sum_text(witness.rhs),
        "sizes_are_minimal": witness.minimal,
        "modulus": witness.modulus,
    }


def number_lists(array: np.ndarray) -> Any:
    """Nested lists: integers as such, other rationals as "p/q"."""
    if isinstance(array, np.ndarray):
        return [number_lists(part) for part in array] if array.ndim else number_lists(array[()])
    value = Fraction(array)
    return int(value) if value.denominator == 1 else str(value)


def edit_data(edit: Edit) -> dict[str, Any]:
    """An edit as plain data, with the sides as they become."""
    return {
        "kind": edit.kind,
        "side": edit.side,
        "term": edit.term,
        "words": edit.words,
        "lhs": [einsum_data(term) for term in edit.statement.lhs.terms],
        "rhs": [einsum_data(term) for term in edit.statement.rhs.terms],
    }
