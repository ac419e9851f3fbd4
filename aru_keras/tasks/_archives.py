"""A collection in one compressed .npz, which NumPy alone can read."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aru_keras._util.checked_files import DAMAGE, member_header, member_names, read_member
from aru_keras._util.files import replacing
from aru_keras.tasks._collection import (
    WAYS_OUT,
    Collection,
    DatasetError,
    Splits,
    check_headers,
    checked,
)

FORMAT = 1
_LONGEST_TEXT = 1024
"""The largest number of bytes that the name and the version may have."""


def read_archive(collection: Collection, path: Path) -> Splits:
    """The splits of a collection from an .npz that `write_archive` made.

    Only the arrays of the collection are read, and only if they have the right shape.

    Raises:
        DatasetError: If the file is missing, damaged or incomplete, or holds another collection.
    """
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is not a file. Instead: {WAYS_OUT}.")
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("not a whole zip file")
        with zipfile.ZipFile(path) as archive:
            splits = _read_splits(path, collection, archive)
    except DatasetError:
        raise
    except DAMAGE as error:
        raise DatasetError(
            f"{path} is damaged, truncated, or no .npz ({type(error).__name__}: {error}). "
            "Write it again with aru-keras export, or aru_keras.tasks.export."
        ) from error
    return checked(collection, splits, path)


def _read_splits(path: Path, collection: Collection, archive: zipfile.ZipFile) -> Splits:
    _check_contents(path, collection, archive)
    for split in collection.sizes:
        images, labels = (member_header(archive, name) for name in _members(split))
        check_headers(collection, split, images, labels, path)
    return {
        split: (read_member(archive, images), read_member(archive, labels))
        for split in collection.sizes
        for images, labels in [_members(split)]
    }


def _members(split: str) -> tuple[str, str]:
    return f"{split}_images", f"{split}_labels"


def _check_contents(path: Path, collection: Collection, archive: zipfile.ZipFile) -> None:
    held = member_names(archive)
    name = _text(archive, "name") if "name" in held else None
    if name is not None and name != collection.name:
        raise DatasetError(
            f"{path} holds {name!r}, but this task needs {collection.name!r}. "
            "Pass the file of the right collection as source=, or write it with "
            "aru_keras.tasks.export."
        )
    needed = ["name", "version"]
    needed += [member for split in collection.sizes for member in _members(split)]
    if missing := [member for member in needed if member not in held]:
        raise DatasetError(
            f"{path} lacks the arrays {missing}; it holds {sorted(held)}. "
            "Write it with aru_keras.tasks.export."
        )
    version = _text(archive, "version")
    if version != str(FORMAT):
        raise DatasetError(
            f"{path} has format version {version}, but this library reads {FORMAT}. "
            "Write it again with aru_keras.tasks.export of this version."
        )


def _text(archive: zipfile.ZipFile, name: str) -> str:
    shape, dtype = member_header(archive, name)
    if shape or dtype.itemsize > _LONGEST_TEXT:
        raise ValueError(f"{name} must be one short text, found {shape} {dtype}")
    return str(read_member(archive, name))


def write_archive(collection: Collection, path: Path, splits: Splits) -> Path:
    """Write the splits of a collection to an .npz, completely or not at all.

    Args:
        collection: The collection.
        path: The path of the file; ".npz" is appended if it is missing.
        splits: The images and labels of each split.

    Returns:
        The path written.

    Raises:
        DatasetError: If the file cannot be written. Nothing is left behind.
    """
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    arrays = {"name": np.array(collection.name), "version": np.array(FORMAT)}
    for split, values in splits.items():
        arrays |= dict(zip(_members(split), values, strict=True))
    return saved(path, arrays)


def saved(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write named arrays to an .npz, as a whole or not at all, and return its path.

    Raises:
        DatasetError: If the file cannot be written. Nothing is left behind.
    """
    try:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise DatasetError(
            f"Cannot write {path} ({error.strerror or error}). Choose an existing folder with room "
            "in it."
        ) from error
    return path
