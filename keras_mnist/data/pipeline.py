"""Arrays, a recipe and a seed become batches: order and augmentation are pure functions of (seed, epoch, index)."""

from __future__ import annotations

import math

import tensorflow as tf

from keras_mnist.data.augment import augment
from keras_mnist.data.digit_set import DigitSet
from keras_mnist.errors import UsageError
from keras_mnist.recipe import Augmentation
from keras_mnist.settings import checked
from keras_mnist.utils.arguments import require_kind

# Streams of random numbers drawn from a run's seed.
_ORDER, _AUGMENTATION = range(2)


def steps_per_epoch(images: int, batch_size: int, passes: int) -> int:
    """Batches in an epoch, the last and possibly smaller one included."""
    return math.ceil(images * passes / batch_size)


def training_batches(
    images,
    labels,
    *,
    batch_size: int,
    augmentation: Augmentation,
    seed: int,
    epochs: int,
    passes: int = 1,
    first_epoch: int = 0,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Batches of all epochs in one warm pipeline, from any step on.

    Args:
        images: (n, 28, 28, 1) uint8.
        labels: (n,) integers.
        epochs: epochs of the whole run.
        passes: times that an epoch shows each image.
        first_epoch, first_step: where to begin, both counted from 0.

    Returns: a data set of (images (batch, 28, 28, 1) float32 of 0..255, one-hot labels (batch, 10) float32).
    """
    epoch_batches = _epochs(
        images, labels, batch_size, augmentation, seed, passes, epochs, lambda label: tf.one_hot(label, 10)
    )

    def one_epoch(epoch):
        return epoch_batches(epoch, tf.where(epoch == first_epoch, tf.constant(first_step, tf.int64), 0))

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch).prefetch(4)


def batches(
    digits: DigitSet, augmentation: Augmentation | None = None, *, batch_size: int = 128, seed: int = 0
) -> tf.data.Dataset:
    """The training images that are not held out, as `fit` takes them: one pass is an epoch, in a new order each time.

    Args:
        augmentation: how they are distorted, anew in each pass; None for not at all.
        batch_size: images per step.

    Returns: a data set of (images (batch, 28, 28, 1) float32 of 0..255, labels (batch,) int32), as
        "sparse_categorical_crossentropy" expects them.

    Raises: UsageError if there is no such batch size or seed, or `augmentation` has `plain_epochs`.

    Example:
        digits = keras_mnist.load_data()
        model.fit(keras_mnist.batches(digits), validation_data=digits.held_out, epochs=15)
    """
    require_kind(digits, DigitSet, "digits", "what load_data gives")
    require_kind(augmentation, (Augmentation, type(None)), "augmentation", "Augmentation(...) or None")
    batch_size = checked("batch_size", batch_size, int, low=1, high=2**31 - 1)
    seed = checked("seed", seed, int, low=0, high=2**32 - 1)
    images, labels = digits.kept
    passes = digits.passes_per_epoch
    augmentation = augmentation or Augmentation()
    if augmentation.plain_epochs:
        raise UsageError(
            f"`plain_epochs` is {augmentation.plain_epochs}, expected 0: no pass knows whether it is the last"
        )
    one_epoch = _epochs(images, labels, batch_size, augmentation, seed, passes, 1, lambda label: label)
    with tf.device("CPU"):
        begun = tf.Variable(0, dtype=tf.int64, trainable=False)  # passes; Dataset.random has the whole process's seed
    epoch = tf.data.Dataset.from_tensors(0).map(lambda _: begun.assign_add(1) - 1)
    steps = steps_per_epoch(len(labels), batch_size, passes)
    ordered = epoch.flat_map(lambda number: one_epoch(number, tf.constant(0, tf.int64)))
    return ordered.apply(tf.data.experimental.assert_cardinality(steps)).prefetch(4)


def _epochs(images, labels, batch_size: int, augmentation: Augmentation, seed: int, passes: int, epochs: int, encode):
    """A function of (epoch, first step), int64 tensors, that gives the batches of the epoch from that step on."""
    images, labels = tf.constant(images), tf.constant(labels, tf.int32)
    count = len(labels) * passes
    steps = steps_per_epoch(len(labels), batch_size, passes)

    def one_epoch(epoch, first_step):
        order = epoch_order(len(labels), passes, seed, epoch)

        def batch(step):
            chosen = order[step * batch_size : tf.minimum((step + 1) * batch_size, count)]
            key = _key(seed, _AUGMENTATION, epoch, step)
            shown = _shown(tf.gather(images, chosen), key, augmentation, epochs - epoch)
            return tf.ensure_shape(shown, (None, 28, 28, 1)), encode(tf.gather(labels, chosen))

        return tf.data.Dataset.range(first_step, steps).map(batch, num_parallel_calls=2)

    return one_epoch


def _shown(images, key, augmentation: Augmentation, epochs_left):
    """The images distorted; as they are, in the last epochs of which that is asked."""

    def distorted():
        return augment(images, key, augmentation)

    if not augmentation.plain_epochs:
        return distorted()
    return tf.cond(epochs_left > augmentation.plain_epochs, distorted, lambda: tf.cast(images, tf.float32))


def epoch_order(images: int, passes: int, seed: int, epoch):
    """The order in which an epoch shows the images: (images * passes,), `passes` shuffles one after the other."""
    shuffles = [
        tf.random.experimental.stateless_shuffle(tf.range(images), _key(seed, _ORDER, epoch, number))
        for number in range(passes)
    ]
    return tf.concat(shuffles, axis=0)


def _key(seed: int, *numbers):
    """A seed of shape (2,) for random operations, different for each sequence of numbers."""
    key = tf.constant([seed, 0], tf.int64)
    for number in numbers:
        key = tf.random.experimental.stateless_fold_in(key, tf.cast(number, tf.int64))
    return key


def evaluation_batches(images, labels, batch_size: int = 1000) -> tf.data.Dataset:
    """All images in their order with one-hot labels, none dropped."""
    data = tf.data.Dataset.from_tensor_slices((tf.constant(images), tf.one_hot(labels, 10)))
    return data.batch(batch_size).map(lambda x, y: (tf.cast(x, tf.float32), y)).cache().prefetch(2)
