"""Weights in the formats of other programs: which key is which array of ours, with axes and order of rows stated once a format."""
