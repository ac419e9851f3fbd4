"""Clients that know nothing of these environments: wrappers, vector forms, video."""

import functools
import pickle

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import vector as vector_wrappers
from support import array, relative_error

from aru_keras import models, tasks
from aru_keras.envs import Probe, VectorProbe
from aru_keras.probing import record

DIGITS, RIG = "aru/Digits-v0", "aru/UnitRig-v0"
T, N, G, B = 64, 8, 4, 2
PERTURBED = "step:1.5,start=10+contrast:0.5+noise:mean=1,variance=0.5,start=5,duration=50"


@pytest.fixture(scope="module")
def digits():
    return tasks.load_task("digits")


@pytest.fixture(scope="module")
def network():
    return models.build_network("arun", (T, 1), units=N, controller_units=G)


def make(**options):
    return gym.make(DIGITS, **{"split": "test", "shuffle": False, **options})


def make_vec(lanes=B, **options):
    options = {"split": "test", "shuffle": False, **options}
    return gym.make_vec(DIGITS, lanes, vectorization_mode="vector_entry_point", **options)


def episode(env, action=0, **reset):
    """Everything an episode of a scalar environment gives."""
    pixel, info = env.reset(**reset)
    steps = [(pixel, 0.0, False, False, info)]
    while not (steps[-1][2] or steps[-1][3]):
        steps.append(env.step(action))
    return steps


