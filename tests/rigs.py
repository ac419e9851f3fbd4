"""Small unit rigs, and what the tests of the rig share."""

import functools

import numpy as np
from contract import settle
from support import arrays, relative_error

from aru_keras import ARU
from aru_keras.envs.rig import UnitRigEnv, UnitRigVectorEnv

N, G = 5, 3
CLOSE = 1e-5
EVERY_SIGNAL = {"a", "n", "s", "h"}
RNG = np.random.default_rng(0)


def network(cls=ARU, features=1, seed=0, **options):
    """A small network with weights large enough for every part to matter."""
    layer = cls(N, G, **options) if cls is ARU else cls(N, **options)
    layer.build((None, None, features))
    return settle(layer, seed)


@functools.cache
def shared(num_envs=None, cls=ARU, features=1, **options):
    """A rig around `network(cls, features)` that is compiled once; no test changes its weights."""
    layer = network(cls, features)
    if num_envs is None:
        return UnitRigEnv(layer, **options)
    return UnitRigVectorEnv(num_envs, layer, **options)


def played(env, currents, **reset):
    """Observations by name, stacked in time from t = 0, of stepping `env` through `currents`."""
    shown = [env.reset(**reset)[0], *(env.step(current)[0] for current in currents)]
    return {name: np.stack([step[name] for step in shown]) for name in shown[0]}


def assert_same(found, expected, tolerance=CLOSE):
    assert set(found) == set(expected)
    for name, values in found.items():
        assert relative_error(values, expected[name]) < tolerance, name


def single(shown, number):
    return {name: values[number] for name, values in shown.items()}


def by_env(shown):
    return {name: values.swapaxes(0, 1) for name, values in shown.items()}


def weights(env):
    return arrays(env.layer.weights)
