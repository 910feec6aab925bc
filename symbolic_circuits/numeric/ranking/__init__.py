"""The largest terms of an expansion, with a bound on all others; and the fewest terms that explain a prediction."""
