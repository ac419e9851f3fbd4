"""Trials of a search whose options do not fit: each is given up, and counts as a trial."""

import contextlib

import pytest
from test_search import RATES, TINY, learn_at_once, needs_optuna, quiet

from aru_keras.runners import search as module
from aru_keras.runners.cluster import Workers
from aru_keras.runners.search_space import SearchSpace
from aru_keras.runners.study import UNFIT, Study


def of_three_units(config):
    """The curve of a network of 3 units; no other fits."""
    if config.units > 3:
        raise ValueError(f"`units` must be 3.\nReceived: {config.units}.")
    return [0.5]


@needs_optuna
def test_a_trial_that_does_not_fit_is_given_up_in_a_line_and_counts(tmp_path, monkeypatch):
    seen, lines = [], []
    monkeypatch.setattr(module, "finish", learn_at_once(of_three_units, seen))
    options = {**TINY, "epochs": 1, "units": [3, 4], "folder": tmp_path, "say": lines.append}
    table = module.search("digits", trials=8, **options)
    assert len(seen) == 8 and {units for units, *_ in seen} == {3, 4}
    ends = {line.partition(": ")[2] for line in lines} - {"units=3", "units=4"}
    fit, unfit = "validation accuracy 0.5000", "does not fit: `units` must be 3. Received: 4."
    assert ends == {fit, unfit} and table.count("| 3 |") == 1 and "| 4 |" not in table
    assert module.search("digits", trials=8, **options) == table and len(seen) == 8


@needs_optuna
@pytest.mark.parametrize(("trials", "tried", "again"), [(2, 2, 2), (50, 5, 6)])
def test_a_search_ends_if_the_first_trials_do_not_fit(trials, tried, again, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "finish", learn_at_once(of_three_units, seen))
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
def test_what_does_not_fit_on_workers_is_said_at_the_end(tmp_path, monkeypatch):
    @contextlib.contextmanager
    def working(tasks, workers, say):
        yield lambda key: module.run_trials(*tasks[0].arguments)

    monkeypatch.setattr(module, "working", working)
    monkeypatch.setattr(module, "finish", learn_at_once(of_three_units))
    lines, options = [], {**TINY, "epochs": 1, "units": [3, 4], "folder": tmp_path}
    module.search("digits", trials=8, workers=Workers(1), say=lines.append, **options)
    assert lines
    assert all(line.endswith("fit: `units` must be 3. Received: 4.") for line in lines)
