"""Perturbations: windows, noise, contrast, and compositions of them."""

import dataclasses
import math

import numpy as np
import pytest

from aru_keras.perturbations import Contrast, NoisyDrive, Perturbations, StepDrive, from_config

UNITS = 5
STEP, NOISE, CONTRAST = StepDrive(2.5), NoisyDrive(seed=3), Contrast(1.5, 2, 0.3)
ALL = [STEP, NOISE, CONTRAST, STEP + CONTRAST, NOISE + CONTRAST + STEP, Perturbations()]


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
    (step,) = StepDrive().drives([4, 5], 784)
    assert step.first == 201 and step.values.shape == (1, 199, 1)
    (noise,) = NoisyDrive().drives([4, 5], 784, 6)
    assert noise.first == 200 and noise.values.shape == (2, 200, 6)


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
    with pytest.raises(ValueError, match=r"NoisyDrive draws a value for each unit\..*Give units=N"):
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


def test_contrast_acts_in_its_window_alone():
    (whole,), (part,) = (
        Contrast(0.5, 2, 0.7, **window).factors(64) for window in ({}, {"start": 10, "duration": 5})
    )
    np.testing.assert_array_equal(part[10:15], whole[10:15])
    assert (np.delete(part, range(10, 15)) == 1).all()
    windows = Contrast(0.5, duration=10) + Contrast(0.5, start=10)
    np.testing.assert_array_equal(np.prod(windows.factors(64), axis=0), *Contrast(0.5).factors(64))
    with pytest.raises(ValueError, match="t ≥ 64"):
        Contrast(start=64).factors(64)


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
    for component in (early, NOISE, STEP):
        expected += component.drive([4, 2], 64, UNITS)
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
    assert Perturbations([STEP + CONTRAST, NOISE]).components == (STEP, CONTRAST, NOISE)
    assert STEP + CONTRAST != CONTRAST + STEP
    with pytest.raises(dataclasses.FrozenInstanceError):
        STEP.amplitude = 1
    with pytest.raises(TypeError):
        STEP + 1
    with pytest.raises(ValueError, match="`components` must hold perturbations"):
        Perturbations(("step:5",))


def test_the_name_parts_of_an_earlier_release_warns_and_works():
    with pytest.warns(DeprecationWarning, match="called Perturbation.components now"):
        assert (STEP + CONTRAST).parts == (STEP, CONTRAST)
    with pytest.warns(DeprecationWarning, match="`parts` of Perturbations is called `components`"):
        assert Perturbations(parts=[STEP, NOISE]) == STEP + NOISE
