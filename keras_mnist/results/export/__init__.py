"""A trained network for use without this package, compared with the original before it counts."""

from __future__ import annotations

import errno
import fnmatch
import hashlib
import json
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_mnist.errors import RunError, UsageError
from keras_mnist.results.evaluation import are_probabilities, as_probabilities, raw_outputs
from keras_mnist.results.export.formats import get_format
from keras_mnist.results.folding import fold
from keras_mnist.utils.files import whole_file, whole_folder
from keras_mnist.utils.screen import shown

TOLERANCE = 1e-5  # of a probability: what rounding does to most networks is smaller

# What an export tells of the run it comes from.
KEPT_FACTS = ("variant", "dataset", "seed", "test_accuracy", "test_images", "source_commit")
FACTS, GRAPH = "keras_mnist.json", "saved_model.pb"
# All files of an export: a folder with any other is not ours to replace.
PARTS = (FACTS, GRAPH, "fingerprint.pb", "variables/variables.index", "variables/variables.data-*")
REMEDY = "choose another `output`, or pass `overwrite` to replace it"


def facts_beside(model_file: Path) -> dict | None:
    """What the run.json beside a model file says of it, if there is one: which run it is of, and its checksum.

    Raises: UsageError if it is damaged.
    """
    record = model_file.with_name("run.json")
    if not record.exists():
        return None
    facts = _read_facts(record)
    if facts is None:
        raise UsageError(
            f"{record} is no record of a run, expected the one that goes with the model; move it elsewhere"
        )
    checksum = hashlib.sha256(model_file.read_bytes()).hexdigest()
    return {**{name: facts.get(name) for name in KEPT_FACTS}, "run": str(record.parent), "model_sha256": checksum}


def exported_facts(folder: Path) -> dict | None:
    """What an export in a folder tells of itself; None if there is no export of ours, or nothing that can be read."""
    return _read_facts(folder / FACTS) if (folder / GRAPH).is_file() else None


def _read_facts(path: Path) -> dict | None:
    try:
        facts = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def export(
    model: keras.Model,
    output: Path | str,
    *,
    format: str = "saved_model",
    images: np.ndarray | None = None,
    facts: dict | None = None,
    overwrite: bool = False,
) -> float:
    """Write a model with batch norm folded into its convolutions, load it again and compare it with the original.

    What is written appears whole or not at all. A folder takes the place of an older export of the same data set, of
    nothing else.

    SavedModel, signature serving_default: `image` uint8 (None, 28, 28, 1) -> `probabilities` float32 (None, 10),
    `digit` int64 (None,). Other shapes are an error that names them; no image gives empty results.

    Args:
        model: gives probabilities or logits, see `evaluate`; of logits the softmax is exported.
        output: the folder or file to write.
        format: "saved_model", or another name in results/export/.
        images: raw images (n, 28, 28, 1) to compare on; None for random ones.
        facts: what is known of the model, kept in a folder's keras_mnist.json.
        overwrite: replace whatever is there.

    Returns: the largest difference of a probability.
    Raises:
        UsageError: what is there is not ours to replace or cannot be written, or the model does not take digits.
        RunError: the exported model differs by more than rounding, or cannot be written.

    Example:
        keras_mnist.export(keras_mnist.train("bn_gap").model, "saved_models/bn_gap")
    """
    write, suffix = get_format(format)
    path, facts = Path(os.path.abspath(output)), facts or {"variant": model.name}
    _require_free(path, facts, overwrite, suffix)
    if images is None:
        images = np.random.default_rng(0).integers(0, 256, (256, 28, 28, 1), np.uint8)
    outputs = raw_outputs(model, images)
    gives_logits, expected = not are_probabilities(outputs), as_probabilities(outputs)
    with (whole_file if suffix else whole_folder)(path) as draft:
        try:
            predict_exported = write(fold(model), gives_logits, draft)
            difference = _compare(model, predict_exported(images), expected, images)
        except tf.errors.OpError as error:
            reason = error.message.rpartition(";")[2].partition("[Op:")[0].strip()  # after what it was doing
            raise RunError(f"cannot write {path} ({reason}); make room there, or choose another `output`") from error
        if not suffix:
            (draft / FACTS).write_text(json.dumps(facts, indent=2) + "\n")
        _require_free(path, facts, overwrite, suffix)  # whatever came there meanwhile
    return difference


