"""TensorFlow operations of our own, compiled by Numba."""
