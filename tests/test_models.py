"""The paper's networks by name: sizes, inputs, encoders."""

import keras
import numpy as np
import pytest

from aru_keras import models
from aru_keras.layers import DrivenRNN
from aru_keras.runners.config import PAPER, PRESETS

PAPER_COUNTS = {"arun": 167_512, "gamma": 165_610, "relu": 164_810}
SMALL = {"units": 6, "controller_units": 3, "match_parameters": False}


def count(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_paper_sizes_have_the_papers_parameter_counts():
    table = {row["network"]: row for row in models.parameter_table((784, 1))}
    assert list(table) == list(models.NETWORKS)
    for name, parameters in PAPER_COUNTS.items():
        assert table[name]["parameters"] == parameters


@pytest.mark.parametrize("name", models.GATED)
@pytest.mark.parametrize("sizes", [PAPER, *PRESETS.values()], ids=["paper", *PRESETS])
@pytest.mark.parametrize("encoder", models.ENCODERS)
def test_gated_networks_are_sized_to_the_arun_within_two_percent(name, sizes, encoder):
    shape = (64, 1) if encoder == "linear" else (32, 32, 3)
    options = {key: sizes[key] for key in ("units", "controller_units")}
    options["encoder"] = encoder
    arun = count(models.build_network("arun", shape, **options))
    assert abs(count(models.build_network(name, shape, **options)) / arun - 1) <= 0.02


@pytest.mark.parametrize("name", models.NETWORKS)
@pytest.mark.parametrize("features", [1, 3])
def test_the_counting_formula_counts_the_weights(name, features):
    model = models.build_network(name, (5, features), classes=4, **SMALL)
    assert count(model) == models.recurrent_parameters(name, 6, features, 4, 3)
    assert count(model) == models.trainable_parameters(model)


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("fixed", [True, False])
def test_gamma_is_shared_or_per_unit_fixed_or_trained(shared, fixed):
    model = models.build_network("gamma", (5, 1), shared=shared, fixed=fixed, **SMALL)
    cell = model.get_layer("recurrent").cell
    assert tuple(cell.n.shape) == tuple(cell.s.shape) == (() if shared else (6,))
    assert cell.n.trainable is cell.s.trainable is (not fixed)
    expected = models.recurrent_parameters("gamma", 6, 1, 10, shared=shared, fixed=fixed)
    assert count(model) == expected


def test_match_parameters_sizes_the_relu_network_too():
    sizes = {"units": 96, "controller_units": 30}
    arun = count(models.build_network("arun", (5, 1), **sizes))
    relu = models.build_network("relu", (5, 1), match_parameters=True, **sizes)
    assert relu.get_layer("recurrent").cell.units != 96
    assert abs(count(relu) / arun - 1) <= 0.02


def test_a_size_that_cannot_be_matched_is_refused():
    sizes = {"units": 6, "controller_units": 3}
    with pytest.raises(ValueError, match=r"within 2%.*match_parameters=False"):
        models.build_network("lstm", (5, 1), match_parameters=True, **sizes)


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_by_default_gated_networks_have_the_nearest_size(name):
    """A network for data of one's own may be too small for one within 2 %."""
    sizes = {"units": 6, "controller_units": 3}
    arun = count(models.build_network("arun", (5, 1), **sizes))
    network = models.build_network(name, (5, 1), **sizes)
    found, units = count(network), network.get_layer("recurrent").units
    for other in (units - 1, units + 1):
        beside = models.build_network(name, (5, 1), units=other, match_parameters=False)
        assert abs(found - arun) <= abs(count(beside) - arun)


@pytest.mark.parametrize("name", models.NETWORKS)
def test_logits_have_one_column_a_class_and_any_length_is_taken(name):
    model = models.build_network(name, (None, 1), classes=4, **SMALL)
    for steps in (3, 5):
        assert model(np.zeros((2, steps, 1), "float32")).shape == (2, 4)


def test_the_recurrent_kernel_starts_orthogonal():
    model = models.build_network("relu", (5, 1), **SMALL)
    kernel = keras.ops.convert_to_numpy(model.get_layer("recurrent").cell.recurrent_kernel)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(6), atol=1e-6)


@pytest.mark.parametrize("name", ["arun", "gamma", "relu"])
@pytest.mark.parametrize("width", [1, 6])
def test_a_driven_network_takes_pixels_and_drive(name, width, tmp_path):
    model = models.build_network(name, (5, 1), drive=True, **SMALL)
    pixels = np.random.default_rng(0).random((2, 5, 1), "float32")
    quiet = model({"pixels": pixels, "drive": np.zeros((2, 5, width), "float32")})
    driven = model({"pixels": pixels, "drive": np.ones((2, 5, width), "float32")})
    plain = models.build_network(name, (5, 1), **SMALL)
    plain.set_weights(model.get_weights())
    as_array = keras.ops.convert_to_numpy
    np.testing.assert_allclose(as_array(quiet), as_array(plain(pixels)), rtol=1e-5, atol=1e-6)
    assert np.abs(as_array(driven) - as_array(quiet)).max() > 1e-3
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    inputs = {"pixels": pixels, "drive": np.ones((2, 5, width), "float32")}
    np.testing.assert_allclose(as_array(again(inputs)), as_array(driven), rtol=1e-5, atol=1e-6)


def test_gated_networks_refuse_a_drive():
    with pytest.raises(ValueError, match="drive=True needs"):
        models.build_network("gru", (5, 1), drive=True)


