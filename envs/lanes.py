"""Episodes in parallel lanes: autoreset, reset masks and seeding, once for every environment here.

The vector form is the implementation; the scalar form is the vector one with one lane.
"""

from typing import ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from aru_keras.arguments import one_of, whole
from aru_keras.envs.specs import HasWritableSpec


class LaneVectorEnv(HasWritableSpec, gym.vector.VectorEnv):
    """A native vector environment whose lanes run their episodes independently.

    A subclass gives the two single spaces and four methods: `_begin(lanes, options)` starts
    episodes in the lanes of a mask; `_advance(actions, lanes)` takes one step in them and gives
    rewards, terminated and truncated, (B,) each; `_observation()` is what all lanes show, in new
    arrays; and `_info(lanes)` what they tell, a dictionary with one entry a lane in every array
    and, as Gymnasium has it, a mask `_key` beside each `key`.

    Args:
        num_envs: Number of lanes B.
        single_observation_space: Of one lane.
        single_action_space: Of one lane.
        autoreset_mode: When a lane whose episode has ended starts anew: at the next step, in the
            same step, or (disabled) at the next `reset` whose options["reset_mask"] names it.
        render_mode: One of `metadata["render_modes"]`, or None.

    Raises:
        ValueError: For a mode that does not exist.
    """

    options: tuple[str, ...] = ()
    """Names of the options of `reset`, beside "reset_mask"."""

    metadata: ClassVar[dict] = {
        "render_modes": [],
        "autoreset_mode": AutoresetMode.NEXT_STEP,
    }

    def __init__(
        self,
        num_envs: int,
        single_observation_space: gym.Space,
        single_action_space: gym.Space,
        autoreset_mode=AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ):
        self.num_envs = whole("num_envs", num_envs, 1)
        self.autoreset_mode = _checked_autoreset(autoreset_mode)
        self.render_mode = _checked_render_mode(render_mode, self.metadata["render_modes"])
        self.metadata = {**self.metadata, "autoreset_mode": self.autoreset_mode}
        self.set_spaces(single_observation_space, single_action_space)
        self._started = False
        self._over = np.zeros(self.num_envs, bool)

    def set_spaces(self, observation: gym.Space, action: gym.Space) -> None:
        """Set the spaces of one lane and, batched, of all."""
        self.single_observation_space, self.single_action_space = observation, action
        self.observation_space = batch_space(observation, self.num_envs)
        self.action_space = batch_space(action, self.num_envs)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start new episodes in all lanes, or in those of options["reset_mask"], (B,) bool.

        Returns:
            `(observations, info)`: of all lanes; info of the lanes that were reset.
        """
        if isinstance(seed, list | tuple | np.ndarray):
            raise ValueError(
                "`seed` must be one whole number: all lanes draw from one stream. "
                f"Received: {seed!r}."
            )
        super().reset(seed=seed)
        options = _checked_options(options, ("reset_mask", *self.options))
        lanes = self._checked_mask(options.pop("reset_mask", None))
        if seed is not None or not self._started:
            self._seeded()
        self._begin(lanes, options)
        self._started = True
        self._over[lanes] = False
        return self._observation(), self._info(lanes)

    def step(self, actions):
        """One step in every lane.

        Returns:
            `(observations, rewards, terminated, truncated, info)`.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset, or, without autoreset, in a lane
                whose episode has ended.
            ValueError: If an action is outside the space.
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
        info |= self._info(self._every_lane())
        return self._observation(), rewards, terminated, truncated, info

    def _seeded(self):
        """Start whatever is drawn from `np_random`."""

    def _begin(self, lanes, options):
        raise NotImplementedError

    def _advance(self, actions, lanes):
        raise NotImplementedError

    def _observation(self):
        raise NotImplementedError

    def _info(self, lanes):
        raise NotImplementedError

    def _every_lane(self):
        return np.ones(self.num_envs, bool)

    def _final(self, ended):
        """The last observations and infos of the lanes that start anew in the same step."""
        shown = self._observation()
        observations = np.full(self.num_envs, None, dtype=object)
        for lane in np.flatnonzero(ended):
            observations[lane] = lane_of(shown, lane)
        return {
            "final_obs": observations,
            "_final_obs": ended.copy(),
            "final_info": self._info(ended),
            "_final_info": ended.copy(),
        }

    def _reset_message(self):
        if not self._started:
            return "`step` needs an episode: call reset() first."
        if self.num_envs == 1:
            return "The episode is over: call reset() before the next step."
        lanes = np.flatnonzero(self._over).tolist()
        return (
            f"The episode is over in lane {', '.join(map(str, lanes))}: call reset(), or "
            'reset(options={"reset_mask": mask}) with True for these lanes, before the next step.'
        )

    def _checked_mask(self, mask):
        if mask is None:
            return self._every_lane()
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != bool or not mask.any():
            raise ValueError(
                f'options["reset_mask"] must be {self.num_envs} booleans, one a lane, at least '
                f"one of them True. Received: {mask!r}."
            )
        if not self._started and not mask.all():
            raise ResetNeeded("The first reset must start every lane: leave reset_mask out.")
        return mask

    def _checked_actions(self, actions):
        space, actions = self.action_space, np.asarray(actions)
        came, single = actions, self.num_envs == 1
        fits = actions.shape == space.shape and np.can_cast(actions.dtype, space.dtype, "same_kind")
        if fits:
            # What is out of float32's range becomes infinite, and is refused.
            with np.errstate(over="ignore"):
                actions = actions.astype(space.dtype)
        if not fits or not space.contains(actions) or not np.isfinite(actions).all():
            raise ValueError(
                f"`action` must lie in {self.single_action_space} and be finite"
                f"{'' if single else f', in each of {self.num_envs} lanes'}. "
                f"Received: {came[0] if single and came.ndim else came!r}."
            )
        return actions


