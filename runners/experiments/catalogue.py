"""All experiments by name, in the order of the paper's numbers."""

from aru_keras.runners.experiments import (
    accuracy,
    activation,
    adaptation,
    exponents,
    fractional,
    fractional_population,
    gradients,
    landscape,
    noise_boundary,
    pilot,
    robustness,
    slow_drive,
    stability,
    transfer,
)

_THEMES = (
    accuracy,
    activation,
    adaptation,
    exponents,
    fractional,
    fractional_population,
    gradients,
    landscape,
    noise_boundary,
    pilot,
    robustness,
    slow_drive,
    stability,
    transfer,
)


def _order(experiment):
    """By number, and "13b" after "13"."""
    digits = experiment.number.rstrip("abcdefgh")
    return int(digits), experiment.number


EXPERIMENTS = {
    one.name: one
    for one in sorted((one for theme in _THEMES for one in theme.EXPERIMENTS), key=_order)
}
