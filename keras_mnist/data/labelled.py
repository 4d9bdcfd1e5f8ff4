"""Labelled digits of a user's own: an NPZ file, or an IDX file of images with its labels beside it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from keras_mnist.data.digit_set import CLASSES
from keras_mnist.data.idx import LARGEST, is_idx, read_idx
from keras_mnist.data.npz import is_npz, read_npz
from keras_mnist.errors import UsageError
from keras_mnist.utils.words import counted

# The usual names in NPZ files, in any case: the first pair that a file has.
NAMES = (("x_test", "y_test"), ("test_images", "test_labels"), ("images", "labels"), ("x", "y"))
SHAPES = ((28, 28), (28, 28, 1), (784,))
EXPECTED = "an NPZ file of images and labels, or an IDX file of images with its labels beside it"


@dataclasses.dataclass(frozen=True)
class LabelledDigits:
    """Images (n, 28, 28, 1) uint8 and labels (n,) uint8 to score a network on, with their name."""

    name: str
    test_images: np.ndarray
    test_labels: np.ndarray


def read_labelled(path: Path) -> LabelledDigits:
    """The digits of an NPZ file, or those of an IDX file of images whose labels lie beside it.

    NPZ: `x_test` and `y_test`, `test_images` and `test_labels`, `images` and `labels`, or `x` and `y`. IDX: the labels'
    file is named as the images' one, with `labels` for `images`; either may be compressed.

    Raises: UsageError that names the file if there are none, or they are no labelled digits.
    """
    content = _content(path)
    try:
        if not is_npz(content) and not is_idx(content):
            raise UsageError(f"neither NPZ nor IDX, expected {EXPECTED}")
        images, labels = read_npz(content, NAMES) if is_npz(content) else (read_idx(content), _labels_beside(path))
        return LabelledDigits(path.name, digit_images(images), _labels(labels, len(images)))
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _content(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if not path.is_file() or size > LARGEST:
            wrong = "is a folder" if path.is_dir() else "is no ordinary file"
            found = f"has {size:,} bytes, more than {LARGEST:,}" if path.is_file() else wrong
            raise UsageError(f"{path} {found}, expected {EXPECTED}; see `data`")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}), expected {EXPECTED}; see `data`") from error


def _labels_beside(path: Path) -> np.ndarray:
    """The labels of an IDX file of images.

    Raises: UsageError if they are not there, or no IDX file.
    """
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    if name == path.name:
        raise UsageError("an IDX file whose name has no `images` in it, expected one such as t10k-images-idx3-ubyte.gz")
    stem = name.removesuffix(".gz")
    beside = [path.with_name(found) for found in (name, stem, f"{stem}.gz")]
    labels = next((found for found in beside if found.is_file()), None)
    if labels is None:
        raise UsageError(f"its labels are missing, expected {name} beside it")
    try:
        return read_idx(_content(labels))
    except UsageError as error:
        raise UsageError(f"its labels in {labels.name}: {error}") from error


def digit_images(images: np.ndarray, name: str = "images") -> np.ndarray:
    """Images as the networks take them, (n, 28, 28, 1) uint8, from whole numbers 0..255 or fractions.

    Raises: UsageError that names what they are given as.
    """
    images = np.asarray(images)
    if images.shape[1:] not in SHAPES or images.dtype.kind not in "buif" or not len(images):
        raise UsageError(
            f"{name} are {images.dtype} {images.shape}, expected numbers (n, 28, 28); bring other pictures "
            "to that form with keras_mnist.preprocess"
        )
    low, high = images.min(), images.max()
    if not (low >= 0 and high <= 255):  # NaN is neither
        raise UsageError(f"{name} are of {low:g} to {high:g}, expected 0 to 255, or fractions 0 to 1")
    if images.dtype.kind in "bf" and high <= 1:
        images = images * np.float32(255)
    if images.dtype.kind == "f":
        images = np.rint(images)
    return images.astype(np.uint8).reshape(-1, 28, 28, 1)


def _labels(labels: np.ndarray, count: int) -> np.ndarray:
    """Labels as (n,) uint8, from (n,) or (n, 1) whole numbers."""
    if labels.shape not in ((count,), (count, 1)):
        raise UsageError(f"labels are {labels.shape} for {counted(count, 'image')}, expected one for each: ({count},)")
    if labels.dtype.kind not in "ui":
        raise UsageError(f"labels are {labels.dtype}, expected whole numbers 0 to {CLASSES - 1}")
    if labels.min() < 0 or labels.max() >= CLASSES:
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise UsageError(f"a label is {wrong}, expected digits 0 to {CLASSES - 1}")
    return labels.reshape(-1).astype(np.uint8)
