"""Derivations on paper: one neutral layout (setting, chains of equations, reasons, marks, numbers), written as LaTeX, Markdown or text."""
