"""Missing, truncated and damaged data is one clear error, and nothing half-written stays."""

import os
import shutil
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.tasks import _archives as archives
from aru_keras.tasks import _collection as collection
from aru_keras.tasks import _prepared as prepared
from aru_keras.tasks import _sources as sources

TFDS = Path(os.environ.get("TFDS_DATA_DIR", Path.home() / "tensorflow_datasets"))
MNIST = prepared.find_prepared(collection.COLLECTIONS["mnist"], TFDS)
needs_mnist = pytest.mark.skipif(MNIST is None, reason="MNIST is not prepared in TFDS_DATA_DIR")


@pytest.fixture
def digits(tmp_path):
    return tasks.export("digits", tmp_path / "digits.npz")


@pytest.fixture
def no_network(monkeypatch):
    """Every look at the network fails, and is counted."""
    looks = []

    def refuse(*args, **kwargs):
        looks.append(args)
        raise OSError("no network here")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return looks


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _rewritten(path, **changes):
    """The archive with some arrays replaced, or left out where the change is None."""
    with np.load(path) as archive:
        arrays = dict(archive) | changes
    np.savez_compressed(path, **{name: a for name, a in arrays.items() if a is not None})
    return path


def test_exported_file_gives_the_same_task_without_tensorflow(digits, monkeypatch):
    monkeypatch.setattr(prepared, "tensorflow", lambda: pytest.fail("TensorFlow was asked for"))
    ours, theirs = tasks.load_task("digits"), tasks.load_task("digits", source=digits)
    for split in ours.sizes:
        for a, b in zip(ours.arrays(split), theirs.arrays(split), strict=True):
            np.testing.assert_array_equal(a, b)


def test_export_appends_its_suffix_and_makes_one_file(tmp_path):
    task = tasks.load_task("digits")
    assert tasks.export(task, tmp_path / "a.b") == tmp_path / "a.b.npz"
    assert _names(tmp_path) == ["a.b.npz"]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failed_export_leaves_the_old_file_and_nothing_else(digits, monkeypatch, error):
    def fail(file, **arrays):
        file.write(b"half")
        raise error

    before = digits.read_bytes()
    monkeypatch.setattr(archives.np, "savez_compressed", fail)
    expected = tasks.DatasetError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        tasks.export("digits", digits)
    assert _names(digits.parent) == ["digits.npz"] and digits.read_bytes() == before


def test_export_into_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(tasks.DatasetError, match=r"Cannot write .*Choose an existing folder"):
        tasks.export("digits", tmp_path / "nowhere" / "a.npz")
    assert _names(tmp_path) == []


@pytest.mark.parametrize("keep", [0, 10, 20_000, 45_700])
def test_truncated_archive_is_refused(digits, keep):
    digits.write_bytes(digits.read_bytes()[:keep])
    with pytest.raises(tasks.DatasetError, match=r"digits\.npz is damaged, truncated"):
        tasks.load_task("digits", source=digits)


def test_flipped_bytes_in_an_archive_are_refused(digits):
    content = bytearray(digits.read_bytes())
    content[20_000:20_004] = bytes(255 - byte for byte in content[20_000:20_004])
    digits.write_bytes(content)
    with pytest.raises(tasks.DatasetError, match=r"digits\.npz is damaged"):
        tasks.load_task("digits", source=digits)


