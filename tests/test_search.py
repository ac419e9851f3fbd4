"""Searches: trials that Optuna chooses, prunes and several processes share."""

import json
from types import SimpleNamespace

import pytest
from support import another_process
from test_sweep import write_data

from aru_keras._util import extras
from aru_keras.runners import cluster, ranges, train
from aru_keras.runners import search as module
from aru_keras.runners.cli import main
from aru_keras.runners.finish import DIVERGED_FILE, finish
from aru_keras.runners.ranges import Range
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.search_space import SearchSpace
from aru_keras.runners.study import Study
from aru_keras.runners.sweep import sweep
from aru_keras.runners.train import DivergedError
from aru_keras.tasks import DatasetError

needs_optuna = pytest.mark.skipif(
    not extras.importlib.util.find_spec("optuna"), reason="the extra search is not installed"
)
TINY = {"model": "gru", "match_parameters": False, "limit": 32, "batch_size": 32}
RATES = {"units": Range(3, 9), "learning_rate": Range(1e-4, 1e-1, log=True)}


def quiet(line):
    pass


def learn_at_once(curve, seen=None):
    """In place of training: the validation accuracies that a function gives, or None."""

    def finish(folder, config, callbacks=()):
        if seen is not None:
            seen.append((config.units, config.learning_rate, config.seed))
        scores = curve(config)
        folder.path.mkdir(parents=True, exist_ok=True)
        if scores is None:
            (folder.path / DIVERGED_FILE).write_text('{"reason": "NaN"}')
            raise DivergedError("NaN")
        for callback in callbacks:
            callback.set_model(SimpleNamespace(stop_training=False))
            for epoch, score in enumerate(scores):
                callback.on_epoch_end(epoch, {"val_accuracy": score})
        results = {"model": config.model, "units": config.units, "task": config.task}
        results |= {"test_accuracy": 0.5, "validation_accuracy": scores[-1], "test_loss": 1.0}
        results |= {"parameters": 1000, "epochs": len(scores), "train_seconds": 1.0}
        results |= {"run_dir": str(folder.path), "best_epoch": 1, "test_seconds": 1.0}
        results |= {"permutation": "none", "versions": {}, "peak_memory_mb": None}
        folder.results.write_text(json.dumps(results))

    return finish


@needs_optuna
def test_a_search_trains_real_networks_and_goes_on(tmp_path, capsys):
    words = ["sweep", "digits", "--model", "gru", "--match-parameters", "no", "--epochs", "1"]
    words += ["--limit", "32", "--batch-size", "32", "--units", "3:90", "--dir", str(tmp_path)]
    words += ["--search", "optuna", "--trials"]
    assert main([*words, "1"]) == 0
    (first,) = (tmp_path / "runs").iterdir()
    written = (first / "results.json").stat().st_mtime_ns
    assert main([*words, "2"]) == 0
    assert len(list((tmp_path / "runs").iterdir())) == 2
    capsys.readouterr()
    assert main([*words, "2"]) == 0
    table = (tmp_path / "search.md").read_text()
    assert capsys.readouterr().out.strip() == table.strip() and table.count("\n") == 4
    assert (first / "results.json").stat().st_mtime_ns == written


@needs_optuna
def test_a_trial_below_the_median_is_pruned_and_can_be_continued(tmp_path):
    import optuna

    space = SearchSpace({"task": "digits", **TINY, "epochs": 2, "units": Range(3, 4)})
    job = module.Job(tmp_path, space, (0,), 6, 0)
    study = job.study().study
    perfect = {"params": {"units": 3}, "intermediate_values": {1: 1.0, 2: 1.0}, "value": 1.0}
    perfect["distributions"] = {"units": optuna.distributions.IntDistribution(3, 4)}
    for _ in range(5):
        study.add_trial(optuna.create_trial(**perfect))
    study.enqueue_trial({"units": 4})
    lines = []
    module.run_trials(job, lines.append)
    run = job.run(space.config({"units": 4}), 0)
    assert lines[-1] == "trial 5: pruned after epoch 1" and not run.results.exists()
    assert study.trials[5].intermediate_values.keys() == {1}
    # A second look at its curve, by another trial, prunes it before it trains.
    again = study.ask(fixed_distributions={})
    curve = module.PruneOnValidation(again, run, 2)
    with pytest.raises(optuna.TrialPruned, match="after epoch 1"):
        finish(run, run.load_config(), callbacks=[curve])
    assert train.resume(run.path, verbose=0)["epochs"] == 2


