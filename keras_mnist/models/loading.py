"""Model files: the one way to read them, in Keras's safe mode."""

from __future__ import annotations

import itertools
import re
import zipfile
from pathlib import Path

from keras_mnist.errors import UsageError, first_line
from keras_mnist.models.outputs import compile_for_labels
from keras_mnist.utils.arguments import path_of
from keras_mnist.utils.lazy import keras

IMAGES = (None, 28, 28, 1)


def load_model(path: Path | str) -> keras.Model:
    """A model from a .keras file that runs no code of the file's own, compiled so that `evaluate` works on labels.

    One for images of any size takes 28x28 from then on; letters that TensorFlow takes in no name become underscores.

    Raises: UsageError that names the file if it is none, or holds code or foreign classes, or does not take digits.
    """
    path = path_of(path, "path", "that of a .keras file")
    try:
        if not zipfile.is_zipfile(path):
            raise ValueError("no .keras archive")
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        shape = model.input_shape
    except Exception as error:  # Keras raises many kinds for a damaged or unsafe file
        raise UsageError(
            f"{path} is no model that can be loaded safely ({first_line(error)}), expected a .keras file of layers "
            "that Keras itself has, as model.save('model.keras') writes it"
        ) from error
    expected = f"expected {IMAGES}: pixels 0 to 255 of one digit each"
    if shape not in itertools.product(*({None, size} for size in IMAGES)):
        raise UsageError(f"{path} takes inputs {shape}, {expected}")
    _name_for_tensorflow(model)
    try:
        model = model if shape == IMAGES else _for_digits(model)
    except Exception as error:
        raise UsageError(f"{path} takes inputs {shape}, but no 28x28 ({first_line(error)}), {expected}") from error
    compile_for_labels(model)
    return model


def _name_for_tensorflow(model: keras.Model) -> None:
    """Keras takes any name; TensorFlow, which names parts of its graphs after layers, does not."""
    for layer in model._flatten_layers():
        layer.name = re.sub(r"[^A-Za-z0-9_.>-]", "_", layer.name)
    if not re.match("[A-Za-z0-9.]", model.name):
        model.name = f"model{model.name}"


def _for_digits(model: keras.Model) -> keras.Model:
    """The same layers for images of one size, which all formats of exports count on."""
    fixed = keras.models.clone_model(model, input_tensors=keras.Input(IMAGES[1:]))
    fixed.set_weights(model.get_weights())
    return fixed
