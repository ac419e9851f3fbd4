"""The benchmark compares what it says, and the fused path wins: ratios alone, never times."""

import csv
import math
import os
import signal
import subprocess
import threading
import time
from functools import partial

import numpy as np
import pytest

from aru_keras import ARU
from aru_keras.runners.benchmark import choices, floor, online, report, training
from aru_keras.runners.benchmark.processes import Variant, race
from aru_keras.runners.cli import main

KINDS = [
    training.AT_ONCE,
    training.STEP_BY_STEP,
    "GRU",
    training.MASKED,
    training.PREDICTED,
    training.RECORDED,
]


@pytest.fixture(scope="module")
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", "")  # The tests compile without optimizing.
        return training.training(["small"], backends=["tensorflow"], kinds=KINDS, rounds=5)


@pytest.mark.slow
def test_the_whole_sequence_is_faster_at_once_than_step_by_step(small):
    ratios = {row["kind"]: row["of_step_by_step"] for row in small}
    assert ratios[training.STEP_BY_STEP] == 1
    assert max(ratios[kind] for kind in (training.AT_ONCE, training.MASKED)) < 1
    assert ratios[training.PREDICTED] < ratios[training.AT_ONCE]


@pytest.mark.slow
def test_a_table_and_a_chart_hold_every_variant(small):
    lines = [line for line in report.training_table(small).splitlines() if "tensorflow" in line]
    assert [line.split("|")[2].strip() for line in lines] == KINDS
    (panel,) = report.training_chart(small).axes
    widths = [bar.get_width() for bar in panel.patches]
    assert widths == [row["of_floor"] for row in reversed(small)]
    assert all(row["memory"] > 0 for row in small)


@pytest.mark.slow
def test_the_numbers_behind_the_chart_stand_beside_it(small, tmp_path, monkeypatch, capsys):
    failed = {"size": small[0]["size"], "backend": "jax", "kind": "GRU", "failure": "no memory"}
    monkeypatch.setattr(training, "training", lambda *_, **__: [*small, {**small[0], **failed}])
    assert main(["benchmark", "training", "--picture", str(tmp_path / "a.png")]) == 0
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["of_floor"]) for row in rows[:-1]] == [row["of_floor"] for row in small]
    assert rows[-1]["failure"] == "no memory"
    assert f"Table: {tmp_path / 'a.csv'}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "operations", "tanhs"),
    [("small", 0.55, 4.2), ("middle", 11.7, 51), ("long", 113, 314), ("paper", 564, 1568)],
)
def test_the_arithmetic_of_a_training_step(name, operations, tanhs):
    """T·[6·B·N·G·(G + 2) + 6·B·N²] operations, T·B·N·G evaluations of tanh, worked out by hand."""
    size = training.SIZES[name]
    assert size.operations / 1e9 == pytest.approx(operations, rel=0.01)
    assert size.tanhs / 1e6 == pytest.approx(tanhs, rel=0.01)
    assert floor.Rates(1e9, 1e6).floor(size) == pytest.approx(operations + tanhs, rel=0.01)


def build_sleepless(megabytes=0):
    kept = []

    def run(count):
        kept.append(np.ones(megabytes * 2**17))
        del kept[:]

    return run


def build_broken():
    raise ValueError("no such thing")


def build_too_large():
    raise RuntimeError(
        "DefaultCPUAllocator: can't allocate memory:\n you tried to allocate 8 bytes"
    )


def build_killed():
    def run(count):
        os.kill(os.getpid(), signal.SIGKILL)

    return run


def build_killed_while_it_waits():
    def run(count):
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()

    return run


def build_slow():
    return lambda count: time.sleep(1)


@pytest.mark.slow
def test_a_variant_that_is_killed_between_its_turns_leaves_the_others_running():
    builds = {"killed": build_killed_while_it_waits, "slow": build_slow}
    variants = [Variant(name, "tensorflow", build) for name, build in builds.items()]
    found = race(variants, rounds=2, seconds=1e-3)
    assert found.failures == {"killed": "killed: out of memory?"}
    assert len(found.timing.seconds["slow"]) == 2


