"""Figures: each function takes data and returns a matplotlib `Figure`, drawn nowhere else."""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
