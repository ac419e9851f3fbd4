"""Restarts inside a sequence, around any step: an episode begins, and the state with it."""

from dataclasses import dataclass

from keras import ops

from aru_keras._util.types import Tensor
from aru_keras.fused.step import ActivationT, Carry, Residuals, State, Step, StepWeights


def with_starts(
    step: Step, mask: Tensor | None, starts: Tensor | None
) -> tuple[Step, Tensor | None]:
    """A step that restarts sequences, and the mask that the loops give it at every step.

    Args:
        step: The step.
        mask: Mask, (T, B), False at the steps that a sequence skips; None where none does.
        starts: Starts, (T, B), True at the steps before which a sequence gets its initial state;
            None where none does. A start at a step that is skipped is skipped with it.

    Returns:
        `(step, mask)`: the step itself and (T, B, 1), or None, without starts; else a `Restarting`
        and (T, B, 2), whose columns are the mask and the starts.
    """
    if starts is None:
        return step, None if mask is None else mask[..., None]
    taken = ops.ones_like(starts) if mask is None else mask
    return Restarting(step, mask is not None), ops.stack([taken, starts & taken], axis=-1)


@dataclass(frozen=True)
class Restarting:
    """A `Step` whose sequences can start anew at any step, from a state of zeros.

    With e_t = 1 where a sequence starts at step t, and 0 elsewhere, the step inside gets
    (1 − e_t) ⊙ its carry. So its backward pass sends (1 − e_t) ⊙ the cotangents to step t − 1.

    Attributes:
        step: The step inside.
        masked: Whether sequences skip steps. If not, the step inside gets no mask.
    """

    step: Step
    masked: bool

    def begin(self, weights: StepWeights[ActivationT], state: State) -> Carry:
        return self.step.begin(weights, state)

    def forward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        u: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        return self.step.forward(weights, self.restarted(carry, mask), u, self._inner(mask))

    def end(self, carry: Carry) -> State:
        return self.step.end(carry)

    def compact(self, residuals: Residuals) -> Residuals:
        return self.step.compact(residuals)

    def recompute(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        carry = self.restarted(carry, mask)
        return self.step.recompute(weights, carry, compact, self._inner(mask))

    def residuals_at(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> Residuals:
        return self.step.residuals_at(weights, carry, compact, self._inner(mask))

    def recurrent_inputs(self, state: State, before: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            before = ops.where(mask[..., 1:], ops.zeros_like(before), before)
        return self.step.recurrent_inputs(state, before, self._inner(mask))

    def restarted(self, carry: Carry, starts: Tensor | None) -> Carry:
        """The carry of either pass; `starts` is the mask of the step, (B, 2)."""
        return carry if starts is None else self.step.restarted(carry, starts[:, 1:])

    def residuals_like(self, carry: Carry) -> Residuals:
        return self.step.residuals_like(carry)

    def begin_backward(
        self, weights: StepWeights[ActivationT], state: State, dstate: State | None
    ) -> Carry:
        return self.step.begin_backward(weights, state, dstate)

    def backward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        dh: Tensor,
        residuals: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Tensor]:
        carry, da = self.step.backward(weights, carry, dh, residuals, self._inner(mask))
        return self.restarted(carry, mask), da

    def end_backward(
        self, weights: StepWeights[ActivationT], state: State, carry: Carry
    ) -> tuple[State, ActivationT]:
        return self.step.end_backward(weights, state, carry)

    def _inner(self, mask):
        """The mask of the step inside."""
        return mask[..., :1] if self.masked and mask is not None else None
