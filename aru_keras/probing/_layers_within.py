"""The layers inside a network: all of them, those that carry states, and the last one."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras


def layers_within(layer: Any) -> Iterator[Any]:
    """The layers of a model, of models inside it, and of both directions of a Bidirectional.

    Args:
        layer: The model, or another layer.
    """
    inner = list(getattr(layer, "layers", ()))
    names = ("forward_layer", "backward_layer")
    inner += [getattr(layer, name) for name in names if hasattr(layer, name)]
    for child in inner:
        yield child
        yield from layers_within(child)


@contextlib.contextmanager
def from_initial_states(network: keras.layers.Layer) -> Iterator[None]:
    """A context in which stateful layers start from their initial states, and keep their own.

    Args:
        network: A layer, or a model with such layers inside.
    """
    layers = [network, *layers_within(network)]
    recurrent = [layer for layer in layers if isinstance(layer, keras.layers.RNN)]
    stateful = [layer for layer in recurrent if layer.stateful]
    for layer in stateful:
        layer.stateful = False
    try:
        yield
    finally:
        for layer in stateful:
            layer.stateful = True


def gives_probabilities(model: Any) -> bool:
    """Whether the last layer of a model is a softmax over the classes, or has one.

    Args:
        model: The model.
    """
    last = model.layers[-1]
    if isinstance(last, keras.Model):
        return gives_probabilities(last)
    if isinstance(last, keras.layers.Softmax):
        return keras.tree.flatten(last.axis) in ([-1], [len(model.outputs[0].shape) - 1])
    return getattr(last, "activation", None) is keras.activations.softmax
