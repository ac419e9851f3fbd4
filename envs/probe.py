"""A network beside an environment: it reads what the agent sees, and shows all its signals."""

import os
from pathlib import Path

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops

from aru_keras.arguments import checked_units
from aru_keras.probing import OnlineStep, load_network
from aru_keras.probing.run_order import run_order

WATCHED = ("n", "s", "h")
"""Signals that are drawn when the environment is rendered."""

UNITS_WATCHED = 4
"""Number of units that are drawn, the first ones, unless `watch` names others."""


class Probe(gym.Wrapper):
    """Steps a network with an environment, and puts its signals into `info`.

    The network reads every observation as it is shown, starts from its initial state whenever an
    episode starts, and gets the drive in force, info["drive"], on its pre-activations. After each
    step `info` holds the signals of the pixel just shown, as arrays of the backend that stay on
    the device until they are read. The observation after the last action shows nothing new, so it
    brings no signals.

    Around a vector environment this is a `VectorProbe`: the same, batched, with Gymnasium's masks
    of lanes: info["_n"] says in which lanes info["n"] counts.

    Args:
        env: An environment, scalar or vector, that shows the network's inputs x_t, (I,).
        network: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their cells, a
            model whose recurrent layer reads its pixels directly, or the folder of a run.
        signals: Names of what to put into `info`: "a", "n", "s", "h", for an ARU "g", and for a
            model "y", its output if the sequence ended here. None: all but "g".
        watch: Units whose n, s and h are drawn when the environment is rendered.
        isolated: Whether each unit hears only itself: W_hh reduced to its diagonal.
        device: Where to run the network, as in `keras.device`; None: Keras' own choice.

    Attributes:
        online: The compiled step, an `OnlineStep`.

    Raises:
        ValueError: If the network does not fit the environment, or a signal does not exist.

    Example:
        >>> env = Probe(gym.make("aru/Digits-v0", perturbation=StepDrive(5)), "runs/RUN")
        >>> pixel, info = env.reset(seed=0)
        >>> pixel, reward, terminated, truncated, info = env.step(int(np.argmax(info["y"])))
        >>> np.asarray(info["n"])  # (N,)
    """

    def __new__(cls, env, *args, **kwargs):
        if isinstance(env, gym.vector.VectorEnv):
            return VectorProbe(env, *args, **kwargs)
        return super().__new__(cls)

    def __init__(self, env, network, signals=None, *, watch=None, isolated=False, device=None):
        super().__init__(env)
        self.online = _fitting_step(env, network, signals, isolated, device)
        self._painter = _Painter(env, self.online, watch)

    def reset(self, *, seed=None, options=None):
        """Start an episode; `info` holds the signals of pixel 0."""
        pixel, info = self.env.reset(seed=seed, options=options)
        self._state = self.online.initial_state(1)
        return pixel, info | self._read(pixel, info)

    def step(self, action):
        """One step; `info` holds the signals of the pixel that it shows."""
        pixel, reward, terminated, truncated, info = self.env.step(action)
        if not terminated:
            info = info | self._read(pixel, info)
        return pixel, reward, terminated, truncated, info

    def _read(self, pixel, info):
        _, self._state, found = self.online(pixel, self._state, info.get("drive"))
        self._painter.paint(np.ones(1, bool), found)
        return found


