"""The paper's five networks by name, and their parameter counts.

Encoder → recurrent layer → linear read-out of the last state (logits). Geadah et al. 2024,
Table 1: `arun`, `gamma` (RNN+γ), `relu`, `lstm`, `gru`.
"""

import math
import numbers
from collections.abc import Sequence

import keras

from aru_keras.arguments import LARGEST_SIZE, finite, flag, instance, one_of, shown, whole
from aru_keras.layers import ARU, DrivenRNN, GammaRNN
from aru_keras.parts import PARTS, frozen_weights
from aru_keras.sizes import (
    CONTROLLER_UNITS,
    NETWORKS,
    check_memory,
    matched_units,
    recurrent_parameters,
)

ENCODERS = ("linear", "conv")
GATED = ("lstm", "gru")
UNITS = 400


def build_network(
    name: str,
    input_shape,
    *,
    classes: int = 10,
    units: int = UNITS,
    controller_units: int = CONTROLLER_UNITS,
    encoder: str = "linear",
    shared: bool = False,
    fixed: bool = False,
    n: float | None = None,
    s: float | None = None,
    trained: Sequence[str] = PARTS,
    drive: bool = False,
    match_parameters: bool | None = None,
) -> keras.Model:
    """One of the paper's networks, as a functional model that gives logits.

    Args:
        name: One of `NETWORKS`.
        input_shape: Of one example: (T, I) for the linear encoder, where T may be None; an image
            (H, W, C) for the convolutional one, which gives T = H·W/16 steps of 256 features.
        classes: Number of classes.
        units: Number of recurrent units N.
        controller_units: Number of controller units G of an ARUN.
        encoder: "linear" (pixels go straight to W_xh) or "conv".
        shared: For `gamma`: one (n, s) for all units instead of one pair a unit.
        fixed: For `gamma`: n and s not trained.
        n: For `gamma`: where the gain starts, in all units; None: the paper's draw.
        s: For `gamma`: where the saturation starts; None: 0.
        trained: Names of the parts that train, of `parts.PARTS`.
        drive: True for a network that takes `{"pixels": (B, T, I), "drive": (B, T, 1 or N)}`; not
            for `lstm` and `gru`, whose gates have no place for a drive.
        match_parameters: Choose the number of units so that the network has the parameter count
            of the ARUN with `units` and `controller_units`, within 2 %. None: for `lstm` and `gru`.

    Returns:
        A `keras.Model` named `name`; its recurrent layer is named "recurrent".

    Raises:
        ValueError: For an unknown name, a shape that does not fit the encoder, a size out of range
            or beyond the memory of this machine, or where no number of units matches the ARUN's
            count.
    """
    one_of("name", name, NETWORKS)
    one_of("encoder", encoder, ENCODERS)
    _check_sizes(classes=classes, units=units, controller_units=controller_units)
    _check_flags(shared=shared, fixed=fixed, drive=drive)
    _check_numbers(n=n, s=s)
    if match_parameters is not None:
        _check_flags(match_parameters=match_parameters)
    if drive and name in GATED:
        raise ValueError(
            f"drive=True needs a network with one pre-activation a unit: arun, gamma or relu. "
            f"Received: name={name!r}. Its gates have no counterpart of a drive."
        )
    if match_parameters is None:
        match_parameters = name in GATED
    features = _features(encoder, input_shape)
    if match_parameters and name != "arun":
        reference = recurrent_parameters("arun", units, features, classes, controller_units)
        units = matched_units(name, reference, features, classes, shared=shared, fixed=fixed)
    count = recurrent_parameters(name, units, features, classes, controller_units)
    check_memory(name, count, units)
    options = {"shared": shared, "fixed": fixed, "n": n, "s": s} if name == "gamma" else {}
    layer = _recurrent_layer(name, units, controller_units, trained, options)
    pixels = keras.Input(tuple(input_shape), name="pixels")
    sequences = _conv_encoder(pixels, "encoder" in trained) if encoder == "conv" else pixels
    inputs, call = pixels, {}
    if drive:
        call["drive"] = keras.Input((sequences.shape[1], None), name="drive")
        inputs = {"pixels": pixels, "drive": call["drive"]}
    readout = keras.layers.Dense(classes, name="readout", trainable="readout" in trained)
    logits = readout(layer(sequences, **call))
    return keras.Model(inputs, logits, name=name)


def parameter_table(input_shape, **options) -> list[dict]:
    """Units and trainable weights of all five networks, as rows for a table.

    Args:
        input_shape: As in `build_network`.
        **options: Of `build_network`.

    Returns:
        Rows with `network`, `units`, `parameters` and `ratio` to the ARUN's count.
    """
    rows = []
    for name in NETWORKS:
        model = build_network(name, input_shape, **options)
        units = model.get_layer("recurrent").cell.units
        rows.append({"network": name, "units": units, "parameters": trainable_parameters(model)})
    reference = rows[0]["parameters"]
    return [{**row, "ratio": row["parameters"] / reference} for row in rows]


def trainable_parameters(model: keras.Model) -> int:
    """Number of trainable weights."""
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


def _recurrent_layer(name, units, controller_units, trained, gamma_options):
    frozen = frozen_weights(name, trained)
    if name in GATED:
        layer = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}[name]
        return layer(units, name="recurrent", trainable="recurrent" in trained)
    if name == "arun":
        return ARU(units, controller_units, frozen=frozen, name="recurrent")
    if name == "relu":
        return DrivenRNN(units, activation="relu", frozen=frozen, name="recurrent")
    return _gamma_layer(units, frozen, **gamma_options)


def _gamma_layer(units, frozen, n, s, **options):
    for name, value in {"n_initializer": n, "s_initializer": s}.items():
        if value is not None:
            options[name] = finite(name[0], value)
    return GammaRNN(units, frozen=frozen, name="recurrent", **options)


def _features(encoder, input_shape):
    wanted = {"linear": 2, "conv": 3}[encoder]
    shape = tuple(input_shape) if isinstance(input_shape, list | tuple) else ()
    if len(shape) != wanted or shape[-1] is None:
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


def _is_size(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value > 0


def _conv_encoder(images, trained):
    """Four 3×3 convolutions, each after batch normalisation and ReLU; the map read by position."""
    x = images
    for index, channels in enumerate((32, 64, 128, 256)):
        x = keras.layers.BatchNormalization(name=f"norm_{index + 1}", trainable=trained)(x)
        x = keras.layers.ReLU(name=f"relu_{index + 1}")(x)
        x = keras.layers.Conv2D(
            channels,
            3,
            padding="same",
            use_bias=False,
            name=f"conv_{index + 1}",
            trainable=trained,
        )(x)
        if index % 2:
            x = keras.layers.MaxPooling2D(2, name=f"pool_{index + 1}")(x)
    return keras.layers.Reshape((-1, x.shape[-1]), name="positions")(x)
