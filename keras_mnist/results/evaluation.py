"""How well a network reads digits it has not seen."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_mnist.data.sources import DigitSet, load
from keras_mnist.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Score:
    """Accuracy (a fraction), mean cross-entropy and number of misread images, with the data set they are of."""

    dataset: str
    images: int
    accuracy: float
    loss: float
    errors: int


def score(dataset: str, probabilities: np.ndarray, labels: np.ndarray) -> Score:
    """Compare probabilities (n, classes) with labels (n,)."""
    errors = int(np.sum(np.argmax(probabilities, axis=1) != labels))
    of_truth = probabilities[np.arange(len(labels)), labels.astype(int)].astype(np.float64)
    loss = float(np.mean(-np.log(np.maximum(of_truth, 1e-30))))
    return Score(dataset, len(labels), (len(labels) - errors) / len(labels), loss, errors)


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Probabilities (n, classes) for raw images (n, 28, 28, 1), every image once."""
    batches = range(0, len(images), batch_size)
    return np.concatenate([model.predict_on_batch(images[start : start + batch_size]) for start in batches])


def evaluate(model: keras.Model, digits: DigitSet | None = None) -> Score:
    """Score a network on all test images of a data set; None for MNIST where it can be had."""
    digits = digits or load()
    return score(digits.name, predict(model, digits.test_images), digits.test_labels)


def load_model(path: Path) -> keras.Model:
    """Read a .keras file in Keras's safe mode.

    Raises: UsageError that names the file if it is none, or holds code or foreign classes, or does not take digits.
    """
    path = Path(path)
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("no .keras archive")
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        shape = model.input_shape
    except Exception as error:  # Keras raises many kinds for a damaged or unsafe file
        reason = next(line.strip() for line in str(error).splitlines() or [type(error).__name__] if line.strip())
        raise UsageError(f"{path} is no model that can be loaded safely ({reason[:120]}); see --model") from error
    if shape != (None, 28, 28, 1):
        raise UsageError(f"{path} takes inputs {shape}, expected (None, 28, 28, 1); see --model")
    return model
