"""A collection in one compressed .npz: needs numpy alone."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from aru_keras.data.collection import WAYS_OUT, Collection, DatasetError, Parts, checked
from aru_keras.files import replacing

FORMAT = 1
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_archive(collection: Collection, path: Path) -> Parts:
    """The parts of `collection` from an .npz that `write_archive` made.

    Raises:
        DatasetError: the file is missing, damaged, incomplete, or holds another collection.
    """
    if not path.is_file():
        raise DatasetError(f"{path} does not exist or is not a file. Instead: {WAYS_OUT}.")
    try:
        if not zipfile.is_zipfile(path):
            raise zipfile.BadZipFile("not a whole zip file")
        arrays = _arrays(path)
    except _DAMAGE as error:
        raise DatasetError(
            f"{path} is damaged, truncated, or no .npz ({type(error).__name__}: {error}). "
            "Write it again with aru-keras export, or aru_keras.tasks.export."
        ) from error
    _check_contents(path, collection, arrays)
    parts = {
        part: (arrays[f"{part}_images"], arrays[f"{part}_labels"]) for part in collection.sizes
    }
    return checked(collection, parts, path)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    archive = np.load(path, allow_pickle=False)
    if isinstance(archive, np.ndarray):
        raise ValueError("one array, no archive")
    with archive:
        return {name: archive[name] for name in archive.files}


def _check_contents(path: Path, collection: Collection, arrays: dict[str, np.ndarray]) -> None:
    needed = ["name", "version"]
    needed += [f"{part}_{kind}" for part in collection.sizes for kind in ("images", "labels")]
    found = str(arrays["name"]) if "name" in arrays else None
    if found is not None and found != collection.name:
        raise DatasetError(
            f"{path} holds {found!r}, but this task needs {collection.name!r}. "
            "Pass the file of the right collection as source=, or write it with "
            "aru_keras.tasks.export."
        )
    if missing := [name for name in needed if name not in arrays]:
        raise DatasetError(
            f"{path} lacks the arrays {missing}; it holds {sorted(arrays)}. "
            "Write it with aru_keras.tasks.export."
        )
    if str(arrays["version"]) != str(FORMAT):
        raise DatasetError(
            f"{path} has format version {arrays['version']}, this library reads {FORMAT}. "
            "Write it again with aru_keras.tasks.export of this version."
        )


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
