"""Work on several processes: the same files as from one, whatever dies meanwhile."""

import csv
import dataclasses
import json
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from offers import offer_preset
from trained import SMALL, TINY

from aru_keras._util import extras
from aru_keras._util.files import locked
from aru_keras.runners import cluster, schedulers, search, sweep, worker
from aru_keras.runners.cli import main
from aru_keras.runners.experiments import graph, reproduce, workspace
from aru_keras.runners.experiments.catalogue import EXPERIMENTS
from aru_keras.runners.run_folder import RunError, RunFolder
from aru_keras.runners.search_space import SearchSpace

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

EXPERIMENT = EXPERIMENTS["heterogeneity"]
"""Of a network, and of another that starts from it."""

PILOTED = dataclasses.replace(TINY, pilot_rates=(1e-3,), pilot_epochs=1)
GATED = dataclasses.replace(TINY, networks=("gru", "lstm"), options={**SMALL, "epochs": 10})
"""Two networks of which no reading is drawn, which takes longer than the rest."""


@pytest.fixture(scope="module")
def dask():
    """A cluster of two processes on this machine."""
    with schedulers.local(distributed, 2) as local:
        yield local


def quiet(line):
    pass


def space(folder, preset=PILOTED):
    return workspace.Workspace(folder, preset, quiet)


def process_at_work(dask, name):
    """The number of the process that works on a training."""
    (task,) = (task for task in dask.scheduler.tasks.values() if task.key[:2] == ("train", name))
    address = task.processing_on.address
    return next(nanny.pid for nanny in dask.workers.values() if nanny.worker_address == address)


def without_times(path):
    """A history without the seconds of each epoch."""
    with open(path, newline="") as file:
        return [{**row, "seconds": None} for row in csv.DictReader(file)]


@pytest.mark.slow
def test_workers_write_the_report_of_one_process_though_one_is_killed(dask, tmp_path, monkeypatch):
    offer_preset(monkeypatch, GATED)
    chosen = {"only": ["accuracy"], "formats": ["png"], "say": quiet}
    one, several = tmp_path / "one", tmp_path / "several"
    reproduce.reproduce("tiny", one, **chosen)
    folder, before = RunFolder(several / "runs/gru-seed0"), []
    killing = threading.Thread(target=kill_in_training, args=(dask, folder, before), daemon=True)
    killing.start()
    workers = cluster.Workers(scheduler=dask.scheduler_address)
    with monkeypatch.context() as patch:
        # This process trains and measures nothing.
        patch.setattr(workspace.Workspace, "_measure", None)
        reproduce.reproduce("tiny", several, workers=workers, **chosen)
        # Nor does any the second time: there is no scheduler at this address.
        nowhere = cluster.Workers(scheduler="tcp://127.0.0.1:1")
        reproduce.reproduce("tiny", several, workers=nowhere, **chosen)
    killing.join()
    epochs = json.loads(folder.state.read_text())["history"]
    assert 0 < len(before) < len(epochs) and epochs[: len(before)] == before
    assert_same_files(one, several)


def kill_in_training(dask, folder, epochs):
    """Kill the worker that trains a run after its first epochs, which are added to `epochs`."""
    while not folder.state.exists():
        time.sleep(0.01)
    epochs += json.loads(folder.state.read_text())["history"]
    os.kill(process_at_work(dask, folder.path.name), signal.SIGKILL)


def assert_same_files(one, several):
    """The same reports, measurements and histories, times aside."""
    for name in ("report.md", "report.html"):
        lines, others = ((folder / name).read_text().splitlines() for folder in (one, several))
        assert [line for line in lines if "time: " not in line] == [
            line for line in others if "time: " not in line
        ]
    for path in one.rglob("*.npz"):
        arrays, others = np.load(path), np.load(several / path.relative_to(one))
        for name in arrays.files:
            np.testing.assert_array_equal(arrays[name], others[name])
    for path in one.rglob("history.csv"):
        assert without_times(path) == without_times(several / path.relative_to(one))


