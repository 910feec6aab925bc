"""One self-contained HTML page about a model: its derivation, its graph, its terms with what they contribute, verdicts."""
