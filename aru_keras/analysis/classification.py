"""A classifier of sequences, split at its recurrent layer so that a drive can be added to it."""

import os
from typing import Any

import keras
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.arguments import instance
from aru_keras.layers import DrivenRNN
from aru_keras.probing import graph
from aru_keras.probing._layers_within import from_initial_states, gives_probabilities


class Classifier:
    """A network that classifies sequences from the last output of a recurrent layer.

    Here a saved network accepts a drive even if it was built without one. Stateful layers start
    every call from their initial states, and their own states stay as they are.

    Args:
        network: A model whose output is logits, or probabilities from a softmax in, or as, its last
            layer; or the folder of a run.

    Attributes:
        network: The model.
        layer: The model's `ARU`, `GammaRNN` or `DrivenRNN`. It is None, and no drive can be added,
            unless the model has exactly one such layer and computes its output from the last
            output of this layer alone. LSTM and GRU networks have none.

    Raises:
        ValueError: There is no model at the path, `network` is not a model, it calls the layer with
            an initial state, or a drive that is not one of its inputs, or it has an input besides
            the sequences that is no drive of such a layer.
    """

    def __init__(self, network: keras.layers.Layer | str | os.PathLike):
        self.network = instance("network", graph.load_network(network), keras.Model)
        self.layer = _driven_layer(self.network)
        self._encoder: Any = None
        self._head: Any = None
        if self.layer is not None:
            self._encoder = graph.encoder(self.network, self.layer)
            self._head = graph.read_out(self.network, self.layer)
        else:
            _check_inputs(self.network)

    @property
    def input_dtype(self) -> str:
        """The dtype in which a network with a driven layer is given its pixels."""
        dtype = self._encoder.input.dtype if self._encoder else "float32"
        return numerics.input_dtype(dtype, self.layer.cell.compute_dtype)

    @property
    def takes_drive(self) -> bool:
        """Whether a drive can be added to the pre-activations."""
        return self.layer is not None

    @property
    def masks(self) -> bool:
        """Whether the model masks steps before its recurrent layer."""
        return self._encoder is not None and len(self._encoder.outputs) == 2

    def encode(self, x: Any) -> tuple[Any, Any]:
        """What the recurrent layer reads for a given pixel input.

        Returns:
            `(sequences, mask)`: (B, T, I), and (B, T) or None where the model masks no step.
        """
        if self._encoder is None:
            return x, None
        encoded = self._encoder(x, training=False)
        return tuple(encoded) if self.masks else (encoded, None)

    def outputs(self, x: Any, drive: Any = None) -> Any:
        """Logits or probabilities, (B, classes).

        Args:
            x: Pixel input of the network.
            drive: Drive ξ, broadcastable to (B, T, N); None if there is no driven layer.
        """
        if self.layer is None:
            with from_initial_states(self.network):
                return keras.tree.flatten(self.network(x, training=False))[0]
        sequences, mask = self.encode(x)
        return self.head(self.last_output(sequences, mask, drive))

    def last_output(
        self, sequences: Any, mask: Any = None, drive: Any = None, training: bool = False
    ) -> Any:
        """The last output of the recurrent layer, (B, N), for what `encode` gives.

        Args:
            sequences: Sequences, (B, T, I).
            mask: Mask (B, T), or None.
            drive: Drive ξ, broadcastable to (B, T, N), or None.
            training: Whether the layer is to run as in training.
        """
        with from_initial_states(self.layer):
            output = self.layer(sequences, mask=mask, drive=drive, training=training)
        return output[0] if isinstance(output, list | tuple) else output

    def head(self, h: Any) -> Any:
        """Logits or probabilities, (B, classes), from the last output of the layer, (B, N)."""
        return self._head(h, training=False)

    def cross_entropy(self, outputs: Any, labels: Any) -> Any:
        """The loss of each sequence in nats, (B,), in float32 or wider, for integer labels (B,)."""
        if outputs.shape[-1] < 2:
            raise ValueError(
                "`network` must have an output for each class, and so two or more. Received: one. "
                "Give a network for two classes Dense(2), and train it with a sparse categorical "
                "cross-entropy."
            )
        outputs = ops.cast(outputs, numerics.working_dtype(outputs.dtype))
        if gives_probabilities(self.network):
            # As in Keras' own losses.
            logarithms = ops.log(ops.maximum(outputs, keras.config.epsilon()))
        else:
            lowered = outputs - ops.stop_gradient(ops.max(outputs, axis=1, keepdims=True))
            logarithms = lowered - ops.log(ops.sum(ops.exp(lowered), axis=1, keepdims=True))
        return -ops.take_along_axis(logarithms, labels[:, None], axis=1)[:, 0]


def _check_inputs(network):
    """Refuse a model that reads more than sequences, because nothing says what to feed it."""
    names = [value.name for value in getattr(network, "inputs", None) or ()]
    if len(names) > 1:
        raise ValueError(
            "`network` must have the sequences as its only input, unless the other is the drive of "
            "exactly one ARU, GammaRNN or DrivenRNN before its read-out. Received: "
            f"{network.name!r} with inputs {names}. Build it without the drive."
        )


def _driven_layer(network):
    try:
        layer = graph.recurrent_layer(network)
    except ValueError:
        return None
    if not isinstance(layer, DrivenRNN) or layer.return_sequences:
        return None
    return layer if graph.read_out(network, layer) is not None else None
