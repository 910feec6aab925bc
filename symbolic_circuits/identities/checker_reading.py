r"""A certificate read from plain data: every type, range and size is looked at before it is used.

The data come from a file of unknown origin; whatever is wrong is a CertificateError that says where. Nothing here is taken from the
code that writes certificates.
"""

from collections.abc import Mapping, Sequence

from symbolic_circuits.identities.checker_data import (
    Axes,
    Certificate,
    Claim,
    Equal,
    Exchange,
    Factor,
    Member,
    Node,
    Path,
    Proof,
    Result,
    Rule,
    Size,
    Step,
    Term,
    fail,
    unit_place,
)
from symbolic_circuits.identities.checker_plain import (
    entry,
    to_bool,
    to_dict,
    to_int,
    to_ints,
    to_list,
    to_scalar,
    to_size,
    to_text,
)

__all__ = ["factor_sizes", "require_sizes", "to_certificate", "to_term"]

FORMAT, VERSION = "symbolic_circuits certificate", 1


def to_factors(value: object, where: str, below: int | None) -> tuple[Factor, ...]:
    """Tensors with indices or variables."""
    pairs = (to_list(item, f"{where}, factor {k}", 2) for k, item in enumerate(to_list(value, where)))
    return tuple((to_text(name, where), to_ints(indices, f"{where}, factor {name}", below)) for name, indices in pairs)


def factor_sizes(factor: Factor, tensors: Mapping[str, Axes], where: str) -> tuple[Size | None, ...]:
    """The size of each leg of a factor; None for the leg of a unit vector, which has any."""
    name, indices = factor
    if unit_place(name) is not None:
        sizes: tuple[Size | None, ...] = (None,)
    elif name in tensors:
        sizes = tuple(size for axis in tensors[name] for size in axis)
    else:
        fail(where, f"the tensor {name} is not declared")
    if len(indices) != len(sizes):
        fail(where, f"{name} has {len(sizes)} legs; {len(indices)} indices are given")
    return sizes


def require_sizes(factor: Factor, sizes: Sequence[Size | None], tensors: Mapping[str, Axes], where: str) -> None:
    """The indices of a factor have the sizes of its legs."""
    place = unit_place(factor[0])
    for size, index in zip(factor_sizes(factor, tensors, where), factor[1], strict=True):
        if size is not None and size != sizes[index]:
            fail(where, f"{factor[0]} has a leg of size {size}; the index {index} on it has size {sizes[index]}")
        if place is not None and isinstance(sizes[index], int) and place >= sizes[index]:
            fail(where, f"{factor[0]} stands on an index of size {sizes[index]}")


def to_term(value: object, tensors: Mapping[str, Axes], where: str) -> Term:
    """A term whose indices have the sizes of the legs that they stand on."""
    sizes = tuple(to_size(size, where) for size in to_list(entry(value, "sizes", where), f"{where}, sizes"))
    count = len(sizes)
    factors = to_factors(entry(value, "factors", where), where, count)
    output = to_ints(entry(value, "output", where), f"{where}, output", count)
    pairs = [to_list(pair, f"{where}, names", 2) for pair in to_list(entry(value, "names", where), f"{where}, names")]
    names = tuple((to_text(name, where), to_int(index, where, count)) for name, index in pairs)
    if [name for name, _ in names] != sorted({name for name, _ in names}):
        fail(where, "the names of open indices are not sorted and different")
    term = Term(to_scalar(entry(value, "coefficient", where), f"{where}, coefficient"), factors, sizes, output, names)
    for factor in factors:
        require_sizes(factor, sizes, tensors, where)
    return term


# --- the parts of a certificate ---------------------------------------------------------------------------------------


def to_tensors(value: object, where: str) -> dict[str, Axes]:
    """The axes of every tensor."""
    out = {}
    for name, axes in to_dict(value, where).items():
        if to_text(name, where).startswith("unit "):
            fail(where, f"{name} is the name of a unit vector")
        inside = f"{where}, {name}"
        out[name] = tuple(tuple(to_size(size, inside) for size in to_list(axis, inside)) for axis in to_list(axes, inside))
    return out


def to_terms(value: object, tensors: Mapping[str, Axes], where: str) -> tuple[Term, ...]:
    """A sum of terms."""
    return tuple(to_term(term, tensors, f"{where}, term {k}") for k, term in enumerate(to_list(value, where)))


