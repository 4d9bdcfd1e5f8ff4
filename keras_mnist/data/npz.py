"""NPZ, NumPy's archive of arrays: nothing in it is run, and sizes are known before anything is decompressed."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Sequence

import numpy as np
from numpy.lib import format as npy

from keras_mnist.data.idx import LARGEST
from keras_mnist.errors import UsageError, first_line

HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def is_npz(content: bytes) -> bool:
    """Whether bytes begin as a zip archive does."""
    return content[:4] == b"PK\3\4"


def read_npz(content: bytes, names: Sequence[tuple[str, ...]]) -> tuple[np.ndarray, ...]:
    """The arrays of the first group of names, in any case, that an NPZ file has whole.

    Raises: UsageError if it has none of them, is damaged, or an array is too large or of Python objects.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = {entry.filename.removesuffix(".npy").lower(): entry for entry in archive.infolist()}
            group = next((group for group in names if found.keys() >= set(group)), None)
            if group is None:
                known = ", ".join(sorted(found)[:6]) or "nothing"
                expected = ", or ".join(" and ".join(group) for group in names)
                raise UsageError(f"an NPZ file of {known}, expected {expected}")
            return tuple(_array(archive, found[name]) for name in group)
    except UsageError:
        raise
    except Exception as error:  # zipfile and NumPy raise whatever damaged bytes lead them to
        raise UsageError(f"a damaged NPZ file ({first_line(error)}); write it anew with numpy.savez") from error


def _array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    """One array; its header says how large it is and of what, before the rest is decompressed."""
    if entry.file_size > LARGEST:
        raise UsageError(
            f"{entry.filename} has {entry.file_size:,} bytes, expected at most {LARGEST:,}; keep pixels as uint8"
        )
    with archive.open(entry) as file:
        shape, by_columns, kind = HEADERS[npy.read_magic(file)](file)
        if kind.hasobject:
            raise UsageError(f"{entry.filename} holds Python objects, which are never loaded, expected numbers")
        expected = math.prod(shape) * kind.itemsize
        data = file.read(expected + 1)
    if len(data) != expected:
        raise UsageError(f"{entry.filename} is damaged, expected {expected:,} bytes for an array {shape}")
    return np.frombuffer(data, kind).reshape(shape, order="F" if by_columns else "C")
