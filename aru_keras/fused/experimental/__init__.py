"""Kernels that no card has run yet. They run only where an environment variable asks for them."""
