"""The encoder, the recurrent layer and the read-out of a network, found through its graph."""

import json
import os
import zipfile
from typing import Any

import keras

from aru_keras._util.arguments import path_like, shown
from aru_keras.models.pretrained import run_path
from aru_keras.probing._layer_calls import check_arguments, in_a_row, layer_call, mask_of
from aru_keras.probing._layers_within import from_initial_states, layers_within

MODEL_FILE = "model.keras"
PERMUTATION_FILE = "permutation.npy"
"""The names of the files of the best model, and of the order of pixels, in the folder of a run."""

_REASON = 300
"""The largest number of characters of a message of Keras that is repeated."""


def load_network(network: keras.layers.Layer | str | os.PathLike) -> keras.layers.Layer:
    """A layer or model as it is, or the model that is saved at a path.

    Args:
        network: A layer or model, the folder of a run, a `.keras` file, or the text
            `pretrained:NAME` for one of `models.PRETRAINED`.

    Raises:
        ValueError: If there is no model at the path or of this name, or it cannot be loaded.
    """
    if isinstance(network, keras.layers.Layer):
        return network
    if not isinstance(network, str | os.PathLike):
        raise ValueError(
            f"`network` must be a layer, a model, the folder of a run with a {MODEL_FILE} in it, "
            f"or a .keras file. Received: {shown(network)}."
        )
    path_like("network", network)
    path = run_path(network)
    file = path / MODEL_FILE if os.path.isdir(path) else path
    problem = f"but there is no {shown(str(file))}"
    if os.path.exists(file):
        try:
            return load_model(file)
        except ValueError as error:
            problem = f"which cannot be read as one: {error}"
    raise ValueError(
        f"`network` must be a layer, a model, the folder of a run with a {MODEL_FILE} in it, "
        f"or a .keras file. Received: {shown(str(network))}, {problem}. Train one with aru-keras "
        "train digits."
    )


def load_model(file: str | os.PathLike) -> keras.Model:
    """The model in a `.keras` file.

    Args:
        file: The path of the file.

    Raises:
        ValueError: If the file cannot be loaded. The message is the reason alone.
    """
    import aru_keras.layers  # noqa: F401  # Keras must know the classes that the file names.

    try:
        if zipfile.is_zipfile(file):  # Keras reads models in other formats too.
            _check_sizes(file)
        return keras.models.load_model(file)
    except Exception as error:  # A damaged file can make Keras raise any error.
        raise ValueError(_reason(error)) from error


def _reason(error):
    """The innermost cause of an error of Keras, in one short line."""
    text = " ".join(str(error).rpartition("Exception encountered:")[2].split())
    text = text if len(text) <= _REASON else text[:_REASON] + " …"
    return text or type(error).__name__


def _check_sizes(file):
    """Refuse a file with more units than its weights can serve, before memory is taken."""
    with zipfile.ZipFile(file) as archive:
        held = sum(member.file_size for member in archive.infolist())
        config = json.loads(archive.read("config.json"))
    for name, units, weights in _sizes(config):
        if weights > held:  # A weight takes at least a byte.
            raise ValueError(
                f"{name} is to have {units} units, which takes {weights} weights or more, and the "
                f"whole file has {held} bytes"
            )


def _sizes(config):
    """The class, the units and the least number of weights of every layer in a configuration."""
    if isinstance(config, list):
        for value in config:
            yield from _sizes(value)
    if not isinstance(config, dict):
        return
    options = config.get("config")
    for key in ("units", "controller_units") if isinstance(options, dict) else ():
        if isinstance(units := options.get(key), int):
            recurrent = "recurrent_initializer" in options
            yield config.get("class_name"), units, units**2 if recurrent else units
    for value in config.values():
        yield from _sizes(value)


def recurrent_layer(layer_or_model: keras.layers.Layer) -> Any:
    """The recurrent layer of a network whose cell has signals.

    Args:
        layer_or_model: A model that contains exactly one such layer, or the layer itself.

    Raises:
        ValueError: If the model contains no such layer, or several.
    """
    if _has_signals(layer_or_model):
        return layer_or_model
    layers = [layer for layer in layers_within(layer_or_model) if _has_signals(layer)]
    if len(layers) != 1:
        names = ", ".join(layer.name for layer in layers) or "none"
        raise ValueError(
            "`network` must be, or hold exactly one, recurrent layer with signals: ARU, GammaRNN, "
            "DrivenRNN or keras.layers.RNN around one of their cells; LSTM and GRU have none. "
            f"Received: {shown(layer_or_model)}, whose layers of this kind are: {names}. If there "
            "are several, pass the layer itself."
        )
    return layers[0]


def _has_signals(layer):
    return hasattr(getattr(layer, "cell", None), "signal_sizes")


