"""Recording networks that mask: what stands at the steps skipped, and the mask beside it."""

import keras
import numpy as np
import pytest
from contract import CASES, DRIVE, MASK, B, G, I, N, T, X, assert_same, every_case, run, settle
from support import array

from aru_keras import ARU, GammaRNN
from aru_keras.probing import OnlineStep, Record, Recorder, record

ARU_CASE = CASES[-1]
# Also at the first step, before which there is nothing to hold.
EARLY = np.array([[0, 0, 1, 0, 1], [1, 0, 0, 1, 1], [0, 0, 0, 0, 0]], bool)
TOKENS = np.array([[3, 0, 4, 1, 0], [1, 2, 5, 5, 1], [2, 2, 0, 0, 0]])


def padded(mask=MASK, features=I):
    x = np.random.default_rng(3).normal(size=(B, T, features)).astype("float32")
    x[~mask] = -9.0
    return x


def masked_models(**options):
    """Models that mask, what they read, and the mask that comes of it."""
    layers = keras.layers
    masking = keras.Sequential(
        [keras.Input((T, 3)), layers.Masking(-9.0), layers.Dense(I), ARU(N, G, **options)]
    )
    embedding = keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(6, I, mask_zero=True),
            GammaRNN(N, **options),
        ]
    )
    return {"masking": (masking, padded(features=3)), "embedding": (embedding, TOKENS)}


@pytest.mark.parametrize("name", ["masking", "embedding"])
def test_models_that_mask_give_what_their_layer_gives(name):
    model, x = masked_models(return_sequences=True)[name]
    settle(model.layers[-1])
    mask = MASK if name == "masking" else TOKENS != 0
    found = record(model, x)
    assert list(found) == ["h", "n", "s", "mask"]
    np.testing.assert_array_equal(found["mask"], mask)
    assert found["mask"].dtype == bool
    assert_same([found["h"]], run(model, x))
    assert all(np.isfinite(values).all() for values in found.values())


@every_case
@pytest.mark.parametrize("drive", [None, DRIVE, 0.5], ids=["no", "N", "0.5"])
def test_masked_steps_hold_and_others_are_those_of_the_layer(case, drive):
    layer = case.make_layer(return_sequences=True)
    found = record(layer, X, case.signals, drive, mask=MASK)
    assert_same([found["h"]], run(layer, X, mask=MASK, drive=drive))
    for name in case.signals:
        for row, t in zip(*np.where(~MASK), strict=True):
            np.testing.assert_array_equal(found[name][row, t], found[name][row, t - 1])
    # Skipped steps have no effect: the rest is the sequence without them.
    for row, keep in enumerate(MASK):
        xi = drive if drive is None or np.ndim(drive) < 3 else drive[row : row + 1, keep]
        alone = record(layer, X[row : row + 1, keep], case.signals, xi)
        for name, values in alone.items():
            assert_same([found[name][row, keep]], [values[0]])


def test_before_the_first_step_that_counts_all_is_0_and_padding_of_nan_does_no_harm():
    layer = ARU_CASE.make_layer()
    expected = record(layer, X, ARU_CASE.signals, mask=EARLY)
    hidden = np.where(EARLY[..., None], X, np.nan)
    found = record(layer, hidden, ARU_CASE.signals, mask=EARLY)
    others = [(hidden, EARLY.tolist()), (hidden.tolist(), EARLY), (keras.ops.array(hidden), EARLY)]
    listed = [record(layer, x, ARU_CASE.signals, mask=mask) for x, mask in others]
    for name, values in expected.items():
        assert np.isfinite(values).all()
        for given in (found, *listed):
            np.testing.assert_array_equal(values, given[name])
        assert not values[0, :2].any() and not values[2].any()


def test_a_mask_is_of_the_sequences_that_an_encoder_shortens():
    shorten = keras.layers.Conv1D(I, 2, strides=2)
    model = keras.Sequential([keras.Input((2 * T, 1)), shorten, ARU_CASE.make_layer()])
    x = np.random.default_rng(0).normal(size=(B, 2 * T, 1)).astype("float32")
    alone = record(model.layers[-1], keras.ops.convert_to_numpy(shorten(x)), "h", mask=MASK)["h"]
    assert_same([record(model, x, "h", mask=MASK)["h"]], [alone])


