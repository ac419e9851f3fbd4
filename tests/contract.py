"""The cells and layers that every contract test runs on, and how it runs them.

A test marked with `every_case` states a promise once; each cell and layer keeps it.
"""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops
from support import arrays, gradients, relative_error

from aru_keras import ARU, ARUCell, DrivenRNN, DrivenRNNCell, GammaRNN, GammaRNNCell

B, T, I, N, G = 3, 5, 2, 4, 3  # noqa: E741
X = np.random.default_rng(0).normal(size=(B, T, I)).astype("float32")
DRIVE = np.random.default_rng(1).normal(size=(B, T, N)).astype("float32")
# Never at the first step, where backends differ in what they emit.
MASK = np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [1, 1, 0, 0, 0]], bool)
# Half of a float32's digits: orders of summation differ between a loop and its like.
CLOSE = 2e-5


@dataclasses.dataclass(frozen=True)
class Case:
    """A layer and its cell.

    Args:
        name: For pytest.
        layer, cell: The classes.
        arguments: Of both.
        extra: Shapes of the weights beyond kernel, recurrent_kernel and bias, by name.
        untrained: Names of the weights that do not train.
        signals: What a probe can record.
    """

    name: str
    layer: type
    cell: type
    arguments: dict
    extra: dict = dataclasses.field(default_factory=dict)
    untrained: tuple = ()
    signals: tuple = ("a", "n", "s", "h")

    def __str__(self):
        return self.name

    @property
    def weights(self):
        return {"kernel": (I, N), "recurrent_kernel": (N, N), "bias": (N,), **self.extra}

    @property
    def states(self):
        """Widths of the states."""
        return [N, N * G] if "g" in self.signals else [N]

    def make_layer(self, **options):
        """The layer, built for (B, T, I), with the weights of `settle`."""
        layer = self.layer(**self.arguments, **options)
        layer.build((B, T, I))
        return settle(layer)

    def make_cell(self, features=I, seed=0, **options):
        cell = self.cell(**self.arguments, **options)
        cell.build((B, features))
        return settle(cell, seed)


CONTROLLER = {
    "controller_kernel": (1, G),
    "controller_recurrent_kernel": (G, G),
    "controller_bias": (G,),
    "readout_kernel": (G, 2),
    "readout_bias": (2,),
}
CASES = [
    Case("relu", DrivenRNN, DrivenRNNCell, {"units": N}, signals=("a", "h")),
    Case("gamma", GammaRNN, GammaRNNCell, {"units": N}, {"n": (N,), "s": (N,)}),
    Case("gamma-shared", GammaRNN, GammaRNNCell, {"units": N, "shared": True}, {"n": (), "s": ()}),
    Case(
        "gamma-fixed",
        GammaRNN,
        GammaRNNCell,
        {"units": N, "fixed": True, "n_initializer": 3.0, "s_initializer": 0.25},
        {"n": (N,), "s": (N,)},
        ("n", "s"),
    ),
    Case(
        "aru",
        ARU,
        ARUCell,
        {"units": N, "controller_units": G},
        CONTROLLER,
        signals=("a", "n", "s", "h", "g"),
    ),
]
every_case = pytest.mark.parametrize("case", CASES, ids=str)


def settle(layer, seed=0):
    """`layer` with weights that are settled, and large enough for every part to matter."""
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        start = {"n": 2.0, "readout_bias": np.array([2.0, 0.3])}.get(weight.name, 0.0)
        weight.assign(start + 0.5 * rng.normal(size=weight.shape))
    return layer


def run(layer, *arguments, **options):
    """The outputs of a call, always as a list of arrays."""
    outputs = layer(*arguments, **options)
    return arrays(outputs if isinstance(outputs, list | tuple) else [outputs])


def slopes(function, *places, variables=()):
    """Gradients of a weighted sum over a function's first output."""

    def total(*tensors):
        y = function(*tensors)
        y = ops.cast(y[0] if isinstance(y, list | tuple) else y, "float32")
        weights = np.random.default_rng(2).normal(size=tuple(y.shape)).astype("float32")
        return ops.sum(y * ops.convert_to_tensor(weights))

    return gradients(total, *places, variables=variables)[1]


def assert_same(found, expected, tolerance=CLOSE):
    """Two lists of arrays agree, each to its own scale."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert relative_error(a, b) < tolerance


def steps(cell, x, drive=None, states=None):
    """The cell by hand: its outputs (B, T, N) and its last states."""
    states = states or cell.get_initial_state(batch_size=x.shape[0])
    outputs = []
    for t in range(x.shape[1]):
        options = {} if drive is None else {"drive": drive[:, t]}
        h, states = cell(x[:, t], states, **options)
        outputs.append(h)
    return [*arrays([ops.stack(outputs, axis=1)]), *arrays(states)]


def keras_rnn(layer, **options):
    """`keras.layers.RNN` around the cell of `layer`."""
    rnn = keras.layers.RNN(layer.cell, **options)
    rnn.build((B, T, I))
    return rnn
