"""Modules that load on first use, so that `--help`, `--list` and a mistyped name answer at once."""

import importlib
import os
import sys

from keras_mnist.errors import UsageError


class LazyModule:
    """Stands for a module and imports it when one of its names is first asked for."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str):
        return getattr(importlib.import_module(self._name), attribute)


# TensorFlow takes about four seconds to import.
keras = LazyModule("keras")
tf = LazyModule("tensorflow")

# What the networks, their kernels and their files count on; Keras reads it from KERAS_BACKEND and keras.json.
NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}


def require_keras_settings() -> None:
    """Find out that Keras is set up for other work, before anything is built with it.

    Raises: UsageError that names the setting.
    """
    # Before Keras is imported: it would look for a package that may not be here.
    backend = os.environ.get("KERAS_BACKEND")
    if "keras" not in sys.modules and backend not in (None, "", NEEDED["backend"]):
        raise UsageError(
            f"KERAS_BACKEND is {backend!r}, expected 'tensorflow', the one backend of this package; unset it"
        )
    for name, needed in NEEDED.items():
        if (found := getattr(keras.config, name)()) != needed:
            raise UsageError(
                f"Keras's {name} is {found!r}, expected {needed!r}; change it in keras.json "
                "(in ~/.keras or $KERAS_HOME), or where your program sets it"
            )
