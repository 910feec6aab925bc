"""Finding derivations: of the closed form of a model, or between two expressions that are equal."""

from sympy import Expr

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.model import derive_model
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.identities.prove import Given
from symbolic_circuits.spec import Transformer

__all__ = ["derive"]

CLOSED_FORM = "closed form"


def derive(
    subject: Transformer | PathExpansion | str | Expr,
    to: str | Expr = CLOSED_FORM,
    *,
    notation: str = "operator",
    given: Given = (),
) -> Derivation:
    """The steps from a model to its closed form, or from one expression to another.

    Every step is a rule at a stated place; ``check()`` replays and proves them all.

    Parameters
    ----------
    subject : a model (a specification, its text or its expansion), or an expression
    to : ``"closed form"``, or the expression to arrive at
    notation : of the closed form of a model: "operator", "matrix", "index" or "tensor"
    given : laws and definitions, where the subject is an expression

    Raises
    ------
    DerivationError
        The target is not equal; ``verdict`` is the refutation.
    NotationError, BudgetError, SpecError
        The closed form cannot be written.

    Examples
    --------
    >>> for line in derive("attn(H)").lines:
    ...     print(line)
    """
    if isinstance(subject, str | Transformer | PathExpansion):
        expansion = subject if isinstance(subject, PathExpansion) else path_expansion(subject)
        found = derive_model(expansion, notation)
        if isinstance(to, str) and to == CLOSED_FORM:
            return found
        raise DerivationError("not yet")
    raise DerivationError("not yet")
