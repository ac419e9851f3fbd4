"""A collection from TensorFlow Datasets, which is downloaded if it is not prepared yet.

TensorFlow is not imported before a function needs it.
"""

import contextlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from aru_keras._util import tensorflow as beside
from aru_keras.tasks._collection import WAYS_OUT, Collection, DatasetError, Splits, checked

_CONNECT_SECONDS = 10
_READ_BATCH = 1000


def tensorflow() -> ModuleType:
    """TensorFlow, with few messages, and without the GPUs if Keras has another backend.

    Raises:
        DatasetError: If TensorFlow is not installed.
    """
    try:
        return beside.tensorflow()
    except ImportError as error:
        raise _not_installed("tensorflow", error) from error


def tensorflow_datasets() -> ModuleType:
    """TensorFlow Datasets, imported after TensorFlow.

    Raises:
        DatasetError: If one of the two is not installed.
    """
    tensorflow()
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise _not_installed("tensorflow-datasets", error) from error
    return tfds


def _not_installed(package: str, error: ImportError) -> DatasetError:
    return DatasetError(
        f"This needs {package}, which cannot be imported ({error}). Install it: "
        "pip install tensorflow tensorflow-datasets importlib_resources. Without TensorFlow, pass "
        "source= with an .npz written by aru_keras.tasks.export and train from arrays or batches."
    )


def data_root(data_dir: str | os.PathLike | None) -> Path:
    """The TFDS folder: `data_dir`, else TFDS_DATA_DIR, else the default of TFDS."""
    default = Path.home() / "tensorflow_datasets"
    return Path(data_dir or os.environ.get("TFDS_DATA_DIR") or default).expanduser()


def find_prepared(collection: Collection, root: Path) -> Path | None:
    """The folder of the newest prepared version of a collection under `root`, or None."""
    folders = [
        description.parent
        for description in (root / collection.name).glob("*.*.*/dataset_info.json")
        if all(number.isdigit() for number in description.parent.name.split("."))
    ]
    return max(folders, key=lambda folder: [int(n) for n in folder.name.split(".")], default=None)


def read_prepared(collection: Collection, folder: Path) -> Splits:
    """The splits of a collection from a prepared folder of TFDS, for example …/mnist/3.0.1.

    Raises:
        DatasetError: If a file is missing, truncated or corrupt, or holds something else.
    """
    tfds = tensorflow_datasets()
    try:
        builder = tfds.builder_from_directory(folder)
        splits = {split: _read_split(tfds, builder, split) for split in collection.sizes}
    except Exception as error:
        # TensorFlow, protobuf and json have their own errors for a damaged file.
        raise DatasetError(
            f"{collection.name} in {folder} cannot be read, it is damaged or incomplete "
            f"({type(error).__name__}: {_first_line(error)}). Remove that folder and prepare it "
            f"again; or {WAYS_OUT}."
        ) from error
    return checked(collection, splits, folder)


def _read_split(tfds: ModuleType, builder: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
    dataset = builder.as_dataset(split=split, batch_size=_READ_BATCH, as_supervised=True)
    images, labels = zip(*tfds.as_numpy(dataset), strict=True)
    images = np.concatenate(images)
    return images[..., 0] if images.shape[-1] == 1 else images, np.concatenate(labels)


def download(collection: Collection, root: Path) -> Path:
    """Download and prepare a collection under `root`, completely or not at all.

    If TFDS fails, it leaves partial downloads behind, and without a network it retries for
    minutes. Therefore the network is tried first, and TFDS works in a temporary folder, from which
    the result is moved at the end.

    Returns:
        The prepared folder.

    Raises:
        DatasetError: If TFDS, the network or room on the disk is missing. Nothing is left behind.
    """
    tfds = tensorflow_datasets()
    created = [path for path in (root, *root.parents) if not path.exists()]
    try:
        _require_network(collection)
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".aru-keras-") as scratch:
            _prepare(tfds, collection, Path(scratch))
            return _move_in(collection, Path(scratch), root)
    except Exception as error:
        raise DatasetError(
            f"{collection.name} is not prepared in {root} and cannot be downloaded "
            f"({type(error).__name__}: {_first_line(error)}). Instead: {WAYS_OUT}."
        ) from error
    finally:
        _remove_empty(created)


def _require_network(collection: Collection) -> None:
    assert collection.url is not None  # The digits come with the package.
    request = urllib.request.Request(collection.url, method="HEAD")
    # A refusal is an answer too: the network works, and TFDS has addresses of its own.
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=_CONNECT_SECONDS).close()


def _prepare(tfds: ModuleType, collection: Collection, scratch: Path) -> None:
    tfds.builder(collection.name, data_dir=scratch).download_and_prepare()


def _move_in(collection: Collection, scratch: Path, root: Path) -> Path:
    prepared = find_prepared(collection, scratch)
    if prepared is None:
        raise FileNotFoundError(f"TFDS prepared nothing in {scratch}")
    target = root / prepared.relative_to(scratch)
    target.parent.mkdir(exist_ok=True)
    if find_prepared(collection, root) != target:  # Another process may have been faster.
        shutil.rmtree(target, ignore_errors=True)
        os.replace(prepared, target)
    return target


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]
