"""The probe: stepping a network with an environment gives what recording whole sequences gives."""

import gymnasium as gym
import keras
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from support import BACKEND, array, relative_error

from aru_keras import ARU, DrivenRNN, models, tasks
from aru_keras.envs import Perturb, Probe, VectorProbe
from aru_keras.probing import record

DIGITS = "aru/Digits-v0"
T, N, G, B = 64, 12, 5, 4
PERTURBED = (
    "step:1.5,start=10,duration=20+contrast:0.5+noise:mean=1,variance=0.5,start=5,duration=50"
)
SIGNALS = ("a", "n", "s", "h", "g", "y")


@pytest.fixture(scope="module")
def digits():
    return tasks.load_task("digits")


def network(name="arun"):
    return models.build_network(name, (T, 1), units=N, controller_units=G)


def make(**options):
    return gym.make(DIGITS, split="test", **options)


def make_vec(lanes=B, **options):
    options = {"split": "test", "shuffle": False, **options}
    return gym.make_vec(DIGITS, lanes, vectorization_mode="vector_entry_point", **options)


def make_sync(lanes=B, autoreset_mode=AutoresetMode.NEXT_STEP, **options):
    """Gymnasium's own vector of scalar environments."""
    options = {"split": "test", "shuffle": False, **options}
    kwargs = {"vectorization_mode": "sync", "vector_kwargs": {"autoreset_mode": autoreset_mode}}
    return gym.make_vec(DIGITS, lanes, **kwargs, **options)


def zeros(env):
    return np.zeros(env.action_space.shape, env.action_space.dtype)


def collected(env, **reset):
    """Signals of one episode of a scalar environment, (T, …) by name."""
    _, info = env.reset(**reset)
    found, terminated = [], False
    while not terminated:
        found.append({name: array(info[name]) for name in SIGNALS if name in info})
        _, _, terminated, _, info = env.step(0)
    assert not set(SIGNALS) & set(info), "the repeated last pixel brings no signals"
    return {name: np.stack([one[name] for one in found]) for name in found[0]}


def offline(model, digits, indices, perturbation=None, signals=("a", "n", "s", "h", "g")):
    """The same from whole sequences, and the model's output at the end."""
    x, _ = digits.examples("test", indices)
    x, drive = digits.perturbed(x, indices, perturbation, units=N)
    driven = keras.Sequential([keras.Input((T, N)), model.get_layer("readout")])
    found = record(model, x, signals, drive)
    return found, array(driven(found["h"]))


@pytest.mark.parametrize("perturbation", [None, "contrast:0.5", "step:2", PERTURBED])
def test_online_equals_offline(perturbation, digits):
    model = network()
    env = Probe(make(perturbation=perturbation, units=N), model, SIGNALS)
    found = collected(env, options={"index": 7})
    expected, y = offline(model, digits, [7], perturbation)
    for name, values in {**expected, "y": y}.items():
        assert found[name].shape == values[0].shape
        assert relative_error(found[name], values[0]) < 1e-5
    if perturbation is None:
        x, _ = digits.examples("test", [7])
        assert relative_error(found["y"][-1], model.predict(x, verbose=0)[0]) < 1e-5


@pytest.mark.parametrize("name", ["relu", "gamma"])
def test_other_networks_and_layers_alone(name, digits):
    model = network(name)
    signals = ("a", "h") if name == "relu" else ("a", "n", "s", "h")
    expected, _ = offline(model, digits, [3], "step:1", signals)
    for probed in (model, model.get_layer("recurrent")):
        env = Probe(make(perturbation="step:1"), probed)
        assert env.online.signals == signals + (("y",) if probed is model else ())
        found = collected(env, options={"index": 3})
        for signal, values in expected.items():
            assert relative_error(found[signal], values[0]) < 1e-5


