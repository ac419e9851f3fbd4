"""Experiment 6: stability and accuracy over (n, s)."""

import numpy as np
from trained import NOISE, TINY, claims_of, conclusion_of, verdicts

from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.experiments.results import Results
from aru_keras.runners.experiments.trainings import SHARED, landscape_name


def plane(accuracy):
    """A landscape over TINY's grid with norms about 1, and its networks beside it."""
    found = {}
    for place, (n, s) in enumerate((n, s) for n in TINY.gains for s in TINY.saturations):
        norm = 0.4 * 1.7**place
        values = {"norm": norm, "exponent": np.log(norm), "accuracy": accuracy(np.log(norm))}
        found[landscape_name("fixed", n, s)] = {
            key: np.array([value] * 3) for key, value in values.items()
        }
    path = {"path": np.array([[[5.0, 0.0], [6.0, 0.1]]] * 3), "accuracy": 0.9 + NOISE}
    found[landscape_name("trained", 5.0, 0.0)] = path
    return found | {SHARED: {"accuracy": 0.95 + NOISE}, "relu": {"accuracy": 0.9 + NOISE}}


def test_the_landscape():
    peaked = plane(lambda log: 0.9 - abs(log) / 10 - 0.01 * (log > 0))
    assert verdicts("landscape", peaked) == [True] * 4
    hollow = plane(lambda log: 0.5 + abs(log) / 10 + 0.01 * (log > 0))
    hollow["relu"]["accuracy"] = 0.99 + NOISE
    assert verdicts("landscape", hollow) == [False] * 4


def test_a_landscape_without_an_exploding_region_decides_nothing_about_it():
    found = plane(lambda log: 0.9 - abs(log) / 10)
    for name, arrays in found.items():
        if "fixed" in name:
            arrays["norm"] = arrays["norm"] / 100
    claim = claims_of("landscape", found)[2]
    assert claim.holds is None and "norm > 1 at 0, 0, 0 of" in claim.evidence
    assert "the poorest point is n =" in claim.evidence


def test_points_without_loss_on_one_side_do_not_make_the_other_poor():
    # The same course on both sides of norm 1: neither is better, wherever the points lie.
    claim = claims_of("landscape", plane(lambda log: 0.9 - abs(log) / 10))[2]
    assert claim.holds is None and "difference" in claim.evidence


def test_a_correlation_of_few_points_may_be_chance():
    # The same on every seed, so certain over seeds; over six points it may be chance.
    ranks = iter([1, 2, 6, 3, 5, 4])
    claim = claims_of("landscape", plane(lambda log: next(ranks) / 10))[0]
    assert claim.holds is None and "6 points" in claim.evidence


def test_networks_that_are_equally_accurate_at_all_points_decide_no_correlation():
    found = conclusion_of("landscape", plane(lambda log: 0.1))
    assert [claim.holds for claim in found.claims[:2]] == [None, None]
    assert "the same at all points" in found.claims[0].evidence
    assert found.tables[0].rows[-1][-1] == "none" and "maps" in found.figures


def test_one_seed_without_an_exploding_region_is_shown():
    arrays = plane(lambda log: 0.9 - abs(log) / 10)
    one = {}
    for name, values in arrays.items():
        scale = 1 / 100 if "fixed" in name else 1
        one[name] = [{k: v[0] * (scale if k == "norm" else 1) for k, v in values.items()}]
    found = EXPERIMENTS["landscape"].conclude(Results(one), TINY)
    assert "no distances on both sides" in found.claims[2].evidence
    assert found.verdict == "shown"
