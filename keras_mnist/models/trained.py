"""Trained weights that come with the package: one file for each variant, and a manifest of their runs."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
import warnings
from typing import TYPE_CHECKING

from keras_mnist.errors import RunError, UsageError, first_line
from keras_mnist.utils.arguments import require_kind

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import keras

    from keras_mnist.models.registry import Variant

DATASET = "mnist"
MANIFEST = "manifest.json"
FOLDER = importlib.resources.files("keras_mnist.models") / "weights"


def file_name(variant: str) -> str:
    """The file of a variant's weights."""
    return f"{variant}.weights.h5"


def read_manifest(folder: Traversable) -> dict[str, dict]:
    """What is known of each variant's weights; nothing where none were written yet.

    Raises: RunError if it is damaged.
    """
    manifest = folder / MANIFEST
    try:
        found = json.loads(manifest.read_text())
        require_kind(found, dict, MANIFEST, "an object of JSON")
        for name, known in found.items():
            require_kind(known, dict, name, "an object of JSON")
            require_kind(known.get("sha256"), str, f"sha256 of {name}", "the checksum of its file")
            require_kind(known.get("total_parameters"), int, f"total_parameters of {name}", "a whole number")
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise RunError(f"{manifest} is damaged ({str(error).replace('`', '')}); install keras-mnist again") from error
    return found


def facts(variant: str) -> dict:
    """What the manifest says of a variant's weights: the run that they are of, its accuracy, the file's checksum.

    Raises: UsageError if it has none.
    """
    manifest = read_manifest(FOLDER)
    if variant not in manifest:
        raise UsageError(
            f"{variant} comes without trained weights, expected one of {', '.join(sorted(manifest)) or 'none so far'}; "
            "train it instead"
        )
    return manifest[variant]


def teaching(teacher: str | None, dataset: str) -> str | None:
    """A teacher, where it knows the digits; None for others than it was trained on, which it knows too little of."""
    return teacher if dataset == DATASET else None


def load(model: keras.Model, variant: Variant) -> None:
    """Give a model, as the variant builds it, the variant's trained weights.

    Layers of another shape than the trained ones, as those that give another number of classes, keep their first
    weights, and a warning names them.

    Raises:
        UsageError: the variant has none.
        RunError: its file is missing, damaged, or of another network.
    """
    trained = _trained(variant)
    anew = [layer.name for layer, source in zip(model.layers, trained.layers, strict=True) if not _take(layer, source)]
    if anew:
        classes, trained_classes = model.output_shape[-1], trained.output_shape[-1]
        warnings.warn(
            f"the trained weights of {variant.name} are for {trained_classes} classes: for {classes}, "
            f"{' and '.join(anew)} must be trained anew",
            stacklevel=3,
        )


def _trained(variant: Variant) -> keras.Model:
    """The variant for ten classes, with its trained weights."""
    known, file = facts(variant.name), FOLDER / file_name(variant.name)
    _require_undamaged(file, known["sha256"])
    model = variant.build()
    # Keras itself loads a file that holds more than the network needs, such as that of a deeper one, without a word.
    if model.count_params() != known["total_parameters"]:
        found = f"{known['total_parameters']:,} parameters instead of {model.count_params():,}"
        raise RunError(_misfit(file, variant.name, found))
    with importlib.resources.as_file(file) as path:
        try:
            model.load_weights(path)
        except Exception as error:  # Keras and h5py raise many kinds
            raise RunError(_misfit(file, variant.name, first_line(error))) from error
    return model


def _require_undamaged(file: Traversable, sha256: str) -> None:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise RunError(f"cannot read {file} ({error.strerror}); install keras-mnist again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise RunError(f"{file} is damaged or of another variant, expected sha256 {sha256}; install keras-mnist again")


def _misfit(file: Traversable, variant: str, why: str) -> str:
    return f"{file} is of another network than {variant} ({why}); write it anew with keras-mnist weights"


def _take(layer: keras.Layer, source: keras.Layer) -> bool:
    """Copy a layer's weights if their shapes agree: whether they do."""
    if [weight.shape for weight in layer.weights] != [weight.shape for weight in source.weights]:
        return False
    layer.set_weights(source.get_weights())
    return True
