"""`aru-keras probe`: what it writes, and what it refuses before it writes anything."""

import sys

import numpy as np
import pytest
from test_cli import SMALL, run

from aru_keras import probing, tasks
from aru_keras.runners import cli


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe") / "run"
    assert cli.main(["train", "digits", *SMALL, "--run-dir", str(folder)]) == 0
    return folder


PROBE = ["--index", "3", "--perturb", "step:2+contrast:0.5", "--units", "4", "1"]
STEM = "test-3-step-2-contrast-0.5"


def test_probe_leaves_a_picture_and_a_recording_with_names(capsys, small_run, tmp_path):
    xarray = pytest.importorskip("xarray")
    code, out, _ = run(capsys, "probe", small_run, *PROBE, "--out", tmp_path)
    assert code == 0
    assert {path.name for path in tmp_path.iterdir()} == {f"{STEM}.png", f"{STEM}.nc"}
    assert "the label is" in out and f"Recording: {tmp_path / STEM}.nc" in out
    found = xarray.load_dataset(tmp_path / f"{STEM}.nc")
    expected = probing.record_task(
        small_run, tasks.load_task("digits"), "test", [3], None, PROBE[3]
    )
    assert found.attrs == expected.attrs and found.attrs["run"] == str(small_run)
    shared = found.drop_vars("probability"), expected.drop_vars("y")
    xarray.testing.assert_allclose(*shared, rtol=1e-4, atol=1e-4)
    assert found.probability[0, -1].values.argmax() == expected.y[0, -1].values.argmax()


def test_probe_leaves_a_table_where_one_is_asked_for(capsys, small_run, tmp_path):
    code, out, _ = run(capsys, "probe", small_run, *PROBE, "--recording", "csv", "--out", tmp_path)
    assert code == 0 and "Recording" in out
    assert {path.name for path in tmp_path.iterdir()} == {f"{STEM}.png", f"{STEM}.csv"}
    check_table(tmp_path / f"{STEM}.csv", small_run)


def check_table(path, network):
    task = tasks.load_task("digits")
    x, drive = task.perturbed(task.examples("test", [3])[0], [3], PROBE[3])
    table = np.genfromtxt(path, delimiter=",", names=True)
    np.testing.assert_allclose(table["pixel"], x[0, :, 0], rtol=1e-5)
    np.testing.assert_allclose(table["drive"], drive[0, :, 0])
    np.testing.assert_array_equal(table["pixel_index"], task.permutation)
    for name, values in probing.record(network, x, ("a", "n", "s", "h"), drive).items():
        for unit in range(values.shape[2]):
            found = table[f"{name}_{unit}"]
            np.testing.assert_allclose(found, values[0, :, unit], rtol=1e-4, atol=1e-4)
    p = np.stack([table[f"p_{k}"] for k in range(10)])
    np.testing.assert_array_equal(table["prediction"], p.argmax(0))


def test_without_xarray_probe_leaves_a_table_or_says_what_to_install(
    capsys, small_run, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "xarray", None)
    code, out, _ = run(capsys, "probe", small_run, *PROBE, "--out", tmp_path)
    assert code == 0 and out.strip().endswith("pip install xarray h5netcdf")
    check_table(tmp_path / f"{STEM}.csv", small_run)
    code, out, err = run(capsys, "probe", "no-run-at-all", "--recording", "netcdf")
    assert (code, out) == (2, "") and "Install it with pip install xarray h5netcdf" in err


def test_probe_draws_in_the_formats_that_are_asked_for(capsys, small_run, tmp_path):
    options = ["--format", "pdf", "svg", "--out", tmp_path]
    code, out, _ = run(capsys, "probe", small_run, *options)
    assert code == 0
    pictures = [tmp_path / f"test-0.{suffix}" for suffix in ("pdf", "svg")]
    assert all(f"Picture: {one}" in out and one.exists() for one in pictures)
    assert not (tmp_path / "test-0.png").exists()


def test_probe_of_noise_and_of_isolated_units_goes_to_the_run(capsys, small_run):
    code, *_ = run(capsys, "probe", small_run, "--perturb", "noise:1,seed=3", "--isolated")
    assert code == 0
    assert (small_run / "probes" / "test-0-noise-1-seed=3-isolated.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--perturb", "stepp:5"], "Did you mean 'step'"),
        (["--perturb", "step:1e38"], "The network overflows: choose a smaller perturbation"),
        (["--split", "tests"], "Did you mean 'test'"),
        (["--index", "400"], "`index` must be a whole number of at least 0 and at most 359"),
        (["--units", "5"], "`units` must name units from 0 to 4"),
        (["--units", "1", "1"], "each once"),
        (["--device", "gpu:7"], "`device` must be one that"),
        (["--format", "png", "gif"], "`formats` must be one of png, svg, pdf. Received: 'gif'"),
        (["--dpi", "0"], "`dpi` must be a whole number of at least 1"),
        (["--recording", "npz"], "invalid choice: 'npz'"),
    ],
)
def test_probe_refuses_bad_input_and_leaves_nothing(options, message, capsys, small_run, tmp_path):
    code, out, err = run(capsys, "probe", small_run, *options, "--out", tmp_path / "new")
    assert (code, out) == (2, "")
    assert message in err and len(err.strip().splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_probe_wants_a_run(capsys, tmp_path):
    code, _, err = run(capsys, "probe", tmp_path)
    assert code == 2 and "holds no run" in err
