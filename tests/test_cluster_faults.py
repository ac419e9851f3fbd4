"""A cluster that does not fit the command, or does not answer: what is wrong is said at once."""

import json
import multiprocessing
import platform
import socket
import sys
import threading
import time
from types import SimpleNamespace

import pytest
from test_sweep import TINY, quiet

from aru_keras.runners import cluster, schedulers, sweep, worker
from aru_keras.runners.cluster import ClusterError, Task, Workers
from aru_keras.runners.cluster_options import checked_scheduler
from aru_keras.tasks import DatasetError

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

QUICK = Task("list", "here", "os:listdir", (".",))


def in_threads(workers=1, threads=1):
    """A cluster whose workers are threads of this process."""
    options = {"processes": False, "protocol": "tcp", "dashboard_address": None}
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=threads, silence_logs=50, **options
    )


@pytest.fixture(scope="module")
def one():
    with in_threads() as local:
        yield Workers(scheduler=local.scheduler_address)


def test_a_worker_with_several_threads_is_refused():
    with (
        in_threads(threads=2) as local,
        cluster.working([QUICK], Workers(scheduler=local.scheduler_address), quiet) as wait,
        pytest.raises(ClusterError, match=r"has 2 threads .* Start it with --nthreads 1"),
    ):
        wait(QUICK.key)


def test_a_worker_that_does_not_fit_ends_the_command_though_another_task_is_waited_for():
    bad = ImportError("The worker on node3 cannot import aru-keras (no).", name="aru_keras")
    waiting, said = waiting_for({"a": ("error", bad), "b": ("pending", None)})
    with pytest.raises(ClusterError, match=r"node3 cannot import .* the same command goes on"):
        waiting("b")
    assert not said


def waiting_for(states):
    """What waits for tasks that end as said, by their names, and the lines that it says."""
    futures = {
        key: SimpleNamespace(key=key, status=status, exception=lambda error=error: error)
        for key, (status, error) in states.items()
    }
    ended, said = [future for future in futures.values() if future.status != "pending"], []
    waiting = object.__new__(cluster._Waiting)
    vars(waiting).update(
        distributed=distributed,
        futures=futures,
        keys={key: key for key in futures},
        workers=Workers(1),
        say=said.append,
        done=set(),
        said=set(),
    )
    waiting._next = lambda: ended.pop(0)
    return waiting, said


def test_a_failure_is_said_at_once_and_raised_when_its_turn_comes():
    error = ValueError("`x` must\nbe 3.")
    states = {"a": ("error", error), "needs a": ("error", error), "b": ("finished", None)}
    waiting, said = waiting_for(states)
    waiting("b")
    assert said == ["failed (1/3): a: `x` must be 3.", "done (3/3): b"]
    with pytest.raises(ValueError, match="`x` must"):
        waiting("a")


def test_a_scheduler_that_cannot_read_the_work_is_a_cluster_error():
    text = "\nError during deserialization of the task graph. This frequently\noccurs"
    waiting, _ = waiting_for({"a": ("error", RuntimeError(text))})
    with pytest.raises(ClusterError, match=r"cannot read the work\. Start it with"):
        waiting("a")


def test_the_work_needs_no_package_to_say_that_there_is_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "aru_keras.runners.worker", None)
    with pytest.raises(ImportError, match=r"The worker on .* cannot import aru-keras") as caught:
        exec(cluster.CALL, {"arguments": ()})
    assert caught.value.name == "aru_keras"


def test_a_worker_must_see_a_file_of_the_command(one, tmp_path):
    with cluster.working([QUICK], one, quiet, tmp_path) as wait:
        (mark,) = tmp_path.iterdir()
        wait(QUICK.key)
    assert not list(tmp_path.iterdir())
    with pytest.raises(
        ClusterError, match=rf"{platform.node()} does not see the folder {tmp_path} of"
    ):
        worker._check_mark(str(mark))


def test_data_that_a_worker_lacks_is_said_with_its_machine():
    def work():
        raise DatasetError("There is no data.")

    with pytest.raises(DatasetError, match=f"On the machine {platform.node()}: There is no data"):
        worker._done(work, ())


def test_a_run_that_is_done_elsewhere_alone_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "PATIENCE", 1)
    monkeypatch.setattr(sweep.time, "sleep", quiet)
    monkeypatch.setattr(sweep, "_train", lambda *arguments: None)
    with pytest.raises(ClusterError, match="holds no finished run, though a worker has said"):
        sweep.sweep("digits", folder=tmp_path, workers=1, say=quiet, **TINY)


