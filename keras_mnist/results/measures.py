"""What right and wrong predictions say: confusion, precision, recall and calibration."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from keras_mnist.data.digit_set import CLASSES
from keras_mnist.utils.intervals import wilson_interval

BINS = 15  # of equal width, as Guo et al., On Calibration of Modern Neural Networks (2017), count them


@dataclasses.dataclass(frozen=True)
class ClassScore:
    """One digit: its images, the images predicted to be it, and those that are both."""

    digit: int
    images: int
    predicted: int
    correct: int

    @property
    def precision(self) -> float | None:
        """The share of the images predicted to be this digit that are it; None where none is."""
        return self.correct / self.predicted if self.predicted else None

    @property
    def recall(self) -> float | None:
        """The share of this digit's images that are predicted to be it; None where it has none."""
        return self.correct / self.images if self.images else None


@dataclasses.dataclass(frozen=True)
class Bin:
    """The images whose confidence, the probability of what is predicted, is above `low` and at most `high`."""

    low: float
    high: float
    images: int
    correct: int
    mean_confidence: float | None  # None where there are none

    @property
    def accuracy(self) -> float | None:
        return self.correct / self.images if self.images else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Wilson's interval of the accuracy."""
        return wilson_interval(self.correct, self.images) if self.images else None


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """How many images of each digit (row) are predicted to be each digit (column): (10, 10).

    A prediction of -1, for none, is in no column.
    """
    matrix = np.zeros((CLASSES, CLASSES), int)
    made = predictions >= 0
    np.add.at(matrix, (labels[made].astype(int), predictions[made]), 1)
    return matrix


def class_scores(labels: np.ndarray, predictions: np.ndarray) -> list[ClassScore]:
    """The score of each digit, 0 to 9."""
    matrix = confusion_matrix(labels, predictions)
    images = np.bincount(labels.astype(int), minlength=CLASSES)
    return [
        ClassScore(digit, int(images[digit]), int(matrix[:, digit].sum()), int(matrix[digit, digit]))
        for digit in range(CLASSES)
    ]


def reliability(confidences: np.ndarray, correct: np.ndarray) -> list[Bin]:
    """How often predictions of each confidence (n,) are correct (n,): BINS bins from 0 to 1."""
    confidences = confidences.astype(np.float64)
    numbers = np.clip(np.ceil(confidences * BINS).astype(int) - 1, 0, BINS - 1)
    bins = []
    for number in range(BINS):
        inside = numbers == number
        mean = float(confidences[inside].mean()) if inside.any() else None
        bins.append(Bin(number / BINS, (number + 1) / BINS, int(inside.sum()), int(correct[inside].sum()), mean))
    return bins


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """How far confidence and accuracy lie apart: the mean over the bins, each weighted with its share of the images."""
    gaps = [found.images * abs(found.accuracy - found.mean_confidence) for found in bins if found.images]
    return sum(gaps) / sum(found.images for found in bins)
