"""Wrappers that step a network with an environment and add the network's signals to `info`."""

import os
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import keras
import numpy as np
from keras import ops

from aru_keras._util.arguments import checked_units, flag
from aru_keras.envs._autoreset import EpisodeStarts
from aru_keras.envs._drives import DriveReader
from aru_keras.envs._fitting import fitting_step
from aru_keras.envs._wrappers import ScalarWrapper, VectorWrapper
from aru_keras.probing import TRACES

UNITS_WATCHED = 4
"""The number of units that are drawn, from the first on, unless `watch` names others."""


class _Reader:
    """The common part of both forms: step the network, draw, and return the signals."""

    env: Any

    def _attach(self, network, signals, watch, isolated, device, as_numpy):
        self._as_numpy = flag("as_numpy", as_numpy)
        self.online = fitting_step(self.env, network, signals, isolated, device)
        self._drive = DriveReader(self.env)
        self.run = network if isinstance(network, str | os.PathLike) else None
        self._painter = _Painter(self.env, self.online, watch)

    def _stepped(self, x, info, mask):
        """The signals of the step that the sub-environments of a mask show, by name."""
        _, self._state, signals = self.online(x, self._state, self._drive(info))
        self._painter.paint(mask, signals)
        if self._as_numpy:  # Copied, because on torch an array can share memory with the state.
            return {name: np.array(ops.convert_to_numpy(value)) for name, value in signals.items()}
        return signals


class Probe(_Reader, ScalarWrapper):
    """Step a network with an environment, and add the network's signals to `info`.

    The network reads every observation when it is shown. It starts from its initial state whenever
    an episode starts, also where `gymnasium.wrappers.Autoreset` starts it, and the drive in force,
    info["drive"], is added to its pre-activations, if the environment is one of this package, or it
    or a wrapper has `gives_drive = True`. After each step `info` has the signals of the observation
    just shown, as arrays of the backend that stay on the device until they are read. The
    observation after the last action repeats the one before, so it brings no signals.

    `VectorProbe` is the wrapper for vector environments. A copy of the environment, even in the
    middle of an episode, continues like the original and shares its network. A pickle contains the
    network as Keras saves it. The spec can be written as JSON if the network is given as a path.

    Args:
        env: An environment whose observations are the network's inputs x_t, (I,).
        network: An `ARU`, `GammaRNN` or `DrivenRNN`, a `keras.layers.RNN` around one of their
            cells, a model whose recurrent layer reads the pixels directly, a `.keras` file, or the
            folder of a run or `pretrained:NAME`.
        signals: The names of the signals in `info`: "a", "n", "s", "h", "g" of an ARU, and of a
            model "y", its output if the sequence ended at this step. None stands for all but "g".
        watch: The units whose n, s and h are drawn when the environment is rendered; None for the
            first four.
        isolated: Whether each unit receives input from itself alone: W_hh is reduced to its
            diagonal.
        device: The device of the network, as in `keras.device`; None for the choice of Keras.
        as_numpy: Whether the signals are NumPy arrays, which tools need that do not know the
            tensors of the backend, for example Gymnasium's `check_env` and `DictInfoToList`.

    Attributes:
        online: The compiled step of the network, an `OnlineStep`.
        run: What the network was given as, if that was a path or `pretrained:NAME`; else None.

    Raises:
        TypeError: If `env` is a vector environment.
        ValueError: If the network does not fit the environment, or a signal does not exist.
        RuntimeError: If the process was forked from one that had loaded the backend.

    Example:
        >>> env = Probe(gym.make("aru/Digits-v0", perturbation=StepDrive(5)), "runs/RUN")
        >>> pixel, info = env.reset(seed=0)
        >>> pixel, reward, terminated, truncated, info = env.step(int(np.argmax(info["y"])))
        >>> np.asarray(info["n"])  # (N,)
    """

    _over = False

    def __init__(
        self,
        env: gym.Env,
        network: keras.layers.Layer | str | os.PathLike,
        signals: str | Sequence[str] | None = None,
        *,
        watch: Sequence[int] | None = None,
        isolated: bool = False,
        device: str | None = None,
        as_numpy: bool = False,
    ):
        arguments = {"network": network, "signals": signals, "watch": watch}
        arguments |= {"isolated": isolated, "device": device, "as_numpy": as_numpy}
        super().__init__(env, **arguments)
        self._attach(**arguments)

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; `info` has the signals of pixel 0."""
        pixel, info = self.env.reset(seed=seed, options=options)
        self._state, self._over = self.online.initial_state(1), False
        return pixel, info | self._read(pixel, info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step; `info` has the signals of the pixel that it shows."""
        pixel, reward, terminated, truncated, info = self.env.step(action)
        if self._over:  # The environment began an episode by itself.
            self._state = self.online.initial_state(1)
        self._over = terminated or truncated
        if not terminated:
            info = info | self._read(pixel, info)
        return pixel, reward, terminated, truncated, info

    def _read(self, pixel, info):
        return self._stepped(pixel, info, np.ones(1, bool))


