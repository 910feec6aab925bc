"""What a notebook shows of results: a sheet for each class, written as HTML, LaTeX and text."""
