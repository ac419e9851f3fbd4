"""The parts of a network that a probe needs: encoder, recurrent layer, read-out."""

import os
import zipfile

import keras

from aru_keras.arguments import path_like, shown

MODEL_FILE = "model.keras"
PERMUTATION_FILE = "permutation.npy"
"""Names of the best model's file, and of the order of pixels, in the folder of a run."""


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
    path = file = path_like("network", network)
    try:
        file = path / MODEL_FILE if path.is_dir() else path
        return keras.models.load_model(file)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        there = os.path.exists(file)
        what = "which cannot be read as one" if there else f"but there is no {shown(file)}"
        raise ValueError(
            f"`network` must be a layer, a model, the folder of a run with a {MODEL_FILE} in it, "
            f"or a .keras file. Received: {shown(str(network))}, {what}. Train one with "
            "aru-keras train digits."
        ) from error


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
