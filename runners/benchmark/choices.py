"""The sizes, kinds and backends that a benchmark can measure."""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

from aru_keras._util.arguments import one_of
from aru_keras._util.backends import BACKENDS


@dataclass(frozen=True)
class Size:
    """A network and a batch.

    Attributes:
        batch: Number of sequences B.
        timesteps: Number of steps T.
        units: Number of units N.
        controller_units: Number of controller units G.
    """

    batch: int
    timesteps: int
    units: int
    controller_units: int

    def __str__(self):
        return f"{self.batch}·{self.timesteps}·{self.units}·{self.controller_units}"

    @property
    def operations(self) -> int:
        """Number of additions and multiplications in the products of a training step of the ARU."""
        controller = 6 * self.batch * self.units * self.controller_units
        recurrent = 6 * self.batch * self.units**2
        return self.timesteps * (controller * (self.controller_units + 2) + recurrent)

    @property
    def tanhs(self) -> int:
        """Number of evaluations of tanh in a training step, and of numbers in the history of g."""
        return self.timesteps * self.batch * self.units * self.controller_units


SIZES = {
    "small": Size(64, 64, 64, 16),
    "middle": Size(64, 196, 128, 32),
    "long": Size(20, 784, 400, 50),
    "paper": Size(100, 784, 400, 50),
    "many": Size(1000, 784, 128, 16),
}
"""Digits, MNIST at 14×14, the paper's networks with a small and with the paper's batch, and a batch
for `predict` and `record` alone."""

AT_ONCE, STEP_BY_STEP, COMPILED, EAGER = (
    "at once",
    "step by step",
    "step by step, jit",
    "eager loop",
)
MASKED, MASKED_STEP_BY_STEP = f"{AT_ONCE}, mask", f"{STEP_BY_STEP}, mask"
PREDICTED, PREDICTED_STEP_BY_STEP = f"{AT_ONCE}, predict", f"{STEP_BY_STEP}, predict"
RECORDED, RECORDED_STEP_BY_STEP = f"{AT_ONCE}, record", f"{STEP_BY_STEP}, record"
KINDS = {
    AT_ONCE: "the ARU with its whole-sequence path",
    STEP_BY_STEP: "the same with fused=False: the loop of keras.layers.RNN",
    COMPILED: "the same under jit_compile=True (TensorFlow)",
    EAGER: "a loop written with torch alone",
    "GRU": "keras.layers.GRU with the number of units that comes nearest in parameters",
    "LSTM": "keras.layers.LSTM, likewise",
    "GRU without cuDNN": "the same with use_cudnn=False (on a GPU)",
    "LSTM without cuDNN": "the same with use_cudnn=False (on a GPU)",
    MASKED: "at once, with a mask: lengths from T/2 to T, evenly spread",
    MASKED_STEP_BY_STEP: "step by step, with the same mask",
    PREDICTED: "at once, predict_on_batch in place of a training step",
    PREDICTED_STEP_BY_STEP: "step by step, likewise",
    RECORDED: "at once, n and s of every step by probing.record in place of a training step",
    RECORDED_STEP_BY_STEP: "step by step, likewise",
}
DEFAULT_KINDS, DEFAULT_SIZES = tuple(KINDS)[:6], tuple(SIZES)[:2]
ONLINE_SIZES = ((400, 50), (64, 16))
"""Units N and controller units G of single steps: the paper's, and small ones."""

LIVE_SIZES = ((128, 50), (400, 50))
"""Units N and controller units G of networks that are watched in the browser."""

NUM_ENVS = (1, 64, 256)
"""Numbers of sub-environments that are stepped together."""


def checked_backends(backends: Sequence[str] | None) -> list[str]:
    """`backends`, after a check that they are installed; None for all that are installed."""
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if backends is None:
        return installed
    chosen = [one_of("backends", name, BACKENDS) for name in backends]
    missing = [name for name in chosen if name not in installed]
    if missing:
        raise ValueError(
            f"`backends` must be installed. Received: {missing}, which are not; pip install "
            f"{' '.join(missing)}, or leave them out."
        )
    return chosen
