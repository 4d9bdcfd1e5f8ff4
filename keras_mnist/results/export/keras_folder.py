"""Keras's own format as a folder, which a hub of models can hold as it is."""

from __future__ import annotations

from pathlib import Path

from keras_mnist.errors import UsageError, first_line
from keras_mnist.results import runtimes
from keras_mnist.results.export.formats import export_format
from keras_mnist.utils.lazy import keras


@export_format(library="keras")
def keras_folder(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """config.json, model.weights.h5 and metadata.json: for keras.saving.load_model(folder), or hf://user/name."""
    if gives_logits:
        model = keras.Sequential([keras.Input((28, 28, 1)), model, keras.layers.Softmax()], name=model.name)
    try:
        keras.saving.save_model(model, path, zipped=False)
        (path / "assets").rmdir()  # of layers with files of their own: none here
        return runtimes.keras_folder(path)
    except OSError:  # of the disk
        raise
    except Exception as error:  # Keras raises many kinds for layers that it cannot make from what they tell
        raise UsageError(
            f"{model.name} cannot be read back by Keras alone ({first_line(error)}); saved_model is the format for it"
        ) from error
