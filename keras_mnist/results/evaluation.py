"""How well a network reads digits it has not seen."""

from __future__ import annotations

import dataclasses
import zipfile
from pathlib import Path

import keras
import numpy as np

from keras_mnist.errors import UsageError


@dataclasses.dataclass(frozen=True)
class Score:
    """Accuracy (a fraction), mean cross-entropy and number of misread images."""

    accuracy: float
    loss: float
    errors: int
    images: int


def score(probabilities: np.ndarray, labels: np.ndarray) -> Score:
    """Compare probabilities (n, classes) with labels (n,)."""
    errors = int(np.sum(np.argmax(probabilities, axis=1) != labels))
    of_truth = probabilities[np.arange(len(labels)), labels.astype(int)].astype(np.float64)
    loss = float(np.mean(-np.log(np.maximum(of_truth, 1e-30))))
    return Score((len(labels) - errors) / len(labels), loss, errors, len(labels))


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Probabilities (n, classes) for raw images (n, 28, 28, 1), every image once."""
    batches = range(0, len(images), batch_size)
    return np.concatenate([model.predict_on_batch(images[start : start + batch_size]) for start in batches])


def evaluate(model: keras.Model, images: np.ndarray, labels: np.ndarray) -> Score:
    """Score a network on images (n, 28, 28, 1) of 0..255 and labels (n,)."""
    return score(predict(model, images), labels)


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
