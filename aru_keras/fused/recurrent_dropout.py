"""Recurrent dropout around any step: W_hh reads h_{t−1} through a mask."""

from dataclasses import dataclass

from keras import ops

from aru_keras._util.types import Tensor
from aru_keras.fused.masks import where
from aru_keras.fused.step import ActivationT, Carry, Residuals, State, Step, StepWeights


@dataclass(frozen=True)
class RecurrentDropout:
    """A `Step` whose recurrence is a_t = u_t + W_hh (d ⊙ h_{t−1}), with d constant in time.

    The mask d, (B, N), is 0 where a unit is dropped, and 1/(1 − rate) elsewhere. It is the last of
    the states, so that the loops take it along and cut it into chunks like every other state, and
    a step without dropout has nothing of it. Nothing is differentiated in it.

    The step inside gets d ⊙ h_{t−1} in place of h_{t−1}, which is all that it does with h_{t−1}
    but keep it at a masked step.

    Attributes:
        step: The step inside.
    """

    step: Step

    def begin(self, weights: StepWeights[ActivationT], state: State) -> Carry:
        return (*self.step.begin(weights, state[:-1]), state[-1])

    def forward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        u: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        h, *rest, dropout = carry
        (new, *rest), residuals = self.step.forward(weights, (h * dropout, *rest), u, mask)
        return (where(mask, new, h), *rest, dropout), residuals

    def end(self, carry: Carry) -> State:
        return (*self.step.end(carry[:-1]), carry[-1])

    def compact(self, residuals: Residuals) -> Residuals:
        return self.step.compact(residuals)

    def recompute(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        inside, residuals = self.step.recompute(weights, carry[:-1], compact, mask)
        return (*inside, carry[-1]), residuals

    def residuals_at(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> Residuals:
        return self.step.residuals_at(weights, carry[:-1], compact, mask)

    def recurrent_inputs(self, state: State, before: Tensor, mask: Tensor | None = None) -> Tensor:
        return self.step.recurrent_inputs(state[:-1], before, mask) * state[-1]

    def restarted(self, carry: Carry, starts: Tensor) -> Carry:
        return (*self.step.restarted(carry[:-1], starts), carry[-1])

    def residuals_like(self, carry: Carry) -> Residuals:
        return self.step.residuals_like(carry[:-1])

    def begin_backward(
        self, weights: StepWeights[ActivationT], state: State, dstate: State | None
    ) -> Carry:
        dstate = None if dstate is None else dstate[:-1]
        return (*self.step.begin_backward(weights, state[:-1], dstate), state[-1])

    def backward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        dh: Tensor,
        residuals: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Tensor]:
        dropout = carry[-1]
        (dh, *rest), da = self.step.backward(weights, carry[:-1], dh, residuals, mask)
        return (where(mask, dh * dropout, dh), *rest, dropout), da

    def end_backward(
        self, weights: StepWeights[ActivationT], state: State, carry: Carry
    ) -> tuple[State, ActivationT]:
        dstate, dactivation = self.step.end_backward(weights, state[:-1], carry[:-1])
        return (*dstate, ops.zeros_like(state[-1])), dactivation
