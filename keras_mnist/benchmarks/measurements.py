"""How fast this package is, beside what a user would write: interleaved repeats in one run, medians and spread."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_mnist import optimizations
from keras_mnist.benchmarks.baselines import baseline, endless_batches, require_pytorch
from keras_mnist.benchmarks.formats import format_rows
from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.sources import load_data
from keras_mnist.errors import RunError, UsageError
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Augmentation
from keras_mnist.results import runtimes
from keras_mnist.results.export import export
from keras_mnist.results.folding import fold
from keras_mnist.training.device import choose_device, environment_of
from keras_mnist.utils.environment import source_commit

EPOCH_STEPS = 469  # 60,000 images in batches of 128
TARGETS = (0.99, 0.994)
FASTEST = (("swift", "fast"), ("tiny_8k", "fast"))  # the leaderboard by time: a variant and its recipe


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
        has_deviation = len(self.values) > 1 and all(map(math.isfinite, self.values))
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "mean": statistics.fmean(self.values),
            "deviation": statistics.stdev(self.values) if has_deviation else None,
            "min": min(self.values),
            "max": max(self.values),
            "values": self.values,
        }


def interleave(things: dict[str, Callable[[], float]], repeats: int, unit: str) -> list[Measurement]:
    """Measure each thing in turn, so that a machine that slows down slows all of them: A B C A B C ...

    A pause before each: what the one before has read ahead is then done.
    """
    values: dict[str, list[float]] = {name: [] for name in things}
    for measure in things.values():
        measure()  # what is compiled or cached at the first call
    for _ in range(repeats):
        for name, measure in things.items():
            time.sleep(1)
            values[name].append(measure())
    return [Measurement(name, unit, found) for name, found in values.items()]


def measure(
    part: str, data: tuple, steps: int, repeats: int, seeds: int, torch: bool
) -> tuple[dict, list[Measurement]]:
    """One part of the benchmark: (facts of the environment, measurements).

    Args:
        part: "training", "threads", "input", "inference", "start", "accuracy" or "formats".
        data: what load_data takes.
        steps, repeats: training steps per repeat, and repeats of each measurement.
        seeds: runs for the time to an accuracy.
        torch: whether PyTorch is measured too.

    Raises: UsageError if PyTorch is asked for and not installed.
    """
    digits = load_data(*data)
    measurements = {
        "training": lambda: epoch_seconds(data, steps, repeats, [0, 1, 2] if torch else []),
        "threads": lambda: threads_seconds(data, steps, repeats),
        "input": lambda: pipeline_seconds(digits, steps, repeats),
        "inference": lambda: inference_rates(repeats),
        "start": lambda: start_seconds(data, repeats),
        "accuracy": lambda: seconds_to_accuracy(data, seeds),
        "formats": lambda: [Measurement(*row) for row in format_rows(digits, repeats)],
    }[part]()
    device = choose_device("cpu")
    facts = {"dataset": digits.name, **environment_of(device, device.optimizations), "source_commit": source_commit()}
    return facts, measurements


def epoch_seconds(data: tuple, steps: int, repeats: int, torch_workers: list[int]) -> list[Measurement]:
    """Seconds per epoch of bn_gap's document recipe on 60,000 images: ours, ours without each optimization, the others.

    Args:
        data: what load_data takes.

    Raises: UsageError if PyTorch is asked for and not installed.
    """
    if torch_workers:
        require_pytorch("`baseline` torch")
    kinds = {"keras_mnist": ("ours", "")}
    in_training = [name for name in choose_device().optimizations if name != "imports"]
    kinds |= {f"without {name}": ("ours", name) for name in in_training}
    kinds |= {"without any of them": ("ours", ",".join(in_training)), "plain Keras, image by image": ("keras", "")}
    kinds |= {f"PyTorch recipe, {workers} workers": ("torch", str(workers)) for workers in torch_workers}
    kinds |= {"PyTorch, as an expert would write it": ("torch expert", "")} if torch_workers else {}
    return _trained(kinds, data, steps, repeats)


def threads_seconds(data: tuple, steps: int, repeats: int) -> list[Measurement]:
    """Seconds per epoch with the threads that training wants, and with those that TensorFlow begins with by itself."""
    kinds = {"one thread for each shard": ("ours", ""), "TensorFlow's own threads": ("ours in use", "")}
    return _trained(kinds, data, steps, repeats)


def _trained(kinds: dict[str, tuple[str, str]], data: tuple, steps: int, repeats: int) -> list[Measurement]:
    with contextlib.ExitStack() as stack:
        trainers = {name: stack.enter_context(baseline(*kind, data)) for name, kind in kinds.items()}
        things = {name: lambda train=train: train(steps) / steps * EPOCH_STEPS for name, train in trainers.items()}
        return interleave(things, repeats, "s/epoch")


def pipeline_seconds(digits: DigitSet, steps: int, repeats: int) -> list[Measurement]:
    """Milliseconds per batch that the input pipeline takes by itself."""
    kinds = {
        "rotation": Augmentation(rotation_degrees=7),
        "and affine": Augmentation(rotation_degrees=7, translate_pixels=1, scale=0.05, shear_degrees=3),
        "and elastic": get_variant("evo_skip").document.augmentation,
    }

    def alone(augmentation):
        batches = endless_batches(digits, augmentation)

        def run() -> float:
            started = time.perf_counter()
            for _ in range(steps):
                next(batches)
            return (time.perf_counter() - started) / steps * 1000

        return run

    return interleave({name: alone(kind) for name, kind in kinds.items()}, repeats, "ms/batch")


def start_seconds(data: tuple, repeats: int) -> list[Measurement]:
    """The real command: seconds to the end of its first step, and its peak memory."""
    names = {"to the first step": "", "to the first step without imports": "imports"}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    memory = []
    for _ in range(repeats):
        for name, without in names.items():
            with tempfile.TemporaryDirectory() as runs:
                command = _train_command(data, runs, "--variant", "bn_gap", "--epochs", "1")
                environment = os.environ | {optimizations.WITHOUT: without}
                subprocess.run(command, check=True, capture_output=True, env=environment)
                (record,) = (json.loads(path.read_text()) for path in Path(runs).rglob("run.json"))
            seconds[name].append(record["seconds_to_first_step"])
        memory.append(record["peak_memory_mb"])
    timed = [Measurement(name, "s", values) for name, values in seconds.items()]
    return [*timed, Measurement("peak memory of a run", "MB", memory)]


def _train_command(data: tuple, runs: str, *arguments: str) -> list[str]:
    dataset, data_dir, archives = data
    folders = ["--data-dir", data_dir] * bool(data_dir) + ["--mnist-archives", archives] * bool(archives)
    flags = ["--dataset", dataset, "--runs", runs, "--no-export"]
    return [sys.executable, "-u", "-m", "keras_mnist", "train", *map(str, [*flags, *folders, *arguments])]


def seconds_to_accuracy(data: tuple, seeds: int) -> list[Measurement]:
    """The real command for each entry: seconds from its start until it prints a test accuracy of so much.

    The test images are scored after each epoch and decide nothing: the recipe's length is fixed.
    """
    runs = {entry: [] for entry in FASTEST}
    for seed in range(seeds):
        for (variant, recipe), found in runs.items():
            found.append(_epochs_of(data, variant, recipe, seed))
    return [measurement for entry, found in runs.items() for measurement in _entry(" ".join(entry), found)]


def _epochs_of(data: tuple, variant: str, recipe: str, seed: int) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as runs:
        arguments = "--variant", variant, "--recipe", recipe, "--validation", "test", "--seed", str(seed)
        return _printed_accuracies(_train_command(data, runs, *arguments))


def _entry(name: str, runs: list[list[tuple[float, float]]]) -> list[Measurement]:
    """Its seconds to each accuracy, infinite where a run does not come to it, and its last accuracies."""

    def until(target: float) -> list[float]:
        return [next((seconds for seconds, accuracy in run if accuracy >= target), math.inf) for run in runs]

    times = [Measurement(f"{name} to {target:.1%}", "s", until(target)) for target in TARGETS]
    return [*times, Measurement(f"{name} after the last epoch", "%", [run[-1][1] * 100 for run in runs])]


def _printed_accuracies(command: list[str]) -> list[tuple[float, float]]:
    """(seconds since the command's start, accuracy on the images watched) of each epoch that it prints."""
    started, found = time.perf_counter(), []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout:
            if accuracy := re.search(r"val_accuracy (\S+)", line):
                found.append((time.perf_counter() - started, float(accuracy[1])))
    if process.returncode or not found:
        raise RunError(f"{' '.join(command)} ended with {process.returncode}; run it by itself to see why")
    return found


def inference_rates(repeats: int) -> list[Measurement]:
    """Images per second of bn_gap from the SavedModel, ONNX Runtime and LiteRT, at batch 1 and 1,000."""
    model = get_variant("bn_gap").build()
    folded = fold(model)
    with tempfile.TemporaryDirectory() as folder:
        predictors = {"SavedModel": _saved_model(model, Path(folder))}
        with contextlib.suppress(UsageError):  # of a package that is not installed
            predictors["ONNX Runtime"] = _onnx(model, Path(folder))
        with contextlib.suppress(ImportError), contextlib.redirect_stdout(io.StringIO()):
            predictors["LiteRT"] = _litert(folded)
        things = {}
        for batch, count in ((1, 200), (1000, 3)):
            images = np.random.default_rng(0).integers(0, 256, (batch, 28, 28, 1), np.uint8)
            for name, predict in predictors.items():
                things[f"{name}, batch {batch:,}"] = _rate(predict, images, count)
        return interleave(things, repeats, "img/s")


def _rate(predict, images, count: int) -> Callable[[], float]:
    def run() -> float:
        started = time.perf_counter()
        for _ in range(count):
            predict(images)
        return len(images) * count / (time.perf_counter() - started)

    return run


def _saved_model(model, folder: Path):
    export(model, folder / "saved_model")
    return runtimes.saved_model(folder / "saved_model")


def _onnx(model, folder: Path):
    export(model, folder / "model.onnx", format="onnx")
    return runtimes.onnx(folder / "model.onnx")


def _litert(model):
    from ai_edge_litert.interpreter import Interpreter

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    interpreter = Interpreter(model_content=converter.convert(), num_threads=os.cpu_count())
    image = interpreter.get_input_details()[0]["index"]
    output = interpreter.get_output_details()[0]["index"]

    def predict(images):
        if tuple(interpreter.get_input_details()[0]["shape"]) != images.shape:
            interpreter.resize_tensor_input(image, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(image, images.astype(np.float32))
        interpreter.invoke()
        return interpreter.get_tensor(output)

    interpreter.allocate_tensors()
    return predict
