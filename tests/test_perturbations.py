"""The promises of `aru_keras.perturbations`: one source of numbers for all who perturb."""

import dataclasses
import json
import math

import keras
import numpy as np
import pytest
from support import BACKEND, array

from aru_keras import tasks
from aru_keras.models import build_network
from aru_keras.perturbations import (
    Contrast,
    NoisyDrive,
    Perturbations,
    StepDrive,
    as_perturbation,
    from_config,
    parse,
)
from aru_keras.probing import record

UNITS, LIMIT, BATCH = 5, 70, 30
STEP, NOISE, CONTRAST = StepDrive(2.5), NoisyDrive(seed=3), Contrast(1.5, 2, 0.3)
ALL = [STEP, NOISE, CONTRAST, STEP + CONTRAST, NOISE + CONTRAST + STEP, Perturbations()]


@pytest.fixture(scope="module")
def task():
    return tasks.load_task("digits")


def _whole_task():
    """Like scifar10-conv, with a few images: whole, in colour, read as 8×8 features."""
    spec = dataclasses.replace(tasks.TASKS["scifar10-conv"], sizes={"validation": 10})
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 32, 32, 3), dtype="uint8")
    labels = np.arange(60, dtype="uint8") % 10
    parts = {"train": (images[:50], labels[:50]), "test": (images[50:], labels[50:])}
    return tasks.Task(spec, parts, downsample=1, permutation_seed=0)


def _noise(indices, steps, units, mean=5.0, variance=2.0, seed=0):
    """The documented draws, image by image."""
    keys = [np.array([seed, i], "uint64") for i in indices]
    generators = [np.random.Generator(np.random.Philox(key=key)) for key in keys]
    draws = np.stack([g.standard_normal((steps, units), dtype="float32") for g in generators])
    return np.float32(mean) + np.float32(math.sqrt(variance)) * draws


# Windows


@pytest.mark.parametrize(
    ("timesteps", "t0", "end"), [(784, 200, 400), (64, 16, 32), (1024, 261, 522), (196, 50, 100)]
)
def test_windows_are_the_papers_scaled(timesteps, t0, end):
    step = StepDrive().drive([0], timesteps)
    assert step.shape == (1, timesteps, 1) and step.dtype == np.float32
    np.testing.assert_array_equal(np.flatnonzero(step[0, :, 0]), np.arange(t0 + 1, end))
    assert set(step[0, t0 + 1 : end, 0]) == {5.0}
    noise = NoisyDrive().drive([0, 1], timesteps, 3)
    assert noise.shape == (2, timesteps, 3) and noise.dtype == np.float32
    inside = np.flatnonzero((noise != 0).any((0, 2)))
    np.testing.assert_array_equal(inside, np.arange(t0, end))


def test_windows_can_be_given_and_are_cut_at_the_end():
    step = StepDrive(7, start=2, duration=4).drive([0], 10)[0, :, 0]
    np.testing.assert_array_equal(step, [0, 0, 0, 7, 7, 7, 0, 0, 0, 0])
    step = StepDrive(7, start=6, duration=10**9).drive([0], 10)[0, :, 0]
    np.testing.assert_array_equal(step, [0] * 7 + [7] * 3)
    assert NoisyDrive(start=9, duration=1).window(10) == range(9, 10)
    assert StepDrive(start=8, duration=5).window(10) == range(9, 10)


def test_only_the_window_is_held():
    (one,) = StepDrive().drives([4, 5], 784)
    assert one.first == 201 and one.values.shape == (1, 199, 1)
    (one,) = NoisyDrive().drives([4, 5], 784, 6)
    assert one.first == 200 and one.values.shape == (2, 200, 6)


@pytest.mark.parametrize("drive", [StepDrive, NoisyDrive])
@pytest.mark.parametrize(("window", "timesteps"), [({"start": 10}, 10), ({}, 1), ({}, 0)])
def test_a_window_without_a_step_is_refused(drive, window, timesteps):
    with pytest.raises(ValueError, match=r"Received: (T = )?\d+"):
        drive(**window).drives([0], timesteps, 3)
    with pytest.raises(ValueError, match=r"StepDrive needs a step t with 10 ≤ t < 13.*T = 10"):
        StepDrive(start=9, duration=4).window(10)


