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
    "sbatch": 'echo "$@" > "$CALLS/sbatch"',
    "srun": 'exec "$@"',
    # It stays, as a scheduler and workers do.
    "dask": 'echo "$@" >> "$CALLS/dask"; exec sleep 60',
    "aru-keras": """
        trap 'sleep 0.1; exit 143' USR1
        echo "$@" > "$CALLS/aru-keras"
        [ -z "$CODE" ] || exit "$CODE"
        while true; do sleep 0.05; done
    """,
}


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
            env={**os.environ, **variables, "CALLS": str(tmp_path)},
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
    assert not (tmp_path / "sbatch").exists()
    assert not list(tmp_path.glob("aru-keras-*"))


def test_a_job_whose_time_is_up_goes_on_in_a_next_one(job, tmp_path):
    process = job("")
    while not (tmp_path / "aru-keras").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGUSR1)
    assert process.wait() == 143
    assert (tmp_path / "sbatch").read_text() == f"{SCRIPT} sweep digits --n a b\n"
    listed = (tmp_path / "dask").read_text()
    assert "scheduler --port 0" in listed and "worker --scheduler-file" in listed
