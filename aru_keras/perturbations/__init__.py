"""Perturbations that a network did not see in training (Geadah et al. 2024, Fig 2).

- `StepDrive`: ξ is added to every unit's pre-activation where t0 < t < t0 + τ; ξ = 5 by default.
- `NoisyDrive`: the same with noise N(μ, σ²), where t0 ≤ t < t0 + τ; μ = 5, σ² = 2.
- `Contrast`: x_t ← x_t·(1 + A sin(2πft/T + φ)) where x_t > 0; A = 0.5, f = 1, φ = 0.
- `Waveform`: ξ is a current of one's own, an array over time, for all units or for each.

Steps t count from 0. By default t0 = τ = 200 of the paper's 784 steps, round(200·T/784) of T
steps. The noise is independent for each sequence, unit and step. Contrast acts on pixels; on
whole images, before a convolutional encoder, the step of a pixel is its row-major position and T
is H·W (our choice; the paper does not say).

Perturbations are values: they compare, hash, add up (`StepDrive(5) + Contrast(0.5)`) and go
through JSON. All numbers come from numpy, and are functions of the perturbation, T, N and the
image's index in its split. So environments, pipelines and recordings agree to the last bit.

Example::

    perturbation = parse("noise:mean=5,seed=3")
    x, y = task.examples("test", range(100))
    x, drive = task.perturbed(x, range(100), perturbation, units=400)
    signals = record(model, x, drive=drive)
"""

from aru_keras.composition import Drive, Perturbation, Perturbations
from aru_keras.perturbations.contrast import Contrast
from aru_keras.perturbations.drives import PAPER_TIMESTEPS, PAPER_WINDOW, NoisyDrive, StepDrive
from aru_keras.perturbations.forms import KINDS, as_perturbation, from_config, parse
from aru_keras.perturbations.waveform import Waveform

__all__ = [
    "KINDS",
    "PAPER_TIMESTEPS",
    "PAPER_WINDOW",
    "Contrast",
    "Drive",
    "NoisyDrive",
    "Perturbation",
    "Perturbations",
    "StepDrive",
    "Waveform",
    "as_perturbation",
    "from_config",
    "parse",
]
