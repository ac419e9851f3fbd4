"""Archives of images: what is not needed is not read, and no more than there is."""

import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from aru_keras import tasks
from aru_keras.tasks import _archives as archives


@pytest.fixture
def digits(tmp_path):
    return tasks.export("digits", tmp_path / "digits.npz")


def _with_member(path, name, shape, dtype="|u1", content=b"", claimed=None):
    """The archive with another member, whose header is written by hand."""
    header = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    with np.load(path) as archive:
        arrays = {key: archive[key] for key in archive.files if key != name}
    np.savez_compressed(path, **arrays)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", header.getvalue() + content)


def test_what_a_collection_does_not_need_is_not_read(digits):
    _with_member(digits, "unused", (50_000_000,), content=bytes(50_000_000))
    tracemalloc.start()
    tasks.load_task("digits", source=digits)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10e6


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "message"),
    [
        ("all_images", (10**15, 8, 8), "|u1", "is said to be"),
        ("all_images", (2**70,), "|u1", "is said to be"),
        ("all_labels", (10**15,), "<i8", "is said to be"),
        ("version", (10**15,), "<i8", "is said to be"),
        ("name", (), "<U100000000", "is said to be"),
        ("all_labels", (1797,), "|O", "holds Python objects"),
    ],
)
def test_a_header_that_promises_more_than_there_is_is_refused(digits, name, shape, dtype, message):
    _with_member(digits, name, shape, dtype)
    with pytest.raises(tasks.DatasetError, match=f"digits.npz is damaged.*{message}"):
        tasks.load_task("digits", source=digits)


def test_the_shape_is_looked_at_before_the_array_is_read(digits, monkeypatch):
    _with_member(digits, "all_images", (1797, 8, 80), content=bytes(1797 * 8 * 80))
    read = []
    monkeypatch.setattr(
        archives,
        "read_member",
        lambda archive, name: (
            read.append(name) or {"name": "digits", "version": archives.FORMAT}[name]
        ),
    )
    with pytest.raises(tasks.DatasetError, match=r"must be \(1797, 8, 8\) uint8, found"):
        tasks.load_task("digits", source=digits)
    assert read == ["name", "version"]
