"""Very small MNIST networks in Keras: build, train, measure and export them."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors and type checkers, which run nothing
    from keras_mnist import callbacks as callbacks
    from keras_mnist import errors as errors
    from keras_mnist import models as models
    from keras_mnist.data.pipeline import batches as batches
    from keras_mnist.data.preprocess import preprocess as preprocess
    from keras_mnist.data.sources import load_data as load_data
    from keras_mnist.models.loading import load_model as load_model
    from keras_mnist.models.registry import create_model as create_model
    from keras_mnist.models.registry import get_variant as get_variant
    from keras_mnist.models.registry import list_variants as list_variants
    from keras_mnist.recipe import Augmentation as Augmentation
    from keras_mnist.recipe import Recipe as Recipe
    from keras_mnist.recipe import Schedule as Schedule
    from keras_mnist.recipe import Target as Target
    from keras_mnist.results.evaluation import evaluate as evaluate
    from keras_mnist.results.export import export as export
    from keras_mnist.run import train as train

# Loaded on first use: importing TensorFlow takes seconds, and `--help` needs none of it.
_HOMES = {
    "Augmentation": "keras_mnist.recipe",
    "Recipe": "keras_mnist.recipe",
    "Schedule": "keras_mnist.recipe",
    "Target": "keras_mnist.recipe",
    "batches": "keras_mnist.data.pipeline",
    "create_model": "keras_mnist.models.registry",
    "evaluate": "keras_mnist.results.evaluation",
    "export": "keras_mnist.results.export",
    "get_variant": "keras_mnist.models.registry",
    "list_variants": "keras_mnist.models.registry",
    "load_data": "keras_mnist.data.sources",
    "load_model": "keras_mnist.models.loading",
    "preprocess": "keras_mnist.data.preprocess",
    "train": "keras_mnist.run",
}
_MODULES = {
    "callbacks": "keras_mnist.callbacks",
    "errors": "keras_mnist.errors",
    "models": "keras_mnist.models",
}
__all__ = sorted(_HOMES | _MODULES)


def __getattr__(name: str):
    if name in _MODULES:
        found = importlib.import_module(_MODULES[name])
    elif name in _HOMES:
        found = getattr(importlib.import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'keras_mnist' has no attribute {name!r}")
    # An attribute of the module once found, so that a submodule of the same name cannot hide it.
    globals()[name] = found
    return found


def __dir__():
    return __all__
