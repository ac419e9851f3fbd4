"""Autonomous dynamics h → F(h) of recurrent networks, and how they carry small deviations along.

No input and no drive: what is left of a network when it runs on its own (Geadah et al. 2024, Fig 5
and App. D). `GammaDynamics` is the paper's map at a given (n, s), `ARUDynamics` the whole adaptive
system with its controllers, `ActivationDynamics` any simple recurrent network, `FunctionDynamics`
any function. Numpy, float64.

Example::

    dynamics = dynamics_of(model, n=n, s=s)  # or keras.layers.SimpleRNN(...)
    exponents = lyapunov_exponents(dynamics, start)
"""

import keras
import numpy as np
from scipy.special import expit

from aru_keras.analysis import gamma_numpy
from aru_keras.analysis.differences import directional_differences
from aru_keras.arguments import finite, one_of
from aru_keras.layers import ARUCell, DrivenRNNCell, GammaRNNCell
from aru_keras.probing import load_network, recurrent_layer

ACTIVATIONS = {
    "linear": (lambda a: a, np.ones_like),
    "tanh": (np.tanh, lambda a: 1 / np.cosh(np.clip(a, -700, 700)) ** 2),
    "relu": (lambda a: np.maximum(a, 0), lambda a: (a > 0).astype("float64")),
    "sigmoid": (expit, lambda a: expit(a) * expit(-a)),
    "softplus": (gamma_numpy.softplus, expit),
}
"""Activations by their Keras names: f and f′."""


class Dynamics:
    """An autonomous map h → F(h), batched over leading axes; subclasses say `push`."""

    def push(self, h, directions):
        """One step of states and of directions tangent to them.

        Args:
            h: States, (…, N).
            directions: (…, k, N), one direction v a row.

        Returns:
            `(F(h), J(h)·v)`, (…, N) and (…, k, N).
        """
        raise NotImplementedError

    def __call__(self, h) -> np.ndarray:
        """F(h), (…, N)."""
        h = np.asarray(h, "float64")
        return self.push(h, np.empty((*h.shape[:-1], 0, h.shape[-1])))[0]

    def jacobian(self, h) -> np.ndarray:
        """J(h), (…, N, N), with J[i, j] = ∂F_i/∂h_j."""
        h = np.asarray(h, "float64")
        size = h.shape[-1]
        pushed = self.push(h, np.broadcast_to(np.eye(size), (*h.shape, size)))[1]
        return np.swapaxes(pushed, -1, -2)


class FunctionDynamics(Dynamics):
    """A map of someone else's.

    With no derivative given, J·v is (F(h + t·v) − F(h − t·v))/2t, with t the largest that moves no
    h_i by more than `step`·max(1, |h_i|). Of a smooth F, such as a tanh network of 200 units, it is
    good to 1e-9 of the largest entry where F returns float64, to 2e-4 where it returns float32.

    Args:
        function: F, from states (…, N) to (…, N), whatever the leading axes.
        jacobian: From states to J, (…, N, N).
        jacobian_product: In its place: from states (…, N) and directions (…, k, N) to J·v.
        step: Of the differences; None: the cube root of the precision of what F returns. Give 5e-3
            where float64 is returned and float32 computed in between.

    Raises:
        ValueError: both derivatives are given, or what F returns is of another shape or dtype, or
            not finite where differences are taken.
    """

    def __init__(self, function, jacobian=None, jacobian_product=None, *, step=None):
        if jacobian is not None and jacobian_product is not None:
            raise ValueError("Give `jacobian` or `jacobian_product`. Received: both.")
        self._function, self._jacobian, self._product = function, jacobian, jacobian_product
        self._step = None if step is None else finite("step", step, least=1e-12)

    def push(self, h, directions):
        value = self._value(h)
        if self._product is not None:
            pushed = self._product(h, directions)
        elif self._jacobian is not None:
            pushed = directions @ np.swapaxes(self._jacobian(h), -1, -2)
        else:
            step = self._step or np.cbrt(np.finfo(value.dtype).eps)
            pushed = directional_differences(self._value, h, directions, step)
        return value.astype("float64"), pushed

    def _value(self, h):
        value = keras.ops.convert_to_numpy(self._function(h))
        if value.shape != h.shape or value.dtype.kind != "f":
            raise ValueError(
                "`function` must return floating-point numbers in the shape of its states, with "
                f"any leading axes. Received: {value.dtype} {value.shape} for {h.shape}."
            )
        return value