# Noise


def test_noise_is_the_documented_draws():
    drive = NoisyDrive(mean=1.5, variance=0.25, seed=7).drive([9, 0], 784, 4)
    np.testing.assert_array_equal(drive[:, 200:400], _noise([9, 0], 200, 4, 1.5, 0.25, 7))
    assert not drive[:, :200].any() and not drive[:, 400:].any()


def test_noise_depends_on_the_image_alone():
    noise = NoisyDrive(seed=1)
    together = noise.drive(range(20), 64, UNITS)
    shuffled = np.random.default_rng(0).permutation(20)
    np.testing.assert_array_equal(noise.drive(shuffled, 64, UNITS), together[shuffled])
    for i in (0, 7, 19):
        np.testing.assert_array_equal(noise.drive([i], 64, UNITS)[0], together[i])
    assert len(np.unique(together[:, 16:32])) > 0.99 * 20 * 16 * UNITS
    assert not np.array_equal(NoisyDrive(seed=2).drive(range(20), 64, UNITS), together)
    assert noise.drive([], 64, UNITS).shape == (0, 64, UNITS)


def test_the_end_of_the_sequence_does_not_change_the_noise():
    noise = NoisyDrive(start=20, duration=60)
    (short,), (long,) = noise.drives([3, 8], 41, 7), noise.drives([3, 8], 100, 7)
    assert short.values.shape == (2, 21, 7) and long.values.shape == (2, 60, 7)
    np.testing.assert_array_equal(short.values, long.values[:, :21])


def test_noise_has_its_mean_and_variance_without_correlations():
    noise = NoisyDrive().drives(range(50), 784, 40)[0].values.astype("float64")
    count = noise.size
    assert abs(noise.mean() - 5) < 4 * math.sqrt(2 / count)
    assert abs(noise.var() - 2) < 4 * 2 * math.sqrt(2 / count)
    z = (noise - 5) / math.sqrt(2)
    for a, b in [(z[1:], z[:-1]), (z[:, 1:], z[:, :-1]), (z[:, :, 1:], z[:, :, :-1])]:
        assert abs((a * b).mean()) < 4 / math.sqrt(a.size)


def test_seeds_up_to_64_bits_are_used():
    big, bigger = (NoisyDrive(seed=s).drive([3], 64, 2) for s in (2**64 - 2, 2**64 - 1))
    assert not np.array_equal(big, bigger)
    np.testing.assert_array_equal(bigger[:, 16:32], _noise([3], 16, 2, seed=2**64 - 1))


def test_noise_asks_for_the_units():
    with pytest.raises(ValueError, match="NoisyDrive draws a value for each unit: give units=N"):
        (STEP + NOISE).drive([0], 64)
    with pytest.raises(ValueError, match="`units` must be a whole number of at least 1"):
        NOISE.drive([0], 64, 0)


@pytest.mark.parametrize("wrong", [[-1], [0.5], [True], [[1]], 3, ["a"]])
def test_noise_refuses_what_is_no_list_of_indices(wrong):
    with pytest.raises(ValueError, match=r"`indices` must be a list of whole numbers"):
        NOISE.drive(wrong, 64, 3)


# Contrast


@pytest.mark.parametrize("timesteps", [64, 784, 1024])
def test_contrast_is_the_papers_formula(timesteps):
    amplitude, frequency, phase = 0.5, 3.0, 0.7
    (factor,) = Contrast(amplitude, frequency, phase).factors(timesteps)
    assert factor.shape == (timesteps,) and factor.dtype == np.float32
    for t in range(timesteps):
        expected = 1 + amplitude * math.sin(2 * math.pi * frequency * t / timesteps + phase)
        assert abs(factor[t] - expected) <= np.spacing(np.float32(2))


