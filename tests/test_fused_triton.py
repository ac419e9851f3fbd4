"""The kernels that run an ARU's sequence on a card: under Triton's interpreter, compiled, and run.

None of this but the last test needs a card. Triton reads TRITON_INTERPRET when it is imported, so
the tests that it interprets run in a process of their own, which the first test starts.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from contract import assert_same, run, settle
from support import only_on, relative_error

from aru_keras import ARU

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
HAS_TRITON = importlib.util.find_spec("triton") is not None
pytestmark = [
    only_on("torch", reason="the kernels stand behind torch's path"),
    pytest.mark.skipif(not HAS_TRITON, reason="triton is not installed"),
]
interpreted = pytest.mark.skipif(not INTERPRETED, reason="interpreted in a process of its own")
compiled = pytest.mark.skipif(INTERPRETED, reason="this process interprets")
# Rounding of float64 over tens of steps is 1e-15 here; float32's, in another order of summation
# over hundreds of terms, 3e-6.
EXACT, SINGLE = 1e-9, 2e-5
# Bytes that a program may have on the cards with the least that the kernels apply to.
SHARED_MEMORY = 99 * 1024


@compiled
def test_interpreted_kernels_pass_in_a_process_of_their_own():
    command = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", "-k", "interpreted"]
    done = subprocess.run(
        [*command, Path(__file__).name],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 13


def network(batch, steps, units, size, dtype="float64", device="cpu"):
    """u, the first state, and the weights of an `ARUStep`, which neither fade nor explode."""
    import torch

    from aru_keras.fused.derivation import ControllerWeights
    from aru_keras.fused.step import StepWeights

    rng = np.random.default_rng(7)

    def normal(*shape, scale=0.5, start=0.0):
        values = start + scale * rng.normal(size=shape)
        return torch.tensor(values.astype(dtype), device=device)

    state = [normal(batch, units), torch.tanh(normal(batch, units * size))]
    matrix = normal(size + 2, size, scale=0.5 * size**-0.5)
    start = np.array([[2.0], [0.3]])
    kernel = normal(units, units, scale=0.5 * units**-0.5)
    vectors = normal(size, 1), normal(size, 1)
    u = normal(steps, batch, units)
    activation = ControllerWeights(*vectors, stacked=matrix, readout_bias=normal(2, 1, start=start))
    return u, state, StepWeights(kernel, activation)


def all_values(u, state, weights, *, every=None, with_state=True):
    """Outputs and last state, and gradients of their squares' sum, or of the outputs' alone."""
    import torch

    from aru_keras.fused.derivation import ARUStep, ControllerWeights
    from aru_keras.fused.step import StepWeights
    from aru_keras.fused.torch import sequence

    def tracked(values):
        return [value.clone().requires_grad_() for value in values]

    (u, kernel), state = tracked((u, weights.recurrent_kernel)), tracked(state)
    weights = StepWeights(kernel, ControllerWeights(*tracked(weights.activation)))
    options = {"checkpoint_every": every, "with_state": with_state}
    h, last = sequence(ARUStep(), u, state, weights, **options)
    total = sum((value**2).sum() for value in (h, *(last if with_state else ())))
    slopes = torch.autograd.grad(total, [u, *state, kernel, *weights.activation])
    return [value.detach().cpu().numpy() for value in (h, *last, *slopes)]


@pytest.fixture
def kernels(monkeypatch):
    """Call a function with the kernels in place of the loops, for tensors anywhere."""
    import aru_keras.fused.torch as path

    def call(function, *args, **options):
        from aru_keras.fused.experimental import triton

        launches = []
        for name in ("forward_kernel", "backward_kernel"):
            counted = Counted(getattr(triton, name), name, launches)
            monkeypatch.setattr(triton, name, counted)
        monkeypatch.setattr(path, "kernel_applies", lambda weights: True)
        values = function(*args, **options)
        monkeypatch.undo()
        assert {"forward_kernel", "backward_kernel"} <= set(launches)
        return values

    return call


class Counted:
    """A kernel whose launches are listed."""

    def __init__(self, kernel, name, launches):
        self.kernel, self.name, self.launches = kernel, name, launches

    def __getitem__(self, grid):
        self.launches.append(self.name)
        return self.kernel[grid]


@interpreted
@pytest.mark.parametrize(
    ("steps", "units", "size", "every", "with_state"),
    [
        (1, 5, 3, None, True),
        (1, 5, 3, None, False),
        (2, 20, 14, None, True),
        (9, 20, 7, None, True),
        (9, 20, 7, 4, True),
        (9, 20, 7, 4, False),
        (3, 16, 15, 1, True),
        (3, 70, 62, 2, True),
        (2, 33, 10, 100, True),
    ],
)
def test_interpreted_values_and_every_gradient_in_double_precision(
    kernels, steps, units, size, every, with_state
):
    given, options = network(2, steps, units, size), {"every": every, "with_state": with_state}
    assert_same(kernels(all_values, *given, **options), all_values(*given, **options), EXACT)


@interpreted
@pytest.mark.parametrize(("steps", "every"), [(1, None), (3, 2)])
def test_interpreted_values_and_every_gradient_in_single_precision(kernels, steps, every):
    given, exact = (network(1, steps, 130, 50, dtype) for dtype in ("float32", "float64"))
    assert_same(kernels(all_values, *given, every=every), all_values(*exact, every=every), SINGLE)


@interpreted
def test_interpreted_gains_are_floored_as_elsewhere(kernels):
    u, state, weights = network(2, 5, 20, 6)
    weights.activation.readout_bias[0] = 0.0  # Gains of both signs, many of them within the floor.
    weights.activation.stacked[6] *= 0.02
    given = u, state, weights
    assert_same(kernels(all_values, *given), all_values(*given), EXACT)


@interpreted
def test_interpreted_layers_take_the_kernels_where_they_apply(kernels):
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    at_once, by_steps = (ARU(20, 6, return_sequences=True, fused=fused) for fused in (True, False))
    for layer in (at_once, by_steps):
        layer.build(x.shape)
        settle(layer)

    def call(layer):
        slopes = keras.ops.sum(layer(x, training=True) ** 2)
        slopes.backward()
        return [*run(layer, x), *(w.value.grad.cpu().numpy() for w in layer.trainable_weights)]

    assert_same(kernels(call, at_once), call(by_steps), SINGLE)


def test_kernels_apply_where_they_are_asked_for_and_fit(monkeypatch):
    from aru_keras.fused.experimental import triton_loops

    def applies(units, size, dtype="float32"):
        return triton_loops.kernel_applies(network(1, 1, units, size, dtype)[2])

    monkeypatch.setenv(triton_loops.SWITCH, "1")
    assert not applies(400, 50)  # On the CPU.
    monkeypatch.setattr(triton_loops, "_has_kernels", lambda device: True)
    assert applies(400, 50) and applies(512, 62)
    assert not applies(400, 63) and not applies(513, 50) and not applies(400, 50, "float64")
    monkeypatch.delenv(triton_loops.SWITCH)
    assert not applies(400, 50)  # Nobody asked.


FORWARD, BACKWARD = ("forward_kernel", {"KEEP": True}), ("backward_kernel", {"LAST": False})
UNKEPT, ONE_STEP = ("forward_kernel", {"KEEP": False}), ("backward_kernel", {"LAST": True})


@compiled
@pytest.mark.parametrize(
    ("kernel", "units", "size", "steps"),
    [
        (FORWARD, 400, 50, None),
        (UNKEPT, 400, 50, None),
        (BACKWARD, 400, 50, None),
        (ONE_STEP, 400, 50, 1),
        (BACKWARD, 512, 62, None),
        (BACKWARD, 64, 16, None),
    ],
)
def test_kernels_compile_for_hopper_and_keep_to_their_registers(
    kernel, units, size, steps, tmp_path, monkeypatch
):
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    used = resources(*kernel, units, size, steps, tmp_path)
    assert used["shared"] <= SHARED_MEMORY
    assert used["registers"] <= 255
    # What stands on the stack was spilled. One step alone may: it runs once a sequence.
    assert used["stack"] <= (16 if steps is None else 1024), used


def resources(name, flags, units, size, steps, folder):
    """Registers, stack and shared memory of a kernel that is compiled for an H100 or H200."""
    import triton
    from triton.backends.compiler import GPUTarget

    from aru_keras.fused.experimental import triton as kernels
    from aru_keras.fused.experimental.triton_loops import launch_options

    constants = {**launch_options(units, size), **flags, **({"count": steps} if steps else {})}
    options = {key: constants.pop(key) for key in ("num_warps", "enable_fp_fusion")}
    function = getattr(kernels, name)
    kinds = {"count": "i32", "batch": "i32", **dict.fromkeys(constants, "constexpr")}
    signature = {argument: kinds.get(argument, "*fp32") for argument in function.arg_names}
    pointers = [(i,) for i, kind in enumerate(signature.values()) if kind == "*fp32"]
    source = triton.compiler.ASTSource(
        fn=function,
        signature=signature,
        constexprs=constants,
        attrs={place: [["tt.divisibility", 16]] for place in pointers},
    )
    found = triton.compile(source, target=GPUTarget("cuda", 90, 32), options=options)
    (folder / "cubin").write_bytes(found.asm["cubin"])
    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    listing = subprocess.run(
        [tool, "-res-usage", folder / "cubin"], capture_output=True, text=True, check=True
    ).stdout
    registers, stack = re.search(r"REG:(\d+) STACK:(\d+)", listing).groups()
    shared = found.metadata.shared
    return {"registers": int(registers), "stack": int(stack), "shared": shared}


def has_card():
    import torch

    return torch.cuda.is_available()


@compiled
@pytest.mark.parametrize(
    ("batch", "steps", "units", "size", "every"),
    [(3, 1, 5, 3, None), (5, 64, 64, 16, None), (100, 30, 400, 50, 7), (140, 10, 512, 62, None)],
)
def test_a_card_gives_the_loops_values_and_every_gradient(
    batch, steps, units, size, every, monkeypatch
):
    if not has_card():
        pytest.skip("no CUDA device")
    monkeypatch.setenv("ARU_KERAS_TRITON", "1")
    from aru_keras.fused.experimental.triton_loops import kernel_applies

    given, exact = (
        network(batch, steps, units, size, dtype, "cuda") for dtype in ("float32", "float64")
    )
    assert kernel_applies(given[2])
    found, expected = all_values(*given, every=every), all_values(*exact, every=every)
    errors = [relative_error(a, b) for a, b in zip(found, expected, strict=True)]
    assert max(errors) < SINGLE, errors
