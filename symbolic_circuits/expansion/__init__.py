"""The path expansion of a model: a grammar of terms, and interpretations of it."""
