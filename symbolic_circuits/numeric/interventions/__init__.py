"""Interventions: terms of a query removed, replaced or swapped, and what the output makes of it."""
