"""A trained network for use without this package: SavedModel, compared with the original before it counts."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_mnist.errors import RunError
from keras_mnist.files import whole_folder
from keras_mnist.results.folding import fold

TOLERANCE = 1e-5  # of a probability: folding changes what float32 rounds


# What an export tells of the run it comes from.
KEPT_FACTS = ("variant", "dataset", "seed", "test_accuracy", "test_images", "source_commit")


def facts_beside(model_file: Path) -> dict | None:
    """What the run.json beside a model file says of it, if there is one."""
    record = model_file.with_name("run.json")
    return kept_facts(json.loads(record.read_text())) if record.is_file() else None


def kept_facts(record: dict) -> dict:
    """The part of a run's record that goes with its export."""
    return {name: record.get(name) for name in KEPT_FACTS}


def export(model: keras.Model, folder: Path, images: np.ndarray | None = None, facts: dict | None = None) -> float:
    """Write a SavedModel with batch norm folded into its convolutions, load it again and compare it with the model.

    The folder appears whole or not at all.

    Signature serving_default: `image` uint8 (None, 28, 28, 1) -> `probabilities` float32 (None, 10), `digit`
    int64 (None,).

    Args:
        images: raw images (n, 28, 28, 1) to compare on; None for random ones.
        facts: what is known of the model, kept beside it in keras_mnist.json.

    Returns: the largest difference of a probability.
    Raises: RunError if the reloaded model differs by more than 1e-5.
    """
    folder = Path(folder)
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (256, 28, 28, 1), np.uint8)

    reader = fold(model)

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.uint8, name="image")])
    def read_digits(image):
        probabilities = reader(tf.cast(image, tf.float32), training=False)
        return {"probabilities": probabilities, "digit": tf.argmax(probabilities, axis=-1)}

    with whole_folder(folder) as fresh:
        archive = keras.export.ExportArchive()
        archive.track(reader)
        archive.add_endpoint("serving_default", read_digits)
        archive.write_out(fresh, verbose=False)
        difference = compare(model, fresh, images)
        (fresh / "keras_mnist.json").write_text(json.dumps(facts or {"variant": model.name}, indent=2) + "\n")
    return difference


def compare(model: keras.Model, folder: Path, images: np.ndarray) -> float:
    """The largest difference between a model's probabilities and those of an exported copy.

    Raises: RunError if it exceeds 1e-5.
    """
    serve = tf.saved_model.load(folder).signatures["serving_default"]
    exported = serve(image=tf.constant(images))["probabilities"].numpy()
    difference = float(np.max(np.abs(exported - model.predict_on_batch(images))))
    if not difference <= TOLERANCE:
        raise RunError(f"the exported {model.name} differs by {difference:g}, expected at most {TOLERANCE:g}")
    return difference
