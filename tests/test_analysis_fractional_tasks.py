"""Fractional orders of populations, compared between tasks."""

import numpy as np
import pytest
from responding import made_responses
from scipy import stats

from aru_keras.analysis.fractional import fractional_order
from aru_keras.analysis.fractional_tasks import compare_tasks, population_orders
from aru_keras.analysis.step_response import StepResponses


def test_the_population_is_the_mean_response():
    responses = made_responses(np.array([-0.4, 0.1, 0.6]))
    found = population_orders(responses, free_gain=True)
    mean = responses.of("h")[2].mean(axis=-1)
    expected = fractional_order(mean, responses.drive[2], free_gain=True).alpha[0]
    assert abs(found[5.0] - expected) < 1e-9
    silent = StepResponses(
        responses.drives, responses.drive, {"h": 0 * responses.of("h")}, isolated=True
    )
    with pytest.raises(ValueError, match="must respond"):
        population_orders(silent)


def test_tasks_are_compared_by_the_t_tests_of_scipy():
    draws = np.random.default_rng(0)
    drives = (0.5, 1.0, 5.0, 30.0)
    first = [dict(zip(drives, draws.normal(0.2, 0.1, 4), strict=True)) for _ in range(5)]
    second = [dict(zip(drives, draws.normal(0.4, 0.1, 4), strict=True)) for _ in range(4)]
    found = compare_tasks(first, second)
    assert list(found.by_drive) == [1.0, 5.0, 30.0]
    for drive, test in found.by_drive.items():
        expected = stats.ttest_ind([one[drive] for one in first], [one[drive] for one in second])
        assert test.p == pytest.approx(expected.pvalue)
    for task, test in zip((first, second), found.within, strict=True):
        expected = stats.ttest_rel([one[1.0] for one in task], [one[30.0] for one in task])
        assert test.p == pytest.approx(expected.pvalue)
        assert test.statistic == pytest.approx(expected.statistic)
    with pytest.raises(ValueError, match="the same ξ"):
        compare_tasks(first, [{1.0: 0.1, 30.0: 0.2}] * 3)
    with pytest.raises(ValueError, match=r"`low` = 1\.0 and `high` = 20\.0"):
        compare_tasks(first, second, high=20.0)