@needs_optuna
def test_the_table_has_all_ends_best_validation_first(tmp_path, monkeypatch):
    ends = {8: [0.9, 0.9], 9: [0.2, 0.3], 7: None}
    learn = learn_at_once(lambda config: ends.get(config.units, [0.5, 0.1 * config.units]))
    monkeypatch.setattr(module, "finish", learn)
    options = {**TINY, "epochs": 2, **RATES}
    study = Study(tmp_path, SearchSpace({"task": "digits", **options}).names([0], 0)[0], 0).study
    for units in (3, 4, 5, 6, 8, 9, 7):
        study.enqueue_trial({"units": units, "learning_rate": 0.001234567})
    table = module.search("digits", trials=7, folder=tmp_path, say=quiet, **options)
    rows = [row.strip("| ").split(" | ") for row in table.splitlines()[2:]]
    assert [row[0] for row in rows] == ["8", "6", "5", "4", "3", "9", "7"]
    assert {row[1] for row in rows} == {"0.00123"}
    ends = ["pruned after epoch 1", "seed 0 diverged"]
    assert [row[-1].strip(" |") for row in rows[-2:]] == ends
    for run in (tmp_path / "runs").iterdir():  # As if they had never been trained.
        for name in (DIVERGED_FILE, "results.json"):
            (run / name).unlink(missing_ok=True)
    table = module.search("digits", trials=7, folder=tmp_path, say=quiet, **options)
    notes = [row.split(" | ")[-1].strip(" |") for row in table.splitlines()[2:]]
    assert notes.count("seed 0 unfinished") == 6 and notes.count("pruned after epoch 1") == 1


@pytest.mark.slow
@needs_optuna
def test_a_broken_search_goes_on_as_an_unbroken_one(tmp_path, monkeypatch):
    def curve(config):
        if seen is broken and len(seen) == 12:
            raise KeyboardInterrupt
        return [1 / (1 + abs(config.units - 5)), config.learning_rate]

    broken, unbroken = [], []
    for name, seen in (("broken", broken), ("unbroken", unbroken)):
        monkeypatch.setattr(module, "finish", learn_at_once(curve, seen))
        monkeypatch.setitem(TINY, "epochs", 2)
        search = {"folder": tmp_path / name, "trials": 14, "say": quiet, **TINY, **RATES}
        if seen is broken:
            with pytest.raises(KeyboardInterrupt):
                module.search("digits", **search)
            assert len((tmp_path / "broken/search.md").read_text().splitlines()) > 10
        module.search("digits", **search)
    assert broken[11] == broken[12]
    assert broken[:12] + broken[13:] == unbroken and len(set(unbroken)) > 10


@needs_optuna
def test_processes_share_trials_and_what_a_killed_one_had_is_tried_anew(tmp_path):
    space = SearchSpace({"task": "digits", **TINY, **RATES})

    def at_work():
        return Study(tmp_path, "shared", 0).trial(2, space.draw)

    imports = (
        "from pathlib import Path\nfrom aru_keras.runners.ranges import Range\n"
        "from aru_keras.runners.search_space import SearchSpace\n"
        "from aru_keras.runners.study import Study"
    )
    given = {"task": "digits", **TINY, **RATES}
    there = f"Study(Path({str(tmp_path)!r}), 'shared', 0).trial(2, SearchSpace({given!r}).draw)"
    with another_process(imports, there), at_work() as second, at_work() as third:
        assert third is None and second.number == 1
        (first,) = (trial for trial in Study(tmp_path, "shared", 0).trials("RUNNING")[:1])
        assert first.params != second.params
        Study(tmp_path, "shared", 0).finish(second, 0.5)
    with at_work() as again:
        assert again.params == first.params and again.number == 2


@needs_optuna
@pytest.mark.parametrize(("score", "report"), [(0.5, False), (None, False), (0.5, True)])
def test_a_trial_that_another_process_has_ended_is_one_line(tmp_path, score, report):
    """As on a file system without locks between machines."""
    study, space = Study(tmp_path, "taken", 0), SearchSpace({"task": "digits", **TINY, **RATES})
    fail = study.optuna.trial.TrialState.FAIL
    ended = pytest.raises(RunError, match="Trial 0 has been ended by another process")
    with ended, study.trial(2, space.draw) as trial:
        Study(tmp_path, "taken", 0).study.tell(trial.number, state=fail)
        if report:
            trial.report(0.5, step=0)
        study.finish(trial, score)


