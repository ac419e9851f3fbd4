"""What agents see and do in spaces of all kinds: images, hidden features, bounds off the middle."""

import json

import gymnasium as gym
import numpy as np
import pytest
import worlds
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from own_runs import untrained_agent

from aru_keras import ARU
from aru_keras.envs import Probe, VectorProbe
from aru_keras.runners import control
from aru_keras.runners.control import World, actions_of, changed_worlds, make_scalar, make_world
from aru_keras.runners.control.changed_worlds import ChangedObservations
from aru_keras.runners.control.environments import make_rendered
from aru_keras.runners.control.observations import MaskedFeatures, ranges

MODES = list(AutoresetMode)
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)


@every_mode
def test_every_mode_is_served_with_masks_and_changes(mode):
    """The last observations of episodes are masked and scaled like all others."""
    env = SyncVectorEnv([lambda: worlds.Recall(truncates=True)] * 2, autoreset_mode=mode)
    world = World(MaskedFeatures(ChangedObservations(env, scale=2.0), [0]))
    seen, finals = [world.reset(0)], []
    for _ in range(6):
        outcome = world.step(np.zeros((2, 1), np.float32))
        seen.append(outcome.observations)
        finals += [] if outcome.final is None else [outcome.final]
    assert not np.stack(seen)[..., 0].any() and np.stack(seen)[1:3, :, 1].tolist() == [
        [2] * 2,
        [4] * 2,
    ]
    for final in finals:
        np.testing.assert_array_equal(final, [[0, 6]] * 2)
    assert bool(finals) == (mode is not AutoresetMode.NEXT_STEP)


def test_noise_does_not_show_what_is_hidden(tmp_path):
    run = untrained_agent(tmp_path / "run", "CartPole-v1", "relu", mask_velocities=True)
    config = control.AgentFolder(run).load_agent_config()
    world = changed_worlds._changed(config, "noise", 0.5, 0)
    seen = world.reset(0)
    assert not seen[:, [1, 3]].any() and (np.abs(seen[:, [0, 2]]) > 0.06).any()


def test_a_mode_in_words_is_that_mode():
    env = SyncVectorEnv(
        [lambda: worlds.Recall(truncates=True)] * 2, autoreset_mode=AutoresetMode.SAME_STEP
    )
    env.metadata = {**env.metadata, "autoreset_mode": "SameStep"}
    probe = VectorProbe(env, ARU(4, 2), "h", as_numpy=True)
    _, info = probe.reset(seed=0)
    first = {x[0]: h for x, h in zip(probe.reset(seed=0)[0], info["h"], strict=True)}
    for _ in range(12):
        x, _, _, ended, info = probe.step(np.ones(2, int))
        for cue, h in zip(x[ended], info["h"][ended], strict=True):
            if cue[0] in first:
                np.testing.assert_allclose(h, first[cue[0]], rtol=1e-5)


def test_images_are_seen_from_0_to_1_by_new_agents():
    config = control.ControlConfig("gym:aru-tests/Picture-v0")
    for options in (config.world_options, config.scalar_options):
        assert options["scale_observations"]
    seen = make_world(config.environment, 2, **config.world_options).reset(0)
    assert seen.shape == (2, 12) and seen.dtype == np.float32
    assert np.unique(seen).tolist() == [0, 1]
    alone, _ = make_scalar(config.environment, **config.scalar_options).reset(seed=0)
    np.testing.assert_array_equal(alone, seen[0])
    assert make_world(config.environment, 2).reset(0).max() == 255


def test_only_integers_with_near_bounds_are_scaled():
    image = spaces.Box(0, 255, (2, 2), np.uint8)
    number = spaces.Box(-5, 5, (1,), np.float32)
    count = spaces.Box(-3, 7, (1,), np.int64)
    endless = spaces.Box(np.iinfo(np.int64).min, np.iinfo(np.int64).max, (1,), np.int64)
    for nested in (
        spaces.Tuple((image, spaces.Discrete(3), number, count, endless)),
        spaces.Dict(a=image, b=spaces.Discrete(3), c=number, d=count, e=endless),
    ):
        low, width = ranges(nested)
        assert low.tolist() == [0] * 4 + [0] * 3 + [0, -3, 0]
        assert width.tolist() == [255] * 4 + [1] * 3 + [1, 10, 1]


