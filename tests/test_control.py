"""Agents in environments: what they see, what they learn from, and what they learn."""

import gymnasium as gym
import keras
import numpy as np
import pytest
import worlds
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from keras import ops
from support import array, gradients

from aru_keras.layers import ActorCriticReadout
from aru_keras.runners.control import (
    Collector,
    ControlAgent,
    ControlConfig,
    Learner,
    ReturnScale,
    World,
    actions_of,
    advantages,
    build_agent,
    evaluate,
    make_world,
)

MODES = list(AutoresetMode)
GAE = {"discount": 0.9, "gae_lambda": 0.8}
QUICK = {"num_envs": 16, "num_steps": 12, "num_minibatches": 1, "learning_rate": 2e-2}
every_mode = pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.name)


def world_of(cls, mode=AutoresetMode.NEXT_STEP, count=4, **options):
    return World(SyncVectorEnv([lambda: cls(**options)] * count, autoreset_mode=mode))


def agent_of(world, model="gru", units=8, seed=0):
    keras.utils.set_random_seed(seed)
    sizes = {"units": units, "controller_units": 3}
    return ControlAgent(build_agent(model, world.features, world.actions, **sizes), world.actions)


def collected(agent, world, steps=9, seed=3):
    collector = Collector(agent, world)
    collector.begin(seed)
    return collector.segment(steps, np.random.default_rng(0))


def config_of(**options):
    sizes = {"num_envs": 4, "num_steps": 9, "num_minibatches": 2, "total_timesteps": 360}
    return ControlConfig("gym:aru-tests/Recall-v0", **{"model": "gru", **sizes, **options})


def test_advantages_are_the_sums_of_their_definition():
    rng = np.random.default_rng(0)
    rewards, values, following = rng.normal(size=(3, 7, 2))
    terminated = rng.random((7, 2)) < 0.2
    ended = terminated | (rng.random((7, 2)) < 0.2)
    estimates = advantages(rewards, values, following, terminated, ended, **GAE)
    for b in range(2):
        for t in range(7):
            total, weight = 0.0, 1.0
            for k in range(t, 7):
                after = 0 if terminated[k, b] else following[k, b]
                total += weight * (rewards[k, b] + 0.9 * after - values[k, b])
                weight *= 0.9 * 0.8
                if ended[k, b]:
                    break
            assert estimates[t, b] == pytest.approx(total)


