"""How well a network predicts digits it has not seen."""

from __future__ import annotations

import re

import numpy as np

from keras_mnist.data.digit_set import CLASSES, DigitSet
from keras_mnist.data.labelled import LabelledDigits
from keras_mnist.data.sources import load_data
from keras_mnist.errors import RunError, UsageError, first_line
from keras_mnist.models.outputs import are_probabilities
from keras_mnist.results.score import Score, score
from keras_mnist.settings import checked
from keras_mnist.utils.arguments import require_kind, shown_value
from keras_mnist.utils.lazy import keras, tf
from keras_mnist.utils.words import counted


def as_probabilities(outputs: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) as they are, and the softmax of anything else: logits."""
    return outputs if are_probabilities(outputs) else keras.ops.convert_to_numpy(keras.ops.softmax(outputs))


def predict(model: keras.Model, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """Probabilities (n, classes) for raw images (n, 28, 28, 1), every image once.

    Raises: see `raw_outputs`.
    """
    return as_probabilities(raw_outputs(model, images, batch_size))


def raw_outputs(model: keras.Model, images: np.ndarray, batch_size: int = 1000) -> np.ndarray:
    """What a model gives for raw images (n, 28, 28, 1), one row (classes,) for each: probabilities or logits.

    Raises:
        UsageError: these are no images, or the model does not take such, or gives anything else.
        RunError: it gives NaN.
    """
    require_kind(model, keras.Layer, "model", "a Keras model")
    images, batch_size = _numbers(images), checked("batch_size", batch_size, int, low=1)
    shape = getattr(model, "input_shape", None)  # of models that are graphs
    if shape is not None and not _takes_images(shape):
        raise UsageError(f"{model.name} takes inputs {shape}, expected images (None, 28, 28, 1)")
    any_batch = tf.TensorSpec((None, *images.shape[1:]), tf.float32)  # one graph for batches of any size
    traced = tf.function(lambda batch: model(batch, training=False), [any_batch], autograph=False)
    batches = (images[start : start + batch_size] for start in range(0, len(images), batch_size))
    try:
        outputs_of = traced.get_concrete_function()  # called itself, TensorFlow warns of so many graphs
        parts = [keras.tree.map_structure(np.asarray, outputs_of(tf.constant(batch, tf.float32))) for batch in batches]
    except (ValueError, TypeError, tf.errors.InvalidArgumentError) as error:  # Keras has many words for a wrong shape
        if found := re.search("'(.*)' is not a valid (root )?scope name", str(error)):
            raise UsageError(
                f"TensorFlow takes no model or layer called {found[1]!r}, expected letters, digits, _, - and .; name "
                "it otherwise, or save it and read it with keras_mnist.load_model"
            ) from error
        raise UsageError(f"{model.name} does not take images (n, 28, 28, 1): {first_line(error)}") from error
    shapes = [part.shape for part in keras.tree.flatten(parts[0])]
    if len(shapes) != 1 or len(shapes[0]) != 2:
        found = ", ".join(map(str, shapes))
        raise UsageError(f"{model.name} gives {found} for a batch of images, expected one array (n, classes)")
    outputs = np.concatenate([keras.tree.flatten(part)[0] for part in parts]).astype(np.float32)
    wrong = int(np.sum(np.isnan(outputs).any(axis=1)))
    if wrong:
        raise RunError(
            f"{model.name} gives NaN for {wrong} of {counted(len(outputs), 'image')}; train it with a lower "
            "`learning_rate`"
        )
    return outputs


def _numbers(images) -> np.ndarray:
    images = np.asarray(images)
    if images.ndim < 2 or not len(images) or images.dtype.kind not in "buif":
        raise UsageError(f"`images` are {shown_value(images)}, expected numbers (n, 28, 28, 1)")
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        raise UsageError("`images` hold NaN or infinity, expected numbers 0 to 255")
    return images


def require_ten_values(model: keras.Model, outputs: np.ndarray) -> None:
    """Raise UsageError unless a model's outputs (n, classes) have a value for each digit."""
    if outputs.shape[1] != CLASSES:
        raise UsageError(
            f"{model.name} gives {outputs.shape[1]} values for an image, expected {CLASSES}: one for each digit"
        )


def evaluate(model: keras.Model, digits: DigitSet | LabelledDigits | None = None) -> Score:
    """Score a network on all test images of a data set; None for MNIST where it can be had.

    The score also knows the confusion matrix, precision and recall of each digit, the calibration and what is
    misclassified; docs/evaluation.md defines them.

    Args:
        model: takes raw images (n, 28, 28, 1) and gives ten values for each: probabilities, or logits where they are
            negative or do not sum to 1.

    Raises:
        UsageError: the model does not take such images or gives anything else.
        RunError: it gives NaN.
    """
    require_kind(digits, (DigitSet, LabelledDigits, type(None)), "digits", "what load_data gives, or None")
    digits = load_data() if digits is None else digits
    probabilities = predict(model, digits.test_images)
    require_ten_values(model, probabilities)
    return score(digits.name, probabilities, digits.test_labels)


def _takes_images(shape) -> bool:
    """Whether inputs of this shape are digits; Keras itself leaves out a last dimension of 1."""
    pixels = shape[1:] if isinstance(shape, tuple) else ()
    return len(pixels) in (2, 3) and all(
        found in (None, size) for found, size in zip(pixels, (28, 28, 1), strict=False)
    )
