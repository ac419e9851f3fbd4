"""The experiments of the paper: pure functions over arrays, weights and recordings."""
