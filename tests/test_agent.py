"""The agent: it learns from labels as `fit` does, and from the reward by its policy gradient."""

import csv
import json

import gymnasium as gym
import keras
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from keras import ops
from support import array, arrays, gradients, relative_error

from aru_keras import models, tasks
from aru_keras.envs import SequenceEnv, SequenceVectorEnv
from aru_keras.runners import fit_agent
from aru_keras.runners.agent import Agent, advantages, play
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.train import train

NUM_ENVS = 6
IMAGES = np.arange(40, 40 + NUM_ENVS)


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits", downsample=2)


def network(task, optimizer=None, name="relu", units=7):
    keras.utils.set_random_seed(0)
    sizes = {"units": units, "controller_units": 3, "match_parameters": False}
    model = models.build_network(name, task.input_shape, **sizes)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer or keras.optimizers.SGD(1.0), loss, metrics=["accuracy"])
    return model


def environments(task, count=NUM_ENVS, **options):
    return SequenceVectorEnv(count, task, autoreset_mode=AutoresetMode.DISABLED, **options)


def change(model, learn):
    """By how much `learn` changes the weights."""
    before = arrays(model.trainable_weights)
    learn()
    return [b - a for b, a in zip(before, arrays(model.trainable_weights), strict=True)]


@pytest.mark.parametrize("name", ["arun", "gamma"])
def test_the_gradient_from_labels_is_that_of_fit(name, task):
    agent, other = (Agent(network(task, name=name)), network(task, name=name))
    x, y = task.examples("train", IMAGES)
    play(agent, environments(task), index=IMAGES)
    found = change(agent.model, agent.learn)
    expected = change(other, lambda: other.fit(x, y, NUM_ENVS, shuffle=False, verbose=0))
    for one, two in zip(found, expected, strict=True):
        assert np.abs(two).max() > 0
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)


def history(folder):
    with open(folder / "history.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_a_run_by_episodes_is_the_run_of_fit(tmp_path):
    options = {"units": 5, "controller_units": 3, "downsample": 2}
    options |= {"epochs": 2, "batch_size": 16, "limit": 40}
    folders = {learner: tmp_path / learner for learner in ("fit", "agent")}
    for learner, folder in folders.items():
        train("digits", learner=learner, run_dir=folder, verbose=0, **options)
    names = [{path.name for path in folder.iterdir()} for folder in folders.values()]
    assert names[0] == names[1]
    results = [json.loads((run / "results.json").read_text()) for run in folders.values()]
    assert set(results[0]) == set(results[1])
    kept = [keras.models.load_model(run / "model.keras").weights for run in folders.values()]
    for one, two in zip(*kept, strict=True):
        assert relative_error(array(one), array(two)) < 1e-6
    for one, two in zip(*map(history, folders.values()), strict=True):
        assert float(two["reward"]) == pytest.approx(float(two["accuracy"]))
        assert set(two) - set(one) == {"reward"}
        for name in set(one) - {"seconds"}:
            assert float(two[name]) == pytest.approx(float(one[name]), rel=1e-5)


def test_it_names_the_most_likely_class_after_every_pixel(task):
    agent, env = Agent(network(task)), environments(task)
    x, labels = task.examples("train", IMAGES)
    pixels, _ = env.reset(options={"index": IMAGES})
    agent.reset()
    for t in range(task.timesteps):
        actions = agent.act(pixels)
        seen = agent.model.get_layer("recurrent")(x[:, : t + 1])
        logits = array(agent.model.get_layer("readout")(seen))
        np.testing.assert_array_equal(actions, logits.argmax(axis=1))
        pixels, *outcome = env.step(actions)
        agent.observe(*outcome)
    assert agent.over
    logs = agent.learn()
    assert logs["accuracy"] == logs["reward"] == np.mean(actions == labels)


def test_actions_are_sampled_from_the_softmax_of_the_output(task):
    agent, count = Agent(network(task), "reward"), 20_000
    kernel, bias = agent.model.get_layer("readout").weights
    kernel.assign(0 * kernel)
    bias.assign(np.linspace(-1, 1, 10))
    actions = agent.act(np.zeros((count, 1)))
    p = array(ops.softmax(bias))
    error = np.bincount(actions, minlength=10) / count - p
    assert np.abs(error / np.sqrt(p * (1 - p) / count)).max() < 4
    agent.reset()
    assert (agent.act(np.zeros((count, 1))) != actions).mean() > 0.5
    again = Agent(agent.model, "reward")
    np.testing.assert_array_equal(again.act(np.zeros((count, 1))), actions)


@pytest.mark.parametrize("entropy", [0.0, 0.5])
def test_the_gradient_from_the_reward_is_reinforce_with_the_mean_of_the_others(entropy, task):
    agent, env = Agent(network(task), "reward", entropy=entropy), environments(task)
    x, _ = task.examples("train", IMAGES)
    pixels, _ = env.reset(options={"index": IMAGES})
    while not agent.over:
        actions = agent.act(pixels)
        pixels, _, terminated, *rest = env.step(actions)
        rewards = np.array([1.0, 0, 1, 0, 0, 0]) * terminated
        agent.observe(rewards, terminated, *rest)
    policy = array(ops.softmax(agent.model(x)))[range(NUM_ENVS), actions]
    counted = rewards - entropy * np.log(policy)
    others = [np.delete(counted, index).mean() for index in range(NUM_ENVS)]

    def loss():
        log_policy = ops.log_softmax(agent.model(x))
        chosen = ops.sum(log_policy * ops.one_hot(actions, 10), axis=1)
        return -ops.mean(ops.cast(counted - others, "float32") * chosen)

    value, expected = gradients(loss, variables=agent.model.trainable_variables)
    logs = {}
    found = change(agent.model, lambda: logs.update(agent.learn()))
    assert logs["loss"] == pytest.approx(float(value), rel=1e-4, abs=1e-6)
    assert logs["reward"] == pytest.approx(1 / 3)
    for one, two in zip(found, expected, strict=True):
        assert np.abs(two).max() > 0
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)


