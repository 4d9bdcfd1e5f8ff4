"""Any picture of a digit in the form of MNIST's own images."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_mnist.data.ink import find_ink
from keras_mnist.data.picture_files import STANDARD_INPUT, open_array, picture_files, read_pictures
from keras_mnist.data.pictures import Picture, open_picture
from keras_mnist.data.strokes import digits_of, stroke_width, thicker
from keras_mnist.errors import UsageError
from keras_mnist.utils.arguments import path_of

# The form, as QMNIST (Yadav and Bottou, 2019) found it, and its figures as measured on the 60,000 training images by
# tests/pictures/score.py, which keeps them in docs/records/pictures.json.
SIDE, BOX = 28, 20
CENTRE = 14.0  # row and column of the centre of mass, to the nearest pixel
HALF = 0.5 + 1e-6  # so that of symmetric digits, half a pixel off, all go the same way however their sums are rounded
THINNEST, USUAL = 0.078, 0.131  # width of strokes as a share of the longer side: of the thinnest 2 %, and the median
PREVIEW = 224  # pixels of the longer side
FAINT = 0.1  # pixels with less of the full ink are no part of a digit's box


@dataclasses.dataclass(frozen=True)
class Reading:
    """The digits of a picture from left to right.

    Attributes:
        images: (n, 28, 28, 1) uint8.
        notes: what was done to the picture.
        preview: the picture as it was looked at, but small.
        boxes: where each digit lies on the preview: (top, left, bottom, right).
    """

    images: np.ndarray
    notes: list[str]
    preview: Image.Image
    boxes: list[tuple[float, ...]]


def preprocess(picture: str | PathLike | Image.Image | np.ndarray) -> np.ndarray:
    """Bring a picture to the form of MNIST's images: (1, 28, 28, 1) uint8, or (n, 28, 28, 1) for n digits in a row.

    Dark ink on bright paper or bright on dark, in any light; several digits side by side are given from left to right.

    Args:
        picture: the path of a file (PNG, JPEG, GIF, BMP, WebP, TIFF, HEIC with the extra `heic`, or IDX, all images of
            which are read), a Pillow image, or an array (rows, columns[, channels]) of 0..255 or of fractions.

    Raises: UsageError if it is no picture, or nothing is drawn on it.

    Example:
        model = keras_mnist.create_model("bn_gap", weights="mnist")
        model.predict(keras_mnist.preprocess("photo.jpg")).argmax(axis=1)
    """
    if isinstance(picture, Image.Image):
        return read_digits(open_picture(picture)).images
    if isinstance(picture, np.ndarray):
        return read_digits(open_array(picture)).images
    path = path_of(picture, "picture", "a path, a Pillow image or a NumPy array")
    try:
        return np.concatenate([read_digits(found).images for found in read_pictures(path)])
    except UsageError as error:
        raise UsageError(f"{picture}: {error}") from error


def read_files(paths: Iterable[Path]) -> dict[str, Reading | UsageError]:
    """The digits of all pictures in files and folders by the picture's name, or why a picture is refused.

    Raises: UsageError if a path names nothing.
    """
    found: dict[str, Reading | UsageError] = {}
    for path in picture_files(paths):
        name = "standard input" if path == STANDARD_INPUT else str(path)
        try:
            pictures = list(read_pictures(path))
        except UsageError as error:
            found[name] = error
            continue
        names = [name] if len(pictures) == 1 else [f"{name}[{index}]" for index in range(len(pictures))]
        found |= {of: _read_or_refused(picture) for of, picture in zip(names, pictures, strict=True)}
    return found


def _read_or_refused(picture: Picture) -> Reading | UsageError:
    try:
        return read_digits(picture)
    except UsageError as error:
        return error


def read_digits(picture: Picture) -> Reading:
    """The digits of a picture in MNIST's form, where they are and what was done.

    Raises: UsageError if nothing is drawn.
    """
    ink = find_ink(picture.grey)
    digits, left_out = digits_of(ink)
    found = [_usual_width(cropped(strength)) for strength in digits]
    thickened = ["thickened"] * any(thick for _, thick in found)
    images = np.stack([mnist_form(strength) for strength, _ in found])
    preview = picture.image.copy()
    preview.thumbnail((PREVIEW, PREVIEW))
    scale = max(preview.size) / max(picture.image.size)
    boxes = [tuple(edge * scale for edge in _box(strength)) for strength in digits]
    return Reading(images, [*picture.notes, *ink.notes, *left_out, *thickened], preview, boxes)


def _box(strength: np.ndarray) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(strength > FAINT)
    return int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1


def cropped(strength: np.ndarray) -> np.ndarray:
    """A digit's ink without the empty rows and columns around it."""
    top, left, bottom, right = _box(strength)
    return strength[top:bottom, left:right]


def _usual_width(strength: np.ndarray) -> tuple[np.ndarray, bool]:
    """A digit whose strokes are not thinner than MNIST's, and whether they were thickened."""
    width = stroke_width(strength)
    if width >= THINNEST:
        return strength, False
    return cropped(thicker(strength, (USUAL - width) / 2 * max(strength.shape))), True


def mnist_form(strength: np.ndarray) -> np.ndarray:
    """A digit's ink, cropped to it, (rows, columns) of 0..1 -> (28, 28, 1) uint8."""
    side = max(strength.shape)
    above, before = ((side - length) // 2 for length in strength.shape)
    rows, columns = strength.shape
    square = np.pad(strength, ((above, side - rows - above), (before, side - columns - before)))
    small = area_average(square, BOX)
    small *= 255 / small.max()
    top, left = (int(np.clip(CENTRE - np.floor(mass + HALF), 0, SIDE - BOX)) for mass in ndimage.center_of_mass(small))
    image = np.zeros((SIDE, SIDE, 1), np.uint8)
    image[top : top + BOX, left : left + BOX, 0] = np.rint(small)
    return image


def area_average(square: np.ndarray, size: int) -> np.ndarray:
    """(n, n) -> (size, size): each pixel is the mean of the area that it covers, parts of pixels included."""
    length = len(square)
    edges = np.arange(size + 1) * length / size
    ends = np.minimum(edges[1:, None], np.arange(1, length + 1))
    begins = np.maximum(edges[:-1, None], np.arange(length))
    cover = np.maximum(ends - begins, 0) * size / length  # (size, n): the share of each pixel in each mean
    return cover @ square @ cover.T
