"""A trained network for use without this package, compared with the original before it counts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from keras_mnist.data.labelled import digit_images
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.outputs import are_probabilities
from keras_mnist.results.cards import model_card
from keras_mnist.results.evaluation import as_probabilities, raw_outputs
from keras_mnist.results.export.comparison import Comparison, compare
from keras_mnist.results.export.facts import card_of, require_facts, require_free, write_facts
from keras_mnist.results.export.formats import Format, get_format
from keras_mnist.results.folding import fold
from keras_mnist.utils.arguments import path_of, require_kind
from keras_mnist.utils.files import whole_file, whole_folder, write_whole
from keras_mnist.utils.lazy import keras, tf


def export(
    model: keras.Model,
    output: Path | str,
    *,
    format: str = "saved_model",
    images: np.ndarray | None = None,
    training_images: np.ndarray | None = None,
    facts: dict | None = None,
    overwrite: bool = False,
) -> Comparison:
    """Write a model with batch norm folded into its convolutions, load it again and compare it with the original.

    What is written appears whole or not at all. A folder takes the place of an older export of the same data set, of
    nothing else. With it comes a model card: README.md in a folder, <name>.md beside a file.

    All formats take raw pixels, uint8 (28, 28, 1), and give ten probabilities; docs/formats.md describes each.

    SavedModel, signature serving_default: `image` uint8 (None, 28, 28, 1) -> `probabilities` float32 (None, 10),
    `digit` int64 (None,). Other shapes are an error that names them; no image gives empty results.

    Args:
        model: gives probabilities or logits, see `evaluate`; of logits the softmax is exported.
        output: the folder or file to write.
        format: "saved_model", or another name in results/export/.
        images: raw images (n, 28, 28, 1) to compare on; None for training images where given, else random ones.
        training_images: raw images (n, 28, 28, 1) on which formats that compute in integers are calibrated.
        facts: what is known of the model, kept in a folder's keras_mnist.json and in the model card.
        overwrite: replace whatever is there.

    Returns: how near the export comes to the model.
    Raises:
        UsageError: what is there is not ours to replace or cannot be written, the model does not take digits or cannot
            be written in that format, or a package or the training images that the format needs are missing.
        RunError: the exported model differs by more than its format may, or cannot be written.

    Example:
        keras_mnist.export(keras_mnist.train("bn_gap").model, "saved_models/bn_gap")
    """
    require_kind(model, keras.Layer, "model", "a Keras model")
    require_facts(facts)
    chosen = get_format(format)
    path = Path(os.path.abspath(path_of(output, "output")))
    name, facts = chosen.write.__name__, facts or {"variant": model.name}
    require_free(path, facts, overwrite, chosen.suffix)
    if training_images is not None:
        training_images = digit_images(training_images, "`training_images`")
    calibration = _calibration(name, chosen, training_images)
    images = _images(images, training_images)
    outputs = raw_outputs(model, images)
    gives_logits, expected = not are_probabilities(outputs), as_probabilities(outputs)
    with (whole_file if chosen.suffix else whole_folder)(path) as draft:
        try:
            predict_exported = chosen.write(fold(model), gives_logits, draft, *calibration)
            found = compare(model, predict_exported, images, expected, chosen.least_agreement)
        except tf.errors.OpError as error:
            reason = error.message.rpartition(";")[2].partition("[Op:")[0].strip()  # after what it was doing
            raise RunError(f"cannot write {path} ({reason}); make room there, or choose another `output`") from error
        card = model_card(model, facts, name, chosen.library)
        if not chosen.suffix:
            card_of(draft, "").write_text(card)
            write_facts(draft, facts, name)
        require_free(path, facts, overwrite, chosen.suffix)  # whatever came there meanwhile
    if chosen.suffix:
        write_whole(card_of(path, chosen.suffix), card)
    return found


def _images(images: np.ndarray | None, training_images: np.ndarray | None) -> np.ndarray:
    if images is None and training_images is not None:
        return training_images[:1000]
    if images is None:
        return np.random.default_rng(0).integers(0, 256, (256, 28, 28, 1), np.uint8)
    return digit_images(images, "`images`")


def _calibration(name: str, chosen: Format, training_images: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """What a format is called with beside the rest.

    Raises: UsageError if it needs training images and there are none.
    """
    if not chosen.calibrated:
        return ()
    if training_images is None:
        raise UsageError(
            f"{name} is calibrated on training images, and none are at hand; pass `training_images`, on the command "
            "line `dataset` or `mnist_archives`"
        )
    return (training_images,)