class OneLaneEnv(HasWritableSpec, gym.Env):
    """The scalar form of a lane environment.

    Args:
        lanes: The vector form, with one lane and without autoreset.
    """

    def __init__(self, lanes: LaneVectorEnv):
        self.lanes = lanes
        self.render_mode = lanes.render_mode

    @property
    def observation_space(self) -> gym.Space:
        """Of the one lane."""
        return self.lanes.single_observation_space

    @property
    def action_space(self) -> gym.Space:
        """Of the one lane."""
        return self.lanes.single_action_space

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start a new episode; see the vector form."""
        observation, info = self.lanes.reset(seed=seed, options=options)
        self._np_random = self.lanes.np_random
        self._np_random_seed = self.lanes.np_random_seed
        return lane_of(observation, 0), lane_info(info, 0)

    def step(self, action):
        """One step; see the vector form."""
        shown, rewards, ended, cut, info = self.lanes.step(np.asarray(action)[None])
        ends = bool(ended[0]), bool(cut[0])
        return lane_of(shown, 0), float(rewards[0]), *ends, lane_info(info, 0)

    def render(self):
        """The frame of the one lane."""
        frames = self.lanes.render()
        return None if frames is None else frames[0]

    def close(self):
        """Close what the lane has open."""
        self.lanes.close()


def lane_of(batched, lane: int):
    """What one lane has of an array or of a dictionary of arrays."""
    if isinstance(batched, dict):
        return {name: value[lane] for name, value in batched.items()}
    return batched[lane]


def lane_info(info: dict, lane: int) -> dict:
    """The info of one lane: entries whose mask `_key` names it."""
    names = [name for name in info if f"_{name}" in info and info[f"_{name}"][lane]]
    return {name: info[name][lane] for name in names}


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
        names = ", ".join(f"AutoresetMode.{one.name}" for one in AutoresetMode)
        raise ValueError(f"`autoreset_mode` must be one of {names}. Received: {mode!r}.") from None


def _checked_render_mode(mode, modes):
    if mode is not None and mode not in modes:
        known = f"None or one of {modes}" if modes else "None: there are no pictures of this one"
        raise ValueError(f"`render_mode` must be {known}. Received: {mode!r}.")
    return mode
