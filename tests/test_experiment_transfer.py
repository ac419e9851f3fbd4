"""Experiment 9: what retraining recovers."""

import pytest
from trained import NOISE, conclusion_of, verdicts

from aru_keras import tasks
from aru_keras.runners.experiments import analyze
from aru_keras.runners.experiments.trained_run import TrainedRun
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.train import TrainConfig


def test_rotated_images_have_the_pixel_order_of_the_run(tmp_path):
    network = TrainedRun("relu", 0, RunFolder(tmp_path))
    network.config = TrainConfig("digits", model="relu", permutation_seed=5)
    rotated = network.other_task("rotated-digits")
    assert (
        rotated.permutation_hash == tasks.load_task("digits", permutation_seed=5).permutation_hash
    )
    assert rotated.permutation_hash != tasks.load_task("digits").permutation_hash


@pytest.mark.parametrize(("task", "made"), [("digits", True), ("sdigits", False)])
def test_a_run_is_analyzed_on_rotated_images_of_its_own_task_alone(task, made):
    chosen = analyze.fitted_preset("quick", tasks.load_task(task))
    experiment = analyze.EXPERIMENTS["transfer"]
    reason = analyze._reason_against(experiment, "arun", chosen, tasks.TASKS[task])
    assert (reason is None) == made and (made or f"not those of {task}" in reason)


def test_what_retraining_recovers():
    before = {"accuracy": 0.94 + NOISE, "loss": 0.2 + NOISE}
    before |= {"rotated_accuracy": 0.42 + NOISE, "rotated_loss": 3.0 + NOISE}
    paper = before | {"rotated_accuracy": 0.60 + NOISE, "rotated_loss": 2.0 + NOISE}
    names = ("gamma", "gamma-rotated-activation")
    assert verdicts("transfer", dict(zip(names, (before, paper), strict=True))) == [True] * 2
    assert verdicts("transfer", dict(zip(names, (before, before), strict=True))) == [False] * 2


@pytest.mark.parametrize("rotated", [0.42, 0.40])
def test_what_was_never_lost_is_no_recovery(rotated):
    before = {"accuracy": 0.40 + NOISE, "loss": 2.0 + NOISE}
    before |= {"rotated_accuracy": rotated + NOISE, "rotated_loss": 3.0 + NOISE}
    after = before | {"rotated_accuracy": 0.40 + NOISE, "rotated_loss": 2.0 + NOISE}
    names = ("gamma", "gamma-rotated-activation")
    found = conclusion_of("transfer", dict(zip(names, (before, after), strict=True)))
    assert [claim.holds for claim in found.claims] == [None, True]
    assert "nothing was lost on the rotated task with 3 of 3 seeds" in found.claims[0].evidence
    assert found.tables[0].rows[1][-2] == "nothing was lost" and set(found.figures) == {"recovery"}
