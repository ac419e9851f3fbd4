"""A moving picture of an agent at work."""

import contextlib
import warnings
from pathlib import Path

import gymnasium as gym
import numpy as np

from aru_keras._util.files import replacing
from aru_keras.envs._drives import DriveReader
from aru_keras.runners.control.agent import ControlAgent
from aru_keras.runners.control.config import ControlConfig
from aru_keras.runners.control.environments import make_rendered

FRAMES, FRAMES_A_SECOND = 500, 30


def record_episode(
    agent: ControlAgent, config: ControlConfig, path: Path, *, seed: int = 0, frames: int = FRAMES
) -> Path | None:
    """Write one episode as an animated GIF, which pillow can do without further packages.

    Args:
        agent: The agent, which takes its most likely actions.
        config: For the environment.
        path: Where to write.
        seed: Of the episode.
        frames: Largest number of frames.

    Returns:
        The path; None if the environment does not render images, or pillow or a package that the
        environment renders with is missing. If it fails to render, there is a warning.
    """
    try:
        from PIL import Image

        env = make_rendered(config.environment, **config.scalar_options)
        with contextlib.closing(env):
            if env.render_mode is None:
                return None
            images = [Image.fromarray(frame) for frame in _frames(agent, env, seed, frames)]
    except (ImportError, gym.error.Error):
        return None
    except Exception as error:  # Renderers raise anything, and the training is done.
        if isinstance(error.__cause__, ImportError | gym.error.Error):
            return None  # There is no scalar form, or none that renders.
        reason = f"{type(error).__name__}: {error}"
        warnings.warn(f"No {path.name}: the environment did not render ({reason}).", stacklevel=2)
        return None
    with replacing(path) as temporary:
        first, *others = images
        options = {"save_all": True, "append_images": others, "loop": 0}
        first.save(temporary, format="GIF", duration=1000 // FRAMES_A_SECOND, **options)
    return path


def _frames(agent, env, seed, most):
    seen, info = env.reset(seed=seed)
    read = DriveReader(env) if agent.driven else lambda info: None
    state, starts, frames, over = agent.initial_state(1), np.ones(1, bool), [env.render()], False
    while not over and len(frames) < most:
        y, state = agent(np.asarray(seen, np.float32)[None], starts, state, read(info))
        action = agent.actions.for_env(agent.actions.best(y[:, :-1]))[0]
        seen, _, terminated, truncated, info = env.step(action)
        over, starts = terminated or truncated, np.zeros(1, bool)
        frames.append(env.render())
    return frames
