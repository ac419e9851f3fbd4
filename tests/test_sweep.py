"""Sweeps: all combinations or some, each trained once, in a sorted table."""

import argparse
import contextlib
import csv
import json

import numpy as np
import pytest

from aru_keras._util.files import locked
from aru_keras.models import sizes
from aru_keras.runners import config, grid, sweep_table
from aru_keras.runners import finish as finishing
from aru_keras.runners import sweep as module
from aru_keras.runners.cli import main
from aru_keras.runners.cluster import Workers
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.run_folder import RunFolder
from aru_keras.runners.sweep import sweep
from aru_keras.runners.train import DivergedError
from aru_keras.tasks import DatasetError

TINY = {"model": "gru", "match_parameters": False, "units": 3, "epochs": 1, "batch_size": 32}


def quiet(line):
    pass


def write_data(path, seed):
    x = np.random.default_rng(seed).normal(size=(20, 5, 2))
    np.savez(path, x=x, y=np.arange(20) % 2, test=0.25)
    return path


def finish_at_once(scores, calls):
    """In place of training: the score that a function gives for a configuration, or None."""

    def finish(folder, config):
        calls.append((config.units, config.seed))
        folder.path.mkdir(parents=True, exist_ok=True)
        score = scores(config)
        if score is None:
            (folder.path / "diverged.json").write_text('{"reason": "NaN"}')
            raise DivergedError("NaN")
        results = {"model": config.model, "units": config.units, "task": config.task}
        results |= {"test_accuracy": score / 2, "validation_accuracy": score, "test_loss": 1.0}
        results |= {"parameters": 1000 * config.units, "epochs": 1, "train_seconds": 1.0}
        results |= {"run_dir": str(folder.path), "best_epoch": 1, "test_seconds": 1.0}
        results |= {"permutation": "none", "versions": {}, "peak_memory_mb": None}
        folder.results.write_text(json.dumps(results))

    return finish


def test_all_combinations_are_tried_once_and_in_order():
    values = {"task": ["digits"], "model": ["gamma"], "units": [3, 4, 3], "n": [None, 2.0]}
    configs = grid.configurations(values)
    assert [(one.units, one.n) for one in configs] == [(3, None), (3, 2.0), (4, None), (4, 2.0)]
    assert grid.varying(configs) == ["units", "n"]


def test_draws_are_without_repetition_and_depend_on_their_seed_alone():
    values = {"task": ["digits"], "units": list(range(1, 1001)), "epochs": list(range(1, 1001))}
    first, again, other = (grid.configurations(values, 50, seed) for seed in (0, 0, 1))
    assert first == again != other and len(set(first)) == 50
    for size in (3, 20, 200):
        values["units"] = list(range(1, size + 1))
        values["epochs"] = [1]
        draws = [grid.configurations(values, count) for count in (2, 3, 60)]
        assert draws[0] == draws[1][:2] and draws[1] == draws[2][:3]
    huge = {"task": ["digits"], "patience": range(1, 10**9), "epochs": range(1, 10**9)}
    assert len(grid.configurations({**huge, "limit": range(1, 10**9)}, 2)) == 2
    few = {"task": ["digits"], "units": [3, 4]}
    assert set(grid.configurations(few, 10)) == set(grid.configurations(few))


def test_the_name_of_a_run_depends_on_every_option_and_on_no_other_run():
    one = TrainConfig("digits", units=3)
    names = {grid.run_name(other, 0) for other in (one, TrainConfig("digits", units=4))}
    names |= {grid.run_name(one, 1), grid.run_name(TrainConfig("digits", "relu", units=3), 0)}
    assert len(names) == 4 and grid.run_name(TrainConfig("digits", units=3, seed=5), 0) in names
    assert grid.run_name(TrainConfig("my/own data.npz"), 2).startswith("own-data.npz-arun-")


def test_a_sweep_trains_real_networks_and_goes_on(tmp_path, monkeypatch, capsys):
    words = ["sweep", "digits", "--model", "gru", "--units", "3", "4", "--epochs", "1"]
    words += [
        "--match-parameters",
        "no",
        "--limit",
        "32",
        "--batch-size",
        "32",
        "--dir",
        str(tmp_path),
    ]
    assert main(words) == 0
    first = (tmp_path / "sweep.md").read_text()
    assert first in capsys.readouterr().out
    (run, other) = sorted((tmp_path / "runs").iterdir())
    written = (other / "results.json").stat().st_mtime_ns
    (run / "results.json").unlink()
    assert main(words) == 0
    assert "2 runs, of which 1 are done" in capsys.readouterr().out
    assert (tmp_path / "sweep.md").read_text() == first
    assert (other / "results.json").stat().st_mtime_ns == written


