"""The whole sequence on torch: eager loops in one autograd function.

Any step object runs as it stands. The ARU's own steps are written a second time, with torch
operations that write where their result stays, and for CUDA devices a third time, as kernels.
"""

import torch

from aru_keras.activations import GAIN_CEILING, GAIN_FLOOR
from aru_keras.fused.derivation import ARUStep
from aru_keras.fused.plan import REVERSE_ALONE, blocks
from aru_keras.fused.triton_loops import TritonLoops, kernel_applies


def sequence(step, u, state, weights, *, every=None, with_state=False):
    """Run a step object over a sequence; arguments and result are those of `fused.jax.sequence`.

    Raises:
        NotImplementedError: In forward mode, and under transforms of `torch.func`.
    """
    try:
        h, last = _sequence(step, u, state, weights, every, with_state)
    except RuntimeError as error:
        if any(
            sign in str(error)
            for sign in ("functorch", "forward AD", "forward mode", "Batching rule")
        ):
            raise NotImplementedError(f"{REVERSE_ALONE} and for torch.func.") from error
        raise
    return h, list(last) if with_state else [value.detach() for value in last]


def _sequence(step, u, state, weights, every, with_state):
    given = (u, *state, *weights)
    if torch.is_grad_enabled() and any(value.requires_grad for value in given):
        h, *last = _Sequence.apply(step, len(state), every, with_state, *given)
    else:
        h, last, _ = _forward(_loops(step, weights), _segments(u, every), u, state, keep=False)
    return h, last


class _Sequence(torch.autograd.Function):
    @staticmethod
    def forward(ctx, step, count, every, with_state, u, *given):
        state, weights = given[:count], given[count:]
        ctx.step, ctx.count, ctx.segments = step, count, _segments(u, every)
        h, last, saved = _forward(_loops(step, weights), ctx.segments, u, state, keep=True)
        if not with_state:
            ctx.mark_non_differentiable(*last)
        ctx.set_materialize_grads(False)
        ctx.given = len(given)
        ctx.save_for_backward(u, *given, h, *(value for values in saved for value in values))
        return h, *last

    @staticmethod
    def backward(ctx, dh, *dlast):
        u, *saved = ctx.saved_tensors
        given, h, kept = saved[: ctx.given], saved[ctx.given], saved[ctx.given + 1 :]
        state, weights = given[: ctx.count], given[ctx.count :]
        with torch.no_grad():
            dh = torch.zeros_like(h) if dh is None else dh
            dlast = [
                torch.zeros_like(value) if cotangent is None else cotangent
                for value, cotangent in zip(state, dlast, strict=True)
            ]
            loops = _loops(ctx.step, weights)
            cotangents = _backward(loops, ctx.segments, u, state, h, kept, dh, dlast)
        if torch.is_grad_enabled():
            cotangents = _DifferentiatedOnce.apply(len(cotangents), *cotangents, u, *given)
        return None, None, None, None, *cotangents


class _DifferentiatedOnce(torch.autograd.Function):
    """Its first `count` arguments, as if they could be differentiated by the others."""

    @staticmethod
    def forward(ctx, count, *values):
        return tuple(value.clone() for value in values[:count])

    @staticmethod
    def backward(ctx, *_):
        raise NotImplementedError(
            "The whole-sequence path of a recurrent layer can be differentiated once. Make the "
            "layer with fused=False for gradients of gradients."
        )


def _segments(u, every):
    """Slices of steps, and whether each is redone on the way back."""
    return [
        (slice(start, start + block.length), block.redo)
        for block in blocks(len(u), every)
        for start in range(block.start, block.end, block.length)
    ]


def _forward(loops, segments, u, state, *, keep):
    h, saved = u.new_empty(u.shape), []
    for segment, redo in segments:
        before = state
        last, kept = loops.forward(state, u[segment], h[segment], keep=keep and not redo)
        # They may be views, of h or of what the next segment writes over.
        state = tuple(value.clone() for value in last)
        if keep:
            saved.append(before if redo else kept)
    return h, state, saved


