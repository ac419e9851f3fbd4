"""The steps of the ARU and of RNN+γ, forwards and backwards; `docs/fused.md` derives them.

Both are a `fused.step.Step`, whose documentation says what each method takes and returns. In the
code dv is the cotangent of v, and in_v is ∂γ/∂v.
"""

from dataclasses import dataclass
from typing import NamedTuple

from keras import ops

from aru_keras._util.numerics import tanh
from aru_keras._util.types import Tensor
from aru_keras.activations import floor_gain, gamma_partials, gamma_value
from aru_keras.fused.masks import where
from aru_keras.fused.step import Carry, Residuals, State, StepWeights


class ControllerWeights(NamedTuple):
    """The weights of an `ARUStep` beside W_hh.

    Attributes:
        kernel: w_ag, (G, 1).
        bias: b_g, (G, 1).
        stacked: C, the rows of W_gg, w_n and w_s, (G + 2, G).
        readout_bias: b_n and b_s, (2, 1).
    """

    kernel: Tensor
    bias: Tensor
    stacked: Tensor
    readout_bias: Tensor


class StaticWeights(NamedTuple):
    """The weights of a `GammaRNNStep` beside W_hh.

    Attributes:
        n: Gain, (N,).
        s: Saturation, (N,).
    """

    n: Tensor
    s: Tensor


