"""Trials of a search whose options do not fit: each is given up, and counts as a trial."""

import contextlib
import sqlite3

import numpy as np
import pytest
from test_search import RATES, TINY, learn_at_once, needs_optuna, quiet

from aru_keras.runners import search as module
from aru_keras.runners import study as study_module
from aru_keras.runners.cluster import Workers
from aru_keras.runners.ranges import Range
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.search_space import SearchSpace
from aru_keras.runners.study import UNFIT, Study


@pytest.fixture
def seen(monkeypatch):
    """The units that were tried. Networks of 3 units fit, and train at once."""
    units = []

    def check_fit(configs, names):
        units.extend(config.units for config in configs)
        if units[-1] > 3:
            raise ValueError(f"`units` must be 3.\nReceived: {units[-1]}.")

    monkeypatch.setattr(module, "check_fit", check_fit)
    monkeypatch.setattr(module, "finish", learn_at_once(lambda config: [0.5]))
    return units


@needs_optuna
def test_a_trial_that_does_not_fit_is_given_up_in_a_line_and_counts(tmp_path, seen):
    lines = []
    options = {**TINY, "epochs": 1, "units": [3, 4], "folder": tmp_path, "say": lines.append}
    table = module.search("digits", trials=8, **options)
    assert len(seen) == 8 and set(seen) == {3, 4}
    assert lines.pop(0) == "Some of 8 trials repeat others: there are 2 combinations."
    ends = {line.partition(": ")[2] for line in lines} - {"units=3", "units=4"}
    fit, unfit = "validation accuracy 0.5000", "does not fit: `units` must be 3. Received: 4."
    assert ends == {fit, unfit} and table.count("| 3 |") == 1 and "| 4 |" not in table
    assert module.search("digits", trials=8, **options) == table and len(seen) == 8


@needs_optuna
@pytest.mark.parametrize(("trials", "tried", "again"), [(2, 2, 2), (50, 5, 6)])
def test_a_search_ends_if_the_first_trials_do_not_fit(trials, tried, again, tmp_path, seen):
    options = {**TINY, "units": [4, 5], "folder": tmp_path, "say": quiet}
    for count in (tried, again):
        words = rf"Received: \d\. So far, the options of none of {count} trials fit"
        with pytest.raises(ValueError, match=words):
            module.search("digits", trials=trials, **options)
        assert len(seen) == count


@needs_optuna
def test_options_that_do_not_fit_are_not_queued_again_though_the_process_dies(tmp_path):
    study, space = Study(tmp_path, "killed", 0), SearchSpace({"task": "digits", **TINY, **RATES})
    with study.trial(2, space.draw) as first:
        first.set_user_attr(UNFIT, "Too large.")
    with study.trial(2, space.draw) as second, study.trial(2, space.draw) as third:
        assert second.params != first.params and third is None
    assert study.unfit() == {0: "Too large."}


@needs_optuna
def test_what_does_not_fit_on_workers_is_said_at_the_end(tmp_path, seen, monkeypatch):
    @contextlib.contextmanager
    def working(tasks, workers, say):
        yield lambda key: module.run_trials(*tasks[0].arguments)

    monkeypatch.setattr(module, "working", working)
    lines, options = [], {**TINY, "epochs": 1, "units": [3, 4], "folder": tmp_path}
    module.search("digits", trials=8, workers=Workers(1), say=lines.append, **options)
    assert lines[1:]
    assert all(line.endswith("fit: `units` must be 3. Received: 4.") for line in lines[1:])


@needs_optuna
def test_a_damaged_run_is_an_error_and_no_misfit(tmp_path):
    options = {**TINY, "epochs": 1, "units": [3, 4]}
    job = module.Job(tmp_path, SearchSpace({"task": "digits", **options}), (0,), 1, 0)
    for units in (3, 4):
        run = job.run(job.space.config({"units": units}), 0)
        run.path.mkdir(parents=True)
        run.config.write_text("{")
    with pytest.raises(RunError, match=r"config\.json is damaged"):
        module.search("digits", trials=1, folder=tmp_path, say=quiet, **options)
    assert not job.study().unfit()


@pytest.mark.parametrize("seeds", [[], (), np.array([], int)])
def test_a_search_without_seeds_is_refused(seeds, tmp_path):
    with pytest.raises(ValueError, match="`seeds` must be a number of seeds, or a list of one"):
        module.search("digits", trials=1, seeds=seeds, folder=tmp_path, units=[3, 4])


def test_a_range_of_whole_numbers_is_one_of_numbers_where_an_option_has_numbers():
    options = {"task": "digits", "model": "gamma", "units": Range(3, 5)}
    space = SearchSpace({**options, "n": Range(1, 5)})
    assert not space.chosen["n"].whole and space.chosen["units"].whole
    assert space.size == float("inf")
    assert SearchSpace({**options, "epochs": [1, 2]}).size == 6


@needs_optuna
@pytest.mark.parametrize("at_once", [True, False])
def test_a_busy_study_is_named_in_a_line(at_once, tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "SECONDS_TO_WAIT", 0.1)
    study, space = Study(tmp_path, "busy", 0), SearchSpace({"task": "digits", **TINY, **RATES})
    other = sqlite3.connect(tmp_path / "study.db")
    busy = pytest.raises(RunError, match=r"study\.db could not be .* locked.* What is done is kept")
    with contextlib.closing(other), busy, contextlib.ExitStack() as stack:
        if at_once:
            other.execute("begin exclusive")
        trial = stack.enter_context(study.trial(1, space.draw))
        other.execute("begin exclusive")
        trial.report(0.5, 1)