def _backward(loops, segments, u, state, h, kept, dh, dlast):
    das = u.new_empty(u.shape)
    carry = loops.begin_backward(state, dlast)
    size = len(kept) // len(segments)
    for index, (segment, redo) in reversed(list(enumerate(segments))):
        keep = kept[index * size : (index + 1) * size]
        # No name holds what is redone, so that one segment's goes before the next one's comes.
        carry = loops.backward(
            carry,
            dh[segment],
            _redone(loops, u[segment], keep) if redo else keep,
            das[segment],
        )
    dstate, dweights = loops.end_backward(state, carry)
    before = torch.cat([state[0][None], h[:-1]])
    dkernel = before.flatten(0, 1).T @ das.flatten(0, 1)
    return das, *dstate, dkernel, *dweights


def _redone(loops, u, state):
    _, kept = loops.forward(state, u, u.new_empty(u.shape), keep=True)
    return kept


def _loops(step, weights):
    if not isinstance(step, ARUStep):
        return _Loops(step, weights)
    return (TritonLoops if kernel_applies(weights) else _ARULoops)(step, weights)


class _Loops:
    """The loops over a segment for any step object."""

    def __init__(self, step, weights):
        self.step, self.weights = step, weights

    def forward(self, state, u, h, *, keep):
        """Write the segment's h; return the state after it and, on `keep`, what is kept."""
        carry, steps = self.step.begin(self.weights, state), []
        for u_t, h_t in zip(u, h, strict=True):
            carry, kept = self.step.forward(self.weights, carry, u_t)
            h_t.copy_(carry[0])
            if keep:
                steps.append(kept)
        return self.step.end(carry), [torch.stack(values) for values in zip(*steps, strict=True)]

    def begin_backward(self, state, dlast):
        return self.step.begin_backward(self.weights, state, dlast)

    def backward(self, carry, dh, kept, da):
        """Write the segment's da; return the carry before it."""
        for t in reversed(range(len(dh))):
            keep = [values[t] for values in kept]
            carry, da_t = self.step.backward(self.weights, carry, dh[t], keep)
            da[t].copy_(da_t)
        return carry

    def end_backward(self, state, carry):
        return self.step.end_backward(self.weights, state, carry)