@every_mode
@pytest.mark.parametrize("truncates", [False, True])
def test_episodes_and_their_last_values_are_those_of_every_mode(mode, truncates):
    """Episodes of 3 steps: what is taken, paid and expected, whatever the mode."""
    world = world_of(worlds.Recall, mode, truncates=truncates)
    agent = agent_of(world)
    segment = collected(agent, world, steps=12)
    taken = ~segment.ignored[:, 0]
    assert taken.sum() == (9 if mode is AutoresetMode.NEXT_STEP else 12)
    assert segment.observations[taken, 0, 1].tolist() == [0, 1, 2] * (taken.sum() // 3)
    assert (segment.starts[taken, 0] == (segment.observations[taken, 0, 1] == 0)).all()
    assert (segment.ended[taken, 0] == (segment.observations[taken, 0, 1] == 2)).all()
    assert segment.terminated.any() != truncates
    # The value of what follows an episode is that of its last observation, after the whole of it.
    seen = segment.observations[taken, 0][:3]
    whole = np.concatenate([seen, [[0, 3]]]).astype("float32")
    expected = array(agent.model(whole[None]))[0, -1, -1]
    if truncates:
        assert segment.next_values[taken, 0][2] == pytest.approx(expected, abs=1e-6)
    assert len(world.returns) == segment.ended.sum()


@pytest.mark.parametrize("model", ["arun", "lstm", "relu"])
def test_what_it_learns_from_is_what_it_has_done(model):
    """The network over a segment, episodes inside, gives the outputs of the steps."""
    world = world_of(worlds.Recall)
    agent = agent_of(world, model)
    collector = Collector(agent, world)
    collector.begin(0)
    rng = np.random.default_rng(0)
    collector.segment(5, rng)
    segment = collector.segment(9, rng)
    assert any(np.abs(state).max() > 0 for state in segment.state) and segment.starts[1:].any()
    learner = Learner(agent.model, world.actions, config_of(model=model))
    outputs = array(learner.model(segment.inputs(), training=False)).swapaxes(0, 1)
    np.testing.assert_allclose(outputs, segment.outputs, atol=2e-6)


def test_the_loss_is_that_of_the_paper():
    """Schulman et al. 2017, equations 7 and 9, once more in NumPy."""
    world = world_of(worlds.Recall)
    agent, config = agent_of(world), config_of(ent_coef=0.1)
    learner = Learner(agent.model, world.actions, config)
    segment = collected(agent, world)
    targets = learner.targets(segment)
    y = targets[..., 1:4] + np.random.default_rng(1).normal(size=(4, 9, 3)).astype("float32")
    weights = ~segment.ignored.T
    logs = [
        z[..., :2] - np.log(np.exp(z[..., :2]).sum(-1, keepdims=True))
        for z in (y, targets[..., 1:4])
    ]
    chosen = targets[..., :1].astype(int)
    new, old = (np.take_along_axis(log, chosen, -1)[..., 0] for log in logs)
    gains, returns, before = targets[..., -3], targets[..., -2], targets[..., 3]
    gains = (gains - gains[weights].mean()) / (gains[weights].std() + 1e-8)
    ratio = np.exp(new - old)
    policy = -np.minimum(ratio * gains, np.clip(ratio, 0.8, 1.2) * gains)
    clipped = before + np.clip(y[..., 2] - before, -0.2, 0.2)
    value = 0.5 * np.maximum((y[..., 2] - returns) ** 2, (clipped - returns) ** 2)
    entropy = -(np.exp(logs[0]) * logs[0]).sum(-1)
    expected = (policy + 0.5 * value - 0.1 * entropy)[weights].mean()
    found = learner.model.compute_loss(y=targets, y_pred=ops.convert_to_tensor(y))
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_rewards_are_scaled_by_the_deviation_of_the_returns():
    rng = np.random.default_rng(0)
    rewards, ended = rng.normal(1, 2, (40, 3)), rng.random((40, 3)) < 0.1
    at_once, in_parts = ReturnScale(0.9), ReturnScale(0.9)
    expected = at_once.update(rewards, ended)
    in_parts.update(rewards[:15], ended[:15])
    assert in_parts.update(rewards[15:], ended[15:]) == pytest.approx(expected)
    returns, running = [], np.zeros(3)
    for reward, over in zip(rewards, ended, strict=True):
        running = running * 0.9 + reward
        returns.append(running)
        running = np.where(over, 0, running)
    assert expected == pytest.approx(np.std(returns), rel=1e-6)


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Box(-1, 1, (2,)),
        gym.spaces.Box(-np.inf, np.inf, (2, 1)),
        gym.spaces.Discrete(3, start=-1),
        gym.spaces.MultiDiscrete([2, 3]),
    ],
    ids=str,
)
def test_actions_are_in_their_space_and_have_the_probabilities_of_their_samples(space):
    actions = actions_of(space)
    params = np.tile(np.linspace(-0.5, 0.5, actions.policy_size), (4000, 1))
    params = np.concatenate([params, np.zeros((4000, actions.log_std_size))], 1).astype("float32")
    sampled = actions.sample(params, np.random.default_rng(0))
    assert all(space.contains(action) for action in actions.for_env(sampled[:20]))
    logs = array(
        actions.log_probability(ops.convert_to_tensor(params), ops.convert_to_tensor(sampled))
    )
    entropy = array(actions.entropy(ops.convert_to_tensor(params)))
    assert -logs.mean() == pytest.approx(entropy[0], abs=0.05)
    best = array(
        actions.log_probability(*map(ops.convert_to_tensor, (params, actions.best(params))))
    )
    assert (best >= logs.max() - 1e-4).all()


def test_an_agent_learns_to_remember():
    """Chance is 0.5. Without memory, the last observation says nothing of the first."""
    config = config_of(**QUICK, total_timesteps=16_000)
    world = world_of(worlds.Recall, count=16)
    agent = agent_of(world, units=12)
    learner, collector = Learner(agent.model, world.actions, config), Collector(agent, world)
    collector.begin(0)
    rng = np.random.default_rng(0)
    for update in range(config.updates):
        learner.learn(collector.segment(12, rng), update, rng)
    assert evaluate(agent, world, episodes=64, seed=5).mean() > 0.9


def test_an_agent_learns_numbers():
    config = config_of(**QUICK, total_timesteps=6_000)
    world = world_of(worlds.Reach, count=16)
    agent = agent_of(world, units=12)
    before = evaluate(agent, world, episodes=64, seed=5).mean()
    learner, collector = Learner(agent.model, world.actions, config), Collector(agent, world)
    collector.begin(0)
    rng = np.random.default_rng(0)
    for update in range(config.updates):
        learner.learn(collector.segment(12, rng), update, rng)
    assert evaluate(agent, world, episodes=64, seed=5).mean() > before / 2


def test_an_agent_with_deviations_of_its_own_is_saved_and_loaded(tmp_path):
    world = world_of(worlds.Reach)
    agent = agent_of(world, "relu", units=3)
    agent.readout.log_std.assign([0.5, -1.0])
    agent.model.save(tmp_path / "agent.keras")
    loaded = keras.models.load_model(tmp_path / "agent.keras")
    np.testing.assert_array_equal(array(loaded.get_layer("readout").log_std), [0.5, -1.0])


