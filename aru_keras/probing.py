"""Recording: run a network over whole sequences and keep the signals of every unit."""

import keras
import numpy as np
from keras import ops

from aru_keras import numerics
from aru_keras.arguments import one_of
from aru_keras.layers.signals import SignalCell, append_drive


def record(layer_or_model, x, signals=("h", "n", "s"), drive=None) -> dict[str, np.ndarray]:
    """The signals of a recurrent layer, or of the one in a model, while it reads sequences.

    Args:
        layer_or_model: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their
            cells, or a functional or sequential model that holds exactly one such layer.
        x: The sequences, (B, T, I); for a model, what its pixel input takes.
        signals: Names of what to keep: "a" the pre-activation, "n", "s", "h", and, for an ARU,
            "g" the controller states.
        drive: ξ, broadcastable to (B, T, N), added to the pre-activation.

    Returns:
        One array a name: (B, T, N), and (B, T, N·G) for "g", in the order in which the layer
        reads (from the end under `go_backwards`), from the initial states.

    Raises:
        ValueError: If there is no such layer or signal, or a shape does not fit.
    """
    return Recorder(layer_or_model, signals)(x, drive)


class Recorder:
    """`record` for many calls: traced and compiled once for each shape of input.

    Args:
        layer_or_model: As in `record`.
        signals: As in `record`.
    """

    def __init__(self, layer_or_model, signals=("h", "n", "s")):
        self.layer = recurrent_layer(layer_or_model)
        self.signals = _checked_signals(self.layer.cell, signals)
        self._encode, self._rank = _encoder(layer_or_model, self.layer)
        self._loops = {}

    def __call__(self, x, drive=None) -> dict[str, np.ndarray]:
        """The signals for `x` and `drive`, as `record` returns them."""
        cell = self.layer.cell
        x = ops.convert_to_tensor(x, dtype=numerics.working_dtype(cell.compute_dtype))
        # Before encoding: Keras adds a last axis where one is missing, and would take the time for
        # the batch.
        if len(x.shape) != self._rank:
            raise ValueError(
                f"`x` must have {self._rank} axes: sequences (batch, time, features), or what the "
                f"model's pixel input takes. Received: x.shape={tuple(x.shape)}. A single example "
                "needs a batch axis: x[None]."
            )
        sequences = self._encode(x)
        drive_size = 0
        if drive is not None:
            sequences, drive_size = append_drive(cell, sequences, drive)
        if drive_size not in self._loops:
            self._loops[drive_size] = self._loop(sequences.shape, drive_size)
        together = ops.convert_to_numpy(self._loops[drive_size](sequences))
        ends = np.cumsum([cell.signal_sizes[name] for name in self.signals])
        return dict(zip(self.signals, np.split(together, ends[:-1], axis=-1), strict=True))

    def _loop(self, shape, drive_size):
        loop = keras.layers.RNN(
            SignalCell(self.layer.cell, self.signals, drive_size),
            return_sequences=True,
            go_backwards=self.layer.go_backwards,
            name="recording_loop",
            dtype=numerics.working_dtype(self.layer.cell.compute_dtype),
        )
        loop.build(shape)
        return _without_gradients(loop)


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
            "`layer_or_model` must be, or hold exactly one, recurrent layer with signals: ARU, "
            f"GammaRNN, DrivenRNN or keras.layers.RNN around one of their cells. Received: "
            f"{layer_or_model!r} with {len(found)} such layers {names}. Pass the layer itself."
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


def _checked_signals(cell, signals):
    signals = (signals,) if isinstance(signals, str) else tuple(signals)
    for name in signals:
        one_of("signals", name, cell.signal_sizes)
    if not signals:
        raise ValueError(
            f"`signals` must name at least one of {', '.join(cell.signal_sizes)}. Received: none."
        )
    return signals


def _encoder(layer_or_model, layer):
    """The part of a model from its pixels to what its recurrent layer reads, and their rank."""
    if layer_or_model is layer:
        return (lambda x: x), 3
    try:
        inputs = layer.input
    except AttributeError as error:
        raise ValueError(
            "`layer_or_model` must be a functional or sequential model, whose layers know their "
            f"inputs. Received: {layer_or_model!r}. Pass the layer itself, with what it reads."
        ) from error
    sequences = inputs[0] if isinstance(inputs, list | tuple) else inputs
    if getattr(sequences, "_keras_mask", None) is not None:
        raise ValueError(
            f"The model masks the input of its layer {layer.name!r}, and recordings skip no steps. "
            "Pass the layer itself, with sequences of full length."
        )
    for pixels in layer_or_model.inputs:
        try:
            encoder = keras.Model(pixels, sequences)
            return _without_gradients(encoder), len(pixels.shape)
        except ValueError:  # The layer does not read this input alone: the drive, for example.
            continue
    raise ValueError(
        f"The layer {layer.name!r} must read sequences that come from one input of the model. "
        f"Received: a model with inputs {[value.name for value in layer_or_model.inputs]}. "
        "Encode the sequences yourself and pass the layer itself."
    )


def _without_gradients(layer):
    """`layer` as a function of one tensor: compiled once a shape, and without a tape."""
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(layer)
    if keras.config.backend() == "jax":
        import jax

        # The weights are arguments: constants of the compiled program would not follow training.
        @jax.jit
        def call(weights, x):
            with keras.StatelessScope(list(zip(layer.variables, weights, strict=True))):
                return layer(x)

        return lambda x: call([variable.value for variable in layer.variables], x)
    import torch

    return torch.no_grad()(layer)
