"""Agents in any environment of Gymnasium: actor and critic on one recurrent network.

`train` and `resume` are `aru-keras train gym:ID` from Python.
"""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
