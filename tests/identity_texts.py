"""Identities of identity files, written compactly: ``identity("ij,jk->ik A B", "ij,jk->ik B A", "A:n,n B:n,n", A="symmetric")``."""

__all__ = ["einsum", "identity"]


def einsum(text: str) -> list[list]:
    """Terms ``[coefficient] einsum names`` joined by ``+``, as an identity file has them; ``0`` is no term.

    >>> einsum("ij,jk->ik A B + -1/2 i->i x")
    [[1, 'ij,jk->ik', ['A', 'B']], ['-1/2', 'i->i', ['x']]]
    """
    out = []
    for part in [words.split() for words in text.split(" + ")] if text != "0" else []:
        coefficient, string, *names = part if part[0].lstrip("-")[:1].isdigit() else ["1", *part]
        out.append([coefficient if "/" in coefficient else int(coefficient), string, names])
    return out


def identity(lhs: str, rhs: str, shapes: str, **laws: str) -> dict:
    """An identity; the laws of a tensor are separated by ``;``."""
    pairs = [declared.split(":") for declared in shapes.split()]
    sizes = {name: [int(size) if size.isdigit() else size for size in axes.split(",") if size] for name, axes in pairs}
    given = {name: [law.strip() for law in text.split(";")] for name, text in laws.items()}
    return {"lhs": einsum(lhs), "rhs": einsum(rhs), "shapes": sizes, "given": given}
