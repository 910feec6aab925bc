"""Identities: proving and refuting them, in files, in tests, by their author's side."""
