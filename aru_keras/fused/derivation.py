"""One step of a whole sequence, forwards and, by hand, backwards (`docs/fused.md` derives it).

What the input adds to the pre-activation, u_t = W_xh x_t + b + ξ_t, is one large product outside;
here is what must go step by step. A step object has, for weights whose first is W_hh,

- `begin(weights, state)`: the carry before the first step; its first entry is h;
- `forward(weights, carry, u)`: the next carry, and what `backward` needs of the step;
- `lean(kept)`: the small part of it from which, and a carry, `redo` makes all of it again;
- `redo(weights, carry, lean)`: the next carry, without its h, and what `backward` needs;
- `kept_at(weights, carry, lean)`: what `backward` needs of the step that led to this carry;
- `end(carry)`: the state after the last step;
- `kept_like(carry)`: tensors of the shapes of what `forward` keeps;
- `begin_backward(weights, state, dstate)`: the carry of the way back, before the last step. Only
  there do the cotangents of the last state, dstate, stand in full; after one `backward` those of
  the memory are a single 0, and so from the start with dstate None;
- `backward(weights, carry, dh, kept)`: the next such carry, and da_t, from the cotangent that h_t
  gets from outside;
- `end_backward(weights, state, carry)`: the cotangents of the first state, and of the weights but
  W_hh, which get one product over all steps outside.

States are as the layers have them, (B, …). All in `keras.ops`, for every backend.
"""

from dataclasses import dataclass

from keras import ops

from aru_keras.activations import floor_gain, gamma_partials, gamma_same_shape
from aru_keras.numerics import tanh


@dataclass(frozen=True)
class ARUStep:
    """h_t = γ(a_t; n_t, s_t); n_t, s_t are read from g_t = tanh(w_ag a_t + W_gg g_{t−1} + b_g).

    Inside, controller states stand as (G, M), M = B·N, so that all of them take few large products
    with C = [W_gg; w_n; w_s]. Of the controller g_t, after the tanh, is all that the way back
    needs; and to come by it again a_t is enough, without W_hh and γ.

    Weights: W_hh (N, N), w_ag (G, 1), b_g (G, 1), C (G + 2, G), b_r (2, 1).
    State: h (B, N), g (B, N·G).
    """

    def begin(self, weights, state):
        return state[0], _inside(state[1], weights)

    def forward(self, weights, carry, u):
        a = u + carry[0] @ weights[0]
        carry, kept = self.redo(weights, carry, (a,))
        return (gamma_same_shape(*kept[:3]), carry[1]), kept

    def lean(self, kept):
        return kept[:1]

    def redo(self, weights, carry, lean):
        _, from_a, bias, matrix, _ = weights
        (a,), (h, g) = lean, carry
        g = tanh(from_a * ops.reshape(a, (1, -1)) + matrix[:-2] @ g + bias)
        return (h, g), self.kept_at(weights, (h, g), lean)

    def kept_at(self, weights, carry, lean):
        (a,), g = lean, carry[1]
        readouts = weights[3][-2:] @ g + weights[4]
        n, s = ops.reshape(readouts[0], ops.shape(a)), ops.reshape(readouts[1], ops.shape(a))
        return a, n, s, g

    def end(self, carry):
        return carry[0], _outside(carry[1], carry[0])

    def kept_like(self, carry):
        return carry[0], carry[0], carry[0], carry[1]

    def begin_backward(self, weights, state, dstate):
        dh, dz = ops.zeros_like(state[0]), ops.zeros_like(_inside(state[1], weights))
        dg = dz[:1, :1]
        if dstate is not None:
            dh, dg = dstate[0], _inside(dstate[1], weights)
        from_a, bias, matrix, readout_bias = (ops.zeros_like(weight) for weight in weights[1:])
        # What takes one product stands together, and C the faster way round for its own.
        sums = ops.concatenate([from_a, bias], axis=1), ops.transpose(matrix), readout_bias
        return (dh, dz, dg, *sums)

    def backward(self, weights, carry, dh, kept):
        kernel, from_a, _, matrix, _ = weights
        dh_next, dz, dg, d_into_z, d_matrix, d_readout_bias = carry
        a, n, s, g = kept
        dh = dh + dh_next
        in_a, in_n, in_s = gamma_partials(a, floor_gain(n), s)
        readouts = ops.stack([ops.reshape(dh * in_n, (-1,)), ops.reshape(dh * in_s, (-1,))])
        dproduct = ops.concatenate([dz, readouts])
        dg = ops.transpose(matrix) @ dproduct + dg
        dz = dg * (1 - g * g)
        da = dh * in_a + ops.reshape(ops.transpose(from_a) @ dz, ops.shape(a))
        flat = ops.reshape(a, (1, -1))
        sums = (
            d_into_z + dz @ ops.transpose(ops.concatenate([flat, ops.ones_like(flat)])),
            d_matrix + g @ ops.transpose(dproduct),
            d_readout_bias + ops.sum(readouts, axis=1, keepdims=True),
        )
        return (da @ ops.transpose(kernel), dz, ops.zeros_like(dg[:1, :1]), *sums), da

    def end_backward(self, weights, state, carry):
        dh, dz, _, d_into_z, d_matrix, d_readout_bias = carry
        first = ops.pad(dz @ ops.transpose(_inside(state[1], weights)), ((0, 2), (0, 0)))
        dg = _outside(ops.transpose(weights[3][:-2]) @ dz, dh)
        d_matrix = ops.transpose(d_matrix) + first
        return (dh, dg), (d_into_z[:, :1], d_into_z[:, 1:], d_matrix, d_readout_bias)


def _inside(g, weights):
    """(B, N·G) as (G, B·N)."""
    return ops.transpose(ops.reshape(g, (-1, weights[3].shape[1])))


def _outside(g, h):
    """(G, B·N) as (B, N·G)."""
    return ops.reshape(ops.transpose(g), (-1, h.shape[1] * g.shape[0]))


@dataclass(frozen=True)
class GammaRNNStep:
    """h_t = γ(a_t; n, s) with n and s constant in time.

    Weights: W_hh (N, N), n (N,), s (N,). State: h (B, N).
    """

    def begin(self, weights, state):
        return tuple(state)

    def forward(self, weights, carry, u):
        kernel, n, s = weights
        a = u + carry[0] @ kernel
        zero = ops.zeros_like(a)
        return (gamma_same_shape(a, zero + n, zero + s),), (a,)

    def lean(self, kept):
        return kept

    def redo(self, weights, carry, lean):
        return carry, lean

    def kept_at(self, weights, carry, lean):
        return lean

    def end(self, carry):
        return carry

    def kept_like(self, carry):
        return carry

    def begin_backward(self, weights, state, dstate):
        dh = ops.zeros_like(state[0]) if dstate is None else dstate[0]
        return (dh, *(ops.zeros_like(weight) for weight in weights[1:]))

    def backward(self, weights, carry, dh, kept):
        kernel, n, s = weights
        dh_next, dn, ds = carry
        (a,) = kept
        zero = ops.zeros_like(a)
        in_a, in_n, in_s = gamma_partials(a, floor_gain(zero + n), zero + s)
        dh = dh + dh_next
        da = dh * in_a
        dn, ds = dn + ops.sum(dh * in_n, axis=0), ds + ops.sum(dh * in_s, axis=0)
        return (da @ ops.transpose(kernel), dn, ds), da

    def end_backward(self, weights, state, carry):
        return carry[:1], carry[1:]
