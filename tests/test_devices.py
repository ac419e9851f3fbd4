"""One batch shared by two devices: the same training as on one."""

import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support import BACKEND

from aru_keras.runners import devices
from aru_keras.runners.callbacks import SignalEvents
from aru_keras.runners.cli import main
from aru_keras.runners.config import TrainConfig
from aru_keras.runners.control.events import Events
from aru_keras.runners.run_folder import RunFolder

NETWORK = """
import keras, numpy as np
from aru_keras import ARU

rng = np.random.default_rng(0)
x, y = rng.normal(size=(8, 6, 2)).astype("float32"), rng.integers(0, 3, 8)

def network():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6, 2)), ARU(4, 3), keras.layers.Dense(3)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model

def trained(model):
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    return model.get_weights()

def difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True))

"""
START = NETWORK + "start = network().get_weights()\nalone = trained(network())\n"
TWO_CPUS = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""
MIRRORED = (
    TWO_CPUS
    + START
    + """
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    shared = network()
print(strategy.num_replicas_in_sync, difference(alone, start), difference(alone, trained(shared)))
"""
)
PARALLEL = (
    START
    + """
devices = keras.distribution.list_devices()
keras.distribution.set_distribution(keras.distribution.DataParallel())
print(len(devices), difference(alone, start), difference(alone, trained(network())))
"""
)


WITH_TORCH = """
import runpy, sys
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from aru_keras.layers import ARU

step = runpy.run_path(sys.argv[1])["step"]

def steps(fused, count):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6, 2)), ARU(4, 3, fused=fused), keras.layers.Dense(3)])
    start, shared = model.get_weights(), DistributedDataParallel(model) if count > 1 else model
    optimizer = keras.optimizers.Adam(0.01, clipnorm=0.1)
    losses = [step(model, shared, optimizer, x + number, y) for number in range(3)]
    return start, model.get_weights(), losses

def process(rank, count):
    store = dist.FileStore(f"{sys.argv[2]}/{count}", count)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=count)
    values = [steps(fused, count) for fused in (True, False)]
    dist.destroy_process_group()
    return values

several = process(int(sys.argv[3]), 2)
if sys.argv[3] == "0":
    for (start, weights, losses), (_, others, of_one) in zip(several, process(0, 1)):
        print(difference(weights, start), difference(weights, others), difference(losses, of_one))
"""


TWO_HOSTS = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}

TRAINED = """
import csv, sys
from aru_keras.runners import devices, train
from aru_keras.runners.run_folder import RunFolder

options = {"units": 3, "controller_units": 2, "epochs": 2, "limit": 192, "batch_size": 16}
config = train.TrainConfig("digits", **options, clip_norm=0, drop_remainder=True)
found = []
for name in devices.DEVICES:
    with devices.sharing(name, config) as count:
        train.train(config, run_dir=f"{sys.argv[1]}/{name}", verbose=0)
    found.append([row["loss"] for row in RunFolder(f"{sys.argv[1]}/{name}").load_state()[1]])
one, several = found
print(count, abs(one[0] - one[1]), max(abs(a - b) for a, b in zip(one, several)))
"""


def output_of(program, backend, variables, *arguments):
    """What a program prints that runs on a backend."""
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = {**os.environ, **variables, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize(
    ("backend", "program", "variables"),
    [("tensorflow", MIRRORED, {}), ("jax", PARALLEL, TWO_HOSTS)],
)
def test_two_devices_train_as_one(backend, program, variables):
    count, moved, apart = output_of(program, backend, variables).split()[-3:]
    assert int(count) == 2
    assert float(apart) < 1e-6 < float(moved)


def test_two_processes_of_torch_train_as_one_fused_or_not(tmp_path):
    variables = {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    arguments = (
        "torch",
        variables,
        Path(__file__).parents[1] / "examples/torch/train.py",
        tmp_path,
    )
    program = NETWORK + WITH_TORCH
    with ThreadPoolExecutor() as pool:
        first, second = pool.map(lambda rank: output_of(program, *arguments, rank), (0, 1))
    numbers = [[float(word) for word in line.split()] for line in first.splitlines()]
    assert len(numbers) == 2 and not second
    for moved, apart, of_losses in numbers:
        assert max(apart, of_losses) < 1e-6 < 1e-2 < moved


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "program", "variables"),
    [("tensorflow", TWO_CPUS + TRAINED, {}), ("jax", TRAINED, TWO_HOSTS)],
)
def test_a_run_on_all_devices_is_the_run_on_one(backend, program, variables, tmp_path):
    count, moved, apart = output_of(program, backend, variables, tmp_path).split()[-3:]
    assert int(count) == 2
    assert float(apart) < 1e-5 < float(moved)


@pytest.mark.parametrize(
    ("backend", "check", "words"),
    [
        ("torch", None, "`devices` must be one on the backend torch"),
        ("tensorflow", devices._check_clipping, "Give --clip-norm 0"),
        ("jax", devices._check_batches, "Give --drop-remainder"),
    ],
)
def test_devices_that_would_train_otherwise_are_refused(backend, check, words, monkeypatch):
    config = TrainConfig("digits")
    monkeypatch.setattr(devices.keras.config, "backend", lambda: backend)
    with pytest.raises(ValueError, match=words):
        if check is None:
            with devices.sharing("all", config):
                pass
        else:
            check(config, 1)
            check(config, 2)


def test_one_device_is_all_that_there_is_by_default(capsys):
    with devices.sharing("one", TrainConfig("digits")) as count:
        assert count == 1
    assert main(["train", "digits", "--devices", "two"]) == 2
    assert "`devices` must be one of one, all" in capsys.readouterr().err


def test_an_agent_learns_on_one_device(capsys):
    assert main(["train", "gym:CartPole-v1", "--devices", "all"]) == 2
    assert "`devices` must be 'one' for an agent" in capsys.readouterr().err


@pytest.mark.parametrize("events", ["sequences", "agent"])
def test_events_leave_the_gpus_to_the_backend(events, tmp_path, monkeypatch):
    tf = pytest.importorskip("tensorflow")
    hidden = []
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *given: hidden.append(given))
    if events == "agent":
        Events(tmp_path)
    else:
        SignalEvents(RunFolder(tmp_path), None)
    assert hidden == ([] if BACKEND == "tensorflow" else [([], "GPU")])
