"""Experiment 13: orders of populations across tasks."""

import numpy as np
from responding import PRESET, TASKS, network, verdicts

from aru_keras.analysis.fractional import fractional_derivative
from aru_keras.analysis.step_response import StepProtocol
from aru_keras.runners.experiments import fractional_tasks
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import SECOND_TASK


def population(orders, seed=0):
    """A response with a given order at each ξ, D^(−α) of the drive."""
    protocol = StepProtocol()
    jitter = 0.01 * np.random.default_rng(seed).normal(size=len(fractional_tasks.TASK_STEPS))
    steps = zip(fractional_tasks.TASK_STEPS, orders + jitter, strict=True)
    h = np.stack([fractional_derivative(protocol.drive(xi), -a) for xi, a in steps])
    return {"h": h, "h_plain": 2 * h}


RISING = np.array([0.1, 0.2, 0.25, 0.28, 0.29, 0.3, 0.3])
FALLING = np.array([0.5, 0.4, 0.35, 0.32, 0.31, 0.3, 0.3]) - 0.7


def seeds_of(orders, count, first=0):
    return [population(orders, first + seed) for seed in range(count)]


def test_tasks_with_orders_apart_that_rise_to_a_plateau_agree():
    found = {"arun": seeds_of(RISING, 3), SECOND_TASK: seeds_of(RISING - 0.6, 3, 10)}
    conclusion = TASKS.conclude(Results(found), PRESET)
    assert [claim.holds for claim in conclusion.claims] == [True] * 5
    assert conclusion.tables[0].rows[0][0] == "1" and len(conclusion.tables[0].rows) == 7


def test_falling_orders_do_not_grow():
    assert verdicts(TASKS, {"arun": seeds_of(FALLING, 3)}) == [False, False]


def test_equal_tasks_fail_with_the_papers_seeds_and_are_undecided_with_fewer():
    def claim(count):
        found = {"arun": seeds_of(RISING, count), SECOND_TASK: seeds_of(RISING, count, 10)}
        return verdicts(TASKS, found)[0]

    assert claim(5) is False and claim(2) is None and claim(1) is None


def test_orders_that_do_not_describe_the_responses_decide_nothing():
    large = [{**arrays, "h": 9 * arrays["h"]} for arrays in seeds_of(RISING, 3, 10)]
    found = {"arun": seeds_of(RISING, 3), SECOND_TASK: large}
    claims = TASKS.conclude(Results(found), PRESET).claims
    assert [claim.holds for claim in claims] == [None, True, True, None, None]
    assert all("sdigits: R² down to -" in claims[k].evidence for k in (0, 3, 4))


def test_one_seed_makes_no_t_test():
    assert verdicts(TASKS, {"arun": [population(RISING)]}) == [None, None]


def test_the_second_task_is_shown_with_the_authors_inputs_beside_ours(tmp_path):
    found = {"arun": seeds_of(RISING, 3), SECOND_TASK: seeds_of(RISING - 0.6, 3, 10)}
    table = TASKS.conclude(Results(found), PRESET).tables[0]
    assert "α, sdigits, W_xh = 1" in table.header
    one = network("arun")
    one.name = SECOND_TASK
    arrays = TASKS.measure(one, PRESET)
    assert arrays["h"].shape == arrays["h_plain"].shape
    # x ~ N(.05, .4²) adds what it is, whatever W_xh and b are.
    weights = one.cell.kernel, one.cell.bias
    for weight in weights:
        weight.assign(7 * weight.value + 1)
    changed = TASKS.measure(one, PRESET)
    np.testing.assert_allclose(changed["h_plain"], arrays["h_plain"], rtol=1e-5)
    assert not np.allclose(changed["h"], arrays["h"], rtol=1e-2)
