"""Autonomous dynamics h → F(h) of recurrent networks, and how they propagate small deviations.

The dynamics have neither input nor drive: a network runs on its own (Geadah et al. 2024, Fig 5 and
App. D). `GammaDynamics` is the paper's map at a given (n, s), and `ARUDynamics` the whole adaptive
system with its controllers. `ActivationDynamics` is any simple recurrent network, and
`FunctionDynamics` any function. All compute with NumPy in float64.

Example::

    dynamics = dynamics_of(model, n=n, s=s)  # or keras.layers.SimpleRNN(...)
    exponents = lyapunov_exponents(dynamics, start)
"""

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from aru_keras._util.arguments import array, flag, held, one_of, shown
from aru_keras.analysis import _gamma_numpy
from aru_keras.analysis._checks import checked_function, checked_kernel
from aru_keras.analysis.maps import Dynamics, FunctionDynamics
from aru_keras.layers import ARUCell, DrivenRNNCell, GammaRNNCell
from aru_keras.probing import load_network, recurrent_layer

ACTIVATIONS = {
    "linear": (lambda a: a, np.ones_like),
    "tanh": (np.tanh, lambda a: 1 / np.cosh(np.clip(a, -700, 700)) ** 2),
    "relu": (lambda a: np.maximum(a, 0), lambda a: (a > 0).astype("float64")),
    "sigmoid": (expit, lambda a: expit(a) * expit(-a)),
    "softplus": (_gamma_numpy.softplus, expit),
}
"""Activations f and their derivatives f′, by their Keras names."""


_ARU_WEIGHTS = {
    "recurrent_kernel": ("N", "N"),
    "controller_kernel": (1, "G"),
    "controller_recurrent_kernel": ("G", "G"),
    "controller_bias": ("G",),
    "readout_kernel": ("G", 2),
    "readout_bias": (2,),
}


class _RecurrentDynamics(Dynamics):
    """h → f(h·W + b), with W in Keras' layout: W[i, j] is the weight from unit i to unit j."""

    def __init__(self, recurrent_kernel, bias):
        self.recurrent_kernel = checked_kernel(recurrent_kernel)
        self.size = len(self.recurrent_kernel)
        self.bias = _checked("bias", 0.0 if bias is None else bias, self.size)

    def parameters(self) -> dict[str, Any]:
        return {"bias": self.bias}

    def respond(self, a: Any) -> Any:
        """f(a) and f′(a)."""
        raise NotImplementedError

    def push(self, h: Any, directions: Any) -> tuple[np.ndarray, np.ndarray]:
        value, slope = self.respond(_product(h, self.recurrent_kernel) + self.bias)
        return value, _product(directions, self.recurrent_kernel) * slope[..., None, :]

    def jacobian(self, h: Any) -> np.ndarray:
        slope = self.respond(self._states(h) @ self.recurrent_kernel + self.bias)[1]
        return slope[..., :, None] * self.recurrent_kernel.T


class GammaDynamics(_RecurrentDynamics):
    """h → γ(h·W + b; n, s), the main dynamics at a given gain and saturation.

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout h·W.
        n: Gain, broadcastable against the states (…, N): a number, an array (N,), or an array
            (…, 1) or (…, N) with its own gains for each trajectory.
        s: Saturation, with a shape like that of `n`.
        bias: Bias b, with a shape like that of `n`; None for no bias, as in the paper.

    Raises:
        ValueError: A shape does not fit, or a value is not finite.
    """

    def __init__(
        self, recurrent_kernel: ArrayLike, n: ArrayLike, s: ArrayLike, bias: ArrayLike | None = None
    ):
        super().__init__(recurrent_kernel, bias)
        units = len(self.recurrent_kernel)
        self.n, self.s = _checked("n", n, units), _checked("s", s, units)

    def parameters(self) -> dict[str, Any]:
        return {**super().parameters(), "n": self.n, "s": self.s}

    def respond(self, a: Any) -> Any:
        return _gamma_numpy.gamma_and_slope(a, self.n, self.s)