@needs_optuna
def test_a_trial_has_the_mean_over_its_seeds_and_none_if_one_diverges(tmp_path, monkeypatch):
    def curve(config):
        return None if config.units == 4 and config.seed else [0.2 + 0.4 * config.seed]

    monkeypatch.setattr(module, "finish", learn_at_once(curve))
    options = {**TINY, "epochs": 1, "units": [3, 4], "seeds": 2, "folder": tmp_path}
    lines = []
    module.search("digits", trials=6, say=lines.append, **options)
    ends = {line.partition(": ")[2] for line in lines[1:]}
    assert ends == {"units=3", "units=4", "validation accuracy 0.4000", "diverged"}


@needs_optuna
def test_no_search_mixes_trials_on_old_and_new_data(tmp_path):
    data = write_data(tmp_path / "own.npz", 0)
    options = {**TINY, "epochs": 1, "units": [3, 4], "folder": tmp_path / "search", "say": quiet}
    table = module.search(str(data), trials=1, **options)
    write_data(data, 1)
    for trials in (1, 2):
        with pytest.raises(DatasetError, match=r"own\.npz has changed"):
            module.search(str(data), trials=trials, **options)
    assert (tmp_path / "search/search.md").read_text() == table


@needs_optuna
def test_a_grid_in_the_folder_of_a_search_leaves_its_table(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "finish", learn_at_once(lambda config: [0.5]))
    options = {**TINY, "epochs": 1, "folder": tmp_path, "say": quiet}
    table = module.search("digits", trials=3, units=[3, 4], **options)
    assert sweep("digits", units=3, **options) == (tmp_path / "sweep.md").read_text() != table
    assert (tmp_path / "search.md").read_text() == table
    assert (tmp_path / "search.csv").exists()


@needs_optuna
def test_a_file_that_is_no_study_is_named(tmp_path):
    (tmp_path / "study.db").write_text("nothing of the kind" * 100)
    with pytest.raises(RunError, match=r"study\.db must be the file of Optuna's studies"):
        module.search("digits", trials=1, folder=tmp_path, say=quiet, **TINY, **RATES)


def test_numbers_of_a_range_are_rounded_within_it():
    rate = Range(0.00012345, 0.1, log=True)
    assert rate.rounded(0.00123456) == 0.00123 and rate.rounded(0.00012345) == 0.00012345
    assert Range(3, 9999).rounded(1234) == 1234
    assert str(rate) == "0.00012345:0.1:log" and ranges.parsed(str(rate), float) == rate
    assert ranges.parsed("3:9", int) == Range(3, 9) and ranges.parsed("3", int) == 3


SEARCH = ["--search", "optuna", "--trials", "2"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--units", "3:9"], "`units` must be numbers, as a grid has no ranges. Received: 3:9."),
        (["--units", "9:3", *SEARCH], "A range must have `low` < `high`. Received: 9:3."),
        (["--units", "3:9.5", *SEARCH], "must be LOW:HIGH or LOW:HIGH:log, of whole numbers"),
        (["--units", "3:9:2", *SEARCH], "must be LOW:HIGH or LOW:HIGH:log"),
        (["--decay", "0:1:log", *SEARCH], "must have 0 < `low` < `high`"),
        (["--units", "3:9", "12", *SEARCH], "must be a range, or one value or more"),
        (["--units", "0:9", *SEARCH], "`units` must be a whole number of at least 1"),
        (["--units", "3", *SEARCH], "Received: one value for each option"),
        (["sdigits", *SEARCH], "of a single task"),
        (["--units", "3:9", "--search", "optuna"], "must be given together"),
        (["--units", "3:9", "--trials", "3"], "must be given together"),
        (["--units", "3:9", "--random", "3", *SEARCH], "without `random`"),
        (["--units", "3:9", "--search", "optima", "--trials", "1"], "Did you mean 'optuna'"),
        (["--units", "3:9", "--search", "optuna", "--trials", "0"], "`trials` must be a whole"),
        (["--units", "3:9", "--scheduler", "tcp://a:1", *SEARCH], "Give --workers K"),
        (["--model", "arun", "gamma", "--n", "1:2", *SEARCH], "In the combination model=arun"),
        (["--seed", "0:2", "--units", "3:9", *SEARCH], "`seed` must be numbers"),
        (["--units", "3:9", *SEARCH], "pip install optuna"),
    ],
)
def test_bad_input_is_one_line_before_a_missing_package(
    arguments, words, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    try:
        code = main(["sweep", "digits", *arguments])
    except SystemExit as stop:
        code = stop.code
    err = capsys.readouterr().err
    assert code == 2 and words in err and len(err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_scheduler_is_refused():
    workers = cluster.Workers(scheduler="tcp://a:1")
    with pytest.raises(ValueError, match="`scheduler` must not be given with `search`"):
        module.search("digits", trials=1, workers=workers, units=[3, 4])
