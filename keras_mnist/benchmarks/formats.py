"""What each export format costs: size, accuracy, latency and memory, in a process that holds its runtime alone."""

from __future__ import annotations

import multiprocessing
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from keras_mnist.errors import UsageError
from keras_mnist.models import trained
from keras_mnist.results import runtimes
from keras_mnist.utils.environment import peak_memory_mb

if TYPE_CHECKING:
    from keras_mnist.data.digit_set import DigitSet

# Each format, and what reads it in keras_mnist/results/runtimes.py.
FORMATS = {
    "saved_model": "saved_model",
    "keras_folder": "keras_folder",
    "onnx": "onnx",
    "litert": "litert",
    "litert_int8": "litert",
    "c": "c",
    "c_int8": "c",
}
VARIANTS = ("bn_gap", "swift", "light_20k")
CALLS = 200  # whose mean is one measurement of the latency


def format_rows(digits: DigitSet, repeats: int) -> list[tuple[str, str, list[float]]]:
    """Measurements, each as (name, unit, values); a name is a variant, a format and a quantity.

    Raises: UsageError if none of the variants has trained weights.
    """
    found = [name for name in VARIANTS if name in trained.read_manifest(trained.FOLDER)]
    if not found:
        raise UsageError(f"formats are measured with trained weights, expected those of one of {', '.join(VARIANTS)}")
    return [row for variant in found for row in _variant_rows(variant, digits, repeats)]


def _variant_rows(variant: str, digits: DigitSet, repeats: int) -> list[tuple[str, str, list[float]]]:
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.export import export

    model = create_model(variant, weights="mnist")
    images = {"images": digits.test_images, "training_images": digits.train_images}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        tests = Path(folder) / "tests.npz"
        np.savez(tests, images=digits.test_images, labels=digits.test_labels)
        for format, runtime in FORMATS.items():
            path = Path(folder) / format
            comparison = export(model, path, format=format, **images)
            accuracy, seconds, memory = _alone(runtime, path, tests, repeats)
            rows += [
                (f"{variant} {format} size", "kB", [_size(path) / 1024]),
                (f"{variant} {format} accuracy", "%", [accuracy * 100]),
                (f"{variant} {format} difference", "1", [comparison.difference]),
                (f"{variant} {format} latency", "ms", [each * 1000 for each in seconds]),
            ]
            memory_row = ("kB", [_stated(path, "RAM") / 1024]) if runtime == "c" else ("MB", [memory])
            rows.append((f"{variant} {format} memory", *memory_row))
    return rows


def _size(path: Path) -> int:
    """Bytes that a device needs: the files of an export without what is written about it; of C, the weights."""
    if path.is_file():
        return path.stat().st_size
    if list(path.glob("*.c")):
        return _stated(path, "Flash")
    files = [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files if file.name not in ("README.md", "keras_mnist.json"))


def _stated(path: Path, what: str) -> int:
    """Bytes that the header of an export in C states."""
    (header,) = path.glob("*.h")
    return int(re.search(rf"{what}: +([\d,]+)", header.read_text())[1].replace(",", ""))


def _alone(runtime: str, path: Path, tests: Path, repeats: int) -> tuple[float, list[float], float]:
    """(accuracy, seconds for one image in each repeat, peak memory in MB) in a process of its own."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, runtime, path, tests, repeats))
    process.start()
    theirs.close()
    try:
        return ours.recv()
    finally:
        ours.close()
        process.join()


def _serve(pipe, runtime: str, path: Path, tests: Path, repeats: int) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    predict = getattr(runtimes, runtime)(path)
    one = np.zeros((1, 28, 28, 1), np.uint8)
    _seconds(predict, one)  # what is compiled or cached at the first call
    seconds = [_seconds(predict, one) for _ in range(repeats)]
    memory = peak_memory_mb()  # before the test images come
    with np.load(tests) as arrays:
        images, labels = arrays["images"], arrays["labels"]
    batches = [predict(images[start : start + 1000]) for start in range(0, len(images), 1000)]
    pipe.send((float(np.mean(np.concatenate(batches).argmax(axis=1) == labels)), seconds, memory))


def _seconds(predict, image: np.ndarray) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        predict(image)
    return (time.perf_counter() - started) / CALLS
