"""Adaptive Recurrent Units on Keras 3: neurons that set their own gain and saturation.

Geadah, Horoi, Kerg, Wolf, Lajoie, PLOS Computational Biology 2024,
doi 10.1371/journal.pcbi.1012567.

Keras is imported with the first name that needs it.
"""

from pathlib import Path

from aru_keras._registration import register_when_loaded
from aru_keras._util.checkout import find_checkout
from aru_keras._util.deprecated import find_moved_modules
from aru_keras._util.lazy import attach

_load, __dir__, __all__ = attach(__name__, __file__)


def __getattr__(name: str):
    value = _load(name)
    register_when_loaded()  # What it brought in while it was loading.
    return value


find_checkout(Path(__file__).parent)
find_moved_modules()
register_when_loaded()
