"""The step protocol against the cell by hand, and its comparisons against scipy."""

import numpy as np
import pytest
from keras import ops
from responding import SHORT, G, N, layer, made_responses
from support import array

from aru_keras import ARU, DrivenRNN, GammaRNN
from aru_keras.analysis.fractional_signals import signal_integral
from aru_keras.analysis.step_response import StepProtocol, fractional_orders, step_responses


def test_the_protocol_is_the_papers():
    protocol = StepProtocol()
    np.testing.assert_array_equal(np.flatnonzero(protocol.drive(5.0)), np.arange(102, 202))
    assert set(protocol.drive(5.0)) == {0.0, 5.0} and len(protocol.drive(5.0)) == 300
    x = StepProtocol(repeats=20).inputs(400)
    assert x.shape == (20, 300, 400)
    levels = x.mean(axis=1)  # 8000 of them: the mean is good to 0.1/√8000, the rest likewise.
    assert abs(levels.mean() - 0.8) < 0.005 and abs(levels.std() - 0.1) < 0.004
    assert abs((x - levels[:, None]).std() - 0.1) < 0.001
    # One draw a unit and repeat: a mean over 20 repeats spreads by 0.1/√20.
    assert abs(levels.mean(axis=0).std() - 0.1 / np.sqrt(20)) < 0.003
    quiet = StepProtocol(noise=0.0).inputs(5)
    assert np.ptp(quiet, axis=1).max() == 0


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("features", [1, 3])
def test_responses_are_those_of_the_cell_with_a_diagonal_input(isolated, features):
    unit = layer(features=features)
    found = step_responses(unit, (0.0, 2.0), isolated=isolated, protocol=SHORT)
    kernel = array(unit.cell.kernel)
    own = np.array([kernel[i % features, i] for i in range(N)])
    heard = (
        own * SHORT.inputs(N) + 2.0 * (np.arange(12) > 3)[:, None] * (np.arange(12) < 8)[:, None]
    )
    if isolated:
        recurrent = array(unit.cell.recurrent_kernel)
        unit.cell.recurrent_kernel.assign(np.diag(np.diag(recurrent)))
    state, seen = unit.cell.get_initial_state(3), []
    for t in range(12):
        h, state = unit.cell(ops.zeros((3, features)), state, drive=heard[:, t].astype("float32"))
        seen.append(array(h).mean(axis=0))
    # float32 over twelve steps.
    np.testing.assert_allclose(found.of("h")[1], seen, atol=1e-5)
    assert found.isolated == isolated and set(found.signals) == {"h", "n", "s"}


def test_networks_without_a_gain_respond_too():
    found = step_responses(layer(DrivenRNN), (1.0,), protocol=SHORT)
    assert set(found.signals) == {"h"} and found.of("h").shape == (1, 12, N)
    static = step_responses(layer(GammaRNN), (1.0,), protocol=SHORT)
    assert np.ptp(static.of("n"), axis=1).max() == 0
    with pytest.raises(ValueError, match="`signal` must be one of h"):
        found.of("n")


def test_orders_of_every_unit_and_drive():
    orders = np.array([-0.4, 0.1, 0.6])
    found = fractional_orders(made_responses(orders))
    assert set(found) == {1.0, 5.0}
    for one in found.values():
        np.testing.assert_allclose(one.alpha, orders, atol=1e-6)


def test_values_out_of_range_are_refused():
    with pytest.raises(ValueError, match="`repeats`"):
        StepProtocol(repeats=0)
    with pytest.raises(ValueError, match="`noise`"):
        StepProtocol(noise=-1.0)
    with pytest.raises(ValueError, match="StepDrive needs a step"):
        StepProtocol(timesteps=50)
    with pytest.raises(ValueError, match="must be built"):
        step_responses(ARU(N, G))
    with pytest.raises(ValueError, match="must have a ξ other than 0"):
        signal_integral(made_responses([0.2], drives=(0.0,)), "h", -1.0)
