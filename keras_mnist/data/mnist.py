"""MNIST, from wherever it can be had."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path

import numpy as np

from keras_mnist.data.archives import read_archives, unpack
from keras_mnist.data.digit_set import DigitSet, mnist_set
from keras_mnist.data.prepared import prepared_folder, read_prepared
from keras_mnist.errors import RunError
from keras_mnist.utils.files import write_whole


def mnist(data_dir: Path | None = None, archives: Path | None = None) -> DigitSet:
    """MNIST from the archives, else from prepared data, else downloaded; 60,000 and 10,000 images.

    The same in every bit wherever it comes from, also in the order of its images: tensorflow-datasets' own.

    Raises: UsageError for a missing or altered archive; RunError if it cannot be had.
    """
    contents = read_archives(archives) if archives is not None else None
    digits = _read_cache(data_dir)
    if digits is None:
        digits = mnist_set(unpack(contents)) if contents else read_prepared(_data_dir(data_dir))
        write_cache(data_dir, digits)
    return digits


def is_prepared(data_dir: Path | None) -> bool:
    """Whether MNIST can be had without archives and without a download."""
    return _cache(data_dir).exists() or prepared_folder(_data_dir(data_dir)).exists()


def _data_dir(data_dir: Path | None) -> Path:
    """The folder of tensorflow-datasets: the one given, $TFDS_DATA_DIR, or its default."""
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise RunError(f"mnist: {folder} is nowhere: there is no such home folder; see `data_dir`") from error


def _cache(data_dir: Path | None) -> Path:
    return _data_dir(data_dir) / "keras_mnist" / "mnist-3.0.1.npz"


def _read_cache(data_dir: Path | None) -> DigitSet | None:
    """The decoded arrays kept beside the prepared data, or None: damaged in any way, they count as absent."""
    try:
        with np.load(_cache(data_dir), allow_pickle=False) as arrays:
            return mnist_set(dict(arrays))
    except Exception:
        return None


def write_cache(data_dir: Path | None, digits: DigitSet) -> None:
    """Keep the decoded arrays: decoding 70,000 PNG images takes four seconds, reading these a tenth of one."""
    arrays = {name: value for name, value in vars(digits).items() if isinstance(value, np.ndarray)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with contextlib.suppress(OSError, RunError):  # a folder that cannot be written, or is nowhere, is only slower
        write_whole(_cache(data_dir), buffer.getbuffer())