def test_contrast_acts_on_positive_pixels_alone():
    contrast = Contrast(1.5, 1.0, 0.2)
    x = np.random.default_rng(0).uniform(-1, 1, (6, 50, 1)).astype("float32")
    x[:, ::7] = 0
    (factor,) = contrast.factors(50)
    after = contrast.pixels(x)
    assert after.dtype == np.float32 and (factor < 0).any()
    for b, t in np.ndindex(6, 50):
        expected = x[b, t, 0] * factor[t] if x[b, t, 0] > 0 else x[b, t, 0]
        assert after[b, t, 0] == expected
    np.testing.assert_array_equal(contrast.pixels(x[..., 0]), after[..., 0])
    np.testing.assert_array_equal(contrast.pixels(x[2:3]), after[2:3])


def test_contrast_goes_row_by_row_over_whole_images():
    contrast, images = Contrast(), np.random.default_rng(0).random((2, 4, 6, 3), "float32")
    after = contrast.pixels(images)
    for channel in range(3):
        flat = contrast.pixels(images[..., channel].reshape(2, 24))
        np.testing.assert_array_equal(after[..., channel].reshape(2, 24), flat)
    assert (after[:, 1] > images[:, 1]).all() and (after[:, 3] < images[:, 3]).all()


def test_pixels_need_a_batch():
    with pytest.raises(ValueError, match=r"x\.shape=\(64,\).*x\[None\]"):
        CONTRAST.pixels(np.zeros(64, "float32"))


@pytest.mark.parametrize(
    "perturbation",
    [STEP, CONTRAST, CONTRAST + Contrast(3, 5, 1) + CONTRAST, Contrast(3, 0, -math.pi / 2)],
    ids=["none", "one", "three", "negative throughout"],
)
@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.25, 1), (-1, 0.5), (-1, -0.5), (0, 0)])
def test_pixel_range_is_reached_and_not_left(perturbation, low, high):
    values = np.append(np.linspace(low, high, 201), np.clip(0, low, high)).astype("float32")
    after = perturbation.pixels(np.repeat(values[:, None], 64, 1))
    assert perturbation.pixel_range(low, high, 64) == (after.min(), after.max())


def test_pixel_range_is_checked():
    with pytest.raises(ValueError, match="`low` must not be above `high`"):
        CONTRAST.pixel_range(1, 0, 64)
    with pytest.raises(ValueError, match="`high` must be a finite number"):
        CONTRAST.pixel_range(0, math.inf, 64)


# Compositions


def test_a_composition_acts_one_after_another():
    first, second = Contrast(1.5), Contrast(0.7, 3, 1)
    x = np.random.default_rng(0).random((4, 64, 1), "float32")
    both = first + STEP + second
    np.testing.assert_array_equal(both.pixels(x), second.pixels(first.pixels(x)))
    assert not np.array_equal(both.pixels(x), (second + first).pixels(x))
    np.testing.assert_array_equal(both.factors(64), [*first.factors(64), *second.factors(64)])


def test_drives_add_up_in_order():
    early = StepDrive(3, start=10, duration=20)
    drive = (early + NOISE + CONTRAST + STEP).drive([4, 2], 64, UNITS)
    expected = np.zeros((2, 64, UNITS), "float32")
    for one in (early, NOISE, STEP):
        expected += one.drive([4, 2], 64, UNITS)
    np.testing.assert_array_equal(drive, expected)
    assert (early + STEP).drive([4, 2], 64).shape == (1, 64, 1)
    assert len((early + NOISE + CONTRAST + STEP).drives([4, 2], 64, UNITS)) == 3


def test_nothing_leaves_everything_as_it_is():
    nothing, x = Perturbations(), np.random.default_rng(0).random((2, 8, 1), "float32")
    assert nothing.pixels(x) is x and nothing.drive([0, 1], 8) is None
    assert nothing.factors(8) == nothing.drives([0, 1], 8) == nothing.to_config() == []
    assert nothing.pixel_range(0, 1, 8) == (0, 1)
    assert CONTRAST.drive([0], 8) is None and STEP.factors(8) == []
    assert nothing + STEP == STEP and nothing + nothing == nothing


def test_perturbations_say_what_they_need():
    needs = [(p.has_drive, p.per_unit) for p in ALL]
    assert needs == [(1, 0), (1, 1), (0, 0), (1, 0), (1, 1), (0, 0)]


