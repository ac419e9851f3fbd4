"""The arguments of a layer's cell, as properties of the layer, as Keras' own layers have them."""

import inspect
import operator
from typing import Any


def cell_options(kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `keras.layers.Layer` for the cell in a layer that is given `kwargs`."""
    return {"name": "cell", "dtype": kwargs.get("dtype")}


class CellAttributes:
    """A layer that reads through the arguments of its cell: `layer.units` is `layer.cell.units`.

    Attributes:
        cell_class: Class of the cell. Each argument of its `__init__` becomes a property of the
            layer, unless the layer has an attribute of this name.
    """

    cell_class: type

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, parameter in inspect.signature(cls.cell_class).parameters.items():
            varies = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
            if not varies and not hasattr(cls, name):
                documentation = f"`{name}` of the cell."
                setattr(cls, name, property(operator.attrgetter(f"cell.{name}"), doc=documentation))
