"""The presets: what they train, and that runs that are finished stay theirs."""

import dataclasses
from pathlib import Path

import pytest

from aru_keras import tasks
from aru_keras.runners.experiments import perturbed, reproduce, workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.presets import PRESETS
from aru_keras.runners.experiments.trainings import config, pilot_names, trainings
from aru_keras.runners.run_folder import RunFolder

MEDIUM, LONG = PRESETS["medium"], PRESETS["medium-long"]
FINISHED = Path(__file__).parents[1] / "docs/reports/medium/runs"


def timesteps(options):
    return tasks.TASKS[options.task].timesteps // options.downsample**2


def options(preset, name, start=None):
    return config(trainings(preset)[name], 0, start)


def test_medium_is_of_the_sizes_that_it_names():
    arun = options(MEDIUM, "arun")
    sizes = (timesteps(arun), arun.units, arun.controller_units, arun.batch_size, arun.epochs)
    assert sizes == (196, 128, 32, 100, 30)
    assert arun.weight_decay is arun.clip_norm is None
    assert MEDIUM.pilot_rates == (1e-4, 3e-4, 1e-3) and MEDIUM.pilot_epochs == 10
    assert pilot_names(MEDIUM, "arun")[3e-4] == ["pilot-arun-0.0003", "pilot-arun-0.0003-again"]
    assert options(MEDIUM, "gamma-rotated-activation", "runs/gamma-seed0").epochs == 100
    assert len(MEDIUM.gains) * len(MEDIUM.saturations) >= 40 and MEDIUM.landscape_epochs == 5


def test_medium_has_the_columns_of_cifar_10_at_a_reduced_size():
    grey, convolved = (options(MEDIUM, f"gamma-{task}") for task in MEDIUM.table_tasks)
    assert timesteps(grey) == 256 and timesteps(convolved) == 64
    names = set(EXPERIMENTS["accuracy"].trainings(MEDIUM))
    assert {"gru-scifar10", "gru-scifar10-conv", "arun-second-task"} < names


@pytest.mark.parametrize("name", PRESETS)
def test_no_training_of_a_preset_decays_its_weights(name):
    for training in trainings(PRESETS[name]).values():
        start = "runs/RUN" if training.start else None
        assert not config(training, 0, start).weight_decay, training.name
    assert config(trainings(PRESETS["quick"])["arun"], 0).clip_norm == 1


def test_medium_long_compares_three_networks_at_full_length():
    arun = options(LONG, "arun")
    sizes = (timesteps(arun), arun.units, arun.controller_units, arun.epochs)
    assert sizes == (784, 128, 16, 20) and LONG.seeds == 3
    for name in LONG.experiments[1:]:
        assert sorted(EXPERIMENTS[name].trainings(LONG)) == ["arun", "gamma", "relu"]
    pilots = {name for name in trainings(LONG) if name.startswith("pilot")}
    assert pilots == set(EXPERIMENTS["pilot"].trainings(LONG)) and len(pilots) == 3 * 4


def test_a_report_says_how_long_the_step_drive_is_here():
    # 200·64/784 = 16.3: 16 < t < 32. And 200·196/784 = 50: 50 < t < 100.
    assert reproduce._timing(PRESETS["quick"]).startswith("T = 64; ")
    assert reproduce._timing(PRESETS["quick"]).endswith("from step 17 to 31")
    assert reproduce._timing(MEDIUM).endswith("from step 51 to 99")


def test_a_preset_offers_its_experiments_alone(tmp_path):
    with pytest.raises(ValueError, match="one of pilot, accuracy, robustness, gradients"):
        reproduce.reproduce("medium-long", tmp_path, only=["landscape"])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("run", sorted(FINISHED.iterdir()), ids=lambda run: run.name)
def test_runs_that_are_finished_are_taken_as_they_are(run, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / run.name).symlink_to(run)
    # The learning rate of other trainings is the pilot's, which is not finished.
    rate = RunFolder(run).load_config().learning_rate
    space = workspace.Workspace(tmp_path, MEDIUM, lambda line: None)
    chosen = space._learning_rate
    monkeypatch.setattr(
        space,
        "_learning_rate",
        lambda training: rate if training.chooses_rate else chosen(training),
    )
    name, _, seed = run.name.rpartition("-seed")
    folder, _ = space._run(name, int(seed))
    assert folder.results.exists()


def test_a_run_on_the_second_task_of_the_maps_is_measured_once():
    grey = dataclasses.replace(MEDIUM, task="scifar10")
    assert perturbed._tasks(grey) == ("scifar10",)
    assert len(set(perturbed.trainings(grey))) == len(perturbed.trainings(grey))
