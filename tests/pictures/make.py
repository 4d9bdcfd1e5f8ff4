"""Draw the pictures again, the same to the pixel: python -m tests.pictures.make

They lie in drawn/<half>/<kind>/<digits>.<ending>. What is done to a picture was made by looking at the first half
alone; the second is in another hand and other fonts, and says how well digits are predicted that nobody looked at.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from keras_mnist.utils.files import write_whole
from tests.pictures.kinds import KINDS
from tests.pictures.papers import Draft, file_of
from tests.pictures.strokes import ANGULAR_HAND, ROUND_HAND

FOLDER = Path(__file__).with_name("drawn")
HALVES = {
    "seen": (ROUND_HAND, ["DejaVuSans.ttf", "STIXGeneral.ttf"]),
    "unseen": (ANGULAR_HAND, ["DejaVuSerif.ttf", "cmss10.ttf"]),
}
ROWS = {"seen": [[3, 1, 4], [1, 5, 9, 2], [6, 5], [3, 5, 8, 9, 7], [0, 7]],
        "unseen": [[2, 7, 1], [8, 2, 8, 1], [4, 6], [5, 9, 0, 4, 3], [7, 0]]}  # fmt: skip


def pictures(chosen: str | None = None) -> Iterator[tuple[Path, bytes]]:
    """Each picture's path in the folder and the content of its file; or those of certain digits alone."""
    for half, (hand, fonts) in HALVES.items():
        for name, draw in KINDS.items():
            for digits in ROWS[half] if name == "row" else [[digit] for digit in range(10)]:
                written = "".join(map(str, digits))
                if chosen in (None, written):
                    generator = np.random.default_rng(zlib.crc32(f"{half} {name} {written}".encode()))
                    image, suffix = draw(Draft(digits, hand, fonts[digits[0] % 2], generator))
                    yield Path(half, name, f"{written}.{suffix.split('.')[-1]}"), file_of(image, suffix)


def main() -> None:
    for path, content in pictures():
        write_whole(FOLDER / path, content)


if __name__ == "__main__":
    main()
