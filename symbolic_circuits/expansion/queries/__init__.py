"""Queries: sets of terms as tree automata, whose product with a grammar of terms is a grammar again."""