@pytest.mark.parametrize("made", [make_vec, make_sync])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_lanes_start_from_the_initial_state_in_every_autoreset_mode(mode, made, digits):
    """Lanes out of step: each image is read as if it were alone, whenever it starts."""
    model = network()
    env = VectorProbe(made(autoreset_mode=mode, perturbation="step:1"), model, ("n", "y"))
    assert isinstance(env, VectorProbe)
    expected, y = offline(model, digits, range(4 * B), "step:1")
    expected = {"n": expected["n"], "y": y}
    counted = 0

    def check(info):
        lanes = np.flatnonzero(info.get("_n", np.zeros(B, bool)))
        for lane in lanes:
            for name, values in expected.items():
                row = values[info["index"][lane], info["t"][lane]]
                assert relative_error(array(info[name])[lane], row) < 1e-5
        return len(lanes)

    counted += check(env.reset(seed=0)[1])
    restart = np.array([False, True, False, True])
    for step in range(2 * T + 5):
        *_, terminated, _, info = env.step(zeros(env))
        counted += check(info)
        if mode is AutoresetMode.DISABLED and terminated.any():
            assert not (info.get("_n", ~terminated) & terminated).any()
            counted += check(env.reset(options={"reset_mask": terminated})[1])
        if step == 20:
            counted += check(env.reset(options={"reset_mask": restart})[1])
    repeats = {
        AutoresetMode.SAME_STEP: 0,
        AutoresetMode.NEXT_STEP: 2 * B,
        AutoresetMode.DISABLED: 0,
    }
    assert counted >= (2 * T + 6) * B - repeats[mode]
    if BACKEND != "torch":
        assert env.online.traces == 1


def test_a_vector_of_scalar_environments(digits):
    model = network()
    sync = gym.make_vec(
        DIGITS, 2, vectorization_mode="sync", split="test", shuffle=False, perturbation="step:1"
    )
    env = VectorProbe(sync, model, "n")
    expected, _ = offline(model, digits, [0, 1], "step:1")
    _, info = env.reset(seed=0)
    for t in range(T):
        assert relative_error(array(info["n"])[0], expected["n"][0, t]) < 1e-5
        info = env.step(zeros(env))[-1]
    info = env.step(zeros(env))[-1]
    assert info["index"].tolist() == [1, 1]
    assert relative_error(array(info["n"])[1], expected["n"][1, 0]) < 1e-5


def test_a_probe_hears_perturbations_wherever_they_stand(digits):
    model = network()
    expected, _ = offline(model, digits, [0], "step:2+contrast:0.5")
    for wrap in (
        lambda env: Probe(Perturb(Perturb(env, "step:2"), "contrast:0.5"), model, "h"),
        lambda env: Perturb(Perturb(Probe(env, model, "h"), "step:2"), "contrast:0.5"),
    ):
        found = collected(wrap(make()), options={"index": 0})
        assert relative_error(found["h"], expected["h"][0]) < 1e-5


def test_other_wrappers_change_what_the_network_reads(digits):
    model = network()
    x, _ = digits.examples("test", [0])
    env = gym.wrappers.TransformObservation(make(), lambda pixel: 1 - pixel, None)
    found = collected(Probe(env, model, "h"), options={"index": 0})
    assert relative_error(found["h"], record(model, 1 - x, "h")["h"][0]) < 1e-5


def test_any_environment_of_vectors():
    layer = ARU(N, G)
    env = Probe(gym.make("CartPole-v1"), layer)
    _, info = env.reset(seed=0)
    assert array(info["n"]).shape == (N,)
    with pytest.raises(ValueError, match=r"vectors of features.*Received: observations"):
        Probe(gym.make("FrozenLake-v1"), layer)


def test_a_saved_run_and_isolated_units(digits, tmp_path):
    model = network()
    model.save(tmp_path / "model.keras")
    connected = collected(Probe(make(), tmp_path, "h"), options={"index": 0})
    isolated = collected(Probe(make(), tmp_path, "h", isolated=True), options={"index": 0})
    kernel = model.get_layer("recurrent").cell.recurrent_kernel
    assert relative_error(connected["h"], offline(model, digits, [0])[0]["h"][0]) < 1e-5
    kernel.assign(np.diag(np.diag(array(kernel))))
    assert relative_error(isolated["h"], offline(model, digits, [0])[0]["h"][0]) < 1e-5


def test_signals_are_tensors_of_the_backend_until_they_are_read():
    env = VectorProbe(make_vec(), network())
    _, info = env.reset(seed=0)
    kind = type(keras.ops.ones(1))
    assert all(isinstance(info[name], kind) for name in ("a", "n", "s", "h", "y"))
    assert info["_n"].tolist() == [True] * B


