"""The loops of an ARU on torch, one kernel launch for each segment and direction.

These kernels have not run on a card yet: they are chosen only where the environment variable
`SWITCH` asks for them. Triton is imported when the first kernel is launched.
"""

import importlib.util
import os
import shutil
from typing import Any

import torch

from aru_keras.fused.derivation import ControllerWeights
from aru_keras.fused.step import StepWeights
from aru_keras.fused.torch_loops import Tensors

MOST_UNITS, MOST_CONTROLLER_UNITS = 512, 62
"""The largest N, as W_hh is read again at each step, and the largest G: a controller's row with two
more columns for its weights then fills the 64 columns of a product."""

CAPABILITY = (8, 6)
"""The lowest compute capability: for an A100, (8, 0), the compiler spills most registers."""

PRECISION = "ieee"
"""Precision of the controllers' products: "ieee" is float32 throughout; "tf32x3", which keeps
nearly all digits, and "tf32" run on matrix units."""

SWITCH = "ARU_KERAS_TRITON"
"""Environment variable that, set to 1, lets the kernels run."""

BLOCK, DEPTH, WARPS = 64, 64, 8
"""Units in a block of a program, rows of W_hh that it reads at once, and its number of warps."""


def kernel_applies(weights: StepWeights[ControllerWeights]) -> bool:
    """Whether the kernels are asked for, and can run an `ARUStep` with these weights."""
    kernel, size = weights.recurrent_kernel, weights.activation.stacked.shape[1]
    return (
        os.environ.get(SWITCH) == "1"
        and kernel.dtype == torch.float32
        and len(kernel) <= MOST_UNITS
        and size <= MOST_CONTROLLER_UNITS
        and _has_kernels(kernel.device)
    )


def _has_kernels(device):
    """Whether this is an NVIDIA card of the least capability, for which Triton can compile."""
    return (
        device.type == "cuda"
        and torch.version.hip is None
        and torch.cuda.get_device_capability(device) >= CAPABILITY
        and importlib.util.find_spec("triton") is not None
        # Triton needs a C compiler of this machine for the code that launches a kernel.
        and any(map(shutil.which, (os.environ.get("CC", "gcc"), "gcc", "clang")))
    )


