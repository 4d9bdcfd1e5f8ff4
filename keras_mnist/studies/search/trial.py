"""A configuration of the search, its training with one seed, and the small record that is kept of it.

The records lie in docs/records/frontier/<network and settings>/seed<k>.json, those of other data sets than MNIST with
its name behind the seed. Test images are scored nowhere here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import keras
from rich.console import Console

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.errors import RunError
from keras_mnist.models.analysis import layer_facts
from keras_mnist.recipe import TUNED, Recipe
from keras_mnist.run import prepare
from keras_mnist.studies.records import DATASET
from keras_mnist.studies.search.notation import variant
from keras_mnist.training.callbacks import ScreenProgress
from keras_mnist.training.device import Device, choose_device, set_threads
from keras_mnist.training.plan import Plan
from keras_mnist.training.teacher import require_trained
from keras_mnist.utils.environment import source_commit
from keras_mnist.utils.files import claim, write_whole

# What a configuration's settings differ from: all epochs are trained, so that all are compared at their last.
BASE = TUNED.with_settings(target_accuracy=None)


@dataclasses.dataclass(frozen=True)
class Configuration:
    """A network in notation and how it is trained."""

    network: str
    recipe: Recipe

    def __post_init__(self):
        require_trained(self.recipe)

    @property
    def settings(self) -> str:
        """What differs from the base recipe."""
        return ", ".join(self.recipe.differences(BASE))

    def __str__(self):
        return f"{self.network} | {self.settings}"

    def record_file(self, folder: Path, dataset: str, seed: int) -> Path:
        """Where the record of a seed is: no two configurations share a folder, no two data sets a file."""
        of = f"_{dataset}" if dataset != DATASET else ""
        words = re.sub(r"[^a-z0-9.=]+", "_", str(self)).strip("_")[:100]
        return folder / f"{words}-{hashlib.sha256(str(self).encode()).hexdigest()[:8]}" / f"seed{seed}{of}.json"


@contextlib.contextmanager
def claimed(record: Path) -> Iterator[bool]:
    """Keep a trial from other searches inside the block; False where it is done, or another has it."""
    lock = claim(record.with_suffix(".lock"))
    try:
        yield lock is not None and not record.exists()
    finally:
        if lock:
            lock.release()


def device() -> Device:
    """The CPU with the threads that training wants; call it before TensorFlow computes anything."""
    on = choose_device("cpu")
    set_threads()
    return on


def train(
    configuration: Configuration, seed: int, digits: DigitSet, on: Device, console: Console, received: list[int]
) -> dict | None:
    """Train a configuration on the kept training images: its record, with what it reaches on those held out.

    A network that diverges is a result as well: its record says so, and has no loss.

    Args:
        received: signals that have come, as `collected_signals` notes them; one ends the training.

    Returns: the record; None if a signal came before the last step.
    """
    chosen = variant(configuration.network)
    plan = Plan(chosen, configuration.recipe, digits, "held-out", seed)
    progress, failure = ScreenProgress(console, bar=False), None
    loop, environment = prepare(plan, on, progress)
    try:
        loop.callbacks.call("on_train_begin", {})
        loop.run(lambda: None, lambda: bool(received))
    except RunError as error:
        failure = str(error)
    finally:
        progress.close()
    if received and not loop.ended and not failure:
        return None
    facts = layer_facts(loop.trainer.network)
    keras.backend.clear_session()  # of the graphs, which are this network's alone
    return {
        "network": configuration.network,
        "settings": configuration.settings,
        "seed": seed,
        "dataset": digits.name,
        "parameters": chosen.params,
        "mult_adds": sum(fact.mult_adds for fact in facts),
        "epochs": configuration.recipe.epochs,
        **_scores(loop.history, failure),
        "train_images": plan.train_images,
        "held_out_images": digits.held_out_count,
        "recipe": configuration.recipe.flat(),
        **environment,
        "source_commit": source_commit(),
    }


def _scores(history: list[dict], failure: str | None) -> dict:
    """The last epoch's scores, and those of all epochs."""
    last = history[-1] if history and not failure else {}
    return {
        "held_out_loss": last.get("val_loss"),
        "held_out_accuracy": last.get("val_accuracy"),
        "failure": failure,
        "seconds": round(sum(row["seconds"] for row in history), 1),
        "history": {
            name: [round(row[name], 6) for row in history] for name in ("loss", "accuracy", "val_loss", "val_accuracy")
        },
    }


def keep(record: dict, path: Path) -> None:
    """Write a record as one file."""
    write_whole(path, json.dumps(record, indent=1) + "\n")