def test_missing_archive_and_other_files_are_refused(tmp_path):
    with pytest.raises(tasks.DatasetError, match=r"gone\.npz does not exist.*TFDS_DATA_DIR"):
        tasks.load_task("digits", source=tmp_path / "gone.npz")
    np.save(tmp_path / "lone.npy", np.zeros(3))
    with pytest.raises(tasks.DatasetError, match=r"lone\.npy is damaged, truncated, or no \.npz"):
        tasks.load_task("digits", source=tmp_path / "lone.npy")
    with pytest.raises(tasks.DatasetError, match="not a file"):
        tasks.load_task("digits", source=tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"all_labels": None}, r"lacks the arrays \['all_labels'\]"),
        ({"name": None}, r"lacks the arrays \['name'\]"),
        ({"version": np.array(99)}, "format version 99"),
        ({"all_images": np.zeros((1796, 8, 8), "uint8")}, r"\(1796, 8, 8\)"),
        ({"all_images": np.zeros((1797, 8, 8), "float32")}, "float32"),
        ({"all_images": np.full((1797, 8, 8), 17, "uint8")}, "at most 16, found 17"),
        ({"all_labels": np.full(1797, 10)}, "0…9, found 10"),
        ({"all_labels": np.full(1797, -1)}, "found -1"),
        ({"all_labels": np.zeros(1797)}, "whole numbers, found .* float64"),
        ({"all_labels": np.zeros((1797, 1), int)}, r"found \(1797, 1\)"),
        ({"all_labels": np.array([None] * 1797)}, "is damaged"),
    ],
)
def test_wrong_content_of_an_archive_is_named(digits, changes, message):
    with pytest.raises(tasks.DatasetError, match=message) as caught:
        tasks.load_task("digits", source=_rewritten(digits, **changes))
    assert str(digits) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["smnist", "psmnist", "rotated-psmnist", "scifar10"])
def test_archive_of_another_collection_is_refused(digits, name):
    with pytest.raises(tasks.DatasetError, match="holds 'digits', but this task needs"):
        tasks.load_task(name, source=digits)


def test_images_in_memory_follow_the_file(digits):
    tasks.load_task("digits", source=digits)
    _rewritten(digits, all_labels=np.zeros(1797, "uint8"))
    assert tasks.load_task("digits", source=digits).arrays("train")[1].max() == 0
    assert tasks.load_task("digits").arrays("train")[1].max() == 9


def test_without_download_the_network_is_not_touched(tmp_path, no_network):
    with pytest.raises(tasks.DatasetError, match=r"mnist is not prepared in .*download=False"):
        tasks.load_task("smnist", data_dir=tmp_path / "none", download=False)
    assert not no_network and _names(tmp_path) == []


def test_data_dir_comes_before_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "env"))
    with pytest.raises(tasks.DatasetError, match=f"in {tmp_path / 'env'}, and"):
        tasks.load_task("smnist", download=False)
    with pytest.raises(tasks.DatasetError, match=f"in {tmp_path / 'arg'}, and"):
        tasks.load_task("smnist", data_dir=tmp_path / "arg", download=False)


@pytest.mark.parametrize("existed", [True, False])
def test_failed_download_leaves_nothing(tmp_path, monkeypatch, no_network, existed):
    pytest.importorskip("tensorflow_datasets")
    root = tmp_path / "deep" / "tfds"
    if existed:
        root.mkdir(parents=True)
    monkeypatch.setattr(prepared, "_prepare", lambda *_: pytest.fail("TFDS would try for minutes"))
    with pytest.raises(tasks.DatasetError, match=r"cannot be downloaded .*TFDS_DATA_DIR.*source="):
        tasks.load_task("smnist", data_dir=root)
    assert no_network and root.exists() == existed
    assert not existed or _names(root) == []


@pytest.mark.parametrize("error", [OSError("connection reset"), KeyboardInterrupt(), None])
def test_interrupted_download_leaves_nothing_and_a_whole_one_everything(
    tmp_path, monkeypatch, error
):
    pytest.importorskip("tensorflow_datasets")

    def prepare(tfds, wanted, workshop):
        made = workshop / wanted.name / "3.0.1"
        made.mkdir(parents=True)
        (made / "dataset_info.json").write_text("{}")
        (workshop / "downloads").mkdir()
        if error:
            raise error

    monkeypatch.setattr(prepared, "_require_network", lambda _: None)
    monkeypatch.setattr(prepared, "_prepare", prepare)
    mnist, root = collection.COLLECTIONS["mnist"], tmp_path / "tfds"
    if error is None:
        assert prepared.download(mnist, root) == root / "mnist" / "3.0.1"
        assert _names(root) == ["mnist"] and prepared.find_prepared(mnist, root)
        return
    expected = tasks.DatasetError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        prepared.download(mnist, root)
    assert _names(tmp_path) == []


