"""Perturbations from text, JSON and other forms, and the checks of their values."""

import dataclasses
import json
import math

import numpy as np
import pytest

from aru_keras.perturbations import (
    ChannelContrast,
    Contrast,
    InputNoise,
    NoisyDrive,
    Perturbations,
    StepDrive,
    Waveform,
    as_perturbation,
    from_config,
    parse,
)

STEP, NOISE, CONTRAST = StepDrive(2.5), NoisyDrive(seed=3), Contrast(1.5, 2, 0.3)
LEFT = ChannelContrast(1.5, channels=("left", 2)) + InputNoise(0.1, seed=3)
ALL = [STEP, NOISE, CONTRAST, STEP + CONTRAST, NOISE + CONTRAST + STEP, LEFT, Perturbations()]


@pytest.mark.parametrize("perturbation", ALL)
def test_perturbations_go_through_json(perturbation):
    text = json.dumps(perturbation.to_config(), allow_nan=False)
    assert from_config(json.loads(text)) == perturbation


@pytest.mark.parametrize(
    "perturbation",
    [
        *ALL,
        StepDrive(0.1, start=16, duration=9) + Contrast(-0.25, phase=math.pi, start=3, duration=4),
        NoisyDrive(1e-7, 0.1, seed=2**64 - 1) + StepDrive(1e30),
        Waveform([0, 0.1, -2.5], start=5) + STEP,
    ],
)
def test_perturbations_go_through_text(perturbation):
    assert parse(perturbation.to_text()) == perturbation


def test_text_is_short_and_refuses_a_column_for_each_unit():
    assert (StepDrive(5) + Contrast(0.5, phase=1.5)).to_text() == "step:5+contrast:0.5,phase=1.5"
    with pytest.raises(ValueError, match="to_config"):
        Waveform(np.ones((3, 2))).to_text()
    with pytest.raises(ValueError, match=r"names without ; .* Received: '3'.*to_config"):
        ChannelContrast(channels=["3"]).to_text()


def test_numpy_numbers_become_plain_ones():
    noise = NoisyDrive(np.float32(2), np.float64(1), np.int64(4), np.int32(3), np.uint8(9))
    assert json.loads(json.dumps(noise.to_config())) == [
        {"kind": "noise", "mean": 2, "variance": 1, "seed": 4, "start": 3, "duration": 9}
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step:5", StepDrive(5)),
        ("step", StepDrive()),
        ("step:-1e+1,start=3,duration=4", StepDrive(-10, 3, 4)),
        ("noise:mean=5,variance=2,seed=3", NoisyDrive(5, 2, 3)),
        ("noise:4,1,2,10,20", NoisyDrive(4, 1, 2, 10, 20)),
        (" contrast : 0.5 , phase = +1.57 ", Contrast(0.5, phase=1.57)),
        ("step:5+contrast:0.5", StepDrive(5) + Contrast()),
        ("step:+.5 + noise + contrast", StepDrive(0.5) + NoisyDrive() + Contrast()),
        ("none", Perturbations()),
    ],
)
def test_text_is_read(text, expected):
    assert parse(text) == as_perturbation(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps:5", "`perturbation` must be one of .* Did you mean 'step'"),
        ("", "`perturbation` must be one of step, noise, contrast"),
        ("step:5+", "`perturbation` must be one of"),
        ("noise:var=2", "An argument of `noise` must be one of .* Did you mean 'variance'"),
        ("step:five", "`amplitude` must be a number. Received: 'five' in 'step:five'"),
        ("step:", "`amplitude` must be a number"),
        ("step:1+2", "`amplitude` must be a number"),
        ("step:nan", "`amplitude` must be a finite number"),
        ("step:1,2,3,4", "`step` takes amplitude, start, duration"),
        ("noise:seed=1,2", "values without a name come first"),
        ("contrast:1,amplitude=2", "`amplitude` must be given once"),
        ("step:5,start=1.5", "`start` must be a whole number of at least 0"),
        (5, "`text` must be text"),
    ],
)
def test_wrong_text_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)


def test_whatever_stands_for_a_perturbation_is_taken():
    assert as_perturbation(None) == Perturbations()
    assert as_perturbation(STEP) is STEP
    mixed = [STEP, {"kind": "contrast", "amplitude": 0.1}, STEP + NOISE]
    assert as_perturbation(mixed).components == (STEP, Contrast(0.1), STEP, NOISE)
    assert as_perturbation([]) == as_perturbation(()) == Perturbations()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (5, "`perturbation` must be a perturbation.*Received: 5"),
        ({"amplitude": 5}, "Each item of `perturbation`.*Received: {'amplitude': 5}"),
        ({"components": 5}, "`perturbation` must be a perturbation"),
        ([5], "Each item of `perturbation` must be .* Received: 5"),
        ([{"amplitude": 5}], "Each item of `perturbation`"),
        ([{"kind": "stp"}], "`kind` must be one of .* Did you mean 'step'"),
        ([{"kind": "step", "size": 5}], "An argument of `step` must be one of amplitude"),
    ],
)
def test_what_stands_for_no_perturbation_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        as_perturbation(wrong)
    with pytest.raises(ValueError, match="`config` must be a list"):
        from_config("step")


@pytest.mark.parametrize(
    ("make", "argument", "wrong"),
    [
        (
            StepDrive,
            "amplitude",
            [math.nan, math.inf, 1e39, 10**400, "5", None, True, 1j],
        ),
        (StepDrive, "amplitude", [np.float16("inf"), np.array([5.0])]),
        (StepDrive, "start", [-1, 1.0, "3", True]),
        (StepDrive, "duration", [0, 1, 2.5]),
        (NoisyDrive, "mean", [math.nan, None]),
        (NoisyDrive, "variance", [-0.1, math.inf]),
        (NoisyDrive, "seed", [-1, 2**64, 0.5, None]),
        (NoisyDrive, "duration", [0, -3]),
        (Contrast, "amplitude", [math.nan]),
        (Contrast, "frequency", [math.inf]),
        (Contrast, "phase", ["0"]),
    ],
)
def test_every_value_is_checked(make, argument, wrong):
    for value in wrong:
        with pytest.raises(ValueError, match=rf"`{argument}` must be .*Received: "):
            make(**{argument: value})


@pytest.mark.parametrize("name", ["components", "parts"])
def test_what_asdict_makes_of_a_composition_is_taken(name):
    """Gymnasium makes specs with `asdict`; those that 0.1 wrote have the name `parts`."""
    listed = dataclasses.asdict(STEP + NOISE)["components"]
    assert as_perturbation(json.loads(json.dumps({name: listed}))) == STEP + NOISE
