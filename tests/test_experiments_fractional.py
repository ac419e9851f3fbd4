"""Experiments 12, 13 and 13b: round trips of small networks, and claims on known responses."""

import dataclasses
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from aru_keras import models
from aru_keras.analysis.fractional import fractional_derivative, fractional_order
from aru_keras.analysis.step_response import StepProtocol, step_responses
from aru_keras.runners.experiments import fractional, fractional_population, slow_drive
from aru_keras.runners.experiments.presets import preset
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import SECOND_TASK
from aru_keras.runners.experiments.workspace import read_arrays, write_arrays

DRAWN = ("responses", "errors", "means")
PRESET = dataclasses.replace(preset("quick"), repeats=2)
(ORDERS,) = fractional.EXPERIMENTS
TASKS, SIGNALS = fractional_population.EXPERIMENTS
UNITS = 8


def network(name, seed=0):
    keras.utils.set_random_seed(seed)
    model = models.build_network(name, (20, 1), units=UNITS, controller_units=3)
    return SimpleNamespace(
        name=name, seed=seed, model=model, cell=model.get_layer("recurrent").cell
    )


def measured(experiment, one, folder):
    path = folder / f"{experiment.name}-{one.name}-{one.seed}.npz"
    write_arrays(path, experiment.measure(one, PRESET))
    return read_arrays(path)


def verdicts(experiment, found):
    return [claim.holds for claim in experiment.conclude(Results(found), PRESET).claims]


def thrice(arrays):
    """One network that stands for three seeds."""
    return {"arun": [arrays] * 3}


@pytest.fixture(scope="module")
def arun(tmp_path_factory):
    return measured(ORDERS, network("arun"), tmp_path_factory.mktemp("orders"))


def test_orders_come_back_from_the_file_as_they_were_fitted(arun):
    orders = fractional._orders(arun, "isolated_0.1")["causal"][5.0]
    protocol = StepProtocol(repeats=2, seed=0)
    responses = step_responses(network("arun").model, (5.0,), isolated=True, protocol=protocol)
    direct = fractional_order(responses.of("h")[0], protocol.drive(5.0), method="causal")
    np.testing.assert_array_equal(orders.fitted, direct.fitted)
    # Kept as float32.
    np.testing.assert_allclose(orders.alpha, direct.alpha, atol=1e-6)


def test_orders_of_a_network_make_claims_figures_and_a_table(arun):
    found = ORDERS.conclude(Results({"arun": [arun, arun]}), PRESET)
    assert len(found.claims) == 2 * 4 and set(found.figures) == {"distributions", *DRAWN}
    assert len(found.tables[0].rows) == 2 * 2 * 3
    # The authors' noise is on the inputs as well.
    assert not np.array_equal(arun["isolated_0.1_orders"], arun["isolated_5_orders"])


def test_a_static_network_alone_is_shown_without_claims(tmp_path):
    found = ORDERS.conclude(
        Results({"gamma": [measured(ORDERS, network("gamma"), tmp_path)]}), PRESET
    )
    assert found.verdict == "shown" and found.figures


def test_experiments_without_their_networks_say_so():
    for experiment in (ORDERS, TASKS, SIGNALS):
        with pytest.raises(ValueError, match=r"needs one of .*arun.*Received: lstm"):
            experiment.conclude(Results({"lstm": [{}]}), PRESET)


def orders_of(connected, isolated, error=0.0):
    """Arrays as `measure` makes them, with the same α of each unit at every ξ, and its error."""
    step = StepProtocol().drive(5.0)
    arrays = {"example_units": np.arange(3), "example_h": np.outer(step, [0.5, 1, 2])}
    for condition, alpha in (("connected", connected), ("isolated", isolated)):
        alpha = np.asarray(alpha, "float64")
        fitted = np.broadcast_to(np.isfinite(alpha), (len(fractional.STEPS), len(alpha)))
        parts = np.stack([np.nan_to_num(alpha), fitted[0], error * fitted[0]])
        orders = np.broadcast_to(parts[None, :, None], (3, 3, *fitted.shape))
        for noise in ("0.1", "5"):
            key = f"{condition}_{noise}"
            arrays |= {f"{key}_orders": orders, f"{key}_fitted": fitted}
    return arrays


