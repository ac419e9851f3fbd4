"""The units themselves as an environment: inject a current, see their signals."""

import random

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops

from aru_keras.arguments import finite, whole
from aru_keras.envs.lanes import LaneVectorEnv, OneLaneEnv
from aru_keras.layers import ARU
from aru_keras.probing import OnlineStep, Record, Recorder, load_network, recurrent_layer
from aru_keras.probing.compiled import check_process

SIGNALS = ("a", "n", "s", "h")
"""What a rig shows, where its network has it."""


class UnitRigVectorEnv(LaneVectorEnv):
    """The vector form of `UnitRigEnv`: B lanes of the same units, in one compiled call a step.

    Arguments, spaces and info are those of `UnitRigEnv`, batched.

    Args:
        num_envs: Number of lanes B.
        network: As in `UnitRigEnv`, and so are all others.
        autoreset_mode: `AutoresetMode.NEXT_STEP`, `SAME_STEP` or `DISABLED`.

    Attributes:
        signals: Names of the signals that are shown.
        isolated: Whether each unit hears only itself.
        per_unit: Whether each unit has its own current.
        step_network: The compiled step.
    """

    def __init__(
        self,
        num_envs: int = 1,
        network=None,
        *,
        units: int = 64,
        controller_units: int = 16,
        weights_seed: int = 0,
        isolated: bool = False,
        per_unit: bool = False,
        steps: int | None = 300,
        g0_std: float = 0.0,
        device: str | None = None,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.steps = None if steps is None else whole("steps", steps, 1, hint="None is endless.")
        check_process()
        layer = _layer(network, units, controller_units, weights_seed)
        self.signals = tuple(name for name in SIGNALS if name in layer.cell.signal_sizes)
        self.isolated, self.per_unit = bool(isolated), bool(per_unit)
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
    def layer(self):
        """The recurrent layer whose units these are."""
        return self.step_network.layer

    def respond(self, current) -> dict[str, np.ndarray]:
        """Whole episodes from h_0 = g_0 = 0 at once; the lanes stay as they are.

        Args:
            current: ξ, (B, T, 1), or (B, T, N) with a current per unit. Its index t is that of
                the environment: ξ_0 belongs to the reset, which injects none, and is 0.

        Returns:
            One array a signal, (B, T, N): at index t what the environment shows at t.

        Raises:
            ValueError: If the shape does not fit, a value is not finite or ξ_0 is not 0, or if
                episodes of this rig start with a random g_0.
        """
        current = np.asarray(current, np.float32)
        self._check_response(current)
        with self.step_network.placed():
            x = np.zeros((*current.shape[:2], self._x.shape[1]), np.float32)
            return self._recorder(x, current)

    def _begin(self, lanes, options):
        self._t[lanes], self._current[lanes] = 0, 0
        self._move(lanes, self._initial_state(lanes))

    def _advance(self, actions, lanes):
        self._t += lanes
        self._current[lanes] = actions[lanes]
        if lanes.any():
            self._move(lanes, self._state)
        truncated = lanes & (self._t == self.steps)  # Nowhere if steps is None.
        return np.zeros(self.num_envs), np.zeros(self.num_envs, bool), truncated

    def _checked_actions(self, actions):
        """A number a lane, or one for all lanes, goes into all units alike."""
        numbers = np.asarray(actions)
        if numbers.shape in ((), (self.num_envs,)) and numbers.dtype.kind in "iuf":
            column = numbers.reshape(-1, 1)
            actions = np.broadcast_to(column, self.action_space.shape)
        return super()._checked_actions(actions)

    def _move(self, lanes, state):
        """One step, from `state`, in the lanes of a mask."""
        _, after, found = self.step_network(self._x, state, self._current)
        self._state = after if lanes.all() else self.step_network.chosen(lanes, after, self._state)
        for name, values in found.items():
            self._shown[name][lanes] = ops.convert_to_numpy(values)[lanes]

    def _initial_state(self, lanes):
        state = self.step_network.initial_state(self.num_envs)
        if self.g0_std:
            g = np.zeros(state[1].shape, np.float32)
            g[lanes] = self.np_random.normal(0, self.g0_std, (int(lanes.sum()), g.shape[1]))
            with self.step_network.placed():
                state = [state[0], ops.convert_to_tensor(g, dtype=state[1].dtype)]
        return state

    def _observation(self):
        return {name: values.copy() for name, values in self._shown.items()}

    def _info(self, lanes):
        info = {"t": self._t.copy(), "current": self._current.copy()}
        return info | {f"_{name}": lanes.copy() for name in info}

    def _check_response(self, current):
        if self.g0_std:
            raise ValueError(
                f"Whole episodes start from g_0 = 0. Received: a rig with g0_std={self.g0_std}. "
                "Step it, or make one without g0_std."
            )
        width = self.single_action_space.shape[0]
        fits = current.ndim == 3 and current.shape[1] > 0 and current.shape[2] == width
        if not fits or not np.isfinite(current).all() or current[:, 0].any():
            raise ValueError(
                f"`current` must be finite, (B, T, {width}), and 0 at t = 0, which the reset "
                f"shows. Received: {current!r} of shape {current.shape}."
            )


class UnitRigEnv(OneLaneEnv):
    """Inject a current into the units of a network and see what they do, as in a slice.

    ## Description

    The units are the environment: `aru/UnitRig-v0`. There are no pixels, the input x_t is 0 at
    all steps; what drives the units is the current ξ_t on their pre-activations, a_t = W_hh
    h_{t−1} + b + ξ_t (Geadah et al. 2024, Figs 4 and 5), and each unit's n, s and h answer. With
    `isolated` each unit hears only itself, as with the synapses blocked.

    `aru_keras.envs.protocols` runs whole experiments: f–I curves, steps, noise, sinusoids, and
    waveforms of one's own. A copy, also in the middle of an episode, steps on as the original and
    shares its network; a pickle holds the network as Keras saves it.

    ## Action space

    `Box(-inf, inf, (1,), float32)`: the current ξ_t into all units. With `per_unit`
    `Box(-inf, inf, (N,), float32)`: one per unit. It must be finite. A plain number goes into all
    units alike.

    ## Observation space

    `Dict` of the signals of the step just taken, each `Box(-inf, inf, (N,), float32)`: "a" the
    pre-activation, "n" the gain, "s" the saturation, "h" the output. A network without n and s
    shows "a" and "h".

    ## Rewards

    Always 0.

    ## Starting state

    h_0 = 0 and g_0 = 0, or g_0 ~ N(0, σ²) with σ = `g0_std`. The reset takes one step without
    current and shows it: this is t = 0. The first action is ξ_1, and the observation after it
    t = 1.

    ## Episode end

    After `steps` actions, at t = `steps`, truncated; never terminated.

    ## Info

    `t`; `current` ξ_t in force, (1,) or (N,), 0 at t = 0.

    ## Arguments

    Args:
        network: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their cells, a
            model that holds exactly one of them, or the folder of a run. Only the recurrent layer
            is used; a layer that has no weights yet is built for one input feature. None: a fresh
            ARU.
        units: Number of units N of the fresh ARU.
        controller_units: Number of controller units G of the fresh ARU.
        weights_seed: Of the fresh ARU's weights. No global seed or generator is touched.
        isolated: Whether each unit hears only itself: W_hh reduced to its diagonal.
        per_unit: Whether each unit has its own current.
        steps: Number of actions in an episode; None: endless.
        g0_std: Standard deviation of g_0, drawn from the environment's seed; 0: g_0 = 0.
        device: Where to run, as in `keras.device`; None: Keras' own choice.
        render_mode: None; there is nothing to render.

    ## Vectorized version

    `gym.make_vec(id, num_envs=B, vectorization_mode="vector_entry_point")`, with `autoreset_mode`
    next-step, same-step or disabled, and options["reset_mask"]: `UnitRigVectorEnv`.

    ## Version history

    v0: first version.
    """

    def __init__(self, network=None, **options):
        super().__init__(
            UnitRigVectorEnv(1, network, autoreset_mode=AutoresetMode.DISABLED, **options)
        )

    @property
    def layer(self):
        """The recurrent layer whose units these are."""
        return self.lanes.layer


def _layer(network, units, controller_units, weights_seed):
    if network is None:
        return _fresh(units, controller_units, weights_seed)
    layer = recurrent_layer(load_network(network))
    if not layer.built:
        features = layer.cell.kernel.shape[0] if layer.cell.built else 1
        layer.build((None, None, features))
    return layer


def _fresh(units, controller_units, seed):
    """An ARU with weights from `seed`: initialisers draw their seeds from Python's generator."""
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
            "`g0_std` is the spread of an ARU's controller states. Received: "
            f"g0_std={value} with {type(layer.cell).__name__}, which has none. Leave it out."
        )
    return value
