"""A network beside an environment: it reads what the agent sees, and shows all its signals."""

import numpy as np
from gymnasium.vector import AutoresetMode
from keras import ops

from aru_keras.arguments import checked_units
from aru_keras.envs.fitting import fitting_step
from aru_keras.envs.wrapping import ScalarWrapper, VectorWrapper

WATCHED = ("n", "s", "h")
"""Signals that are drawn when the environment is rendered."""

UNITS_WATCHED = 4
"""Number of units that are drawn, the first ones, unless `watch` names others."""


class _Reader:
    """What a probe does in either form: step the network, draw, and hand out the signals."""

    def _attach(self, network, signals, watch, isolated, device, as_numpy):
        self.online = fitting_step(self.env, network, signals, isolated, device)
        self._painter, self._as_numpy = _Painter(self.env, self.online, watch), bool(as_numpy)

    def _stepped(self, x, info, lanes):
        """Signals by name, of the step that the lanes of a mask show."""
        _, self._state, found = self.online(x, self._state, info.get("drive"))
        self._painter.paint(lanes, found)
        if self._as_numpy:  # Copied: on torch an array would be the tensor that goes on as state.
            found = {name: np.array(ops.convert_to_numpy(value)) for name, value in found.items()}
        return found


class VectorProbe(_Reader, VectorWrapper):
    """`Probe` around a vector environment: one compiled step for all lanes.

    Arguments and errors are those of `Probe`. info["_n"] says in which lanes info["n"] counts.

    Attributes:
        online: the compiled step, an `OnlineStep`.

    Example:
        >>> lanes = gym.make_vec("aru/Digits-v0", 64, vectorization_mode="vector_entry_point")
        >>> env = VectorProbe(lanes, "runs/RUN", signals=("n", "y"))
    """

    def __init__(
        self,
        env,
        network,
        signals=None,
        *,
        watch=None,
        isolated=False,
        device=None,
        as_numpy=False,
    ):
        arguments = {"network": network, "signals": signals, "watch": watch}
        arguments |= {"isolated": isolated, "device": device, "as_numpy": as_numpy}
        super().__init__(env, **arguments)
        self._attach(**arguments)
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
        found = self._stepped(pixels, info, lanes)
        return found | {f"_{name}": lanes.copy() for name in found}


class Probe(_Reader, ScalarWrapper):
    """Steps a network with an environment, and puts its signals into `info`.

    The network reads every observation as it is shown, starts from its initial state whenever an
    episode starts, and gets the drive in force, info["drive"], on its pre-activations. After each
    step `info` holds the signals of the pixel just shown, as arrays of the backend that stay on
    the device until they are read. The observation after the last action shows nothing new, so it
    brings no signals.

    Around a vector environment put a `VectorProbe`: the same, batched, with Gymnasium's masks of
    lanes. A copy, also in the middle of an episode, steps on as the original and shares its
    network; a pickle holds the network as Keras saves it; and the spec can be written as JSON where
    the network is a path.

    Args:
        env: An environment that shows the network's inputs x_t, (I,).
        network: `ARU`, `GammaRNN`, `DrivenRNN`, a `keras.layers.RNN` around one of their cells, a
            model whose recurrent layer reads its pixels directly, or the folder of a run.
        signals: Names of what to put into `info`: "a", "n", "s", "h", for an ARU "g", and for a
            model "y", its output if the sequence ended here. None: all but "g".
        watch: Units whose n, s and h are drawn when the environment is rendered.
        isolated: Whether each unit hears only itself: W_hh reduced to its diagonal.
        device: Where to run the network, as in `keras.device`; None: Keras' own choice.
        as_numpy: Whether the signals come as NumPy arrays, which tools that know nothing of the
            backend's tensors ask for: Gymnasium's `check_env` and `DictInfoToList`.

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

    vector_form = VectorProbe

    def __init__(
        self,
        env,
        network,
        signals=None,
        *,
        watch=None,
        isolated=False,
        device=None,
        as_numpy=False,
    ):
        arguments = {"network": network, "signals": signals, "watch": watch}
        arguments |= {"isolated": isolated, "device": device, "as_numpy": as_numpy}
        super().__init__(env, **arguments)
        self._attach(**arguments)

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
        return self._stepped(pixel, info, np.ones(1, bool))


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
