"""An export beside its original, on the same images."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from keras_mnist.errors import RunError
from keras_mnist.results.evaluation import as_probabilities
from keras_mnist.utils.lazy import keras
from keras_mnist.utils.words import counted

TOLERANCE = 1e-5  # of a probability: what rounding does to most networks is smaller
BATCH = 1000


@dataclasses.dataclass(frozen=True)
class Comparison:
    """How near an export comes to its original.

    images: how many images both predicted.
    difference: the largest difference of a probability.
    agreement: the share of the images for which both predict the same digit.
    """

    images: int
    difference: float
    agreement: float


def compare(
    model: keras.Model,
    predict_exported: Callable,
    images: np.ndarray,
    expected: np.ndarray,
    least_agreement: float | None,
) -> Comparison:
    """Compare a model with its export.

    Args:
        predict_exported: from raw uint8 images to probabilities.
        expected: the model's probabilities.
        least_agreement: the share of the images for which both must predict the same digit, for formats that round
            weights or activations; None: the probabilities must be the same, up to what rounding to float32 makes.

    Raises: RunError if they differ by more.
    """
    exported = np.concatenate([predict_exported(batch) for batch in _batches(images)])
    difference = float(np.max(np.abs(exported - expected)))
    agreement = float(np.mean(exported.argmax(axis=1) == expected.argmax(axis=1)))
    if least_agreement is None:
        allowed = TOLERANCE if difference <= TOLERANCE else max(TOLERANCE, _rounding(model, images, expected))
        if not difference <= allowed:
            raise RunError(f"the exported {model.name} differs by {difference:g}, expected at most {allowed:g}")
    elif not agreement >= least_agreement:
        raise RunError(
            f"the exported {model.name} predicts the same digit for {agreement:.2%} of "
            f"{counted(len(images), 'image')}, expected at least {least_agreement:.0%}; train it longer, or choose a "
            "`format` that computes in float"
        )
    return Comparison(len(images), difference, agreement)


def _rounding(model: keras.Model, images: np.ndarray, expected: np.ndarray) -> float:
    """The largest change of a probability where each weight changes by sixteen times what its rounding is.

    Folding rounds each weight and each sum anew. What that does to a probability depends on the network: with large
    logits a thousand times more than with small ones. Measured, folding stays below half of this change at any scale of
    the weights, while one bias that is wrong by a hundredth changes ten to hundreds of times more.
    """
    generator = np.random.default_rng(0)

    def changed(variable):
        values = keras.ops.convert_to_numpy(variable)
        if not keras.backend.is_float_dtype(variable.dtype):
            return values
        step = 16 * np.finfo(np.float32).eps
        return (values * (1 + step * generator.choice([-1, 1], values.shape))).astype(values.dtype)

    weights = [[changed(v) for v in part] for part in (model.trainable_variables, model.non_trainable_variables)]

    def outputs_of(batch):
        outputs = model.stateless_call(*weights, batch.astype(np.float32), training=False)[0]
        return keras.ops.convert_to_numpy(keras.tree.flatten(outputs)[0])

    found = np.concatenate([outputs_of(batch) for batch in _batches(images)])
    return float(np.max(np.abs(as_probabilities(found) - expected)))


def _batches(images: np.ndarray):
    return (images[start : start + BATCH] for start in range(0, len(images), BATCH))