@pytest.mark.slow
def test_a_sweep_on_workers_is_the_sweep_of_one_process(dask, tmp_path):
    options = {"model": "gru", "units": [3, 4], "epochs": 1, "limit": 32, "batch_size": 32}
    options["match_parameters"] = False
    workers = cluster.Workers(scheduler=dask.scheduler_address)
    several = sweep.sweep("digits", folder=tmp_path / "a", workers=workers, say=quiet, **options)
    assert several == sweep.sweep("digits", folder=tmp_path / "b", say=quiet, **options)
    assert "| 3 | " in several and "| 4 | " in several


def test_workers_share_the_trials_of_a_search(dask, tmp_path):
    pytest.importorskip("optuna", reason="the extra search is not installed")
    options = {"model": "gru", "match_parameters": False, "limit": 32, "batch_size": 32}
    space = SearchSpace({"task": "digits", "epochs": 1, "units": [3, 4], **options})
    job = search.Job(tmp_path, space, (0,), 2, 0)
    name = f"{search.__name__}:{search.run_trials.__name__}"
    tasks = [cluster.Task("search", str(number), name, (job,)) for number in range(2)]
    workers = cluster.Workers(scheduler=dask.scheduler_address)
    with cluster.working(tasks, workers, quiet) as wait:
        for task in tasks:
            wait(task.key)
    assert len(job.study().trials("COMPLETE")) == 2


def test_a_task_comes_after_those_that_it_needs(tmp_path):
    place = space(tmp_path)
    tasks = graph.missing_tasks(place, [EXPERIMENT], range(2))
    pilot = "train pilot-gamma-0.001-seed0"
    needs = {key: set(task.needs) for key, task in tasks.items()}
    assert needs["train gamma-one-point-seed1"] == {pilot}
    assert needs["train gamma-one-point-rotated-seed1"] == {pilot, "train gamma-one-point-seed1"}
    measured = "measure heterogeneity of gamma-one-point-rotated-seed1"
    assert needs[measured] == {"train gamma-one-point-rotated-seed1"}
    assert len(tasks) == 1 + 4 + 4
    for index, task in enumerate(tasks.values()):
        assert set(task.needs) <= set(list(tasks)[:index])


def test_what_diverged_is_not_trained_again(tmp_path, monkeypatch):
    calls = []

    def diverge(config, **options):
        calls.append(options["run_dir"].name)
        raise workspace.train.DivergedError("The loss became nan")

    monkeypatch.setattr(workspace.train, "train", diverge)
    for _ in range(2):
        assert len(space(tmp_path, TINY).results(EXPERIMENT, [0])) == 0
        for path in (tmp_path / "measured").rglob("*.npz"):
            path.unlink()
    assert calls == ["gamma-one-point-seed0"]
    (key, *others) = graph.missing_tasks(space(tmp_path, TINY), [EXPERIMENT], [0])
    assert key == "measure heterogeneity of gamma-one-point-seed0" and len(others) == 2


def test_work_in_which_every_worker_dies_is_given_up(dask, monkeypatch):
    monkeypatch.setattr(dask.scheduler, "allowed_failures", 0)
    end = cluster.Task("end", "all", "os:_exit", (1,))
    workers = cluster.Workers(scheduler=dask.scheduler_address)
    with (
        cluster.working([end], workers, quiet) as wait,
        pytest.raises(cluster.ClusterError, match=r"1 workers died .* 'end all', for want of mem"),
    ):
        wait("end all")


SCHEDULER = """
import distributed, time
cluster = distributed.LocalCluster(n_workers=0, dashboard_address=None)
print(cluster.scheduler_address, flush=True)
time.sleep(600)
"""


