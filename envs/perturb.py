"""Wrappers that perturb a sequence environment."""

from typing import Any

import gymnasium as gym

from aru_keras.envs._wrappers import ScalarWrapper, VectorWrapper


class Perturb(ScalarWrapper):
    """Add a perturbation to a sequence environment.

    The perturbation acts inside the environment, so that probes, pictures and spaces include it
    wherever this wrapper is. Several perturbations add up. The argument `perturbation` of
    `gymnasium.make` has the same effect. `VectorPerturb` is the wrapper for vector environments.

    Args:
        env: A sequence environment.
        perturbation: A `perturbations` value, or another form that `as_perturbation` takes.
        units: The number of units N, which is needed if the drive differs between units.

    Raises:
        TypeError: If `env` is a vector environment.
        ValueError: If `env` is not a sequence environment, or the perturbation is wrong.

    Example:
        >>> env = Perturb(gym.make("aru/psMNIST-v0"), StepDrive(5) + Contrast(0.5))
    """

    def __init__(self, env: gym.Env, perturbation: Any, units: int | None = None):
        super().__init__(env, perturbation=perturbation, units=units)
        _perturb(env, perturbation, units)


class VectorPerturb(VectorWrapper):
    """Add a perturbation to a vector sequence environment.

    Arguments and errors are those of `Perturb`, except that `env` must be a vector environment.
    """

    def __init__(self, env: gym.vector.VectorEnv, perturbation: Any, units: int | None = None):
        super().__init__(env, perturbation=perturbation, units=units)
        _perturb(env, perturbation, units)


def _perturb(env, perturbation, units):
    if not hasattr(env.unwrapped, "perturb"):
        raise ValueError(
            "`env` must be a sequence environment of aru_keras. "
            f"Received: {env}. Make one with gym.make('aru/Digits-v0')."
        )
    env.unwrapped.perturb(perturbation, units)
