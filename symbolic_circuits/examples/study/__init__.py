"""The shipped model taken apart: which of its 12 terms add modulo 31, and how; ``python -m symbolic_circuits.examples.study``."""
