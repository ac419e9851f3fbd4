"""A current of one's own: the perturbation `Waveform` and the rig's protocol."""

import json

import gymnasium as gym
import numpy as np
import pytest
from rigs import N, assert_same, played, shared
from support import array, relative_error

from aru_keras import models, tasks
from aru_keras.envs import Probe, protocols
from aru_keras.perturbations import (
    Contrast,
    StepDrive,
    Waveform,
    as_perturbation,
    from_config,
    parse,
)
from aru_keras.probing import record
from aru_keras.runners.probe import _words

WAVE = np.sin(np.arange(20)).astype("f4")
OWN = np.random.default_rng(0).normal(size=(12, N)).astype("f4")


def test_a_waveform_is_the_drive_from_its_start():
    drive = Waveform(WAVE, start=5).drive([0], 64)
    assert drive.shape == (1, 64, 1) and drive.dtype == np.float32
    np.testing.assert_array_equal(drive[0, 5:25, 0], WAVE)
    assert not drive[:, :5].any() and not drive[:, 25:].any()
    np.testing.assert_array_equal(Waveform(WAVE).drive([0], 10)[0, :, 0], WAVE[:10])
    own = Waveform(OWN, start=1)
    assert own.per_unit and not Waveform(OWN[:, :1]).per_unit
    np.testing.assert_array_equal(own.drive([0], 20, N)[0, 1:13], OWN)
    total = (own + StepDrive(2, start=0, duration=20)).drive([0], 20)
    np.testing.assert_array_equal(total[0, 1:13], OWN + 2)


@pytest.mark.parametrize("wave", [Waveform(WAVE, 3), Waveform(OWN), Waveform([1]) + Contrast()])
def test_a_waveform_is_a_value_and_goes_through_json(wave):
    again = from_config(json.loads(json.dumps(wave.to_config())))
    assert again == wave and hash(again) == hash(wave)
    np.testing.assert_array_equal(again.drive([0], 64), wave.drive([0], 64))


def test_a_waveform_as_text_and_as_a_file(tmp_path):
    assert parse("waveform:0 1 -2.5 1e+1,start=16") == Waveform([0, 1, -2.5, 10], 16)
    np.save(tmp_path / "own.npy", OWN)
    both = as_perturbation(f"waveform:{tmp_path}/own.npy+step:5")
    assert both == Waveform(OWN) + StepDrive(5)


@pytest.mark.parametrize("name", ["d+e.npy", "a,b/c.npy", "step+1,noise+x.npy", "a+b+c,d.npy"])
def test_the_path_of_a_waveform_may_hold_what_separates_values(name, tmp_path):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    np.save(path, WAVE)
    for text in (f"waveform:{path},start=3", f"waveform:start=3,values={path}"):
        assert parse(text) == Waveform(WAVE, 3)
        assert parse(f"step:5+{text}+contrast:0.5") == StepDrive(5) + Waveform(WAVE, 3) + Contrast()
    both = parse(f"waveform:{path}+waveform:{path},1")
    assert both == Waveform(WAVE) + Waveform(WAVE, 1)
    with pytest.raises(ValueError, match=r"`perturbation` must be one of.*Received: 'stop'"):
        parse(f"stop:5+waveform:{path}")
    with pytest.raises(ValueError, match=r"`perturbation` must be one of.*Received: 'stop'"):
        parse(f"step:5+stop:1+waveform:{path}")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Waveform([]), r"`values` must be an array of finite numbers"),
        (lambda: Waveform([1, np.nan]), r"`values` must be an array of finite numbers"),
        (lambda: Waveform([1e39]), r"`values` must be an array of finite numbers"),
        (lambda: Waveform([[1, 2], [3]]), r"`values` must be an array of finite numbers"),
        (lambda: Waveform("5"), r"`values` must be an array of finite numbers"),
        (lambda: Waveform(np.zeros((1, 2, 3))), r"`values` must be an array of finite numbers"),
        (lambda: Waveform([1], start=-1), "`start` must be a whole number of at least 0"),
        (lambda: Waveform([1], start=9).drive([0], 9), r"needs a step t ≥ 9.*T = 9"),
        (lambda: Waveform(OWN).drive([0], 64, N + 1), rf"Received: {N} columns for N = {N + 1}"),
        (lambda: parse("waveform:1 two"), "`values` must be numbers with spaces between"),
        (lambda: parse("waveform:absent.npy"), "`values` must be numbers with spaces.*absent.npy"),
    ],
)
def test_what_is_no_waveform_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_probe_records_and_steps_under_the_same_waveform():
    network, digits = models.build_network("gamma", (64, 1), units=N), tasks.load_task("digits")
    wave = Waveform(OWN, start=10)
    env = Probe(gym.make("aru/Digits-v0", split="test", perturbation=wave), network, "h")
    found = [env.reset(options={"index": 3})[1]["h"]]
    found += [env.step(0)[-1]["h"] for _ in range(63)]
    x, drive = digits.perturbed(digits.examples("test", [3])[0], [3], wave)
    expected = record(network, x, "h", drive)["h"][0]
    assert relative_error(np.stack([array(one) for one in found]), expected) < 1e-5


def test_files_are_named_for_the_waveform():
    names = {*_words(Waveform(WAVE)), *_words(Waveform(WAVE[:-1])), *_words(Waveform(WAVE, 2))}
    assert len(names) == 3 and all(len(name) < 40 for name in names)
    assert _words(StepDrive(5)) == ["step-5"]


def test_the_waveform_protocol_is_the_stepped_rig():
    response = protocols.waveform_response(shared(), WAVE)
    np.testing.assert_array_equal(response.current[0, :, 0], np.append(np.float32(0), WAVE))
    stepped = played(shared(), WAVE[:, None])
    assert_same({name: values[0] for name, values in response.signals.items()}, stepped)
    repeats = protocols.waveform_response(shared(), np.stack([0 * WAVE, WAVE]))
    assert repeats.current.shape == (2, len(WAVE) + 1, 1)
    assert_same({name: values[1] for name, values in repeats.signals.items()}, stepped)
    own = protocols.waveform_response(shared(per_unit=True), OWN[None])
    assert_same(
        {name: values[0] for name, values in own.signals.items()},
        played(shared(per_unit=True), OWN),
    )


def test_a_waveform_that_might_be_either_is_refused_and_both_readings_are_taken():
    rig = shared(per_unit=True)
    with pytest.raises(ValueError, match=r"waveform\[None\] for 12 steps.*waveform\[..., None\]"):
        protocols.waveform_response(rig, OWN)
    np.testing.assert_array_equal(protocols.waveform_response(rig, OWN[None]).current[0, 1:], OWN)
    repeats = protocols.waveform_response(rig, OWN[..., None]).current
    np.testing.assert_array_equal(repeats[:, 1:], np.repeat(OWN[..., None], N, axis=2))
    assert protocols.waveform_response(rig, OWN[:, 1:]).current.shape == (12, N, N)
    assert protocols.waveform_response(shared(), OWN).current.shape == (12, N + 1, 1)


@pytest.mark.parametrize("wrong", [[], 3.0, [np.nan], ["a"], np.zeros((1, 4, N)), [[1, 2], [3]]])
def test_a_protocol_refuses_what_is_no_waveform(wrong):
    with pytest.raises(ValueError, match=r"`waveform` must be finite numbers.*Received"):
        protocols.waveform_response(shared(), wrong)
