"""A lower bound of the time of a training step: its arithmetic at the rates of the machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from aru_keras._util.compiled import without_gradients
from aru_keras.runners.benchmark.choices import Size
from aru_keras.runners.benchmark.processes import Race, Variant

SIDE = 2048
TANHS = 2**22
"""Side of the square matrices, and number of evaluations, with which the rates are measured."""


@dataclass(frozen=True)
class Rates:
    """The highest rates that the backends reach on this machine.

    Attributes:
        operations: Operations per second in products of large matrices.
        tanhs: Evaluations of tanh per second.
    """

    operations: float
    tanhs: float

    def floor(self, size: Size) -> float:
        """The seconds that the products and tanhs of a training step take at these rates."""
        return size.operations / self.operations + size.tanhs / self.tanhs


def rate_variants(backends: Sequence[str]) -> list[Variant]:
    """The variants that measure the rates, in the same run as the others."""
    kinds = {"product": _products, "tanh": _tanhs}
    return [
        Variant(f"{backend} {kind}", backend, build)
        for backend in backends
        for kind, build in kinds.items()
    ]


def rates(results: Race, backends: Sequence[str]) -> Rates:
    """The rates from a race that contained the `rate_variants`."""

    def best(kind, work):
        names = [f"{backend} {kind}" for backend in backends]
        done = [name for name in names if name not in results.failures]
        return max((work / results.timing.median(name) for name in done), default=math.nan)

    return Rates(best("product", 2 * SIDE**3), best("tanh", TANHS))


def _products():
    return _repeated(lambda x: x @ x, (SIDE, SIDE))


def _tanhs():
    return _repeated(ops.tanh, (SIDE, TANHS // SIDE))


def _repeated(function, shape):
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=shape).astype("float32"))
    # XLA runs one loop over the elements on one core, TensorFlow's own operations use them all.
    call = function
    if keras.config.backend() != "tensorflow":
        call = without_gradients(function, variables=list)

    def run(count):
        for _ in range(count):
            y = call(x)
        ops.convert_to_numpy(y[:1, :1])

    return run
