r"""A term as one einsum, and an expansion as a function in NumPy or PyTorch: one einsum a path class, heads summed inside.

Operands are the tensors of the model; those of attention blocks are families with the head axis in front, and ``A[1]`` is
member 1 of the family A.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, count
from keyword import iskeyword
from typing import TYPE_CHECKING

from sympy import Expr, S, Symbol

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, CodeError, NotationError
from symbolic_circuits.expansion.notation.contracted import ContractedNotation
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.spec import Attention
from symbolic_circuits.syntax.contraction import Contraction, Operand, contraction
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.names import identifier

if TYPE_CHECKING:
    from symbolic_circuits.expansion.expansion import PathExpansion
    from symbolic_circuits.expansion.term import Term

__all__ = ["LIBRARIES", "ONES", "scale_of_scores", "to_code", "to_einsum"]

MAX_EINSUMS = 20_000
LETTERS = 52  # indices that einsum of NumPy and PyTorch can name

LIBRARIES = {  # name -> import line, the call in front of the arguments, and what stands behind them
    "numpy": ("import numpy as np", "np.einsum", ", optimize=True"),
    "torch": ("import torch", "torch.einsum", ""),
}

ONES = "ones"
RESERVED = frozenset({"np", "torch", "contract", "out", "len", ONES})  # what code uses beside its parameters
ONES_OF = {"numpy": "np.ones(len({0}))", "torch": "torch.ones(len({0}), dtype={0}.dtype, device={0}.device)"}


def to_einsum(term: "Term") -> tuple[str, tuple[str, ...]]:
    """The einsum string of a term and the names of its operands; the result is the n x V output, of scores n x n.

    A coefficient other than 1 is a scalar operand, named by its digits; the scale of scores one named ``1/sqrt(e)``, that of an attention
    block one named ``alpha``. An axis of positions along which a term is constant, as that of a bias, is an operand ``ones``. Beyond 52 indices the letters are those of
    ``opt_einsum.contract``, which then evaluates the string where numpy.einsum cannot.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> sc.path_expansion("attn(2)")[2].to_einsum()
    ('ab,bc,dc,ed,fe->af', ('A[1]', 't', 'W_E', 'W_OV[1]', 'W_U'))
    """
    found = contraction(ContractedNotation(ModelTensors(term.component.model)).write(term))
    network = with_ones(found.network)
    subscripts, names = network.to_einsum(), tuple(operand_name(f.operand) for f in network.factors)
    numbers = tuple(scalar_names(term))
    return "," * len(numbers) + subscripts, (*numbers, *names)


def with_ones(network: Network) -> Network:
    """The network with a vector of ones for every output index that no factor has, which einsum cannot name."""
    present = {index for factor in network.factors for index in factor.indices}
    missing = (index for index in network.output if index not in present)
    return Network((*(Factor(ONES, (index,)) for index in missing), *network.factors), network.output)


def scalar_names(term: "Term") -> Iterator[str]:
    """The names of the numbers in front of a term: its coefficient, scales of attention, one over the root of e."""
    if term.coefficient != 1:
        yield str(term.coefficient)
    tensors, waiting = ModelTensors(term.component.model), [term]
    while waiting:
        component, inputs = waiting.pop()
        waiting += inputs
        if component.kind not in ("attn", "scores", "bias") or not isinstance(component.spec, Attention):
            continue
        block = tensors.block(component.layer)
        if block.scale is not None and component.kind != "scores":
            yield str(block.scale)
        if len(inputs) > 1:
            yield from (scale_of_scores(component.spec) for scores in block.scores if scores.factor != S.One)


def scale_of_scores(spec: Attention) -> str:
    """The name of the number that products of queries and keys are multiplied by.

    >>> scale_of_scores(Attention(e=64))
    '1/sqrt(64)'
    """
    return f"1/sqrt({spec.e})" if spec.score_scale else "1"


def operand_name(operand: Operand | str) -> str:
    """``W_E``, or ``A[1]`` for a member of a family; ``ones``."""
    if operand == ONES:
        return ONES
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
    writer = ContractedNotation(expansion.tensors)
    found = [(str(term), contraction(writer.write(term))) for term in classes]
    parameters = parameters_of([c for _, c in found], expansion.tensors)
    head, call, tail = LIBRARIES[library]
    if any(len(list(c.network.indices())) > LETTERS for _, c in found):
        head, call, tail = "from opt_einsum import contract", "contract", ""
    names = names_of(parameters)
    lines = [head, "", "", f"def path_expansion({', '.join(names.values())}):"]
    lines.append(f"    # {expansion.model}: {in_words(expansion.number_of_terms)} terms in {len(found)} path classes")
    lines.append(f"    # {', '.join(f'{name} {shape_text(p)}' for p, name in names.items())}")
    if any(with_ones(c.network) != c.network for _, c in found):
        lines.append(f"    {ONES} = {ONES_OF[library].format(names[expansion.tensors.source])}")
    for k, (name, summand) in enumerate(found):
        lines.append(f"    out = {'out + ' if k else ''}{einsum_call(summand, names, call, tail)}  # {name}")
    return "\n".join([*lines, "    return out", ""])


def parameters_of(found: Sequence[Contraction], tensors: ModelTensors) -> list[Expr]:
    """The tensors that code is a function of, in the order in which they occur, then numbers and sizes in coefficients."""
    out = [f.operand.expr for c in found for f in c.network.factors]
    if any(with_ones(c.network) != c.network for c in found):
        out.append(tensors.source)
    out += [symbol for c in found for symbol in sorted(c.coefficient.free_symbols, key=str)]
    return list(dict.fromkeys(out))


def shape_text(parameter: Expr) -> str:
    """The shape of a parameter; that of a number is ()."""
    return str(getattr(parameter, "shape", ()))


def names_of(parameters: Sequence[Expr]) -> dict[Expr, str]:
    """The name of each parameter in code: that of a tensor, and of a number its own unless a tensor or Python has it.

    >>> from sympy import MatrixSymbol
    >>> list(names_of([Symbol("M"), MatrixSymbol("M", 2, 2), Symbol("in")]).values())
    ['M_0', 'M', 'in_0']
    """
    taken = set(RESERVED) | {identifier(str(p)) for p in parameters if not isinstance(p, Symbol)}
    out: dict[Expr, str] = {}
    for parameter in parameters:
        name = identifier(str(parameter))
        if isinstance(parameter, Symbol):
            others = (f"{name}_{k}" for k in count())
            name = next(x for x in chain([name], others) if x not in taken and not iskeyword(x))
            taken.add(name)
        out[parameter] = name
    return out


def einsum_call(found: Contraction, names: Mapping[Expr, str], call: str, tail: str) -> str:
    """One summand as a call of einsum."""
    network = with_ones(found.network)
    operands = ", ".join(operand_code(factor.operand) for factor in network.factors)
    coefficient = "" if found.coefficient == S.One else f"{number_code(found.coefficient, names)} * "
    return f'{coefficient}{call}("{network.to_einsum()}", {operands}{tail})'


def number_code(coefficient: Expr, names: Mapping[Expr, str]) -> str:
    """A product of powers as Python, its rational factor first.

    >>> from sympy import sqrt
    >>> alpha, e = Symbol("alpha"), Symbol("e", positive=True)
    >>> number_code(2 * alpha / sqrt(e), {alpha: "alpha", e: "e"}), number_code(1 / sqrt(3), {})
    ('2*alpha*e**-0.5', '1/3*3**0.5')
    """
    rational, rest = coefficient.as_coeff_Mul(rational=True)
    powers = sorted(rest.as_powers_dict().items(), key=lambda item: (not item[0].is_number, str(item[0])))
    texts = [power_code(names.get(base, str(base)), power) for base, power in powers if base != S.One]
    return "*".join(texts if rational == S.One and texts else [str(rational), *texts])


def power_code(base: str, power: Expr) -> str:
    """A number to a rational power."""
    if power == S.One:
        return base
    return f"{base}**{int(power) if power.is_Integer and power > 0 else float(power)}"


def operand_code(operand: Operand | str) -> str:
    """The tensor of an operand that is used as a whole, or a matrix of a family."""
    if operand == ONES:
        return ONES
    head = operand.fixed[0] if isinstance(operand.expr, MatrixFamily) else None
    rest = operand.fixed[1:] if head is not None else operand.fixed
    if (
        any(value is not None for value in rest)
        or any(len(part) != 1 for part in operand.split)
        or not (head is None or head.is_Integer)
    ):
        raise CodeError(f"{operand.expr} is used in part; a closed form uses tensors as a whole")
    return identifier(str(operand.expr)) + ("" if head is None else f"[{head}]")
