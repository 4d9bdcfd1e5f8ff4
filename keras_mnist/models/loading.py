"""Model files: the one way to read them, in Keras's safe mode."""

from __future__ import annotations

import zipfile
from pathlib import Path

from keras_mnist.errors import UsageError, first_line
from keras_mnist.models.outputs import compile_for_labels
from keras_mnist.utils.lazy import keras


def load_model(path: Path | str) -> keras.Model:
    """A model from a .keras file that runs no code of the file's own, compiled so that `evaluate` works on labels.

    Raises: UsageError that names the file if it is none, or holds code or foreign classes, or does not take digits.
    """
    path = Path(path)
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
    if shape != (None, 28, 28, 1):
        raise UsageError(f"{path} takes inputs {shape}, expected (None, 28, 28, 1): pixels 0 to 255 of one digit each")
    compile_for_labels(model)
    return model
