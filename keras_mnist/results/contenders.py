"""Who is measured against whom: trainers of one network, each in a process of its own with the threads it wants."""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# TensorFlow and PyTorch are imported by the process that needs them.
BATCH = 128
NETWORK = "bn_gap"


@contextlib.contextmanager
def contender(kind: str, option: str, data: tuple[str, Path | None, Path | None]) -> Iterator[Callable[[int], float]]:
    """A process that trains when asked: yields a function from a number of steps to the seconds they took.

    Args:
        kind: "ours" (option: the tricks to leave out), "keras", "torch" (option: workers) or "torch expert".
        data: what sources.load takes.

    Raises: EOFError if the process ends.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, kind, option, data))
    process.start()
    theirs.close()

    def train(steps: int) -> float:
        ours.send(steps)
        return ours.recv()

    try:
        yield train
    finally:
        ours.close()
        process.join()


def _serve(pipe, kind: str, option: str, data) -> None:
    from keras_mnist import cli, tricks

    if kind == "ours":
        os.environ[tricks.WITHOUT] = option
    cli.import_tensorflow()

    from keras_mnist.data.sources import load

    kinds = {"ours": _ours, "keras": _plain_keras, "torch": _torch, "torch expert": _torch_expert}
    train = kinds[kind](load(*data), option)
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(train(pipe.recv()))


def _ours(digits, _) -> Callable[[int], float]:
    """This package's training loop on the document's recipe."""
    import tensorflow as tf

    from keras_mnist.data.pipeline import steps_per_epoch
    from keras_mnist.models.registry import get_variant
    from keras_mnist.training import runtime
    from keras_mnist.training.steps import Stepper

    device = runtime.choose_device()
    runtime.prepare(device)
    variant = get_variant(NETWORK)
    with runtime.number_format(device.number_format):
        network = variant.build(classifier_activation=None)
    steps_an_epoch = steps_per_epoch(len(digits.train_labels), BATCH, 1)
    stepper = Stepper(network, variant.document, steps_an_epoch, device.compile_steps, device.tricks)
    batches = endless_batches(digits, variant.document.augmentation)
    at_once = runtime.STEPS_AT_ONCE if "loop" in device.tricks else 1

    def train(steps: int) -> float:
        started = time.perf_counter()
        done = 0
        while done < steps:
            count = min(at_once, steps - done)
            float(stepper.train_steps(batches, tf.constant(count))[1])
            done += count
        return time.perf_counter() - started

    return train


def endless_batches(digits, augmentation):
    """This package's training batches."""
    from keras_mnist.data.pipeline import training_batches

    images, labels = digits.train_images, digits.train_labels
    return iter(training_batches(images, labels, batch_size=BATCH, augmentation=augmentation, seed=0, epochs=10_000))


def _plain_keras(digits, _) -> Callable[[int], float]:
    """What a Keras user would write: compile, fit, and a map over single images.

    Measured through the function that fit calls for each step, so that filling the shuffle buffer does not count.
    """
    import keras
    import tensorflow as tf

    from keras_mnist.models.registry import get_variant

    model = get_variant(NETWORK).build()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rotate = keras.layers.RandomRotation(7 / 360, fill_mode="constant", interpolation="bilinear")

    def augment(image, label):
        return rotate(tf.cast(image, tf.float32), training=True), label

    data = tf.data.Dataset.from_tensor_slices((digits.train_images, digits.train_labels)).shuffle(60_000)
    data = iter(data.map(augment, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE).repeat())

    model.make_train_function()

    def train(steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            model.train_function(data)
        return time.perf_counter() - started

    return train


def _torch(digits, workers: str) -> Callable[[int], float]:
    """The document's own recipe, with the allocator's setting that makes it a fifth faster."""
    from keras_mnist.results.torch_peer import document_trainer

    _keep_freed_memory()
    return document_trainer(digits.train_images, digits.train_labels, int(workers)).train


def _torch_expert(digits, _) -> Callable[[int], float]:
    """The same recipe, written for speed."""
    from keras_mnist.results.torch_peer import expert_trainer

    _keep_freed_memory()
    return expert_trainer(digits.train_images, digits.train_labels).train


def _keep_freed_memory() -> None:
    """Let glibc keep what one step frees for the next: asking the system again takes a tenth of a step."""
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError, TypeError):  # no glibc
        allocator = ctypes.CDLL(None)
        allocator.mallopt(trim_threshold, 256 << 20)
        allocator.mallopt(mmap_threshold, 32 << 20)
