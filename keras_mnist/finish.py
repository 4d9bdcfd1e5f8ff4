"""The end of a run: its scores, its record, and the files in its folder."""

from __future__ import annotations

import math
import statistics

import keras
import numpy as np
import tensorflow as tf

from keras_mnist.data.digit_set import CLASSES
from keras_mnist.data.pipeline import training_batches
from keras_mnist.errors import RunError
from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.models.outputs import compile_for_labels
from keras_mnist.results.evaluation import predict
from keras_mnist.results.run_folder import RunFolder
from keras_mnist.results.score import Score, score
from keras_mnist.training.loop import TrainingLoop
from keras_mnist.training.plan import WATCHED
from keras_mnist.utils.environment import peak_memory_mb, source_commit


def finish(loop: TrainingLoop, folder: RunFolder, model: keras.Model, environment: dict) -> dict:
    """Score the test set once and write every file: the record.

    Args:
        model: the variant's network with its first weights, in float32; it gets those that were trained.
        environment: what the run was computed with, for the record.
    """
    plan, digits = loop.plan, loop.plan.digits
    model.set_weights(loop.trainer.network.get_weights())
    compile_for_labels(model)  # so that whoever loads the file can call evaluate(images, labels) on it at once
    probabilities = _probabilities(model, digits.test_images)
    test = score(digits.name, probabilities, digits.test_labels)
    record = _record(loop, model, test, environment)
    title = f"{plan.variant.name} on {digits.name}, seed {plan.seed}: test accuracy {test.accuracy:.4f}"
    folder.keep(model, record, loop.history, test.misclassified, title, WATCHED[plan.validation])
    return record


def _probabilities(model: keras.Model, images) -> np.ndarray:
    """What the network predicts; NaN where it diverged until a callback stopped it."""
    try:
        return predict(model, images)
    except RunError:
        return np.full((len(images), CLASSES), np.nan, np.float32)


def _train_scores(loop: TrainingLoop, model: keras.Model) -> dict:
    """How the trained network predicts the images that it was trained on, for the gap to the test images."""
    plan, (images, labels) = loop.plan, loop.train_data
    train = score(plan.digits.name, _probabilities(model, images), labels)
    scores = {"train_accuracy": train.accuracy, "train_loss": _finite(train.loss)}
    if plan.variant.claim and plan.variant.claim.images == "train":  # the source augments what it measures on
        recipe = plan.recipe
        epoch = training_batches(
            images,
            labels,
            batch_size=1000,
            augmentation=recipe.augmentation,
            seed=plan.seed,
            epochs=recipe.epochs + 1,
            first_epoch=recipe.epochs,  # distortions that training has not shown
        )
        predicted = epoch.map(lambda x, y: (model(x, training=False), tf.argmax(y, axis=1)))  # in one graph
        batches = zip(*predicted.as_numpy_iterator(), strict=True)
        augmented = score(plan.digits.name, *map(np.concatenate, batches))
        scores["augmented_train_accuracy"] = augmented.accuracy
    return scores


def _finite(loss: float) -> float | None:
    """The loss, or None where JSON has no number for it."""
    return loss if math.isfinite(loss) else None


def _record(loop: TrainingLoop, model: keras.Model, test: Score, environment: dict) -> dict:
    plan, seconds = loop.plan, [row["seconds"] for row in loop.history]
    return {
        **plan.arguments(),
        "trainable_parameters": trainable_parameters(model),
        "total_parameters": model.count_params(),
        "epochs_run": len(loop.history),
        "stopped_by": loop.callbacks.stopped_by or "epochs",
        "train_images": plan.train_images,
        "validation_images": WATCHED[plan.validation],
        **_train_scores(loop, model),
        "test_images": test.images,
        "test_accuracy": test.accuracy,
        "test_loss": _finite(test.loss),
        "test_errors": test.errors,
        "seconds": sum(seconds),
        # Without the first epoch, in which graphs are built.
        "seconds_per_epoch": statistics.median(seconds[1:] or seconds),
        "seconds_to_first_step": loop.seconds_to_first_step,
        "peak_memory_mb": peak_memory_mb(),
        **environment,
        "source_commit": source_commit(),
    }
