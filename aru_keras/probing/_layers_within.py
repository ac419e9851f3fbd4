"""The layers inside a network: all of them, those that carry states, and the last one."""

import contextlib
import weakref
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
    """Whether the output of a model, its first if there are several, is a softmax over the classes.

    Args:
        model: The model. Of one without a graph the last layer is asked.
    """
    last = _last_operation(model)
    if isinstance(last, keras.Model):
        return gives_probabilities(last)
    if type(last).__name__ == "Softmax":  # The layer, or the operation of keras.ops.softmax.
        axes = [-1, *(len(output.shape) - 1 for output in _outputs(model)[:1])]
        return all(axis in axes for axis in keras.tree.flatten(getattr(last, "axis", -1)))
    activation = getattr(last, "activation", None)
    softmax = (keras.activations.softmax, keras.ops.softmax)
    return activation in softmax or isinstance(activation, keras.layers.Softmax)


_LAST: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
"""The layers of models, with the last operation: to search the graph takes milliseconds."""


def _last_operation(model):
    """The operation that makes the first output, or before it, if it changes nothing."""
    layers = list(model.layers)
    known, last = _LAST.get(model, (None, None))
    if known != layers:
        operations = layers
        with contextlib.suppress(AttributeError, ValueError):
            operations = keras.Model(model.inputs, model.outputs[0]).operations
        *_, last = filter(_changes_something, operations)
        _LAST[model] = layers, last
    return last


def _outputs(model):
    return getattr(model, "outputs", None) or []


def _changes_something(operation):
    """Whether an operation may change its input where a model is not trained."""
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is not keras.activations.linear
    return not isinstance(operation, keras.layers.Identity | keras.layers.Dropout)
