"""Where pictures come from: files, folders, standard input, arrays."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_mnist.data.idx import is_idx, read_idx
from keras_mnist.data.pictures import EXPECTED, MOST_PIXELS, Picture, open_picture
from keras_mnist.errors import UsageError

SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff", ".heic", ".heif", ".idx", ".gz"}
MOST_BYTES = 400_000_000  # of a file
STANDARD_INPUT = Path("-")


def picture_files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files that paths name: a folder stands for all pictures in it and below, in the order of their names.

    Raises: UsageError if a path names nothing, or a folder holds no picture.
    """
    for path in dict.fromkeys(paths):
        if path.is_dir():
            found = [file for file in sorted(path.rglob("*")) if file.suffix.lower() in SUFFIXES and file.is_file()]
            if not found:
                raise UsageError(f"{path} holds no picture, expected {EXPECTED}")
            yield from found
        elif path == STANDARD_INPUT or path.is_file():
            yield path
        else:
            wrong = "is no file" if path.exists() else "does not exist"
            raise UsageError(
                f"{path} {wrong}, expected a picture ({EXPECTED}), a folder of them, or - for standard input"
            )


def read_pictures(path: Path) -> Iterator[Picture]:
    """The picture in a file, or all pictures of an IDX file.

    Raises: UsageError if it is not to be had; the message does not name the file.
    """
    content = _content(path)
    if not is_idx(content):
        yield open_picture(content)
        return
    array = read_idx(content)
    if array.ndim not in (3, 4):
        raise UsageError(f"an IDX file of shape {array.shape}, expected images (n, rows, columns)")
    for values in array:
        yield open_array(values)


def _content(path: Path) -> bytes:
    try:
        if path == STANDARD_INPUT:
            content = sys.stdin.buffer.read(MOST_BYTES + 1)
        elif path.stat().st_size > MOST_BYTES:
            raise UsageError(f"a file of {path.stat().st_size:,} bytes, expected at most {MOST_BYTES:,}")
        else:
            content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot be read ({error.strerror})") from error
    if len(content) > MOST_BYTES:
        raise UsageError(f"more than {MOST_BYTES:,} bytes on standard input, expected a picture")
    return content


def open_array(values: np.ndarray) -> Picture:
    """A picture (rows, columns), or with 1, 3 or 4 channels, of whole numbers 0..255 or of fractions.

    Raises: UsageError if it is anything else.
    """
    values = np.asarray(values)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[-1] not in (3, 4)):
        raise UsageError(
            f"an array {values.shape}, expected (rows, columns) or (rows, columns, channels) with 1, 3 or 4"
        )
    if not 0 < values.shape[0] * values.shape[1] <= MOST_PIXELS or values.dtype.kind not in "buif":
        raise UsageError(f"an array {values.shape} of {values.dtype}, expected a picture's numbers 0..255")
    if not np.all((values >= 0) & (values <= 255)):
        raise UsageError(f"an array of {values.min():g} to {values.max():g}, expected 0..255, or fractions 0..1")
    if values.dtype.kind in "bf" and values.max() <= 1:
        values = values * 255.0
    return open_picture(Image.fromarray(np.rint(values).astype(np.uint8)))
