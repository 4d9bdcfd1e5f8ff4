"""A named set of digit images, and how it is divided."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_mnist.errors import RunError

CLASSES = 10

# Images of each digit in MNIST: other data sets come in files of the same names and sizes.
TRAIN_COUNTS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
TEST_COUNTS = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)


@dataclasses.dataclass(frozen=True)
class DigitSet:
    """Images (n, 28, 28, 1) uint8 and labels (n,) uint8 of a named data set, with how it is divided and repeated."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    held_out_count: int  # training images kept aside for validation
    passes_per_epoch: int  # times that an epoch shows each training image

    def __post_init__(self):
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.shape != (len(labels), 28, 28, 1) or images.dtype != np.uint8:
                raise RunError(
                    f"{self.name}: {part} images are {images.dtype} {images.shape}, "
                    f"expected uint8 ({len(labels)}, 28, 28, 1); prepare the data set again"
                )
            if set(np.unique(labels)) != set(range(CLASSES)):
                raise RunError(
                    f"{self.name}: {part} labels are {sorted(set(labels.tolist()))}, expected 0 to 9, each at "
                    "least once; prepare the data set again"
                )

    @property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(images, labels) of the training images kept aside: fixed, each class in its share."""
        return self._training(stratified_split(self.train_labels, self.held_out_count)[1])

    @property
    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """(images, labels) of the training images without those held out."""
        return self._training(stratified_split(self.train_labels, self.held_out_count)[0])

    def _training(self, indices) -> tuple[np.ndarray, np.ndarray]:
        return self.train_images[indices], self.train_labels[indices]


def mnist_set(arrays: dict[str, np.ndarray]) -> DigitSet:
    digits = DigitSet(name="mnist", **arrays, held_out_count=5_000, passes_per_epoch=1)
    for labels, expected in ((digits.train_labels, TRAIN_COUNTS), (digits.test_labels, TEST_COUNTS)):
        found = tuple(np.bincount(labels, minlength=10).tolist())
        if found != expected:
            raise RunError(f"mnist: {found} images of the digits 0 to 9, expected {expected}")
    return digits


def stratified_split(labels: np.ndarray, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (kept, held out), each class in its share; fixed: it depends on nothing but the labels.

    scikit-learn has this too, and importing it takes longer than everything else between TensorFlow and the first step.
    """
    generator = np.random.RandomState(0)  # whose numbers never change, unlike default_rng's
    exact = np.bincount(labels) * held_out / len(labels)
    share = np.floor(exact).astype(int)
    share[np.argsort(share - exact, kind="stable")[: held_out - share.sum()]] += 1  # the largest remainders
    by_class = [np.flatnonzero(labels == label) for label in range(len(share))]
    chosen = [generator.permutation(indices)[:count] for indices, count in zip(by_class, share, strict=True)]
    aside = np.zeros(len(labels), bool)
    aside[np.concatenate(chosen)] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)
