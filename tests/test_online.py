"""The online step: stepping is recording, one trace serves all steps, nothing leaves the device."""

import copy
import pickle

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, B, G, I, N, T, X, assert_same, every_case, keras_rnn
from support import BACKEND, array, relative_error

from aru_keras import ARU, GammaRNN, models
from aru_keras.probing import OnlineStep, Record, record

ARU_CASE = CASES[-1]


def stepped(step, x, drive=None):
    """Signals (B, T, …) of sequences x (B, T, I), stepped one by one."""
    state, found = step.initial_state(len(x)), []
    for t in range(x.shape[1]):
        xi = None if drive is None else drive[:, t]
        h, state, signals = step(x[:, t], state, xi)
        found.append({**signals, "output": h})
    return {name: np.stack([array(one[name]) for one in found], axis=1) for name in found[0]}


@every_case
@pytest.mark.parametrize("drive", [None, DRIVE, DRIVE[..., :1]], ids=["none", "N", "1"])
@pytest.mark.parametrize("isolated", [False, True], ids=["connected", "isolated"])
def test_stepping_whole_sequences_is_recording_them(case, drive, isolated):
    layer = case.make_layer()
    step = OnlineStep(layer, case.signals, isolated=isolated)
    found = stepped(step, X, drive)
    expected = record(layer, X, Record(case.signals, isolated=isolated), drive)
    assert_same([found[name] for name in case.signals], list(expected.values()))
    np.testing.assert_array_equal(found["output"], found["h"])


def test_the_output_of_a_sequential_model_that_was_never_called():
    model = keras.Sequential([keras.Input((T, I)), ARU(N, G), keras.layers.Dense(2)])
    found = stepped(OnlineStep(model, "y"), X)
    assert relative_error(found["y"][:, -1], array(model(X))) < 1e-5


def test_the_output_is_that_of_the_model_as_if_the_sequence_ended():
    model = models.build_network("arun", (None, 1), units=N, controller_units=G)
    x = np.random.default_rng(0).uniform(size=(B, T, 1)).astype("float32")
    step = OnlineStep(model)
    assert step.signals == ("a", "n", "s", "h", "y")
    found = stepped(step, x)
    for t in (0, 2, T - 1):
        assert relative_error(found["y"][:, t], array(model(x[:, : t + 1]))) < 1e-5


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_carries_the_states_as_whole_sequences_do(policy):
    layer = ARU_CASE.make_layer(dtype=policy)
    step = OnlineStep(layer, ("n", "s", "g"))
    found = stepped(step, X)
    expected = record(layer, X, ("n", "s", "g"))
    tolerance = 1e-5 if policy == "float32" else 2e-2
    for name, values in expected.items():
        assert relative_error(found[name], values) < tolerance
    dtypes = [keras.backend.standardize_dtype(s.dtype) for s in step.initial_state(1)]
    assert dtypes == layer.cell.state_dtypes


def test_one_trace_serves_all_steps_restarts_and_training():
    layer = ARU_CASE.make_layer()
    step = OnlineStep(layer)
    before = stepped(step, X, DRIVE)["h"]
    assert step.traces == 1
    state = step.initial_state(B)
    for t in range(T):
        state = step.restarted(np.array([t % 2 == 0] + [False] * (B - 1)), state)
        _, state, _ = step(X[:, t], state, DRIVE[:, t])
    layer.cell.bias.assign(array(layer.cell.bias) + 1)
    assert relative_error(stepped(step, X, DRIVE)["h"], before) > 0.05
    assert step.traces == 1