def test_perturbations_are_values():
    assert StepDrive(5) + CONTRAST == StepDrive(np.float32(5.0)) + CONTRAST
    assert len({*ALL, *(from_config(p.to_config()) for p in ALL)}) == len(ALL)
    assert STEP + (CONTRAST + NOISE) == (STEP + CONTRAST) + NOISE
    assert Perturbations([STEP + CONTRAST, NOISE]).parts == (STEP, CONTRAST, NOISE)
    assert STEP + CONTRAST != CONTRAST + STEP
    with pytest.raises(dataclasses.FrozenInstanceError):
        STEP.amplitude = 1
    with pytest.raises(TypeError):
        STEP + 1
    with pytest.raises(ValueError, match="`parts` must hold perturbations"):
        Perturbations(("step:5",))


# Configurations and text


@pytest.mark.parametrize("perturbation", ALL)
def test_perturbations_go_through_json(perturbation):
    text = json.dumps(perturbation.to_config(), allow_nan=False)
    assert from_config(json.loads(text)) == perturbation


def test_numpy_numbers_become_plain_ones():
    noise = NoisyDrive(np.float32(2), np.float64(1), np.int64(4), np.int32(3), np.uint8(9))
    assert json.loads(json.dumps(noise.to_config())) == [
        {"kind": "noise", "mean": 2, "variance": 1, "seed": 4, "start": 3, "duration": 9}
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step:5", StepDrive(5)),
        ("step", StepDrive()),
        ("step:-1e+1,start=3,duration=4", StepDrive(-10, 3, 4)),
        ("noise:mean=5,variance=2,seed=3", NoisyDrive(5, 2, 3)),
        ("noise:4,1,2,10,20", NoisyDrive(4, 1, 2, 10, 20)),
        (" contrast : 0.5 , phase = +1.57 ", Contrast(0.5, phase=1.57)),
        ("step:5+contrast:0.5", StepDrive(5) + Contrast()),
        ("step:+.5 + noise + contrast", StepDrive(0.5) + NoisyDrive() + Contrast()),
        ("none", Perturbations()),
    ],
)
def test_text_is_read(text, expected):
    assert parse(text) == as_perturbation(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:5", "`perturbation` must be one of .* Did you mean 'step'"),
        ("", "`perturbation` must be one of step, noise, contrast"),
        ("step:5+", "`perturbation` must be one of"),
        ("noise:var=2", "`value of noise` must be one of .* Did you mean 'variance'"),
        ("step:five", "`amplitude` must be a number. Received: 'five' in 'step:five'"),
        ("step:", "`amplitude` must be a number"),
        ("step:1+2", "`amplitude` must be a number"),
        ("step:nan", "`amplitude` must be a finite number"),
        ("step:1,2,3,4", "`step` takes amplitude, start, duration"),
        ("noise:seed=1,2", "values without a name come first"),
        ("contrast:1,amplitude=2", "`amplitude` must be given once"),
        ("step:5,start=1.5", "`start` must be a whole number of at least 0"),
        (5, "`text` must be text"),
    ],
)
def test_wrong_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_whatever_stands_for_a_perturbation_is_taken():
    assert as_perturbation(None) == Perturbations()
    assert as_perturbation(STEP) is STEP
    mixed = [STEP, {"kind": "contrast", "amplitude": 0.1}, STEP + NOISE]
    assert as_perturbation(mixed).parts == (STEP, Contrast(0.1), STEP, NOISE)
    assert as_perturbation([]) == as_perturbation(()) == Perturbations()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (5, "`perturbation` must be a perturbation.*Received: 5"),
        ({"amplitude": 5}, "Each item of `perturbation`.*Received: {'amplitude': 5}"),
        ({"parts": 5}, "`perturbation` must be a perturbation"),
        ([5], "Each item of `perturbation` must be .* Received: 5"),
        ([{"amplitude": 5}], "Each item of `perturbation`"),
        ([{"kind": "stp"}], "`kind` must be one of .* Did you mean 'step'"),
        ([{"kind": "step", "size": 5}], "`value of step` must be one of amplitude"),
    ],
)
def test_what_stands_for_no_perturbation_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        as_perturbation(wrong)
    with pytest.raises(ValueError, match="`config` must be a list"):
        from_config("step")