@dataclass(frozen=True)
class ARUStep:
    """h_t = γ(a_t; n_t, s_t), with n_t and s_t read from g_t = tanh(w_ag a_t + W_gg g_{t−1} + b_g).

    Inside, controller states have the shape (G, M), M = B·N, so that a few large products with
    C = [W_gg; w_n; w_s] serve all of them. The backward pass needs nothing of the controllers but
    g_t, and g_t can be recomputed from a_t without W_hh and γ.

    State: h (B, N), g (B, N·G). Carry: h (B, N), g (G, M). Residuals: a, n, s (B, N), g (G, M).
    Compact residuals: a. Where a step is masked, the residuals a and g are 0. Carry of the backward
    pass: the cotangents of h_t, of z_{t+1} (the argument of the tanh at the next step that the
    sequence takes), of g_T, of [w_ag, b_g], of C transposed and of the read-out's biases.
    """

    def begin(self, weights: StepWeights[ControllerWeights], state: State) -> Carry:
        return state[0], _to_columns(state[1], weights)

    def forward(
        self,
        weights: StepWeights[ControllerWeights],
        carry: Carry,
        u: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        a = where(mask, u + carry[0] @ weights.recurrent_kernel)
        (_, g), residuals = self.recompute(weights, carry, (a,), mask)
        a, n, s, _ = residuals
        return (where(mask, gamma_value(a, n, s), carry[0]), g), residuals

    def end(self, carry: Carry) -> State:
        h, g = carry
        return h, _to_rows(g, h)

    def signal(
        self, name: str, weights: StepWeights[ControllerWeights], carry: Carry, residuals: Residuals
    ) -> Tensor:
        (h, g), (a, n, s, _) = carry, residuals
        return _to_rows(g, h) if name == "g" else {"a": a, "n": n, "s": s, "h": h}[name]

    def compact(self, residuals: Residuals) -> Residuals:
        return residuals[:1]

    def recompute(
        self,
        weights: StepWeights[ControllerWeights],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        (a,), (h, before) = compact, carry
        kernel, bias, stacked, _ = weights.activation
        g = tanh(kernel * ops.reshape(a, (1, -1)) + stacked[:-2] @ before + bias)
        carry = h, where(_mask_to_columns(mask, a), g, before)
        return carry, self.residuals_at(weights, carry, compact, mask)

    def residuals_at(
        self,
        weights: StepWeights[ControllerWeights],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> Residuals:
        (a,), (_, g) = compact, carry
        g = where(_mask_to_columns(mask, a), g)
        readouts = weights.activation.stacked[-2:] @ g + weights.activation.readout_bias
        n, s = ops.reshape(readouts[0], ops.shape(a)), ops.reshape(readouts[1], ops.shape(a))
        return a, n, s, g

    def recurrent_inputs(self, state: State, before: Tensor, mask: Tensor | None = None) -> Tensor:
        return before

    def restarted(self, carry: Carry, starts: Tensor) -> Carry:
        h, g, *others = carry
        goes_on = ops.logical_not(starts)
        return where(goes_on, h), where(_mask_to_columns(goes_on, h), g), *others

    def residuals_like(self, carry: Carry) -> Residuals:
        h, g = carry
        return h, h, h, g

    def begin_backward(
        self, weights: StepWeights[ControllerWeights], state: State, dstate: State | None
    ) -> Carry:
        dh, dz = ops.zeros_like(state[0]), ops.zeros_like(_to_columns(state[1], weights))
        dg = ops.zeros((), dtype=dz.dtype)
        if dstate is not None:
            dh, dg = dstate[0], _to_columns(dstate[1], weights)
        kernel, bias, stacked, readout_bias = map(ops.zeros_like, weights.activation)
        # The cotangents of w_ag and b_g come from one product, so they stand in one matrix. That of
        # C is summed as its transpose, which is the faster of the two products.
        sums = ops.concatenate([kernel, bias], axis=1), ops.transpose(stacked), readout_bias
        return (dh, dz, dg, *sums)

    def backward(
        self,
        weights: StepWeights[ControllerWeights],
        carry: Carry,
        dh: Tensor,
        residuals: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Tensor]:
        kernel, _, stacked, _ = weights.activation
        dh_next, dz_next, dg_last, d_kernel_bias, d_stacked, d_readout_bias = carry
        a, n, s, g = residuals
        columns = _mask_to_columns(mask, a)
        dh = dh + dh_next
        in_a, in_n, in_s = gamma_partials(a, floor_gain(n), s)
        readouts = ops.stack([ops.reshape(dh * in_n, (-1,)), ops.reshape(dh * in_s, (-1,))])
        # A masked step adds nothing to any sum, as a and g are 0, and sends on what it gets.
        readouts = where(columns, readouts)
        dproduct = ops.concatenate([dz_next, readouts])
        dg = ops.transpose(stacked) @ dproduct + dg_last
        dz = where(columns, dg * (1 - g * g), dz_next)
        da = where(mask, dh * in_a + ops.reshape(ops.transpose(kernel) @ dz, ops.shape(a)))
        flat = ops.reshape(a, (1, -1))
        ones = where(columns, ops.ones_like(flat))
        sums = (
            d_kernel_bias + dz @ ops.transpose(ops.concatenate([flat, ones])),
            d_stacked + g @ ops.transpose(dproduct),
            d_readout_bias + ops.sum(readouts, axis=1, keepdims=True),
        )
        dh = where(mask, da @ ops.transpose(weights.recurrent_kernel), dh)
        return (dh, dz, _unsent(dg_last, columns), *sums), da

    def end_backward(
        self, weights: StepWeights[ControllerWeights], state: State, carry: Carry
    ) -> tuple[State, ControllerWeights]:
        dh, dz, dg, d_kernel_bias, d_stacked, d_readout_bias = carry
        # The first step has read g_0, too, with the rows of W_gg.
        first = ops.pad(dz @ ops.transpose(_to_columns(state[1], weights)), ((0, 2), (0, 0)))
        dg = ops.transpose(weights.activation.stacked[:-2]) @ dz + dg
        return (dh, _to_rows(dg, dh)), ControllerWeights(
            kernel=d_kernel_bias[:, :1],
            bias=d_kernel_bias[:, 1:],
            stacked=ops.transpose(d_stacked) + first,
            readout_bias=d_readout_bias,
        )


def _unsent(dg_last, columns):
    """What of the cotangents of g_T the steps before a step get: those of masked sequences."""
    if columns is None or not len(dg_last.shape):
        return ops.zeros((), dtype=dg_last.dtype)
    return where(ops.logical_not(columns), dg_last)


def _mask_to_columns(mask, a):
    """The mask of the sequences, (B, 1), as one of all units, (1, B·N)."""
    return None if mask is None else ops.reshape(ops.broadcast_to(mask, ops.shape(a)), (1, -1))


def _to_columns(g, weights):
    """(B, N·G) as (G, B·N)."""
    return ops.transpose(ops.reshape(g, (-1, weights.activation.stacked.shape[1])))


def _to_rows(g, h):
    """(G, B·N) as (B, N·G)."""
    return ops.reshape(ops.transpose(g), (-1, h.shape[1] * g.shape[0]))


@dataclass(frozen=True)
class GammaRNNStep:
    """h_t = γ(a_t; n, s), with n and s constant in time.

    State and carry: h (B, N). Residuals, all of them compact: a (B, N). Carry of the backward pass:
    the cotangents of h_t, n and s.
    """

    def begin(self, weights: StepWeights[StaticWeights], state: State) -> Carry:
        return tuple(state)

    def forward(
        self,
        weights: StepWeights[StaticWeights],
        carry: Carry,
        u: Tensor,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        a = where(mask, u + carry[0] @ weights.recurrent_kernel)
        n, s = (ops.zeros_like(a) + value for value in weights.activation)
        return (where(mask, gamma_value(a, n, s), carry[0]),), (a,)

    def end(self, carry: Carry) -> State:
        return carry

    def signal(
        self, name: str, weights: StepWeights[StaticWeights], carry: Carry, residuals: Residuals
    ) -> Tensor:
        (h,), (a,), (n, s) = carry, residuals, weights.activation
        return ops.zeros_like(a) + {"a": a, "n": n, "s": s, "h": h}[name]

    def compact(self, residuals: Residuals) -> Residuals:
        return residuals

    def recompute(
        self,
        weights: StepWeights[StaticWeights],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Residuals]:
        return carry, compact

    def residuals_at(
        self,
        weights: StepWeights[StaticWeights],
        carry: Carry,
        compact: Residuals,
        mask: Tensor | None = None,
    ) -> Residuals:
        return compact

    def recurrent_inputs(self, state: State, before: Tensor, mask: Tensor | None = None) -> Tensor:
        return before

    def restarted(self, carry: Carry, starts: Tensor) -> Carry:
        return where(ops.logical_not(starts), carry[0]), *carry[1:]

    def residuals_like(self, carry: Carry) -> Residuals:
        return carry

    def begin_backward(
        self, weights: StepWeights[StaticWeights], state: State, dstate: State | None
    ) -> Carry:
        dh = ops.zeros_like(state[0]) if dstate is None else dstate[0]
        return (dh, *map(ops.zeros_like, weights.activation))

    def backward(
        self,
        weights: StepWeights[StaticWeights],
        carry: Carry,
        dh: Tensor,
        residuals: Residuals,
        mask: Tensor | None = None,
    ) -> tuple[Carry, Tensor]:
        dh_next, dn, ds = carry
        (a,) = residuals
        n, s = (ops.zeros_like(a) + value for value in weights.activation)
        in_a, in_n, in_s = gamma_partials(a, floor_gain(n), s)
        dh = dh + dh_next
        own = where(mask, dh)
        da = own * in_a
        dn, ds = dn + ops.sum(own * in_n, axis=0), ds + ops.sum(own * in_s, axis=0)
        dh = where(mask, da @ ops.transpose(weights.recurrent_kernel), dh)
        return (dh, dn, ds), da

    def end_backward(
        self, weights: StepWeights[StaticWeights], state: State, carry: Carry
    ) -> tuple[State, StaticWeights]:
        dh, dn, ds = carry
        return (dh,), StaticWeights(dn, ds)
