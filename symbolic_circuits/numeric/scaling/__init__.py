"""One function at many inputs, queries or blocks of terms, in place or through any executor; the results do not depend on which."""
