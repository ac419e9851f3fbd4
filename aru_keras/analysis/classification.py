"""A classifier of sequences, taken apart at its recurrent layer so that any drive can act on it."""

import keras
from keras import ops

from aru_keras import numerics
from aru_keras.arguments import instance
from aru_keras.layers import DrivenRNN
from aru_keras.probing import networks


class Classifier:
    """A network that gives a class for each sequence, from the last output of a recurrent layer.

    A saved network takes a drive here even if it was built without one.

    Args:
        network: A model that gives logits, or probabilities by a softmax as its last layer; or the
            folder of a run.

    Attributes:
        network: The model.
        layer: Its `ARU`, `GammaRNN` or `DrivenRNN`; None where it has not exactly one, from whose
            last output alone it makes its own, and so takes no drive (LSTM, GRU).

    Raises:
        ValueError: There is no model at the path, or it is none.
    """

    def __init__(self, network):
        self.network = instance("network", networks.load_network(network), keras.Model)
        self.layer = _driven_layer(self.network)
        if self.layer is not None:
            self._encoder = networks.encoder(self.network, self.layer)
            self._head = networks.read_out(self.network, self.layer)

    @property
    def takes_drive(self) -> bool:
        """Whether a drive can be added to its pre-activations."""
        return self.layer is not None

    def encode(self, x):
        """What the recurrent layer reads, (B, T, I), of what the network's pixel input takes."""
        return x if self._encoder is None else self._encoder(x, training=False)

    def outputs(self, x, drive=None):
        """Logits or probabilities, (B, classes).

        Args:
            x: What the network's pixel input takes.
            drive: ξ, broadcastable to (B, T, N); None where there is no driven layer.
        """
        if self.layer is None:
            return self.network(x, training=False)
        return self.head(self.layer(self.encode(x), drive=drive, training=False))

    def head(self, h):
        """Logits or probabilities, (B, classes), of the last output of the layer, (B, N)."""
        return self._head(h, training=False)

    def cross_entropy(self, outputs, labels):
        """Loss of each sequence in nats, (B,), in float32 or wider; labels (B,) int."""
        outputs = ops.cast(outputs, numerics.working_dtype(outputs.dtype))
        if getattr(self.network.layers[-1], "activation", None) is keras.activations.softmax:
            # As in Keras' own losses.
            logarithms = ops.log(ops.maximum(outputs, keras.config.epsilon()))
        else:
            lowered = outputs - ops.stop_gradient(ops.max(outputs, axis=1, keepdims=True))
            logarithms = lowered - ops.log(ops.sum(ops.exp(lowered), axis=1, keepdims=True))
        return -ops.take_along_axis(logarithms, labels[:, None], axis=1)[:, 0]


def _driven_layer(network):
    try:
        layer = networks.recurrent_layer(network)
    except ValueError:
        return None
    read_out = networks.read_out(network, layer) if isinstance(layer, DrivenRNN) else None
    return layer if read_out is not None else None
