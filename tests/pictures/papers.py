"""What a picture is made of: a digit on a page, ink and paper, light, a camera, a file."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
from PIL import Image, ImageFilter
from scipy.ndimage import gaussian_filter

from tests.pictures.strokes import draw_strokes, write_digit


@dataclasses.dataclass(frozen=True)
class Draft:
    """What to draw: the digits, in which hand and font, and the numbers that make it unlike the others."""

    digits: list[int]
    hand: dict
    font: str
    generator: np.random.Generator

    def page(self, low: int = 120, high: int = 190) -> tuple[int, int]:
        """The size of a page, (columns, rows)."""
        columns, rows = self.generator.integers(low, high, 2)
        return int(columns), int(rows)

    def cover(self, size: tuple[int, int], pen: tuple[float, float], share=(0.45, 0.8)) -> np.ndarray:
        """The first digit somewhere on a page, by a pen as thick as these shares of the digit's height."""
        uniform = self.generator.uniform
        height = uniform(*share) * min(size)
        strokes = write_digit(self.digits[0], self.hand, self.generator)
        reach = np.max([np.abs(stroke).max(axis=0) for stroke in strokes], axis=0) * height + 0.1 * height
        middle = [
            uniform(min(edge, side / 2), max(side - edge, side / 2)) for side, edge in zip(size, reach, strict=True)
        ]
        width = uniform(*pen) * height
        return draw_strokes(size, [stroke * height + middle for stroke in strokes], width, self.generator)

    def of(self, *choices):
        """One of some things."""
        return choices[self.generator.integers(len(choices))]


def paint(paper, ink, cover: np.ndarray) -> np.ndarray:
    """Ink on paper (rows, columns, 3), each a colour or such an array."""
    return paper + (np.asarray(ink, np.float64) - paper) * cover[..., None]


def sheet(size: tuple[int, int], colour) -> np.ndarray:
    return np.full((size[1], size[0], 3), colour, np.float64)


def grain(generator, shape, size: float) -> np.ndarray:
    """Random numbers of deviation 1, in lumps of so many pixels."""
    found = gaussian_filter(generator.normal(0, 1, shape[:2]), size)
    return found / found.std()


def picture(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def grey(values: np.ndarray, levels: int = 16) -> Image.Image:
    """In few shades of grey: a small file."""
    return picture(values).convert("L").quantize(levels)


def camera(values: np.ndarray, generator, light: np.ndarray, blur: float = 0.8, noise: float = 2.5) -> Image.Image:
    """A page in some light (rows, columns) through a lens and a sensor."""
    seen = picture(values * light[..., None]).filter(ImageFilter.GaussianBlur(blur))
    return picture(np.asarray(seen, np.float64) + generator.normal(0, noise, values.shape[:2])[..., None])


def slope(size, generator, darkest: float) -> np.ndarray:
    """Light that fades across a page from 1 to `darkest`, (rows, columns)."""
    angle = generator.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    along = x * np.cos(angle) + y * np.sin(angle)
    return darkest + (1 - darkest) * (along - along.min()) / np.ptp(along)


def file_of(picture: Image.Image, suffix: str) -> bytes:
    """A picture as a file of its kind; "turned.jpg" lies on its side and says so."""
    options = {
        "jpg": {"quality": 55},
        "webp": {"quality": 60, "method": 6},
        "tif": {"compression": "tiff_adobe_deflate"},
    }
    if suffix == "turned.jpg":
        exif = Image.Exif()
        exif[274] = 6  # to be shown turned by 90 degrees clockwise
        picture = picture.transpose(Image.Transpose.ROTATE_90)
        options["jpg"]["exif"] = exif
    content, ending = io.BytesIO(), suffix.split(".")[-1]
    form = {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
    picture.save(content, form, optimize=ending in ("jpg", "png"), **options.get(ending, {}))
    return content.getvalue()
