"""What a network gives for images: probabilities, or logits of which the softmax is meant."""

from __future__ import annotations

import numpy as np

from keras_mnist.utils.lazy import keras


def are_probabilities(outputs: np.ndarray) -> bool:
    """Whether each row (n, classes) is without negatives and sums to 1; the tolerance is what bfloat16 rounds."""
    return bool(np.all(outputs >= 0) and np.allclose(outputs.sum(axis=-1), 1, rtol=0, atol=1e-2))


def compile_for_labels(model: keras.Model) -> None:
    """Compile a model of digits, so that Keras's own `evaluate` takes labels, and logits for what they are.

    What it gives is looked at, not what its last layer is called: a softmax may stand anywhere, or be the user's own.
    """
    images = np.random.default_rng(0).integers(0, 256, (16, 28, 28, 1)).astype(np.float32)
    outputs = keras.tree.flatten(model(images, training=False))
    from_logits = not all(are_probabilities(np.asarray(output, np.float32)) for output in outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile("sgd", loss=loss, metrics=["accuracy"])