def sequences_into(
    layer_or_model: keras.layers.Layer, layer: keras.layers.Layer
) -> tuple[Any, Any]:
    """The symbolic sequences that a layer reads inside a model, and their mask or None.

    Args:
        layer_or_model: The model.
        layer: Its recurrent layer.

    Raises:
        ValueError: If the model has no graph, does not call the layer itself, or not once alone, or
            calls it with an initial state, or with another argument than a mask and a drive that
            is an input of the model.
    """
    try:
        call = layer_call(layer_or_model, layer)
    except AttributeError as error:
        raise ValueError(
            "`network` must be a functional or sequential model without a `call` of its own, so "
            f"that its layers know their inputs. Received: {layer_or_model!r}. "
            f"{_way_out(layer_or_model)}"
        ) from error
    if call is None:
        raise ValueError(
            f"The layer {layer.name!r} must be a layer of the model itself. Received: a model in "
            "which it is inside of another one. Pass that inner model, with what it reads."
        )
    check_arguments(layer_or_model, layer, call.arguments)
    return next(iter(call.arguments.values())), mask_of(call.arguments)


def _way_out(model):
    if isinstance(model, keras.Sequential) and not model.built:
        return "Begin it with keras.Input, or call it once."
    return "Pass the layer itself, with what it reads."


class _Encoder(keras.Model):
    """The layers before the recurrent one, of which stateful ones begin anew at every call."""

    def call(self, *args, **kwargs):
        with from_initial_states(self):
            return super().call(*args, **kwargs)


def encoder(model: keras.Model, layer: keras.layers.Layer) -> keras.Model | None:
    """The model from the pixels to the sequences that the recurrent layer reads, and their mask.

    Args:
        model: The whole model.
        layer: Its recurrent layer.

    Returns:
        The encoder, or None if the layer reads the pixels themselves.

    Raises:
        ValueError: If the layer's input does not come from a single input of the model, or the
            model calls it with more than `sequences_into` can give.
    """
    sequences, mask = sequences_into(model, layer)
    wanted = sequences if mask is None else [sequences, mask]
    for pixels in model.inputs:
        if pixels is sequences and mask is None:
            return None
        try:
            return _Encoder(pixels, wanted, name="encoder")
        except ValueError:  # The layer does not read this input alone. It may be the drive.
            continue
    raise ValueError(
        f"The layer {layer.name!r} must read sequences, and a mask of them, that come from one "
        f"input of the model. Received: a model with inputs {[x.name for x in model.inputs]}. "
        "Encode the sequences yourself and pass the layer itself."
    )


def skips_padding(model: keras.Model, sequences: Any) -> bool:
    """Whether symbolic sequences are an input of a model behind a `Masking` layer alone.

    Args:
        model: The model.
        sequences: The sequences that its recurrent layer reads, as `sequences_into` gives them.
    """
    for pixels in model.inputs:
        try:
            operations = keras.Model(pixels, sequences).operations
        except ValueError:  # They do not come from this input, which may be the drive.
            continue
        kinds = [type(operation) for operation in operations]
        return kinds == [keras.layers.InputLayer, keras.layers.Masking]
    return False


def read_out(layer_or_model: keras.layers.Layer, layer: Any) -> keras.Model | None:
    """The model from an output of the recurrent layer, (B, N), to the output of the whole model.

    It is found through the graph, whatever the names of the layers are. The output of a model that
    has one at every step is that of a step, if the layers above the recurrent one treat every step
    alike, as `Dense` does.

    Args:
        layer_or_model: The whole model, or the recurrent layer itself.
        layer: The recurrent layer.

    Returns:
        The read-out, or None if the output is not made of one output of that layer alone.
    """
    if layer_or_model is layer:
        return None
    try:
        call = layer_call(layer_or_model, layer)
        h = call and keras.tree.flatten(call.output)[0]
        above = call and keras.Model(h, call.outputs[0])
    except (AttributeError, ValueError):  # The output does not come from this layer alone.
        return None
    return _of_a_step(above) if above and layer.return_sequences else above


def _of_a_step(above):
    """A model of one step from one of all steps; None if it does not treat the steps alike."""
    layers = [_at_one_step(operation) for operation in in_a_row(above) or []]
    if not any(isinstance(layer, keras.layers.Dense) for layer in layers) or None in layers:
        return None
    h = above.inputs[0]
    step = y = keras.Input((h.shape[-1],), dtype=h.dtype)
    for layer in layers:
        y = layer(y)
    return keras.Model(step, y)


_ALIKE = (
    keras.layers.Activation,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
)
"""Layers that do the same at each step, and need not know that there are several."""


def _at_one_step(operation):
    """The layer that does at one step what an operation does at each; None if there is none."""
    if isinstance(operation, keras.layers.TimeDistributed):
        return _at_one_step(operation.layer)
    if isinstance(operation, keras.layers.Softmax | keras.layers.LayerNormalization):
        return operation if keras.tree.flatten(operation.axis) == [-1] else None
    return operation if isinstance(operation, _ALIKE) else None
