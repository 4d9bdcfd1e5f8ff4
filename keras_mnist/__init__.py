"""Very small MNIST networks in Keras: build, train, measure and export them."""

import importlib

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
