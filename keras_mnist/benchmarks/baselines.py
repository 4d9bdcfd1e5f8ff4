"""Trainers of one network to measure beside each other, each in a process of its own with the threads it wants."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from keras_mnist.errors import UsageError

# TensorFlow and PyTorch are imported by the process that needs them.
BATCH = 128
NETWORK = "bn_gap"


def require_pytorch(use: str) -> None:
    """Raise UsageError that names what PyTorch is needed for, if it is not installed."""
    if importlib.util.find_spec("torch") is None:
        raise UsageError(f'{use} needs PyTorch; pip install "keras-mnist[bench]"')


@contextlib.contextmanager
def baseline(kind: str, option: str, data: tuple[str, Path | None, Path | None]) -> Iterator[Callable[[int], float]]:
    """A process that trains when asked: yields a function from a number of steps to the seconds they took.

    Args:
        kind: "ours" (option: the optimizations to leave out), "ours in use", "keras", "torch" (option: workers) or
            "torch expert".
        data: what load_data takes.

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
    from keras_mnist import optimizations
    from keras_mnist.utils.start import import_tensorflow

    if kind == "ours":
        os.environ[optimizations.WITHOUT] = option
    import_tensorflow()

    from keras_mnist.data.sources import load_data

    kinds = {
        "ours": _ours,
        "ours in use": _ours_in_use,
        "keras": _plain_keras,
        "torch": _torch,
        "torch expert": _torch_expert,
    }
    train = kinds[kind](load_data(*data), option)
    with contextlib.suppress(EOFError):
        while True:
            pipe.send(train(pipe.recv()))


def _ours(digits, _) -> Callable[[int], float]:
    """This package's training loop on the document's recipe."""
    import tensorflow as tf

    from keras_mnist.data.pipeline import steps_per_epoch
    from keras_mnist.models.registry import get_variant
    from keras_mnist.training.device import choose_device, set_threads
    from keras_mnist.training.loop import STEPS_PER_EXECUTION
    from keras_mnist.training.trainer import Trainer

    device = choose_device()
    if "shards" in device.optimizations:
        set_threads()
    variant = get_variant(NETWORK)
    steps_in_epoch = steps_per_epoch(len(digits.train_labels), BATCH, 1)
    trainer = Trainer(variant.build(), variant.document, steps_in_epoch, device.jit_compile, device.optimizations)
    batches = endless_batches(digits, variant.document.augmentation)
    at_once = STEPS_PER_EXECUTION if "steps_per_execution" in device.optimizations else 1

    def train(steps: int) -> float:
        started = time.perf_counter()
        done = 0
        while done < steps:
            count = min(at_once, steps - done)
            float(trainer.train_steps(batches, tf.constant(count))[1])
            done += count
        return time.perf_counter() - started

    return train


def _ours_in_use(digits, option) -> Callable[[int], float]:
    """The same where TensorFlow has computed before, and keeps the threads that it began with."""
    import tensorflow as tf

    tf.zeros(1) + 1
    return _ours(digits, option)


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
    from keras_mnist.benchmarks.torch_baseline import document_trainer

    _keep_freed_memory()
    return document_trainer(digits.train_images, digits.train_labels, int(workers)).train


def _torch_expert(digits, _) -> Callable[[int], float]:
    """The same recipe, written for speed."""
    from keras_mnist.benchmarks.torch_baseline import expert_trainer

    _keep_freed_memory()
    return expert_trainer(digits.train_images, digits.train_labels).train


def _keep_freed_memory() -> None:
    """Let glibc keep what one step frees for the next: asking the system again takes a tenth of a step."""
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
    with contextlib.suppress(OSError, AttributeError, TypeError):  # no glibc
        allocator = ctypes.CDLL(None)
        allocator.mallopt(trim_threshold, 256 << 20)
        allocator.mallopt(mmap_threshold, 32 << 20)