class ActivationDynamics(_RecurrentDynamics):
    """h → f(h·W + b), the map of a simple recurrent network with an activation f.

    Args:
        recurrent_kernel: W, (N, N), in the layout of `keras.layers.SimpleRNN`.
        activation: Name of one of the `ACTIVATIONS`, or a pair of functions, f and f′.
        bias: Bias b, broadcastable against the states; None for no bias.

    Raises:
        ValueError: The activation is unknown, a shape does not fit, or a value is not finite.
    """

    def __init__(
        self, recurrent_kernel: ArrayLike, activation: Any = "tanh", bias: ArrayLike | None = None
    ):
        super().__init__(recurrent_kernel, bias)
        pair = activation
        if not isinstance(activation, tuple) or len(activation) != 2:
            pair = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        self._function, self._slope = (
            checked_function("activation", function) for function in pair
        )

    def respond(self, a: Any) -> Any:
        return self._function(a), self._slope(a)


class ARUDynamics(Dynamics):
    """(h, g) → (h′, g′), the map of the whole adaptive system, units and controllers together.

    The state has N + N·G components: h, and then g in the order of `ARUCell`, unit by unit. The
    `jacobian` has this size squared; for the paper's N = 400 and G = 50, use `push` instead.

    Args:
        weights: Weights of an `ARUCell` by name, in its layout: recurrent_kernel (N, N),
            controller_kernel (1, G), controller_recurrent_kernel (G, G), controller_bias (G,),
            readout_kernel (G, 2), readout_bias (2,).
        bias: Bias b, or any constant input, broadcastable to (…, N); None for no bias.

    Raises:
        ValueError: W_hh is not square, or a value is not finite.
    """

    def __init__(self, weights: Mapping[str, ArrayLike], bias: ArrayLike | None = None):
        by_name = dict(zip(_ARU_WEIGHTS, held("weights", weights, list(_ARU_WEIGHTS)), strict=True))
        self.recurrent_kernel = checked_kernel(by_name["recurrent_kernel"])
        self.units = len(self.recurrent_kernel)
        self.bias = _checked("bias", 0.0 if bias is None else bias, self.units)
        size = len(array("controller_bias", by_name["controller_bias"], ("G",)))
        self._kernel, self._matrix, self._offset, self._readout, self._readout_bias = (
            array(name, by_name[name], tuple(size if axis == "G" else axis for axis in shape))
            for name, shape in _ARU_WEIGHTS.items()
            if name != "recurrent_kernel"
        )
        self._width = self.units * size
        self.size = self.units + self._width

    def parameters(self) -> dict[str, Any]:
        return {"bias": self.bias}

    def push(self, state: Any, directions: Any) -> tuple[np.ndarray, np.ndarray]:
        h, g = self._parts(state)
        dh, dg = self._parts(directions)
        a = _product(h, self.recurrent_kernel) + self.bias
        da = _product(dh, self.recurrent_kernel)
        g = np.tanh(a[..., None] * self._kernel[0] + g @ self._matrix + self._offset)
        dg = (1 - g**2)[..., None, :, :] * (da[..., None] * self._kernel[0] + dg @ self._matrix)
        n, s = np.moveaxis(g @ self._readout + self._readout_bias, -1, 0)
        dn, ds = np.moveaxis(dg @ self._readout, -1, 0)
        h, in_a = _gamma_numpy.gamma_and_slope(a, n, s)
        in_n, in_s = _gamma_numpy.partials_of_parameters(a, n, s)
        terms = ((in_a, da), (in_n, dn), (in_s, ds))
        dh = sum(partial[..., None, :] * deviation for partial, deviation in terms)
        return self._joined(h, g), self._joined(dh, dg)

    def _parts(self, state):
        """The parts h, (…, N), and g, (…, N, G), of states or directions."""
        g = state[..., self.units :]
        return state[..., : self.units], g.reshape(*g.shape[:-1], self.units, len(self._matrix))

    def _joined(self, h, g):
        return np.concatenate([h, g.reshape(*h.shape[:-1], self._width)], axis=-1)


