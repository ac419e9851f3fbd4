"""What the sequence environments refuse, and that a refusal changes nothing."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from sequences import B, fake_task, make, make_vec

from aru_keras import ARU, GammaRNN
from aru_keras.envs import Perturb, Probe
from aru_keras.envs.rig import UnitRigEnv
from aru_keras.perturbations import Waveform


@pytest.mark.parametrize("action", [10, -1, 1.5, "3", None, [0, 1]])
def test_actions_outside_the_space(action):
    env = make().unwrapped
    env.reset()
    with pytest.raises(ValueError, match=r"`action` must lie in Discrete\(10\).*Received"):
        env.step(action)


def test_bad_actions_leave_the_episode_where_it_was():
    env = make_vec()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="`action`"):
        env.step(np.array([0, 10, 0]))
    assert env.step(np.zeros(B, int))[-1]["t"].tolist() == [1] * B


@pytest.mark.parametrize("build", [make, make_vec])
def test_a_step_before_reset(build):
    env = build().unwrapped
    with pytest.raises(ResetNeeded, match=r"call reset\(\) first"):
        env.step(np.zeros(env.action_space.shape, int))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "tests"}, "`split` must be one of.*Did you mean 'test'"),
        ({"task": "digit"}, "`task` must be one of.*Did you mean 'digits'"),
        ({"reward": "finale"}, "`reward` must be one of.*Did you mean 'final'"),
        ({"subset": 2000}, "indices from 0 to 1256"),
        ({"render_mode": "ansi"}, "`render_mode` must be None or one of"),
        ({"subset": 0}, "`subset` must be a whole number of at least 1"),
        ({"subset": [0, 4000]}, "`subset` must be a number of images or indices from 0 to 1256"),
        ({"subset": []}, "`subset` must be"),
        ({"perturbation": "stepp:5"}, "Did you mean 'step'"),
        ({"units": 0}, "`units` must be a whole number of at least 1"),
        ({"autoreset_mode": "never"}, "`autoreset_mode` must be one of"),
        ({"num_envs": 0}, "`num_envs` must be a whole number of at least 1"),
        ({"downsample": 3}, "`downsample` must divide"),
    ],
)
def test_bad_arguments(options, message):
    from aru_keras.envs import SequenceVectorEnv

    with pytest.raises(ValueError, match=message):
        SequenceVectorEnv(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": [True, False]}, "reset_mask.*must be 3 booleans"),
        ({"reset_mask": np.zeros(B, bool)}, "must be 3 booleans, not all of them False"),
        ({"reset_mask": np.ones(B)}, "must be 3 booleans"),
        ({"index": 4000}, "from 0 to 1256, or an index for each sub-environment. Received: 4000"),
        ({"index": -1}, "from 0 to 1256"),
        ({"idx": 3}, "`options` must be one of reset_mask, index"),
        ("index", "`options` must be a dictionary"),
        ({"index": 0.5}, "must be the index of an image"),
        ({"index": [0, 1]}, "must be the index of an image"),
    ],
)
def test_bad_options_of_reset(options, message):
    env = make_vec()
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


@pytest.mark.parametrize("wrong", ["step:5,start=1000", "channels:0.5,channels=left", "steps:5"])
def test_a_refused_perturbation_changes_nothing(wrong):
    env, other = make_vec(), make_vec()
    for each in (env, other):
        each.reset(seed=0)
    with pytest.raises(ValueError, match="Received"):
        env.unwrapped.perturb(wrong)
    for _ in range(3):
        (seen, *_, info), (wanted, *_, expected) = (e.step(np.zeros(B, int)) for e in (env, other))
        np.testing.assert_array_equal(seen, wanted)
        np.testing.assert_array_equal(info["index"], expected["index"])
    assert env.unwrapped.perturbation.to_text() == "none"


def test_a_network_that_does_not_fit_the_drive_leaves_room_for_one_that_does():
    env = make(perturbation=Waveform(np.ones((8, 4)))).unwrapped
    with pytest.raises(ValueError, match=r"`(values|units)`"):
        env.expect_units(3)
    env.expect_units(4)
    assert env.reset(seed=0)[1]["drive"].shape == (4,)


def test_a_closed_environment_is_closed():
    env = make_vec(render_mode="rgb_array")
    env.reset(seed=0)
    env.render()
    env.close()
    assert env.closed


def test_seeds_for_each_sub_environment_are_refused():
    with pytest.raises(ValueError, match="`seed` must be a single whole number"):
        make_vec().reset(seed=[0, 1, 2])


def test_the_whole_image_task_is_refused():
    with pytest.raises(ValueError, match="Use 'scifar10'"):
        make(task=fake_task("scifar10-conv"))


@pytest.mark.parametrize("value", ["no", None, 2, [True]])
@pytest.mark.parametrize(
    "option", ["shuffle", "reveal_label", "isolated", "per_unit", "as_numpy", "isolated of a probe"]
)
def test_switches_are_true_or_false(option, value):
    name, *of_probe = option.split(" ", 1)
    with pytest.raises(ValueError, match=f"`{name}` must be True or False. Received"):
        if of_probe or name == "as_numpy":
            Probe(make(), GammaRNN(4), **{name: value})
        elif name in ("shuffle", "reveal_label"):
            make(**{name: value})
        else:
            UnitRigEnv(ARU(3, 2), **{name: value})


def test_units_to_watch_must_exist_where_nothing_is_drawn():
    with pytest.raises(ValueError, match="`watch` must name units from 0 to 3"):
        Probe(make(), GammaRNN(4), watch=[99])


def test_other_environments_cannot_be_perturbed():
    with pytest.raises(ValueError, match="`env` must be a sequence environment"):
        Perturb(gym.make("CartPole-v1"), "step:5")
