"""Benchmarks of speed and memory: variants take turns, and ratios are taken within a round."""
