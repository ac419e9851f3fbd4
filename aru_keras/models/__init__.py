"""The paper's five networks by name, their sizes, and the groups of weights in them."""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
