"""The promises of the sequence environments: what is shown, rewarded and told, lane by lane."""

import copy
import pickle
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from gymnasium.vector import AutoresetMode

from aru_keras import perturbations, tasks
from aru_keras.envs import TASK_IDS, Perturb, VectorPerturb

DIGITS = "aru/Digits-v0"
T, B = 64, 3
MODES = list(AutoresetMode)


def make(**options):
    return gym.make(DIGITS, **options)


def make_vec(lanes=B, **options):
    return gym.make_vec(DIGITS, lanes, vectorization_mode="vector_entry_point", **options)


@pytest.fixture(scope="module")
def digits():
    return tasks.load_task("digits")


def fake_task(name):
    """A task of the right size whose images are all alike, so that they take no memory."""
    spec = tasks.TASKS[name]
    parts = {"train": 60_000, "test": 10_000}
    if spec.collection == "cifar10":
        parts = {"train": 50_000, "test": 10_000}
    shape = (32, 32, 3) if spec.collection == "cifar10" else spec.image_shape
    image = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    labels = {part: (np.arange(size) % 10).astype("uint8") for part, size in parts.items()}
    made = {part: (np.broadcast_to(image, (n, *shape)), labels[part]) for part, n in parts.items()}
    return tasks.Task(spec, made, downsample=1, permutation_seed=0)


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
    """One lane of the vector form, whatever its autoreset, against the scalar form."""
    actions = np.random.default_rng(1).integers(0, 10, 3 * T)
    scalar = episode(make(split="test"), actions, seed=4)
    vector = make_vec(1, split="test", autoreset_mode=mode)
    pixels, info = vector.reset(seed=4)
    np.testing.assert_array_equal(pixels[0], scalar[0][0])
    for t in range(1, T + 1):
        pixels, rewards, terminated, _, info = vector.step(actions[t - 1 : t])
        if t == T and mode is AutoresetMode.SAME_STEP:
            pixels, info = info["final_obs"], info["final_info"]
        pixel, reward, over, _, told = scalar[t]
        np.testing.assert_array_equal(pixels[0], pixel)
        assert (rewards[0], terminated[0]) == (reward, over)
        assert {name for name in info if not name.startswith("_")} == set(told)
        for name, value in told.items():
            np.testing.assert_array_equal(info[name][0], value)


def run(env, steps, seed=0, **reset):
    """All that a vector environment gives under seeded random actions."""
    actions = np.random.default_rng(2)
    given = [env.reset(seed=seed, **reset)]
    for _ in range(steps):
        given.append(env.step(actions.integers(0, 10, env.num_envs)))
    return given


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
    env = make_vec(lanes=4, split="validation", subset=10)
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


def test_images_in_order_and_subsets():
    env = make_vec(lanes=2, subset=[7, 3, 11], shuffle=False)
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


def restart_times(mode):
    """What three lanes show, of which lane 1 starts anew at step 2 of the others."""
    env = make_vec(autoreset_mode=mode, shuffle=False, split="test")
    env.reset(seed=0)
    for _ in range(2):
        env.step(np.zeros(B, int))
    mask = np.array([False, True, False])
    pixels, info = env.reset(options={"reset_mask": mask})
    return env, pixels, info


@pytest.mark.parametrize("mode", MODES)
def test_a_reset_mask_restarts_its_lanes_and_no_other(mode, digits):
    env, pixels, info = restart_times(mode)
    x, _ = digits.examples("test", [0, 3, 2])
    np.testing.assert_array_equal(pixels[:, 0], [x[0, 2, 0], x[1, 0, 0], x[2, 2, 0]])
    for name in ("t", "pixel_index", "index", "drive", "contrast"):
        np.testing.assert_array_equal(info[f"_{name}"], [False, True, False])
    assert (info["t"][1], info["index"][1]) == (0, 3)
    pixels, *_, info = env.step(np.zeros(B, int))
    np.testing.assert_array_equal(info["t"], [3, 1, 3])
    np.testing.assert_array_equal(pixels[:, 0], [x[0, 3, 0], x[1, 1, 0], x[2, 3, 0]])


def test_next_step_autoreset_shows_the_end_and_then_a_new_image(digits):
    env = make_vec(shuffle=False, split="test")
    x, y = digits.examples("test", range(2 * B))
    given = run(env, T + 1)
    pixels, _, terminated, _, info = given[T]
    np.testing.assert_array_equal(pixels, x[:B, -1])
    assert terminated.all() and info["_label"].all()
    np.testing.assert_array_equal(info["label"], y[:B])
    pixels, rewards, terminated, _, info = given[T + 1]
    np.testing.assert_array_equal(pixels, x[B:, 0])
    assert not rewards.any() and not terminated.any() and not info["t"].any()
    assert "label" not in info


def test_same_step_autoreset_gives_the_end_beside_the_new_image(digits):
    env = make_vec(shuffle=False, split="test", autoreset_mode=AutoresetMode.SAME_STEP)
    x, y = digits.examples("test", range(2 * B))
    pixels, _, terminated, _, info = run(env, T)[-1]
    np.testing.assert_array_equal(pixels, x[B:, 0])
    assert terminated.all() and not info["t"].any() and "label" not in info
    np.testing.assert_array_equal(np.stack(info["final_obs"]), x[:B, -1])
    np.testing.assert_array_equal(info["final_info"]["label"], y[:B])
    np.testing.assert_array_equal(info["final_info"]["t"], [T - 1] * B)