@pytest.mark.parametrize(
    ("make", "argument", "wrong"),
    [
        (
            StepDrive,
            "amplitude",
            [math.nan, math.inf, 1e39, 10**400, "5", None, True, 1j],
        ),
        (StepDrive, "amplitude", [np.float16("inf"), np.array([5.0])]),
        (StepDrive, "start", [-1, 1.0, "3", True]),
        (StepDrive, "duration", [0, 1, 2.5]),
        (NoisyDrive, "mean", [math.nan, None]),
        (NoisyDrive, "variance", [-0.1, math.inf]),
        (NoisyDrive, "seed", [-1, 2**64, 0.5, None]),
        (NoisyDrive, "duration", [0, -3]),
        (Contrast, "amplitude", [math.nan]),
        (Contrast, "frequency", [math.inf]),
        (Contrast, "phase", ["0"]),
    ],
)
def test_every_value_is_checked(make, argument, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=rf"`{argument}` must be .*Received: "):
            make(**{argument: value})


# Tasks


def _perturbed_split(task, split, chosen, perturbation):
    """The perturbed examples, from their parts."""
    x, y = task.arrays(split)
    drive = perturbation.drive(chosen, task.timesteps, UNITS)
    if drive is not None:
        drive = np.broadcast_to(drive, (len(chosen), *drive.shape[1:]))
    return perturbation.pixels(x)[chosen], drive, y[chosen]


def _one_pass(pipeline):
    """x, drive or None, and y of one pass."""
    inputs, y = zip(*pipeline, strict=True)
    driven = isinstance(inputs[0], dict)
    x = np.concatenate([array(one["pixels"] if driven else one) for one in inputs])
    drive = np.concatenate([array(one["drive"]) for one in inputs]) if driven else None
    return x, drive, np.concatenate([array(one) for one in y])


def _assert_same(seen, expected):
    for a, b in zip(seen, expected, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["batches", "dataset"])
@pytest.mark.parametrize("perturbation", ALL)
def test_pipelines_give_the_images_their_perturbations(task, kind, perturbation):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    options = {"seed": 2, "limit": LIMIT, "perturbation": perturbation, "units": UNITS}
    pipeline = getattr(task, kind)("train", BATCH, **options)
    for epoch in (0, 1):
        order = tasks.epoch_order(2, epoch, LIMIT)
        expected = _perturbed_split(task, "train", order, perturbation)
        _assert_same(_one_pass(pipeline if kind == "batches" else _numpy(pipeline)), expected)
    other_size = getattr(task, kind)("test", 7, **options)
    expected = _perturbed_split(task, "test", np.arange(LIMIT), perturbation)
    _assert_same(_one_pass(other_size if kind == "batches" else _numpy(other_size)), expected)


def _numpy(dataset):
    return list(dataset.as_numpy_iterator())


def test_a_dataset_knows_the_shape_of_its_drive(task):
    pytest.importorskip("tensorflow")
    for perturbation, width in ((STEP, 1), (NOISE, UNITS)):
        inputs, _ = task.dataset("test", perturbation=perturbation, units=UNITS).element_spec
        assert tuple(inputs["drive"].shape) == (None, 64, width)
        assert tuple(inputs["pixels"].shape) == (None, 64, 1)


def test_perturbed_is_what_the_pipelines_give(task):
    chosen = [5, 300, 5]
    x, y = task.examples("test", chosen)
    np.testing.assert_array_equal(x, task.arrays("test")[0][chosen])
    for perturbation in ALL:
        seen = task.perturbed(x, chosen, perturbation.to_config(), UNITS)
        _assert_same((*seen, y), _perturbed_split(task, "test", chosen, perturbation))
    with pytest.raises(ValueError, match="Received: 2 indices for 3 examples"):
        task.perturbed(x, [1, 2], STEP)


