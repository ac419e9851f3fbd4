"""The loops of an ARU on torch, in operations that write to buffers in place."""

from typing import Any

import torch

from aru_keras.activations import GAIN_CEILING, GAIN_FLOOR
from aru_keras.fused.derivation import ControllerWeights
from aru_keras.fused.step import StepWeights
from aru_keras.fused.torch_loops import Tensors, taken_and_starts


class ARULoops:
    """`torch_loops.SegmentLoops` of `derivation.ARUStep`, alone or within others.

    The others are a `RecurrentDropout`, a `Restarting`, and a `Restarting` around the former.

    A controller state stands in a buffer (B, G + 2, N) together with the pre-activation that it
    meets in the next step: rows [g_t; 1; a_{t+1}]. So one product gives the argument of the next
    tanh, and in the backward pass one product of [dz_{t+1}; dn_t; ds_t] with these rows gives the
    cotangents of all weights.

    Args:
        weights: Weights of the step.
        masked: Whether sequences may skip steps, where the mask has the starts too.
    """

    def __init__(self, weights: StepWeights[ControllerWeights], masked: bool = True):
        self.masked = masked
        self.kernel, (self.from_a, bias, self.matrix, readout_bias) = weights
        # Twice the pre-activation: tanh(z) = 2σ(2z) − 1, and σ is several times faster here.
        self.into_z = 2 * torch.cat([self.matrix[:-2], bias, self.from_a], 1)
        self.into_readouts = torch.cat([self.matrix[-2:], readout_bias], 1)
        self.size = self.matrix.shape[1]

    def forward(
        self,
        state: Tensors,
        u: torch.Tensor,
        h: torch.Tensor,
        mask: torch.Tensor | None = None,
        *,
        keep: bool,
    ) -> tuple[Tensors, Tensors]:
        before, g, *dropout = state
        (count, batch, units), size = u.shape, self.size
        rows = [u.new_ones(batch, size + 2, units)]
        rows[0][:, :size] = g.unflatten(1, (units, size)).transpose(1, 2)
        a, readouts = _buffer(u, count, keep), _buffer(u, count, keep, 2)
        z, minus_one = u.new_empty(batch, size, units), u.new_full((), -1)
        into_z, into_readouts = (
            matrix.expand(batch, -1, -1) for matrix in (self.into_z, self.into_readouts)
        )
        for t, (taken, starts) in enumerate(taken_and_starts(mask, count, self.masked)):
            if starts is not None:
                before = before.masked_fill(starts, 0)
            torch.addmm(u[t], _dropped(before, dropout), self.kernel, out=a[t])
            if taken is not None:
                a[t].masked_fill_(~taken, 0)
            rows[-1][:, size + 1] = a[t]
            torch.bmm(into_z, self._restarted(rows[-1], starts), out=z).sigmoid_()
            if keep:
                rows.append(torch.empty_like(rows[-1]))
                rows[-1][:, size] = 1
            if taken is None:
                torch.add(minus_one, z, alpha=2, out=rows[-1][:, :size])
            else:
                g = torch.add(minus_one, z, alpha=2, out=z)
                g_before = rows[-2 if keep else -1][:, :size]
                torch.where(taken[..., None], g, g_before, out=rows[-1][:, :size])
            torch.bmm(into_readouts, rows[-1][:, : size + 1], out=readouts[t])
            n, s = readouts[t].unbind(1)
            _gamma(a[t], n, s, out=h[t])
            before = h[t] if taken is None else torch.where(taken, h[t], before, out=h[t])
        rows[-1][:, size + 1] = 0
        g = rows[-1][:, :size].transpose(1, 2).flatten(1)
        return (before, g, *dropout), (a, readouts, *rows)

    def begin_backward(self, state: Tensors, dlast: Tensors) -> Any:
        dh, dg, *_ = dlast
        (batch, units), size = dh.shape, self.size
        dproduct = dh.new_zeros(batch, size + 2, units)
        dg = dg.unflatten(1, (units, size)).transpose(1, 2)
        return dh, dproduct, dg, dh.new_zeros(batch, size + 2, size + 2), state[2:]

    def backward(
        self,
        carry: Any,
        dh: torch.Tensor,
        residuals: Tensors,
        da: torch.Tensor,
        mask: torch.Tensor | None = None,
    ) -> Any:
        dh_next, dproduct, dg_later, sums, dropout = carry
        (a, readouts, *rows), size = residuals, self.size
        dz, dn, ds = dproduct[:, :size], dproduct[:, size], dproduct[:, size + 1]
        batch, _, units = dz.shape
        dg, from_z = dh.new_empty(batch, size, units), dh.new_empty(batch, 1, units)
        into_g, from_a = self.matrix.T.expand(batch, -1, -1), self.from_a.T.expand(batch, -1, -1)
        tanh_backward = torch.ops.aten.tanh_backward.grad_input
        masks = taken_and_starts(mask, len(dh), self.masked)
        for t, (taken, starts) in reversed(list(enumerate(masks))):
            in_a, in_n, in_s = _partials(a[t], *readouts[t].unbind(1))
            dh_t = dh[t] + dh_next
            own = dh_t if taken is None else dh_t * taken
            torch.mul(own, in_n, out=dn)
            torch.mul(own, in_s, out=ds)
            sums.baddbmm_(dproduct, rows[t + 1].transpose(1, 2))
            torch.bmm(into_g, dproduct, out=dg)
            if dg_later is not None:
                dg.add_(dg_later)
                dg_later = None
            tanh_backward(dg, rows[t + 1][:, :size], grad_input=dz)
            if taken is not None:  # What a masked step gets it sends on to the step before.
                dz.mul_(taken[..., None])
                dg_later = dg * ~taken[..., None]
            torch.bmm(from_a, dz, out=from_z)
            torch.addcmul(from_z[:, 0], own, in_a, out=da[t])
            dh_next = _dropped(da[t] @ self.kernel.T, dropout)
            if taken is not None:
                dh_next += dh_t - own
            if starts is not None:
                dh_next = dh_next.masked_fill(starts, 0)
                self._stop(dz, a[t], sums, starts[..., None])
        # The segment before ends with rows [g_t; 1; 0], as it does not know the first a of this
        # segment. What that a adds to the product with dz_{t+1} is added here.
        sums[:, :size, -1] += torch.bmm(dz, a[0].unsqueeze(2))[:, :, 0]
        return dh_next, dproduct, dg_later, sums, dropout

    def _restarted(self, rows, starts):
        """Rows [g; 1; a], with g = 0 for the sequences that start."""
        if starts is None:
            return rows
        rows = rows.clone()
        rows[:, : self.size].masked_fill_(starts[..., None], 0)
        return rows

    def _stop(self, dz, a, sums, starts):
        """Send nothing on from sequences that start: their dz meets [0; 1; a] and no g."""
        started = torch.where(starts, dz, 0)
        sums[:, : self.size, self.size] += started.sum(2)
        sums[:, : self.size, -1] += torch.bmm(started, a.unsqueeze(2))[:, :, 0]
        dz.masked_fill_(starts, 0)

    def end_backward(self, state: Tensors, carry: Any) -> tuple[Tensors, Tensors]:
        dh, dproduct, dg_later, sums, dropout = carry
        dz = dproduct[:, : self.size]
        g = state[1].unflatten(1, (dh.shape[1], self.size))
        sums = sums.sum(0)
        sums[: self.size, : self.size] += torch.bmm(dz, g).sum(0)
        sums[: self.size, self.size] += dz.sum((0, 2))
        dg = dz.transpose(1, 2) @ self.matrix[:-2]
        dg = (dg if dg_later is None else dg + dg_later.transpose(1, 2)).flatten(1)
        d_matrix, d_bias, d_from_a = sums.split([self.size, 1, 1], 1)
        dstate = dh, dg, *map(torch.zeros_like, dropout)
        return dstate, ControllerWeights(d_from_a[:-2], d_bias[:-2], d_matrix, d_bias[-2:])


def _dropped(values, dropout):
    """The values with the mask of a recurrent dropout, if there is one."""
    return values * dropout[0] if dropout else values


def _buffer(like, count, keep, *inner):
    """A buffer (T, B, …, N); without `keep` all steps share the memory of one."""
    batch, units = like.shape[1:]
    return like.new_empty(count if keep else 1, batch, *inner, units).expand(
        count, batch, *inner, units
    )


def _gamma(a, n, s, out):
    """`activations.gamma_same_shape`, which also puts `n`, in place, between floor and ceiling."""
    torch.copysign(n.abs().clamp_(GAIN_FLOOR, GAIN_CEILING), n, out=n)
    z = a * n
    softplus = torch.nn.functional.softplus(z, threshold=40)
    return torch.lerp(softplus.div_(n), z.sigmoid_(), s, out=out)


def _partials(a, n, s):
    """`activations.gamma_partials` in a third of the operations.

    With v = σ(−|z|), which is σ(z) or σ(−z), σ(z)·σ(−z) = v − v² and softplus(−|z|) = −log(1 − v).
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