@pytest.mark.parametrize("package", ["tensorflow", "tensorflow_datasets"])
def test_missing_packages_are_named_with_the_way_out(tmp_path, monkeypatch, package):
    if package == "tensorflow_datasets":
        pytest.importorskip("tensorflow")
    monkeypatch.setitem(sys.modules, package, None)
    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{}")
    with pytest.raises(tasks.DatasetError, match=r"pip install tensorflow .*source="):
        tasks.load_task("smnist", data_dir=tmp_path)


def test_newest_prepared_version_is_taken(tmp_path):
    for version in ("3.0.9", "3.0.10", "3.0.2.incompleteXYZ", "2.5.0"):
        (tmp_path / "mnist" / version).mkdir(parents=True)
        (tmp_path / "mnist" / version / "dataset_info.json").touch()
    found = prepared.find_prepared(collection.COLLECTIONS["mnist"], tmp_path)
    assert found.name == "3.0.10"


def _fake_folder(tmp_path, monkeypatch, read_part):
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{}")
    monkeypatch.setattr(tfds, "builder_from_directory", lambda _: None)
    monkeypatch.setattr(prepared, "_read_split", read_part)
    return folder


def test_corrupt_records_are_refused_with_the_folder(tmp_path, monkeypatch):
    tf = pytest.importorskip("tensorflow")

    def read_part(*_):
        raise tf.errors.DataLossError(None, None, "truncated record at 12")

    folder = _fake_folder(tmp_path, monkeypatch, read_part)
    with pytest.raises(tasks.DatasetError, match=r"truncated record at 12.*prepare it again") as e:
        tasks.load_task("smnist", data_dir=tmp_path, download=False)
    assert str(folder) in str(e.value)


def test_wrong_counts_in_a_prepared_folder_are_refused(tmp_path, monkeypatch):
    few = np.zeros((10, 28, 28), "uint8"), np.zeros(10, "int64")
    _fake_folder(tmp_path, monkeypatch, lambda *_: few)
    with pytest.raises(tasks.DatasetError, match=r"\(60000, 28, 28\) uint8, found \(10, 28, 28\)"):
        tasks.load_task("smnist", data_dir=tmp_path, download=False)


def test_damaged_description_is_refused(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{")
    with pytest.raises(tasks.DatasetError, match="is damaged or incomplete"):
        tasks.load_task("smnist", data_dir=tmp_path, download=False)


@needs_mnist
def test_real_mnist_is_read_and_survives_an_export(tmp_path, no_network):
    pytest.importorskip("tensorflow_datasets")
    task = tasks.load_task("psmnist", data_dir=TFDS)
    assert task.sizes == dict(task.spec.sizes) and not no_network
    assert np.bincount(task.arrays("test")[1])[:3].tolist() == [980, 1135, 1032]
    again = tasks.load_task("smnist", source=tasks.export(task, tmp_path / "mnist.npz"))
    np.testing.assert_array_equal(again.images("test"), task.images("test"))


@needs_mnist
def test_really_truncated_records_are_refused(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    folder = tmp_path / "mnist" / MNIST.name
    shutil.copytree(MNIST, folder, copy_function=shutil.copyfile)
    (records,) = folder.glob("mnist-train.tfrecord*")
    with open(records, "r+b") as file:
        file.truncate(1_000_000)
    with pytest.raises(tasks.DatasetError, match=r"damaged or incomplete .*DataLossError"):
        tasks.load_task("smnist", data_dir=tmp_path, download=False)


def test_bundled_digits_are_small_and_need_no_copy(tmp_path):
    images, labels = sources.fetch("digits", data_dir=tmp_path)["all"]
    assert images.shape == (1797, 8, 8) and images.max() == 16
    assert not images.flags.writeable and not labels.flags.writeable
