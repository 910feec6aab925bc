"""Symbolic mathematics for transformers of attention heads and bilinear layers: path expansions as SymPy, graphs and LaTeX."""

from importlib import import_module

__version__ = "0.1.0"

EXPORTS = {  # name -> module, imported on first use so that the command line starts without SymPy
    "Attention": "symbolic_circuits.spec",
    "Bilinear": "symbolic_circuits.spec",
    "Declarations": "symbolic_circuits.latex.declarations",
    "Derivation": "symbolic_circuits.derivation.derivation",
    "Explanation": "symbolic_circuits.numeric.ranking.explanation",
    "GradedSums": "symbolic_circuits.numeric.graded",
    "HoldsAt": "symbolic_circuits.algebra.verdicts",
    "Intervention": "symbolic_circuits.numeric.interventions.intervention",
    "LocalComplexity": "symbolic_circuits.numeric.ranking.local_complexity",
    "Parallel": "symbolic_circuits.spec",
    "Patch": "symbolic_circuits.numeric.interventions.patch",
    "PathExpansion": "symbolic_circuits.expansion.expansion",
    "Proved": "symbolic_circuits.algebra.verdicts",
    "Query": "symbolic_circuits.expansion.queries.query",
    "Ranking": "symbolic_circuits.numeric.ranking.ranking",
    "Refuted": "symbolic_circuits.algebra.verdicts",
    "Rewrite": "symbolic_circuits.identities.rewrite",
    "Style": "symbolic_circuits.report.derivations.style",
    "Term": "symbolic_circuits.expansion.term",
    "Transformer": "symbolic_circuits.spec",
    "Undecided": "symbolic_circuits.algebra.verdicts",
    "Verdict": "symbolic_circuits.algebra.verdicts",
    "Weights": "symbolic_circuits.numeric.weights",
    "ablate": "symbolic_circuits.numeric.interventions.ablate",
    "article": "symbolic_circuits.report.article",
    "assert_identity": "symbolic_circuits.identities.asserting",
    "assert_latex": "symbolic_circuits.documents.formulas",
    "assert_not_identity": "symbolic_circuits.identities.asserting",
    "causal_graph": "symbolic_circuits.numeric.interventions.causal_graph",
    "check": "symbolic_circuits.numeric.checking",
    "check_certificate": "symbolic_circuits.identities.checker",
    "check_document": "symbolic_circuits.documents.checking",
    "contract": "symbolic_circuits.syntax.contract",
    "contributions": "symbolic_circuits.numeric.evaluate",
    "declarations_of": "symbolic_circuits.latex.symbols_of",
    "derive": "symbolic_circuits.derivation.derive",
    "difference": "symbolic_circuits.identities.prove",
    "draw_causal_graph": "symbolic_circuits.report.causal_figure",
    "draw_counts": "symbolic_circuits.report.count_figure",
    "draw_explanation": "symbolic_circuits.report.ranking_figure",
    "draw_graded": "symbolic_circuits.report.graded_figure",
    "draw_graph": "symbolic_circuits.report.figures",
    "draw_local_complexity": "symbolic_circuits.report.ranking_figure",
    "draw_ranking": "symbolic_circuits.report.ranking_figure",
    "each_block": "symbolic_circuits.numeric.scaling.over_terms",
    "each_input": "symbolic_circuits.numeric.scaling.over_inputs",
    "each_query": "symbolic_circuits.numeric.scaling.over_queries",
    "explain": "symbolic_circuits.numeric.ranking.explain",
    "explanation": "symbolic_circuits.identities.report",
    "express": "symbolic_circuits.syntax.express",
    "freeze": "symbolic_circuits.numeric.frozen",
    "gaussian_expectation": "symbolic_circuits.identities.gaussian",
    "graded": "symbolic_circuits.numeric.graded",
    "in_order": "symbolic_circuits.numeric.scaling.outcome",
    "interpret": "symbolic_circuits.expansion.expansion",
    "jacobian": "symbolic_circuits.identities.jacobian",
    "lambdify": "symbolic_circuits.syntax.einsum",
    "local_complexity": "symbolic_circuits.numeric.ranking.local_complexity",
    "margins": "symbolic_circuits.numeric.margins",
    "matches_statement": "symbolic_circuits.identities.expansion",
    "matchings": "symbolic_circuits.identities.gaussian",
    "model_graph": "symbolic_circuits.expansion.graphs",
    "named_operands": "symbolic_circuits.numeric.operands",
    "operands": "symbolic_circuits.numeric.operands",
    "output_values": "symbolic_circuits.numeric.evaluate",
    "parse_query": "symbolic_circuits.expansion.queries.language",
    "passes": "symbolic_circuits.expansion.queries.query",
    "patch": "symbolic_circuits.numeric.interventions.patch",
    "path_expansion": "symbolic_circuits.expansion.expansion",
    "prove": "symbolic_circuits.identities.prove",
    "prove_einsum": "symbolic_circuits.tracing.einsum_identity",
    "prove_identity": "symbolic_circuits.identities.files",
    "prove_latex": "symbolic_circuits.documents.formulas",
    "rank": "symbolic_circuits.numeric.ranking.rank",
    "read_derivation": "symbolic_circuits.derivation.files",
    "read_equations": "symbolic_circuits.latex.reading",
    "read_identities": "symbolic_circuits.identities.files",
    "read_latex": "symbolic_circuits.latex.reading",
    "readout": "symbolic_circuits.numeric.readout",
    "relu": "symbolic_circuits.syntax.functions",
    "save_derivation": "symbolic_circuits.derivation.files",
    "simplify_under": "symbolic_circuits.identities.prove",
    "softmax": "symbolic_circuits.syntax.functions",
    "to_latex": "symbolic_circuits.report.latex",
    "to_markdown": "symbolic_circuits.report.derivations.markdown",
    "to_plain": "symbolic_circuits.report.plain",
    "to_text": "symbolic_circuits.report.derivations.text",
    "total": "symbolic_circuits.numeric.total",
    "trace": "symbolic_circuits.tracing.trace",
    "verdict_data": "symbolic_circuits.identities.report",
}

__all__ = sorted([*EXPORTS, "__version__"])


def __getattr__(name: str) -> object:
    if name not in EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