def test_same_step_autoreset_of_some_lanes_marks_which(digits):
    env, *_ = restart_times(AutoresetMode.SAME_STEP)
    for _ in range(T - 2):
        *_, terminated, _, info = env.step(np.zeros(B, int))
    np.testing.assert_array_equal(terminated, [True, False, True])
    np.testing.assert_array_equal(info["_final_obs"], terminated)
    np.testing.assert_array_equal(info["final_info"]["_label"], terminated)
    assert info["final_obs"][1] is None
    np.testing.assert_array_equal(info["t"], [0, T - 2, 0])


def test_without_autoreset_an_ended_lane_wants_a_reset():
    env = make_vec(autoreset_mode=AutoresetMode.DISABLED)
    run(env, T)
    with pytest.raises(ResetNeeded, match="over in lane 0, 1, 2: call reset"):
        env.step(np.zeros(B, int))
    env.reset(options={"reset_mask": np.array([True, True, False])})
    with pytest.raises(ResetNeeded, match="over in lane 2"):
        env.step(np.zeros(B, int))
    env.reset(options={"reset_mask": np.array([False, False, True])})
    env.step(np.zeros(B, int))


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
        for part in [whole] if way == "wrapper" else whole.parts:
            env = wrapper(env, part, units=7)
    x, _ = digits.examples("test", [4, 9, 2])
    x, drive = digits.perturbed(x, [4, 9, 2], whole, units=7)
    factor = whole.factors(T)[0]
    pixels, info = env.reset(seed=0)
    for t in range(T):
        lanes = slice(None) if vector else 0
        np.testing.assert_array_equal(pixels, x[lanes, t])
        np.testing.assert_array_equal(info["drive"], drive[lanes, t])
        np.testing.assert_array_equal(info["contrast"], np.full(B, factor[t])[lanes])
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


def test_perturbing_a_running_environment_wants_a_reset():
    env = make_vec()
    env.reset()
    env.unwrapped.perturb("step:5")
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        env.step(np.zeros(B, int))


@pytest.mark.parametrize("action", [10, -1, 1.5, "3", None, [0, 1]])
def test_actions_outside_the_space(action):
    env = make().unwrapped
    env.reset()
    with pytest.raises(ValueError, match=r"`action` must lie in Discrete\(10\).*Received"):
        env.step(action)


def test_bad_actions_leave_the_episode_where_it_was():
    env = make_vec()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="`action`"):
        env.step(np.array([0, 10, 0]))
    assert env.step(np.zeros(B, int))[-1]["t"].tolist() == [1] * B


@pytest.mark.parametrize("build", [make, make_vec])
def test_a_step_before_reset(build):
    env = build().unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        env.step(np.zeros(env.action_space.shape, int))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "tests"}, "`split` must be one of.*Did you mean 'test'"),
        ({"task": "digit"}, "`name` must be one of.*Did you mean 'digits'"),
        ({"reward": "finale"}, "`reward` must be one of.*Did you mean 'final'"),
        ({"subset": 2000}, "indices from 0 to 1256"),
        ({"render_mode": "ansi"}, "`render_mode` must be None or one of"),
        ({"subset": 0}, "`subset` must be a whole number of at least 1"),
        ({"subset": [0, 4000]}, "`subset` must be a number of images or indices from 0 to 1256"),
        ({"subset": []}, "`subset` must be"),
        ({"perturbation": "stepp:5"}, "Did you mean 'step'"),
        ({"units": 0}, "`units` must be a whole number of at least 1"),
        ({"autoreset_mode": "never"}, "`autoreset_mode` must be one of"),
        ({"num_envs": 0}, "`num_envs` must be a whole number of at least 1"),
        ({"downsample": 3}, "`downsample` must divide"),
    ],
)
def test_bad_arguments(options, message):
    from aru_keras.envs import SequenceVectorEnv

    with pytest.raises(ValueError, match=message):
        SequenceVectorEnv(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": [True, False]}, "reset_mask.*must be 3 booleans"),
        ({"reset_mask": np.zeros(B, bool)}, "at least one of them True"),
        ({"reset_mask": np.ones(B)}, "must be 3 booleans"),
        ({"index": 4000}, "from 0 to 1256, or one for each lane. Received: 4000"),
        ({"index": -1}, "from 0 to 1256"),
        ({"idx": 3}, "`options` must be one of reset_mask, index"),
        ("index", "`options` must be a dictionary"),
        ({"index": 0.5}, "must be the number of an image"),
        ({"index": [0, 1]}, "must be the number of an image"),
    ],
)
def test_bad_options_of_reset(options, message):
    env = make_vec()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


def test_a_closed_environment_is_closed():
    env = make_vec(render_mode="rgb_array")
    env.reset(seed=0)
    env.render()
    env.close()
    assert env.closed


def test_seeds_for_each_lane_are_refused():
    with pytest.raises(ValueError, match="`seed` must be one whole number"):
        make_vec().reset(seed=[0, 1, 2])


def test_the_whole_image_task_is_refused():
    with pytest.raises(ValueError, match="Use 'scifar10'"):
        make(task=fake_task("scifar10-conv"))


def test_other_environments_cannot_be_perturbed():
    with pytest.raises(ValueError, match="`env` must be a sequence environment"):
        Perturb(gym.make("CartPole-v1"), "step:5")
