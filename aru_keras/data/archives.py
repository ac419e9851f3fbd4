"""A collection in one compressed .npz: needs numpy alone."""

import zipfile
from pathlib import Path

import numpy as np

from aru_keras.checked_files import DAMAGE, member_header, member_names, read_member
from aru_keras.data.collection import (
    WAYS_OUT,
    Collection,
    DatasetError,
    Parts,
    check_headers,
    checked,
)
from aru_keras.files import replacing

FORMAT = 1
_LONGEST_TEXT = 1024
"""Bytes of the name and of the version."""


def read_archive(collection: Collection, path: Path) -> Parts:
    """The parts of `collection` from an .npz that `write_archive` made.

    Only the arrays of the collection are read, and only those of the right shape.

    Raises:
        DatasetError: the file is missing, damaged, incomplete, or holds another collection.
    """
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is not a file. Instead: {WAYS_OUT}.")
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("not a whole zip file")
        with zipfile.ZipFile(path) as archive:
            parts = _parts(path, collection, archive)
    except DatasetError:
        raise
    except DAMAGE as error:
        raise DatasetError(
            f"{path} is damaged, truncated, or no .npz ({type(error).__name__}: {error}). "
            "Write it again with aru-keras export, or aru_keras.tasks.export."
        ) from error
    return checked(collection, parts, path)


def _parts(path, collection, archive):
    _check_contents(path, collection, archive)
    pairs = {part: (f"{part}_images", f"{part}_labels") for part in collection.sizes}
    for part, names in pairs.items():
        check_headers(collection, part, *(member_header(archive, name) for name in names), path)
    return {
        part: tuple(read_member(archive, name) for name in names) for part, names in pairs.items()
    }


def _check_contents(path: Path, collection: Collection, archive: zipfile.ZipFile) -> None:
    held = member_names(archive)
    found = _text(archive, "name") if "name" in held else None
    if found is not None and found != collection.name:
        raise DatasetError(
            f"{path} holds {found!r}, but this task needs {collection.name!r}. "
            "Pass the file of the right collection as source=, or write it with "
            "aru_keras.tasks.export."
        )
    needed = ["name", "version"]
    needed += [f"{part}_{kind}" for part in collection.sizes for kind in ("images", "labels")]
    if missing := [name for name in needed if name not in held]:
        raise DatasetError(
            f"{path} lacks the arrays {missing}; it holds {sorted(held)}. "
            "Write it with aru_keras.tasks.export."
        )
    version = _text(archive, "version")
    if version != str(FORMAT):
        raise DatasetError(
            f"{path} has format version {version}, this library reads {FORMAT}. "
            "Write it again with aru_keras.tasks.export of this version."
        )


def _text(archive, name):
    shape, dtype = member_header(archive, name)
    if shape or dtype.itemsize > _LONGEST_TEXT:
        raise ValueError(f"{name} must be one short text, found {shape} {dtype}")
    return str(read_member(archive, name))


def write_archive(collection: Collection, path: Path, parts: Parts) -> Path:
    """Write `parts` to `path` (".npz" is appended where it is missing): whole, or not at all.

    Returns:
        The path written.

    Raises:
        DatasetError: the file cannot be written; nothing is left behind.
    """
    path = path if path.suffix == ".npz" else path.with_name(path.name + ".npz")
    arrays = {"name": np.array(collection.name), "version": np.array(FORMAT)}
    for part, (images, labels) in parts.items():
        arrays |= {f"{part}_images": images, f"{part}_labels": labels}
    try:
        with replacing(path) as temporary, open(temporary, "wb") as file:
            np.savez_compressed(file, **arrays)
    except OSError as error:
        raise DatasetError(
            f"Cannot write {path} ({error}). Choose an existing folder with room in it."
        ) from error
    return path
