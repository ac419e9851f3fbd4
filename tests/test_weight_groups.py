"""Groups of weights: networks of which some train, and that take some from others."""

import keras
import numpy as np
import pytest
from support import arrays

from aru_keras import ARU, models
from aru_keras.models import weight_groups
from aru_keras.models.weight_groups import WEIGHT_GROUPS
from aru_keras.runners.train import TrainConfig, resume, train

X = np.random.default_rng(0).normal(size=(8, 6, 1)).astype("float32")
Y = np.arange(8) % 3


def network(name, **options):
    options = {"units": 5, "controller_units": 3, "match_parameters": False, **options}
    return models.build_network(name, (None, 1), classes=3, **options)


def by_group(model):
    return {group: arrays(weight_groups._variables(model, group)) for group in WEIGHT_GROUPS}


@pytest.mark.parametrize("name", models.NETWORKS)
def test_the_groups_are_all_weights_each_once(name):
    model = network(name)
    found = [id(one) for group in WEIGHT_GROUPS for one in weight_groups._variables(model, group)]
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
def test_only_the_groups_named_change_in_training(name, trained, tmp_path):
    model = network(name, frozen=weight_groups.frozen_groups(name, trained))
    before = by_group(model)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "model.keras")
    # Saved and restored, the same groups stay as they are.
    again = keras.models.load_model(tmp_path / "model.keras")
    again.fit(X, Y, verbose=0)
    after = by_group(again)
    for group in WEIGHT_GROUPS:
        moved = [not np.array_equal(a, b) for a, b in zip(before[group], after[group], strict=True)]
        assert moved == [group in trained.split("+")] * len(moved), group


def test_groups_are_taken_from_another_network():
    source, target = network("arun"), network("arun")
    before = by_group(target)
    weight_groups.copy_weights(source, target, ["activation"])
    found, given = by_group(target), by_group(source)
    for group in WEIGHT_GROUPS:
        expected = given if group == "activation" else before
        for one, other in zip(found[group], expected[group], strict=True):
            np.testing.assert_array_equal(one, other)
    assert not np.array_equal(given["recurrent"][0], before["recurrent"][0])


def test_a_network_of_another_size_gives_nothing():
    source, target = network("arun"), network("arun", units=4)
    before = target.get_weights()
    with pytest.raises(ValueError, match="`source` must have the same recurrent"):
        weight_groups.copy_weights(source, target)
    for one, other in zip(target.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_groups_that_train_can_be_named_as_in_an_earlier_release():
    with pytest.warns(DeprecationWarning, match=r"build_network\(frozen=…\)"):
        old = network("arun", trained=["readout"])
    new = network("arun", frozen=["recurrent", "activation", "encoder"])
    assert [w.trainable for w in old.weights] == [w.trainable for w in new.weights]
    assert [w.name for w in new.trainable_weights] == ["kernel", "bias"]


def test_nothing_is_frozen_unless_it_is_named():
    model = network("arun")
    assert len(model.trainable_weights) == len(model.weights)
    assert network("gamma", frozen="activation").get_layer("recurrent").cell.frozen == ("n", "s")


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
def test_bad_groups_in_a_configuration(options, words):
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
        by_group(keras.models.load_model(tmp_path / name / "model.keras"))
        for name in ("first", "second")
    )
    for group in WEIGHT_GROUPS:
        for one, other in zip(first[group], second[group], strict=True):
            assert np.array_equal(one, other) == (group != "readout")
    assert resume(tmp_path / "second")["epochs"] == 1
