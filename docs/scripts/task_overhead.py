"""What a task on the workers of this machine costs beside its own work.

    python docs/scripts/task_overhead.py --tasks 1000 --workers 1 2

Each task writes a small file, as the result of every task is one. The first hundred, in which the
workers start and load what they need, are not counted. CPU time is that of all processes together:
the command, which also is the scheduler, and the workers.
"""

import argparse
import tempfile
import time
from pathlib import Path

import psutil

from aru_keras.runners.cluster import Task, Workers, working

WRITE = "aru_keras._util.files:write_json"
UNCOUNTED = 100


def overhead(count, workers):
    """Wall-clock and CPU time of a task, in milliseconds."""
    marks = []
    with tempfile.TemporaryDirectory() as folder:
        total = UNCOUNTED + count
        tasks = [
            Task("write", str(i), WRITE, (Path(folder) / f"{i}.json", {})) for i in range(total)
        ]

        def say(line):
            if line.startswith((f"done ({UNCOUNTED}/", f"done ({total}/")):
                marks.append((time.perf_counter(), _cpu_seconds()))

        with working(tasks, Workers(workers), say) as wait:
            for task in tasks:
                wait(task.key)
    (began, cpu_before), (ended, cpu_after) = marks
    return [1000 * value / count for value in (ended - began, cpu_after - cpu_before)]


def _cpu_seconds():
    """CPU time of this process and of its children so far."""
    here = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (here, *here.children(recursive=True)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for _ in range(options.repeats):
        for workers in options.workers:
            wall, cpu = overhead(options.tasks, workers)
            print(f"{workers} workers: {wall:.1f} ms a task, {cpu:.1f} ms of CPU time", flush=True)


if __name__ == "__main__":
    main()
