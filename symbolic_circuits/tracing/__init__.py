"""Tracing of array code: a function of arrays run once on stand-ins, which returns the expression that it computes."""
