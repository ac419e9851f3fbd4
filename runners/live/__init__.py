"""A page in the browser on which networks read, or agents act, and are perturbed by hand.

`serve` is the command `aru-keras live`, and `app` shows the page in a notebook. The modules `hand`,
`networks`, `session`, `agent_session` and `rig` hold what happens, without a browser; the others
show it.
"""

from aru_keras._util.lazy import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
