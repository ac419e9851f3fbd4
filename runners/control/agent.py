"""Actor and critic on one recurrent network, which act in an environment."""

from typing import Any

import keras
import numpy as np
from keras import ops

from aru_keras import models
from aru_keras._util.compiled import check_process
from aru_keras._util.step_programs import step_program
from aru_keras._util.types import Tensor
from aru_keras.layers import ActorCriticReadout, Restarting
from aru_keras.runners.control.actions import Actions


def build_agent(
    name: str,
    features: int,
    actions: Actions,
    *,
    units: int = 64,
    controller_units: int = 8,
    detach_value: bool = False,
) -> keras.Model:
    """One of the five networks, with the read-out of an agent at every step.

    Args:
        name: Name in `models.NETWORKS`.
        features: Number of features I that it sees.
        actions: What it can do.
        units: Number of units N.
        controller_units: Number of controller units G of an ARUN.
        detach_value: Whether the recurrent layer learns from the policy alone, and not from the
            value.

    Returns:
        A `keras.Model` from observations (B, T, I) to y, (B, T, P + 1): the parameters of the
        policy and, last, the value. Its layers are "recurrent" and "readout".

    Raises:
        ValueError: If there is no such network, or a size is out of range.
    """
    network = models.build_network(
        name,
        (None, features),
        units=units,
        controller_units=controller_units,
        every_step=True,
        match_parameters=False,
    )
    layer = network.get_layer("recurrent")
    sizes = actions.policy_size, actions.log_std_size
    readout = ActorCriticReadout(*sizes, detach_value=detach_value, name="readout")
    return keras.Model(network.inputs[0], readout(layer.output), name=name)


class ControlAgent:
    """An agent for any environment with vectors of observations, and its compiled step.

    `runners.agent.Agent` is the agent for classification at the end of a sequence.

    Args:
        model: Network, as `build_agent` makes it.
        actions: What the agent can do.

    Attributes:
        model: The network.
        actions: What the agent can do.
        layer: Its recurrent layer.

    Example:
        >>> world = make_world("CartPole-v1", 8)
        >>> agent = ControlAgent(build_agent("gru", world.features, world.actions), world.actions)
        >>> observations, state = world.reset(seed=0), agent.initial_state(8)
        >>> y, state = agent(observations, np.ones(8, bool), state)
        >>> outcome = world.step(agent.actions.best(y[:, :-1]))
    """

    def __init__(self, model: keras.Model, actions: Actions):
        check_process()
        self.model, self.actions = model, actions
        self.layer, self.readout = model.get_layer("recurrent"), model.get_layer("readout")
        outputs = actions.policy_size + actions.log_std_size + 1
        if model.outputs[0].shape[-1] != outputs:
            raise ValueError(
                f"`model` must have {outputs} outputs at each step for these actions: "
                f"{outputs - 1} parameters of the policy, and the value. Received: "
                f"{model.outputs[0].shape[-1]}. Make it with build_agent."
            )
        self._program = step_program(self._step, model.variables)

    @property
    def driven(self) -> bool:
        """Whether a drive can act on the units: those of lstm and gru have none."""
        return hasattr(self.layer.cell, "signal_sizes")

    def initial_state(self, batch_size: int) -> list[Tensor]:
        """The states before the first step."""
        state = self.layer.cell.get_initial_state(batch_size=batch_size)
        return list(state) if isinstance(state, list | tuple) else [state]

    def __call__(
        self, observations: np.ndarray, starts: np.ndarray, state: list, drive: Any = None
    ) -> tuple[np.ndarray, list]:
        """See what the environment shows.

        Args:
            observations: (B, I) float32.
            starts: Whether an episode begins with it, (B,) bool.
            state: States after the step before, which stay on the device.
            drive: Drive, broadcastable to (B, N); not for lstm and gru.

        Returns:
            `(y, state)`: the parameters of the policy and the value, (B, P + 1), as an array, and
            the states after this step.
        """
        x, starts = (ops.convert_to_tensor(value) for value in (observations, starts[:, None]))
        if drive is not None:
            drive = ops.convert_to_tensor(drive, dtype="float32")
        y, *state = self._program(x, starts, drive, *state)
        return ops.convert_to_numpy(y), state

    def _step(self, x, starts, drive, *state):
        fresh = self.initial_state(x.shape[0])
        state = [ops.where(starts, a, b) for a, b in zip(fresh, state, strict=True)]
        options = {} if drive is None else {"drive": drive}
        h, new = self.layer.cell(x, state, **options)
        new = new if isinstance(new, list | tuple) else [new]
        new = [ops.cast(a, b.dtype) for a, b in zip(new, state, strict=True)]
        return [self.readout(h), *new]


def segment_model(model: keras.Model, steps: int, *, driven: bool = False) -> keras.Model:
    """The network over a segment: from states that go on, with episodes that begin inside.

    Args:
        model: Network, as `build_agent` makes it, whose layers and weights the result shares.
        steps: Number of steps T.
        driven: Whether there is a drive; not for lstm and gru.

    Returns:
        A model whose inputs are a dictionary: "observations" (B, T, I), "starts" (B, T, 1),
        "state_0", …, (B, widths), and, where there is one, "drive" (B, T, N); its output is y,
        (B, T, P + 1).
    """
    layer, readout = model.get_layer("recurrent"), model.get_layer("readout")
    x = keras.Input((steps, model.inputs[0].shape[-1]), name="observations")
    starts = keras.Input((steps, 1), name="starts")
    widths = np.atleast_1d(layer.cell.state_size).tolist()
    state = [keras.Input((width,), name=f"state_{i}") for i, width in enumerate(widths)]
    drives = [keras.Input((steps, layer.cell.units), name="drive")] if driven else []
    if hasattr(layer.cell, "signal_sizes"):
        options = {"drive": drives[0]} if drives else {}
        h = layer(x, initial_state=state, starts=ops.squeeze(starts, -1), **options)
    else:
        loop = keras.layers.RNN(Restarting(layer.cell), return_sequences=True, name="restarting")
        h = loop(ops.concatenate([x, starts], axis=-1), initial_state=state)
    inputs = {value.name: value for value in (x, starts, *state, *drives)}
    return keras.Model(inputs, readout(h), name="segment")