def to_result(value: object, variables: range, tensors: Mapping[str, Axes], where: str) -> Result:
    """One term of the right side of a rule."""
    fresh = tuple(to_size(size, where) for size in to_list(entry(value, "fresh", where), where))
    pairs = [to_ints(pair, where, len(variables)) for pair in to_list(entry(value, "united", where), where)]
    if any(len(pair) != 2 for pair in pairs):
        fail(where, "variables are united in pairs")
    factors = to_factors(entry(value, "factors", where), where, len(variables) + len(fresh))
    for factor in factors:
        factor_sizes(factor, tensors, where)
    return Result(to_scalar(entry(value, "coefficient", where), where), factors, tuple(pairs), fresh)


def to_rule(value: object, tensors: Mapping[str, Axes], where: str) -> Rule:
    """A law that a user added: its shape is checked, its truth is a hypothesis."""
    name = to_text(entry(value, "name", where), where)
    factors = to_factors(entry(value, "factors", where), where, 10**6)
    used = {variable for _, variables in factors for variable in variables}
    sizes: dict[int, Size | None] = {}
    for factor in factors:
        for size, variable in zip(factor_sizes(factor, tensors, where), factor[1], strict=True):
            if size is not None and sizes.setdefault(variable, size) != size:
                fail(where, f"the variable {variable} has the sizes {sizes[variable]} and {size}")
    if not factors or used != set(range(len(used))):
        fail(where, "a rule has factors, and its variables are numbered from 0 without gaps")
    summed = frozenset(to_ints(entry(value, "summed", where), where, len(used)))
    items = to_list(entry(value, "result", where), where)
    results = tuple(to_result(item, range(len(used)), tensors, f"{where}, result {k}") for k, item in enumerate(items))
    for result in results:
        of_result = dict(sizes) | {len(used) + k: size for k, size in enumerate(result.fresh)}
        seen = {v for _, variables in result.factors for v in variables} | {v for pair in result.united for v in pair}
        if seen & summed:
            fail(where, f"the summed variable {min(seen & summed)} stands in the result")
        legs = [pair for f in result.factors for pair in zip(factor_sizes(f, tensors, where), f[1], strict=True)]
        for size, variable in legs + [(of_result.get(a), b) for a, b in result.united]:
            if None not in (size, of_result.get(variable)) and size != of_result[variable]:
                fail(where, f"the variable {variable} has the sizes {of_result[variable]} and {size}")
    return Rule(name, factors, summed, results)


def to_pairs(value: object, where: str) -> tuple[tuple[str, str], ...]:
    """Laws as pairs of tensor and text."""
    pairs = (to_list(pair, where, 2) for pair in to_list(value, where))
    return tuple((to_text(tensor, where), to_text(law, where)) for tensor, law in pairs)


def to_claim(value: object, functions: object) -> Claim:
    """The statement; all terms of both sides have as many output indices, and the same names."""
    where = "the statement"
    declared = to_tensors(entry(value, "tensors", where), "the tensors")
    tensors = declared | to_node_axes(functions, declared)
    lhs, rhs = (to_terms(entry(value, side, where), tensors, f"side {side}") for side in ("lhs", "rhs"))
    shapes = {(len(t.output), tuple((name, t.sizes[i]) for name, i in t.names)) for t in lhs + rhs}
    if len(shapes) > 1:
        fail(
            where,
            f"its terms have different numbers of outputs, or different names: {' and '.join(sorted(map(str, shapes))[:2])}",
        )
    definitions = {}
    for name, terms in to_dict(entry(value, "definitions", where), "the definitions").items():
        inside = f"the definition of {name}"
        if name not in declared:
            fail(inside, "the tensor is not declared")
        definitions[name] = to_value(terms, tensors, tuple(size for axis in tensors[name] for size in axis), inside)
    rules = to_list(entry(value, "rules", where), "the rules")
    return Claim(
        lhs,
        rhs,
        tensors,
        definitions,
        to_pairs(entry(value, "laws", where), "the laws"),
        tuple(to_rule(rule, tensors, f"rule {k}") for k, rule in enumerate(rules)),
        {item["name"]: to_node(item, tensors, f"the function node {item['name']}") for item in functions},
    )


def to_value(value: object, tensors: Mapping[str, Axes], legs: tuple[Size, ...], where: str) -> tuple[Term, ...]:
    """A sum of terms whose outputs have these sizes."""
    terms = to_terms(value, tensors, where)
    for term in terms:
        if term.names or tuple(term.sizes[i] for i in term.output) != legs:
            fail(where, f"the outputs of its terms are of the sizes {legs}, without names")
    return terms