def test_that_all_workers_have_left_is_said_while_a_task_is_waited_for(one, monkeypatch):
    looks, said = iter([True, False, False, True]), []
    monkeypatch.setattr(cluster, "SECONDS_BETWEEN_LOOKS", 0.05)
    workers = {"workers": {"a": {"resources": {}}}}

    def info(self, count=-1):
        there = next(looks, True) or count == 0
        return {"services": {}, **(workers if there else {"workers": {}})}

    monkeypatch.setattr(distributed.Client, "scheduler_info", info)
    nap = Task("nap", "short", "time:sleep", (1,))
    with cluster.working([nap], one, said.append) as wait:
        wait(nap.key)
    assert said == ["The scheduler has no worker now: waiting for one.", "done (1/1): nap short"]


def test_an_interrupt_says_that_the_workers_of_a_scheduler_go_on():
    for workers, lines in ((Workers(1), 0), (Workers(scheduler="tcp://a:1"), 1)):
        said, futures = [], {"a": SimpleNamespace(status="pending")}
        with pytest.raises(KeyboardInterrupt), cluster._last_words(futures, workers, said.append):
            raise KeyboardInterrupt
        assert len(said) == lines and all("end the workers" in line for line in said)


@pytest.mark.parametrize("address", ["", "localhost", "tcp://node1", "nonsense://a", 8786, None])
def test_an_address_needs_a_port(address):
    with pytest.raises(ValueError, match=r"`scheduler` must be .* with its port"):
        checked_scheduler(address)


@pytest.mark.parametrize("address", ["localhost:8786", "tls://[::1]:8786", "a/scheduler.json"])
def test_an_address_with_a_port_or_a_file_is_one(address):
    assert checked_scheduler(address) == Workers(scheduler=address).scheduler == address


def test_a_scheduler_file_is_waited_for_in_a_line(tmp_path):
    path, said = tmp_path / "scheduler.json", []

    def say(line):
        said.append(line)
        path.write_text('{"addr')
        write = threading.Timer(0.3, path.write_text, [json.dumps({"address": "tcp://a:1"})])
        write.start()

    assert schedulers._address(str(path), say) == "tcp://a:1"
    assert said == [f"Waiting for the scheduler file {path}."]
    path.write_text("{}")
    with pytest.raises(ValueError, match=r"`scheduler` must be .* without an address"):
        schedulers._address(str(path), say)


def test_a_port_that_nobody_opens_is_an_error_that_can_be_interrupted(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        schedulers._knock(f"tcp://127.0.0.1:{taken.getsockname()[1]}")
    monkeypatch.setattr(schedulers, "SECONDS_TO_CONNECT", 0)
    workers = Workers(scheduler="tcp://127.0.0.1:1")
    with (
        pytest.raises(ValueError, match=r"`scheduler` must be .* Received: 'tcp://127.0.0.1:1'"),
        schedulers.connected(distributed, workers, quiet),
    ):
        time.sleep(0)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"workers": 2, "resources": {"GPU": 1}}, "`resources` are those that the workers of a"),
        ({"scheduler": "tcp://a:1", "resources": "GPU=1"}, "`resources` must be a Mapping"),
        ({"scheduler": "tcp://a:1", "resources": {"GPU": "one"}}, "`resources` must be a finite"),
        ({"scheduler": "tcp://a:1", "resources": {"GPU": -1}}, "of at least 0"),
    ],
)
def test_resources_are_numbers_of_a_schedulers_workers(arguments, words):
    with pytest.raises(ValueError, match=words):
        Workers(**arguments)


def test_a_number_stands_for_workers_of_this_machine():
    assert schedulers.as_workers(4) == Workers(4) and schedulers.as_workers(None) is None
    with pytest.raises(ValueError, match="`workers` must be a whole number"):
        schedulers.as_workers("four")


def test_a_script_without_a_guard_is_told_to_have_one(monkeypatch):
    def start(**options):
        raise RuntimeError("Nanny failed to start.")

    monkeypatch.setattr(distributed, "LocalCluster", start)
    with pytest.raises(ClusterError, match='put the call under if __name__ == "__main__":'):
        schedulers.local(distributed, 1)
    # In the worker, which imports the script.
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    workers = Workers(1)  # A constant of the script, which starts nothing.
    for given in (workers, 1):
        with pytest.raises(SystemExit, match="put the call under"):
            schedulers.as_workers(given)