def test_nan_by_choice_and_chosen_steps():
    layer = ARU_CASE.make_layer()
    held = record(layer, X, Record(("n", "g")), mask=EARLY)
    found = record(layer, X, Record(("n", "g"), masked="nan"), mask=EARLY)
    late = record(layer, X, Record(("n", "g"), [3, 1]), mask=EARLY)
    for name in ("n", "g"):
        assert np.isnan(found[name][~EARLY]).all() and found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name][EARLY], held[name][EARLY])
        np.testing.assert_array_equal(late[name], held[name][:, [3, 1]])
    np.testing.assert_array_equal(late["mask"], EARLY[:, [3, 1]])
    with pytest.raises(ValueError, match="`masked` must be one of hold, nan"):
        Record("n", masked="zero")


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_options_of_the_layer(policy):
    for options in ({"go_backwards": True}, {"zero_output_for_mask": True}):
        layer = ARU_CASE.make_layer(return_sequences=True, dtype=policy, **options)
        # Never masked at the first step read, where backends differ in what they emit.
        mask = MASK[:, ::-1] if "go_backwards" in options else MASK
        found = record(layer, X, mask=mask)
        assert_same([found["h"]], run(layer, X, mask=mask), 2e-5 if policy == "float32" else 2e-2)
        np.testing.assert_array_equal(found["mask"], MASK)


def test_one_recorder_with_and_without_masks_in_parts_and_after_training():
    model, x = masked_models()["masking"]
    recorder = Recorder(model, ("n", "h"))
    before, extra = recorder(x), np.arange(T) < 2
    small = recorder(x, memory_limit=1)
    assert_same(list(small.values()), list(before.values()), 1e-6)
    both = recorder(x, mask=np.tile(extra, (B, 1)))
    np.testing.assert_array_equal(both["mask"], MASK & extra)
    model.layers[1].kernel.assign(2 * array(model.layers[1].kernel))
    assert np.abs(recorder(x)["h"] - before["h"]).max() > 1e-3
    layer = ARU_CASE.make_layer()
    recorder = Recorder(layer)
    assert "mask" in recorder(X, mask=MASK) and "mask" not in recorder(X)


def test_masks_of_other_shapes_and_masks_by_name():
    layer = ARU_CASE.make_layer()
    for mask in (MASK[:, :-1], MASK[:1], MASK[0], MASK[..., None]):
        with pytest.raises(
            ValueError, match=r"`mask` must be \(batch, time\).*Received: mask\.shape"
        ):
            record(layer, X, mask=mask)
    x, mask = keras.Input((T, I)), keras.Input((T,), dtype="bool")
    model = keras.Model([x, mask], ARU(N, G)(x, mask=mask))
    with pytest.raises(ValueError, match=r"and a mask of them.*pass the layer itself"):
        record(model, X)


def test_a_mask_that_the_model_makes_and_passes_by_name():
    x = keras.Input((T, I))
    layer = ARU(N, G, return_sequences=True)
    model = keras.Model(x, layer(x, mask=x[..., 0] > -9))
    settle(layer)
    found = record(model, padded())
    np.testing.assert_array_equal(found["mask"], MASK)
    assert_same([found["h"]], run(model, padded()))


@pytest.mark.parametrize("kind", ["number", "column"])
def test_so_is_a_mask_of_numbers_or_with_an_axis_more(kind):
    x = keras.Input((T, I))
    mask = keras.ops.cast(x[..., :1] > -9, "float32")
    layer = ARU(N, G, return_sequences=True)
    model = keras.Model(x, layer(x, mask=mask if kind == "column" else mask[..., 0]))
    settle(layer)
    found = record(model, padded())
    np.testing.assert_array_equal(found["mask"], MASK)
    assert_same([found["h"]], run(model, padded()))


@pytest.mark.parametrize("name", ["masking", "embedding"])
def test_a_model_with_a_drive_masks_too(name):
    """Keras notes no mask in the graph of a layer that is called with several tensors."""
    plain, x = masked_models(return_sequences=True)[name]
    drive, layer = keras.Input((None, 1), name="drive"), plain.layers[-1]
    model = keras.Model([plain.inputs[0], drive], layer(layer.input[0], drive=drive))
    settle(layer)
    xi = DRIVE[..., :1]
    mask = MASK if name == "masking" else TOKENS != 0
    # The layer of a network that was built with the drive, and not called without one.
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    found = record(twin, x, "h", xi)
    np.testing.assert_array_equal(found["mask"], mask)
    assert_same([found["h"]], run(twin, [x, xi]))


def test_the_online_step_of_a_model_that_masks_is_refused_and_holds_by_choice():
    with pytest.raises(
        ValueError, match=r"must not mask its input.*Pass the layer itself.*`chosen`"
    ):
        OnlineStep(masked_models()["masking"][0])
    layer = ARU_CASE.make_layer()
    step, found = OnlineStep(layer, "h"), record(layer, X, mask=MASK)
    state = step.initial_state(B)
    for t in range(T):
        _, moved, _ = step(X[:, t], state)
        state = step.chosen(MASK[:, t], moved, state)
        assert_same([array(state[0])], [found["h"][:, t]])