def to_node_axes(value: object, tensors: Mapping[str, Axes]) -> dict[str, Axes]:
    """The legs of every function node, as axes; no node has the name of a tensor or of another node."""
    out: dict[str, Axes] = {}
    for k, item in enumerate(to_list(value, "the functions")):
        where = f"function node {k}"
        name = to_text(entry(item, "name", where), where)
        if name in tensors or name in out or name.startswith("unit "):
            fail(where, f"{name} is the name of something else as well")
        out[name] = tuple((to_size(size, where),) for size in to_list(entry(item, "sizes", where), where))
    return out


def to_node(value: dict, tensors: Mapping[str, Axes], where: str) -> Node:
    """A function node, with what is said of it; whether that is true is looked at later."""
    sizes = tuple(size for axis in tensors[value["name"]] for size in axis)
    rows = to_bool(entry(value, "rows", where), where)
    if rows and not sizes:
        fail(where, "a function of rows has no legs")
    equal = entry(value, "equal", where)
    exchanges = []
    for k, item in enumerate(to_list(entry(value, "exchanges", where), where)):
        inside = f"{where}, exchange {k}"
        a, b = to_list(entry(item, "legs", inside), inside, 2)
        legs = to_int(a, inside, len(sizes)), to_int(b, inside, len(sizes))
        exchanges.append((*legs, to_proof(entry(item, "proof", inside), f"{inside}, ")))
    return Node(
        to_text(entry(value, "function", where), where),
        rows,
        sizes,
        to_value(entry(value, "argument", where), tensors, sizes, f"the argument of {where}"),
        None if equal is None else to_equal(equal, len(sizes), where),
        tuple(exchanges),
    )


def to_equal(value: object, count: int, where: str) -> Equal:
    """That a node with so many legs is another one."""
    legs = to_ints(entry(value, "legs", where), where, count)
    return Equal(to_text(entry(value, "node", where), where), legs, to_proof(entry(value, "proof", where), f"{where}, "))


def to_path(value: object, where: str) -> Path:
    """The steps to a final term."""
    steps = []
    for k, step in enumerate(to_list(entry(value, "steps", where), where)):
        inside = f"{where}, step {k}"
        rule, positions, orders, choice = to_list(step, inside, 4)
        read = tuple(to_ints(order, inside) for order in to_list(orders, inside))
        steps.append(Step(to_text(rule, inside), to_ints(positions, inside), read, to_int(choice, inside)))
    return Path(to_int(entry(value, "raw", where), where), tuple(steps))


def to_member(value: object, where: str) -> Member:
    """A final term in a class."""
    number, labels = to_list(value, where, 2)
    return Member(to_int(number, where), to_ints(labels, where))


def to_exchange(value: object, where: str) -> Exchange:
    """A final term that is zero."""
    number, pairs = to_list(value, where, 2)
    read = tuple(to_ints(pair, where) for pair in to_list(pairs, where))
    if any(len(pair) != 2 for pair in read):
        fail(where, "indices are exchanged in pairs")
    return Exchange(to_int(number, where), read)


def to_derived(value: object, where: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """A law that follows from others; the reason is for people, and is not looked at."""
    tensor, law, reason, premises = to_list(value, where, 4)
    to_text(reason, where)
    return to_text(tensor, where), to_text(law, where), to_pairs(premises, where)


def to_proof(value: object, where: str = "") -> Proof:
    """The final terms of a claim and their classes."""
    inside = where or "the certificate"
    parts = {key: to_list(entry(value, key, inside), f"{where}{key}") for key in ("terms", "classes", "vanishing")}
    classes = []
    for k, item in enumerate(parts["classes"]):
        here = f"{where}class {k}"
        members = to_list(entry(item, "members", here), here)
        classes.append(tuple(to_member(member, f"{here}, member {m}") for m, member in enumerate(members)))
    return Proof(
        tuple(to_path(item, f"{where}final term {k}") for k, item in enumerate(parts["terms"])),
        tuple(classes),
        tuple(to_exchange(item, f"{where}vanishing term {k}") for k, item in enumerate(parts["vanishing"])),
    )


def to_certificate(value: object) -> Certificate:
    """A certificate from plain data; one that says nothing of functions has no function nodes.

    Raises
    ------
    CertificateError
        A part is missing, or is not of the type, size or range that the format says.
    """
    where = "the certificate"
    if entry(value, "format", where) != FORMAT:
        fail(where, f"its format is not {FORMAT!r}")
    if to_int(entry(value, "version", where), f"{where}, version") != VERSION:
        fail(where, f"this checker reads version {VERSION}; got {value['version']}")
    derived = to_list(entry(value, "derived", where), "derived")
    return Certificate(
        to_claim(entry(value, "statement", where), value.get("functions", [])),
        tuple(to_derived(item, f"derived law {k}") for k, item in enumerate(derived)),
        to_proof(value),
    )