def test_a_scheduler_that_is_killed_is_one_line(tmp_path, monkeypatch, capsys):
    offer_preset(monkeypatch, TINY)
    look, logged = schedulers.look_for_workers, logging.Handler()
    monkeypatch.setattr(logged, "emit", lambda record: print(record, file=sys.stderr))
    for name in schedulers.LOGGERS:  # Their own handlers write to the first stderr of the process.
        monkeypatch.setattr(logging.getLogger(name), "handlers", [logged])
    with subprocess.Popen([sys.executable, "-c", SCHEDULER], stdout=subprocess.PIPE) as process:

        def look_and_kill(*arguments):
            look(*arguments)
            threading.Timer(0.5, process.kill).start()

        monkeypatch.setattr(schedulers, "look_for_workers", look_and_kill)
        address = process.stdout.readline().decode().strip()
        arguments = ["reproduce", "--preset", "tiny", "--only", EXPERIMENT.name]
        code = main([*arguments, "--dir", str(tmp_path), "--scheduler", address])
    out, err = capsys.readouterr()
    assert "The scheduler has no worker now" in out
    assert code == 1 and f"The Dask scheduler {address} is gone." in err
    assert "the same command goes on where it was" in err and len(err.strip().splitlines()) == 1


def test_dask_draws_no_number_of_the_works_generator():
    import dask.sizeof

    worker.keep_random_numbers()
    before = random.getstate()
    dask.sizeof.sizeof(list(range(100)))
    dask.sizeof.sizeof(dict.fromkeys(range(100)))
    assert random.getstate() == before


def test_a_run_that_another_process_trains_is_waited_for(tmp_path, monkeypatch):
    def train(config, run_dir, **options):
        with RunFolder(run_dir).held():
            raise workspace.train.DivergedError("The loss became nan")

    monkeypatch.setattr(workspace.train, "train", train)
    space(tmp_path, TINY)
    run = tmp_path / "runs/relu-seed0"
    run.mkdir(parents=True)
    arguments = (str(tmp_path), TINY, "relu", 0)
    with locked(run / ".lock"):
        assert not worker._done(graph.train_network, arguments)
    assert worker._done(graph.train_network, arguments)
    assert (run / "diverged.json").exists()


def test_a_worker_elsewhere_must_see_the_folder_and_have_the_same_versions(tmp_path):
    with pytest.raises(RunError, match="does not see the folder"):
        graph.train_network(str(tmp_path), TINY, "relu", 0)
    assert not list(tmp_path.iterdir())
    with pytest.raises(RunError, match=r"has keras .*, and this command keras 2\.0\."):
        worker._check_versions((("keras", "2.0"),))


def test_without_dask_an_error_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.setattr(extras.importlib.util, "find_spec", lambda name: None)
    assert main(["reproduce", "--workers", "2", "--dir", str(tmp_path)]) == 2
    err = capsys.readouterr().err
    assert 'Install it with pip install "dask[distributed]"' in err
    assert len(err.strip().splitlines()) == 1 and not list(tmp_path.iterdir())
    with pytest.raises(ImportError, match='pip install "dask'):
        extras.import_distributed()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--workers", "0"], "`workers` must be a whole number of at least 1"),
        (["--workers", "2", "--scheduler", "tcp://a:1"], "Leave one of the two out"),
        (["--workers", "2", "--resources", "GPU=1"], "Give --scheduler ADDRESS"),
        (["--scheduler", "tcp://a:1", "--resources", "GPU"], "of the form NAME=NUMBER"),
        (["--scheduler", "tcp://a:1", "--resources", "GPU=x"], "of the form NAME=NUMBER"),
        (["--scheduler", "nonsense://a"], "must be the address of a Dask scheduler that runs"),
    ],
)
def test_options_that_do_not_fit_are_one_line(arguments, words, tmp_path, capsys):
    arguments = ["reproduce", "--only", "spectrum", "--dir", str(tmp_path), *arguments]
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert words in err and len(err.strip().splitlines()) == 1
