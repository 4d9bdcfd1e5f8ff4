"""LiteRT, formerly TensorFlow Lite: for phones, and for microcontrollers in whole numbers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from keras_mnist.errors import RunError
from keras_mnist.results import runtimes
from keras_mnist.results.export import litert_converter
from keras_mnist.results.export.formats import export_format
from keras_mnist.utils.lazy import keras, tf

CALIBRATED_ON = 500  # training images; from 100 to 1,000, the accuracy stays within 0.05 points of the original's


@export_format(suffix=".tflite", library="litert")
def litert(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """A file for one image: `image` uint8 (1, 28, 28, 1) -> `probabilities` float32 (1, 10)."""
    runtimes.optional("ai_edge_litert.interpreter")
    _convert(model, gives_logits, path)
    return runtimes.litert(path)


@export_format(suffix="_int8.tflite", calibrated=True, least_agreement=0.99, library="litert")
def litert_int8(model: keras.Model, gives_logits: bool, path: Path, training_images: np.ndarray) -> runtimes.Predict:
    """A file that computes in whole numbers alone: `image` uint8 (1, 28, 28, 1) -> `probabilities` uint8, in 256ths."""
    runtimes.optional("ai_edge_litert.interpreter")
    order = np.random.default_rng(0).permutation(len(training_images))
    _convert(model, gives_logits, path, training_images[order[:CALIBRATED_ON]])
    return runtimes.litert(path)


def _convert(model: keras.Model, gives_logits: bool, path: Path, calibration: np.ndarray | None = None) -> None:
    """Write the model with TensorFlow's converter, which prints, leaks and may abort: in a process of its own.

    Raises: RunError with the last line that it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        graph, images, written = (Path(folder) / name for name in ("saved_model", "calibration.npy", "model.tflite"))
        _write_graph(model, gives_logits, graph, tf.uint8 if calibration is None else tf.float32)
        if calibration is not None:
            np.save(images, calibration)
        # By its path, and with -P: the files beside it have names of packages that it imports.
        command = [sys.executable, "-P", litert_converter.__file__, graph, written, images]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, errors="replace")
        if done.returncode or not written.is_file():
            said = (done.stderr.strip().splitlines() or ["no word"])[-1][:200]
            raise RunError(
                f"TensorFlow's converter cannot write {model.name} (exit {done.returncode}: {said}); "
                "saved_model is the format for any model"
            )
        path.write_bytes(written.read_bytes())


def _write_graph(model: keras.Model, gives_logits: bool, folder: Path, pixels: tf.DType) -> None:
    """The model as a SavedModel for one image: the converter then sees no variables."""

    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28, 1), pixels, name="image")])
    def predict_digit(image):
        outputs = keras.tree.flatten(model(tf.cast(image, tf.float32), training=False))[0]
        return {"probabilities": tf.cast(tf.nn.softmax(outputs) if gives_logits else outputs, tf.float32)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", predict_digit)
    archive.write_out(folder, verbose=False)
