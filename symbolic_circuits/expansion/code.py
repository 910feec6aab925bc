r"""A term as one einsum, and an expansion as a function in NumPy or PyTorch: one einsum a path class, heads summed inside.

Operands are the tensors of the model; those of attention blocks are families with the head axis in front, and ``A[1]`` is
member 1 of the family A.
"""

from typing import TYPE_CHECKING

from sympy import Expr, S

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, CodeError, NotationError
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.syntax.contraction import Contraction, Operand, contraction
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.names import identifier

if TYPE_CHECKING:
    from symbolic_circuits.expansion.expansion import PathExpansion
    from symbolic_circuits.expansion.term import Term

__all__ = ["LIBRARIES", "to_code", "to_einsum"]

MAX_EINSUMS = 20_000
LETTERS = 52  # indices that einsum of NumPy and PyTorch can name

LIBRARIES = {  # name -> import line, the call in front of the arguments, and what stands behind them
    "numpy": ("import numpy as np", "np.einsum", ", optimize=True"),
    "torch": ("import torch", "torch.einsum", ""),
}


def to_einsum(term: "Term") -> tuple[str, tuple[str, ...]]:
    """The einsum string of a term and the names of its operands; the result is the n x V output.

    A coefficient other than 1 is a scalar operand, named by its digits. Beyond 52 indices the letters are those of
    ``opt_einsum.contract``, which then evaluates the string where numpy.einsum cannot.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> sc.path_expansion("attn(2)")[2].to_einsum()
    ('ab,bc,dc,ed,fe->af', ('A[1]', 't', 'W_E', 'W_OV[1]', 'W_U'))
    """
    found = contraction(notation_for("matrix", ModelTensors(term.component.model)).write(term))
    subscripts, names = found.network.to_einsum(), tuple(operand_name(f.operand) for f in found.network.factors)
    if found.coefficient != S.One:
        return f",{subscripts}", (str(found.coefficient), *names)
    return subscripts, names


def operand_name(operand: Operand) -> str:
    """``W_E``, or ``A[1]`` for a member of a family."""
    name = str(operand.expr)
    return f"{name}[{operand.fixed[0]}]" if isinstance(operand.expr, MatrixFamily) and operand.fixed[0] is not None else name


def to_code(expansion: "PathExpansion", library: str = "numpy") -> str:
    """The source of a function of the model's tensors that returns the sum of all terms, (n, V).

    Parameters
    ----------
    library : "numpy" or "torch"

    Raises
    ------
    NotationError
        There is no such library.
    BudgetError
        There are too many path classes.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(sc.path_expansion("attn(2)").to_code("torch"))
    import torch
    <BLANKLINE>
    <BLANKLINE>
    def path_expansion(t, W_E, W_U, A, W_OV):
        # attn(2): 3 terms in 2 path classes
        # t (n, V), W_E (d, V), W_U (V, d), A (2, n, n), W_OV (2, d, d)
        out = torch.einsum("ab,cb,dc->ad", t, W_E, W_U)  # embed
        out = out + torch.einsum("abc,cd,ed,afe,gf->bg", A, t, W_E, W_OV, W_U)  # attn.0[*](embed)
        return out
    <BLANKLINE>
    """
    if library not in LIBRARIES:
        raise NotationError(f"code is written for {' or '.join(map(repr, LIBRARIES))}; got {library!r}")
    classes = expansion.path_classes()
    if classes.number_of_terms > MAX_EINSUMS:
        raise BudgetError(f"code of {in_words(classes.number_of_terms)} einsums was asked for; the limit is {MAX_EINSUMS:,}")
    writer = notation_for("matrix", expansion.tensors)
    found = [(str(term), contraction(writer.write(term))) for term in classes]
    parameters = list(dict.fromkeys(f.operand.expr for _, c in found for f in c.network.factors))
    head, call, tail = LIBRARIES[library]
    if any(len(list(c.network.indices())) > LETTERS for _, c in found):
        head, call, tail = "from opt_einsum import contract", "contract", ""
    lines = [head, "", "", f"def path_expansion({', '.join(identifier(str(p)) for p in parameters)}):"]
    lines.append(f"    # {expansion.model}: {in_words(expansion.number_of_terms)} terms in {len(found)} path classes")
    lines.append(f"    # {', '.join(f'{identifier(str(p))} {p.shape}' for p in parameters)}")
    for k, (name, summand) in enumerate(found):
        lines.append(f"    out = {'out + ' if k else ''}{einsum_call(summand, call, tail)}  # {name}")
    return "\n".join([*lines, "    return out", ""])


def einsum_call(found: Contraction, call: str, tail: str) -> str:
    """One summand as a call of einsum."""
    operands = ", ".join(identifier(str(whole(factor.operand))) for factor in found.network.factors)
    coefficient = "" if found.coefficient == S.One else f"{found.coefficient} * "
    return f'{coefficient}{call}("{found.network.to_einsum()}", {operands}{tail})'


def whole(operand: Operand) -> Expr:
    """The tensor of an operand that is used as a whole."""
    if any(value is not None for value in operand.fixed) or any(len(part) != 1 for part in operand.split):
        raise CodeError(f"{operand.expr} is used in part; a closed form uses tensors as a whole")
    return operand.expr
