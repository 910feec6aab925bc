"""Semantics: tensor networks. Knows nothing of SymPy trees or of transformers."""
