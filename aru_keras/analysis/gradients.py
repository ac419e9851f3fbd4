"""Gradient propagation through time: the contribution of each step of a sequence to dL/dW_hh.

Let ā_t = ∂L/∂a_t, (B, N), be the gradient of the mean loss with respect to the pre-activations::

    dL/dW_hh = Σ_t h_{t−1}ᵀ ā_t

A drive is added to a_t, so ā is the gradient with respect to the drive, and a single backward pass
gives all terms. If the states are detached before step t0, the terms of earlier steps vanish and
the others do not change. The gradient is then the partial sum over t ≥ t0 (Geadah et al. 2024, C.5,
Fig 18).
"""

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import ops
from numpy.typing import ArrayLike
from scipy.special import log_softmax

from aru_keras import probing
from aru_keras._util.arguments import array, one_of, shown, whole, wholes
from aru_keras._util.backends import checked_backend
from aru_keras._util.compiled import without_gradients
from aru_keras._util.deprecated import renamed
from aru_keras._util.numerics import NetworkOverflowError
from aru_keras.analysis.classification import Classifier
from aru_keras.analysis.dynamics import ACTIVATIONS

_BATCH_SIZE = 100
"""Number of sequences whose backward pass is held in memory at once."""


@dataclass(frozen=True, eq=False)
class Propagation:
    """dL/dW_hh of the mean loss over a batch, and the contributions of the steps to it.

    Attributes:
        contributions: Frobenius norm ‖h_{t−1}ᵀ ā_t‖ of the contribution of step t, (T,).
        detached: Norm ‖Σ_{t ≥ t0} h_{t−1}ᵀ ā_t‖ of the gradient if all states are detached before
            step t0, for t0 = 0 … T − 1, (T,). The accumulated length is T − t0.
        gradient: Gradient dL/dW_hh, (N, N); None if only the norms were saved.
    """

    contributions: np.ndarray
    detached: np.ndarray
    gradient: np.ndarray | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Accumulated lengths T − t0 of `detached`, (T,)."""
        return np.arange(len(self.detached), 0, -1)


def propagation(
    network: keras.layers.Layer | str | os.PathLike,
    x: ArrayLike,
    labels: ArrayLike,
    *,
    batch_size: int = _BATCH_SIZE,
) -> Propagation:
    """The contributions of the steps to dL/dW_hh of a network's cross-entropy.

    L is the loss without dropout, as in evaluation, and every sequence starts from the initial
    states of the layer. States of a stateful layer stay as they are.

    Args:
        network: A classifier with one `ARU`, `GammaRNN` or `DrivenRNN` before its read-out, or the
            folder of a run. For a `keras.layers.SimpleRNN` see `propagation_of_simple_rnn`.
        x: Training images, (B, T, I), or in the form of the network's pixel input.
        labels: Classes of the images, (B,).
        batch_size: Number of sequences that run at once.

    Raises:
        ValueError: There is no such layer, the labels do not fit, or a gradient is not finite.
    """
    x = array("x", x, ("B", "T"), ("B", "T", "I"), ("B", "H", "W", "C"), dtype=None)
    classifier, size = Classifier(network), whole("batch_size", batch_size, 1)
    if not classifier.takes_drive or classifier.layer.go_backwards:
        raise ValueError(
            "`network` must hold exactly one ARU, GammaRNN or DrivenRNN that reads forwards, and "
            "compute its output from the last output of this layer. Received: "
            f"{classifier.network.name!r}."
        )
    if classifier.masks:
        raise ValueError(
            "`network` must mask no step, as contributions are of steps that all sequences take. "
            f"Received: {classifier.network.name!r}, which masks. Give sequences of one length to "
            "a model without a mask."
        )
    labels = _classes(labels, len(x), classifier.network.outputs[0].shape[-1])
    h = probing.record(classifier.network, x, "h")["h"]
    in_drive = _gradient_in_drive(classifier)
    adjoints = [
        ops.convert_to_numpy(in_drive(x[k : k + size], labels[k : k + size]))
        for k in range(0, len(x), size)
    ]
    return propagation_from_adjoints(h, np.concatenate(adjoints) / len(x))


def propagation_from_adjoints(h: np.ndarray, adjoints: np.ndarray) -> Propagation:
    """The contributions of the steps to dL/dW_hh, from states and gradients.

    Args:
        h: States h_t, (B, T, N), of sequences that begin at h = 0.
        adjoints: Gradients ā_t = ∂L/∂a_t of the mean loss, (B, T, N).

    Raises:
        NetworkOverflowError: A number is not finite: the gradient has exploded beyond float32.
    """
    for name, values in (("h", h), ("adjoints", adjoints)):
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            _refuse_explosion(name, values)
    h = array("h", h, ("B", "T", "N"), dtype=None)
    expected = f"like `h` {h.shape}, and finite"
    adjoints = array("adjoints", adjoints, h.shape, what=expected, dtype=None)
    timesteps, units = h.shape[1:]
    total = np.zeros((units, units))
    contributions, detached = np.zeros(timesteps), np.zeros(timesteps)
    for t in reversed(range(timesteps)):
        if t:  # h before the first step is 0.
            term = h[:, t - 1].T.astype("float64") @ adjoints[:, t]
            contributions[t] = np.linalg.norm(term)
            total += term
        detached[t] = np.linalg.norm(total)
    return Propagation(contributions, detached, total)


def _refuse_explosion(name, values):
    if not np.isfinite(values).all():
        raise NetworkOverflowError(
            f"`{name}` must be finite. Received: NaN or infinity in it. The network explodes over "
            "this length: take shorter sequences, or another network."
        )


def propagation_of_simple_rnn(
    weights: Sequence[ArrayLike],
    readout: Sequence[ArrayLike],
    x: ArrayLike,
    labels: ArrayLike,
    activation: str = "tanh",
) -> Propagation:
    """`propagation` for a simple recurrent network, in float64, from its weights.

    Args:
        weights: Weights W_xh (I, N), W_hh (N, N) and b (N,), in the order of
            `keras.layers.SimpleRNN.get_weights`.
        readout: Weights W_hy (N, classes) and b_y (classes,) that give the logits.
        x: Input sequences, (B, T, I).
        labels: Classes of the sequences, (B,).
        activation: Name of one of the `ACTIVATIONS`.

    Raises:
        ValueError: The activation is unknown, or a gradient is not finite.
    """
    f, slope = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
    x = array("x", x, ("B", "T", "I"))
    kernel, matrix, bias = _layer_of("weights", weights, (x.shape[2], "N"), ("N", "N"), ("N",))
    out, out_bias = _layer_of("readout", readout, (len(bias), "classes"), ("classes",))
    labels = _classes(labels, len(x), len(out_bias))
    a = x @ kernel + bias
    h, state = np.empty_like(a), np.zeros_like(a[:, 0])
    for t in range(a.shape[1]):
        a[:, t] += state @ matrix
        h[:, t] = state = f(a[:, t])
    probabilities = np.exp(log_softmax(state @ out + out_bias, axis=1))
    back = (probabilities - np.eye(len(out_bias))[labels]) / len(x) @ out.T
    adjoints = np.empty_like(h)
    for t in reversed(range(h.shape[1])):
        adjoints[:, t] = back * slope(a[:, t])
        back = adjoints[:, t] @ matrix.T
    return propagation_from_adjoints(h, adjoints)


def _layer_of(argument, values, *shapes):
    """The weights of a layer, checked for shapes that fit together."""
    given = list(values) if isinstance(values, list | tuple) else []
    if len(given) != len(shapes):
        raise ValueError(
            f"`{argument}` must be a list of {len(shapes)} arrays. Received: {shown(values)}."
        )
    units = np.shape(given[-1])[-1:] or (0,)
    sizes = [tuple(units[0] if isinstance(a, str) else a for a in shape) for shape in shapes]
    return [array(argument, value, shape) for value, shape in zip(given, sizes, strict=True)]


def _classes(labels, count, classes):
    """The labels of `count` examples, checked to be whole numbers below `classes`."""
    labels = np.asarray(wholes("labels", labels, 0, most=classes - 1))
    if len(labels) != count:
        raise ValueError(
            f"`labels` must be whole numbers, one for each of `x`. Received: "
            f"{len(labels)} for {count} examples."
        )
    return labels


def _gradient_in_drive(classifier):
    """The gradient of the summed loss with respect to ξ, (B, T, N), for pixels and labels."""
    cell, dtype = classifier.layer.cell, classifier.layer.cell.compute_dtype
    # With `training`, the layer keeps the residuals that its gradient needs. Dropout would make the
    # gradient one of a random network; without `training`, the residuals are recomputed.
    training = not (cell.dropout or cell.recurrent_dropout)
    encode = without_gradients(
        lambda x: classifier.encode(x)[0], lambda: classifier.network.variables
    )

    def loss(drive, sequences, labels):
        h = classifier.last_output(sequences, drive=drive, training=training)
        return ops.sum(classifier.cross_entropy(classifier.head(h), labels))

    gradient = _gradient(loss, classifier.network)

    def in_drive(x, labels):
        sequences = encode(ops.convert_to_tensor(x, dtype=classifier.input_dtype))
        drive = ops.zeros((*sequences.shape[:2], cell.units), dtype=dtype)
        return gradient(drive, sequences, ops.convert_to_tensor(labels, dtype="int32"))

    return in_drive


def _gradient(loss, network):
    """The compiled gradient of `loss` with respect to its first argument, on any backend."""
    gradients = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    return gradients[checked_backend()](loss, network)


def _tensorflow(loss, network):
    import tensorflow as tf

    def gradient(loss, drive, *others):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(drive)
            value = loss(drive, *others)
        return tape.gradient(value, drive)

    # `loss` is an argument, not closed over: otherwise TensorFlow would take the functions of
    # several networks for one function that is traced again and again, and warn.
    return tf.function(functools.partial(gradient, loss))


def _jax(loss, network):
    import jax

    def with_values(drive, values, *others):
        with keras.StatelessScope(list(zip(network.variables, values, strict=True))):
            return loss(drive, *others)

    compiled = jax.jit(jax.grad(with_values))
    return lambda drive, *others: compiled(
        drive, [variable.value for variable in network.variables], *others
    )


def _torch(loss, network):
    import torch

    def gradient(drive, *others):
        drive = drive.detach().requires_grad_()
        return torch.autograd.grad(loss(drive, *others), drive)[0]

    return gradient


__getattr__ = renamed(
    __name__,
    {
        "BATCH_SIZE": "_BATCH_SIZE",
        "from_adjoints": "propagation_from_adjoints",
        "of_simple_rnn": "propagation_of_simple_rnn",
    },
)
