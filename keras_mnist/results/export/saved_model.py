"""SavedModel: for TensorFlow alone, without Keras and this package."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from keras_mnist.results import runtimes
from keras_mnist.results.export.formats import export_format
from keras_mnist.utils.lazy import keras, tf


@export_format()
def saved_model(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """A folder whose signature takes uint8 images, and gives probabilities and the digit."""
    shape = (None, 28, 28, 1)

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name="image")], autograph=False)
    def predict_digits(image):
        # When it runs: a signature that was loaded checks nothing, and a wrong shape in a convolution ends the process.
        # Where the shape seems known, as it does here, TensorFlow would leave the check out.
        unknown = tf.compat.v1.placeholder_with_default(image, None, name="given_image")
        image = tf.ensure_shape(unknown, shape)
        count = tf.shape(image)[0]
        # Convolutions do not take an empty batch: one image in place of none.
        filled = tf.concat([image, tf.zeros((tf.cast(count == 0, tf.int32), *shape[1:]), tf.uint8)], axis=0)
        outputs = keras.tree.flatten(model(tf.cast(filled, tf.float32), training=False))[0][:count]
        probabilities = tf.cast(tf.nn.softmax(outputs) if gives_logits else outputs, tf.float32)
        return {"probabilities": probabilities, "digit": tf.argmax(probabilities, axis=-1)}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serving_default", predict_digits)
    with _without_notices():
        archive.write_out(path, verbose=False)
    return runtimes.saved_model(path)


@contextlib.contextmanager
def _without_notices() -> Iterator[None]:
    """Keep TensorFlow from naming the draft's folder, which it does in a notebook."""
    logger = tf.get_logger()
    before = logger.level
    logger.setLevel("WARNING")
    try:
        yield
    finally:
        logger.setLevel(before)