class _ARULoops:
    """`derivation.ARUStep`, a segment at a time.

    Controller states stand as (B, G, N), and each lies with the pre-activation that it meets next:
    rows [g_t; 1; a_{t+1}]. So one product gives a controller's next pre-activation, and on the way
    back one product of [dz_{t+1}; dn_t; ds_t] with these rows gives all gradients of the weights.
    """

    def __init__(self, step, weights):
        self.kernel, self.from_a, bias, self.matrix, readout_bias = weights
        # Twice the pre-activation: tanh(z) = 2σ(2z) − 1, and σ is several times faster here.
        self.into_z = 2 * torch.cat([self.matrix[:-2], bias, self.from_a], 1)
        self.into_readouts = torch.cat([self.matrix[-2:], readout_bias], 1)
        self.size = self.matrix.shape[1]

    def forward(self, state, u, h, *, keep):
        before, g = state
        (count, batch, units), size = u.shape, self.size
        rows = [u.new_ones(batch, size + 2, units)]
        rows[0][:, :size] = g.unflatten(1, (units, size)).transpose(1, 2)
        a, readouts = _room(u, count, keep), _room(u, count, keep, 2)
        z, minus_one = u.new_empty(batch, size, units), u.new_full((), -1)
        into_z, into_readouts = (
            matrix.expand(batch, -1, -1) for matrix in (self.into_z, self.into_readouts)
        )
        for t in range(count):
            rows[-1][:, size + 1] = torch.addmm(u[t], before, self.kernel, out=a[t])
            torch.bmm(into_z, rows[-1], out=z).sigmoid_()
            if keep:
                rows.append(torch.empty_like(rows[-1]))
                rows[-1][:, size] = 1
            torch.add(minus_one, z, alpha=2, out=rows[-1][:, :size])
            torch.bmm(into_readouts, rows[-1][:, : size + 1], out=readouts[t])
            before = _gamma(a[t], *readouts[t].unbind(1), out=h[t])
        rows[-1][:, size + 1] = 0
        g = rows[-1][:, :size].transpose(1, 2).flatten(1)
        return (before, g), (a, readouts, *rows)

    def begin_backward(self, state, dlast):
        dh, dg = dlast
        (batch, units), size = dh.shape, self.size
        dproduct = dh.new_zeros(batch, size + 2, units)
        dg = dg.unflatten(1, (units, size)).transpose(1, 2)
        return dh, dproduct, dg, dh.new_zeros(batch, size + 2, size + 2)

    def backward(self, carry, dh, kept, da):
        dh_next, dproduct, dg_last, sums = carry
        (a, readouts, *rows), size = kept, self.size
        dz, dn, ds = dproduct[:, :size], dproduct[:, size], dproduct[:, size + 1]
        batch, _, units = dz.shape
        dg, from_z = dh.new_empty(batch, size, units), dh.new_empty(batch, 1, units)
        back, from_a = self.matrix.T.expand(batch, -1, -1), self.from_a.T.expand(batch, -1, -1)
        tanh_backward = torch.ops.aten.tanh_backward.grad_input
        for t in reversed(range(len(dh))):
            in_a, in_n, in_s = _partials(a[t], *readouts[t].unbind(1))
            dh_t = dh[t] + dh_next
            torch.mul(dh_t, in_n, out=dn)
            torch.mul(dh_t, in_s, out=ds)
            sums.baddbmm_(dproduct, rows[t + 1].transpose(1, 2))
            torch.bmm(back, dproduct, out=dg)
            if dg_last is not None:
                dg, dg_last = dg + dg_last, None
            tanh_backward(dg, rows[t + 1][:, :size], grad_input=dz)
            torch.bmm(from_a, dz, out=from_z)
            torch.addcmul(from_z[:, 0], dh_t, in_a, out=da[t])
            dh_next = da[t] @ self.kernel.T
        # The last of the rows of the segment before does not know this a.
        sums[:, :size, -1] += torch.bmm(dz, a[0].unsqueeze(2))[:, :, 0]
        return dh_next, dproduct, dg_last, sums

    def end_backward(self, state, carry):
        dh, dproduct, _, sums = carry
        dz = dproduct[:, : self.size]
        g = state[1].unflatten(1, (dh.shape[1], self.size))
        sums = sums.sum(0)
        sums[: self.size, : self.size] += torch.bmm(dz, g).sum(0)
        sums[: self.size, self.size] += dz.sum((0, 2))
        dg = (dz.transpose(1, 2) @ self.matrix[:-2]).flatten(1)
        d_matrix, d_bias, d_from_a = sums.split([self.size, 1, 1], 1)
        return (dh, dg), (d_from_a[:-2], d_bias[:-2], d_matrix, d_bias[-2:])


def _room(like, count, keep, *inner):
    """(T, B, …, N) to write in; unless it is to be kept, each step overwrites the last."""
    batch, units = like.shape[1:]
    return like.new_empty(count if keep else 1, batch, *inner, units).expand(
        count, batch, *inner, units
    )


def _gamma(a, n, s, out):
    """`activations.gamma_same_shape`, which also puts `n` between floor and ceiling in place."""
    torch.copysign(n.abs().clamp_(GAIN_FLOOR, GAIN_CEILING), n, out=n)
    z = a * n
    softplus = torch.nn.functional.softplus(z, threshold=40)
    return torch.lerp(softplus.div_(n), z.sigmoid_(), s, out=out)


def _partials(a, n, s):
    """`activations.gamma_partials` in a third of the operations: with v = σ(−|z|), one of σ(±z),
    σ(z)·σ(−z) = v − v² and softplus(−|z|) = −log(1 − v).
    """
    z = a * n
    distance = z.abs()
    v = torch.sigmoid(-distance)
    log = torch.log1p(-v)
    product = torch.addcmul(v, v, v, value=-1)
    entropy = distance.mul_(v).sub_(log)
    sigma = torch.sigmoid(z)
    in_s = sigma - z.clamp_min_(0).sub_(log).div_(n)
    in_n = (a * product).mul_(s).addcmul_(1 - s, entropy.div_(n).div_(n), value=-1)
    in_a = sigma.addcmul_(s, product.mul_(n).sub_(sigma))
    return in_a, in_n, in_s
