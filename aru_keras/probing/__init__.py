"""Recording the signals of a network, over whole sequences or with one compiled step at a time."""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