def test_actions_reach_all_of_their_bounds():
    """−1 and 1 are the bounds, as far as there are two; beyond them actions are clipped."""
    low, high = np.array([100, -np.inf, -2, 0]), np.array([200, np.inf, 2, np.inf])
    box = spaces.Box(low, high, dtype=np.float64)
    given = np.array([[-1.0, -1, -1, -1], [0, 0, 0, 0], [1, 1, 1, 1], [3, 3, 3, 3]])
    expected = [[100, -1, -2, 0], [150, 0, 0, 0], [200, 1, 2, 1], [200, 3, 2, 3]]
    assert actions_of(box, scaled=True).for_env(given).tolist() == expected
    assert actions_of(box).for_env(given)[2].tolist() == [100, 1, 1, 1]
    unit = spaces.Box(-1, 1, (3,))
    random = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    same = [actions_of(unit, scaled=scaled).for_env(random) for scaled in (False, True)]
    np.testing.assert_array_equal(*same)
    most = np.finfo(np.float32).max
    wide = actions_of(spaces.Box(-most, most, (3,)), scaled=True)
    np.testing.assert_array_equal(wide.for_env(random), random)
    config = control.ControlConfig("gym:Pendulum-v1")
    world = make_world(config.environment, 1, **config.world_options)
    assert world.actions.for_env(np.ones((1, 1), np.float32)) == 2


def test_runs_from_before_see_and_do_what_they_did(tmp_path):
    run = untrained_agent(tmp_path / "run", "Pendulum-v1", "relu")
    values = json.loads((run / "config.json").read_text())
    assert values.pop("scale_observations") and values.pop("scale_actions")
    (run / "config.json").write_text(json.dumps(values))
    config = control.AgentFolder(run).load_agent_config()
    assert not (config.scale_observations or config.scale_actions)
    world = make_world(config.environment, 1, **config.world_options)
    assert world.actions.for_env(np.ones((1, 1), np.float32)) == 1


@pytest.mark.parametrize(
    "space",
    [spaces.Sequence(spaces.Box(-1, 1, (2,))), spaces.Graph(spaces.Box(-1, 1, (2,)), None)],
    ids=["sequence", "graph"],
)
def test_observations_without_one_length_are_refused_with_a_way_out(space):
    gym.register("aru-tests/Unflat-v0", lambda: worlds.Reach(shown=space))
    try:
        for make in (lambda name: make_world(name, 2), make_scalar):
            with pytest.raises(ValueError, match=r"can be flattened.*gymnasium.Observ") as error:
                make("aru-tests/Unflat-v0")
            assert "FlattenObservation" not in str(error.value)
        with pytest.raises(ValueError, match=r"Put a gymnasium.ObservationWrapper around it"):
            Probe(worlds.Reach(shown=space), ARU(4, 2))
    finally:
        del gym.registry["aru-tests/Unflat-v0"]
    for flat in (spaces.Discrete(3), spaces.Tuple((spaces.Discrete(3),))):
        with pytest.raises(ValueError, match=r"Put gymnasium.wrappers.FlattenObservation"):
            Probe(worlds.Reach(shown=flat), ARU(4, 2))


def test_numbers_of_environments_and_things_that_are_no_id():
    for count in (0, "8", 1.5):
        with pytest.raises(ValueError, match="`num_envs` must be a whole number of at least 1"):
            make_world("CartPole-v1", count)
    with pytest.raises(ValueError, match=r'`environment` must be.*Give its id, "CartPole-v1"\.'):
        control.train(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"`environment` must be.*Register it with gymnasium"):
        control.train(worlds.Recall)
    with pytest.raises(ValueError, match=r"`size` is no option.* given in env_options"):
        control.train("CartPole-v1", size=3)
    for given in ({1: 2}, "size", {"size": np.zeros(2)}):
        with pytest.raises(ValueError, match="`env_options` must be a dictionary by name"):
            control.train("CartPole-v1", env_options=given)


def test_amplitudes_that_are_none(tmp_path):
    run = untrained_agent(tmp_path / "run", "aru-tests/Recall-v0", "relu")
    for amplitudes in (0.5, [], ["x"], [np.nan], None):
        with pytest.raises(ValueError, match="`amplitudes` must hold at least one finite number"):
            control.changed_returns(run, "scale", amplitudes)
    with pytest.raises(ValueError, match=r"`amplitudes` must hold .*, each of at least 0"):
        control.changed_returns(run, "noise", [-1.0])


@pytest.mark.parametrize("make", [make_scalar, make_rendered])
def test_environments_that_cannot_be_made(make):
    for name in ("NoSuch-v0", "no_such_module:Some-v0", "aru-tests/VectorsOnly-v0"):
        with pytest.raises(ValueError, match=rf"`task` must be gym: and .*gymnasium.make.*{name}"):
            make(name)