def test_one_episode_after_another_without_a_new_trace():
    env = Probe(make(perturbation="step:1"), network())
    first = collected(env, options={"index": 0})
    again = collected(env, options={"index": 0})
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    if BACKEND != "torch":
        assert env.online.traces == 1


def test_networks_that_do_not_fit():
    with pytest.raises(ValueError, match=r"as long as the environment's, T = 64.*T = 784"):
        Probe(make(), models.build_network("arun", (784, 1), units=N, controller_units=G))
    wide = DrivenRNN(N)
    wide.build((None, None, 3))
    with pytest.raises(ValueError, match=r"1 feature\(s\) that the environment.*reads 3"):
        Probe(make(), wide)
    with pytest.raises(ValueError, match=r"`units` must be the same.*7 and 12.*Leave it out"):
        Probe(make(perturbation="noise:5", units=7), network())
    with pytest.raises(ValueError, match=r"`signals` must be one of a, n, s, h, g, y"):
        Probe(make(), network(), signals=("n", "m"))
    with pytest.raises(ValueError, match="exactly one"):
        Probe(make(), keras.layers.GRU(3))


def test_noise_is_for_the_units_of_the_network(digits):
    model = network()
    for wrap in (
        lambda env: Probe(env, model, "h"),
        lambda env: Probe(Perturb(env, None), model, "h"),
    ):
        found = collected(wrap(make(perturbation="noise:1,seed=3")), options={"index": 0})
        expected, _ = offline(model, digits, [0], "noise:1,seed=3")
        assert relative_error(found["h"], expected["h"][0]) < 1e-5
    with pytest.raises(ValueError, match=r"`units` must be the number of units.*Probe around"):
        make(perturbation="noise:1").reset()


def test_one_environment_serves_networks_of_any_size(digits):
    env = make()
    collected(Probe(env, network(), "h"), options={"index": 0})
    small = models.build_network("gamma", (T, 1), units=5)
    expected = record(small, digits.examples("test", [0])[0], "h")["h"][0]
    found = collected(Probe(env, small, "h"), options={"index": 0})
    assert relative_error(found["h"], expected) < 1e-5
    with pytest.raises(ValueError, match=r"`units` must be the same.*Received: 5 and 7"):
        Perturb(Probe(env, small), "noise:1", units=7)


def test_a_run_must_know_the_order_of_the_pixels(digits, tmp_path):
    network().save(tmp_path / "model.keras")
    (tmp_path / "config.json").write_text("{}")
    np.save(tmp_path / "permutation.npy", digits.permutation)
    Probe(make(), tmp_path)
    with pytest.raises(ValueError, match=r"order of pixels.*permutation_seed and downsample"):
        Probe(make(permutation_seed=7), tmp_path)
    with pytest.raises(ValueError, match=r"order of pixels"):
        Probe(make(permutation_seed=7), tmp_path / "model.keras")
    (tmp_path / "permutation.npy").unlink()
    with pytest.raises(ValueError, match=r"order of pixels"):
        Probe(make(), tmp_path)


def test_a_mask_as_a_list_will_do():
    env = VectorProbe(make_vec(), network(), "n")
    env.reset(seed=0)
    for _ in range(2):
        env.step(zeros(env))
    _, info = env.reset(options={"reset_mask": [True, False, False, True]})
    assert info["t"].tolist() == [0, 2, 2, 0] and info["_n"].tolist() == [True, False, False, True]


def test_units_to_watch_that_do_not_exist():
    with pytest.raises(ValueError, match="`watch` must name units from 0 to 11"):
        Probe(make(render_mode="rgb_array"), network(), watch=[12])
    for watch in (5, ["n"], [1.5], [], [1, 1]):
        with pytest.raises(ValueError, match="`watch` must name units from 0 to 11, each once"):
            Probe(make(render_mode="rgb_array"), network(), watch=watch)


def test_frames_show_the_signals():
    plain = make(render_mode="rgb_array")
    probed = Probe(make(render_mode="rgb_array"), network(), watch=[0, 5])
    frames = []
    for env in (plain, probed):
        env.reset(seed=0)
        for _ in range(5):
            env.step(0)
        frames.append(env.render())
    assert all(frame.dtype == np.uint8 and frame.ndim == 3 for frame in frames)
    assert frames[0].shape != frames[1].shape or (frames[0] != frames[1]).any()
    env.step(0)
    assert (env.render() != frames[1]).any()
