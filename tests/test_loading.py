"""Models from files that somebody else may have written: refused with the reason, and early."""

import json
import zipfile

import keras
import pytest

from aru_keras import ARU, probing
from aru_keras.runners.run_folder import RunError, RunFolder


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    file = tmp_path_factory.mktemp("saved") / "model.keras"
    keras.Sequential([keras.Input((4, 1)), ARU(3, 2), keras.layers.Dense(2)]).save(file)
    return file


def changed(saved, folder, change):
    """A copy of the model whose layers' options `change` has worked on."""
    with zipfile.ZipFile(saved) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    change(config["config"]["layers"])
    files["config.json"] = json.dumps(config)
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return folder / "model.keras"


def _recurrent_units(layers):
    layers[1]["config"]["units"] = 100_000


def _controller_units(layers):
    layers[1]["config"]["controller_units"] = 100_000


def _dense_units(layers):
    layers[2]["config"]["units"] = 10**12


def _foreign_function(layers):
    function = {"module": "os", "class_name": "function", "config": "system"}
    layers[2]["config"]["activation"] = {**function, "registered_name": "system"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_recurrent_units, "ARU is to have 100000 units"),
        (_controller_units, "ARU is to have 100000 units"),
        (_dense_units, "Dense is to have 1000000000000 units"),
        (_foreign_function, "system"),
    ],
)
def test_a_file_that_is_no_model_of_its_weights_is_refused(change, reason, saved, tmp_path):
    file = changed(saved, tmp_path, change)
    with pytest.raises(ValueError, match=f"`network` must be.*cannot be read as one: .*{reason}"):
        probing.load_network(file)
    with pytest.raises(RunError, match=rf"model.keras cannot be loaded \(.*{reason}"):
        RunFolder(tmp_path).load_model()


def test_a_flipped_bit_is_named_with_its_file(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(RunError, match=r"model.keras cannot be loaded \(.*CRC"):
        RunFolder(tmp_path).load_model()
    with pytest.raises(ValueError, match=r"cannot be read as one: .*CRC"):
        probing.load_network(tmp_path)


def test_a_refused_lambda_is_called_that(tmp_path):
    inputs = keras.Input((2,))
    model = keras.Model(inputs, keras.layers.Lambda(lambda x: x + 1, output_shape=(2,))(inputs))
    model.save(tmp_path / "model.keras")
    with pytest.raises(RunError, match=r"Python lambda.*disallowed") as found:
        RunFolder(tmp_path).load_model()
    assert "damaged" not in str(found.value)
