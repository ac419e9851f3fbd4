"""The units themselves as an environment, into which currents are injected."""

import random
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops

from aru_keras._util.arguments import finite, flag, whole
from aru_keras._util.compiled import check_process
from aru_keras.envs.base import NativeVectorEnv, SingleEnv
from aru_keras.layers import ARU, DrivenRNN
from aru_keras.probing import OnlineStep, Record, Recorder, load_network, recurrent_layer

SIGNALS = ("a", "n", "s", "h")
"""The signals that a rig shows, as far as its network has them."""


class UnitRigVectorEnv(NativeVectorEnv):
    """The vector form of `UnitRigEnv`: B sub-environments with the same units.

    Spaces and info are those of `UnitRigEnv`, batched. A step is one compiled call for all
    sub-environments.

    Args:
        num_envs: The number of sub-environments B.
        network: The network, as in `UnitRigEnv`, whose other arguments follow.
        autoreset_mode: `AutoresetMode.NEXT_STEP`, `SAME_STEP` or `DISABLED`.

    Attributes:
        signals: The names of the signals that are shown.
        isolated: Whether each unit receives input from itself alone.
        per_unit: Whether each unit has a current of its own.
        step_network: The compiled step of the network, an `OnlineStep`.

    Raises:
        ValueError: If the network has no such layer, or an argument has a wrong value.
        RuntimeError: If the process was forked from one that had loaded the backend.
    """

    def __init__(
        self,
        num_envs: int = 1,
        network: Any = None,
        *,
        units: int = 64,
        controller_units: int = 16,
        weights_seed: int = 0,
        isolated: bool = False,
        per_unit: bool = False,
        steps: int | None = 300,
        g0_std: float = 0.0,
        device: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.steps = (
            None
            if steps is None
            else whole("steps", steps, 1, hint="None is for endless episodes.")
        )
        check_process()
        layer = _layer(network, units, controller_units, weights_seed)
        self.signals = tuple(name for name in SIGNALS if name in layer.cell.signal_sizes)
        self.isolated, self.per_unit = flag("isolated", isolated), flag("per_unit", per_unit)
        self.g0_std = _checked_g0_std(g0_std, layer)
        self.step_network = OnlineStep(layer, self.signals, isolated=self.isolated, device=device)
        self._recorder = Recorder(layer, Record(self.signals, isolated=self.isolated))
        shown = gym.spaces.Box(-np.inf, np.inf, (self.step_network.units,), np.float32)
        width = self.step_network.units if self.per_unit else 1
        super().__init__(
            num_envs,
            gym.spaces.Dict({name: shown for name in self.signals}),
            gym.spaces.Box(-np.inf, np.inf, (width,), np.float32),
            autoreset_mode=autoreset_mode,
            render_mode=render_mode,
        )
        self._t = np.zeros(self.num_envs, np.int64)
        self._current = np.zeros(self.action_space.shape, np.float32)
        self._x = np.zeros((self.num_envs, self.step_network.features), np.float32)
        self._shown = {name: np.zeros((self.num_envs, *shown.shape), "f4") for name in self.signals}
        self._state = None

    @property
    def layer(self) -> DrivenRNN:
        """The recurrent layer to which the units belong."""
        return self.step_network.layer

    def respond(self, current: np.ndarray) -> dict[str, np.ndarray]:
        """Run whole episodes from h_0 = g_0 = 0 at once, without changing the sub-environments.

        Args:
            current: The current ξ, (B, T, 1), or (B, T, N) with a current for each unit. Its index
                t is the time of the environment. ξ_0 belongs to the reset, which injects no
                current, and must be 0.

        Returns:
            An array (B, T, N) for each signal. Index t is what the environment shows at time t.

        Raises:
            ValueError: If the shape does not fit, a value is not finite, ξ_0 is not 0, or the
                episodes of this rig start with a random g_0.
        """
        current = np.asarray(current, np.float32)
        self._check_response(current)
        with self.step_network.placed():
            x = np.zeros((*current.shape[:2], self._x.shape[1]), np.float32)
            return self._recorder(x, current)

    def _begin(self, mask, options):
        self._t[mask], self._current[mask] = 0, 0
        self._move(mask, self._initial_state(mask))

    def _advance(self, actions, mask):
        self._t += mask
        self._current[mask] = actions[mask]
        if mask.any():
            self._move(mask, self._state)
        truncated = mask & (self._t == self.steps)  # All False if steps is None.
        return np.zeros(self.num_envs), np.zeros(self.num_envs, bool), truncated

    def _checked_actions(self, actions):
        """Actions from the full array, or from a number for all or for each sub-environment."""
        numbers = np.asarray(actions)
        if numbers.shape in ((), (self.num_envs,)) and numbers.dtype.kind in "iuf":
            column = numbers.reshape(-1, 1)
            actions = np.broadcast_to(column, self.action_space.shape)
        return super()._checked_actions(actions)

    def _move(self, mask, state):
        """Take a step from `state` in the sub-environments of a mask."""
        _, after, signals = self.step_network(self._x, state, self._current)
        self._state = after if mask.all() else self.step_network.chosen(mask, after, self._state)
        for name, values in signals.items():
            self._shown[name][mask] = ops.convert_to_numpy(values)[mask]

    def _initial_state(self, mask):
        state = self.step_network.initial_state(self.num_envs)
        if self.g0_std:
            g = np.zeros(state[1].shape, np.float32)
            g[mask] = self.np_random.normal(0, self.g0_std, (int(mask.sum()), g.shape[1]))
            with self.step_network.placed():
                state = [state[0], ops.convert_to_tensor(g, dtype=state[1].dtype)]
        return state

    def _observation(self):
        return {name: values.copy() for name, values in self._shown.items()}

    def _info(self, mask):
        info = {"t": self._t.copy(), "current": self._current.copy()}
        return info | {f"_{name}": mask.copy() for name in info}

    def _check_response(self, current):
        if self.g0_std:
            raise ValueError(
                f"Whole episodes start from g_0 = 0. Received: a rig with g0_std={self.g0_std}. "
                "Step this rig, or make a rig without g0_std."
            )
        width = self.single_action_space.shape[0]
        fits = current.ndim == 3 and current.shape[1] > 0 and current.shape[2] == width
        if not fits or not np.isfinite(current).all() or current[:, 0].any():
            raise ValueError(
                f"`current` must be finite, (B, T, {width}), and 0 at t = 0, which the reset "
                f"shows. Received: {current!r} of shape {current.shape}."
            )


class UnitRigEnv(SingleEnv):
    """Inject currents into the units of a network and observe their signals.

    ## Description

    The units are the environment: `aru/UnitRig-v0`. There are no pixels, and the input x_t is 0 at
    all steps. The current ξ_t is added to the pre-activations, a_t = W_hh h_{t−1} + b + ξ_t
    (Geadah et al. 2024, Figs 4 and 5), and n, s and h of each unit respond to it. With `isolated`
    each unit receives input from itself alone, like a neuron whose synapses are blocked.

    `aru_keras.envs.protocols` runs whole experiments: f–I curves, steps, noise, sinusoids and
    waveforms. A copy, even in the middle of an episode, continues like the original and shares its
    network. A pickle contains the network as Keras saves it.

    ## Action space

    `Box(-inf, inf, (1,), float32)`: the current ξ_t into all units. With `per_unit` it is
    `Box(-inf, inf, (N,), float32)`: a current for each unit. Currents must be finite. A plain
    number is injected into all units.

    ## Observation space

    `Dict` of the signals of the step just taken, each `Box(-inf, inf, (N,), float32)`: the
    pre-activation "a", the gain "n", the saturation "s" and the output "h". A network without n
    and s shows "a" and "h".

    ## Rewards

    Every reward is 0.

    ## Starting state

    h_0 = 0 and g_0 = 0, or g_0 ~ N(0, σ²) with σ = `g0_std`. The reset takes one step without
    current, whose signals it shows; this is time t = 0. The first action is ξ_1, and the
    observation after it belongs to t = 1.

    ## Episode end

    The episode is truncated after `steps` actions, at t = `steps`. It is never terminated.

    ## Info

    `t`; the `current` ξ_t in force, (1,) or (N,), which is 0 at t = 0.

    ## Arguments

    Args:
        network: An `ARU`, `GammaRNN` or `DrivenRNN`, a `keras.layers.RNN` around one of their
            cells, a model that contains exactly one of them, the folder of a run, or
            `pretrained:NAME`. Only the recurrent layer is used. A layer without weights is built
            for one input feature. With None a new ARU is made.
        units: The number of units N of the new ARU.
        controller_units: The number of controller units G of the new ARU.
        weights_seed: The seed of the new ARU's weights, which changes no global generator.
        isolated: Whether each unit receives input from itself alone: W_hh is reduced to its
            diagonal.
        per_unit: Whether each unit has a current of its own.
        steps: The number of actions in an episode; None for episodes without an end.
        g0_std: The standard deviation of g_0, which is drawn from the environment's seed.
        device: The device, as in `keras.device`; None for the choice of Keras.
        render_mode: None, as there is nothing to render.

    ## Vectorized version

    `gym.make_vec(id, num_envs=B, vectorization_mode="vector_entry_point")` makes a
    `UnitRigVectorEnv`, with `autoreset_mode` next-step, same-step or disabled, and with
    options["reset_mask"].

    ## Version history

    v0: first version.
    """

    vector_env: UnitRigVectorEnv

    def __init__(self, network: Any = None, **options: Any):
        super().__init__(
            UnitRigVectorEnv(1, network, autoreset_mode=AutoresetMode.DISABLED, **options)
        )

    @property
    def layer(self) -> DrivenRNN:
        """The recurrent layer to which the units belong."""
        return self.vector_env.layer


def _layer(network, units, controller_units, weights_seed):
    if network is None:
        return _new_aru(units, controller_units, weights_seed)
    layer = recurrent_layer(load_network(network))
    if not layer.built:
        features = layer.cell.kernel.shape[0] if layer.cell.built else 1
        layer.build((None, None, features))
    return layer


def _new_aru(units, controller_units, seed):
    """A new ARU with weights from a seed."""
    # Initializers draw their seeds from Python's global generator.
    before = random.getstate()
    random.seed(whole("weights_seed", seed, 0))
    try:
        layer = ARU(units, controller_units)
        layer.build((None, None, 1))
    finally:
        random.setstate(before)
    return layer


def _checked_g0_std(value, layer):
    value = finite("g0_std", value, 0)
    if value and "g" not in layer.cell.signal_sizes:
        raise ValueError(
            "`g0_std` must be 0 for a network without controller states. Received: "
            f"g0_std={value} with {type(layer.cell).__name__}. Leave it out, or give an ARU."
        )
    return value
