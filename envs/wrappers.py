"""Wrappers for the environments of this package."""

from aru_keras.envs.wrapping import ScalarWrapper, VectorWrapper


class VectorPerturb(VectorWrapper):
    """`Perturb` around a vector environment; the arguments are the same."""

    def __init__(self, env, perturbation, units=None):
        super().__init__(env, perturbation=perturbation, units=units)
        _perturb(env, perturbation, units)


class Perturb(ScalarWrapper):
    """Adds a perturbation to a sequence environment; `VectorPerturb` does to a vector one.

    It acts inside the environment, so that probes, pictures and spaces know of it wherever this
    wrapper stands; several add up. The same as the argument `perturbation` of `gym.make`.

    Args:
        env: A sequence environment.
        perturbation: A `perturbations` value, its list of settings, or a text as "step:5".
        units: Number of units N, which noise of their own for all units needs.

    Raises:
        ValueError: If the environment is none that can be perturbed.

    Example:
        >>> env = Perturb(gym.make("aru/psMNIST-v0"), StepDrive(5) + Contrast(0.5))
    """

    vector_form = VectorPerturb

    def __init__(self, env, perturbation, units=None):
        super().__init__(env, perturbation=perturbation, units=units)
        _perturb(env, perturbation, units)


def _perturb(env, perturbation, units):
    if not hasattr(env.unwrapped, "perturb"):
        raise ValueError(
            "`env` must be a sequence environment of aru_keras. "
            f"Received: {env}. Make one with gym.make('aru/Digits-v0')."
        )
    env.unwrapped.perturb(perturbation, units)
