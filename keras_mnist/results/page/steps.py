"""A network as the page's JavaScript computes it: its operations in JSON, all weights in one row of numbers."""

from __future__ import annotations

import base64

import keras
import numpy as np

from keras_mnist.models.outputs import are_probabilities
from keras_mnist.results.evaluation import raw_outputs, require_ten_values
from keras_mnist.results.folding import fold
from keras_mnist.results.graph import operations


def network(model: keras.Model) -> dict:
    """The steps from raw pixels to ten probabilities, and their weights as float32 in base64.

    Each step is an `Operation`; in place of each array stand the index of its first number, and its shape.

    Raises: UsageError if the model does not take digits, or has a layer that is not known outside Keras.
    """
    outputs = raw_outputs(model, np.random.default_rng(0).integers(0, 256, (16, 28, 28, 1), np.uint8))
    require_ten_values(model, outputs)
    numbers = bytearray()

    firsts: dict[bytes, int] = {}  # where each array begins: a layer that is called twice is written once

    def written(array: np.ndarray) -> dict:
        values = array.astype("<f4").tobytes()
        if values not in firsts:
            firsts[values] = len(numbers) // 4
            numbers.extend(values)
        return {"first": firsts[values], "shape": array.shape}

    steps = []
    for step in operations(fold(model), gives_logits=not are_probabilities(outputs)):
        arrays = {name: written(array) for name, array in step.weights.items()}
        described = {"kind": step.kind, "name": step.name, "inputs": step.inputs, "shape": step.shape}
        steps.append({**described, **step.attributes, "weights": arrays})
    return {"steps": steps, "weights": base64.b64encode(numbers).decode()}
