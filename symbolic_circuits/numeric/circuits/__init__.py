"""The circuits of a model, read off its weights: what a head moves and matches, and how much one component reads what another writes."""
