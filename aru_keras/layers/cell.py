"""The recurrent cell that the paper's networks share: h_t = f(a_t), with a drive on a_t."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import keras
from keras import ops

from aru_keras._util import numerics
from aru_keras._util.arguments import LARGEST_SIZE, finite, flag, named, shown, whole
from aru_keras._util.types import Shape, Tensor
from aru_keras.initializers import InitializerLike
from aru_keras.layers._weight_options import (
    ConstraintLike,
    RegularizerLike,
    serialized_options,
    set_weight_options,
    weight_options,
)

ActivationLike: TypeAlias = str | Mapping[str, Any] | Callable[..., Any] | None
"""What `keras.activations.get` takes."""


@keras.saving.register_keras_serializable(package="aru_keras")
class DrivenRNNCell(keras.layers.SimpleRNNCell):
    """A simple recurrent cell whose pre-activation can be driven from outside.

    ::

        a_t = W_xh x_t + W_hh h_{t−1} + b + ξ_t
        h_t = f(a_t)

    Weights: `kernel` (I, N), `recurrent_kernel` (N, N), `bias` (N,). State: [h], (B, N).

    As a `keras.layers.SimpleRNNCell` it has the dropout masks of Keras' cells, which every
    `keras.layers.RNN` draws once a call.

    Args:
        units: Number of units N.
        activation: Activation f, as `keras.activations.get` takes it.
        use_bias: Whether the units have a bias b.
        kernel_initializer: Initializer of W_xh, or a number.
        recurrent_initializer: Initializer of W_hh, or a number.
        bias_initializer: Initializer of b, or a number.
        kernel_regularizer: Regularizer of W_xh.
        recurrent_regularizer: Regularizer of W_hh.
        bias_regularizer: Regularizer of b.
        kernel_constraint: Constraint on W_xh.
        recurrent_constraint: Constraint on W_hh.
        bias_constraint: Constraint on b.
        dropout: Fraction of the input features to drop in training, the same at every step.
        recurrent_dropout: Fraction of the units whose h_{t−1} does not reach the other units in
            training, the same at every step.
        seed: Seed of the dropout; None for a random one.
        frozen: Names of the weights that do not train.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Input x_t, (B, I).
        states: List of the state h_{t−1}, (B, N).
        drive: External drive ξ_t, broadcastable to (B, N), which is added to the pre-activation.
        training: Whether to apply the dropout.

    Raises:
        ValueError: If an argument is none of these, or the cell is built for whole sequences.
    """

    _initializer_names: tuple[str, ...] = (
        "kernel_initializer",
        "recurrent_initializer",
        "bias_initializer",
    )

    def __init__(
        self,
        units: int,
        activation: ActivationLike = "relu",
        *,
        use_bias: bool = True,
        kernel_initializer: InitializerLike = "kaiming_normal",
        recurrent_initializer: InitializerLike = "henaff_orthogonal",
        bias_initializer: InitializerLike = "zeros",
        kernel_regularizer: RegularizerLike = None,
        recurrent_regularizer: RegularizerLike = None,
        bias_regularizer: RegularizerLike = None,
        kernel_constraint: ConstraintLike = None,
        recurrent_constraint: ConstraintLike = None,
        bias_constraint: ConstraintLike = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        frozen: Sequence[str] = (),
        **kwargs: Any,
    ):
        # Not the __init__ of SimpleRNNCell, which draws a seed even without dropout: initializers
        # would then draw other weights than they did before there was a dropout. Casts are explicit
        # below: Keras would round the float32 state of the controller to half.
        keras.layers.Layer.__init__(self, autocast=False, **kwargs)
        self.units = whole("units", units, 1, most=LARGEST_SIZE)
        self.activation, self.use_bias = _activation(activation), flag("use_bias", use_bias)
        set_weight_options(
            self,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
        )
        self._set_dropout(dropout, recurrent_dropout, seed)
        self.frozen = tuple(named("frozen", frozen, self._weight_names()))
        self.state_size: int | list[int] = self.units
        self.output_size = self.units

    @property
    def signal_sizes(self) -> dict[str, int]:
        """The width of every signal that `step` gives, by name."""
        return {"a": self.units, "h": self.units}

    @property
    def state_dtypes(self) -> list[str]:
        """The dtype in which each state is best carried from step to step."""
        return [self.compute_dtype]

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        """The states before the first step, all zeros, of `batch_size` sequences."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [
            ops.zeros((batch_size, size), dtype=dtype)
            for size, dtype in zip(sizes, self.state_dtypes, strict=True)
        ]

    def build(self, input_shape: Shape) -> None:
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                f"{type(self).__name__} reads one step at a time: its input must have shape "
                f"(batch, features) with a known number of features. Received: {input_shape}. "
                "Feed whole sequences (batch, time, features) to the layer instead."
            )
        features = input_shape[-1]
        self._add_own_weight("kernel", (features, self.units))
        self._add_own_weight("recurrent_kernel", (self.units, self.units))
        self.bias = None
        if self.use_bias:
            self._add_own_weight("bias", (self.units,))
        self.input_spec = keras.layers.InputSpec(ndim=2, axes={-1: features})
        self.built = True

    def _set_dropout(self, dropout, recurrent_dropout, seed):
        self.dropout = finite("dropout", dropout, 0.0, most=1.0)
        self.recurrent_dropout = finite("recurrent_dropout", recurrent_dropout, 0.0, most=1.0)
        hint = "Or give None for a random one."
        self.seed = seed if seed is None else whole("seed", seed, 0, most=2**32 - 1, hint=hint)
        if self.dropout or self.recurrent_dropout:
            self.seed_generator = keras.random.SeedGenerator(self.seed)

    def _add_own_weight(self, name, shape, **options):
        """Add a weight with the initializer, regularizer and constraint of its name."""
        options = {**weight_options(self, name), **options}
        setattr(self, name, self.add_weight(shape=shape, name=name, **options))

    @classmethod
    def _weight_names(cls):
        """The names of the weights, from the names of their initializers."""
        names = [name.removesuffix("_initializer") for name in cls._initializer_names]
        return [f"{name}_kernel" if name.endswith("recurrent") else name for name in names]

    def add_weight(
        self, *args: Any, name: str | None = None, trainable: bool = True, **options: Any
    ) -> keras.Variable:
        """Add a weight as `keras.layers.Layer` does, which does not train if its name is frozen."""
        trainable = trainable and name not in self.frozen
        return super().add_weight(*args, name=name, trainable=trainable, **options)

    def call(
        self,
        inputs: Tensor,
        states: Sequence[Tensor],
        drive: Tensor | None = None,
        training: bool = False,
    ) -> tuple[Tensor, list[Tensor]]:
        signals, new_states = self.step(inputs, states, drive, training=training)
        return signals["h"], new_states

    def step(
        self,
        inputs: Tensor,
        states: Sequence[Tensor],
        drive: Tensor | None = None,
        isolated: bool = False,
        training: bool = False,
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Compute one step, with all its signals.

        Args:
            inputs: Input x_t, (B, I).
            states: List of the states before the step.
            drive: External drive ξ_t, broadcastable to (B, N).
            isolated: Whether each unit hears only itself: W_hh is reduced to its diagonal.
            training: Whether to apply the dropout.

        Returns:
            `(signals, new_states)`: the tensors named in `signal_sizes`, and the list of states.

        Raises:
            ValueError: If `states` is no list of as many tensors as the cell has states.
        """
        count = len(self.state_dtypes)
        if not isinstance(states, list | tuple) or len(states) != count:
            received = len(states) if isinstance(states, list | tuple) else type(states).__name__
            raise ValueError(
                f"`states` must be a list of {count} tensors, of widths {self.state_size}. "
                f"Received: {received}. Take get_initial_state(batch_size) to start from."
            )
        inputs, h = self._dropped(inputs, states[0]) if training else (inputs, states[0])
        a = self.preactivation(inputs, h, drive, isolated)
        signals, memory = self.respond(a, states[1:])
        signals = {"a": a, **signals, "h": ops.cast(signals["h"], self.compute_dtype)}
        return signals, [ops.cast(signals["h"], states[0].dtype), *memory]

    def preactivation(
        self, inputs: Tensor, h: Tensor, drive: Tensor | None = None, isolated: bool = False
    ) -> Tensor:
        """a_t = W_xh x_t + W_hh h_{t−1} + b + ξ_t, (B, N); arguments as in `step`."""
        inputs, h, kernel, recurrent_kernel = (
            ops.cast(value, self.compute_dtype)
            for value in (inputs, h, self.kernel, self.recurrent_kernel)
        )
        recurrent = h * ops.diagonal(recurrent_kernel) if isolated else h @ recurrent_kernel
        a = inputs @ kernel + recurrent
        if self.bias is not None:
            a = a + ops.cast(self.bias, self.compute_dtype)
        return a if drive is None else a + ops.convert_to_tensor(drive, dtype=self.compute_dtype)

    def _dropped(self, inputs, h):
        """Input and h_{t−1} as the weights get them in training, with Keras' mask of this call."""
        masks = self.get_dropout_mask(inputs), self.get_recurrent_dropout_mask(h)
        return [
            value if mask is None else value * ops.cast(mask, value.dtype)
            for value, mask in zip((inputs, h), masks, strict=True)
        ]

    def respond(
        self, a: Tensor, memory: Sequence[Tensor]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Compute the activation; a cell with equations of its own overrides this method.

        Args:
            a: Pre-activation a_t, (B, N).
            memory: States before the step, but for h.

        Returns:
            `(signals, memory)`: the signals by name, "h" among them, and the new states but for h.
        """
        return {"h": self.activation(a)}, []

    def get_config(self) -> dict[str, Any]:
        weights = serialized_options(self, self._initializer_names)
        return {**super().get_config(), **weights, "frozen": list(self.frozen)}

    def _in_working_dtype(self, value):
        return ops.cast(value, numerics.working_dtype(self.compute_dtype))


def _activation(identifier):
    """`keras.activations.get`, with an error that names the argument."""
    try:
        activation = keras.activations.get(identifier)
    except (TypeError, ValueError):
        activation = None
    if not callable(activation) or inspect.isclass(activation):
        raise ValueError(
            "`activation` must be an activation of Keras, its name, or a function of a tensor. "
            f"Received: {shown(identifier)}."
        )
    return activation
