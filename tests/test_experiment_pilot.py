"""The pilot: which learning rate it chooses, and that every training takes it."""

import dataclasses
import json

import numpy as np
import pytest

from aru_keras.runners.experiments import analyze, reproduce, workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import MAIN, best_rate, pilot_names

RATES = (1e-4, 1e-3)
TINY = dataclasses.replace(
    PRESETS["quick"],
    name="tiny",
    options={
        "units": 5,
        "controller_units": 2,
        "limit": 32,
        "batch_size": 32,
        "epochs": 2,
        "match_parameters": False,
    },
    pilot_rates=RATES,
    pilot_epochs=1,
    transfer_epochs=1,
)


@pytest.mark.parametrize(
    ("accuracies", "best"),
    [
        ({1e-4: [0.5], 1e-3: [0.6]}, 1e-3),
        ({1e-4: [0.5], 1e-3: [0.4]}, 1e-4),
        # A mean over seeds, to which a training that diverged adds 0.
        ({1e-4: [0.5, 0.5], 1e-3: [0.9, 0.0]}, 1e-4),
        ({1e-3: [0.5], 1e-4: [0.5]}, 1e-4),
    ],
)
def test_the_best_rate_has_the_highest_mean(accuracies, best):
    assert best_rate(accuracies) == best


def test_all_networks_get_the_same_search_and_arun_a_second_seed():
    names = {network: pilot_names(TINY, network) for network in MAIN}
    assert all(list(rates) == list(RATES) for rates in names.values())
    assert names["relu"] == {1e-4: ["pilot-relu-0.0001"], 1e-3: ["pilot-relu-0.001"]}
    assert names["arun"][1e-3] == ["pilot-arun-0.001", "pilot-arun-0.001-again"]
    known = workspace.trainings(TINY)
    configs = [workspace.config(known[name], 0) for name in names["arun"][1e-3]]
    assert [one.seed for one in configs] == [0, 1]
    assert all(one.epochs == 1 and one.learning_rate == 1e-3 for one in configs)


def with_accuracies(monkeypatch, accuracies):
    """Trainings are real; what the pilot's reached in validation is told."""
    found = workspace.TrainedRun.validation_accuracy

    def told(network):
        return accuracies.get(network.name, found.fget(network))

    monkeypatch.setattr(workspace.TrainedRun, "validation_accuracy", property(told))


@pytest.mark.slow
def test_a_network_trains_with_the_rate_that_its_pilot_chose(tmp_path, monkeypatch):
    better = {"pilot-relu-0.0001": 0.9, "pilot-relu-0.001": 0.1, "pilot-gamma-0.001": 0.9}
    with_accuracies(monkeypatch, better)
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    assert space.network("relu", 3).config.learning_rate == 1e-4
    assert space.network("gamma-rotated-readout", 0).config.learning_rate == 1e-3
    # The pilot has one seed of its own, and what started from another network its rate too.
    runs = {path.name for path in (tmp_path / "runs").iterdir()}
    assert {
        f"pilot-{network}-{rate:g}-seed0" for network in ("relu", "gamma") for rate in RATES
    } < runs
    assert not [name for name in runs if "pilot" in name and "seed3" in name]
    assert json.loads((tmp_path / "runs/relu-seed3/config.json").read_text())["epochs"] == 2


def test_a_rate_that_diverges_is_not_chosen(tmp_path, monkeypatch):
    whole = workspace.train.train

    def train(config, **options):
        if config.learning_rate == 1e-4 and config.epochs == 1:
            raise workspace.train.DivergedError("NaN")
        return whole(config, **options)

    monkeypatch.setattr(workspace.train, "train", train)
    space = workspace.Workspace(tmp_path, TINY, lambda line: None)
    assert space.network("relu", 0).config.learning_rate == 1e-3


def test_the_table_of_the_pilot():
    accuracies = {
        name: 0.5
        for network in MAIN
        for rate in pilot_names(TINY, network).values()
        for name in rate
    }
    accuracies |= {"pilot-arun-0.001": 0.9, "pilot-arun-0.001-again": 0.8}
    found = {name: [{"accuracy": np.array(one)}] for name, one in accuracies.items()}
    found["pilot-relu-0.001"] = [None]
    conclusion = EXPERIMENTS["pilot"].conclude(Results(found), TINY)
    rows = {row[0]: row[1:] for row in conclusion.tables[0].rows}
    assert rows["ARUN"] == ("50.0, 50.0", "90.0, 80.0", "0.001")
    assert rows["ReLU"] == ("50.0", "diverged", "0.0001")


def test_a_preset_without_a_pilot_has_no_such_experiment():
    assert not EXPERIMENTS["pilot"].applies(PRESETS["quick"])
    with pytest.raises(ValueError, match="`only` must be one of"):
        reproduce.reproduce("quick", only=["pilot"])
    assert not analyze._fits(EXPERIMENTS["pilot"], "arun", PRESETS["medium"])


def test_a_folder_of_a_version_without_a_field_of_the_preset_goes_on(tmp_path):
    workspace.Workspace(tmp_path, PRESETS["quick"])
    mark = tmp_path / "preset.json"
    values = json.loads(mark.read_text())
    for name in ("pilot_rates", "pilot_epochs", "task_options", "networks", "experiments"):
        del values[name]
    mark.write_text(json.dumps(values))
    workspace.Workspace(tmp_path, PRESETS["quick"])
    mark.write_text(json.dumps({**values, "transfer_epochs": 7}))
    with pytest.raises(workspace.RunError, match="made with another preset"):
        workspace.Workspace(tmp_path, PRESETS["quick"])
