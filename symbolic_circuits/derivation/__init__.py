"""Derivations: chains of equal expressions, each step a named rule at a stated place, replayed and proved."""
