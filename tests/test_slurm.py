"""The job script of examples/slurm, with stand-ins for SLURM, Dask and the command."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "examples/slurm/job.sh"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="bash and SLURM are of Unix")

STAND_INS = {
    "scontrol": 'echo "$@" $(ls -d aru-keras-*/ 2> /dev/null) > "$CALLS/scontrol"',
    "srun": 'echo "$1" > "$CALLS/srun"; shift; exec "$@"',
    # It stays, as a scheduler and workers do.
    "dask": 'echo "$@" >> "$CALLS/dask"; exec sleep 60',
    "aru-keras": """
        trap 'sleep 0.1; exit 143' USR1
        echo "$@" > "$CALLS/aru-keras"
        [ -z "$CODE" ] || exit "$CODE"
        while true; do sleep 0.05; done
    """,
}

OF_THE_JOB = {"SLURM_JOB_ID": "7", "SLURM_CPUS_PER_TASK": "3"}
"""What SLURM tells a job."""


@pytest.fixture
def job(tmp_path):
    """Starts the script with stand-ins; the code with which the command ends, if at once."""
    (tmp_path / "bin").mkdir()
    for name, text in STAND_INS.items():
        path = tmp_path / "bin" / name
        path.write_text(f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    def start(code):
        variables = {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}", "CODE": code}
        return subprocess.Popen(
            ["bash", SCRIPT, "sweep", "digits", "--n", "a b"],
            cwd=tmp_path,
            env={**os.environ, **variables, **OF_THE_JOB, "CALLS": str(tmp_path)},
        )

    return start


def test_the_script_is_correct_and_asks_for_a_warning():
    assert subprocess.run(["bash", "-n", SCRIPT]).returncode == 0
    assert os.access(SCRIPT, os.X_OK)
    assert "#SBATCH --signal=B:USR1@" in SCRIPT.read_text()


@pytest.mark.parametrize("code", [0, 1, 2])
def test_the_job_ends_as_the_command_does(job, code, tmp_path):
    assert job(str(code)).wait() == code
    assert (tmp_path / "aru-keras").read_text().startswith("sweep digits --n a b --scheduler /")
    assert not (tmp_path / "scontrol").exists()
    assert not list(tmp_path.glob("aru-keras-*"))


def test_a_job_whose_time_is_up_is_queued_again_as_it_was_submitted(job, tmp_path):
    process = job("")
    while not (tmp_path / "aru-keras").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 143
    # With nothing left behind: SLURM kills the script at this moment.
    assert (tmp_path / "scontrol").read_text() == "requeue 7\n"
    assert "#SBATCH --requeue" in SCRIPT.read_text()
    listed = (tmp_path / "dask").read_text()
    assert "scheduler --port 0" in listed and "worker --scheduler-file" in listed
    assert "--memory-limit 0" in listed  # Dask's own limit is that of one core of the node.


def test_each_worker_has_the_cpus_of_its_task(job, tmp_path):
    process = job("")
    while not (tmp_path / "srun").exists():
        time.sleep(0.01)
    process.terminate()
    process.wait()
    assert (tmp_path / "srun").read_text() == "--cpus-per-task=3\n"