class _RecurrentDynamics(Dynamics):
    """h → f(h·W + b), W in Keras' layout: W[i, j] leads from unit i to unit j."""

    def __init__(self, recurrent_kernel, bias):
        self.recurrent_kernel = checked_kernel(recurrent_kernel)
        self.bias = _checked("bias", 0.0 if bias is None else bias, len(self.recurrent_kernel))

    def respond(self, a):
        """f(a) and f′(a)."""
        raise NotImplementedError

    def push(self, h, directions):
        value, slope = self.respond(_product(h, self.recurrent_kernel) + self.bias)
        return value, _product(directions, self.recurrent_kernel) * slope[..., None, :]

    def jacobian(self, h):
        slope = self.respond(np.asarray(h, "float64") @ self.recurrent_kernel + self.bias)[1]
        return slope[..., :, None] * self.recurrent_kernel.T


class GammaDynamics(_RecurrentDynamics):
    """h → γ(h·W + b; n, s), the main dynamics at a given gain and saturation.

    Args:
        recurrent_kernel: W_hh, (N, N), in Keras' layout h·W.
        n: Gain, broadcastable against the states (…, N): a number, (N,), or a set a lane, (…, 1)
            or (…, N).
        s: Saturation, like `n`.
        bias: b, like `n`; None for none, as in the paper.

    Raises:
        ValueError: a shape does not fit, or a value is not finite.
    """

    def __init__(self, recurrent_kernel, n, s, bias=None):
        super().__init__(recurrent_kernel, bias)
        units = len(self.recurrent_kernel)
        self.n, self.s = _checked("n", n, units), _checked("s", s, units)

    def respond(self, a):
        return gamma_numpy.gamma_and_slope(a, self.n, self.s)


class ActivationDynamics(_RecurrentDynamics):
    """h → f(h·W + b) for a plain activation f: a simple recurrent network's.

    Args:
        recurrent_kernel: (N, N), as `keras.layers.SimpleRNN` keeps it.
        activation: One of `ACTIVATIONS`, or a pair of functions, f and f′.
        bias: b, broadcastable against the states; None for none.

    Raises:
        ValueError: an unknown activation, a shape that does not fit, or a value that is not finite.
    """

    def __init__(self, recurrent_kernel, activation="tanh", bias=None):
        super().__init__(recurrent_kernel, bias)
        pair = activation
        if not isinstance(activation, tuple):
            pair = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
        self._function, self._slope = pair

    def respond(self, a):
        return self._function(a), self._slope(a)


class ARUDynamics(Dynamics):
    """The whole adaptive system: (h, g) → (h′, g′), each unit with its own controller.

    The state has N + N·G components, h and then g as `ARUCell` keeps it, unit by unit. Its
    `jacobian` is that size squared: at the paper's N = 400, G = 50 use `push`.

    Args:
        weights: Those of an `ARUCell` by name, in its layout: recurrent_kernel (N, N),
            controller_kernel (1, G), controller_recurrent_kernel (G, G), controller_bias (G,),
            readout_kernel (G, 2), readout_bias (2,).
        bias: b, or any constant input, broadcastable to (…, N); None for none.

    Raises:
        ValueError: W_hh is not square, or a value is not finite.
    """

    def __init__(self, weights, bias=None):
        self.recurrent_kernel = checked_kernel(weights["recurrent_kernel"])
        self.units = len(self.recurrent_kernel)
        self.bias = _checked("bias", 0.0 if bias is None else bias, self.units)
        names = ("kernel", "recurrent_kernel", "bias")
        self._kernel, self._matrix, self._offset = (
            np.asarray(weights[f"controller_{name}"], "float64") for name in names
        )
        self._width = self.units * len(self._matrix)
        self._readout = np.asarray(weights["readout_kernel"], "float64")
        self._readout_bias = np.asarray(weights["readout_bias"], "float64")

    def push(self, state, directions):
        h, g = self._parts(state)
        dh, dg = self._parts(directions)
        a = _product(h, self.recurrent_kernel) + self.bias
        da = _product(dh, self.recurrent_kernel)
        g = np.tanh(a[..., None] * self._kernel[0] + g @ self._matrix + self._offset)
        dg = (1 - g**2)[..., None, :, :] * (da[..., None] * self._kernel[0] + dg @ self._matrix)
        n, s = np.moveaxis(g @ self._readout + self._readout_bias, -1, 0)
        dn, ds = np.moveaxis(dg @ self._readout, -1, 0)
        h, in_a = gamma_numpy.gamma_and_slope(a, n, s)
        in_n, in_s = gamma_numpy.partials_of_parameters(a, n, s)
        terms = ((in_a, da), (in_n, dn), (in_s, ds))
        dh = sum(partial[..., None, :] * deviation for partial, deviation in terms)
        return self._joined(h, g), self._joined(dh, dg)

    def _parts(self, state):
        """h (…, N) and g (…, N, G) of states or directions."""
        g = state[..., self.units :]
        return state[..., : self.units], g.reshape(*g.shape[:-1], self.units, len(self._matrix))

    def _joined(self, h, g):
        return np.concatenate([h, g.reshape(*h.shape[:-1], self._width)], axis=-1)


