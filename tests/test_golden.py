"""The golden files hold what the script beside them makes of the equations."""

import shutil

import numpy as np
import pytest
from golden import make


@pytest.mark.parametrize("name", make.MAKERS)
def test_the_equations_give_the_stored_numbers(name):
    path = make.FOLDER / name
    found = make.differences(path, make.make(path))
    inputs = {"x", "n", "s", "upstream"} if name == "gamma.npz" else {"x", "y", "drive"}
    outputs = {key for key in np.load(path) if not key.startswith("param_")} - inputs
    assert set(found) == outputs
    assert max(found.values()) <= make.TOLERANCE


def test_a_wrong_number_is_found_and_written_anew(tmp_path, capsys):
    path = shutil.copy(make.FOLDER / "gamma.npz", tmp_path)
    stored = dict(np.load(path))
    np.savez(path, **(stored | {"dn": stored["dn"] * (1 + 1e-9)}))
    assert make.main([path]) == 1
    assert "dn               1.0e-09" in capsys.readouterr().out
    assert make.main([path, "--write"]) == 0
    assert make.main([path]) == 0
    assert {name: array.tolist() for name, array in np.load(path).items()} == {
        name: array.tolist() for name, array in stored.items()
    }
