"""The sequence environments: observations, rewards and info, in both forms."""

import copy
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode
from sequences import DIGITS, MODES, B, T, fake_task, make, make_vec, run

from aru_keras import perturbations, tasks
from aru_keras.envs import TASK_IDS, Perturb, SequenceEnv, SequenceVectorEnv, VectorPerturb


@pytest.fixture(scope="module")
def digits():
    return tasks.load_task("digits")


@pytest.fixture(params=TASK_IDS)
def identified(request):
    """An id and the options that make its environment without a download."""
    name = request.param
    return TASK_IDS[name], {} if name == "digits" else {"task": fake_task(name)}


def episode(env, actions=None, **reset):
    """Everything an episode of a scalar environment gives."""
    pixel, info = env.reset(**reset)
    steps = [(pixel, 0.0, False, False, info)]
    while not steps[-1][2]:
        steps.append(env.step(0 if actions is None else actions[len(steps) - 1]))
    return steps


@pytest.mark.filterwarnings("ignore:.*human.*")
def test_gymnasiums_checks_pass_for_every_id(identified):
    name, options = identified
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*(seed|determin|observation).*")
        check_env(gym.make(name, **options).unwrapped, skip_render_check=name != DIGITS)


def test_every_id_is_read_pixel_by_pixel_to_its_end(identified):
    name, options = identified
    env = gym.make(name, split="test", shuffle=False, **options)
    task = env.unwrapped.task
    x, y = task.examples("test", [0])
    steps = episode(env, seed=0)
    assert (
        len(steps) == task.timesteps + 1 == {"digits": 64, "scifar10": 1024}.get(task.name, 784) + 1
    )
    np.testing.assert_array_equal([pixel for pixel, *_ in steps[:-1]], x[0])
    np.testing.assert_array_equal(steps[-1][0], x[0, -1])
    for t, (pixel, _, terminated, truncated, info) in enumerate(steps):
        assert env.observation_space.contains(pixel)
        assert (terminated, truncated) == (t == task.timesteps, False)
        assert info["t"] == min(t, task.timesteps - 1)
        assert info["pixel_index"] == task.pixel_index(info["t"])
        assert (info["index"], info["drive"], info["contrast"]) == (0, 0, 1)
        assert ("label" in info) == terminated
    assert steps[-1][-1]["label"] == y[0]


@pytest.mark.parametrize("mode", MODES)
def test_scalar_and_vector_form_show_the_same(mode, digits):
    """A sub-environment of the vector form, whatever its autoreset, against the scalar form."""
    actions = np.random.default_rng(1).integers(0, 10, 3 * T)
    scalar = episode(make(split="test"), actions, seed=4)
    vector = make_vec(1, split="test", autoreset_mode=mode)
    pixels, info = vector.reset(seed=4)
    np.testing.assert_array_equal(pixels[0], scalar[0][0])
    for t in range(1, T + 1):
        pixels, rewards, terminated, _, info = vector.step(actions[t - 1 : t])
        if t == T and mode is AutoresetMode.SAME_STEP:
            pixels, info = info["final_obs"], info["final_info"]
        pixel, reward, over, _, single_info = scalar[t]
        np.testing.assert_array_equal(pixels[0], pixel)
        assert (rewards[0], terminated[0]) == (reward, over)
        assert {name for name in info if not name.startswith("_")} == set(single_info)
        for name, value in single_info.items():
            np.testing.assert_array_equal(info[name][0], value)


@pytest.mark.parametrize("vector", [False, True], ids=["scalar", "vector"])
def test_two_environments_with_one_seed_give_one_stream(vector):
    def stream(seed):
        if vector:
            return run(make_vec(), 2 * T + 3, seed)
        env = make()
        return episode(env, seed=seed) + episode(env)

    assert data_equivalence(stream(5), stream(5))
    assert not data_equivalence(stream(5), stream(6))


def test_every_image_comes_once_before_any_comes_again():
    env = make_vec(num_envs=4, split="validation", subset=10)
    seen = []
    for seed in (0, None, None, None, None):
        seen.extend(env.reset(seed=seed)[1]["index"].tolist())
    assert sorted(seen[:10]) == sorted(seen[10:20]) == list(range(10))
    assert seen[:10] != seen[10:20] and seen[:10] != list(range(10))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copied_environment_goes_on_alike(duplicate):
    env = make()
    env.reset(seed=3)
    env.step(0)
    twin = duplicate(env)
    assert data_equivalence(env.step(0), twin.step(0))
    assert data_equivalence(episode(env), episode(twin))


@pytest.mark.parametrize("form", [SequenceEnv, SequenceVectorEnv])
@pytest.mark.parametrize(
    ("option", "value"),
    [("downsample", 2), ("permutation_seed", 5), ("data_dir", "nowhere"), ("source", "a.npz")],
)
def test_a_loaded_task_takes_no_options_of_loading(form, option, value, digits):
    with pytest.raises(ValueError, match=rf"`{option}` is for a task .* name. Received: {option}="):
        form(task=digits, **{option: value})
    with pytest.raises(ValueError, match=f"`{option}` is for the tasks of images"):
        form(task="adding", **{option: value})


def test_a_loaded_task_takes_the_options_that_it_has():
    task = tasks.load_task("digits", downsample=2, permutation_seed=5)
    for options in ({}, {"downsample": np.int64(2)}, {"downsample": 1, "permutation_seed": 5}):
        assert SequenceEnv(task, **options).timesteps == 16
    with pytest.raises(ValueError, match="`permutation_seed` is for a task"):
        SequenceEnv(task, permutation_seed=np.arange(3))


