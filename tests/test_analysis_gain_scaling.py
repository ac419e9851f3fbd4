"""Gain scaling: the noise, what is measured of a recording, and the fits."""

import numpy as np
import pytest

from aru_keras import ARU, DrivenRNN, GammaRNN, models, probing
from aru_keras.analysis.gain_scaling import (
    NOISE_ENTRIES,
    GainScaling,
    NoiseBurst,
    Settled,
    measure_gain_scaling,
    settled,
)

SHORT = NoiseBurst(before=4, duration=10, after=3, steady=6)


def test_the_noise_is_quiet_loud_and_quiet():
    protocol = NoiseBurst()
    noise = protocol.noise(10.0, range(50))
    assert noise.shape == (50, 600, 1) and noise.dtype == np.float32
    assert protocol.window == slice(310, 400)
    for part, deviation in (((0, 200), 0.01), ((200, 400), 10.0), ((400, 600), 0.01)):
        values = noise[:, slice(*part)] / deviation
        # Four standard errors of a standard deviation and of a mean of 10,000 draws.
        assert values.std() == pytest.approx(1, abs=4 / np.sqrt(2 * 10_000))
        assert values.mean() == pytest.approx(0, abs=4 / np.sqrt(10_000))


def test_the_noise_depends_on_seed_and_amplitude_alone():
    first = SHORT.noise(2.0, [3, 4], features=2)
    np.testing.assert_array_equal(first[1], SHORT.noise(2.0, [4], features=2)[0])
    assert (first[0] != first[1]).all() and (first[..., 0] != first[..., 1]).all()
    # Another amplitude is another draw, not the same one scaled.
    assert not np.allclose(SHORT.noise(4.0, [3], features=2)[0], 2 * first[0])


def test_the_steady_state_is_the_end_of_the_burst():
    rng = np.random.default_rng(0)
    noise = SHORT.noise(2.0, [0, 1])
    recording = {name: rng.normal(size=(2, 17, 3)) for name in "nsh"}
    found = settled(recording, noise, SHORT)
    for seed in range(2):
        steady = {name: values[seed, 8:14] for name, values in recording.items()}
        assert found.steady_n[seed] == pytest.approx(steady["n"].mean())
        assert found.steady_s[seed] == pytest.approx(steady["s"].mean())
        assert found.input_spread[seed] == pytest.approx(noise[seed, 8:14].std(), rel=1e-6)
        spreads = [steady["h"][:, unit].std() for unit in range(3)]
        assert found.output_spread[seed] == pytest.approx(np.mean(spreads))
    np.testing.assert_allclose(found.n, recording["n"].mean(axis=2))


def test_the_fits_are_a_power_law_of_n_and_an_exponential_of_s():
    amplitudes = np.array([1, 2.5, 5, 10, 15, 20, 30.0])
    n, s = 0.3 * amplitudes**-0.7 + 5.4, -0.004 * np.exp(-0.2 * amplitudes) + 0.002
    zero = np.zeros(1)
    steady = zip(n[:, None], s[:, None], strict=True)
    runs = tuple(Settled(zero, zero, *pair, zero, zero) for pair in steady)
    found = GainScaling(amplitudes, runs)
    np.testing.assert_allclose(found.over_amplitudes("steady_n"), n[None])
    np.testing.assert_allclose(found.gain_fit().values, [0.3, 0.7, 5.4], rtol=1e-5)
    np.testing.assert_allclose(found.saturation_fit().values, [-0.004, 0.2, 0.002], rtol=1e-5)


def test_a_gain_that_does_not_adapt_has_no_fit():
    layer = GammaRNN(4, n_initializer=3.0, s_initializer=0.25)
    layer.build((1, 5, 1))
    found = measure_gain_scaling(layer, (1, 2, 4, 8, 16), seeds=[0, 1], protocol=SHORT)
    np.testing.assert_array_equal(found.over_amplitudes("steady_n"), np.full((2, 5), 3.0))
    assert found.gain_fit().failed and found.saturation_fit().failed


