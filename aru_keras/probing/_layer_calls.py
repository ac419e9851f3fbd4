"""What a recurrent layer is called with inside a model, beside its sequences."""

import inspect
from typing import Any

import keras

from aru_keras.layers._call_arguments import checked_mask

_WAYS_OUT = {
    "initial_state": "Build a model without it: the layer starts from its own initial states.",
    "drive": "Make the drive an input of the model, and give its values as `drive`.",
    "mask": "Make the mask from the model's input, as keras.layers.Masking does.",
    "starts": "Build a model without it, and give it each episode as a sequence of its own.",
}
"""What to do about an argument that is refused."""


def call_arguments(layer: keras.layers.Layer) -> dict[str, Any]:
    """The arguments of the first call of a layer in a graph, by name, without those that are None.

    Args:
        layer: The layer.
    """
    tensors = list({id(tensor): tensor for tensor in keras.tree.flatten(layer.input)}.values())
    alone = keras.Model(tensors, layer.output)
    arguments: dict = {}

    def note(operation, *args, **kwargs):
        arguments.update(inspect.signature(layer.call).bind(*args, **kwargs).arguments)
        return operation(*args, **kwargs)

    # It is the public way to see the arguments of a call in a graph: a model of this call alone is
    # called once more, on its own tensors.
    keras.models.clone_model(alone, alone.input, lambda operation: operation, call_function=note)
    own = dict(zip(map(id, alone.inputs), tensors, strict=True))
    return {
        name: keras.tree.map_structure(lambda entry: own.get(id(entry), entry), value)
        for name, value in arguments.items()
        if any(entry is not None for entry in keras.tree.flatten(value))
    }


def mask_of(arguments: dict[str, Any]) -> Any:
    """The symbolic mask (B, T) of the sequences of a call, or None.

    Args:
        arguments: The `call_arguments`.
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
        arguments: The `call_arguments`.

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
