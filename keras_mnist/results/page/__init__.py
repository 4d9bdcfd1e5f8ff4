"""One HTML page to draw on, with networks inside: it needs no server, no library and no network connection."""

from __future__ import annotations

import base64
import importlib.resources
import json
import string
from collections.abc import Sequence
from pathlib import Path

import keras

from keras_mnist.data.digit_set import CLASSES
from keras_mnist.data.embedded import embedded_digits
from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.models.registry import get_variant, list_variants
from keras_mnist.results.cards import DATASETS
from keras_mnist.results.page.steps import network
from keras_mnist.results.theme import style
from keras_mnist.utils.files import require_file_name, write_whole

PARTS = importlib.resources.files(__name__)
# In the order in which they build on each other.
SCRIPTS = (
    *("numbers", "paper", "ink", "grouping", "pieces", "strokes", "preprocess"),
    *("layers", "network", "sheet", "keyboard", "occlusion", "pictures", "layer_pictures", "answer", "page"),
)
GALLERY_ROUNDS = 2  # of the ten digits


def write_page(models: Sequence[tuple[keras.Model, dict]], output: Path | str) -> int:
    """Write one HTML file in which people draw a digit and see what each of some networks predicts.

    Args:
        models: each with what is known of the run it comes from, as `trained.facts` and run.json tell it.
        output: the file, replaced if it is there.

    Returns: its size in bytes.
    Raises: UsageError if the page cannot compute one of the models, or nothing can be written there.
    """
    path = Path(output)
    require_file_name(path, ".html", "output")
    content = page([_described(model, facts) for model, facts in models]).encode()
    write_whole(path, content)
    return len(content)


def page(networks: list[dict]) -> str:
    """The whole page, for networks as `network` gives them, with a title and facts to show."""
    data = json.dumps({"networks": networks, "gallery": gallery()}, separators=(",", ":"))
    scripts = "\n".join((PARTS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    return string.Template((PARTS / "page.html").read_text(encoding="utf-8")).substitute(
        style=style(PARTS),
        script=scripts,
        data=data.replace("<", "\\u003c"),  # no name of a layer may end the script
    )


def gallery() -> list[dict]:
    """The first embedded test digits of each class: MNIST's own images are not ours to pass on."""
    digits = embedded_digits()
    of_each = [digits.test_images[digits.test_labels == digit] for digit in range(CLASSES)]
    return [
        {"digit": digit, "pixels": base64.b64encode(of_each[digit][number].tobytes()).decode()}
        for number in range(GALLERY_ROUNDS)
        for digit in range(CLASSES)
    ]


def _described(model: keras.Model, facts: dict) -> dict:
    """A network for the page, with words for its reader."""
    name = facts.get("variant") or model.name
    title = get_variant(name).title if name in list_variants() else model.name
    parameters = trainable_parameters(model)
    described = {"name": name, "title": title, "parameters": parameters, "facts": _facts_line(parameters, facts)}
    return {**described, **network(model)}


def _facts_line(parameters: int, facts: dict) -> str:
    """A network's size, and where its run is known, that with its accuracy and the data set's name."""
    size = f"{parameters:,} parameters"
    if facts.get("test_accuracy") is None or facts["dataset"] not in DATASETS:
        return f"{size}; nothing is known of its training."
    dataset = DATASETS[facts["dataset"]][1]
    return (
        f"{size}; {100 * facts['test_accuracy']:.2f} % of the {facts['test_images']:,} test images of {dataset} right. "
        f"Weights of the run {_run_name(facts)}."
    )


def _run_name(facts: dict) -> str:
    """A run as its folders name it from the data set on: what lies above them is the writer's own business."""
    parts = Path(facts["run"]).parts
    starts = [number for number, part in enumerate(parts) if part == facts["dataset"]]
    return "/".join(parts[starts[-1] :]) if starts else f"with seed {facts['seed']}"