def test_a_larger_sweep_uses_what_is_there(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "finish", finish_at_once(lambda config: 0.5, calls))
    sweep("digits", units=[3, 4], folder=tmp_path, say=quiet)
    sweep("digits", units=[3, 4, 5], seeds=2, folder=tmp_path, say=quiet, model=["arun"])
    assert calls == [(3, 0), (4, 0), (3, 1), (4, 1), (5, 0), (5, 1)]


def test_the_table_has_means_and_intervals_best_validation_first(tmp_path, monkeypatch):
    found = {3: [0.5, 0.6], 4: [0.9, 0.7], 5: [0.95, None], 6: [None, None]}
    score = finish_at_once(lambda config: found[config.units][config.seed], [])
    monkeypatch.setattr(module, "finish", score)
    table = sweep("digits", units=list(found), seeds=2, folder=tmp_path, say=quiet)
    header, _, *rows = table.splitlines()
    assert header == "| units | parameters | validation accuracy | test accuracy | no result |"
    assert [row.split(" | ")[0] for row in rows] == ["| 5", "| 4", "| 3", "| 6"]
    assert rows[0] == "| 5 | 5,000 | 0.95 | 0.475 | seed 1 diverged |"
    # The interval of 0.9 and 0.7: t(0.975, 1) = 12.706 times 0.1.
    assert rows[1] == "| 4 | 4,000 | 0.8 ± 1.3 (0.9, 0.7) | 0.4 ± 0.64 (0.45, 0.35) |  |"
    assert rows[3] == "| 6 |  |  |  | seed 0, 1 diverged |"
    lines = list(csv.DictReader((tmp_path / "sweep.csv").read_text().splitlines()))
    assert len(lines) == 8 and lines[0]["units"] == "3" and lines[0]["validation"] == "0.5"
    assert RunFolder(tmp_path / "runs" / lines[0]["run"]).results.exists()
    assert lines[5]["test"] == ""


def test_the_table_says_what_became_of_a_run_without_results(tmp_path):
    ends = {3: [0.9, "untrained"], 4: [None, "untrained"], 5: ["untrained"] * 2, 6: [0.8, 0.7]}
    learn, runs = finish_at_once(lambda config: ends[config.units][config.seed], []), {}
    for units in ends:
        for seed in (0, 1):
            run = RunFolder(tmp_path / f"{units}-{seed}")
            runs[TrainConfig("digits", units=units), seed] = run
            if ends[units][seed] != "untrained":
                with contextlib.suppress(DivergedError):
                    learn(run, TrainConfig("digits", units=units, seed=seed))
    pruned = {config: 7 for config, _ in runs if config.units in (3, 5)}
    table = sweep_table.write(tmp_path, runs, pruned=pruned, name="found")
    notes = [row.split(" | ")[-1].strip(" |") for row in table.splitlines()[2:]]
    assert notes[:2] == ["pruned after epoch 7", ""]
    assert notes[2:] == ["seed 0 diverged; seed 1 unfinished", "pruned after epoch 7"]
    assert (tmp_path / "found.md").read_text() == table
    assert len((tmp_path / "found.csv").read_text().splitlines()) == 9


def test_each_task_has_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "finish", finish_at_once(lambda config: 0.5, []))
    table = sweep(["digits", "sdigits"], folder=tmp_path, say=quiet)
    assert table.count("## digits") == table.count("## sdigits") == 1
    assert table.count("| model | parameters |") == 2


