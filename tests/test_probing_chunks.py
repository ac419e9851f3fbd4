"""Recordings of whole sequences at once, and of many sequences in chunks."""

import numpy as np
import pytest
from contract import CASES, DRIVE, B, I, N, T, X, keras_rnn
from support import BACKEND, relative_error

from aru_keras import ARU
from aru_keras.layers._recording import records_at_once
from aru_keras.probing import Record, Recorder, record

ARU_CASE = CASES[-1]
ALL = ("a", "n", "s", "h", "g")


@pytest.mark.parametrize("drive", [None, 0.5, DRIVE[0], DRIVE[:1], DRIVE], ids=str)
def test_small_memory_records_the_same_in_parts(drive):
    recorder = Recorder(ARU_CASE.make_layer(), ALL)
    sizes, run = [], recorder._run
    recorder._run = lambda x, *others: (sizes.append(len(x)), run(x, *others))[1]
    expected = recorder(X, drive)
    row = 12 * T * (sum(recorder.layer.cell.signal_sizes.values()) + N)
    for limit, parts in ((1, [1, 1, 1]), (2 * row, [2, 2]), (3 * row, [3])):
        sizes.clear()
        found = recorder(X, drive, memory_limit=limit)
        assert sizes == parts
        for name, values in expected.items():
            assert relative_error(found[name], values) < 1e-6


@pytest.mark.parametrize("fused", [True, False], ids=["at once", "step by step"])
@pytest.mark.parametrize("masked", [False, True], ids=["all", "masked"])
def test_many_sequences_take_one_pass_in_one_program(fused, masked, monkeypatch):
    """Five sequences in three chunks, of which the last is filled up to the shape of the others."""
    x, drive = np.concatenate([X, X[1:]]), np.concatenate([DRIVE, DRIVE[:2] + 1])
    mask = None if not masked else np.arange(T) % 4 != np.arange(5)[:, None]
    recorder = Recorder(ARU_CASE.make_layer(fused=fused), ALL)
    expected = recorder(x, drive, mask=mask)
    calls, programs = [], []
    monkeypatch.setattr(recorder, "_loops", {})
    make_loop = recorder._loop

    def counted_loop(*kind):
        loop = make_loop(*kind)
        programs.append(loop)
        return lambda sequences: (calls.append(tuple(sequences.shape)), loop(sequences))[1]

    monkeypatch.setattr(recorder, "_loop", counted_loop)
    row = 12 * T * (sum(recorder.layer.cell.signal_sizes.values()) + N)
    found = recorder(x, drive, mask=mask, memory_limit=2 * row)
    assert calls == [(2, T, I + N + masked)] * 3 and len(programs) == 1
    assert list(found) == list(expected) == [*ALL, *(["mask"] if masked else [])]
    for name, values in expected.items():
        assert relative_error(found[name], values) < 1e-6


@pytest.mark.parametrize("case", [CASES[-1], CASES[2]], ids=str)
@pytest.mark.parametrize("isolated", [False, True], ids=["connected", "isolated"])
@pytest.mark.parametrize("backwards", [False, True], ids=["forwards", "backwards"])
def test_a_recording_at_once_is_that_step_by_step(case, isolated, backwards):
    mask = np.arange(T) % 3 != np.arange(B)[:, None]
    mask[:, -1] = False  # Nobody takes this step.
    found, expected = (
        record(
            case.make_layer(fused=fused, go_backwards=backwards, dtype="float64"),
            X,
            Record(case.signals, isolated=isolated),
            DRIVE,
            mask=mask,
        )
        for fused in (True, False)
    )
    for name, values in expected.items():
        assert found[name].dtype == values.dtype and relative_error(found[name], values) < 1e-9


def test_a_recording_is_compiled_on_tensorflow_only_where_that_pays():
    small, large = (records_at_once(ARU(128, 16), count, 784) for count in (1, 2000))
    assert large and small == (BACKEND != "tensorflow")
    assert records_at_once(ARU(128, 16, fused=True), 1, 1)
    assert not records_at_once(ARU(128, 16, fused=False), 2000, 784)
    assert not records_at_once(keras_rnn(ARU(128, 16)), 2000, 784)