def test_the_convolutional_encoder_is_the_papers():
    model = models.build_network("relu", (32, 32, 3), encoder="conv", **SMALL)
    convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == [32, 64, 128, 256]
    assert all(layer.kernel_size == (3, 3) and not layer.use_bias for layer in convolutions)
    order = [type(layer).__name__ for layer in model.layers]
    block = ["BatchNormalization", "ReLU", "Conv2D"]
    pooled = [*block, *block, "MaxPooling2D"]
    assert order == ["InputLayer", *pooled, *pooled, "Reshape", "DrivenRNN", "Dense"]
    assert model.get_layer("positions").output.shape == (None, 64, 256)
    assert model(np.zeros((2, 32, 32, 3), "float32")).shape == (2, 10)


def test_the_convolutional_encoder_reads_the_map_row_by_row():
    model = models.build_network("relu", (8, 12, 3), encoder="conv", **SMALL)
    pooled = keras.Model(model.input, model.get_layer("pool_4").output)
    read = keras.Model(model.input, model.get_layer("positions").output)
    image = np.random.default_rng(0).random((1, 8, 12, 3), "float32")
    as_array = keras.ops.convert_to_numpy
    np.testing.assert_array_equal(
        as_array(read(image))[0], as_array(pooled(image))[0].reshape(6, 256)
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("arn", (5, 1)), "Did you mean 'arun'"),
        (("arun", (5,)), "`input_shape` must be \\(T, I\\)"),
        (("arun", (5, 1), "con"), "Did you mean 'conv'"),
        (("arun", (30, 30, 3), "conv"), "that 4 divides"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    name, shape, *encoder = arguments
    options = {"encoder": encoder[0]} if encoder else {}
    with pytest.raises(ValueError, match=message):
        models.build_network(name, shape, **options)


def test_the_relu_network_is_a_simple_rnn():
    model = models.build_network("relu", (5, 2), **SMALL)
    layer = model.get_layer("recurrent")
    assert isinstance(layer, DrivenRNN)
    theirs = keras.layers.SimpleRNN(6, activation="relu")
    theirs.build((None, 5, 2))
    theirs.set_weights(layer.get_weights())
    x = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")
    as_array = keras.ops.convert_to_numpy
    np.testing.assert_allclose(as_array(layer(x)), as_array(theirs(x)), rtol=1e-5, atol=1e-6)


def by_search(name, count, **options):
    """The units nearest to a count, one after another."""
    sizes = [models.recurrent_parameters(name, units, 3, 7, **options) for units in range(1, 120)]
    above = next(place for place, size in enumerate(sizes) if size >= count)
    return 1 + min((max(above - 1, 0), above), key=lambda place: abs(sizes[place] - count))


@pytest.mark.parametrize("name", models.NETWORKS)
def test_matched_units_are_those_of_a_search(name):
    for count in (*range(1, 300), *range(300, 9000, 37)):
        found = models.matched_units(name, count, 3, 7, tolerance=np.inf)
        assert found == by_search(name, count)


def test_a_large_count_is_matched_without_counting_up_to_it():
    units = models.matched_units("lstm", 10**18, 1, 10)
    # 4·N² + 18·N + 10 parameters: N = 5·10⁸ − 18/8.
    assert units == 499_999_998


@pytest.mark.parametrize("count", [np.inf, -np.inf, np.nan, 1e300, 10**30, 0, -5, None, "9", True])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(ValueError, match="`count` must be"):
        models.matched_units("lstm", count, 1, 10)


@pytest.mark.parametrize("name", models.NETWORKS)
@pytest.mark.parametrize("value", [np.inf, np.nan, 1e300, 0, -1, None, "5", [5], 2.5, True])
@pytest.mark.parametrize("size", ["units", "controller_units", "classes"])
def test_a_size_that_is_none_is_refused(name, size, value):
    with pytest.raises(ValueError, match=f"`{size}` must be a whole number"):
        models.build_network(name, (5, 1), **{size: value})


@pytest.mark.parametrize("name", models.NETWORKS)
@pytest.mark.parametrize("units", [5_000_000, 10**9, 10**30])
def test_a_network_beyond_the_memory_is_refused_before_it_is_made(name, units):
    with pytest.raises(ValueError, match=r"fits into memory|`units` must be .* at most 10,000,000"):
        models.build_network(name, (5, 1), units=units)


@pytest.mark.parametrize(
    "shape", [5, None, "ab", (5, 0), (5, -1), (5, 2.5), (np.nan, 1), (True, 1)]
)
def test_an_input_shape_that_is_none_is_refused(shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        models.build_network("relu", shape)


@pytest.mark.parametrize("name", ["n", "s"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, "much"])
def test_a_start_of_gamma_is_a_number(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be a finite number"):
        models.build_network("gamma", (5, 1), **SMALL, **{name: value})


def test_a_network_that_fits_but_cannot_be_trained_is_refused(monkeypatch, tmp_path):
    from aru_keras.models import sizes
    from aru_keras.runners.train import train

    count = models.trainable_parameters(models.build_network("relu", (64, 1), units=50))
    options = {"model": "relu", "units": 50, "limit": 10, "epochs": 1, "verbose": 0}
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(sizes, "CONTAINER_LIMIT", limit)
    limit.write_text(f"{16 * count - 1}\n")
    with pytest.raises(ValueError, match=r"4 numbers for each while it trains.*fewer units"):
        train("digits", run_dir=tmp_path / "run", **options)
    limit.write_text("max\n")
    train("digits", run_dir=tmp_path / "another", **options)
