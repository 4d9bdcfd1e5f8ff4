"""How well predictions agree with labels."""

from __future__ import annotations

import dataclasses

import numpy as np

from keras_mnist.results import measures
from keras_mnist.utils.intervals import wilson_interval


@dataclasses.dataclass(frozen=True)
class Score:
    """Accuracy (a fraction), mean cross-entropy and number of misclassified images, with the data set they are of.

    What else the predictions say is computed when it is asked for.
    """

    dataset: str
    images: int
    accuracy: float
    loss: float
    errors: int
    labels: np.ndarray = dataclasses.field(repr=False, compare=False)  # (images,)
    probabilities: np.ndarray = dataclasses.field(repr=False, compare=False)  # (images, classes)

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval of the accuracy, over images."""
        return wilson_interval(self.images - self.errors, self.images)

    @property
    def predictions(self) -> np.ndarray:
        """The most probable class of each image, (n,); -1 where a network gave NaN."""
        return _predictions(self.probabilities)

    @property
    def confidences(self) -> np.ndarray:
        """The probability of what is predicted, (n,)."""
        return np.max(self.probabilities, axis=1)

    @property
    def mean_confidence(self) -> float:
        return float(np.mean(self.confidences, dtype=np.float64))

    @property
    def confusion(self) -> np.ndarray:
        """How many images of each digit (row) are predicted to be each digit (column): (10, 10)."""
        return measures.confusion_matrix(self.labels, self.predictions)

    @property
    def classes(self) -> list[measures.ClassScore]:
        """Precision and recall of each digit, 0 to 9."""
        return measures.class_scores(self.labels, self.predictions)

    @property
    def worst_class(self) -> measures.ClassScore:
        """The digit of the lowest recall."""
        return min((found for found in self.classes if found.images), key=lambda found: found.recall)

    @property
    def reliability(self) -> list[measures.Bin]:
        """How often predictions of each confidence are right."""
        return measures.reliability(self.confidences, self.predictions == self.labels)

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, a fraction."""
        return measures.expected_calibration_error(self.reliability)

    @property
    def misclassified(self) -> list[dict]:
        """One row for each image whose prediction is not its label: what was predicted, and how surely."""
        predictions, confidences = self.predictions, self.confidences
        return [
            {
                "index": int(index),
                "label": int(self.labels[index]),
                "prediction": int(predictions[index]),
                "probability": round(float(confidences[index]), 4),
            }
            for index in np.flatnonzero(predictions != self.labels)
        ]


def score(dataset: str, probabilities: np.ndarray, labels: np.ndarray) -> Score:
    """Compare probabilities (n, classes) with labels (n,)."""
    errors = int(np.sum(_predictions(probabilities) != labels))
    of_truth = probabilities[np.arange(len(labels)), labels.astype(int)].astype(np.float64)
    loss = float(np.mean(-np.log(np.maximum(of_truth, 1e-30))))
    return Score(dataset, len(labels), (len(labels) - errors) / len(labels), loss, errors, labels, probabilities)


def _predictions(probabilities: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(probabilities).any(axis=1), -1, np.argmax(probabilities, axis=1))
