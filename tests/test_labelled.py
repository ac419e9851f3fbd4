"""Recordings with names: Datasets, offline and from a loop, to files and tables and back."""

import copy
import pickle
import sys

import gymnasium as gym
import keras
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from aru_keras import ARU, models, probing, tasks
from aru_keras.envs import Probe, Recorder, VectorProbe, VectorRecorder
from aru_keras.probing import Record, from_table, record, record_dataset, record_task, to_table

xarray = pytest.importorskip("xarray")

K, N, G = 6, 5, 2
RNG = np.random.default_rng(0)
LENGTHS = np.array([6, 4, 9, 3, 5, 4])
ROWS = [RNG.normal(size=(length, 3)).astype("float32") for length in LENGTHS]
KINDS = {
    "class": np.array(["rest", "walk", "run"] * 2),
    "step class": [RNG.integers(0, 3, length) for length in LENGTHS],
    "value": RNG.normal(size=(K, 2)),
    "step value": [RNG.normal(size=(length, 1)) for length in LENGTHS],
}
PERTURBED = "step:2,start=1,duration=3+contrast:0.5+noise:mean=1,variance=0.5,start=0,duration=9"


def made(kind):
    split = (ROWS, KINDS[kind])
    names = {"channels": ["x", "y", "z"], "interval": 2.0, "unit": "ms"}
    task = tasks.from_arrays(split, split, split, name="own", **names)
    return task, models.network_for(task, "arun", units=N, controller_units=G)


@pytest.fixture(scope="module", params=KINDS, ids=str)
def case(request):
    return made(request.param)


@pytest.fixture(scope="module")
def of_classes():
    return made("class")


@pytest.fixture(scope="module")
def dataset(of_classes):
    task, model = of_classes
    return record_task(model, task, "test", [2, 1, 3], ("n", "h", "g", "y"), PERTURBED)


def stepped(env, indices):
    for index in indices:
        env.reset(seed=7, options={"index": index})
        over = False
        while not over:
            _, _, over, _, _ = env.step(env.action_space.sample())
    return env.to_dataset()


def same(online, offline):
    """Everything but the environment's own seed, values to a relative 1e-5."""
    assert online.attrs.pop("env_seed", 7) == 7
    assert set(online.variables) == set(offline.variables)
    for name, values in offline.variables.items():
        other = online.variables[name]
        assert (other.dims, other.dtype, other.attrs) == (values.dims, values.dtype, values.attrs)
        if values.dtype.kind == "f":
            largest = np.nanmax(np.abs(values))
            np.testing.assert_allclose(other, values, rtol=0, atol=1e-5 * largest)
        else:
            np.testing.assert_array_equal(other, values)
    assert online.attrs == offline.attrs