def test_the_advantage_is_the_reward_less_the_mean_of_the_others():
    np.testing.assert_allclose(advantages(np.array([1.0, 0, 0, 2])), [1 / 3, -1, -1, 5 / 3])
    np.testing.assert_array_equal(advantages(np.array([1.0])), [1])


def test_the_reward_alone_teaches_to_tell_two_digits():
    task = tasks.load_task("digits", downsample=4)
    labels = task.arrays("train")[1]
    env = environments(task, 256, subset=np.flatnonzero((labels == 6) | (labels == 9)))
    agent = Agent(network(task, keras.optimizers.Adam(0.01), "gamma", units=32), "reward")
    for weight in agent.model.get_layer("readout").weights:
        weight.assign(0 * weight)  # At first no class is preferred.
    env.reset(seed=0)
    rewards = []
    for _ in range(60):
        play(agent, env)
        rewards.append(agent.learn()["reward"])
    # A guess earns 0.1; always naming the same one of the two digits, 0.5.
    assert rewards[0] < 0.2
    assert np.mean(rewards[-10:]) > 0.9


def test_a_step_is_compiled_once_for_all_episodes(task):
    agent, env = Agent(network(task)), environments(task)
    for _ in range(2):
        play(agent, env)
        agent.learn()
    assert agent.step_network.traces == 1


def test_the_last_batch_of_an_epoch_may_be_smaller(task):
    config = TrainConfig("digits", batch_size=16, limit=40, seed=3)
    batches = fit_agent._batches(task, config, epoch=2)
    expected = task.batches("train", 16, seed=3, limit=40, initial_epoch=2)
    assert [len(chosen) for chosen in batches] == [16, 16, 8]
    for chosen, (x, _) in zip(batches, expected, strict=True):
        np.testing.assert_array_equal(task.examples("train", chosen)[0], x)


def test_a_model_that_cannot_act_is_refused(task):
    wrong = keras.Sequential([keras.Input(task.input_shape), keras.layers.Flatten()])
    with pytest.raises(ValueError, match=r"`model` must be.*arun, gamma or relu.*Received"):
        Agent(network(task, name="gru"))
    with pytest.raises(ValueError, match=r"`model` must be a classifier"):
        Agent(wrong)
    model = network(task)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy())
    with pytest.raises(ValueError, match=r"from_logits=True.*its loss is"):
        Agent(model)
    with pytest.raises(ValueError, match=r"`learns_from` must be one of label, reward"):
        Agent(model, "rewards")
    with pytest.raises(ValueError, match="`entropy` must be a finite number of at least 0"):
        Agent(network(task), "reward", entropy=-1)


def test_what_cannot_be_learned_from_is_refused(task):
    agent = Agent(network(task), "reward")
    agent.act(np.zeros((2, 1)))
    going, over = np.zeros(2, bool), np.ones(2, bool)
    with pytest.raises(ValueError, match=r"must begin and end.*only \[1\] of 2"):
        agent.observe(np.zeros(2), np.array([False, True]), going, {})
    with pytest.raises(
        ValueError, match=r'before the last action.*a reward at the end.*reward="final"'
    ):
        agent.observe(np.ones(2), going, going, {})
    with pytest.raises(RuntimeError, match="not over"):
        agent.learn()
    agent.observe(np.ones(2), over, going, {})
    with pytest.raises(RuntimeError, match="call reset"):
        agent.act(np.zeros((2, 1)))
    unlabelled = Agent(agent.model)
    unlabelled.act(np.zeros((2, 1)))
    unlabelled.observe(np.ones(2), over, going, {})
    with pytest.raises(ValueError, match=r'info\["label"\] must have it'):
        unlabelled.learn()


def test_an_environment_of_another_kind_is_refused_at_construction(task):
    model = network(task)
    Agent(model, env=environments(task))
    Agent(model, "reward", env=environments(task))
    Agent(model, env=environments(task, reward="every_step"))
    same_step = SequenceVectorEnv(2, task, autoreset_mode=AutoresetMode.SAME_STEP)
    Agent(model, "reward", env=same_step)
    wrong = {
        "be a vector environment": (SequenceEnv(task), "label"),
        r"show 1 number\(s\) per step": (gym.make_vec("CartPole-v1", 2), "reward"),
        r"take the number of a class, Discrete\(10\)": (
            environments(task, reward="log_probability"),
            "reward",
        ),
        "pay the last action alone": (environments(task, reward="every_step"), "reward"),
        "tell the label at the end": (same_step, "label"),
    }
    for message, (env, learns_from) in wrong.items():
        with pytest.raises(ValueError, match=rf"`env` must {message}.*Received"):
            Agent(model, learns_from, env=env)
        with pytest.raises(ValueError, match=rf"`env` must {message}"):
            play(Agent(model, learns_from), env)


@pytest.mark.parametrize(("task", "model"), [("digits", "lstm"), ("scifar10-conv", "arun")])
def test_a_run_that_cannot_go_pixel_by_pixel_is_refused(task, model):
    with pytest.raises(ValueError, match=r"`learner` must be fit for.*Received: 'agent' with"):
        TrainConfig(task, model, learner="agent")


def test_a_configuration_from_before_there_were_agents_still_loads(tmp_path):
    values = TrainConfig("digits").to_dict()
    assert values.pop("learner") == "fit"
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    assert TrainConfig.from_file(path) == TrainConfig("digits")
