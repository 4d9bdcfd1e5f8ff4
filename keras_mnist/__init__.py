"""Very small MNIST networks in Keras: build, train, measure and export them."""

import importlib

# Loaded on first use: importing TensorFlow takes seconds, and `--help` needs none of it.
_HOMES = {
    "Recipe": "keras_mnist.recipe",
    "create_model": "keras_mnist.models.registry",
    "evaluate": "keras_mnist.results.evaluation",
    "export": "keras_mnist.results.export",
    "get_variant": "keras_mnist.models.registry",
    "list_variants": "keras_mnist.models.registry",
    "train": "keras_mnist.training.run",
}
__all__ = sorted(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'keras_mnist' has no attribute {name!r}")
    # An attribute of the module once found, so that the submodule of the same name cannot hide it.
    globals()[name] = found = getattr(importlib.import_module(_HOMES[name]), name)
    return found


def __dir__():
    return __all__