def test_the_options_are_those_of_train_with_their_help():
    one, several = argparse.ArgumentParser(), argparse.ArgumentParser()
    config.add_options(one)
    config.add_options(several, several=True)
    texts, others = (
        {action.dest: action.help.partition(" (default: ")[0] for action in parser._actions}
        for parser in (one, several)
    )
    assert texts.keys() == others.keys() >= set(TrainConfig.names())
    assert texts == others
    given = several.parse_args(["digits", "--shared", "yes", "no", "--units", "3", "4"])
    assert (given.task, given.shared, given.units) == (["digits"], [True, False], [3, 4])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model", "arun", "gamma", "--n", "2"], "In the combination model=arun"),
        (["--units", "0", "3"], "`units` must be a whole number"),
        (["--model", "arum"], "Did you mean 'arun'"),
        (["--seeds", "2", "--seed", "0", "1"], "Leave one of the two out"),
        (["--seed", "-1"], "`seed` must be a whole number of at least 0"),
        (["--seeds", "0"], "`seeds` must be a whole number of at least 1"),
        (["--random", "0"], "`random` must be a whole number of at least 1"),
        (["--shared", "maybe"], "argument --shared: must be yes or no. Received: 'maybe'"),
        (["--workers", "0"], "`workers` must be a whole number"),
    ],
)
def test_bad_input_is_one_line_and_trains_nothing(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["sweep", "digits", *arguments])
    except SystemExit as stop:
        code = stop.code
    err = capsys.readouterr().err
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("seeds", [1, 2])
def test_no_table_mixes_runs_on_old_and_new_data(seeds, tmp_path):
    data = str(write_data(tmp_path / "own.npz", 0))
    before = sweep(data, folder=tmp_path / "sweep", say=quiet, **TINY)
    write_data(data, 1)
    with pytest.raises(DatasetError, match=r"own\.npz has changed: the 12 sequences of train"):
        sweep(data, seeds=seeds, folder=tmp_path / "sweep", say=quiet, **TINY)
    assert (tmp_path / "sweep/sweep.md").read_text() == before
    write_data(data, 0)
    assert "(" in sweep(data, seeds=2, folder=tmp_path / "sweep", say=quiet, **TINY)


def test_a_sweep_that_breaks_off_leaves_a_table_of_what_is_done(tmp_path, monkeypatch):
    data, finish = str(write_data(tmp_path / "own.npz", 0)), module.finish

    def finish_and_change(folder, config):
        finish(folder, config)
        write_data(data, 1)

    monkeypatch.setattr(module, "finish", finish_and_change)
    with pytest.raises(DatasetError, match="has changed"):
        sweep(data, seeds=2, folder=tmp_path / "sweep", say=quiet, **TINY)
    (row,) = (tmp_path / "sweep/sweep.md").read_text().splitlines()[2:]
    assert row.startswith("| gru | ") and row.endswith(" | seed 1 unfinished |")


MISFITS = {
    "batch": (["--batch-size", "32", "181", "--drop-remainder", "yes"], "`batch_size` must be at"),
    "weights": (["--class-weights", "balanced", "1,2"], "`class_weights`"),
    "memory": (["--units", "3", "300"], "`units` must give a network that fits into memory"),
    "matching": (
        ["--units", "128", "3", "--model", "gru", "--match-parameters", "yes"],
        "No number of gru units has",
    ),
    "image": (["--downsample", "1", "3"], "`downsample` must divide the 8×8 image"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_does_not_fit_data_or_memory_is_refused_before_a_run(
    case, tmp_path, monkeypatch, capsys
):
    options, words = MISFITS[case]
    monkeypatch.chdir(tmp_path)
    # Enough for 300 units as they are, but not while they train.
    monkeypatch.setattr(sizes, "_memory", lambda: 8 * (300**2 if case == "memory" else 2**30))
    calls = []
    monkeypatch.setattr(module, "finish", finish_at_once(lambda config: 0.5, calls))
    assert main(["sweep", "digits", *options]) == 2
    err = capsys.readouterr().err
    combination = f"In the combination {options[0][2:].replace('-', '_')}={options[2]}."
    assert words in err and combination in err and len(err.strip().splitlines()) == 1
    assert not calls and not list(tmp_path.iterdir())


def test_workers_check_all_combinations_before_they_train(tmp_path, monkeypatch):
    seen = []

    @contextlib.contextmanager
    def working(tasks, workers, say, folder):
        seen.extend(tasks)
        yield lambda key: module.check_fit(*tasks[0].arguments)

    monkeypatch.setattr(module, "working", working)
    options = {**TINY, "batch_size": [32, 181], "drop_remainder": True, "workers": Workers(1)}
    with pytest.raises(ValueError, match=r"`batch_size` must be .* combination batch_size=181"):
        sweep("digits", folder=tmp_path, say=quiet, **options)
    first, *others = seen
    assert len(others) == 2 and all(task.needs == (first.key,) for task in others)


def test_a_run_that_another_process_trains_is_waited_for(tmp_path, monkeypatch):
    config = TrainConfig("digits", limit=32, **TINY)
    run, lines = tmp_path / "runs" / grid.run_name(config, 0), []
    run.mkdir(parents=True)
    with contextlib.ExitStack() as other:
        other.enter_context(locked(run / ".lock"))
        monkeypatch.setattr(finishing.time, "sleep", lambda seconds: other.close())
        table = sweep("digits", limit=32, folder=tmp_path, say=lines.append, **TINY)
    assert lines[1:] == [f"[1/1] {run.name}", "Another process trains this run: waiting for it"]
    assert table.splitlines()[2].startswith("| gru | ")
