"""A collection from TensorFlow Datasets: read where it is prepared, downloaded where it is not.

Nothing here imports TensorFlow before a function needs it.
"""

import contextlib
import os
import shutil
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from types import ModuleType

import numpy as np

from aru_keras.data.collection import WAYS_OUT, Collection, DatasetError, Parts, checked

_CONNECT_SECONDS = 10
_READ_BATCH = 1000


def tensorflow() -> ModuleType:
    """TensorFlow, quiet, and kept off the GPUs where another Keras backend computes on them.

    Raises:
        DatasetError: TensorFlow is not installed.
    """
    import keras

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        import tensorflow as tf
    except ImportError as error:
        raise _not_installed("tensorflow", error) from error
    if keras.config.backend() != "tensorflow":
        # TensorFlow would otherwise take all the GPU memory for a pipeline that runs on CPU.
        # Where it is in use already, it refuses, and the user's choice stands.
        with contextlib.suppress(RuntimeError):
            tf.config.set_visible_devices([], "GPU")
    return tf


def tensorflow_datasets() -> ModuleType:
    """TFDS, after TensorFlow.

    Raises:
        DatasetError: one of the two is not installed.
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
    """The TFDS folder: `data_dir`, else TFDS_DATA_DIR, else TFDS's own default."""
    default = Path.home() / "tensorflow_datasets"
    return Path(data_dir or os.environ.get("TFDS_DATA_DIR") or default).expanduser()


def find_prepared(collection: Collection, root: Path) -> Path | None:
    """The folder of the newest prepared version of `collection` under `root`, if there is one."""
    found = [
        description.parent
        for description in (root / collection.name).glob("*.*.*/dataset_info.json")
        if all(number.isdigit() for number in description.parent.name.split("."))
    ]
    return max(found, key=lambda folder: [int(n) for n in folder.name.split(".")], default=None)


def read_prepared(collection: Collection, folder: Path) -> Parts:
    """The parts of `collection` from the prepared TFDS `folder` (…/mnist/3.0.1).

    Raises:
        DatasetError: a file is missing, truncated or corrupt, or holds something else.
    """
    tfds = tensorflow_datasets()
    try:
        builder = tfds.builder_from_directory(folder)
        parts = {part: _read_part(tfds, builder, part) for part in collection.sizes}
    except Exception as error:
        # TensorFlow, protobuf and json each have their own error for a damaged file.
        raise DatasetError(
            f"{collection.name} in {folder} cannot be read, it is damaged or incomplete "
            f"({type(error).__name__}: {_first_line(error)}). Remove that folder and prepare it "
            f"again; or {WAYS_OUT}."
        ) from error
    return checked(collection, parts, folder)


def _read_part(tfds: ModuleType, builder, part: str) -> tuple[np.ndarray, np.ndarray]:
    dataset = builder.as_dataset(split=part, batch_size=_READ_BATCH, as_supervised=True)
    images, labels = zip(*tfds.as_numpy(dataset), strict=True)
    images = np.concatenate(images)
    return images[..., 0] if images.shape[-1] == 1 else images, np.concatenate(labels)


def download(collection: Collection, root: Path) -> Path:
    """Download and prepare `collection` under `root`: whole, or not at all.

    TFDS leaves partial downloads behind where it fails, and retries for minutes where there is no
    network. So we ask first, and let it work in a folder of its own, moved into place at the end.

    Returns:
        The prepared folder.

    Raises:
        DatasetError: no TFDS, no network, or no room; nothing is left behind.
    """
    tfds = tensorflow_datasets()
    created = [path for path in (root, *root.parents) if not path.exists()]
    try:
        _require_network(collection)
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".aru-keras-") as workshop:
            _prepare(tfds, collection, Path(workshop))
            return _move_in(collection, Path(workshop), root)
    except Exception as error:
        raise DatasetError(
            f"{collection.name} is not prepared in {root} and cannot be downloaded "
            f"({type(error).__name__}: {_first_line(error)}). Instead: {WAYS_OUT}."
        ) from error
    finally:
        _remove_empty(created)


def _require_network(collection: Collection) -> None:
    request = urllib.request.Request(collection.url, method="HEAD")
    # A server that refuses has answered: the network is there, and TFDS knows its addresses.
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=_CONNECT_SECONDS).close()


def _prepare(tfds: ModuleType, collection: Collection, workshop: Path) -> None:
    tfds.builder(collection.name, data_dir=workshop).download_and_prepare()


def _move_in(collection: Collection, workshop: Path, root: Path) -> Path:
    made = find_prepared(collection, workshop)
    if made is None:
        raise FileNotFoundError(f"TFDS prepared nothing in {workshop}")
    target = root / made.relative_to(workshop)
    target.parent.mkdir(exist_ok=True)
    if find_prepared(collection, root) != target:  # Another process may have been faster.
        shutil.rmtree(target, ignore_errors=True)
        os.replace(made, target)
    return target


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]
