"""The loops of `fused.torch` over a segment of an ARU's sequence, one kernel launch each.

Triton is imported where a kernel is launched.
"""

import importlib.util
import os
import shutil

import torch

MOST_UNITS, MOST_CONTROLLER_UNITS = 512, 62
"""The most units N, as W_hh is read anew each step, and the most controller units G: with two
places more, for their weights, a controller's row fills the 64 places of a product."""

CAPABILITY = (8, 6)
"""The least that a card must have: for an A100, (8, 0), the compiler spills most registers."""

PRECISION = "ieee"
"""Of the controllers' products: float32 throughout ("ieee"), or on matrix units: "tf32x3", which
keeps nearly all digits, and "tf32"."""

SWITCH = "ARU_KERAS_TRITON"
"""Environment variable that, set to 1, lets the kernels run: they have not run on a card yet."""

BLOCK, DEPTH, WARPS = 64, 64, 8
"""Units that a program takes at a time, rows of W_hh that it reads at a time, and its warps."""


def kernel_applies(weights):
    """Whether the steps of an `ARUStep` with these weights run as one kernel."""
    kernel, matrix = weights[0], weights[3]
    return (
        os.environ.get(SWITCH) == "1"
        and kernel.dtype == torch.float32
        and len(kernel) <= MOST_UNITS
        and matrix.shape[1] <= MOST_CONTROLLER_UNITS
        and _has_kernels(kernel.device)
    )


def _has_kernels(device):
    """Whether this is an NVIDIA card that suits, and Triton can compile for it."""
    return (
        device.type == "cuda"
        and torch.version.hip is None
        and torch.cuda.get_device_capability(device) >= CAPABILITY
        and importlib.util.find_spec("triton") is not None
        # Triton compiles what launches a kernel with the machine's own C compiler.
        and any(map(shutil.which, (os.environ.get("CC", "gcc"), "gcc", "clang")))
    )


class TritonLoops:
    """`derivation.ARUStep`, a segment at a time; the interface is that of `torch._ARULoops`.

    Inside, controller states stand as (B, N, stride): rows of a multiple of four places, G of them
    in use, can be read four at a time.
    """

    def __init__(self, step, weights):
        self.kernel, from_a, bias, self.matrix, readout_bias = weights
        self.units, self.size = len(self.kernel), self.matrix.shape[1]
        self.options = launch_options(self.units, self.size)
        width = self.options["WIDTH"]
        self.into_z = _padded(torch.cat([self.matrix[:-2].T, bias.T, from_a.T]), width, width)
        self.into_readouts = _padded(torch.cat([self.matrix[-2:], readout_bias], 1), 2, width)
        self.out_of_g, self.into_a = _padded(self.matrix, width, width), _padded(from_a.T, 1, width)
        self.kernel, self.back = self.kernel.contiguous(), self.kernel.T.contiguous()

    def forward(self, state, u, h, *, keep):
        """Write the segment's h; return the state after it and, on `keep`, what is kept."""
        from aru_keras.fused.triton import forward_kernel

        count, batch = u.shape[:2]
        g = self._room(u, count + 1 if keep else 2, batch)
        g[0] = self._inside(state[1])
        a, n, s = u.new_empty(3, *(u.shape if keep else (0,)))
        given = u.contiguous(), state[0].contiguous(), self.kernel, self.into_z, self.into_readouts
        with torch.cuda.device_of(u):
            forward_kernel[(batch,)](*given, g, a, n, s, h, count, batch, KEEP=keep, **self.options)
        return (h[-1], self._outside(g[count if keep else count % 2])), (a, n, s, g)

    def begin_backward(self, state, dlast):
        dh, dg = dlast
        dz = self._room(dh, 2, len(dh))
        dz[0] = 0
        width = self.options["WIDTH"]
        return dh, dz, self._inside(dg), dh.new_zeros(len(dh), width, width)

    def backward(self, carry, dh, kept, da):
        """Write the segment's da; return the carry before it."""
        if carry[2] is not None and len(dh) > 1:  # The kernel takes the last step's dg alone.
            carry = self.backward(carry, dh[-1:], [values[-1:] for values in kept], da[-1:])
            return self.backward(carry, dh[:-1], [values[:-1] for values in kept], da[:-1])
        self._launch_backward(carry, dh.contiguous(), kept, da)
        _, dz, _, sums = carry
        dz = dz.flip(0) if len(dh) % 2 else dz
        # The last of the rows of the segment before does not know this a.
        from_a = dz[0, :, :, : self.size].transpose(1, 2) @ kept[0][0].unsqueeze(2)
        sums[:, : self.size, self.size + 1] += from_a[:, :, 0]
        return da[0] @ self.back, dz, None, sums

    def _launch_backward(self, carry, dh, kept, da):
        from aru_keras.fused.triton import backward_kernel

        dh_next, dz, dg_last, sums = carry
        last = dg_last is not None
        given = dh[-1], dh_next.contiguous(), self.back, self.out_of_g, self.into_a
        given += *(values[-1] for values in kept), dg_last if last else dz, dz, da[-1], sums
        count, batch = dh.shape[:2]
        with torch.cuda.device_of(dh):
            backward_kernel[(batch,)](*given, count, batch, LAST=last, **self.options)

    def end_backward(self, state, carry):
        dh, dz, _, sums = carry
        size = self.size
        dz = dz[0, :, :, :size].reshape(-1, size)
        sums = sums[:, : size + 2, : size + 2].sum(0)
        sums[:size, :size] += dz.T @ state[1].reshape(-1, size)
        sums[:size, size] += dz.sum(0)
        dg = (dz @ self.matrix[:-2]).view(len(dh), -1)
        d_matrix, d_bias, d_from_a = sums.split([size, 1, 1], 1)
        return (dh, dg), (d_from_a[:-2], d_bias[:-2], d_matrix, d_bias[-2:])

    def _room(self, like, count, batch):
        return like.new_empty(count, batch, self.units, self.options["STRIDE"])

    def _inside(self, g):
        """(B, N·G) as (B, N, stride)."""
        idle = self.options["STRIDE"] - self.size
        return torch.nn.functional.pad(g.unflatten(1, (self.units, self.size)), (0, idle))

    def _outside(self, g):
        """(B, N, stride) as (B, N·G)."""
        return g[..., : self.size].flatten(1)


def launch_options(units, size):
    """How the kernels are compiled and launched for N units of G controller units each."""
    places = _places(units)
    return {
        "N": units,
        "G": size,
        "STRIDE": -(-size // 4) * 4,
        "WIDTH": _places(size + 2),
        "BLOCK": min(BLOCK, places),
        "DEPTH": min(DEPTH, places),
        "PRECISION": PRECISION,
        "num_warps": WARPS,
        "enable_fp_fusion": True,
    }


def _places(count):
    """The power of two, 16 or more, that holds so many."""
    return max(16, 1 << (count - 1).bit_length())


def _padded(matrix, rows, columns):
    """`matrix` with zeros below and on the right."""
    idle = (0, columns - matrix.shape[1], 0, rows - matrix.shape[0])
    return torch.nn.functional.pad(matrix, idle).contiguous()
