"""The same model with other weights: gains and biases of norms, biases, and scales moved into the matrices beside them."""