def test_held_weights_stay_those_of_the_first_step():
    model = keras.Sequential([keras.Input((T, I)), ARU(N, G), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    following, holding = OnlineStep(model), OnlineStep(model, hold_weights=True)
    before = stepped(holding, X)
    for name, values in stepped(following, X).items():
        assert relative_error(before[name], values) < 1e-6
    model.fit(X, np.ones((B, 2)), verbose=0)
    after = stepped(holding, np.concatenate([X, X]))
    for name, values in before.items():
        assert relative_error(after[name][:B], values) < 1e-5
        assert relative_error(stepped(following, X)[name], values) > 1e-4
    assert copy.copy(holding).hold_weights and pickle.loads(pickle.dumps(holding)).hold_weights


def test_results_stay_tensors_of_the_backend():
    step = OnlineStep(ARU_CASE.make_layer())
    h, state, signals = step(X[:, 0], step.initial_state(B))
    kind = type(keras.ops.ones(1))
    assert all(isinstance(value, kind) for value in (h, *state, *signals.values()))


def wide(x):
    return x.astype("float64")


def wide_tensor(x):
    return keras.ops.convert_to_tensor(wide(x), dtype="float64")


@pytest.mark.parametrize("form", [np.asarray, np.asfortranarray, wide, wide_tensor])
def test_states_of_other_forms(form):
    step = OnlineStep(ARU_CASE.make_layer())
    state = step.initial_state(B)
    for t in range(3):
        expected, new, _ = step(X[:, t], state)
        found, _, _ = step(X[:, t], [form(array(value)) for value in state])
        np.testing.assert_allclose(array(found), array(expected), rtol=1e-6)
        assert found.dtype == expected.dtype
        state = new
    with pytest.raises(ValueError, match="`state` must be a list"):
        step(X[:, 0], [*state, state[0]])


def test_a_tensor_that_is_input_and_state():
    layer = GammaRNN(N)
    layer.build((B, None, N))
    x, h = (keras.ops.convert_to_tensor(DRIVE[:, t]) for t in range(2))
    both = OnlineStep(layer)
    both(x, [x], x)
    assert_same([array(both(x, [h])[0])], [array(OnlineStep(layer)(x, [h])[0])])


def test_arrays_may_be_overwritten_after_the_call():
    step, rng = OnlineStep(ARU(256, 16), "h"), np.random.default_rng(0)
    given = [rng.normal(size=(128, size)).astype("float32") for size in (I, 256, 256, 256 * 16)]
    expected = array(step(given[0], given[2:], given[1])[0])
    for _ in range(10):
        x, drive, *state = reused = [values.copy() for values in given]
        h, *_ = step(x, state, drive)
        for values in reused:
            values[:] = 7
        np.testing.assert_array_equal(array(h), expected)


def test_activations_with_numbers_in_them():
    layer = GammaRNN(N)
    readout = keras.layers.Dense(2, activation=lambda z: 2.0 * z + 1.0)
    model = keras.Sequential([keras.Input((T, I)), layer, readout])
    found = stepped(OnlineStep(model, "y"), X)
    assert relative_error(found["y"][:, -1], array(model(X))) < 1e-5


def test_copies_are_the_step_itself():
    step = OnlineStep(ARU_CASE.make_layer())
    assert copy.copy(step) is step and copy.deepcopy(step) is step


def test_one_sequence_alone():
    step = OnlineStep(ARU_CASE.make_layer())
    batch = step(X[:1, 0], step.initial_state(1), DRIVE[:1, 0])
    alone = step(X[0, 0], step.initial_state(1), DRIVE[0, 0])
    assert alone[0].shape == (N,) and alone[2]["n"].shape == (N,)
    assert_same([array(v)[None] for v in alone[2].values()], [array(v) for v in batch[2].values()])
    assert_same([array(v) for v in alone[1]], [array(v) for v in batch[1]])


def test_restarted_lanes_have_the_initial_state_and_others_their_own():
    step = OnlineStep(ARU_CASE.make_layer())
    _, state, _ = step(X[:, 0], step.initial_state(B))
    mask = np.arange(B) == 1
    mixed = step.restarted(mask, state)
    for new, old, fresh in zip(mixed, state, step.initial_state(B), strict=True):
        np.testing.assert_array_equal(array(new)[1], array(fresh)[1])
        np.testing.assert_array_equal(array(new)[~mask], array(old)[~mask])


def test_masks_that_are_none():
    step = OnlineStep(ARU_CASE.make_layer())
    state = step.initial_state(B)
    masks = (np.zeros(B + 1, bool), np.zeros((B, 1), bool), np.array([0, 2, 1]), [0], True)
    for mask in (*masks, keras.ops.zeros(B)):
        for choose in (step.restarted, lambda *given: step.chosen(*given, state)):
            with pytest.raises(ValueError, match=r"`mask` must be \(B,\) bool.*Received"):
                choose(mask, state)
    mask = [True, False, True]
    for given in (mask, keras.ops.convert_to_tensor(mask)):
        assert_same(
            *([array(v) for v in step.restarted(m, state)] for m in (given, np.array(mask)))
        )


def test_a_device_by_name():
    step = OnlineStep(ARU_CASE.make_layer(), device="cpu:0" if BACKEND != "torch" else "cpu")
    assert_same([stepped(step, X)["h"]], [record(step.layer, X, "h")["h"]])
    assert OnlineStep(step.layer, device=step.device.upper()).device == step.device


def test_layers_of_keras_around_the_cell_and_unbuilt_layers():
    layer = ARU_CASE.make_layer()
    found = stepped(OnlineStep(keras_rnn(layer)), X)
    assert_same([found["h"]], [record(layer, X, "h")["h"]])
    fresh = OnlineStep(ARU(N, G))
    assert fresh.features is None
    stepped(fresh, X)
    assert fresh.features == I


def test_a_saved_run(tmp_path):
    model = models.build_network("gamma", (T, 1), units=N)
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).uniform(size=(B, T, 1)).astype("float32")
    for path in (tmp_path, str(tmp_path / "model.keras")):
        assert_same([stepped(OnlineStep(path), x)["h"]], [record(tmp_path, x, "h")["h"]])


@pytest.mark.parametrize("path", ["nowhere", __file__])
def test_paths_without_a_model(path):
    with pytest.raises(
        ValueError,
        match=r"`network` must be a layer.*Received.*(there is no|cannot be read).*Train one with",
    ):
        OnlineStep(path)


def test_networks_that_cannot_go_step_by_step():
    with pytest.raises(ValueError, match=r"order of time.*go_backwards=True"):
        OnlineStep(ARU_CASE.make_layer(go_backwards=True))
    dense = keras.Sequential([keras.Input((T, 3)), keras.layers.Dense(I), GammaRNN(N)])
    with pytest.raises(ValueError, match=r"reads its pixels directly.*Pass the layer itself"):
        OnlineStep(dense)


def test_signals_that_do_not_exist():
    layer = ARU_CASE.make_layer()
    for name in ("y", "hh"):
        with pytest.raises(ValueError, match="`signals` must be one of a, n, s, h, g"):
            OnlineStep(layer, name)
    sequences = keras.Sequential([keras.Input((T, I)), ARU(N, G, return_sequences=True)])
    assert "y" not in OnlineStep(sequences).signals
    for signals in ("y", ("n", "y")):
        with pytest.raises(ValueError, match=r'"y".*return_sequences=True.*Ask for "h"'):
            OnlineStep(sequences, signals)


def test_states_of_another_batch():
    step = OnlineStep(ARU_CASE.make_layer())
    others = step.initial_state(B + 1), step.initial_state(B)[:1], None, [0.0, 0.0], ["h", "g"]
    for state in others:
        with pytest.raises(ValueError, match=r"`state` must be a list.*initial_state\(3\)"):
            step(X[:, 0], state)
    with pytest.raises(ValueError, match=r"initial_state\(1\)"):
        step(X[0, 0], step.initial_state(2))
    with pytest.raises(ValueError, match="`batch_size` must be a whole number of at least 1"):
        step.initial_state(0)


def test_shape_of_a_drive():
    step = OnlineStep(ARU_CASE.make_layer())
    for drive in (np.zeros(B + N), np.zeros((B, N + 1)), np.zeros((B, 1, N)), np.zeros((B + 1, 1))):
        with pytest.raises(ValueError, match=r"`drive` must broadcast to.*Received: drive.shape="):
            step(X[:, 0], step.initial_state(B), drive)
    for drive in (1.0, np.ones(N), np.ones((B, 1)), np.ones((1, N)), np.ones((B, N))):
        step(X[:, 0], step.initial_state(B), drive)
    step(X[0, 0], step.initial_state(1), np.ones(N))


@pytest.mark.parametrize("device", ["gpu:7", "nowhere"])
def test_devices_that_are_not_there(device):
    with pytest.raises(ValueError, match=f"`device` must be one that {BACKEND} has here: .*cpu:0"):
        OnlineStep(ARU_CASE.make_layer(), device=device)


@pytest.mark.parametrize("shape", [(B, I + 1), (B, T, I), (I + 1,), ()])
def test_inputs_of_another_shape(shape):
    step = OnlineStep(ARU_CASE.make_layer())
    with pytest.raises(ValueError, match=r"`x` must be one step.*of 2 features.*Received"):
        step(np.zeros(shape, "float32"), step.initial_state(B))