@pytest.mark.parametrize("enters", NOISE_ENTRIES)
@pytest.mark.parametrize("reading", [False, True])
def test_a_network_is_run_on_the_noise(enters, reading):
    if reading and enters == "input":
        pytest.skip("the noise is what it reads")
    model = models.build_network("arun", (None, 1), units=5, controller_units=3)
    x = np.random.default_rng(0).uniform(size=(2, 17, 1)).astype("float32") if reading else None
    found = measure_gain_scaling(model, (1, 20), seeds=[0, 7], protocol=SHORT, x=x, enters=enters)
    noise = SHORT.noise(20, [0, 7], features=5 if enters == "units" else 1)
    silence = np.zeros((2, 17, 1), "float32")
    fed = (noise, None) if enters == "input" else (x if reading else silence, noise)
    known = probing.record(model, fed[0], ("n", "s", "h"), drive=fed[1])
    np.testing.assert_allclose(found.runs[1].n, known["n"].mean(axis=2), rtol=1e-5)
    spread = known["h"][:, SHORT.window].std(axis=1).mean(axis=1)
    np.testing.assert_allclose(found.over_amplitudes("output_spread")[:, 1], spread, rtol=1e-4)


def test_units_have_noise_of_their_own_by_default():
    model = models.build_network("arun", (None, 1), units=5, controller_units=3)
    own = measure_gain_scaling(model, (20,), seeds=[0], protocol=SHORT)
    units = measure_gain_scaling(model, (20,), seeds=[0], protocol=SHORT, enters="units")
    np.testing.assert_array_equal(own.runs[0].n, units.runs[0].n)


def test_the_burst_is_scaled_to_the_images():
    assert NoiseBurst.scaled(784) == NoiseBurst(200, 200, 384, steady=90)
    assert NoiseBurst.scaled(64) == NoiseBurst(16, 16, 32, steady=7)
    model = models.build_network("arun", (None, 1), units=5, controller_units=3)
    found = measure_gain_scaling(model, (2,), seeds=[0], x=np.zeros((1, 64, 1), "float32"))
    assert found.runs[0].n.shape == (1, 64)


def test_the_old_argument_says_what_took_its_place():
    layer = GammaRNN(4)
    layer.build((1, 5, 1))
    for old, new in ((True, "drive"), (False, "input")):
        with pytest.warns(DeprecationWarning, match=f"use enters='{new}'"):
            found = measure_gain_scaling(layer, (3,), seeds=[1], protocol=SHORT, as_drive=old)
        expected = measure_gain_scaling(layer, (3,), seeds=[1], protocol=SHORT, enters=new)
        np.testing.assert_array_equal(found.runs[0].output_spread, expected.runs[0].output_spread)


def test_a_layer_with_features_hears_each_of_them():
    layer = ARU(5, 3)
    layer.build((None, None, 2))
    found = measure_gain_scaling(layer, (3,), seeds=[1], protocol=SHORT, enters="input")
    known = probing.record(layer, SHORT.noise(3, [1], features=2), "n")
    np.testing.assert_allclose(found.runs[0].n, known["n"].mean(axis=2), rtol=1e-5)


def test_what_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match="must not exceed the burst"):
        NoiseBurst(duration=50)
    with pytest.raises(ValueError, match="`amplitude`"):
        SHORT.noise(-1, [0])
    with pytest.raises(ValueError, match="must be built"):
        measure_gain_scaling(GammaRNN(4), (1,), seeds=[0], protocol=SHORT)
    relu = DrivenRNN(4)
    relu.build((1, 5, 1))
    with pytest.raises(ValueError, match="`signals`"):
        measure_gain_scaling(relu, (1,), seeds=[0], protocol=SHORT)
    layer = GammaRNN(4)
    layer.build((1, 5, 1))
    for options, words in (
        ({"amplitudes": (0, 1, 2, 4)}, "`amplitudes` must be a list of positive numbers. Received"),
        ({"amplitudes": (1, -2)}, "`amplitudes` must be a list of positive numbers. Received"),
        ({"enters": "output"}, "`enters` must be one of units, drive, input"),
        ({"x": np.zeros((2, 17, 1))}, "one sequence for each of the 1 seeds"),
        ({"x": np.zeros((1, 17, 1)), "enters": "input"}, "none where the noise is the input"),
    ):
        with pytest.raises(ValueError, match=words):
            measure_gain_scaling(
                layer, **{"amplitudes": (1,), "seeds": [0], "protocol": SHORT, **options}
            )
    noise = SHORT.noise(1, [0])
    good = {name: np.ones((1, 17, 2)) for name in "nsh"}
    with pytest.raises(ValueError, match="must hold 'h'"):
        settled({**good, "h": np.ones((1, 16, 2))}, noise, SHORT)
    with pytest.raises(ValueError, match="must hold 's' of finite numbers"):
        settled({**good, "s": np.full((1, 17, 2), np.nan)}, noise, SHORT)
