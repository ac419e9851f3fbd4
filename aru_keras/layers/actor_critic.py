"""The read-out of an agent: the parameters of its policy, and the value of the state."""

import inspect
from typing import Any

import keras
from keras import ops

from aru_keras._util.arguments import flag, whole
from aru_keras._util.types import Shape, Tensor

POLICY_SCALE, VALUE_SCALE = 0.01, 1.0
"""Scales of the orthogonal initial weights, as in CleanRL: all actions begin nearly alike."""

# Keras writes `quantization_config` into the configuration of every layer.
_OF_DENSE = {*inspect.signature(keras.layers.Dense).parameters} - {"kwargs", "quantization_config"}


@keras.saving.register_keras_serializable(package="aru_keras")
class ActorCriticReadout(keras.layers.Dense):
    """A dense layer whose outputs are the parameters of a policy and, last, the value.

    ::

        y = [θ, log σ, v],   [θ, v] = h W + b

    θ are logits of actions, or the means of Gaussians; then log σ are weights of their own, which
    do not depend on h.

    Args:
        policy_size: Number of parameters θ.
        log_std_size: Number of log σ: 0, or as many as θ.
        detach_value: Whether no gradient goes from the value into h. The layers before then learn
            from the policy alone.
        **kwargs: Arguments of `keras.layers.Layer`: `name`, `dtype`, `trainable`.

    Raises:
        ValueError: If an argument is out of range, or one of `keras.layers.Dense` alone.

    Example:
        >>> keras.ops.shape(ActorCriticReadout(2)(np.ones((8, 20, 64), "float32")))
        (8, 20, 3)
    """

    def __init__(
        self,
        policy_size: int,
        log_std_size: int = 0,
        *,
        detach_value: bool = False,
        **kwargs: Any,
    ):
        self.policy_size = whole("policy_size", policy_size, 1)
        self.log_std_size = whole("log_std_size", log_std_size, 0)
        if self.log_std_size not in (0, self.policy_size):
            raise ValueError(
                f"`log_std_size` must be 0, or as many as θ, {self.policy_size}. "
                f"Received: {log_std_size}."
            )
        self.detach_value = flag("detach_value", detach_value)
        if others := set(kwargs) & _OF_DENSE:
            raise ValueError(
                f"`{min(others)}` is no argument of ActorCriticReadout, though one of Dense. "
                "Leave it out."
            )
        super().__init__(self.policy_size + 1, kernel_initializer=_columns, **kwargs)

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if self.log_std_size:
            self.log_std = self.add_weight(
                name="log_std", shape=(self.log_std_size,), initializer="zeros"
            )

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:
        y = super().call(inputs, training)
        outputs = [y[..., :-1], y[..., -1:]]
        if self.detach_value:
            outputs[1] = super().call(ops.stop_gradient(inputs), training)[..., -1:]
        if self.log_std_size:
            log_std = ops.cast(self.log_std, y.dtype)
            outputs.insert(1, ops.zeros_like(y[..., : self.log_std_size]) + log_std)
        return ops.concatenate(outputs, axis=-1)

    def compute_output_shape(self, input_shape: Shape) -> Any:
        return (*input_shape[:-1], self.policy_size + self.log_std_size + 1)

    # `Dense` saves its own two weights alone, and would leave out log σ.
    def save_own_variables(self, store: Any) -> None:
        keras.layers.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: Any) -> None:
        keras.layers.Layer.load_own_variables(self, store)

    def get_config(self) -> dict[str, Any]:
        config = keras.layers.Layer.get_config(self)
        names = "policy_size", "log_std_size", "detach_value"
        return {**config, **{name: getattr(self, name) for name in names}}


def _columns(shape, dtype=None):
    """Orthogonal columns for the policy and the value, each of its scale."""
    policy, value = (
        keras.initializers.Orthogonal(scale)((shape[0], size), dtype)
        for scale, size in ((POLICY_SCALE, shape[1] - 1), (VALUE_SCALE, 1))
    )
    return ops.concatenate([policy, value], axis=1)
