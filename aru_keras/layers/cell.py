"""The recurrent cell that the paper's networks share: h_t = f(a_t), with a drive on a_t."""

import inspect

import keras
from keras import ops

from aru_keras import initializers, numerics
from aru_keras.arguments import LARGEST_SIZE, named, shown, whole


@keras.saving.register_keras_serializable(package="aru_keras")
class DrivenRNNCell(keras.layers.Layer):
    """A simple recurrent cell whose pre-activation can be driven from outside.

    ::

        a_t = W_xh x_t + W_hh h_{t−1} + b + ξ_t
        h_t = f(a_t)

    Weights: `kernel` (I, N), `recurrent_kernel` (N, N), `bias` (N,). State: [h], (B, N).

    Args:
        units: Number of units N.
        activation: f, as in `keras.activations.get`.
        kernel_initializer: Of W_xh.
        recurrent_initializer: Of W_hh.
        bias_initializer: Of b.
        frozen: Names of weights that do not train.
        **kwargs: Of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: x_t, (B, I).
        states: [h_{t−1}].
        drive: ξ_t, broadcastable to (B, N), added to the pre-activation; None for none.
    """

    _initializer_names: tuple[str, ...] = (
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
    )

    def __init__(
        self,
        units: int,
        activation="relu",
        kernel_initializer="kaiming_normal",
        recurrent_initializer="henaff_orthogonal",
        bias_initializer="zeros",
        frozen=(),
        **kwargs,
    ):
        # Casts are explicit below: Keras would round the float32 controller state to half.
        super().__init__(autocast=False, **kwargs)
        self.units = whole("units", units, 1, most=LARGEST_SIZE)
        self.activation = _activation(activation)
        self._set_initializers(
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
        )
        self.frozen = tuple(named("frozen", frozen, self._weight_names()))
        self.state_size = self.units
        self.output_size = self.units

    @property
    def signal_sizes(self) -> dict[str, int]:
        """Width of every signal that `step` gives, by name."""
        return {"a": self.units, "h": self.units}

    @property
    def state_dtypes(self) -> list[str]:
        """Dtype in which each state is best carried from step to step."""
        return [self.compute_dtype]

    def get_initial_state(self, batch_size=None):
        """Zeros: h_0 (and g_0) of `batch_size` sequences."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [
            ops.zeros((batch_size, size), dtype=dtype)
            for size, dtype in zip(sizes, self.state_dtypes, strict=True)
        ]

    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                f"{type(self).__name__} reads one step at a time: its input must have shape "
                f"(batch, features) with a known number of features. Received: {input_shape}. "
                "Feed whole sequences (batch, time, features) to the layer instead."
            )
        features = input_shape[-1]
        self.kernel = self.add_weight(
            shape=(features, self.units), initializer=self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units),
            initializer=self.recurrent_initializer,
            name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,), initializer=self.bias_initializer, name="bias"
        )
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: features})
        self.built = True

    def _set_initializers(self, **given):
        for name, value in given.items():
            setattr(self, name, initializers.get(value, name))

    @classmethod
    def _weight_names(cls):
        """Of `recurrent_initializer` the weight is `recurrent_kernel`, of others as it says."""
        names = [name.removesuffix("_initializer") for name in cls._initializer_names]
        return [f"{name}_kernel" if name.endswith("recurrent") else name for name in names]

    def add_weight(self, *args, name=None, trainable=True, **options):
        trainable = trainable and name not in self.frozen
        return super().add_weight(*args, name=name, trainable=trainable, **options)

    def call(self, inputs, states, drive=None, training=False):
        signals, new_states = self.step(inputs, states, drive)
        return signals["h"], new_states

    def step(self, inputs, states, drive=None, isolated=False):
        """One step with all its signals.

        Args:
            inputs: x_t, (B, I).
            states: As in a call.
            drive: As in a call.
            isolated: Whether each unit hears only itself: W_hh reduced to its diagonal.

        Returns:
            `(signals, new_states)`: the tensors named in `signal_sizes`, and the list of states.
        """
        wanted = len(self.state_dtypes)
        if not isinstance(states, list | tuple) or len(states) != wanted:
            came = len(states) if isinstance(states, list | tuple) else type(states).__name__
            raise ValueError(
                f"`states` must be a list of {wanted} tensors, of widths {self.state_size}. "
                f"Received: {came}. Take get_initial_state(batch_size) to start from."
            )
        a = self.preactivation(inputs, states[0], drive, isolated)
        signals, memory = self.respond(a, states[1:])
        signals = {"a": a, **signals, "h": ops.cast(signals["h"], self.compute_dtype)}
        return signals, [ops.cast(signals["h"], states[0].dtype), *memory]

    def preactivation(self, inputs, h, drive=None, isolated=False):
        """a_t = W_xh x_t + W_hh h_{t−1} + b + ξ_t, (B, N); isolated: with diag(W_hh) alone."""
        inputs, h, kernel, recurrent_kernel, bias = (
            ops.cast(value, self.compute_dtype)
            for value in (inputs, h, self.kernel, self.recurrent_kernel, self.bias)
        )
        recurrent = h * ops.diagonal(recurrent_kernel) if isolated else h @ recurrent_kernel
        a = inputs @ kernel + recurrent + bias
        return a if drive is None else a + ops.convert_to_tensor(drive, dtype=self.compute_dtype)

    def respond(self, a, memory):
        """Activation: from a_t and the states beyond h, the signals and the new such states."""
        return {"h": self.activation(a)}, []

    def get_config(self):
        config = {
            "units": self.units,
            "activation": keras.activations.serialize(self.activation),
        }
        for name in self._initializer_names:
            config[name] = keras.initializers.serialize(getattr(self, name))
        return {**super().get_config(), **config, "frozen": list(self.frozen)}

    def _in_working_dtype(self, value):
        return ops.cast(value, numerics.working_dtype(self.compute_dtype))


def _activation(identifier):
    """`keras.activations.get`, with an error that names the argument."""
    try:
        found = keras.activations.get(identifier)
    except (TypeError, ValueError):
        found = None
    if not callable(found) or inspect.isclass(found):
        raise ValueError(
            "`activation` must be an activation of Keras, its name, or a function of a tensor. "
            f"Received: {shown(identifier)}."
        )
    return found
