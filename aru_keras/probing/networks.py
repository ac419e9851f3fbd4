"""The parts of a network that a probe needs: encoder, recurrent layer, read-out."""

import json
import os
import zipfile

import keras

from aru_keras.arguments import path_like, shown

MODEL_FILE = "model.keras"
PERMUTATION_FILE = "permutation.npy"
"""Names of the best model's file, and of the order of pixels, in the folder of a run."""

_REASON = 300
"""Number of characters of what Keras says of a file that it cannot load."""


def load_network(network):
    """`network` itself, or, where it is a path, the model that is saved there.

    Args:
        network: A layer or model, the folder of a run, or a `.keras` file.

    Raises:
        ValueError: If there is no model at the path.
    """
    if isinstance(network, keras.layers.Layer):
        return network
    if not isinstance(network, str | os.PathLike):
        raise ValueError(
            f"`network` must be a layer, a model, the folder of a run with a {MODEL_FILE} in it, "
            f"or a .keras file. Received: {shown(network)}."
        )
    path = path_like("network", network)
    file = path / MODEL_FILE if os.path.isdir(path) else path
    what = f"but there is no {shown(str(file))}"
    if os.path.exists(file):
        try:
            return load_model(file)
        except ValueError as error:
            what = f"which cannot be read as one: {error}"
    raise ValueError(
        f"`network` must be a layer, a model, the folder of a run with a {MODEL_FILE} in it, "
        f"or a .keras file. Received: {shown(str(network))}, {what}. Train one with aru-keras "
        "train digits."
    )


def load_model(file: str | os.PathLike) -> keras.Model:
    """The model in a `.keras` file.

    Raises:
        ValueError: If it cannot be loaded; the message is the reason alone.
    """
    try:
        if zipfile.is_zipfile(file):  # A model in another format may be a model, too.
            _check_sizes(file)
        return keras.models.load_model(file)
    except Exception as error:  # There is nothing that a damaged file may not make Keras raise.
        raise ValueError(_reason(error)) from error


def _reason(error):
    """The last cause that Keras names of an error, in one short line."""
    text = " ".join(str(error).rpartition("Exception encountered:")[2].split())
    text = text if len(text) <= _REASON else text[:_REASON] + " …"
    return text or type(error).__name__


def _check_sizes(file):
    """Refuse a file that asks for more units than it has weights for, before Keras makes them."""
    with zipfile.ZipFile(file) as archive:
        held = sum(member.file_size for member in archive.infolist())
        config = json.loads(archive.read("config.json"))
    for name, units, weights in _sizes(config):
        if weights > held:  # A weight takes a byte at least.
            raise ValueError(
                f"{name} is to have {units} units, which takes {weights} weights or more, and the "
                f"whole file holds {held} bytes"
            )


def _sizes(config):
    """Class name, units and least number of weights of every layer within a saved configuration."""
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


def recurrent_layer(layer_or_model):
    """The one recurrent layer whose cell gives signals, in a model or itself.

    Raises:
        ValueError: If there is none, or more than one.
    """
    if _has_signals(layer_or_model):
        return layer_or_model
    found = [layer for layer in _layers_within(layer_or_model) if _has_signals(layer)]
    if len(found) != 1:
        names = [layer.name for layer in found]
        raise ValueError(
            "`network` must be, or hold exactly one, recurrent layer with signals: ARU, GammaRNN, "
            "DrivenRNN or keras.layers.RNN around one of their cells; LSTM and GRU have none. "
            f"Received: {shown(layer_or_model)} with {len(found)} such layers {names}. Where "
            "there are several, pass the layer itself."
        )
    return found[0]


def _has_signals(layer):
    return hasattr(getattr(layer, "cell", None), "signal_sizes")


def _layers_within(layer):
    """The layers of a model, of models inside it, and of both directions of a Bidirectional."""
    inner = list(getattr(layer, "layers", ()))
    names = ("forward_layer", "backward_layer")
    inner += [getattr(layer, name) for name in names if hasattr(layer, name)]
    for one in inner:
        yield one
        yield from _layers_within(one)


def sequences_into(layer_or_model, layer):
    """The symbolic sequences that `layer` reads inside a model, and their mask, None without one.

    Raises:
        ValueError: If the model has no graph.
    """
    try:
        inputs = layer.input
    except AttributeError as error:
        raise ValueError(
            "`network` must be a functional or sequential model, whose layers know their "
            f"inputs. Received: {layer_or_model!r}. Pass the layer itself, with what it reads."
        ) from error
    sequences, *others = inputs if isinstance(inputs, list | tuple) else [inputs]
    # Beside a drive and initial states, which are numbers, stands the mask that Keras filled in.
    masks = [one for one in others if keras.backend.standardize_dtype(one.dtype) == "bool"]
    return sequences, masks[0] if masks else None


def encoder(model, layer):
    """The part of a model from its pixels to what its recurrent layer reads: the sequences, and
    their mask where there is one. None where the layer reads the pixels themselves.

    Raises:
        ValueError: If what the layer reads does not come from one input of the model.
    """
    sequences, mask = sequences_into(model, layer)
    wanted = sequences if mask is None else [sequences, mask]
    for pixels in model.inputs:
        if pixels is sequences and mask is None:
            return None
        try:
            return keras.Model(pixels, wanted)
        except ValueError:  # The layer does not read this input alone: the drive, for example.
            continue
    raise ValueError(
        f"The layer {layer.name!r} must read sequences, and a mask of them, that come from one "
        f"input of the model. Received: a model with inputs {[one.name for one in model.inputs]}. "
        "Encode the sequences yourself and pass the layer itself."
    )


def read_out(layer_or_model, layer):
    """The part of a model from its recurrent layer's last output to its own; None without one."""
    if layer_or_model is layer or layer.return_sequences:
        return None
    try:
        last = layer.output[0] if isinstance(layer.output, list | tuple) else layer.output
        # `outputs`, as a sequential model has no `output` before its first call.
        return keras.Model(last, layer_or_model.outputs[0])
    except (AttributeError, ValueError):  # The output does not come from this layer alone.
        return None
