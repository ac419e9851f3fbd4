"""`analyze` of runs on one's own sequences: what makes sense, and why the rest does not."""

import dataclasses

import numpy as np
import pytest
from own_runs import untrained_run

from aru_keras import tasks
from aru_keras.runners.cli import main
from aru_keras.runners.experiments import presets, robustness
from aru_keras.runners.experiments.names import ANALYZED
from aru_keras.runners.experiments.own_tasks import PROTOCOLS, reason_against
from aru_keras.runners.run_folder import RunFolder

X = np.random.default_rng(0).normal(size=(12, 20, 2))
ROWS = [one[: 10 + k % 10] for k, one in enumerate(X)]
LABELS, VALUES = np.arange(12) % 2, X[:, :, 0].mean(axis=1)
ALWAYS = {"family", "jacobian", "controller", "spectrum", "fractional-order", "slow-drive"}


def made(x, y):
    return tasks.from_arrays((x, y), (x, y), (x, y), name="own")


def possible(task):
    return {name for name in ANALYZED if reason_against(name, task.spec) is None}


def test_what_an_experiment_needs_decides_whether_it_is_made():
    assert possible(tasks.load_task("digits")) == set(ANALYZED)
    assert possible(made(ROWS, VALUES)) == ALWAYS
    of_one_length = possible(made(X, VALUES))
    assert {"transients", "lyapunov", "noise-boundary"} <= of_one_length
    assert not {"accuracy", "robustness", "transfer"} & of_one_length
    classes = possible(made(X[..., :1], LABELS))
    assert {"accuracy", "robustness", "gradients", "fractional-order"} <= classes
    assert "transfer" not in classes
    short = possible(made(X[:, :4], LABELS))
    assert short == classes - set(PROTOCOLS)


def test_an_experiment_whose_protocol_is_longer_than_the_sequences_is_left_out():
    left_out = {
        steps: possible(made(X, VALUES)) - possible(made(X[:, :steps], VALUES))
        for steps in (6, 10, 13, 14)
    }
    assert "gain-scaling" in left_out[13] and not left_out[14]
    reason = reason_against("gain-scaling", made(X[:, :8], VALUES).spec)
    assert reason == "the paper's burst of noise does not fit into 8 steps."


@pytest.fixture(scope="module", params=["ragged class", "value"])
def run(request, tmp_path_factory):
    task = made(ROWS, LABELS) if request.param == "ragged class" else made(X, VALUES)
    return untrained_run(tmp_path_factory.mktemp("own"), task)


def reason(classes):
    """Why the accuracy is not measured: the sequences with classes differ in length."""
    if classes:
        return "it needs sequences of one length."
    return "it counts right classes at the end of a sequence."


def test_the_report_shows_what_was_made_and_says_why_not_the_rest(run, capsys, monkeypatch):
    from aru_keras.runners.experiments import analyze as module

    few = {
        name: module.EXPERIMENTS[name] for name in ("family", "accuracy", "transfer", "spectrum")
    }
    monkeypatch.setattr(module, "EXPERIMENTS", few)
    assert main(["analyze", str(run)]) == 0
    report = (run / "analysis/report.md").read_text("utf-8")
    classes = RunFolder(run).load_config().load_task().classes
    assert reason(classes) in report
    assert "it needs another task of the paper" in report
    assert ("test accuracy" if classes else "test R²") in report
    made = {path.name.partition("-")[0] for path in (run / "analysis").rglob("*.png")}
    assert len(made) >= 2


def test_an_experiment_that_makes_no_sense_is_refused_with_its_reason(run, capsys):
    assert main(["analyze", str(run), "--only", "accuracy"]) == 2
    assert reason(RunFolder(run).load_config().load_task().classes) in capsys.readouterr().err


def test_robustness_counts_what_is_above_the_chance_of_these_classes(tmp_path, monkeypatch):
    quick = presets.PRESETS["quick"]
    tiny = {"step_amplitudes": (0.0, 1.0), "contrast_amplitudes": (0.0, 0.5)}
    monkeypatch.setitem(presets.PRESETS, "quick", dataclasses.replace(quick, **tiny))
    chances, classes = [], []
    monkeypatch.setattr(
        robustness, "_lost", lambda amplitudes, curve, chance: chances.append(chance) or 0.0
    )
    draw = robustness.robustness_curves
    monkeypatch.setattr(
        robustness,
        "robustness_curves",
        lambda *given, **options: classes.append(options["classes"]) or draw(*given, **options),
    )
    run = untrained_run(tmp_path, made(X, LABELS))
    assert main(["analyze", str(run), "--only", "robustness"]) == 0
    assert set(chances) == {0.5} and set(classes) == {2}
