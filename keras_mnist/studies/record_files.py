"""The three files of a record, each checked as it is read: what uses a record relies on what is here."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_mnist.errors import RunError
from keras_mnist.models.registry import get_variant
from keras_mnist.recipe import Recipe
from keras_mnist.results.run_folder import read_history
from keras_mnist.settings import checked
from keras_mnist.studies.run import Run
from keras_mnist.training.arguments import with_defaults
from keras_mnist.utils.arguments import require_kind

REMEDY = "train it again, or remove its folder"
SHARE, COUNT = {"low": 0, "high": 1}, {"low": 0, "high": 10**9}
# What is read of run.json beside what the run was asked for: the kind of each, and its limits.
FACTS: dict[str, tuple[Any, dict]] = {
    "trainable_parameters": (int, COUNT),
    "total_parameters": (int, COUNT),
    "epochs_run": (int, COUNT | {"low": 1}),
    "train_images": (int, COUNT | {"low": 1}),
    "test_images": (int, COUNT | {"low": 1}),
    "test_accuracy": (float, SHARE),
    "test_errors": (int, COUNT),
    "seconds": (float, COUNT),
    "seconds_per_epoch": (float, COUNT),
    "processor": (str, {}),
    "threads": (int, COUNT | {"low": 1}),
    "shards": (int, COUNT | {"low": 1}),
    "source_commit": (str | None, {}),  # None outside a checkout
}
VERSIONS = ("python", "tensorflow", "keras")
WRONG_PREDICTION = {"index": int, "label": int, "prediction": int, "probability": float}


def read_json(path: Path, remedy: str) -> dict:
    """What a file of JSON holds.

    Raises: RunError if it cannot be read, or holds no object.
    """
    try:
        found = json.loads(path.read_text())
        require_kind(found, dict, "content", "an object of JSON")
        return found
    except OSError as error:
        raise RunError(f"cannot read {path} ({error.strerror}); {remedy}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error, remedy) from error


def read_run(path: Path, recipe: str) -> tuple[Run, dict]:
    """The run that a run.json is of, and what else it holds.

    Args:
        recipe: the name of the one that the run began with, which run.json does not hold.

    Raises: RunError if it lacks something that a run keeps, or holds something else in its place.
    """
    facts = read_json(path, REMEDY)
    if lacking := [name for name in FACTS if name not in facts]:
        raise _damaged(path, f"it lacks {', '.join(lacking)}", REMEDY)
    try:
        for part in ("recipe", "versions"):
            require_kind(facts.get(part), dict, part, "an object of JSON")
        for name, (kind, limits) in FACTS.items():
            checked(name, facts[name], kind, **limits)
        for name in VERSIONS:
            checked(name, facts["versions"].get(name), str)
        dataset = checked("dataset", facts.get("dataset"), str)
        settings = dataclasses.replace(Recipe().with_settings(**with_defaults(facts)["recipe"]), name=recipe)
        run = Run(get_variant(facts.get("variant")), settings, dataset, facts.get("validation"), facts.get("seed"))
    except ValueError as error:
        raise _damaged(path, error, REMEDY) from error
    return run, facts


def require_train_scores(path: Path, run: Run, facts: dict) -> None:
    """Raise RunError unless a run.json holds the accuracies on training images that such a run keeps."""
    names = ["train_accuracy"]
    if run.variant.claim and run.variant.claim.images == "train":
        names.append("augmented_train_accuracy")
    try:
        for name in names:
            checked(name, facts.get(name), float, **SHARE)
    except ValueError as error:
        raise _damaged(path, error, REMEDY) from error


def read_epochs(path: Path, run: Run, facts: dict) -> list[dict]:
    """The rows of a history.csv.

    Raises: RunError if it is not that of the run.
    """
    watched = "val_" * (run.validation != "none")
    accuracies, losses = {"accuracy", f"{watched}accuracy"}, {"loss", f"{watched}loss"}

    def right(number: int, row: dict) -> bool:
        shares = all(0 <= row[name] <= 1 for name in accuracies)
        finite = math.isfinite(row["learning_rate"]) and 0 <= row["seconds"] < math.inf
        return row["epoch"] == number and shares and finite and losses <= row.keys()  # a loss may be NaN

    names = ", ".join([*sorted(losses | accuracies), "learning_rate", "seconds"])
    expected = f"a row for each epoch, 1 to {facts['epochs_run']}, with {names}"
    return _rows(path, facts["epochs_run"], lambda: read_history(path), right, expected)


def read_test_errors(path: Path, facts: dict) -> list[dict]:
    """The rows of a test_errors.csv, one for each test image that is predicted wrongly.

    Raises: RunError if it is not that of the run.
    """
    images, accuracy, errors = (facts[name] for name in ("test_images", "test_accuracy", "test_errors"))
    if round(accuracy * images) + errors != images:
        why = f"test_errors is {errors}, expected what test_accuracy {accuracy} leaves of {images} test_images"
        raise _damaged(path.with_name("run.json"), why, REMEDY)

    def read() -> list[dict]:
        with path.open(newline="") as file:
            return [{name: kind(row[name]) for name, kind in WRONG_PREDICTION.items()} for row in csv.DictReader(file)]

    def right(_, row: dict) -> bool:
        digits = row["label"] in range(10) and row["prediction"] in range(-1, 10)  # -1 where the network gave NaN
        return row["index"] in range(images) and digits and row["label"] != row["prediction"]

    rows = _rows(path, errors, read, right, f"a row for each of {errors} images, with {', '.join(WRONG_PREDICTION)}")
    if len({row["index"] for row in rows}) < errors:
        raise _damaged(path, "an index occurs twice", REMEDY)
    return rows


def _rows(path: Path, count: int, read: Callable, right: Callable[[int, dict], bool], expected: str) -> list[dict]:
    """What `read` gives, if these are so many rows and each is right, by its number from 1 on."""
    try:
        rows = read()
        as_expected = len(rows) == count and all(right(number, row) for number, row in enumerate(rows, 1))
    except (OSError, ValueError, TypeError, KeyError, csv.Error):  # those of Python's tables and numbers
        as_expected = False
    if not as_expected:
        raise RunError(f"{path} is missing or damaged, expected {expected}; {REMEDY}")
    return rows


def _damaged(path: Path, why: Exception | str, remedy: str) -> RunError:
    """The backticks go: in a message they would make a flag of a name, and these are names in a file."""
    return RunError(f"{path} is damaged ({str(why).replace('`', '')}); {remedy}")
