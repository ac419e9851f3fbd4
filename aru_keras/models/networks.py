"""The paper's five networks by name, and their parameter counts.

Encoder → recurrent layer → linear read-out of the last state (logits). Geadah et al. 2024,
Table 1: `arun`, `gamma` (RNN+γ), `relu`, `lstm`, `gru`.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

from aru_keras._util.arguments import LARGEST_SIZE, finite, flag, instance, one_of, shown, whole
from aru_keras._util.deprecated import warn
from aru_keras.layers import ARU, DrivenRNN, GammaRNN
from aru_keras.models.sizes import (
    CONTROLLER_UNITS,
    COUNT_TOLERANCE,
    GATED,
    NETWORKS,
    UNITS,
    check_memory,
    matched_units,
    recurrent_parameters,
)
from aru_keras.models.weight_groups import frozen_groups, frozen_weights, named_or_none

ENCODERS = ("linear", "conv")


def build_network(
    name: str,
    input_shape: Sequence[int | None],
    *,
    classes: int = 10,
    units: int = UNITS,
    controller_units: int = CONTROLLER_UNITS,
    encoder: str = "linear",
    shared: bool = False,
    fixed: bool = False,
    n: float | None = None,
    s: float | None = None,
    frozen: str | Sequence[str] = (),
    drive: bool = False,
    every_step: bool = False,
    padding: float | None = None,
    match_parameters: bool | None = None,
    trained: Sequence[str] | None = None,
) -> keras.Model:
    """Build one of the paper's networks, as a functional model that gives logits.

    Args:
        name: Name in `NETWORKS`.
        input_shape: Shape of one example: (T, I) for the linear encoder, where T may be None; an
            image (H, W, C) for the convolutional one, which gives T = H·W/16 steps of 256 features.
        classes: Number of classes, or of values of a regression: the outputs of the network.
        units: Number of recurrent units N.
        controller_units: Number of controller units G of an ARUN.
        encoder: Encoder: "linear", where pixels go straight to W_xh, or "conv".
        shared: Whether all units of `gamma` share one n and s.
        fixed: Whether n and s of `gamma` do not train; equal to frozen=("activation",).
        n: Initial gain of all units of `gamma`; None for the paper's draw.
        s: Initial saturation of all units of `gamma`; None for 0.
        frozen: Names of the groups of weights, out of `WEIGHT_GROUPS`, that do not train.
        drive: Whether the network takes `{"pixels": (B, T, I), "drive": (B, T, 1 or N)}`. The gates
            of `lstm` and `gru` have no counterpart of a drive.
        every_step: Whether there is an output at every step, (B, T, classes), and not at the end
            alone.
        padding: Value of all features at the steps that the network is to skip, as they pad shorter
            sequences (`tasks.Task.padding`); None to read every step.
        match_parameters: Whether to choose the number of units so that the network has the
            parameter count of the ARUN with `units` and `controller_units`, within 2 %. None means
            for `lstm` and `gru` alone, and the nearest count: below some 25 units it can be further
            off.
        trained: Deprecated: names of the groups of weights that train. Use `frozen`.

    Returns:
        A `keras.Model` named `name`, whose recurrent layer is named "recurrent".

    Raises:
        ValueError: If a name is unknown, `input_shape` does not fit the encoder, a size is out of
            range or beyond the memory of this machine, or `match_parameters` is True and no number
            of units matches the ARUN's parameter count.

    Example:
        >>> build_network("arun", (784, 1), units=64, controller_units=16).output_shape
        (None, 10)
    """
    if trained is not None:
        warn("build_network(trained=…)", "build_network(frozen=…)")
        frozen = frozen_groups(name, trained)
    frozen = named_or_none(frozen, "frozen")
    one_of("name", name, NETWORKS)
    one_of("encoder", encoder, ENCODERS)
    _check_sizes(classes=classes, units=units, controller_units=controller_units)
    _check_flags(shared=shared, fixed=fixed, drive=drive, every_step=every_step)
    _check_numbers(n=n, s=s, padding=padding)
    if match_parameters is not None:
        _check_flags(match_parameters=match_parameters)
    if drive and name in GATED:
        raise ValueError(
            f"drive=True needs a network with one pre-activation per unit: arun, gamma or relu. "
            f"Received: name={name!r}. Its gates have no counterpart of a drive."
        )
    features = _features(encoder, input_shape)
    if name != "arun" and (name in GATED if match_parameters is None else match_parameters):
        reference = recurrent_parameters("arun", units, features, classes, controller_units)
        units = matched_units(
            name,
            reference,
            features,
            classes,
            shared=shared,
            fixed=fixed,
            tolerance=COUNT_TOLERANCE if match_parameters else math.inf,
        )
    count = recurrent_parameters(name, units, features, classes, controller_units)
    check_memory(name, count, units)
    options = {"shared": shared, "fixed": fixed, "n": n, "s": s} if name == "gamma" else {}
    options["return_sequences"] = every_step
    layer = _recurrent_layer(name, units, controller_units, frozen, options)
    pixels = keras.Input(tuple(input_shape), name="pixels")
    sequences = _conv_encoder(pixels, "encoder" not in frozen) if encoder == "conv" else pixels
    if padding is not None:
        sequences = keras.layers.Masking(padding, name="padding")(sequences)
    inputs, call = pixels, {}
    if drive:
        call["drive"] = keras.Input((sequences.shape[1], None), name="drive")
        inputs = {"pixels": pixels, "drive": call["drive"]}
    readout = keras.layers.Dense(classes, name="readout", trainable="readout" not in frozen)
    logits = readout(layer(sequences, **call))
    return keras.Model(inputs, logits, name=name)


def parameter_table(
    input_shape: Sequence[int | None], **options: Any
) -> list[dict[str, str | int | float]]:
    """Count the units and trainable weights of all five networks, for a table.

    Args:
        input_shape: Shape of one example, as in `build_network`.
        **options: Further arguments of `build_network`.

    Returns:
        A row for each network, with `network`, `units`, `parameters` and the `ratio` of its
        parameters to the ARUN's.
    """
    rows = []
    for name in NETWORKS:
        model = build_network(name, input_shape, **options)
        units = model.get_layer("recurrent").cell.units
        rows.append({"network": name, "units": units, "parameters": trainable_parameters(model)})
    reference = rows[0]["parameters"]
    return [{**row, "ratio": row["parameters"] / reference} for row in rows]


def trainable_parameters(model: keras.Model) -> int:
    """The number of trainable parameters of a model."""
    instance("model", model, keras.layers.Layer)
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def _check_sizes(**sizes):
    for name, value in sizes.items():
        whole(name, value, 1, most=LARGEST_SIZE)


def _check_flags(**flags):
    for name, value in flags.items():
        flag(name, value)


def _check_numbers(**values):
    for name, value in values.items():
        if value is not None:
            finite(name, value)


def _recurrent_layer(name, units, controller_units, groups, options):
    frozen = frozen_weights(name, groups)
    if name in GATED:
        layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[name]
        trainable = "recurrent" not in groups
        return layer(units, name="recurrent", trainable=trainable, **options)
    if name == "arun":
        return ARU(units, controller_units, frozen=frozen, name="recurrent", **options)
    if name == "relu":
        return DrivenRNN(units, activation="relu", frozen=frozen, name="recurrent", **options)
    return _gamma_layer(units, frozen, **options)


def _gamma_layer(units, frozen, n, s, **options):
    for name, value in {"n_initializer": n, "s_initializer": s}.items():
        if value is not None:
            options[name] = finite(name[0], value)
    return GammaRNN(units, frozen=frozen, name="recurrent", **options)


def _features(encoder, input_shape):
    """The number of features at each step behind an encoder, for a shape that must fit it."""
    rank = {"linear": 2, "conv": 3}[encoder]
    shape = tuple(input_shape) if isinstance(input_shape, list | tuple) else ()
    if len(shape) != rank or shape[-1] is None:
        meaning = {"linear": "(T, I)", "conv": "(H, W, C)"}[encoder]
        raise ValueError(
            f"`input_shape` must be {meaning} for encoder={encoder!r}. Received: "
            f"{shown(input_shape)}."
        )
    for size in shape:
        if size is not None:
            whole("input_shape", size, 1, most=LARGEST_SIZE)
    if encoder == "linear":
        return shape[-1]
    if any(size is None or size % 4 for size in shape[:2]):
        raise ValueError(
            "`input_shape` must have a height and width that 4 divides for encoder='conv', which "
            f"pools 2×2 twice. Received: {shape}."
        )
    return 256


def _conv_encoder(images, trainable):
    """Four 3×3 convolutions, each after batch normalization and ReLU; positions become steps."""
    x = images
    for index, channels in enumerate((32, 64, 128, 256)):
        x = keras.layers.BatchNormalization(name=f"norm_{index + 1}", trainable=trainable)(x)
        x = keras.layers.ReLU(name=f"relu_{index + 1}")(x)
        x = keras.layers.Conv2D(
            channels,
            3,
            padding="same",
            use_bias=False,
            name=f"conv_{index + 1}",
            trainable=trainable,
        )(x)
        if index % 2:
            x = keras.layers.MaxPooling2D(2, name=f"pool_{index + 1}")(x)
    return keras.layers.Reshape((-1, x.shape[-1]), name="positions")(x)
