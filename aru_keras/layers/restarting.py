"""A cell whose sequences can start anew at any step."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from aru_keras._util.arguments import shown
from aru_keras._util.types import Shape, Tensor

_DROPOUTS = ("dropout", "recurrent_dropout")


@keras.saving.register_keras_serializable(package="aru_keras")
class Restarting(keras.layers.Layer):
    """A cell around another one, whose sequences can start anew at any step.

    Where a sequence starts, the cell inside gets its initial state in place of the state after the
    step before, so that several episodes stand in one sequence without knowing of each other. The
    layers of this package take `starts` themselves; this cell serves every other one in
    `keras.layers.RNN`.

    Args:
        cell: A recurrent cell of Keras, such as `keras.layers.GRUCell`, or of this package.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Input x_t and, as the last feature, a number above 0 where the sequence starts at
            this step, (B, I + 1).
        states: List of the states of the cell.

    Raises:
        TypeError: If `cell` is no recurrent cell.
        ValueError: If it has dropout.

    Example:
        >>> x, starts = np.ones((8, 20, 3), "float32"), np.zeros((8, 20, 1), "float32")
        >>> layer = keras.layers.RNN(Restarting(keras.layers.GRUCell(64)))
        >>> keras.ops.shape(layer(np.concatenate([x, starts], axis=-1)))
        (8, 64)
    """

    def __init__(self, cell: Any, **kwargs: Any):
        if not (hasattr(cell, "state_size") and hasattr(cell, "get_initial_state")):
            raise TypeError(
                "`cell` must be a recurrent cell, which has a state_size and an initial state. "
                f"Received: {shown(cell)}. Give a cell such as keras.layers.GRUCell(64)."
            )
        self._check_dropout(cell)
        super().__init__(autocast=False, **kwargs)
        self.cell = cell
        self.state_size = cell.state_size
        self.output_size = cell.output_size

    def _check_dropout(self, cell):
        """Refuse dropout, whose mask `keras.layers.RNN` renews in cells of its own alone."""
        inside = [cell, *getattr(cell, "cells", ())]
        shares = [getattr(each, name, 0) for each in inside for name in _DROPOUTS]
        if any(shares):
            raise ValueError(
                "`cell` must have no dropout, as nothing would renew its mask. Received: "
                f"{shown(cell)} with dropout {max(shares)}. Drop features with "
                "keras.layers.Dropout, or use a layer of this package with `starts`."
            )

    def build(self, input_shape: Shape) -> None:
        if not self.cell.built:
            *batch, features = input_shape
            self.cell.build((*batch, None if features is None else features - 1))
            self.cell.built = True
        self.built = True

    def get_initial_state(self, batch_size: int | None = None) -> Any:
        return self.cell.get_initial_state(batch_size=batch_size)

    def call(self, inputs: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, Any]:
        x, starts = inputs[:, :-1], inputs[:, -1:] > 0
        fresh = self.get_initial_state(ops.shape(x)[0])
        fresh = fresh if isinstance(fresh, list | tuple) else [fresh]
        states = keras.tree.map_structure(
            lambda start, state: ops.where(starts, ops.cast(start, state.dtype), state),
            list(fresh),
            list(states),
        )
        return self.cell(x, states)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Restarting":
        cell = keras.saving.deserialize_keras_object(config.pop("cell"))
        return cls(cell, **config)
