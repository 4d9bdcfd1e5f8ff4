"""Exports read back by what runs them elsewhere: each function gives one from raw uint8 images to probabilities.

Nothing is imported before it is needed, so that a process that reads one format holds nothing of the others.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from keras_mnist.errors import UsageError
from keras_mnist.utils.start import without_noise

Predict = Callable[[np.ndarray], np.ndarray]
# Packages that an extra of this one installs: their modules, and the extra.
EXTRAS = {"onnx": "onnx", "onnxruntime": "onnx", "ai_edge_litert.interpreter": "litert"}


def optional(module: str):
    """A module of a package that does not come with this one.

    Raises: UsageError that says how to install it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise UsageError(
            f'this `format` needs {package}, which is not installed; pip install "keras-mnist[{EXTRAS[module]}]"'
        ) from error


def saved_model(path: Path) -> Predict:
    """TensorFlow, without Keras."""
    import tensorflow as tf

    serve = tf.saved_model.load(path).signatures["serving_default"]
    return lambda images: serve(image=tf.constant(images))["probabilities"].numpy()


def keras_folder(path: Path) -> Predict:
    """Keras itself."""
    import keras

    model = keras.saving.load_model(path)
    return lambda images: np.asarray(model(images.astype(np.float32), training=False))


def onnx(path: Path) -> Predict:
    """ONNX Runtime."""
    session = optional("onnxruntime").InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["probabilities"], {"image": images})[0]


def litert(path: Path) -> Predict:
    """LiteRT, one image at a time."""
    module = optional("ai_edge_litert.interpreter")
    with without_noise():
        interpreter = module.Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
    (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
    scale, zero = output["quantization"] if output["dtype"] == np.uint8 else (1.0, 0)

    def predict(images):
        found = []
        for one in images:
            interpreter.set_tensor(image["index"], one[None])
            interpreter.invoke()
            found.append(interpreter.get_tensor(output["index"])[0])
        return (np.array(found, np.float32) - np.float32(zero)) * np.float32(scale)

    return predict


def c(path: Path) -> Predict:
    """The C compiler of this machine, one image at a time.

    Raises: UsageError if there is none.
    """
    (source,) = Path(path).glob("*.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "network.so"
        flags = ["-std=c99", "-O3", "-shared", "-fPIC"]
        command = [c_compiler(), *flags, str(source), "-o", str(library), "-lm"]
        # The compiler's own passing files go with the folder, also where a signal ends both.
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TMPDIR": folder})
        if done.returncode:
            raise UsageError(
                f"{' '.join(command)} failed: {done.stderr.strip()[:200]}; choose another compiler with $CC"
            )
        function = getattr(ctypes.CDLL(str(library)), f"{source.stem}_predict")
    classes = int(re.search(r"_CLASSES (\d+)", source.with_suffix(".h").read_text())[1])
    function.argtypes, function.restype = [ctypes.c_void_p, ctypes.c_void_p], ctypes.c_int

    def predict(images):
        images = np.ascontiguousarray(images, np.uint8)
        found = np.empty((len(images), classes), np.float32)
        for one, row in zip(images, found, strict=True):
            function(one.ctypes.data, row.ctypes.data)
        return found

    return predict


def c_compiler() -> str:
    """$CC, or the compiler of the system.

    Raises: UsageError if there is none.
    """
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return name
    raise UsageError("C code is compared by running it, expected a C compiler as cc or gcc; install one, or set $CC")
