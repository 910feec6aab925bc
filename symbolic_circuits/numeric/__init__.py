"""Weights, an independent forward pass, and the evaluation of terms on them."""
