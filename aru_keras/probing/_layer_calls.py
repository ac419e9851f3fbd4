"""What a recurrent layer is called with inside a model, beside its sequences."""

import inspect
from typing import Any, NamedTuple

import keras

from aru_keras.layers._call_arguments import checked_mask

_WAYS_OUT = {
    "initial_state": "Build a model without it: the layer starts from its own initial states.",
    "drive": "Make the drive an input of the model, and give its values as `drive`.",
    "mask": "Make the mask from the model's input, as keras.layers.Masking does.",
    "starts": "Build a model without it, and give it each episode as a sequence of its own.",
}
"""What to do about an argument that is refused."""


class LayerCall(NamedTuple):
    """The call of a layer in a model, in symbolic tensors that come from the model's inputs."""

    arguments: dict[str, Any]
    """The arguments by name, without those that are None."""
    output: Any
    """What the layer returns: a tensor, or a list of them."""
    outputs: list
    """The outputs of the model."""


def layer_call(model: Any, layer: keras.layers.Layer) -> LayerCall | None:
    """The call of a layer in a model; None if only a model inside of it calls the layer.

    The model's own graph is followed. The attribute `output` of a layer is of the graph that was
    made first, which of a sequential model that was loaded, or grew layer by layer, is another one.

    Args:
        model: The model.
        layer: The layer.

    Raises:
        AttributeError: If the model has no graph, or does more than its graph.
        ValueError: If the model calls the layer several times.
    """
    whole, found = keras.Model(model.inputs, model.outputs), []
    if type(model).call not in (type(whole).call, keras.Sequential.call):
        raise AttributeError(f"{model.name} has a `call` of its own.")

    def call(operation, *args, **kwargs):
        output = operation(*args, **kwargs)
        if operation is layer:
            found.append((inspect.signature(layer.call).bind(*args, **kwargs).arguments, output))
        return output

    again = _called_again(whole, call)
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(
            f"The layer {layer.name!r} must be called once in the model. Received: a model that "
            f"calls it {len(found)} times. Pass the layer itself, with what it reads."
        )
    arguments, output = found[0]
    kept = {name: value for name, value in arguments.items() if _holds_any(value)}
    return LayerCall(kept, output, again.outputs)


def in_a_row(model: Any) -> list | None:
    """The operations of a model, if each reads nothing but what the one before returns.

    Args:
        model: A functional model.

    Returns:
        The operations in their order, or None if they are no chain.
    """
    operations, outputs, others = [], [model.inputs[0]], []

    def call(operation, *args, **kwargs):
        read = keras.tree.flatten([args, kwargs])
        others.extend(x for x in read if isinstance(x, keras.KerasTensor) and x is not outputs[-1])
        operations.append(operation)
        outputs.append(operation(*args, **kwargs))
        return outputs[-1]

    _called_again(model, call)
    return None if others else operations


def _called_again(model, call):
    """A model of the same layers, each of them called by `call`: the public way to see a graph."""
    return keras.models.clone_model(model, model.input, lambda same: same, call_function=call)


def _holds_any(value):
    return any(entry is not None for entry in keras.tree.flatten(value))


def mask_of(arguments: dict[str, Any]) -> Any:
    """The symbolic mask (B, T) of the sequences of a call, or None.

    Args:
        arguments: Those of a `LayerCall`.
    """
    sequences, *_ = arguments.values()
    mask = arguments.get("mask", arguments.get("sequences_mask"))
    if mask is None:  # Keras fills it in when the layer runs, and notes it in some graphs alone.
        reader = _MaskReader()
        reader(sequences)
        mask = reader.mask
    return checked_mask(mask, sequences)


def check_arguments(model: Any, layer: keras.layers.Layer, arguments: dict[str, Any]) -> None:
    """Refuse a call with arguments that would be lost where the layer runs outside of its model.

    Args:
        model: The model.
        layer: Its recurrent layer.
        arguments: Those of a `LayerCall`.

    Raises:
        ValueError: If there is an initial state, a drive that is no input of the model, or another
            argument that is no mask that the model computes.
    """
    for name in list(arguments)[1:]:
        if not _is_kept(model, name, arguments[name]):
            raise ValueError(
                f"The layer {layer.name!r} must be called with sequences alone, or with a mask "
                "that the model computes and a drive that is an input of the model. Received: a "
                f"model that gives it another argument, `{name}`, which would be left out here. "
                f"{_WAYS_OUT.get(name, 'Build a model without it.')}"
            )


def _is_kept(model, name, value):
    """Whether an argument reaches the layer where it runs outside of its model."""
    if name == "drive":
        return any(value is given for given in model.inputs)
    if name in ("mask", "sequences_mask"):
        return isinstance(value, keras.KerasTensor)
    return name == "training"


class _MaskReader(keras.layers.Layer):
    """A layer that notes the mask that Keras has for its symbolic input."""

    def __init__(self):
        super().__init__(name="mask_reader")
        self.supports_masking, self.mask = True, None

    def call(self, sequences, mask=None):
        return sequences

    def compute_output_spec(self, sequences, mask=None):
        self.mask = mask
        return keras.KerasTensor(sequences.shape, sequences.dtype)
