"""Figures: each function takes data and returns a matplotlib `Figure`, drawn nowhere else."""

from aru_keras.plots.number_table import numbers, save_numbers
from aru_keras.plots.reading_picture import LABELS, UNITS_DRAWN, picture_of, reading
from aru_keras.plots.style import save, unit_style

__all__ = [
    "LABELS",
    "UNITS_DRAWN",
    "numbers",
    "picture_of",
    "reading",
    "save",
    "save_numbers",
    "unit_style",
]