class VectorProbe(_Reader, VectorWrapper):
    """Step a network with a vector environment: one compiled step for all sub-environments.

    Arguments and errors are those of `Probe`, except that `env` must be a vector environment. The
    mask info["_n"] selects the sub-environments for which info["n"] is valid, as in Gymnasium.

    Attributes:
        online: The compiled step of the network, an `OnlineStep`.
        run: As in `Probe`.

    Example:
        >>> envs = gym.make_vec("aru/Digits-v0", 64, vectorization_mode="vector_entry_point")
        >>> envs = VectorProbe(envs, "runs/RUN", signals=("n", "y"))
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv,
        network: keras.layers.Layer | str | os.PathLike,
        signals: str | Sequence[str] | None = None,
        *,
        watch: Sequence[int] | None = None,
        isolated: bool = False,
        device: str | None = None,
        as_numpy: bool = False,
    ):
        arguments = {"network": network, "signals": signals, "watch": watch}
        arguments |= {"isolated": isolated, "device": device, "as_numpy": as_numpy}
        super().__init__(env, **arguments)
        self._attach(**arguments)
        self._starts = EpisodeStarts(env)

    def reset(self, *, seed: Any = None, options: dict | None = None) -> tuple[Any, dict[str, Any]]:
        """Start episodes in all sub-environments, or in those of options["reset_mask"]."""
        requested = self._starts.requested(options)
        pixels, info = self.env.reset(seed=seed, options=options)
        mask = self._starts.reset(requested)
        if mask.all():
            self._state = self.online.initial_state(self.num_envs)
            signals = self._read(pixels, info, mask)
        else:
            before = self._state
            self._state = self.online.restarted(mask, before)
            signals = self._read(pixels, info, mask)
            self._state = self.online.chosen(mask, self._state, before)
        return pixels, info | signals

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take a step everywhere; `info` has the signals of the pixels that it shows."""
        pixels, rewards, terminated, truncated, info = self.env.step(actions)
        restarts, shown = self._starts.step(terminated, truncated)
        if restarts.any():
            self._state = self.online.restarted(restarts, self._state)
        if shown.any():
            info = info | self._read(pixels, info, shown)
        return pixels, rewards, terminated, truncated, info

    def _read(self, pixels, info, mask):
        signals = self._stepped(pixels, info, mask)
        return signals | {f"_{name}": mask.copy() for name in signals}


class _Painter:
    """Passes the watched signals to the environment's screen, if it has one."""

    def __init__(self, env, online, watch):
        inner = env.unwrapped
        self.screen = getattr(getattr(inner, "vector_env", inner), "screen", None)
        drawn = range(min(UNITS_WATCHED, online.units)) if watch is None else watch
        self.units = checked_units("watch", drawn, online.units)
        if self.screen is not None:
            self.names = [name for name in TRACES if name in online.signals]
            self.screen.watch(self.names, self.units)

    def paint(self, mask, signals):
        """Draw the signals, (B, N) or (N,), of the step that these sub-environments show."""
        if self.screen is not None:
            watched = {
                name: np.atleast_2d(ops.convert_to_numpy(signals[name])) for name in self.names
            }
            self.screen.signals(mask, {name: v[:, self.units] for name, v in watched.items()})
