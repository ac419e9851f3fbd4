"""The contract between one step of a recurrent network and the loops that run a whole sequence.

A step knows the equations and their hand-derived gradient; it is written in `keras.ops`, for every
backend. A backend (`fused.jax`, `fused.tensorflow`, `fused.torch`) knows how to loop over steps,
which residuals to keep, and how to announce the gradient to its framework.

Shapes: B sequences, N units. The cotangent of a tensor v, the gradient of the loss in v, is called
dv. States have the shapes that the layers give them, (B, …), and the first of them is h.
"""

from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from aru_keras._util.types import Tensor

State: TypeAlias = tuple[Tensor, ...]
"""The states of a layer, h (B, N) first."""

Carry: TypeAlias = tuple[Tensor, ...]
"""What a loop carries from one step to the next, in whatever layout suits the step."""

Residuals: TypeAlias = tuple[Tensor, ...]
"""What the forward pass of a step leaves for its backward pass."""

ActivationT = TypeVar("ActivationT", bound=tuple[Any, ...])


class StepWeights(NamedTuple, Generic[ActivationT]):
    """The weights that a step reads.

    Attributes:
        recurrent_kernel: W_hh, (N, N). Its cotangent is one product over all steps, which the loops
            take when they are done.
        activation: A NamedTuple of the other weights, whose cotangents the steps add up.
    """

    recurrent_kernel: Tensor
    activation: ActivationT


class Step(Protocol[ActivationT]):
    """One step of a recurrent network, h_t from h_{t−1} and u_t, and its gradient.

    u_t = W_xh x_t + b + ξ_t is what the input and the drive add to the pre-activation a_t. It is
    one large product for the whole sequence, outside the loops. As a_t = u_t + W_hh h_{t−1}, the
    cotangent of u_t is that of a_t.

    The forward pass of T steps, and then their backward pass, are these calls::

        carry = begin(weights, state)
        carry, residuals[t] = forward(weights, carry, u[t], mask[t])           # t = 1 … T
        state = end(carry)

        carry = begin_backward(weights, state, dstate)
        carry, du[t] = backward(weights, carry, dh[t], residuals[t], mask[t])  # t = T … 1
        dstate, dactivation = end_backward(weights, state, carry)

    `mask[t]`, (B, 1), says which sequences take step t. The others keep their state, whatever their
    u[t] is. It is None where all take every step. For a `restarts.Restarting` it has a second
    column, which says which sequences start anew.

    Where residuals would take too much memory, a loop keeps the carry at every K-th step, a
    checkpoint, and of the steps between only the small residuals that `compact` chooses. In the
    backward pass `recompute` makes the others again.

    A step is hashable, and equal to every other of its kind: the backends cache compiled programs
    with the step as key.
    """

    def begin(self, weights: StepWeights[ActivationT], state: State) -> Carry:
        """The carry before the first step; its first entry is h."""
        ...

    def forward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        u: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        """One step: the next carry, whose first entry is h_t, and the residuals of the step."""
        ...

    def end(self, carry: Carry) -> State:
        """The state after the last step."""
        ...

    def compact(self, residuals: Residuals) -> Residuals:
        """The small residuals from which, with a carry, `recompute` makes all of them again."""
        ...

    def recompute(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        """`forward` once more, from compact residuals; the h of the carry is left as it was."""
        ...

    def residuals_at(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> Residuals:
        """The residuals of a step, from its compact ones and the carry after it: a checkpoint."""
        ...

    def recurrent_inputs(self, state: State, before: Tensor, mask: Tensor | None = None) -> Tensor:
        """What W_hh is multiplied with in the steps, from the h before each of them, (T, B, N).

        The cotangent of W_hh is the product of this with the cotangents of u. `mask` has all steps,
        (T, B, 1).
        """
        ...

    def restarted(self, carry: Carry, starts: Tensor) -> Carry:
        """The carry of either pass, with zeros for the sequences that start, (B, 1)."""
        ...

    def residuals_like(self, carry: Carry) -> Residuals:
        """Tensors of the shapes and dtypes of the residuals of a step."""
        ...

    def begin_backward(
        self, weights: StepWeights[ActivationT], state: State, dstate: State | None
    ) -> Carry:
        """The carry of the backward pass, before the last step; its first entry is that of h.

        Args:
            weights: The weights.
            state: State before the first step.
            dstate: Cotangents of the last state; None where it is not differentiated. The carry
                holds these cotangents. Without masks, only the first `backward` reads those of the
                other states; afterwards a scalar 0 replaces them. If dstate is None, it does so
                from the start.
        """
        ...

    def backward(
        self,
        weights: StepWeights[ActivationT],
        carry: Carry,
        dh: Tensor,
        residuals: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Tensor]:
        """One step of the backward pass: the next carry, and the cotangent of u_t.

        Args:
            weights: The weights.
            carry: Carry of the backward pass, which brings what later steps send to this one.
            dh: Cotangent of h_t from outside of the recurrence, (B, N).
            residuals: The residuals of this step.
            mask: Which sequences take this step, (B, 1); None for all.
        """
        ...

    def end_backward(
        self, weights: StepWeights[ActivationT], state: State, carry: Carry
    ) -> tuple[State, ActivationT]:
        """The cotangents of the first state and of `weights.activation`."""
        ...
