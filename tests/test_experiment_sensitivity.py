"""Experiment 4: maps of robustness."""

import numpy as np
import pytest
from perturbing import MAPS, TINY

from aru_keras.runners.experiments.results import Results


def maps(losses, infinite=False, guessing=None):
    """Conclusion of maps with one loss for each network, and one infinite cell of ARUN's."""
    found = {}
    for name, loss in losses.items():
        arrays = {"images": np.array(20), "durations": np.array([8, 33])}
        for kind, shape in (("step", (3, 2)), ("contrast", (2, 2))):
            values = np.full(shape, float(loss))
            accuracy = np.full(shape, 0.1 if name == guessing else 0.5)
            arrays |= {f"{kind}_loss": values, f"{kind}_accuracy": accuracy}
        arrays["step_loss"][0] = 0.5 * loss if np.isfinite(loss) else 1
        found[name] = [arrays] * 3
    if infinite:
        found["arun"][0]["step_loss"][2, 1] = np.inf
    return MAPS.conclude(Results(found), TINY)


@pytest.mark.parametrize(
    ("losses", "holds"),
    [
        ({"arun": 1, "gamma": 11, "relu": 30}, [True, True, True]),
        ({"arun": 1, "gamma": 9, "relu": 30}, [True, False, True]),
        ({"arun": 2, "gamma": 1, "relu": 30}, [False, False, False]),
        ({"arun": 1, "gamma": 9, "relu": 11}, [True, False, True]),
    ],
)
def test_the_maps_hold_arun_against_the_best_other_network(losses, holds):
    assert [claim.holds for claim in maps(losses).claims] == holds


def test_maps_decide_nothing_where_a_network_guesses():
    for name in ("arun", "gamma"):
        claims = maps({"arun": 1, "gamma": 11, "relu": 30}, guessing=name).claims
        assert [claim.holds for claim in claims] == [None] * 3
        assert all("only guesses" in claim.evidence for claim in claims)


def test_an_infinite_loss_in_a_map_is_never_to_the_advantage_of_arun():
    others = {"gamma": 20, "relu": 30}
    finite = maps({"arun": 1, **others})
    assert [claim.holds for claim in finite.claims] == [True, True, True]
    # Of RNN+γ it counts as 30, the largest finite loss: a lower bound.
    capped = maps({"arun": 4, "gamma": np.inf, "relu": 30})
    assert [claim.holds for claim in capped.claims] == [True, False, True]
    # A single one of ARUN's is the end, though 30 in its place would leave it below the others.
    ended = maps({"arun": 1, **others}, infinite=True)
    assert [claim.holds for claim in ended.claims] == [False, False, True]
    assert ended.claims[0].evidence == "ARUN overflows"