class TritonLoops:
    """`torch_loops.SegmentLoops` of `derivation.ARUStep`, as kernels.

    Inside, controller states have the shape (B, N, stride). The stride is G rounded up to a
    multiple of four, so that a row can be read four numbers at a time.

    Args:
        weights: Weights of the step.
    """

    def __init__(self, weights: StepWeights[ControllerWeights]):
        self.kernel, (from_a, bias, self.matrix, readout_bias) = weights
        self.units, self.size = len(self.kernel), self.matrix.shape[1]
        self.options = launch_options(self.units, self.size)
        width = self.options["WIDTH"]
        self.into_z = _padded(torch.cat([self.matrix[:-2].T, bias.T, from_a.T]), width, width)
        self.into_readouts = _padded(torch.cat([self.matrix[-2:], readout_bias], 1), 2, width)
        self.out_of_g, self.into_a = _padded(self.matrix, width, width), _padded(from_a.T, 1, width)
        self.kernel, self.back = self.kernel.contiguous(), self.kernel.T.contiguous()

    def forward(
        self,
        state: Tensors,
        u: torch.Tensor,
        h: torch.Tensor,
        mask: None = None,
        *,
        keep: bool,
    ) -> tuple[Tensors, Tensors]:
        from aru_keras.fused.experimental.triton import forward_kernel

        count, batch = u.shape[:2]
        g = self._buffer(u, count + 1 if keep else 2, batch)
        g[0] = self._to_rows(state[1])
        a, n, s = u.new_empty(3, *(u.shape if keep else (0,)))
        given = u.contiguous(), state[0].contiguous(), self.kernel, self.into_z, self.into_readouts
        with torch.cuda.device_of(u):
            forward_kernel[(batch,)](*given, g, a, n, s, h, count, batch, KEEP=keep, **self.options)
        return (h[-1], self._from_rows(g[count if keep else count % 2])), (a, n, s, g)

    def begin_backward(self, state: Tensors, dlast: Tensors) -> Any:
        dh, dg = dlast
        dz = self._buffer(dh, 2, len(dh))
        dz[0] = 0
        width = self.options["WIDTH"]
        return dh, dz, self._to_rows(dg), dh.new_zeros(len(dh), width, width)

    def backward(
        self,
        carry: Any,
        dh: torch.Tensor,
        residuals: Tensors,
        da: torch.Tensor,
        mask: None = None,
    ) -> Any:
        # A launch that takes dg of the last state is for one step alone.
        if carry[2] is not None and len(dh) > 1:
            carry = self.backward(carry, dh[-1:], [values[-1:] for values in residuals], da[-1:])
            return self.backward(carry, dh[:-1], [values[:-1] for values in residuals], da[:-1])
        self._launch_backward(carry, dh.contiguous(), residuals, da)
        _, dz, _, sums = carry
        dz = dz.flip(0) if len(dh) % 2 else dz
        # As in `torch_aru.ARULoops`: the segment before does not know the first a of this one.
        from_a = dz[0, :, :, : self.size].transpose(1, 2) @ residuals[0][0].unsqueeze(2)
        sums[:, : self.size, self.size + 1] += from_a[:, :, 0]
        return da[0] @ self.back, dz, None, sums

    def _launch_backward(self, carry, dh, residuals, da):
        from aru_keras.fused.experimental.triton import backward_kernel

        dh_next, dz, dg_last, sums = carry
        last = dg_last is not None
        given = dh[-1], dh_next.contiguous(), self.back, self.out_of_g, self.into_a
        given += *(values[-1] for values in residuals), dg_last if last else dz, dz, da[-1], sums
        count, batch = dh.shape[:2]
        with torch.cuda.device_of(dh):
            backward_kernel[(batch,)](*given, count, batch, LAST=last, **self.options)

    def end_backward(self, state: Tensors, carry: Any) -> tuple[Tensors, Tensors]:
        dh, dz, _, sums = carry
        size = self.size
        dz = dz[0, :, :, :size].reshape(-1, size)
        sums = sums[:, : size + 2, : size + 2].sum(0)
        sums[:size, :size] += dz.T @ state[1].reshape(-1, size)
        sums[:size, size] += dz.sum(0)
        dg = (dz @ self.matrix[:-2]).view(len(dh), -1)
        d_matrix, d_bias, d_from_a = sums.split([size, 1, 1], 1)
        return (dh, dg), ControllerWeights(d_from_a[:-2], d_bias[:-2], d_matrix, d_bias[-2:])

    def _buffer(self, like, count, batch):
        return like.new_empty(count, batch, self.units, self.options["STRIDE"])

    def _to_rows(self, g):
        """(B, N·G) as (B, N, stride)."""
        idle = self.options["STRIDE"] - self.size
        return torch.nn.functional.pad(g.unflatten(1, (self.units, self.size)), (0, idle))

    def _from_rows(self, g):
        """(B, N, stride) as (B, N·G)."""
        return g[..., : self.size].flatten(1)


def launch_options(units: int, size: int) -> dict[str, Any]:
    """The options with which the kernels are compiled and launched.

    Args:
        units: Number of units N.
        size: Number of controller units G.
    """
    width = _power_of_two(units)
    return {
        "N": units,
        "G": size,
        "STRIDE": -(-size // 4) * 4,
        "WIDTH": _power_of_two(size + 2),
        "BLOCK": min(BLOCK, width),
        "DEPTH": min(DEPTH, width),
        "PRECISION": PRECISION,
        "num_warps": WARPS,
        "enable_fp_fusion": True,
    }


def _power_of_two(count):
    """The least power of two that is at least `count` and 16."""
    return max(16, 1 << (count - 1).bit_length())


def _padded(matrix, rows, columns):
    """`matrix` with zeros below and on the right."""
    zeros = (0, columns - matrix.shape[1], 0, rows - matrix.shape[0])
    return torch.nn.functional.pad(matrix, zeros).contiguous()
