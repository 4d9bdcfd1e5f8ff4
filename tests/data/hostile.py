"""Files that claim to be pictures of a digit, in all formats, and what bad disks and worse people make of them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw

SAVED = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "webp": "WEBP", "tif": "TIFF"}


def seven(mode: str = "L", paper=255, ink=0, size=(100, 120)) -> Image.Image:
    """A seven by a ruler."""
    page = Image.new(mode, size, paper)
    ImageDraw.Draw(page).line([(25, 25), (75, 25), (45, 100)], fill=ink, width=9)
    return page


def saved(image: Image.Image, form: str = "PNG", **options) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **options)
    return content.getvalue()


def header_of_a_bomb(columns: int = 30_000, rows: int = 30_000) -> bytes:
    """A PNG that claims a size, and holds nothing."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + bytes(4) + b"IDAT"
    )


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    """An IDX file as its specification says."""
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


def alike(images: np.ndarray, others: np.ndarray) -> bool:
    """Whether images (n, 28, 28, 1) are the same but for a pixel's place, which soft edges may decide, and noise."""
    moved = [np.roll(images.astype(int), (down, right), (1, 2)) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    return images.shape == others.shape and min(np.abs(some - others).mean() for some in moved) < 4


def sound_files() -> dict[str, bytes]:
    """A good file of each format by its ending."""
    files = {ending: saved(seven("RGB", "white", "navy"), form) for ending, form in SAVED.items()}
    return files | {"idx": idx(np.stack([np.asarray(seven(size=(100, 120)))] * 2))}


def mutated(count: int, seed: int = 0):
    """So many damaged files: (name, content)."""
    generator = np.random.default_rng(seed)
    files = list(sound_files().items())
    for index in range(count):
        ending, content = files[index % len(files)]
        damage = DAMAGES[generator.integers(len(DAMAGES))]
        yield f"{index:03}.{ending}", bytes(damage(bytearray(content), generator))


def _flip(content, generator):
    for at in generator.integers(len(content), size=generator.integers(1, 20)):
        content[at] = generator.integers(256)
    return content


def _flip_early(content, generator):
    """Where sizes and kinds are written."""
    for at in generator.integers(min(64, len(content)), size=4):
        content[at] = generator.integers(256)
    return content


def _cut(content, generator):
    return content[: generator.integers(len(content))]


def _insert(content, generator):
    at = generator.integers(len(content))
    return content[:at] + generator.bytes(generator.integers(1, 50)) + content[at:]


def _extreme(content, generator):
    """The largest and least numbers, in four bytes somewhere near the beginning."""
    at = generator.integers(min(200, len(content) - 4))
    content[at : at + 4] = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0")[generator.integers(4)]
    return content


DAMAGES = (_flip, _flip_early, _cut, _insert, _extreme)
