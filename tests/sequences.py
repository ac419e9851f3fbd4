"""Sequence environments of the digits, and what their tests share."""

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from aru_keras import tasks

DIGITS = "aru/Digits-v0"
T, B = 64, 3
MODES = list(AutoresetMode)


def make(**options):
    return gym.make(DIGITS, **options)


def make_vec(num_envs=B, **options):
    return gym.make_vec(DIGITS, num_envs, vectorization_mode="vector_entry_point", **options)


def run(env, steps, seed=0, **reset):
    """All that a vector environment gives under seeded random actions."""
    actions = np.random.default_rng(2)
    given = [env.reset(seed=seed, **reset)]
    for _ in range(steps):
        given.append(env.step(actions.integers(0, 10, env.num_envs)))
    return given


def fake_task(name):
    """A task of the right size whose images are all alike, so that they take no memory."""
    spec = tasks.TASKS[name]
    sizes = {"train": 50_000 if spec.collection == "cifar10" else 60_000, "test": 10_000}
    shape = (32, 32, 3) if spec.collection == "cifar10" else spec.image_shape
    image = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    splits = {
        split: (np.broadcast_to(image, (size, *shape)), (np.arange(size) % 10).astype("uint8"))
        for split, size in sizes.items()
    }
    return tasks.Task(spec, splits, downsample=1, permutation_seed=0)
