"""Networks that train in part, and that take parts of others."""

import keras
import numpy as np
import pytest
from support import arrays

from aru_keras import ARU, models, parts
from aru_keras.runners.train import TrainConfig, resume, train

X = np.random.default_rng(0).normal(size=(8, 6, 1)).astype("float32")
Y = np.arange(8) % 3


def network(name, **options):
    options = {"units": 5, "controller_units": 3, "match_parameters": False, **options}
    return models.build_network(name, (None, 1), classes=3, **options)


def by_part(model):
    return {part: arrays(parts._variables(model, part)) for part in parts.PARTS}


@pytest.mark.parametrize("name", models.NETWORKS)
def test_the_parts_are_all_weights_each_once(name):
    model = network(name)
    found = [id(one) for part in parts.PARTS for one in parts._variables(model, part)]
    wanted = model.weights
    assert sorted(found) == sorted(map(id, wanted))


@pytest.mark.parametrize(
    ("name", "trained"),
    [
        ("arun", "activation"),
        ("gamma", "activation"),
        ("arun", "readout"),
        ("gru", "readout"),
        ("relu", "recurrent"),
        ("arun", "recurrent+readout"),
    ],
)
def test_only_the_parts_named_change_in_training(name, trained, tmp_path):
    model = network(name, trained=parts.parse(trained))
    before = by_part(model)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    # Saved and restored, the same parts stay as they are.
    again = keras.models.load_model(tmp_path / "model.keras")
    again.fit(X, Y, verbose=0)
    after = by_part(again)
    for part in parts.PARTS:
        moved = [not np.array_equal(a, b) for a, b in zip(before[part], after[part], strict=True)]
        assert moved == [part in trained.split("+")] * len(moved), part


def test_parts_are_taken_from_another_network():
    source, target = network("arun"), network("arun")
    before = by_part(target)
    parts.copy_parts(source, target, ["activation"])
    found, given = by_part(target), by_part(source)
    for part in parts.PARTS:
        expected = given if part == "activation" else before
        for one, other in zip(found[part], expected[part], strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(given["recurrent"][0], before["recurrent"][0])


def test_a_network_of_another_size_gives_nothing():
    source, target = network("arun"), network("arun", units=4)
    before = target.get_weights()
    with pytest.raises(ValueError, match="`source` must have the same recurrent"):
        parts.copy_parts(source, target)
    for one, other in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_gain_and_saturation_start_where_they_are_told():
    cell = network("gamma", n=2.5, s=0.25).get_layer("recurrent").cell
    assert set(np.asarray(cell.n)) == {2.5} and set(np.asarray(cell.s)) == {0.25}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trained": "readouts"}, "Did you mean 'readout'"),
        ({"trained": "activation", "model": "relu"}, "`trained` can name the activation"),
        ({"take": "activation"}, "Give --start RUN"),
        ({"n": 3.0}, "belong to model gamma"),
    ],
)
def test_bad_parts_in_a_configuration(options, words):
    with pytest.raises(ValueError, match=words):
        TrainConfig(**{"task": "digits", **options})


def test_a_frozen_weight_must_exist():
    with pytest.raises(ValueError, match="Did you mean 'controller_bias'"):
        ARU(4, 3, frozen=("controller_bia",))


def test_a_run_starts_from_another_and_resumes(tmp_path):
    size = {"units": 5, "controller_units": 3, "limit": 64, "batch_size": 32, "verbose": 0}
    train("digits", epochs=1, run_dir=tmp_path / "first", **size)
    again = {**size, "start": str(tmp_path / "first"), "trained": "readout"}
    train("digits", epochs=1, run_dir=tmp_path / "second", **again)
    first, second = (
        by_part(keras.models.load_model(tmp_path / name / "model.keras"))
        for name in ("first", "second")
    )
    for part in parts.PARTS:
        for one, other in zip(first[part], second[part], strict=True):
            assert np.array_equal(one, other) == (part != "readout")
    assert resume(tmp_path / "second")["epochs"] == 1