def dynamics_of(
    network: keras.layers.Layer | str | os.PathLike,
    n: ArrayLike | None = None,
    s: ArrayLike | None = None,
    *,
    bias: bool = False,
) -> Dynamics:
    """The autonomous dynamics of a trained layer.

    Args:
        network: A `GammaRNN`, `ARU`, `DrivenRNN` or `keras.layers.SimpleRNN`, a model that holds
            one of the first three, or the folder of a run.
        n: Gain of `GammaDynamics`. None means the gain of the layer or, for an `ARU`, the map of
            the whole adaptive system with its controllers.
        s: Saturation, given together with `n`.
        bias: Whether the map contains the bias b. The paper's map does not.

    Raises:
        ValueError: The layer is of another kind or not built, or one of n and s is missing.
    """
    cell, bias = _cell_of(load_network(network)), flag("bias", bias)
    if (n is None) != (s is None):
        raise ValueError(
            f"Give both `n` and `s`, or neither. Received: n={shown(n)}, s={shown(s)}."
        )
    weights = {weight.name: keras.ops.convert_to_numpy(weight) for weight in cell.weights}
    kernel, offset = weights["recurrent_kernel"], weights.get("bias") if bias else None
    if isinstance(cell, ARUCell) and n is None:
        return ARUDynamics(weights, offset)
    if isinstance(cell, GammaRNNCell) and n is None:
        n, s = weights["n"], weights["s"]
    if isinstance(cell, GammaRNNCell | ARUCell):
        return GammaDynamics(kernel, n, s, offset)
    if n is not None:
        raise ValueError("`n` and `s` belong to GammaRNN and ARU. Received: a layer without them.")
    return ActivationDynamics(kernel, _known_activation(cell.activation), offset)


def as_dynamics(value: Any) -> Dynamics:
    """The `Dynamics` of a layer or model, or of a function; `Dynamics` are returned as they are.

    Those of a layer or model are without its bias, as in the paper; `network_dynamics` has it.

    Raises:
        ValueError: `value` is none of these.
    """
    if isinstance(value, Dynamics):
        return value
    if isinstance(value, keras.layers.Layer):
        return dynamics_of(value)
    if not callable(value):
        raise ValueError(
            "`dynamics` must be Dynamics, a layer, or a function of states. Received: "
            f"{shown(value)}."
        )
    return FunctionDynamics(value)


def _cell_of(network):
    cell = getattr(network, "cell", None) or recurrent_layer(network).cell
    if not isinstance(cell, DrivenRNNCell | keras.layers.SimpleRNNCell) or not cell.built:
        raise ValueError(
            "`network` must be, or hold, a built GammaRNN, ARU, DrivenRNN or SimpleRNN. Received: "
            f"{shown(network)}. For others give FunctionDynamics the map."
        )
    return cell


def _known_activation(function):
    """The name in `ACTIVATIONS` of the activation of a cell."""
    for name in ACTIVATIONS:
        if keras.activations.get(name) is function:
            return name
    raise ValueError(
        "`network` must have an activation whose slope is known: "
        f"{', '.join(map(repr, ACTIVATIONS))}. Received: {shown(function)}. Give "
        "ActivationDynamics your function and its slope, or FunctionDynamics the map."
    )


def _product(rows, matrix):
    """The product rows @ matrix as a single matrix product; NumPy would loop over leading axes."""
    return (rows.reshape(-1, rows.shape[-1]) @ matrix).reshape(rows.shape)


def _checked(argument, value, units):
    expected = f"finite, a number or with a last axis of 1 or {units} units"
    return array(argument, value, (), (..., 1), (..., units), what=expected)
