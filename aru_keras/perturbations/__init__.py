"""Perturbations that a network did not see in training (Geadah et al. 2024, Fig 2).

- `StepDrive` adds a constant ξ to every unit's pre-activation where t0 < t < t0 + τ (ξ = 5).
- `NoisyDrive` adds noise N(μ, σ²) where t0 ≤ t < t0 + τ (μ = 5, σ² = 2).
- `Contrast` changes the pixels: x_t ← x_t·(1 + A sin(2πft/T + φ)) where x_t > 0 (A = 0.5, f = 1,
  φ = 0).
- `ChannelContrast` is a contrast of some channels of sequences of your own.
- `InputNoise` adds noise to the input.
- `Waveform` adds a drive that you give as an array over time, for all units or for each unit.

The values in parentheses are the defaults. Steps t count from 0. By default t0 and τ are 200 of
the paper's 784 steps, which is round(200·T/784) of T steps. The noise is independent for each
sequence, unit and step. Contrast acts on pixels. On whole images, before a convolutional encoder,
the step of a pixel is its row-major index and T is H·W (our choice; the paper does not say).

Perturbations are immutable values: they can be compared, hashed, added
(`StepDrive(5) + Contrast(0.5)`) and written as JSON. All their numbers come from NumPy, as a
function of the perturbation, T, N and the image's index in its split. For this reason
environments, pipelines and recordings agree to the last bit.

Example::

    perturbation = parse("noise:mean=5,seed=3")
    x, y = task.examples("test", range(100))
    x, drive = task.perturbed(x, range(100), perturbation, units=400)
    signals = record(model, x, drive=drive)
"""

from aru_keras.perturbations.base import Drive, Perturbation, Perturbations
from aru_keras.perturbations.contrast import Contrast
from aru_keras.perturbations.drives import PAPER_TIMESTEPS, PAPER_WINDOW, NoisyDrive, StepDrive
from aru_keras.perturbations.forms import KINDS, as_perturbation, from_config, parse
from aru_keras.perturbations.inputs import ChannelContrast, InputNoise
from aru_keras.perturbations.waveform import Waveform

__all__ = [
    "KINDS",
    "PAPER_TIMESTEPS",
    "PAPER_WINDOW",
    "ChannelContrast",
    "Contrast",
    "Drive",
    "InputNoise",
    "NoisyDrive",
    "Perturbation",
    "Perturbations",
    "StepDrive",
    "Waveform",
    "as_perturbation",
    "from_config",
    "parse",
]
