"""Initializers of the paper's networks.

`W_hh` and `W_gg` start as `HenaffOrthogonal`, `W_xh` and `W_ag` as `kaiming_normal`, the gains
from `SharedGain` (one draw) or `gain_normal` (one draw a unit), and the controller's read-out of
n and s from `ReadoutKernel` and `ReadoutBias`.
"""

import inspect
import math
import numbers
import random
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import keras
import numpy as np
from keras import ops

from aru_keras._util.arguments import array, finite, shown, whole

InitializerLike: TypeAlias = str | float | np.ndarray | Mapping[str, Any] | Callable[..., Any]
"""What `get` takes: an initializer, its name or configuration, a function of a shape, a number, or
an array of the weight's values."""

SeedLike: TypeAlias = int | keras.random.SeedGenerator | None
"""What a seed is: a whole number, a generator of seeds, or None for a new draw."""


class _Seeded(keras.initializers.Initializer):
    """An initializer that draws; with an int as its seed it always gives the same values."""

    def __init__(self, seed: SeedLike = None):
        self.seed = seed = _checked_seed(seed)
        # From Python's generator, which `keras.utils.set_random_seed` seeds.
        self._draw_seed = random.randint(1, 2**31 - 1) if seed is None else seed

    def get_config(self) -> dict[str, Any]:
        return {"seed": keras.saving.serialize_keras_object(self.seed)}


