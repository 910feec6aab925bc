"""The SymPy nodes that SymPy lacks, and the way from a SymPy tree to a tensor network and to running code."""
