"""The sources of a collection: the package itself, an .npz, or a folder of TensorFlow Datasets.

The digits that the package contains are the test set of the "Optical Recognition of Handwritten
Digits" data (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, CC BY 4.0), in the copy
that scikit-learn ships. See `README.md` in this folder.
"""

import functools
import os
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from aru_keras.tasks._archives import read_archive
from aru_keras.tasks._collection import COLLECTIONS, WAYS_OUT, Collection, DatasetError, Splits
from aru_keras.tasks._prepared import data_root, download, find_prepared, read_prepared

Reader = Callable[[Collection, Path], Splits]


def fetch(
    name: str,
    *,
    data_dir: str | os.PathLike | None = None,
    source: str | os.PathLike | None = None,
    allow_download: bool = True,
) -> Splits:
    """The splits of a collection, as read-only uint8 arrays.

    They stay in memory, shared by all tasks that use them, until the files change.

    Args:
        name: The name of the collection: "digits", "mnist" or "cifar10".
        data_dir: The folder of TensorFlow Datasets, as in `load_task`.
        source: An .npz from `export`, which is read instead.
        allow_download: Whether to download a collection that is not prepared.

    Raises:
        DatasetError: If the data is missing or damaged.
    """
    collection = COLLECTIONS[name]
    if source is not None:
        path = Path(source).expanduser()
        return _read_once(read_archive, name, path, _fingerprint(path))
    if name == "digits":
        with resources.as_file(resources.files("aru_keras.tasks") / "digits.npz") as path:
            return _read_once(read_archive, name, path, _fingerprint(path))
    folder = _prepared_folder(collection, data_root(data_dir), allow_download)
    return _read_once(read_prepared, name, folder, _fingerprint(folder))


def _prepared_folder(collection: Collection, root: Path, allow_download: bool) -> Path:
    folder = find_prepared(collection, root)
    if folder is None and allow_download:
        folder = download(collection, root)
    if folder is None:
        raise DatasetError(
            f"{collection.name} is not prepared in {root}, and download=False. "
            f"Allow the download, or {WAYS_OUT}."
        )
    return folder


@functools.lru_cache(maxsize=len(COLLECTIONS))
def _read_once(read: Reader, name: str, path: Path, fingerprint: tuple) -> Splits:
    return read(COLLECTIONS[name], path)


def _fingerprint(path: Path) -> tuple:
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
    return tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