@keras.saving.register_keras_serializable(package="aru_keras")
class HenaffOrthogonal(_Seeded):
    """Block-diagonal rotations of neighbouring pairs, by angles uniform in (−π, 0).

    The exponential of a random skew-symmetric block-diagonal matrix, in closed form: orthogonal,
    determinant 1. The last diagonal entry of an odd size is 1.

    Args:
        seed: Seed of the draw, a generator of seeds, or None for a new draw.
    """

    def __call__(self, shape, dtype=None):
        if len(shape) != 2 or shape[0] != shape[1]:
            raise ValueError(
                "HenaffOrthogonal fills square matrices: `shape` must be (N, N). "
                f"Received: shape={tuple(shape)}. Use keras.initializers.Orthogonal for others."
            )
        size = shape[0]
        dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
        angles = keras.random.uniform((size // 2,), -math.pi, 0.0, dtype, seed=self._draw_seed)
        cosines, sines = ops.cast(ops.cos(angles), dtype), ops.cast(ops.sin(angles), dtype)
        # JAX takes sines in float32: normalize, so that float64 matrices are orthogonal to 1e-16.
        length = (cosines * cosines + sines * sines) ** 0.5
        cosines, sines = cosines / length, sines / length
        last = ops.ones((size % 2,), dtype=dtype)
        gaps = ops.zeros_like(sines)
        # Row 2k of the off-diagonal couples to column 2k + 1; odd rows do not couple upwards.
        upper = ops.reshape(ops.stack([-sines, gaps], axis=1), (-1,))
        upper = ops.concatenate([upper, ops.zeros((size % 2,), dtype=dtype)])[: max(size - 1, 0)]
        diagonal = ops.concatenate([ops.repeat(cosines, 2), last])
        if size == 1:
            return ops.reshape(diagonal, (1, 1))
        return ops.diag(diagonal) + ops.diag(upper, k=1) - ops.diag(upper, k=-1)


@keras.saving.register_keras_serializable(package="aru_keras")
class SharedGain(_Seeded):
    """One draw of `low` + `width`·U(0, 1), the same in every entry (authors' 5 + 2·U(0, 1)).

    Args:
        low: Smallest gain that can be drawn.
        width: Width of the interval of the draw.
        seed: Seed of the draw, a generator of seeds, or None for a new draw.
    """

    def __init__(self, low: float = 5.0, width: float = 2.0, seed: SeedLike = None):
        super().__init__(seed)
        self.low, self.width = finite("low", low), finite("width", width)

    def __call__(self, shape, dtype=None):
        dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
        draw = keras.random.uniform((), 0.0, 1.0, dtype=dtype, seed=self._draw_seed)
        return ops.ones(shape, dtype=dtype) * (self.low + self.width * draw)

    def get_config(self) -> dict[str, Any]:
        return {"low": self.low, "width": self.width, **super().get_config()}


@keras.saving.register_keras_serializable(package="aru_keras")
class ReadoutKernel(_Seeded):
    """Read-out of the controller, (G, 2): normal columns, those of n ten times those of s.

    Standard deviation `gain_scale`·√(2/(G + 1)) for w_n and `saturation_scale`·√(2/(G + 1)) for
    w_s: a Glorot draw for each column by itself.

    Args:
        gain_scale: Scale of the column of n.
        saturation_scale: Scale of the column of s.
        seed: Seed of the draw, a generator of seeds, or None for a new draw.
    """

    def __init__(
        self, gain_scale: float = 0.1, saturation_scale: float = 0.01, seed: SeedLike = None
    ):
        super().__init__(seed)
        self.gain_scale = finite("gain_scale", gain_scale)
        self.saturation_scale = finite("saturation_scale", saturation_scale)

    def __call__(self, shape, dtype=None):
        _require_pair(self, shape, rank=2)
        dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
        unit = keras.random.normal(shape, dtype=dtype, seed=self._draw_seed)
        scales = ops.convert_to_tensor([self.gain_scale, self.saturation_scale], dtype=dtype)
        return unit * scales * math.sqrt(2.0 / (shape[0] + 1))

    def get_config(self) -> dict[str, Any]:
        scales = {"gain_scale": self.gain_scale, "saturation_scale": self.saturation_scale}
        return {**scales, **super().get_config()}


@keras.saving.register_keras_serializable(package="aru_keras")
class ReadoutBias(SharedGain):
    """Read-out bias of the controller, (2,): b_n drawn as `SharedGain` does, b_s = 0."""

    def __call__(self, shape, dtype=None):
        _require_pair(self, shape, rank=1)
        gain = super().__call__((1,), dtype)
        return ops.concatenate([gain, ops.zeros_like(gain)])


@keras.saving.register_keras_serializable(package="aru_keras", name="Values")
class _Values(keras.initializers.Initializer):
    """Given values. Keras makes a function of them, and a model with one cannot be loaded."""

    def __init__(self, values: Any):
        self.values = np.array(values)

    def __call__(self, shape, dtype=None):
        if tuple(shape) != self.values.shape:
            raise ValueError(
                f"An array as an initializer must have the shape of the weight, {tuple(shape)}. "
                f"Received: an array of shape {self.values.shape}."
            )
        dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
        return ops.cast(ops.convert_to_tensor(self.values), dtype)

    def get_config(self) -> dict[str, Any]:
        return {"values": self.values.tolist()}


def kaiming_normal(seed: SeedLike = None) -> keras.initializers.Initializer:
    """N(0, 2/fan_in), not truncated (Keras' HeNormal truncates); √2 for a single input."""
    seed = _checked_seed(seed)
    return keras.initializers.VarianceScaling(2.0, "fan_in", "untruncated_normal", seed=seed)


def gain_normal(seed: SeedLike = None) -> keras.initializers.Initializer:
    """N(5, 2²), one draw per unit (paper); about 0.6 % of the gains are negative."""
    return keras.initializers.RandomNormal(mean=5.0, stddev=2.0, seed=_checked_seed(seed))


NAMED: dict[str, Callable] = {
    "henaff_orthogonal": HenaffOrthogonal,
    "kaiming_normal": kaiming_normal,
    "shared_gain": SharedGain,
    "gain_normal": gain_normal,
    "readout_kernel": ReadoutKernel,
    "readout_bias": ReadoutBias,
}


def get(identifier: Any, argument: str = "identifier") -> keras.initializers.Initializer:
    """Give an initializer, as `keras.initializers.get` does, also for `NAMED` and for numbers.

    Args:
        identifier: Initializer, its name, its configuration, a function of a shape, a number, or
            an array of all values, which is saved with the model.
        argument: Name of the argument that it was given for, which an error mentions.

    Raises:
        ValueError: If `identifier` is none of these.
    """
    if isinstance(identifier, numbers.Real) and not isinstance(identifier, bool):
        return keras.initializers.Constant(finite(argument, identifier))
    if isinstance(identifier, str) and identifier in NAMED:
        return NAMED[identifier]()
    if isinstance(identifier, np.ndarray | np.generic) or ops.is_tensor(identifier):
        return _Values(array(argument, identifier, dtype=None))
    try:
        initializer = keras.initializers.get(identifier)
    except (TypeError, ValueError) as error:
        raise _unknown(argument, identifier) from error
    if not callable(initializer) or inspect.isclass(initializer):
        raise _unknown(argument, identifier)
    return initializer


def _unknown(argument, identifier):
    return ValueError(
        f"`{argument}` must be an initializer, a function of a shape, a number, an array, the name "
        f"of one of Keras, or one of {', '.join(NAMED)}. Received: {shown(identifier)}."
    )


def _checked_seed(seed):
    """A seed as Keras takes it: 32 bits, a generator, its configuration, or None."""
    if isinstance(seed, Mapping):
        seed = _generator(seed)
    if seed is None or isinstance(seed, keras.random.SeedGenerator):
        return seed
    return whole("seed", seed, 0, most=2**32 - 1, hint="Or give None for a new draw.")


def _generator(config):
    """The generator of a configuration, which stays what it is if it is that of none."""
    try:
        return keras.saving.deserialize_keras_object(config)
    except (AttributeError, KeyError, TypeError, ValueError):
        return config


def _require_pair(initializer, shape, rank):
    if len(shape) != rank or shape[-1] != 2:
        expected = "(G, 2)" if rank == 2 else "(2,)"
        raise ValueError(
            f"{type(initializer).__name__} initializes the read-out of n and s: `shape` must be "
            f"{expected}. Received: shape={tuple(shape)}."
        )
