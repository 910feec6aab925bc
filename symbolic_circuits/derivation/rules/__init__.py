"""The rules of derivations, one concept a file; each is a named pure function from an expression to an equal one."""