@pytest.mark.parametrize("downsample", [1, 2])
def test_examples_are_rows_of_the_arrays(downsample):
    task = tasks.load_task("digits", downsample=downsample)
    x, y = task.arrays("validation")
    for chosen in ([3], range(0, 180, 17), np.array([179, 0]), []):
        some_x, some_y = task.examples("validation", chosen)
        assert some_x.dtype == np.float32 and some_y.dtype == np.int32
        np.testing.assert_array_equal(some_x, x[list(chosen)])
        np.testing.assert_array_equal(some_y, y[list(chosen)])


@pytest.mark.parametrize("wrong", [[180], [-1], [0.0], 3])
def test_examples_outside_the_split_are_refused(task, wrong):
    with pytest.raises(ValueError, match=r"`indices` must be .* Received: "):
        task.examples("validation", wrong)


@pytest.mark.parametrize("method", ["batches", "dataset"])
def test_pipelines_refuse_at_once_what_does_not_fit(task, method):
    make = getattr(task, method)
    with pytest.raises(ValueError, match="give units=N"):
        make("test", perturbation="noise")
    with pytest.raises(ValueError, match=r"StepDrive needs a step .* T = 64"):
        make("test", perturbation="step:5,start=64")
    with pytest.raises(ValueError, match="Did you mean 'noise'"):
        make("test", perturbation="noises")


def test_whole_images_are_perturbed_before_the_encoder_and_driven_behind_it():
    task = _whole_task()
    perturbation = NOISE + CONTRAST
    expected = _perturbed_split(task, "test", np.arange(10), perturbation)
    assert expected[0].shape == (10, 32, 32, 3) and expected[1].shape == (10, 64, UNITS)
    factor = CONTRAST.factors(1024)[0].reshape(32, 32, 1)
    np.testing.assert_array_equal(expected[0], task.arrays("test")[0] * factor)
    options = {"perturbation": perturbation, "units": UNITS}
    _assert_same(_one_pass(task.batches("test", 4, **options)), expected)
    pytest.importorskip("tensorflow")
    _assert_same(_one_pass(_numpy(task.dataset("test", 4, **options))), expected)


# Networks


@pytest.mark.parametrize("kind", ["batches", "dataset"])
@pytest.mark.parametrize("perturbation", ["noise", "step:5+contrast"])
def test_a_driven_network_trains_and_predicts_on_perturbed_data(kind, perturbation):
    if kind == "dataset":
        pytest.importorskip("tensorflow")
    task = tasks.load_task("digits", downsample=2)
    model = build_network("gamma", task.input_shape, units=UNITS, drive=True)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    options = {"limit": LIMIT, "perturbation": perturbation, "units": UNITS}
    train = getattr(task, kind)("train", BATCH, **options)
    assert np.isfinite(model.fit(train, epochs=2, verbose=0).history["loss"]).all()
    test = getattr(task, kind)("test", BATCH, **options)
    x, y = task.examples("test", range(LIMIT))
    x, drive = task.perturbed(x, range(LIMIT), perturbation, UNITS)
    logits = model.predict({"pixels": x, "drive": drive}, verbose=0)
    np.testing.assert_allclose(model.predict(test, verbose=0), logits, atol=1e-5)
    accuracy = model.evaluate(test, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx((logits.argmax(1) == y).mean())
    plain = model.predict({"pixels": x, "drive": np.zeros_like(drive)}, verbose=0)
    assert np.abs(plain - logits).max() > 1e-3


@pytest.mark.skipif(BACKEND == "torch", reason="torch: the same code, slowly")
def test_a_recording_shows_the_drive_in_its_window():
    task = tasks.load_task("digits", downsample=2)
    model = build_network("relu", task.input_shape, units=UNITS, drive=True)
    model.get_layer("recurrent").cell.recurrent_kernel.assign(np.zeros((UNITS, UNITS)))
    x, _ = task.examples("test", [8, 1])
    x, drive = task.perturbed(x, [8, 1], NOISE + STEP, UNITS)
    driven, plain = record(model, x, "a", drive)["a"], record(model, x, "a")["a"]
    np.testing.assert_allclose(driven - plain, drive, atol=1e-5)
