r"""What a notebook shows of a result: HTML, LaTeX and text, written by the report layer, which is imported when something is shown.

``@displayed`` gives a class the methods that IPython asks for. Classes lie in layers below ``report`` and do not import it: the table
``SHEETS`` says by name what function makes the sheet of a class, as the table of the package itself says where its names are.
A class of your own is added by ``SHEETS["my.module.MyResult"] = "my.other.module:sheet_of_my_result"``.
"""

from importlib import import_module
from typing import Any, TypeVar

__all__ = ["SHEETS", "displayed"]

C = TypeVar("C", bound=type)

NUMERIC, DISPLAY = "symbolic_circuits.numeric", "symbolic_circuits.report.display"
WRITING = f"{DISPLAY}.writing"

SHEETS = {  # class -> the function that makes its sheet, "module:name"
    "symbolic_circuits.algebra.verdicts.HoldsAt": f"{DISPLAY}.verdicts:verdict_sheet",
    "symbolic_circuits.algebra.verdicts.Proved": f"{DISPLAY}.verdicts:verdict_sheet",
    "symbolic_circuits.algebra.verdicts.Refuted": f"{DISPLAY}.verdicts:verdict_sheet",
    "symbolic_circuits.algebra.verdicts.Undecided": f"{DISPLAY}.verdicts:verdict_sheet",
    "symbolic_circuits.algebra.witness.Witness": f"{DISPLAY}.verdicts:witness_sheet",
    "symbolic_circuits.derivation.derivation.Derivation": f"{DISPLAY}.derivations:derivation_sheet",
    "symbolic_circuits.documents.results.Report": f"{DISPLAY}.verdicts:document_sheet",
    "symbolic_circuits.expansion.expansion.PathExpansion": f"{DISPLAY}.terms:expansion_sheet",
    "symbolic_circuits.expansion.term.Term": f"{DISPLAY}.terms:term_sheet",
    f"{NUMERIC}.bilinear.dictionary.FeatureTensor": f"{DISPLAY}.features:feature_tensor_sheet",
    f"{NUMERIC}.bilinear.eigen.Eigen": f"{DISPLAY}.spectra:eigen_sheet",
    f"{NUMERIC}.bilinear.gauge_report.GaugeReport": f"{DISPLAY}.sums:gauge_sheet",
    f"{NUMERIC}.bilinear.hosvd.Hosvd": f"{DISPLAY}.features:hosvd_sheet",
    f"{NUMERIC}.bilinear.interaction.InteractionMatrix": f"{DISPLAY}.arrays:interaction_sheet",
    f"{NUMERIC}.bilinear.layer.BilinearLayer": f"{DISPLAY}.arrays:layer_sheet",
    f"{NUMERIC}.bilinear.pairwise.PairwiseInteractions": f"{DISPLAY}.features:pairwise_sheet",
    f"{NUMERIC}.bilinear.parts.LayerParts": f"{DISPLAY}.arrays:layer_parts_sheet",
    f"{NUMERIC}.bilinear.similarity.Similarity": f"{DISPLAY}.spectra:similarity_sheet",
    f"{NUMERIC}.checking.CheckReport": f"{DISPLAY}.sums:check_sheet",
    f"{NUMERIC}.circuits.bias_effects.BiasEffects": f"{DISPLAY}.arrays:bias_effects_sheet",
    f"{NUMERIC}.circuits.composition.Composition": f"{DISPLAY}.compositions:composition_sheet",
    f"{NUMERIC}.circuits.joint.JointComposition": f"{DISPLAY}.compositions:joint_sheet",
    f"{NUMERIC}.circuits.low_rank.LowRank": f"{DISPLAY}.arrays:low_rank_sheet",
    f"{NUMERIC}.circuits.qk_parts.QKParts": f"{DISPLAY}.arrays:qk_parts_sheet",
    f"{NUMERIC}.circuits.spectra.CircuitSpectra": f"{DISPLAY}.spectra:spectra_sheet",
    f"{NUMERIC}.formats.export.Exported": f"{DISPLAY}.arrays:exported_sheet",
    f"{NUMERIC}.frozen.Frozen": f"{DISPLAY}.arrays:frozen_sheet",
    f"{NUMERIC}.graded.GradedSums": f"{DISPLAY}.sums:graded_sheet",
    f"{NUMERIC}.interventions.intervention.Intervention": f"{DISPLAY}.interventions:intervention_sheet",
    f"{NUMERIC}.interventions.patch.Patch": f"{DISPLAY}.interventions:patch_sheet",
    f"{NUMERIC}.ranking.explanation.Explanation": f"{DISPLAY}.rankings:explanation_sheet",
    f"{NUMERIC}.ranking.local_complexity.LocalComplexity": f"{DISPLAY}.rankings:complexity_sheet",
    f"{NUMERIC}.ranking.ranking.Ranking": f"{DISPLAY}.rankings:ranking_sheet",
    f"{NUMERIC}.weights.Weights": f"{DISPLAY}.arrays:weights_sheet",
}


def displayed(cls: C) -> C:
    """Give a class ``_repr_html_``, ``_repr_latex_``, ``_repr_mimebundle_`` and ``_repr_pretty_``; a decorator.

    A dataclass that has arrays, which is one without ``==``, is one line where Python shows it, without their entries.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> term = sc.path_expansion("attn(2)")[1]
    >>> print(term._repr_latex_())
    $\\displaystyle A^{0} \\otimes W_{U} \\, W_{OV}^{0} \\, W_{E}$
    >>> sorted(term._repr_mimebundle_())
    ['text/html', 'text/latex', 'text/plain']
    """
    if cls.__eq__ is object.__eq__ and hasattr(cls.__repr__, "__wrapped__"):  # of a dataclass that has arrays: pages of numbers
        cls.__repr__ = as_repr
    cls._repr_html_, cls._repr_latex_, cls._repr_mimebundle_, cls._repr_pretty_ = as_html, as_latex, as_bundle, as_pretty
    return cls


def sheet_of(result: object) -> Any:
    """The sheet of a result, made by the function that the table names for its class, or for the first base that it has one for."""
    for cls in type(result).__mro__:
        target = SHEETS.get(f"{cls.__module__}.{cls.__qualname__}")
        if target is not None:
            module, _, name = target.partition(":")
            return getattr(import_module(module), name)(result)
    raise TypeError(f"nothing says how {type(result).__name__} is shown: name a function for it in SHEETS")


def as_repr(self: object) -> str:
    """One line, as Python shows it."""
    try:
        return f"<{type(self).__name__}: {sheet_of(self).title}>"
    except Exception:  # half made, in a debugger
        return object.__repr__(self)


def as_html(self: object) -> str:
    """HTML without script, for light and dark pages; names are inert."""
    return import_module(WRITING).html_of(sheet_of(self))


def as_latex(self: object) -> str | None:
    """LaTeX with the delimiters that SymPy has; None where ``init_printing`` switched it off, or there is no formula or table."""
    return import_module(WRITING).latex_of(sheet_of(self))


def as_bundle(self: object, include: object = None, exclude: object = None) -> dict[str, str]:
    """All forms by MIME type; ``include`` and ``exclude`` are sets of types, as of IPython."""
    return import_module(WRITING).bundle_of(sheet_of(self), include, exclude)


def as_pretty(self: object, printer: Any, cycle: bool) -> None:
    """Text for IPython's printer, which asks for it where a class is a tuple; ``repr`` for a part of something else."""
    is_whole = len(printer.stack) == 1 and not cycle
    printer.text(import_module(WRITING).text_of(sheet_of(self)) if is_whole else repr(self))