def test_images_in_order_and_subsets():
    env = make_vec(num_envs=2, subset=[7, 3, 11], shuffle=False)
    seen = [env.reset()[1]["index"].tolist() for _ in range(3)]
    assert seen == [[7, 3], [11, 7], [3, 11]]
    assert make(subset=5, shuffle=False).reset()[1]["index"] == 0


def test_chosen_images(digits):
    env = make_vec(split="test")
    pixels, info = env.reset(options={"index": [5, 9, 5]})
    np.testing.assert_array_equal(info["index"], [5, 9, 5])
    np.testing.assert_array_equal(pixels, digits.examples("test", [5, 9, 5])[0][:, 0])
    assert env.reset(options={"index": 8})[1]["index"].tolist() == [8, 8, 8]
    assert make(split="test").reset(options={"index": 8})[1]["index"] == 8


def test_rewards(digits):
    y = int(digits.examples("test", [0])[1][0])
    options = {"split": "test", "shuffle": False}
    for reward, right in (("final", 1), ("every_step", T)):
        env = make(reward=reward, **options)
        assert sum(step[1] for step in episode(env, [y] * T, seed=0)) == right
        assert sum(step[1] for step in episode(env, [(y + 1) % 10] * T, seed=0)) == 0
    env = make(reward="log_probability", **options)
    logits = np.random.default_rng(0).normal(0, 3, (T, 10)).astype("float32")
    rewards = [step[1] for step in episode(env, logits, seed=0)]
    last = logits[-1].astype("float64")
    assert rewards[-1] == pytest.approx(last[y] - np.log(np.exp(last).sum()), rel=1e-6)
    assert not any(rewards[:-1])


def test_the_label_from_the_start():
    steps = episode(make(reveal_label=True), seed=0)
    assert len({step[-1]["label"] for step in steps}) == 1


PERTURBED = (
    "step:2.5,start=10,duration=20+contrast:0.5+noise:mean=1,variance=0.5,start=5,duration=50"
)


@pytest.mark.parametrize("way", ["argument", "configuration", "wrapper", "wrappers"])
@pytest.mark.parametrize("vector", [False, True], ids=["scalar", "vector"])
def test_perturbations_are_those_of_the_pipelines_to_the_last_bit(way, vector, digits):
    whole = perturbations.parse(PERTURBED)
    options = {"split": "test", "shuffle": False, "subset": [4, 9, 2]}
    build = make_vec if vector else make
    if way in ("argument", "configuration"):
        value = PERTURBED if way == "argument" else whole.to_config()
        env = build(perturbation=value, units=7, **options)
    else:
        env = build(**options)
        wrapper = VectorPerturb if vector else Perturb
        for part in [whole] if way == "wrapper" else whole.components:
            env = wrapper(env, part, units=7)
    x, _ = digits.examples("test", [4, 9, 2])
    x, drive = digits.perturbed(x, [4, 9, 2], whole, units=7)
    factor = whole.factors(T)[0]
    pixels, info = env.reset(seed=0)
    for t in range(T):
        index = slice(None) if vector else 0
        np.testing.assert_array_equal(pixels, x[index, t])
        np.testing.assert_array_equal(info["drive"], drive[index, t])
        np.testing.assert_array_equal(info["contrast"], np.full(B, factor[t])[index])
        space = env.observation_space
        assert space.contains(pixels)
        pixels, *_, info = env.step(np.zeros(B, int) if vector else 0)


def test_contrast_widens_the_observation_space_to_hold_every_pixel():
    for amplitude in (0.5, -0.5, 3.0):
        contrast = perturbations.Contrast(amplitude)
        env = make(perturbation=contrast, split="test")
        shown = np.stack([step[0] for _ in range(20) for step in episode(env)])
        assert (
            shown.min() >= env.observation_space.low and shown.max() <= env.observation_space.high
        )
        assert shown.max() > 1
        assert (shown.min() < 0) == (amplitude == 3.0)


def test_perturbing_a_running_environment_needs_a_reset():
    env = make_vec()
    env.reset()
    env.unwrapped.perturb("step:5")
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        env.step(np.zeros(B, int))


def test_the_scalar_form_shows_what_is_in_force_in_the_vector_form():
    env = Perturb(make(split="test", perturbation="contrast:0.5"), "noise", units=3).unwrapped
    for name, value in {"split": "test", "units": 3}.items():
        assert getattr(env, name) == getattr(env.vector_env, name) == value
        with pytest.raises(AttributeError):
            setattr(env, name, value)
    assert env.perturbation == env.vector_env.perturbation
    assert env.perturbation == perturbations.parse("contrast:0.5+noise")


def test_the_names_of_an_earlier_release_warn_and_work():
    from aru_keras.envs import base

    with pytest.warns(DeprecationWarning, match=r"base\.NativeVectorEnv now"):
        assert base.LaneVectorEnv is base.NativeVectorEnv
    with pytest.warns(DeprecationWarning, match=r"base\.SingleEnv now"):
        assert base.OneLaneEnv is base.SingleEnv
    env = make().unwrapped
    with pytest.warns(DeprecationWarning, match=r"SequenceEnv.lanes is called vector_env now"):
        assert env.lanes is env.vector_env
