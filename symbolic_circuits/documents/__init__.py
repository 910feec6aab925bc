"""Documents: Markdown and LaTeX whose display mathematics is checked where it was written. Splitting one imports no SymPy."""