def test_order_claims_follow_the_orders():
    integrate, differentiate = [0.3, 0.2, 0.1, -0.1], [-0.3, -0.2, -0.1, 0.1]
    assert verdicts(ORDERS, thrice(orders_of(integrate, differentiate))) == [True] * 8
    assert verdicts(ORDERS, thrice(orders_of(differentiate, integrate))) == [False] * 8
    first = orders_of(integrate, integrate)
    spread = [first, first, orders_of(differentiate, differentiate)]
    assert verdicts(ORDERS, {"arun": spread})[0] is None


def test_orders_that_describe_nothing_decide_nothing_by_themselves():
    # var ξ is 0.2 in the window at ξ = 1, and 82 at ξ = 20.
    arrays = orders_of([0.3, 0.2, 0.1, -0.1], [-0.3, -0.2, -0.1, 0.1], error=1000.0)
    found = ORDERS.conclude(Results(thrice(arrays)), PRESET)
    assert [claim.holds for claim in found.claims[:4]] == [True, None, True, True]
    found = ORDERS.conclude(Results({"arun": [arrays]}), PRESET)
    row = dict(zip(found.tables[0].header, found.tables[0].rows[0], strict=True))
    assert float(row["median R²"]) < 0 and row["share R² > 0.5"] == "0"
    assert row["of these α > 0"] == "none"


def test_units_without_an_order_do_not_count():
    nan = np.nan
    arrays = orders_of([0.3, nan, nan, nan], [-0.3, nan, nan, 0.1, -0.1])
    first, _, second, third, *_ = ORDERS.conclude(Results({"arun": [arrays]}), PRESET).claims
    assert first.evidence.startswith("1 ") and second.evidence.startswith("0.6667 ")
    assert third.evidence.startswith("0.3 against -0.1")


def population(orders, seed=0):
    """A response with a given order at each ξ, D^(−α) of the drive."""
    protocol = StepProtocol()
    jitter = 0.01 * np.random.default_rng(seed).normal(size=len(fractional_population.TASK_STEPS))
    steps = zip(fractional_population.TASK_STEPS, orders + jitter, strict=True)
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


def test_population_and_signals_of_a_network_go_round(tmp_path):
    one = network("arun")
    for experiment, figure in ((TASKS, "population"), (SIGNALS, "integrals")):
        found = experiment.conclude(
            Results({"arun": [measured(experiment, one, tmp_path)]}), PRESET
        )
        assert set(found.figures) == {figure} and found.claims


def signals(level_of_n, course_of_s):
    """n jumps to a level that grows with ξ; s takes any course during the step."""
    drive = StepProtocol().drive(1.0)
    steps = np.array(fractional.STEPS)[:, None]
    inside = drive > 0
    s = np.zeros(len(drive))
    s[inside] = course_of_s(np.linspace(0, 1, inside.sum()))
    return {"n": 5 + level_of_n * steps * drive, "s": np.broadcast_to(s, (len(steps), len(drive)))}


def test_the_integral_of_a_jump_up_or_down_is_a_line():
    assert verdicts(SIGNALS, thrice(signals(0.1, np.ones_like))) == [True, True]
    assert verdicts(SIGNALS, thrice(signals(-0.1, np.ones_like))) == [True, True]


def test_the_integral_of_a_wave_is_no_line():
    found = thrice(signals(-0.1, lambda t: np.sin(2 * np.pi * t)))
    assert verdicts(SIGNALS, found) == [True, False]


def test_a_signal_that_does_not_move_has_no_line():
    arrays = signals(0.1, np.zeros_like)
    claims = SIGNALS.conclude(Results({"arun": [arrays]}), PRESET).claims
    assert claims[1].holds is None and "no line" in claims[1].evidence


def test_slow_drives_are_shown_for_both_networks(tmp_path):
    (slow,) = slow_drive.EXPERIMENTS
    found = {name: [measured(slow, network(name), tmp_path)] * 2 for name in slow.trainings(PRESET)}
    conclusion = slow.conclude(Results(found), PRESET)
    assert conclusion.verdict == "shown" and set(conclusion.figures) == {"periods"}
    conclusion.figures["periods"].draw_without_rendering()
    assert [row[0] for row in conclusion.tables[0].rows] == [
        "ARUN, connected",
        "ARUN, isolated",
        "RNN+γ, connected",
        "RNN+γ, isolated",
    ]