def require_replaceable(folder: Path, overwrite: bool = False, suffix: str = "", remedy: str = REMEDY) -> None:
    """Raise UsageError unless an export can be written there without the loss of anything but an older export."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(folder.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder.parent))
        if folder.exists() and not folder.is_dir() and not suffix:
            raise UsageError(f"{shown(folder)} is a file, expected a folder; choose another `output`")
        if suffix and folder.is_dir():
            raise UsageError(f"{shown(folder)} is a folder, expected a file name; choose another `output`")
        if suffix and folder.exists() and not overwrite:
            raise UsageError(f"{shown(folder)} is there already; {remedy}")
        files = [] if overwrite or suffix or not folder.exists() else _files(folder)
    except OSError as error:
        raise UsageError(
            f"cannot write to {error.filename or shown(folder)} ({error.strerror}); choose another `output`"
        ) from error
    foreign = [file for file in files if not any(fnmatch.fnmatchcase(file, part) for part in PARTS)]
    if foreign or (files and not {FACTS, GRAPH} <= set(files)):
        raise UsageError(f"{shown(folder)} holds {(foreign or files)[0]} and is no export alone; {remedy}")


def _require_free(path: Path, facts: dict, overwrite: bool, suffix: str) -> None:
    require_replaceable(path, overwrite, suffix)
    if not overwrite:
        _require_same_data_set(path, facts)


def _require_same_data_set(folder: Path, facts: dict) -> None:
    """Raise UsageError if a folder holds the export of a network that was trained on other data."""
    held, ours = ((known or {}).get("dataset") for known in (exported_facts(folder), facts))
    if held and held != ours:
        what = f"of {ours}" if ours else "of a model without a run.json beside it"
        raise UsageError(f"{shown(folder)} holds an export of {held}, this one is {what}; {REMEDY}")


def _files(folder: Path) -> list[str]:
    """The paths inside a folder of all that is no folder, sorted."""

    def fail(error):
        raise error

    found = []
    for parent, folders, files in os.walk(folder, onerror=fail):
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        found += [Path(parent, name).relative_to(folder).as_posix() for name in files + links]
    return sorted(found)


def _compare(model: keras.Model, exported: np.ndarray, expected: np.ndarray, images: np.ndarray) -> float:
    """The largest difference between a model's probabilities, which are expected, and those of its export.

    Raises: RunError if it is more than rounding makes.
    """
    difference = float(np.max(np.abs(exported - expected)))
    allowed = TOLERANCE if difference <= TOLERANCE else max(TOLERANCE, _rounding(model, images, expected))
    if not difference <= allowed:
        raise RunError(f"the exported {model.name} differs by {difference:g}, expected at most {allowed:g}")
    return difference


def _rounding(model: keras.Model, images: np.ndarray, expected: np.ndarray) -> float:
    """The largest change of a probability where each weight changes by sixteen times what its rounding is.

    Folding rounds each weight and each sum anew. What that does to a probability depends on the network: with large
    logits a thousand times more than with small ones. Measured, folding stays below half of this change at any scale of
    the weights, while one bias that is wrong by a hundredth changes ten to hundreds of times more.
    """
    generator = np.random.default_rng(0)

    def changed(variable):
        values = keras.ops.convert_to_numpy(variable)
        if not keras.backend.is_float_dtype(variable.dtype):
            return values
        step = 16 * np.finfo(np.float32).eps
        return (values * (1 + step * generator.choice([-1, 1], values.shape))).astype(values.dtype)

    weights = [[changed(v) for v in part] for part in (model.trainable_variables, model.non_trainable_variables)]
    outputs = keras.tree.flatten(model.stateless_call(*weights, images.astype(np.float32), training=False)[0])[0]
    return float(np.max(np.abs(as_probabilities(keras.ops.convert_to_numpy(outputs)) - expected)))
