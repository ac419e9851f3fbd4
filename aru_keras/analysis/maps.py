"""Autonomous maps h → F(h), and those of someone else's function."""

import keras
import numpy as np

from aru_keras.analysis.differences import directional_differences
from aru_keras.arguments import array, finite, shown


class Dynamics:
    """An autonomous map h → F(h), batched over leading axes; subclasses say `push`.

    Attributes:
        size: N, the number of components of a state; None where any number will do.
    """

    size: int | None = None

    def parameters(self) -> dict[str, np.ndarray]:
        """What is broadcast against the states, by its name."""
        return {}

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
        h = self._states(h)
        return self.push(h, np.empty((*h.shape[:-1], 0, h.shape[-1])))[0]

    def jacobian(self, h) -> np.ndarray:
        """J(h), (…, N, N), with J[i, j] = ∂F_i/∂h_j."""
        h = self._states(h)
        size = h.shape[-1]
        pushed = self.push(h, np.broadcast_to(np.eye(size), (*h.shape, size)))[1]
        return np.swapaxes(pushed, -1, -2)

    def _states(self, h):
        return array("h", h, (..., self.size or "N"))


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
        self._function = checked_function("function", function)
        self._jacobian, self._product = (
            None if value is None else checked_function(name, value)
            for name, value in (("jacobian", jacobian), ("jacobian_product", jacobian_product))
        )
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


def checked_function(argument: str, value):
    """`value`, which must be a function.

    Raises:
        ValueError: it is none.
    """
    if not callable(value):
        raise ValueError(f"`{argument}` must be a function. Received: {shown(value)}.")
    return value