@pytest.mark.parametrize("limit", [10, T, 2 * T])
def test_a_time_limit_cuts_episodes_short_and_the_next_starts_anew(limit, digits):
    env = wrappers.TimeLimit(make(), limit)
    for index in range(2):
        steps = episode(env, options={"index": index})
        assert len(steps) == min(limit, T) + 1
        assert steps[-1][2:4] == (limit >= T, limit <= T)
        assert ("label" in steps[-1][-1]) == (limit >= T)
        shown = np.stack([step[0] for step in steps[:T]])
        np.testing.assert_array_equal(shown, digits.examples("test", [index])[0][0, : len(shown)])


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "outside"])
def test_a_probe_starts_from_its_initial_state_after_a_time_limit(inside, digits, network):
    cut = functools.partial(wrappers.TimeLimit, max_episode_steps=10)
    env = Probe(cut(make()), network, "h") if inside else cut(Probe(make(), network, "h"))
    x, _ = digits.examples("test", [0, 1])
    expected = record(network, x, "h")["h"]
    for index in range(2):
        found = np.stack([array(step[-1]["h"]) for step in episode(env)])
        assert relative_error(found, expected[index, :11]) < 1e-5


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_lanes_cut_by_time_limits_start_from_the_initial_state(mode, digits, network):
    """Each lane of Gymnasium's vector environment has a limit of its own."""
    lanes = [functools.partial(wrappers.TimeLimit, make(), limit) for limit in (5, 9)]
    env = VectorProbe(SyncVectorEnv(lanes, autoreset_mode=mode), network, "h")
    expected = record(network, digits.examples("test", range(10))[0], "h")["h"]
    _, info = env.reset(seed=0)
    truncations = np.zeros(2, int)
    for _ in range(30):
        rows = expected[info["index"], info["t"]]
        assert relative_error(array(info["h"]), rows) < 1e-5
        *_, truncated, info = env.step(np.zeros(2, int))
        truncations += truncated
    period = np.array([5, 9]) + (mode is AutoresetMode.NEXT_STEP)
    np.testing.assert_array_equal(truncations, (30 + (mode is AutoresetMode.NEXT_STEP)) // period)


def test_episode_statistics(digits):
    y = int(digits.examples("test", [0])[1][0])
    env = wrappers.RecordEpisodeStatistics(make(reward="every_step"))
    told = episode(env, y, options={"index": 0})[-1][-1]["episode"]
    assert (told["l"], told["r"]) == (T, T)
    assert episode(env, (y + 1) % 10, options={"index": 0})[-1][-1]["episode"]["r"] == 0


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("probed", [False, True], ids=["plain", "probed"])
def test_episode_statistics_of_lanes(mode, probed, digits, network):
    env = make_vec(autoreset_mode=mode)
    env = vector_wrappers.RecordEpisodeStatistics(VectorProbe(env, network, "h") if probed else env)
    y = digits.examples("test", range(2 * B))[1]
    env.reset(seed=0)
    for first in (0, B):
        for _ in range(T):
            *_, info = env.step(y[first : first + B])
        assert info["_episode"].all()
        np.testing.assert_array_equal(info["episode"]["l"], [T] * B)
        np.testing.assert_array_equal(info["episode"]["r"], [1] * B)
        if mode is AutoresetMode.DISABLED:
            env.reset(options={"reset_mask": np.ones(B, bool)})
        elif mode is AutoresetMode.NEXT_STEP:
            env.step(np.zeros(B, int))


def test_stacked_and_flattened_pixels_are_the_image_in_the_end(digits, network):
    env = wrappers.FrameStackObservation(Probe(make(), network, "h"), T, padding_type="zero")
    env = wrappers.FlattenObservation(env)
    assert env.observation_space == gym.spaces.Box(0, 1, (T,), np.float32)
    steps = episode(env)
    x = digits.examples("test", [0])[0][0, :, 0]
    for t in (0, 20, T - 1):
        np.testing.assert_array_equal(steps[t][0], np.append(np.zeros(T - 1 - t), x[: t + 1]))


def test_flattened_signals_of_a_rig():
    rig = gym.make(RIG, units=N, controller_units=G, steps=3)
    flat = wrappers.FlattenObservation(rig)
    lanes = gym.make_vec(
        RIG, B, vectorization_mode="vector_entry_point", units=N, controller_units=G, steps=3
    )
    flat_lanes = vector_wrappers.FlattenObservation(lanes)
    assert flat.observation_space.shape == flat_lanes.single_observation_space.shape == (4 * N,)
    flat.reset(seed=0)
    shown = flat.step(np.ones(1, "f4"))[0]
    assert np.ptp(shown) > 0
    np.testing.assert_array_equal(shown, gym.spaces.flatten(rig.observation_space, rig_shown(rig)))
    flat_lanes.reset(seed=0)
    assert relative_error(flat_lanes.step(np.ones((B, 1), "f4"))[0], np.stack([shown] * B)) < 1e-6


def rig_shown(rig):
    """What the rig shows after the same action again."""
    rig.reset(seed=0)
    return rig.step(np.ones(1, "f4"))[0]


@pytest.mark.parametrize("form", ["scalar", "vector"])
def test_a_transformed_observation_is_what_a_probe_around_it_reads(form, digits, network):
    transform = {"scalar": wrappers, "vector": vector_wrappers}[form].TransformObservation
    probe = {"scalar": Probe, "vector": VectorProbe}[form]
    env = make() if form == "scalar" else make_vec()
    inside, outside = (
        probe(transform(env, lambda pixel: 1 - pixel, env.observation_space), network, "h"),
        transform(probe(env, network, "h"), lambda pixel: 1 - pixel, env.observation_space),
    )
    x = digits.examples("test", range(B))[0]
    lanes = slice(None) if form == "vector" else 0
    for probed, read in ((inside, 1 - x), (outside, x)):
        expected = record(network, read, "h")["h"][lanes]
        pixels, info = probed.reset(options={"index": np.arange(B) if form == "vector" else 0})
        for t in range(5):
            np.testing.assert_array_equal(pixels, (1 - x)[lanes, t])
            assert relative_error(array(info["h"]), expected[..., t, :]) < 1e-5
            pixels, *_, info = probed.step(np.zeros(probed.action_space.shape, int))


def test_transformed_rewards_and_lists_of_infos(digits):
    y = digits.examples("test", range(B))[1]
    env = vector_wrappers.TransformReward(make_vec(reward="every_step"), lambda reward: 3 * reward)
    env = vector_wrappers.DictInfoToList(env)
    _, infos = env.reset(seed=0)
    assert [info["index"] for info in infos] == list(range(B))
    for _ in range(T):
        _, rewards, _, _, infos = env.step(y)
        np.testing.assert_array_equal(rewards, [3] * B)
    assert [info["label"] for info in infos] == y.tolist()


def lanes_of_scalars(kind, mode, **options):
    """Gymnasium's own vector environment, its first lane cut after 30 steps."""
    limits = (30, None)
    fns = [functools.partial(gym.make, DIGITS, max_episode_steps=k, **options) for k in limits]
    return kind([pickle.loads(pickle.dumps(fn)) for fn in fns], autoreset_mode=mode)


def everything(env, mode, steps=2 * T):
    actions = np.random.default_rng(0).integers(0, 10, (steps, env.num_envs))
    given = [env.reset(seed=3)]
    for action in actions:
        given.append(env.step(action))
        over = given[-1][2] | given[-1][3]
        if mode is AutoresetMode.DISABLED and over.any():
            given.append(env.reset(options={"reset_mask": over}))
    env.close()
    return given


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_processes_and_one_process_give_the_same(mode, digits):
    """Perturbed, of a task that was loaded once and travels to the processes."""
    options = {"task": digits, "perturbation": PERTURBED, "units": N, "reward": "every_step"}
    given = [
        everything(lanes_of_scalars(kind, mode, **options), mode)
        for kind in (AsyncVectorEnv, SyncVectorEnv)
    ]
    assert data_equivalence(*given, exact=True)
    ends = np.sum([np.stack(one[2:4]) for one in given[0] if len(one) == 5], axis=0)
    assert ends[0].tolist() == [0, 1 + (mode is not AutoresetMode.NEXT_STEP)]
    assert ends[1].tolist() == [4, 0]


@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("kind", [AsyncVectorEnv, SyncVectorEnv])
def test_a_probe_around_gymnasiums_vector_environments(kind, digits, network):
    env = VectorProbe(lanes_of_scalars(kind, AutoresetMode.SAME_STEP, split="test"), network, "h")
    assert isinstance(env, VectorProbe)
    expected = record(network, digits.arrays("test")[0], "h")["h"]
    _, info = env.reset(seed=0)
    for _ in range(T + 10):
        assert relative_error(array(info["h"]), expected[info["index"], info["t"]]) < 1e-5
        info = env.step(np.zeros(2, int))[-1]
    env.close()


def video(path):
    """Number of frames in a file, the first and the last of them."""
    with pytest.importorskip("moviepy").VideoFileClip(path) as clip:
        frames = list(clip.iter_frames())
    return len(frames), frames[0], frames[-1]


@pytest.mark.parametrize(("form", "steps"), [("scalar", T), ("vector", 8)])
def test_a_video_has_a_frame_for_every_observation(form, steps, network, tmp_path):
    pytest.importorskip("moviepy")
    env = make(render_mode="rgb_array") if form == "scalar" else make_vec(render_mode="rgb_array")
    recorder = {"scalar": wrappers, "vector": vector_wrappers}[form].RecordVideo
    probe = {"scalar": Probe, "vector": VectorProbe}[form]
    env = recorder(probe(env, network), str(tmp_path / "made"), episode_trigger=lambda _: True)
    env.reset(seed=0)
    for _ in range(steps):
        env.step(np.zeros(env.action_space.shape, int))
    drawn = env.render()
    env.close()
    (path,) = (tmp_path / "made").iterdir()
    count, first, last = video(path)
    drawn = drawn if form == "scalar" else np.concatenate(drawn, axis=1)
    assert count == steps + 1
    assert difference(last, drawn) < 0.5 * difference(first, drawn)


def difference(frame, other):
    """Mean over the pixels."""
    return np.abs(frame.astype(float) - other).mean()
