"""What a cell is given for each of its weights: an initializer, a regularizer, a constraint.

Keras names these arguments for the weight, but for its kernels of recurrence: `kernel_constraint`
is that of `kernel`, and `recurrent_constraint` that of `recurrent_kernel`.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import keras

from aru_keras import initializers
from aru_keras._util.arguments import shown

RegularizerLike: TypeAlias = str | Mapping[str, Any] | Callable[..., Any] | None
"""What `keras.regularizers.get` takes."""

ConstraintLike: TypeAlias = str | Mapping[str, Any] | Callable[..., Any] | None
"""What `keras.constraints.get` takes."""

KINDS = ("initializer", "regularizer", "constraint")


def set_weight_options(layer: keras.layers.Layer, **given: Any) -> None:
    """Check arguments such as `kernel_initializer`, and make them attributes of the layer.

    Raises:
        ValueError: If one is not what its name says.
    """
    for name, value in given.items():
        kind = name.rpartition("_")[2]
        checked = initializers.get if kind == "initializer" else _get
        setattr(layer, name, checked(value, name))


def weight_options(layer: keras.layers.Layer, weight: str) -> dict[str, Any]:
    """The arguments that `add_weight` takes for a weight, of a layer that has been given them."""
    stem = weight.replace("recurrent_kernel", "recurrent")
    return {kind: getattr(layer, f"{stem}_{kind}", None) for kind in KINDS}


def serialized_options(layer: keras.layers.Layer, initializer_names: Iterable[str]) -> dict:
    """The configuration of all initializers, regularizers and constraints that a layer has."""
    stems = [name.removesuffix("_initializer") for name in initializer_names]
    return {
        f"{stem}_{kind}": _module(kind).serialize(getattr(layer, f"{stem}_{kind}"))
        for kind in KINDS
        for stem in stems
        if hasattr(layer, f"{stem}_{kind}")
    }


def _module(kind):
    return getattr(keras, f"{kind}s")


def _get(identifier, argument):
    """A regularizer or a constraint as Keras gets it, with an error that names the argument."""
    kind = argument.rpartition("_")[2]
    if identifier is None:
        return None
    try:
        value = _module(kind).get(identifier)
    except (AttributeError, KeyError, TypeError, ValueError):
        value = None
    if not callable(value) or inspect.isclass(value):
        raise ValueError(
            f"`{argument}` must be a {kind} of Keras, its name or configuration, a function of a "
            f"weight, or None. Received: {shown(identifier)}."
        )
    return value
