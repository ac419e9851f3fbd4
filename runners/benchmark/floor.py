"""What no program can go below: the arithmetic of a training step at the machine's own rates."""

from dataclasses import dataclass

import keras
import numpy as np
from keras import ops

from aru_keras._util.compiled import without_gradients
from aru_keras.runners.benchmark.choices import Size
from aru_keras.runners.benchmark.processes import Race, Variant

SIDE = 2048
TANHS = 2**22
"""Side of the square matrices, and number of evaluations, that the rates are measured with."""


@dataclass(frozen=True)
class Rates:
    """The best of what the backends reach on this machine.

    Attributes:
        operations: In products of large matrices, a second.
        tanhs: Evaluations a second.
    """

    operations: float
    tanhs: float

    def floor(self, size: Size) -> float:
        """Seconds that a training step's products and tanhs take at these rates."""
        return size.operations / self.operations + size.tanhs / self.tanhs


def rate_variants(backends) -> list[Variant]:
    """What measures the rates, beside the variants of the same run."""
    kinds = {"product": _products, "tanh": _tanhs}
    return [
        Variant(f"{backend} {kind}", backend, build)
        for backend in backends
        for kind, build in kinds.items()
    ]


def rates(results: Race, backends) -> Rates:
    """The rates from a race that had `rate_variants` in it."""

    def best(kind, work):
        return max(work / results.timing.median(f"{backend} {kind}") for backend in backends)

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
