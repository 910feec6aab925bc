"""Results as text, LaTeX, graphs in files and pictures: free functions on results."""
