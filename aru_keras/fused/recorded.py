"""Recordings of any step: what the loops put out at every step are its signals."""

from dataclasses import dataclass
from typing import Any, Protocol

from keras import ops

from aru_keras._util.types import Tensor
from aru_keras.fused.step import ActivationT, Carry, Residuals, State, Step, StepWeights


class SignalStep(Step[ActivationT], Protocol[ActivationT]):
    """A `Step` that can tell its signals."""

    def signal(
        self, name: str, weights: StepWeights[ActivationT], carry: Carry, residuals: Residuals
    ) -> Tensor:
        """A signal at a step, (B, N), or (B, N·G) for "g".

        Args:
            name: Name of the signal, as in the cell.
            weights: The weights.
            carry: Carry after the step.
            residuals: Residuals of the step.
        """
        ...


@dataclass(frozen=True)
class Recorded:
    """The forward pass of a `Step` that puts out signals in the place of h.

    The loops put out the first entry of the carry at every step. Here it is the signals, side by
    side, and the carry of the step inside stands behind it. So the one pass through a sequence
    gives all of them. A recording leaves no residuals, and has no backward pass.

    Attributes:
        step: The step inside.
        signals: Names of the signals, in the order in which they stand side by side.
        width: Number of features of all signals together.
        dtype: The dtype in which the layer puts out h, to which it is rounded.
    """

    step: SignalStep[Any]
    signals: tuple[str, ...]
    width: int
    dtype: str

    def begin(self, weights: StepWeights[Any], state: State) -> Carry:
        empty = ops.zeros((ops.shape(state[0])[0], self.width), dtype=state[0].dtype)
        return empty, *self.step.begin(weights, state)

    def forward(
        self, weights: StepWeights[Any], carry: Carry, u: Tensor, mask: Tensor | None = None
    ) -> tuple[Carry, Residuals]:
        inside, residuals = self.step.forward(weights, carry[1:], u, mask)
        signals = [self._signal(name, weights, inside, residuals) for name in self.signals]
        return (ops.concatenate(signals, axis=-1), *inside), ()

    def _signal(self, name, weights, carry, residuals):
        value = self.step.signal(name, weights, carry, residuals)
        return ops.cast(ops.cast(value, self.dtype), value.dtype) if name == "h" else value

    def end(self, carry: Carry) -> State:
        return self.step.end(carry[1:])

    def compact(self, residuals: Residuals) -> Residuals:
        return residuals

    def residuals_like(self, carry: Carry) -> Residuals:
        return ()
