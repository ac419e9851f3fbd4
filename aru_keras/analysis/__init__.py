"""Instruments for the paper's experiments: pure functions of arrays, weights and recordings."""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
