"""Arrays, a recipe and a seed become batches: order and augmentation are pure functions of (seed, epoch, index)."""

from __future__ import annotations

import math

import tensorflow as tf

from keras_mnist.data.augment import augment
from keras_mnist.recipe import Augmentation

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
    images, labels = tf.constant(images), tf.constant(labels, tf.int32)
    count = len(labels) * passes
    steps = steps_per_epoch(len(labels), batch_size, passes)

    def one_epoch(epoch):
        order = epoch_order(len(labels), passes, seed, epoch)
        start = tf.where(epoch == first_epoch, tf.constant(first_step, tf.int64), 0)

        def batch(step):
            chosen = order[step * batch_size : tf.minimum((step + 1) * batch_size, count)]
            key = _key(seed, _AUGMENTATION, epoch, step)
            return (
                tf.ensure_shape(augment(tf.gather(images, chosen), key, augmentation), (None, 28, 28, 1)),
                tf.one_hot(tf.gather(labels, chosen), 10),
            )

        return tf.data.Dataset.range(start, steps).map(batch, num_parallel_calls=2)

    return tf.data.Dataset.range(first_epoch, epochs).flat_map(one_epoch).prefetch(4)


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
