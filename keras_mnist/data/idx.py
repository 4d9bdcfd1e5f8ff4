"""IDX, the format of MNIST's own files: any array of numbers, also compressed with gzip."""

from __future__ import annotations

import math
import zlib

import numpy as np

from keras_mnist.errors import UsageError

TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
GZIP = b"\x1f\x8b"
LARGEST = 200_000_000  # bytes of an array: MNIST's training images have 47 million


def is_idx(content: bytes) -> bool:
    """Whether bytes begin as an IDX file does, or as anything that gzip has compressed."""
    return content[:2] == GZIP or (content[:2] == b"\0\0" and len(content) > 4 and content[2] in TYPES)


def read_idx(content: bytes) -> np.ndarray:
    """The array in the bytes of an IDX file.

    Raises: UsageError if they are none, are empty, or hold another number of bytes than they say.
    """
    if content[:2] == GZIP:
        content = _decompressed(content)
    if not is_idx(content) or content[:2] == GZIP or not 1 <= content[3] <= 4:
        raise UsageError("no IDX file: it begins otherwise, expected two zero bytes, a type and 1 to 4 dimensions")
    kind, begin = np.dtype(TYPES[content[2]]), 4 + 4 * content[3]
    shape = [int.from_bytes(content[at : at + 4]) for at in range(4, begin, 4)]
    expected = begin + math.prod(shape) * kind.itemsize
    if len(content) != expected:
        raise UsageError(f"damaged IDX file: {len(content):,} bytes, expected {expected:,} for an array of {shape}")
    if not math.prod(shape):
        raise UsageError(f"an empty IDX file: an array of {shape}, expected images or labels")
    return np.frombuffer(content, kind, offset=begin).reshape(shape)


def _decompressed(content: bytes) -> bytes:
    """At most LARGEST bytes: a small file may hold any number of them."""
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(content, LARGEST)
    except zlib.error as error:
        raise UsageError(f"damaged gzip file ({error}), expected a compressed IDX file; copy it again") from None
    if not reader.eof:
        raise UsageError(f"a gzip file cut short or of more than {LARGEST:,} bytes, expected a compressed IDX file")
    return plain