def test_a_deviation_for_each_parameter_of_the_policy_or_none():
    for size in (0, 2):
        assert ActorCriticReadout(2, size).log_std_size == size
    with pytest.raises(ValueError, match=r"`log_std_size` must be 0, or as many as θ, 2.*: 1"):
        ActorCriticReadout(2, 1)
    with pytest.raises(ValueError, match="`use_bias` is no argument of ActorCriticReadout"):
        ActorCriticReadout(2, use_bias=False)


@pytest.mark.parametrize("deviations", [0, 2])
def test_a_detached_value_learns_and_leaves_the_units_to_the_policy(deviations):
    h = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    plain = ActorCriticReadout(2, deviations)
    detached = ActorCriticReadout(2, deviations, detach_value=True)
    plain(h), detached(h)
    detached.set_weights(plain.get_weights())
    assert ActorCriticReadout.from_config(detached.get_config()).detach_value
    np.testing.assert_array_equal(array(detached(h)), array(plain(h)))

    def of(readout, part):
        into_h, *into_weights = gradients(
            lambda h: ops.sum(readout(h)[..., part] ** 2), h, variables=readout.trainable_weights
        )[1]
        return np.zeros_like(h) if into_h is None else into_h, into_weights[0]

    policy, value = slice(None, -1), slice(-1, None)
    np.testing.assert_allclose(of(detached, policy)[0], of(plain, policy)[0], rtol=1e-6)
    assert np.abs(of(plain, value)[0]).max() > 1e-3
    np.testing.assert_array_equal(of(detached, value)[0], 0)
    np.testing.assert_allclose(of(detached, value)[1], of(plain, value)[1], rtol=1e-6)


def test_a_drive_acts_on_the_units():
    world = world_of(worlds.Recall)
    agent, starts = agent_of(world, "gamma"), np.ones(4, bool)
    seen = world.reset(0)
    y, _ = agent(seen, starts, agent.initial_state(4), 0.0)
    same, _ = agent(seen, starts, agent.initial_state(4))
    pushed, _ = agent(seen, starts, agent.initial_state(4), np.full((4, 1), 5.0))
    np.testing.assert_allclose(y, same, atol=1e-6)
    assert np.abs(pushed - y).max() > 1e-3
    with pytest.raises(ValueError, match="`drive` needs units with one pre-activation"):
        evaluate(agent_of(world, "gru"), world, drive=1.0)


def test_environments_that_misbehave():
    world = world_of(worlds.Broken)
    with pytest.raises(
        ValueError, match=r"finite numbers\. Received: observation nan \(feature 1\) in"
    ):
        collected(agent_of(world), world)
    with pytest.raises(
        ValueError, match=r"must be Discrete, MultiDiscrete or a Box.* Received: Text"
    ):
        world_of(worlds.Reach, space=gym.spaces.Text(3))
    with pytest.raises(ValueError, match=r"must show vectors of numbers.* Received: .*Dict"):
        world_of(worlds.Nested)
    with pytest.raises(ValueError, match=r"`task` must be gym: and an environment.*NoSuch-v0"):
        make_world("NoSuch-v0", 2)
    with pytest.raises(ValueError, match="whose velocities are known: Acrobot, CartPole"):
        make_world("aru-tests/Recall-v0", 2, mask_velocities=True)


def test_dictionaries_are_flattened_and_velocities_hidden():
    assert make_world("aru-tests/Nested-v0", 2).features == 5
    seen = make_world("CartPole-v1", 3, mask_velocities=True).reset(0)
    assert not seen[:, [1, 3]].any() and seen[:, [0, 2]].all()


def test_an_evaluation_of_what_never_ends_ends():
    world = world_of(worlds.Endless)
    assert evaluate(agent_of(world), world, most_steps=7).tolist() == [7.0] * 20
    with pytest.raises(ValueError, match="`most_steps` must be a whole number of at least 1"):
        evaluate(agent_of(world), world, most_steps=0)


@every_mode
def test_an_evaluation_counts_whole_episodes_and_never_an_empty_one(mode):
    """Episodes of 5 steps: the number of steps is that of an episode, and not of all of them."""
    world = world_of(worlds.Paid, mode, steps=5)
    agent = agent_of(world)
    for most in (5, 6, 1000):
        assert evaluate(agent, world, episodes=12, most_steps=most).tolist() == [5.0] * 12
    # Of an episode that is cut, the rest does not count: it would be a shorter one.
    assert evaluate(agent, world, episodes=12, most_steps=3).tolist() == [3.0] * 12
    assert evaluate(agent, world, episodes=12, most_steps=2).tolist() == [2.0] * 12