class VectorProbe(gym.vector.VectorWrapper):
    """`Probe` around a vector environment; made by `Probe(env, network)`.

    Attributes:
        online: the compiled step, an `OnlineStep`.
    """

    def __init__(self, env, network, signals=None, *, watch=None, isolated=False, device=None):
        super().__init__(env)
        self.online = _fitting_step(env, network, signals, isolated, device)
        self._painter = _Painter(env, self.online, watch)
        self._mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
        self._waiting = np.zeros(env.num_envs, bool)

    def reset(self, *, seed=None, options=None):
        """Start episodes, in all lanes or in those of options["reset_mask"]."""
        lanes = (options or {}).get("reset_mask")
        lanes = np.ones(self.num_envs, bool) if lanes is None else np.asarray(lanes)
        pixels, info = self.env.reset(seed=seed, options=options)
        if lanes.all():
            self._state = self.online.initial_state(self.num_envs)
            found = self._read(pixels, info, lanes)
        else:
            before = self._state
            self._state = self.online.restarted(lanes, before)
            found = self._read(pixels, info, lanes)
            self._state = self.online.chosen(lanes, self._state, before)
        self._waiting = self._waiting & ~lanes
        return pixels, info | found

    def step(self, actions):
        """One step in every lane; `info` holds the signals of the pixels that it shows."""
        pixels, rewards, terminated, truncated, info = self.env.step(actions)
        ended = terminated | truncated
        if self._mode is AutoresetMode.SAME_STEP:
            restarts, shown = ended, np.ones(self.num_envs, bool)
        else:
            restarts, shown = self._waiting, ~terminated
            # Without autoreset, `reset` says itself which lanes start.
            self._waiting = ended & (self._mode is AutoresetMode.NEXT_STEP)
        if restarts.any():
            self._state = self.online.restarted(restarts, self._state)
        if shown.any():
            info = info | self._read(pixels, info, shown)
        return pixels, rewards, terminated, truncated, info

    def _read(self, pixels, info, lanes):
        _, self._state, found = self.online(pixels, self._state, info.get("drive"))
        self._painter.paint(lanes, found)
        return found | {f"_{name}": lanes.copy() for name in found}


class _Painter:
    """Hands the watched signals to the environment's screen, if it has one."""

    def __init__(self, env, online, watch):
        self.screen = getattr(getattr(env.unwrapped, "lanes", env.unwrapped), "screen", None)
        if self.screen is not None:
            drawn = range(min(UNITS_WATCHED, online.units)) if watch is None else watch
            self.units = checked_units("watch", drawn, online.units)
            self.names = [name for name in WATCHED if name in online.signals]
            self.screen.watch(self.names, self.units)

    def paint(self, lanes, found):
        """Signals (B, N), or (N,) of a lone lane, of the step just shown in these lanes."""
        if self.screen is not None:
            watched = {
                name: np.atleast_2d(ops.convert_to_numpy(found[name])) for name in self.names
            }
            self.screen.signals(lanes, {name: v[:, self.units] for name, v in watched.items()})


def _fitting_step(env, network, signals, isolated, device):
    """The network's compiled step, once it is clear that it can read what the environment shows."""
    model = load_network(network)
    online = OnlineStep(model, signals, isolated=isolated, device=device)
    vector = isinstance(env, gym.vector.VectorEnv)
    space = env.single_observation_space if vector else env.observation_space
    _check_fits(env, space, model, online)
    if isinstance(network, str | os.PathLike):
        path = Path(network)
        _check_order(env, path if path.is_dir() else path.parent)
    if hasattr(env.unwrapped, "expect_units"):
        env.unwrapped.expect_units(online.units)
    return online


def _check_order(env, run):
    """A run must have been trained on the environment's order of pixels."""
    task = getattr(env.unwrapped, "task", None)
    if task is None or not (run / "config.json").exists():
        return
    rows = np.arange(task.timesteps)
    trained, here = (
        rows if order is None else order for order in (run_order(run), task.permutation)
    )
    if not np.array_equal(trained, here):
        raise ValueError(
            f"`network`, the run {run}, must have been trained on the environment's order of "
            f"pixels. Received: an environment of {task.name!r} with permutation "
            f"{task.permutation_hash}, which is another one. Make it with the run's task, "
            "permutation_seed and downsample, as its config.json has them."
        )


def _check_fits(env, space, network, online):
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        raise ValueError(
            "`env` must show one vector of features a step, Box(I,). Received: observations in "
            f"{space}."
        )
    if online.features not in (None, space.shape[0]):
        raise ValueError(
            f"`network` must read what the environment shows, {space.shape[0]} feature(s) a step. "
            f"Received: a network that reads {online.features} a step."
        )
    here = getattr(env.unwrapped, "timesteps", None)
    length = network.inputs[0].shape[1] if hasattr(network, "inputs") else None
    if None not in (here, length) and here != length:
        raise ValueError(
            f"`network` must read sequences as long as the environment's, T = {here}. Received: a "
            f"model for T = {length}. Make the environment with the model's task and downsample."
        )
