"""Measure speed and memory: variants in turn, round after round; medians, and ratios a round."""
