"""What the arguments of a sweep may be, and what is read before it trains."""

import numpy as np
import pytest
from test_sweep import finish_at_once, quiet

from aru_keras.runners import search_space
from aru_keras.runners import sweep as module
from aru_keras.runners.run_folder import RunError
from aru_keras.runners.sweep import sweep


@pytest.mark.parametrize("values", [(3, 4), np.array([3, 4]), {4, 3}, range(3, 5), iter([3, 4, 3])])
def test_any_iterable_holds_the_values_of_an_option(values):
    assert search_space.listed(values) == [3, 4]


@pytest.mark.parametrize("value", [3, "gru", np.float32(0.5), np.array(3), None])
def test_what_is_no_iterable_is_a_value(value):
    assert search_space.listed(value) == [value]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"units": []}, "`units` must be a value, or a list of one or more"),
        ({"task": []}, "`task` must be a value, or a list of one or more"),
        ({"seeds": []}, "`seeds` must be a number of seeds, or a list of one seed or more"),
        ({"seed": 3}, r"Received: seed=\[3\]. Give `seeds`, as in seeds=\[0, 3\]"),
        ({"workers": "four"}, "`workers` must be a whole number"),
    ],
)
def test_bad_arguments_leave_the_table_as_it_is(options, words, tmp_path):
    (tmp_path / "sweep.md").write_text("a table")
    with pytest.raises(ValueError, match=words):
        sweep(**{"task": "digits", "folder": tmp_path, "say": quiet, **options})
    assert [file.name for file in tmp_path.iterdir()] == ["sweep.md"]
    assert (tmp_path / "sweep.md").read_text() == "a table"


def test_a_damaged_result_is_found_before_anything_is_trained(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "finish", finish_at_once(lambda config: 0.5, calls))
    sweep("digits", folder=tmp_path, say=quiet)
    (run,) = (tmp_path / "runs").iterdir()
    (run / "results.json").write_text("{")
    with pytest.raises(RunError, match=r"results\.json is damaged"):
        sweep("digits", seeds=2, folder=tmp_path, say=quiet)
    assert len(calls) == 1


def test_a_result_that_is_damaged_meanwhile_leaves_the_table_of_the_others(tmp_path, monkeypatch):
    finish = finish_at_once(lambda config: 0.5, [])

    def finish_and_damage(folder, config):
        finish(folder, config)
        if config.seed == 1:
            folder.results.write_text("{")

    monkeypatch.setattr(module, "finish", finish_and_damage)
    with pytest.raises(RunError, match=r"results\.json is damaged"):
        sweep("digits", seeds=2, folder=tmp_path, say=quiet)
    (row,) = (tmp_path / "sweep.md").read_text().splitlines()[2:]
    assert "| 0.5 | 0.25 |" in row
