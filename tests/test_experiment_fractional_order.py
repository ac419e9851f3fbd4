"""Experiment 12: orders of small networks, and claims on known ones."""

import numpy as np
import pytest
from responding import ORDERS, PRESET, measured, network, thrice, verdicts

from aru_keras.analysis.fractional import fractional_order
from aru_keras.analysis.step_response import StepProtocol, step_responses
from aru_keras.runners.experiments import fractional_order as order_experiment
from aru_keras.runners.experiments.responses import STEPS
from aru_keras.runners.experiments.results import Results

DRAWN = ("responses", "errors", "means")


@pytest.fixture(scope="module")
def arun(tmp_path_factory):
    return measured(ORDERS, network("arun"), tmp_path_factory.mktemp("orders"))


def test_orders_come_back_from_the_file_as_they_were_fitted(arun):
    orders = order_experiment._orders(arun, "isolated_0.1")["causal"][5.0]
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


def orders_of(connected, isolated, error=0.0):
    """Arrays as `measure` makes them, with the same α of each unit at every ξ, and its error."""
    step = StepProtocol().drive(5.0)
    arrays = {"example_units": np.arange(3), "example_h": np.outer(step, [0.5, 1, 2])}
    for condition, alpha in (("connected", connected), ("isolated", isolated)):
        alpha = np.asarray(alpha, "float64")
        fitted = np.broadcast_to(np.isfinite(alpha), (len(STEPS), len(alpha)))
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


def test_the_orders_in_a_legend_have_a_true_minus():
    arrays = orders_of([0.3, 0.2, 0.1, -0.1], [-0.3, -0.2, 0.1, 0.1])
    figure = ORDERS.conclude(Results({"arun": [arrays]}), PRESET).figures["errors"]
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts == ["unit 0: α = −0.30", "unit 1: α = −0.20", "unit 2: α = 0.10"]


def test_orders_that_describe_nothing_decide_nothing():
    # var ξ is 0.2 in the window at ξ = 1, and 82 at ξ = 20.
    arrays = orders_of([0.3, 0.2, 0.1, -0.1], [-0.3, -0.2, -0.1, 0.1], error=1000.0)
    found = ORDERS.conclude(Results(thrice(arrays)), PRESET)
    assert [claim.holds for claim in found.claims] == [None] * 8
    assert "(connected: R² down to -" in found.claims[0].evidence
    assert "(isolated: R² down to -" in found.claims[2].evidence
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


def test_one_seed_without_fits_that_describe_a_response_is_shown():
    arrays = orders_of([0.3, 0.2, 0.1, -0.1], [-0.3, -0.2, -0.1, 0.1], error=1000.0)
    found = ORDERS.conclude(Results({"arun": [arrays]}), PRESET)
    assert found.claims[1].evidence == "a seed has no such fit"
    assert found.verdict == "shown"