@pytest.mark.parametrize("signals", [None, ("n", "g", "y")])
def test_a_loop_of_steps_records_what_is_recorded_offline(case, signals):
    task, model = case
    env = gym.make("aru/Sequence-v0", task=task, split="test", perturbation=PERTURBED)
    online = stepped(Recorder(Probe(env, model, signals)), [3, 1])
    same(online, record_task(model, task, "test", [3, 1], signals, PERTURBED))


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_so_does_a_vector_of_environments_in_every_autoreset_mode(mode, of_classes):
    task, model = of_classes
    options = {"task": task, "split": "test", "shuffle": False, "autoreset_mode": mode}
    env = gym.make_vec("aru/Sequence-v0", 2, vectorization_mode="vector_entry_point", **options)
    env = VectorRecorder(VectorProbe(env, model))
    env.reset(seed=7)
    for _ in range(14):
        _, _, terminated, _, _ = env.step(env.action_space.sample())
        if mode is AutoresetMode.DISABLED and terminated.any():
            env.reset(options={"reset_mask": terminated})
    online = env.to_dataset()
    ended = online.mask.sum("step") == LENGTHS[online["index"]]
    assert ended.sum() >= 3
    online = online.isel(sequence=ended.values)
    expected = record_task(model, task, "test", online["index"].values)
    for name in expected:
        shown = online[name].isel(step=slice(expected.sizes["step"]))
        np.testing.assert_allclose(shown, expected[name], rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(online.label, expected.label)


def test_images_have_the_index_of_each_pixel():
    task = tasks.load_task("digits", downsample=2)
    model = models.build_network("gamma", task.input_shape, units=3)
    env = gym.make("aru/Digits-v0", downsample=2, split="test", perturbation="contrast:0.5")
    offline = record_task(model, task, indices=[5], perturbation="contrast:0.5")
    same(stepped(Recorder(Probe(env, model)), [5]), offline)
    np.testing.assert_array_equal(offline.pixel_index, task.permutation)
    assert offline.contrast.dims == ("step",) and offline.drive.dims == ("sequence", "step")


def test_a_contrast_of_some_channels_is_recorded_for_each(of_classes):
    task, model = of_classes
    perturbation = "channels:0.5,channels=y+contrast:1.5"
    env = gym.make("aru/Sequence-v0", task=task, split="test", perturbation=perturbation)
    offline = record_task(model, task, "test", [2, 3], "n", perturbation)
    same(stepped(Recorder(Probe(env, model, "n")), [2, 3]), offline)
    assert offline.contrast.dims == ("step", "channel")


def test_any_environment_around_a_probe_can_be_recorded():
    env = Recorder(Probe(gym.make("CartPole-v1"), ARU(N, G)))
    env.reset(seed=0)
    env.step(0)
    found = env.to_dataset()
    assert dict(found.sizes) == {"sequence": 1, "step": 2, "unit": N, "channel": 4}
    env.clear()
    with pytest.raises(ValueError, match=r"needs an episode: call reset\(\)"):
        env.to_dataset()
    with pytest.raises(ValueError, match="`env` of Recorder must have a Probe around it"):
        Recorder(gym.make("CartPole-v1"))
    with pytest.raises(TypeError, match="Put VectorRecorder around it"):
        Recorder(gym.make_vec("CartPole-v1", 2))


def test_a_copy_in_the_middle_of_an_episode_records_on_by_itself(of_classes):
    task, model = of_classes
    env = Recorder(Probe(gym.make("aru/Sequence-v0", task=task, split="test"), model))
    env.reset(seed=7, options={"index": 2})
    env.step(0)
    copied = pickle.loads(pickle.dumps(copy.deepcopy(env)))
    for _ in range(3):
        copied.step(0)
    assert (env.to_dataset().sizes["step"], copied.to_dataset().sizes["step"]) == (2, 5)
    expected = record_task(model, task, "test", [2], "h").h[0, :5]
    np.testing.assert_allclose(copied.to_dataset().h[0], expected, rtol=1e-5, atol=1e-6)


def test_names_stand_where_they_are_expected(dataset, of_classes):
    task, model = of_classes
    sizes = dict(sequence=3, step=9, unit=N, controller_unit=G, channel=3, output=3)
    assert dict(dataset.sizes) == sizes
    assert dataset.channel.values.tolist() == ["x", "y", "z"]
    assert dataset.output.values.tolist() == ["rest", "run", "walk"]
    assert dataset.time.values.tolist() == [2.0 * t for t in range(9)]
    assert dataset.time.attrs == {"units": "ms"} and dataset["index"].values.tolist() == [2, 1, 3]
    np.testing.assert_array_equal(dataset.mask.sum("step"), LENGTHS[[2, 1, 3]])
    assert dataset.g.dims == ("sequence", "step", "unit", "controller_unit")
    np.testing.assert_array_equal(np.isnan(dataset.n).any("unit"), ~dataset.mask)
    x, drive = task.perturbed(*task_examples(task, [2, 1, 3]), PERTURBED, N)
    expected = record(model, x, ("n", "g"), drive)
    np.testing.assert_allclose(dataset.n.values[0], expected["n"][0, :9], rtol=1e-5)
    np.testing.assert_allclose(dataset.g.values[0].reshape(9, -1), expected["g"][0, :9], rtol=1e-5)


def task_examples(task, indices):
    return task.examples("test", indices)[0], indices


def test_a_recording_of_arrays_says_which_steps_it_has():
    layer, x = ARU(N, G), RNG.normal(size=(2, 6, 3))
    mask = np.array([[True] * 6, [True] * 3 + [False] * 3])
    drive = RNG.normal(size=(6, 1))
    found = record_dataset(layer, x, Record("n", steps=[4, 1]), drive, mask=mask)
    expected = record(layer, x, Record("n", steps=[4, 1]), drive, mask=mask)
    assert found.step.values.tolist() == [4, 1]
    np.testing.assert_allclose(found.n, expected["n"], rtol=1e-6)
    np.testing.assert_array_equal(found.mask, expected["mask"])
    np.testing.assert_allclose(found.drive[0], drive[[4, 1], 0], rtol=1e-6)
    np.testing.assert_allclose(found.x[0], x[0, [4, 1]], rtol=1e-6)
    layer.go_backwards = True
    assert record_dataset(layer, x, Record("n")).step.values.tolist() == [5, 4, 3, 2, 1, 0]


ROWS_OF_CALLS: list = []


class Counted(keras.layers.Dense):
    """Notes the number of rows of each call."""

    def call(self, inputs):
        ROWS_OF_CALLS.append(inputs.shape[0])
        return super().call(inputs)


@pytest.mark.parametrize("every_step", [False, True], ids=["last", "every step"])
def test_outputs_are_made_within_the_memory(every_step):
    x, layer = RNG.normal(size=(2, 7, 3)).astype("float32"), ARU(N, G, return_sequences=every_step)
    model = keras.Sequential([keras.Input((7, 3)), layer, Counted(4), keras.layers.Dense(2)])
    ROWS_OF_CALLS.clear()
    expected = record_dataset(model, x, "y").y
    assert ROWS_OF_CALLS[-1] == 14
    # The numbers of a step: N units, as an input too in the model of the last output, 4 and 2.
    row = 2 * 4 * (N + 4 + 2 + (1 if every_step else N))
    for limit, sizes in ((1, [1] * 14), (6 * row, [5, 5, 5]), (14 * row, [14])):
        ROWS_OF_CALLS.clear()
        found = record_dataset(model, x, "y", memory_limit=limit).y
        assert [rows for rows in ROWS_OF_CALLS if rows in range(1, 15)][-len(sizes) :] == sizes
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert record_dataset(model, x, Record(("h", "y"), steps=[])).y.shape == (2, 0, 2)


@pytest.mark.parametrize("engine", ["h5netcdf", "scipy"])
def test_a_file_gives_the_dataset_back(case, engine, tmp_path):
    pytest.importorskip(engine)
    task, model = case
    whole = record_task(model, task, "test", signals=("n", "g", "y"), perturbation="step:1")
    whole.to_netcdf(tmp_path / "found.nc", engine=engine)
    xarray.testing.assert_identical(xarray.load_dataset(tmp_path / "found.nc"), whole)


def test_a_table_gives_the_dataset_back(dataset):
    for names in (["n", "h"], ["g"], ["y"], ["x"]):
        xarray.testing.assert_identical(from_table(to_table(dataset, names)), dataset[names])
    table = to_table(dataset)
    assert list(table.columns[:3]) == ["sequence", "step", "unit"] and len(table) == 3 * 9 * N
    row = table[(table.sequence == 1) & (table.step == 2) & (table.unit == 4)].iloc[0]
    assert (row["index"], row["time"], row["mask"]) == (1, 4.0, True)
    assert row["n"] == dataset.n.values[1, 2, 4]


def test_so_does_a_table_without_the_padding_and_one_from_a_file(case, tmp_path):
    task, model = case
    whole = record_task(model, task, "test", signals=("n", "s"), perturbation="step:1")
    pandas = pytest.importorskip("pandas")
    table = to_table(whole)
    expected = from_table(table)
    xarray.testing.assert_identical(from_table(table[table["mask"]]), expected)
    table.to_csv(tmp_path / "found.csv", index=False)
    read = from_table(pandas.read_csv(tmp_path / "found.csv"))
    xarray.testing.assert_allclose(read, expected.drop_attrs())


def test_what_is_no_recording_is_refused(dataset):
    with pytest.raises(ValueError, match="`dataset` must be a recording"):
        to_table({"n": np.ones((2, 3, 4))})
    with pytest.raises(ValueError, match="`variables` must have the same dimensions"):
        to_table(dataset, ["n", "x"])
    with pytest.raises(ValueError, match="`variables` must be one of"):
        to_table(dataset, ["m"])
    table = to_table(dataset)
    for wrong in (table.drop(columns="step"), table.iloc[[0, 0]], np.ones(3)):
        with pytest.raises(ValueError, match="`table` must be one of `to_table`"):
            from_table(wrong)


def test_a_reading_gives_its_sequence(case):
    task, model = case
    found = probing.read(model, task, index=2, perturbation="step:1").to_dataset()
    expected = record_task(model, task, "test", [2], ("n", "s", "h", "y"), "step:1")
    expected = expected.drop_vars("contrast")
    for name in ("n", "s", "h", "x", "label", "drive", "mask", "time", "index"):
        xarray.testing.assert_allclose(found[name], expected[name])
    said = keras.ops.softmax(expected.y.values) if task.classes else expected.y.values
    found = found["probability" if task.classes else "y"]
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(said), atol=1e-5)


def test_the_attributes_name_the_run_its_seed_and_the_versions():
    run = "pretrained:relu-digits"
    task = tasks.load_task("digits")
    attributes = record_task(run, task, "test", [0], "h", "step:5").attrs
    assert attributes["run"] == run and attributes["seed"] == 0
    assert attributes["keras_version"] == keras.__version__
    assert '"amplitude": 5.0' in attributes["perturbation"]


def test_without_xarray_it_is_said_what_to_install(monkeypatch, of_classes):
    task, model = of_classes
    monkeypatch.setitem(sys.modules, "xarray", None)
    probe = Probe(gym.make("aru/Sequence-v0", task=task), model)
    for ask in (
        lambda: record_task("no network at all", task),
        lambda: record_dataset("no network at all", None),
        lambda: Recorder(probe),
        lambda: probing.read(model, task).to_dataset(),
    ):
        with pytest.raises(ImportError, match="pip install xarray h5netcdf"):
            ask()
