"""The four original MNIST archives."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import numpy as np

from keras_mnist.errors import UsageError

# The four original archives: size in bytes and sha256.
ARCHIVES = {
    "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
}


def read_archives(folder: Path) -> dict[str, bytes]:
    """The contents of the four archives by file name.

    Raises: UsageError that names the first file that is missing or differs.
    """
    contents = {}
    for name, (size, checksum) in ARCHIVES.items():
        path = folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise UsageError(
                f"{path} is missing, expected the four original MNIST archives; see `mnist_archives`"
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}); see `mnist_archives`") from error
        if hashlib.sha256(content).hexdigest() != checksum:
            raise UsageError(
                f"{path} is not the original MNIST archive ({len(content)} bytes, expected {size} and "
                f"sha256 {checksum[:12]}...); copy or download it again"
            )
        contents[name] = content
    return contents


def unpack(contents: dict[str, bytes]) -> dict[str, np.ndarray]:
    """Archives that were checked as arrays, in tensorflow-datasets' order."""
    arrays = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pixels = gzip.decompress(contents[f"{prefix}-images-idx3-ubyte.gz"])
        labels = np.frombuffer(gzip.decompress(contents[f"{prefix}-labels-idx1-ubyte.gz"]), np.uint8, offset=8)
        order = _order(split, len(labels))
        arrays[f"{split}_images"] = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28, 1)[order]
        arrays[f"{split}_labels"] = labels[order]
    return arrays


def _order(split: str, count: int) -> list[int]:
    """The order in which tensorflow-datasets keeps a split: by the MD5 of its name and the image's index."""
    return sorted(range(count), key=lambda index: hashlib.md5(f"{split}{index}".encode()).digest())
