"""How fast this package is, beside what a user would write: interleaved repeats in one run, medians and spread."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_mnist.data.pipeline import training_batches
from keras_mnist.data.sources import DigitSet
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Augmentation
from keras_mnist.results.export import export
from keras_mnist.training.steps import Stepper

BATCH = 128


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Repeated measurements of one thing."""

    name: str
    unit: str
    values: list[float]

    @property
    def median(self) -> float:
        """The value to quote."""
        return statistics.median(self.values)

    def row(self) -> dict:
        """Plain values."""
        return {"name": self.name, "unit": self.unit, "median": self.median, "min": min(self.values)} | {
            "max": max(self.values),
            "values": self.values,
        }


def interleave(things: dict[str, Callable[[], float]], repeats: int, unit: str) -> list[Measurement]:
    """Measure each thing in turn, so that a machine that slows down slows all of them: A B C A B C ..."""
    values: dict[str, list[float]] = {name: [] for name in things}
    for measure in things.values():
        measure()
    for _ in range(repeats):
        for name, measure in things.items():
            values[name].append(measure())
    return [Measurement(name, unit, found) for name, found in values.items()]


def epoch_seconds(digits: DigitSet, steps: int, repeats: int, torch_workers: list[int]) -> list[Measurement]:
    """Seconds an epoch of bn_gap's document recipe on 60,000 images: ours, plain Keras, PyTorch."""
    scale = math.ceil(len(digits.train_labels) / BATCH) / steps
    things = {
        "keras_mnist": _ours(digits, use_lanes=True),
        "keras_mnist, plain layers": _ours(digits, use_lanes=False),
        "plain Keras, image by image": _plain_keras(digits),
    }
    for workers in torch_workers:
        things[f"PyTorch recipe, {workers} workers"] = _torch(digits, workers)
    return interleave({name: lambda run=run: run(steps) * scale for name, run in things.items()}, repeats, "s/epoch")


def _batches(digits: DigitSet, augmentation: Augmentation):
    """This package's training batches, without an end."""
    images, labels = digits.train_images, digits.train_labels
    return iter(training_batches(images, labels, batch_size=BATCH, augmentation=augmentation, seed=0, epochs=10_000))


def _ours(digits: DigitSet, use_lanes: bool) -> Callable[[int], float]:
    variant = get_variant("bn_gap")
    recipe = variant.document
    stepper = Stepper(variant.build(classifier_activation=None), recipe, 469, use_lanes=use_lanes)
    batches = _batches(digits, recipe.augmentation)

    def run(steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            float(stepper.train_step(*next(batches)))
        return time.perf_counter() - started

    return run


def _plain_keras(digits: DigitSet) -> Callable[[int], float]:
    """What a Keras user would write: compile, fit, and a map over single images.

    Measured through the function that fit calls for each step, so that filling the shuffle buffer does not count.
    """
    model = get_variant("bn_gap").build()
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    rotate = keras.layers.RandomRotation(7 / 360, fill_mode="constant", interpolation="bilinear")

    def augment(image, label):
        return rotate(tf.cast(image, tf.float32), training=True), label

    data = tf.data.Dataset.from_tensor_slices((digits.train_images, digits.train_labels)).shuffle(60_000)
    data = iter(data.map(augment, tf.data.AUTOTUNE).batch(BATCH).prefetch(tf.data.AUTOTUNE).repeat())

    model.make_train_function()

    def run(steps: int) -> float:
        started = time.perf_counter()
        for _ in range(steps):
            model.train_function(data)
        return time.perf_counter() - started

    return run


def _torch(digits: DigitSet, workers: int) -> Callable[[int], float]:
    try:
        from keras_mnist.results.torch_peer import TorchTrainer
    except ImportError as error:
        raise UsageError(f'--peer torch needs PyTorch ({error}); pip install -e ".[bench]"') from error
    return TorchTrainer(digits.train_images, digits.train_labels, workers).train


def pipeline_seconds(digits: DigitSet, steps: int, repeats: int) -> list[Measurement]:
    """Milliseconds a batch that the input pipeline takes by itself."""
    kinds = {
        "rotation": Augmentation(rotation_degrees=7),
        "and affine": Augmentation(rotation_degrees=7, translate_pixels=1, scale=0.05, shear_degrees=3),
        "and elastic": get_variant("evo_skip").document.augmentation,
    }

    def alone(augmentation):
        batches = _batches(digits, augmentation)

        def run() -> float:
            started = time.perf_counter()
            for _ in range(steps):
                next(batches)
            return (time.perf_counter() - started) / steps * 1000

        return run

    return interleave({name: alone(kind) for name, kind in kinds.items()}, repeats, "ms/batch")


def start_seconds(data_dir: Path | None, repeats: int) -> list[Measurement]:
    """The real command on prepared MNIST: seconds to the end of its first step, and its peak memory."""
    values: dict[str, list[float]] = {"first step after": [], "peak memory": []}
    script = Path(__file__).resolve().parents[2] / "scripts" / "train.py"
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as runs:
            command = [
                sys.executable,
                script,
                "--variant",
                "bn_gap",
                "--dataset",
                "mnist",
                "--epochs",
                "1",
                "--no-export",
            ]
            environment = os.environ | ({"TFDS_DATA_DIR": str(data_dir)} if data_dir else {})
            subprocess.run([*command, "--no-export", "--runs", runs], check=True, capture_output=True, env=environment)
            record = json.loads((Path(runs) / "mnist" / "bn_gap" / "seed0" / "run.json").read_text())
        values["first step after"].append(record["seconds_to_first_step"])
        values["peak memory"].append(record["peak_memory_mb"])
    return [
        Measurement("command's start to first step", "s", values["first step after"]),
        Measurement("peak memory of a run", "MB", values["peak memory"]),
    ]


def inference_rates(repeats: int) -> list[Measurement]:
    """Images a second of bn_gap from the SavedModel, ONNX Runtime and LiteRT, at batch 1 and 1,000."""
    model = get_variant("bn_gap").build()
    with tempfile.TemporaryDirectory() as folder:
        readers = {"SavedModel": _saved_model(model, Path(folder))}
        for name, make in (("ONNX Runtime", _onnx), ("LiteRT", _litert)):
            with contextlib.suppress(ImportError), contextlib.redirect_stdout(io.StringIO()):
                readers[name] = make(model, Path(folder))
        things = {}
        for batch, count in ((1, 200), (1000, 3)):
            images = np.random.default_rng(0).integers(0, 256, (batch, 28, 28, 1), np.uint8)
            for name, reader in readers.items():
                things[f"{name}, batch {batch:,}"] = _rate(reader, images, count)
        return interleave(things, repeats, "img/s")


def _rate(read, images, count: int) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        for _ in range(count):
            read(images)
        return len(images) * count / (time.perf_counter() - started)

    return run


def _saved_model(model, folder: Path):
    export(model, folder / "saved_model")
    serve = tf.saved_model.load(folder / "saved_model").signatures["serving_default"]
    return lambda images: serve(image=tf.constant(images))["probabilities"].numpy()


def _onnx(model, folder: Path):
    import onnxruntime

    path = folder / "model.onnx"
    model.export(path, format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images.astype(np.float32)})[0]


def _litert(model, folder: Path):
    from ai_edge_litert.interpreter import Interpreter

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    interpreter = Interpreter(model_content=converter.convert(), num_threads=os.cpu_count())
    place = interpreter.get_input_details()[0]["index"]
    output = interpreter.get_output_details()[0]["index"]

    def read(images):
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(place, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(place, images.astype(np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(output)

    interpreter.allocate_tensors()
    return read
