"""The formats of exports by name: each is one function in a file of this folder, or of your own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

from keras_mnist.utils.registry import Registry


class Format(NamedTuple):
    """A registered function, and what the decorator says of it."""

    write: Callable
    suffix: str
    calibrated: bool
    least_agreement: float | None
    library: str

    @property
    def name(self) -> str:
        """The function's."""
        return self.write.__name__

    def file_name(self, model: str) -> str:
        """What an export of a model is called by itself: SavedModels have the model's name, as those of runs."""
        named = self.suffix or self.name == "saved_model"
        return model + self.suffix if named else f"{model}_{self.name}"


FORMATS = Registry("export format")


def export_format(
    suffix: str = "", *, calibrated: bool = False, least_agreement: float | None = None, library: str = "tensorflow"
):
    """Register the decorated function as a format under its own name.

    It is called with (model, gives_logits, path), writes the model to the path, which does not exist or is an empty
    folder, and returns a function from raw uint8 images to probabilities that uses what it has written.

    Args:
        suffix: ending of the file that it writes, such as ".tflite"; "" for a folder.
        calibrated: it is called with raw training images as a fourth argument, to learn what values occur.
        least_agreement: the share of the images whose digit it must predict as the original does, for a format that
            rounds what it computes; None: its probabilities are the original's up to float32's rounding.
        library: what the model card says that it is for.
    """

    def register(function):
        FORMATS[function.__name__] = Format(function, suffix, calibrated, least_agreement, library)
        return function

    return register


def get_format(name: str) -> Format:
    """The format called `name`, in which a hyphen stands for an underscore.

    Raises: UsageError, with close matches, if there is none.
    """
    _find()
    return FORMATS[name.replace("-", "_") if isinstance(name, str) else name]


def format_names() -> list[str]:
    """All formats, as the documents call them: a hyphen stands for an underscore, but in `saved_model`."""
    _find()
    return sorted(name if name == "saved_model" else name.replace("_", "-") for name in FORMATS)


def _find() -> None:
    """Import the files of this folder, so that what they define is registered."""
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        importlib.import_module(f"{package}.{module.name}")
