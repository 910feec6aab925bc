"""Bilinear layers read off their weights: interaction matrices and their spectra, features, similarity, and what is only a choice of basis."""