@pytest.mark.slow
@pytest.mark.parametrize("together", [True, False])
def test_a_variant_that_breaks_or_dies_leaves_the_others_running(together):
    builds = [partial(build_sleepless, 300), build_broken, build_killed, build_sleepless]
    builds.append(build_too_large)
    variants = [Variant(str(i), "tensorflow", build) for i, build in enumerate(builds)]
    rounds = 2 if together else 1  # A process for each turn, if not together.
    found = race(variants, rounds=rounds, seconds=1e-3, together=together)
    assert found.failures["1"] == "ValueError: no such thing"
    assert "out of memory?" in found.failures["2"]
    assert found.failures["4"] == "out of memory (limit: 90% of RAM)"
    assert {name: len(seconds) for name, seconds in found.timing.seconds.items()} == {
        "0": rounds,
        "3": rounds,
    }
    # The arrays, but for a few pages, and no more than as much again around them.
    assert 290 < found.memory["0"] / 2**20 < 600
    assert found.memory["3"] / 2**20 < 300


def test_a_backend_that_is_not_installed_is_refused(monkeypatch):
    monkeypatch.setattr(choices.importlib.util, "find_spec", lambda name: name != "jax" or None)
    assert choices.checked_backends(None) == ["tensorflow", "torch"]
    with pytest.raises(
        ValueError, match=r"must be installed. Received: \['jax'\].*pip install jax"
    ):
        choices.checked_backends(["torch", "jax"])


def test_the_eager_loop_is_the_same_network():
    torch = pytest.importorskip("torch")
    from aru_keras.runners.benchmark.eager_loop import EagerLoop

    loop = EagerLoop(5, 3)
    x = np.random.default_rng(0).normal(size=(2, 7, 1)).astype("float32")
    layer = ARU(5, 3)
    layer.build(x.shape)
    read = {name: value.detach().numpy() for name, value in loop.named_parameters()}
    readouts = [
        np.concatenate([read[f"{one}.{kind}"] for one in ("gain", "saturation")])
        for kind in ("weight", "bias")
    ]
    layer.set_weights(
        [
            read["from_input.weight"].T,
            read["from_units.weight"].T,
            read["from_input.bias"],
            read["into_controller.weight"].T,
            read["from_controller.weight"].T,
            read["into_controller.bias"],
            readouts[0].T,
            readouts[1],
        ]
    )
    loop.readout = torch.nn.Identity()
    found = loop(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, np.asarray(layer(x)), rtol=2e-5, atol=1e-6)


@pytest.mark.slow
def test_one_step_of_one_sequence_is_timed_in_every_way():
    rows = online.online([(6, 3)], backends=["tensorflow"], rounds=1)
    assert [row["kind"] for row in rows] == list(online.KINDS["tensorflow"])
    assert [row["failure"] for row in rows] == [None] * len(rows)
    assert rows[0]["of_online_step"] == 1 and not math.isnan(rows[1]["of_online_step"])
    assert len(report.online_table(rows).splitlines()) == 2 + len(rows)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # Panel announces other names.
def test_a_step_of_the_page_is_timed_with_its_messages():
    live = pytest.importorskip("aru_keras.runners.benchmark.live", exc_type=ImportError)
    (row,) = live.live([(5, 3)], rounds=1)
    assert min(row["seconds"], row["cpu_seconds"]) > 0 and (row["units"], row["bytes"] > 500) == (
        5,
        True,
    )
    assert live.live_table([row]).count("| 5 | 3 |") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trainin"], "Did you mean 'training'"),
        (["training", "--sizes", "smal"], "Did you mean 'small'"),
        (["training", "--kinds", "at onc"], "Did you mean 'at once'"),
        (["online", "--backends", "tensorflo"], "Did you mean 'tensorflow'"),
        (["online", "--rounds", "0"], "`rounds` must be a whole number"),
        (["online", "--units", "0"], "`units` must be a whole number"),
        (
            ["online", "--sizes", "small"],
            "`sizes` must be left out with online: it is an",
        ),
        (["training", "--units", "7"], "`units` must be left out with training"),
        (["live", "--num-envs", "3"], "`num_envs` must be left out with live"),
        (["environments", "--num-envs", "4", "0"], "`num_envs` must be a whole number"),
        (
            ["environments", "--backends", "tensorflow", "--num-envs", "0"],
            "`num_envs` must be a whole number",
        ),
        (["training", "--picture", "a.foo"], "suffix of picture must be one of png, svg, pdf"),
        (["training", "--picture", f"{__file__}/a.png"], "folder of picture"),
    ],
)
def test_bad_input_is_one_line(arguments, words, capsys):
    assert main(["benchmark", *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "ending"),
    [(3, 3), (-9, "aru-keras: error: the benchmark on tensorflow was ended by signal 9")],
)
def test_the_end_of_the_process_of_a_backend_is_that_of_the_command(code, ending, monkeypatch):
    done = subprocess.CompletedProcess([], code)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(SystemExit) as stop:
        main(["benchmark", "live", "--backends", "tensorflow"])
    assert stop.value.code == ending
