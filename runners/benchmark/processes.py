"""Variants that take turns, each in a process of its own.

So one run compares TensorFlow, JAX and torch, and the peak memory of a variant is its own.
"""

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from aru_keras.runners.benchmark.timing import ROUNDS, SECONDS_A_TURN, Timing, calls_in, elapsed
from aru_keras.runners.memory import peak_memory

MOST_MEMORY = 0.9
"""Share of the machine's memory that a variant may take."""

OUT_OF_MEMORY = ("can't allocate memory", "out of memory", "RESOURCE_EXHAUSTED")
"""Texts by which errors of torch, TensorFlow and JAX say that memory ran out."""

SECONDS_TO_END = 5.0
"""How long a process may take to end by itself."""

TOO_MUCH_MEMORY = 77
"""Exit code of a process that took more memory than `MOST_MEMORY`."""

_DEATHS = {
    TOO_MUCH_MEMORY: f"out of memory (limit: {MOST_MEMORY:.0%} of RAM)",
    -9: "killed: out of memory?",
}


@dataclass(frozen=True)
class Variant:
    """Something to be timed.

    Attributes:
        name: Name of the variant.
        backend: Keras backend of its process.
        build: Function, called in the process, that returns the function to be timed. That one
            takes the number of calls to make, and returns when all results are computed. `build`
            must pickle.
        compiles: Whether the first call takes longer than others, and is not counted. Where memory
            is short, a second call may not fit, as freed memory cannot always be used again.
    """

    name: str
    backend: str
    build: Callable[[], Callable[[int], None]]
    compiles: bool = True


@dataclass(frozen=True)
class Race:
    """The results of variants that took turns.

    Attributes:
        timing: Times of the variants that finished.
        memory: Peak memory in bytes by variant, on the device where it runs, minus that after the
            imports; 0 where the system does not tell.
        failures: Reason by variant that did not finish.
    """

    timing: Timing
    memory: dict[str, int]
    failures: dict[str, str]


def race(
    variants: Sequence[Variant],
    rounds: int = ROUNDS,
    seconds: float = SECONDS_A_TURN,
    *,
    together: bool = True,
    progress: bool = False,
) -> Race:
    """Let variants take turns, each in a process of its own.

    Args:
        variants: Variants, with different names.
        rounds: Number of turns of each variant.
        seconds: Approximate duration of a turn in seconds; a turn is at least one call.
        together: Whether all processes stay alive. Otherwise each turn starts a new process, for
            variants that do not fit into memory together.
        progress: Whether to show a bar.

    Returns:
        A `Race`. A variant that raises, or whose process dies, is among its failures.
    """
    seconds_a_call: dict[str, list[float]] = {variant.name: [] for variant in variants}
    memory: dict[str, int] = {}
    failures: dict[str, str] = {}
    counts: dict[str, int] = {}
    workers: dict = {}
    bar = keras.utils.Progbar(rounds * len(variants), unit_name="turn") if progress else None
    for _ in range(rounds):
        for variant in variants:
            name = variant.name
            if name not in failures:
                try:
                    worker = workers.pop(name, None) or _Worker(
                        variant, together or variant.compiles
                    )
                    seconds_a_call[name].append(_turn(worker, name, counts, seconds))
                    memory[name] = max(worker.ask(None), memory.get(name, 0))
                    workers[name] = worker
                    if not together:
                        workers.pop(name).stop()
                except _Failure as failure:
                    failures[name] = str(failure)
            if bar:
                bar.add(1)
    for worker in workers.values():
        worker.stop()
    finished = {name: values for name, values in seconds_a_call.items() if name not in failures}
    return Race(Timing(finished), {name: memory[name] for name in finished}, failures)


def _turn(worker, name, counts, seconds):
    """Seconds per call; the first turn of a variant also sets the number of calls of a turn."""
    if name not in counts:
        first = worker.ask(1)
        counts[name] = calls_in(seconds, first)
        if counts[name] == 1:
            return first
    return worker.ask(counts[name]) / counts[name]


class _Failure(RuntimeError):
    """The reason why a variant did not finish."""


class _Worker:
    """The process of a variant, ready for its turns."""

    def __init__(self, variant, warm):
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self.process = context.Process(
            target=_serve, args=(other, variant.build, warm), daemon=True
        )
        with _environment(KERAS_BACKEND=variant.backend):
            self.process.start()
        other.close()

    def ask(self, count):
        """The seconds that `count` calls take; for None the peak memory."""
        try:
            self.connection.send(count)
            answer = self.connection.recv()
        except (EOFError, OSError) as error:
            self.process.join()
            code = self.process.exitcode
            raise _Failure(_DEATHS.get(code, f"its process ended with code {code}")) from error
        if isinstance(answer, str):
            self.stop()
            raise _Failure(answer)
        return answer

    def stop(self):
        self.connection.close()  # The process ends by itself and gives back what it holds.
        self.process.join(SECONDS_TO_END)
        self.process.terminate()
        self.process.join()


def _serve(connection, build, warm):
    _die_first()
    before = _resident()
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak counts from here.
    try:
        run = build()
        if warm:
            run(1)
        while True:
            count = connection.recv()
            connection.send(_memory(before) if count is None else elapsed(run, count))
    except EOFError:
        return
    except Exception as error:
        connection.send(_reason(error))


def _reason(error):
    """The reason in one line."""
    if any(words in str(error) for words in OUT_OF_MEMORY) or isinstance(error, MemoryError):
        return _DEATHS[TOO_MUCH_MEMORY]
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _die_first():
    """If memory runs out, let the system kill this process first, before the machine swaps."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    if hasattr(os, "sysconf"):  # Not on Windows.
        threading.Thread(target=_die_of_memory, daemon=True).start()


def _die_of_memory():
    """End the process when it takes too much memory; reserved memory does not count."""
    most = MOST_MEMORY * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    while _resident() < most:
        time.sleep(0.05)
    os._exit(TOO_MUCH_MEMORY)


def _resident():
    with contextlib.suppress(OSError):
        return _from_status("VmRSS")
    return peak_memory() or 0


def _memory(before):
    """The peak memory in bytes: of the GPU if there is one, otherwise the increase on `before`."""
    on_device = _device_peak()
    if on_device is not None:
        return on_device
    with contextlib.suppress(OSError):
        return _from_status("VmHWM") - before
    return (peak_memory() or 0) - before


def _from_status(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {name}")


def _device_peak():
    """The peak on a GPU of JAX or torch; None where there is none."""
    if keras.config.backend() == "jax":
        import jax

        stats = jax.devices()[0].memory_stats() or {}
        return stats.get("peak_bytes_in_use") if jax.default_backend() == "gpu" else None
    if keras.config.backend() == "torch":
        import torch

        return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    return None


@contextlib.contextmanager
def _environment(**values):
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
