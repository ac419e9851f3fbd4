"""Adaptive Recurrent Units on Keras 3: neurons that set their own gain and saturation.

Geadah, Horoi, Kerg, Wolf, Lajoie, PLOS Computational Biology 2024,
doi 10.1371/journal.pcbi.1012567.
"""

from pathlib import Path

from aru_keras import initializers, layers, probing
from aru_keras.activations import gamma
from aru_keras.layers import ARU, ARUCell, DrivenRNN, DrivenRNNCell, Gamma, GammaRNN, GammaRNNCell
from aru_keras.registration import register_when_loaded
from aru_keras.version import __version__

__all__ = [
    "ARU",
    "ARUCell",
    "DrivenRNN",
    "DrivenRNNCell",
    "Gamma",
    "GammaRNN",
    "GammaRNNCell",
    "__version__",
    "gamma",
    "initializers",
    "layers",
    "probing",
]

# Installed, `envs` and `runners` are folders of this package; in a checkout they stand beside it,
# and Python finds the checkout first when it is started inside.
_CHECKOUT = Path(__file__).parent.parent
if (_CHECKOUT / "pyproject.toml").exists() and (_CHECKOUT / "runners" / "cli.py").exists():
    __path__.append(str(_CHECKOUT))

register_when_loaded()
