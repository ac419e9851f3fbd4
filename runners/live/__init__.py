"""A page in the browser on which networks read, and are perturbed by hand.

`app` is the page as an object, for notebooks; the command `aru-keras live` serves it. The modules
`hand`, `networks`, `session` and `rig` hold what happens, without a browser; the others show it.
"""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
