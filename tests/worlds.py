"""Small environments for agents: well-behaved ones, and ones that misbehave."""

from typing import ClassVar

import gymnasium as gym
import numpy as np


class Recall(gym.Env):
    """The first observation shows +1 or −1; the action at the last step should name it.

    Args:
        steps: Number of steps of an episode.
        truncates: Whether the end breaks the episode off.
    """

    def __init__(self, steps=3, truncates=False):
        self.steps, self.truncates = steps, truncates
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, (2,))
        self.action_space = gym.spaces.Discrete(2, start=1)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t, self.cue = 0, int(self.np_random.integers(2))
        return self.shown(), {}

    def shown(self):
        cue = 2 * self.cue - 1 if self.t == 0 else 0
        return np.array([cue, self.t], np.float32)

    def step(self, action):
        assert self.action_space.contains(action)
        self.t += 1
        over = self.t == self.steps
        reward = float(over and action - 1 == self.cue)
        return self.shown(), reward, over and not self.truncates, over and self.truncates, {}


class Paid(Recall):
    """A reward for every step."""

    def step(self, action):
        shown, _, *outcome = super().step(action)
        return shown, 1.0, *outcome


class Endless(Recall):
    """An episode that never ends, with a reward for every step."""

    def step(self, action):
        self.t = 1
        return self.shown(), 1.0, False, False, {}


class Broken(Recall):
    """An observation that is NaN at step 2."""

    def shown(self):
        return np.array([0, np.nan if self.t == 2 else 0], np.float32)


class Boastful(Recall):
    """It lists a mode of rendering, and takes no `render_mode`."""

    metadata: ClassVar = {"render_modes": ["rgb_array"]}


class Nested(Recall):
    """The same in a dictionary."""

    def __init__(self):
        super().__init__()
        spaces = {"cue": gym.spaces.Box(-1, 1, (1,)), "time": gym.spaces.Discrete(4)}
        self.observation_space = gym.spaces.Dict(spaces)

    def shown(self):
        cue, t = super().shown()
        return {"cue": np.array([cue], np.float32), "time": int(t)}


class Careless(Recall):
    """It draws from NumPy's global generator, and has an argument without a default."""

    def __init__(self, deviation):
        super().__init__()
        self.deviation = deviation

    def shown(self):
        return np.random.normal(0, self.deviation, 2).astype(np.float32)


class Picture(Recall):
    """A picture of black and white pixels."""

    def __init__(self):
        super().__init__()
        self.observation_space = gym.spaces.Box(0, 255, (2, 2, 3), np.uint8)

    def shown(self):
        picture = np.zeros((2, 2, 3), np.uint8)
        picture[self.cue] = 255
        return picture


class Reach(gym.Env):
    """Two numbers to name, within bounds: the reward falls with the distance."""

    metadata: ClassVar = {"render_modes": ["rgb_array"], "render_fps": 30}

    def __init__(self, space=None, render_mode=None, shown=None):
        self.render_mode = render_mode
        self.observation_space = shown or gym.spaces.Box(-1, 1, (2,))
        self.action_space = space or gym.spaces.Box(-1, 1, (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.target, self.t = self.np_random.uniform(-1, 1, 2).astype(np.float32), 0
        return self.target, {}

    def render(self):
        return np.full((8, 8, 3), 40 * self.t, np.uint8)

    def step(self, action):
        assert self.action_space.contains(action), action
        self.t += 1
        distance = float(np.abs(np.asarray(action, float).ravel()[:2] - self.target).sum())
        return self.target, -distance, self.t == 4, False, {}


class Blind(Reach):
    """It fails to render."""

    def render(self):
        raise RuntimeError("no display")


_NAMES = "Blind Recall Endless Broken Boastful Careless Nested Picture Reach"
for _name in _NAMES.split():
    gym.register(f"aru-tests/{_name}-v0", f"worlds:{_name}", disable_env_checker=True)
gym.register(
    "aru-tests/VectorsOnly-v0",
    vector_entry_point=lambda num_envs, **_: gym.vector.SyncVectorEnv([Recall] * num_envs),
)