def dynamics_of(network, n=None, s=None, *, bias: bool = False) -> Dynamics:
    """The autonomous dynamics of a trained layer.

    Args:
        network: `GammaRNN`, `ARU`, `DrivenRNN`, `keras.layers.SimpleRNN`, a model that holds one of
            the first three, or the folder of a run.
        n: Gain of `GammaDynamics`; None: the layer's own, or, for an `ARU`, the whole adaptive
            system with its controllers.
        s: Saturation, likewise.
        bias: Whether the map has the bias b; the paper's has not.

    Raises:
        ValueError: the layer is of another kind or not built, or one of n and s is missing.
    """
    cell = _cell_of(load_network(network))
    if (n is None) != (s is None):
        raise ValueError(f"Give both `n` and `s`, or neither. Received: n={n!r}, s={s!r}.")
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
    return ActivationDynamics(kernel, keras.activations.serialize(cell.activation), offset)


def as_dynamics(value) -> Dynamics:
    """`Dynamics` as they are, a layer's or model's as `dynamics_of`, any function as its own map.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, Dynamics):
        return value
    if isinstance(value, keras.layers.Layer):
        return dynamics_of(value)
    if not callable(value):
        raise ValueError(
            f"`dynamics` must be Dynamics, a layer, or a function of states. Received: {value!r}."
        )
    return FunctionDynamics(value)


def _cell_of(network):
    cell = getattr(network, "cell", None) or recurrent_layer(network).cell
    if not isinstance(cell, DrivenRNNCell | keras.layers.SimpleRNNCell) or not cell.built:
        raise ValueError(
            "`network` must be, or hold, a built GammaRNN, ARU, DrivenRNN or SimpleRNN. Received: "
            f"{network!r}. For others give FunctionDynamics the map."
        )
    return cell


def _product(rows, matrix):
    """rows @ matrix as one product of two matrices; numpy's own takes one for each lane."""
    return (rows.reshape(-1, rows.shape[-1]) @ matrix).reshape(rows.shape)


def checked_kernel(recurrent_kernel) -> np.ndarray:
    """W_hh as a float64 array.

    Raises:
        ValueError: it is not square, or not finite.
    """
    kernel = np.asarray(recurrent_kernel, "float64")
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or not np.isfinite(kernel).all():
        raise ValueError(
            "`recurrent_kernel` must be a finite square matrix (N, N). Received: shape "
            f"{kernel.shape}, finite: {bool(np.isfinite(kernel).all())}."
        )
    return kernel


def _checked(argument, value, units):
    value = np.asarray(value, "float64")
    if (value.ndim and value.shape[-1] not in (1, units)) or not np.isfinite(value).all():
        raise ValueError(
            f"`{argument}` must be finite, a number or with a last axis of 1 or {units} units. "
            f"Received: shape {value.shape}, finite: {bool(np.isfinite(value).all())}."
        )
    return value
