"""The base classes of the environments: autoreset, reset masks and seeding.

The vector form is the implementation. The scalar form is a vector environment with a single
sub-environment.
"""

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from aru_keras._util.arguments import one_of, whole
from aru_keras._util.deprecated import renamed, warn
from aru_keras.envs._drives import GivesDrive
from aru_keras.envs.specs import HasWritableSpec


class NativeVectorEnv(GivesDrive, HasWritableSpec, gym.vector.VectorEnv):
    """A vector environment whose sub-environments run their episodes independently.

    A subclass gives the two single spaces and four methods, in which `mask`, (B,) bool, selects
    sub-environments. `_begin(mask, options)` starts episodes in them. `_advance(actions, mask)`
    takes a step in them and returns rewards, terminated and truncated, (B,) each. `_observation()`
    returns the observations of all sub-environments in new arrays. `_info(mask)` returns the info,
    a dictionary of arrays with an entry for each sub-environment and, as in Gymnasium, a mask
    `_key` beside each `key`.

    Args:
        num_envs: The number of sub-environments B.
        single_observation_space: The observation space of a sub-environment.
        single_action_space: The action space of a sub-environment.
        autoreset_mode: The time at which a sub-environment whose episode has ended starts the next
            one: with the next step, in the same step, or (disabled) with the next `reset` whose
            options["reset_mask"] selects it.
        render_mode: One of `metadata["render_modes"]`, or None.

    Raises:
        ValueError: If a mode does not exist, or `num_envs` is not a whole number of at least 1.
    """

    options: tuple[str, ...] = ()
    """The names of the options of `reset`, beside "reset_mask"."""

    metadata: ClassVar[dict] = {
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int,
        single_observation_space: gym.Space,
        single_action_space: gym.Space,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = _checked_autoreset(autoreset_mode)
        self.render_mode = _checked_render_mode(render_mode, self.metadata["render_modes"])
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}  # type: ignore[misc]
        self.set_spaces(single_observation_space, single_action_space)
        self._started = False
        self._over = np.zeros(self.num_envs, bool)

    def set_spaces(self, observation: gym.Space, action: gym.Space) -> None:
        """Set the spaces of a sub-environment, and those of the vector environment from them."""
        self.single_observation_space, self.single_action_space = observation, action
        self.observation_space = batch_space(observation, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start new episodes in all sub-environments, or in some.

        Args:
            seed: The seed of the random numbers that all sub-environments share.
            options: A dictionary with "reset_mask", (B,) bool, which selects sub-environments, and
                with the options of the subclass.

        Returns:
            `(observations, info)`. The observations are those of all sub-environments, and the
            info is that of the sub-environments that were reset.

        Raises:
            ValueError: If `seed` is a sequence, or an option is unknown or has a wrong value.
            gymnasium.error.ResetNeeded: If the first reset leaves sub-environments out.
        """
        if isinstance(seed, list | tuple | np.ndarray):
            raise ValueError(
                "`seed` must be a single whole number, because all sub-environments draw from the "
                f"same random numbers. Received: {seed!r}. Give the first of them."
            )
        super().reset(seed=seed)
        options = _checked_options(options, ("reset_mask", *self.options))
        mask = self._checked_mask(options.pop("reset_mask", None))
        if seed is not None or not self._started:
            self._seeded()
        self._begin(mask, options)
        self._started = True
        self._over[mask] = False
        return self._observation(), self._info(mask)

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take a step in every sub-environment.

        Args:
            actions: The actions, with B along the first axis.

        Returns:
            `(observations, rewards, terminated, truncated, info)`.

        Raises:
            gymnasium.error.ResetNeeded: If there was no reset yet, or, without autoreset, the
                episode of a sub-environment has ended.
            ValueError: If an action is outside of the space.
        """
        waiting = self._over
        if not self._started or (waiting.any() and self.autoreset_mode is AutoresetMode.DISABLED):
            raise ResetNeeded(self._reset_message())
        rewards, terminated, truncated = self._advance(self._checked_actions(actions), ~waiting)
        if waiting.any():
            self._begin(waiting, {})
        info, self._over = {}, terminated | truncated
        if self._over.any() and self.autoreset_mode is AutoresetMode.SAME_STEP:
            info = self._final(self._over)
            self._begin(self._over, {})
            self._over = np.zeros(self.num_envs, bool)
        info |= self._info(np.ones(self.num_envs, bool))
        return self._observation(), rewards, terminated, truncated, info

    def _seeded(self):
        """Start the streams that are drawn from `np_random`."""

    def _begin(self, mask, options):
        raise NotImplementedError

    def _advance(self, actions, mask):
        raise NotImplementedError

    def _observation(self):
        raise NotImplementedError

    def _info(self, mask):
        raise NotImplementedError

    def _final(self, ended):
        """The last observations and infos of the episodes that end in a same-step autoreset."""
        observations = self._observation()
        final = np.full(self.num_envs, None, dtype=object)
        for index in np.flatnonzero(ended):
            final[index] = single(observations, index)
        return {
            "final_obs": final,
            "_final_obs": ended.copy(),
            "final_info": self._info(ended),
            "_final_info": ended.copy(),
        }

    def _reset_message(self):
        if not self._started:
            return "`step` needs an episode: call reset() first."
        if self.num_envs == 1:
            return "The episode is over: call reset() before the next step."
        indices = ", ".join(map(str, np.flatnonzero(self._over)))
        return (
            f"The episode is over in sub-environment {indices}: call reset(), or "
            'reset(options={"reset_mask": mask}) with True for these, before the next step.'
        )

    def _checked_mask(self, mask):
        if mask is None:
            return np.ones(self.num_envs, bool)
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(
                f'options["reset_mask"] must be {self.num_envs} booleans, not all of them False. '
                f"Received: {mask!r}."
            )
        if not self._started and not mask.all():
            raise ResetNeeded(
                "The first reset must start every sub-environment: leave reset_mask out."
            )
        return mask

    def _checked_actions(self, actions):
        space, received = self.action_space, np.asarray(actions)
        actions, alone = received, self.num_envs == 1
        fits = actions.shape == space.shape and np.can_cast(actions.dtype, space.dtype, "same_kind")
        if fits:
            # A number out of the range of float32 becomes infinite, and is refused below.
            with np.errstate(over="ignore"):
                actions = actions.astype(space.dtype)
        if not fits or not space.contains(actions) or not np.isfinite(actions).all():
            raise ValueError(
                f"`action` must lie in {self.single_action_space} and be finite"
                f"{'' if alone else f', in each of {self.num_envs} sub-environments'}. "
                f"Received: {received[0] if alone and received.ndim else received!r}."
            )
        return actions


class SingleEnv(GivesDrive, HasWritableSpec, gym.Env):
    """The scalar form of a `NativeVectorEnv`.

    Args:
        vector_env: The vector form, with a single sub-environment and without autoreset.
    """

    def __init__(self, vector_env: NativeVectorEnv):
        self.vector_env = vector_env
        self.render_mode = vector_env.render_mode

    @property
    def lanes(self) -> NativeVectorEnv:
        """Deprecated name of `vector_env`."""
        warn(f"{type(self).__name__}.lanes", "vector_env")
        return self.vector_env

    @property
    def observation_space(self) -> gym.Space:  # type: ignore[override]
        """The space of an observation."""
        return self.vector_env.single_observation_space

    @property
    def action_space(self) -> gym.Space:  # type: ignore[override]
        """The space of an action."""
        return self.vector_env.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start a new episode, as in the vector form."""
        observations, info = self.vector_env.reset(seed=seed, options=options)
        self._np_random = self.vector_env.np_random
        self._np_random_seed = self.vector_env.np_random_seed
        return single(observations, 0), _single_info(info, 0)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take a step, as in the vector form."""
        results = self.vector_env.step(np.asarray(action)[None])
        observations, rewards, terminated, truncated, info = results
        ends = bool(terminated[0]), bool(truncated[0])
        return single(observations, 0), float(rewards[0]), *ends, _single_info(info, 0)

    def render(self) -> Any:
        """The current frame, (H, W, 3) uint8; None if there is none or a window shows it."""
        frames = self.vector_env.render()
        return None if frames is None else frames[0]

    def close(self) -> None:
        """Close the window, if there is one."""
        self.vector_env.close()


def single(batched: Any, index: int) -> Any:
    """The entry of a sub-environment in a batched array, or in a dictionary of such arrays."""
    if isinstance(batched, dict):
        return {name: value[index] for name, value in batched.items()}
    return batched[index]


def _single_info(info, index):
    """The info of a sub-environment: the entries whose mask `_key` selects it."""
    names = [name for name in info if f"_{name}" in info and info[f"_{name}"][index]]
    return {name: info[name][index] for name in names}


def _checked_options(options, known):
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise ValueError(f"`options` must be a dictionary. Received: {options!r}.")
    for name in options:
        one_of("options", name, known)
    return dict(options)


def _checked_autoreset(mode):
    try:
        return AutoresetMode(mode)
    except ValueError:
        names = ", ".join(f"AutoresetMode.{known.name}" for known in AutoresetMode)
        raise ValueError(f"`autoreset_mode` must be one of {names}. Received: {mode!r}.") from None


def _checked_render_mode(mode, modes):
    if mode is not None and mode not in modes:
        known = f"None or one of {modes}" if modes else "None, as there is nothing to draw"
        raise ValueError(f"`render_mode` must be {known}. Received: {mode!r}.")
    return mode


__getattr__ = renamed(__name__, {"LaneVectorEnv": "NativeVectorEnv", "OneLaneEnv": "SingleEnv"})
