"""Experiment 18: eigenvalues of W_hh."""

import keras
import numpy as np
import pytest
from stability import SPECTRUM, network, round_trip, verdicts


@pytest.fixture(scope="module")
def arun():
    return network("arun")


def test_spectra_are_those_of_start_and_trained_weights(arun, tmp_path):
    arrays = round_trip(SPECTRUM, arun, tmp_path)
    for stage, model in (("start", arun.start), ("trained", arun.model)):
        kernel = keras.ops.convert_to_numpy(model.get_layer("recurrent").cell.recurrent_kernel)
        # Of orthogonal matrices in float32: the trace is the sum of the eigenvalues.
        assert arrays[stage].sum().real == pytest.approx(np.trace(kernel), abs=1e-5)


def eigenvalues(modulus):
    return {"start": np.ones(4, "complex128"), "trained": modulus * np.array([1, -1, 1j, -1j])}


def test_spectrum_claims_follow_the_moduli():
    inside, outside = [eigenvalues(0.7)], [eigenvalues(1.2)]
    # What lies inside the circle is not beyond it, however far from it.
    assert verdicts(SPECTRUM, {"arun": outside, "relu": inside}) == [True, True, True]
    assert verdicts(SPECTRUM, {"arun": inside, "relu": outside}) == [False, False, False]
    assert verdicts(SPECTRUM, {"arun": outside}) == []
