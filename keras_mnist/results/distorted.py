"""How accurate a network still is on distorted images: moved, turned, noisy, of thinner or thicker strokes, inverted.

The distortions are fixed, and so is their noise: figures of different networks on one data set can be compared.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from scipy import ndimage

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.labelled import LabelledDigits
from keras_mnist.results.evaluation import evaluate
from keras_mnist.results.score import Score

DIRECTIONS = ((0, 1), (1, 0), (0, -1), (-1, 0))  # right, down, left, up, as (rows, columns)


def shift(images: np.ndarray, pixels: int) -> np.ndarray:
    """The first of four images moved to the right, the others down, left and up, and so on."""
    moved = np.empty_like(images)
    for turn, (down, right) in enumerate(DIRECTIONS):
        moved[turn::4] = ndimage.shift(images[turn::4], (0, down * pixels, right * pixels, 0), order=0)
    return moved


def rotation(images: np.ndarray, degrees: int) -> np.ndarray:
    """The first of two images turned counter-clockwise, the other clockwise, and so on; bilinear."""
    turned = np.empty_like(images)
    for turn, angle in enumerate((degrees, -degrees)):
        turned[turn::2] = ndimage.rotate(images[turn::2], angle, axes=(1, 2), reshape=False, order=1)
    return turned


def noise(images: np.ndarray, deviation: int) -> np.ndarray:
    """Normal noise of this standard deviation added to each pixel; the same noise each time."""
    generator = np.random.RandomState(0)  # whose numbers never change, unlike default_rng's
    noisy = np.empty_like(images)
    for index, image in enumerate(images):
        noisy[index] = np.clip(np.rint(image + generator.normal(0, deviation, image.shape)), 0, 255)
    return noisy


def thinner(images: np.ndarray, pixels: int) -> np.ndarray:
    """Strokes thinner by so many pixels: each pixel is the darkest of a square around it."""
    return ndimage.grey_erosion(images, (1, 1 + pixels, 1 + pixels, 1))


def thicker(images: np.ndarray, pixels: int) -> np.ndarray:
    """Strokes thicker by so many pixels: each pixel is the brightest of a square around it."""
    return ndimage.grey_dilation(images, (1, 1 + pixels, 1 + pixels, 1))


def inversion(images: np.ndarray, _: None) -> np.ndarray:
    """Dark digits on a bright ground."""
    return 255 - images


@dataclasses.dataclass(frozen=True)
class Distortion:
    """A distortion by name, of a strength in its unit."""

    name: str
    strength: int | None  # None where there is one alone
    unit: str
    function: Callable[..., np.ndarray]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Images (n, 28, 28, 1) uint8, distorted."""
        return self.function(images, self.strength)

    @property
    def amount(self) -> str:
        """The strength in words, if there are several."""
        return f"{self.strength} {self.unit}" if self.unit else ""


DISTORTIONS = (
    *(Distortion("shift", pixels, "px", shift) for pixels in (1, 2, 4)),
    *(Distortion("rotation", degrees, "degrees", rotation) for degrees in (10, 20, 40)),
    *(Distortion("noise", deviation, "grey levels", noise) for deviation in (25, 50, 100)),
    Distortion("thinner strokes", 1, "px", thinner),
    *(Distortion("thicker strokes", pixels, "px", thicker) for pixels in (1, 2)),
    Distortion("inversion", None, "", inversion),
)


def distorted_scores(model: keras.Model, digits: DigitSet | LabelledDigits) -> list[tuple[Distortion, Score]]:
    """The score of a network under each distortion of all test images.

    Raises: see `evaluate`.
    """
    return [
        (distortion, evaluate(model, dataclasses.replace(digits, test_images=distortion(digits.test_images))))
        for distortion in DISTORTIONS
    ]
