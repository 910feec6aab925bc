"""Finding derivations: of the closed form of a model, or between two expressions that are equal."""

from dataclasses import replace

from sympy import Expr
from sympy.core.basic import Basic

from symbolic_circuits.derivation.between import between, without_detours
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.model import derive_model
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.notation import NOTATIONS
from symbolic_circuits.identities.prove import Given
from symbolic_circuits.spec import Transformer

__all__ = ["derive"]

CLOSED_FORM = "closed form"


def derive(
    subject: Transformer | PathExpansion | str | Expr,
    to: str | Expr = CLOSED_FORM,
    *,
    notation: str | None = None,
    given: Given = (),
) -> Derivation:
    r"""The steps from a model to its closed form, or from one expression to another.

    Every step is a rule at a stated place; ``check()`` replays and proves them all. Where no rule is found the step says so:
    ``gaps`` lists the steps that only the decision procedure shows.

    Parameters
    ----------
    subject : a model (a specification, its text or its expansion), or an expression
    to : ``"closed form"``, or the expression to arrive at
    notation : of the closed form of a model: "operator" (the default), "matrix", "index" or "tensor"
    given : laws and definitions, as of ``prove``

    Raises
    ------
    DerivationError
        The target is not equal; ``verdict`` is the refutation. Or there is no such target.
    NotationError, BudgetError
        There is no such notation, or the closed form is too long.

    Examples
    --------
    >>> found = derive("attn(H)")
    >>> found.start
    (KroneckerProduct(I, W_U))*(I + sum[h=0..H - 1] KroneckerProduct(A[h], W_OV[h]))*(KroneckerProduct(I, W_E))
    >>> found.result
    KroneckerProduct(I, W_U*W_E) + sum[h=0..H - 1] KroneckerProduct(A[h], W_U*W_OV[h]*W_E)
    >>> [step.rule.name for step in found.steps]
    ['distribute', 'mixed product', 'fuse identity', 'mixed product']
    >>> found.check().prove().verdict
    'proved'

    Between two expressions:

    >>> from sympy import MatrixSymbol, Trace
    >>> A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2)
    >>> [step.rule.name for step in derive(Trace(A * B), Trace(B * A)).steps]
    ['cyclic trace']
    """
    if isinstance(subject, str | Transformer | PathExpansion):
        return of_model(subject, to, notation, given)
    if not isinstance(to, Basic):
        raise DerivationError(f"a derivation from an expression leads to an expression; got {to!r}")
    if notation is not None:
        raise DerivationError("a notation is chosen for the closed form of a model, not for a derivation between two expressions")
    return between(subject, to, given)


def of_model(subject: Transformer | PathExpansion | str, to: str | Expr, notation: str | None, given: Given) -> Derivation:
    """The closed form of a model; from there to another expression."""
    expansion = subject if isinstance(subject, PathExpansion) else path_expansion(subject)
    if isinstance(to, str):
        if to != CLOSED_FORM:
            raise DerivationError(f"the target is {CLOSED_FORM!r} or an expression; got {to!r}")
        return derive_model(expansion, notation or "operator")
    found = derive_model(expansion, notation or notation_of(expansion, to))
    known = [{tensor: list(stated)} for tensor, stated in found.given if not any(tensor == part.name for part in found.parts())]
    rest = between(found.result, to, [*known, *([given] if isinstance(given, dict) else given)])
    new = tuple(item for item in rest.given if item not in found.given)
    steps = tuple(without_detours([*found.steps, *rest.steps]))
    return replace(found, steps=steps, given=(*found.given, *new))


def notation_of(expansion: PathExpansion, target: Expr) -> str:
    """The notation whose closed form has the shape of the target."""
    shape = tuple(getattr(target, "shape", ()))
    short = expansion.path_classes()[0]
    for notation in NOTATIONS:
        if tuple(getattr(short.expr(notation), "shape", ())) == shape:
            return notation
    raise DerivationError(f"the target has shape {shape}, which is the shape of the model's output in no notation")
