"""The model card of an export: what a hub of models shows of it, and a reader wants to know first."""

from __future__ import annotations

import json
import textwrap

from keras_mnist.models.analysis import trainable_parameters
from keras_mnist.utils.intervals import CONFIDENCE, wilson_interval
from keras_mnist.utils.lazy import keras
from keras_mnist.utils.words import counted

# Data sets by the names that they have here: the hub's identifier where it has them, and a name.
DATASETS = {"mnist": ("ylecun/mnist", "MNIST"), "digits": ("digits", "the 1,797 embedded digits of scikit-learn")}
LICENSE = "apache-2.0"


def model_card(model: keras.Model, facts: dict, format: str, library: str) -> str:
    """The card in Markdown, with the hub's fields in front: https://huggingface.co/docs/hub/model-cards.

    Args:
        facts: what is known of the run; without a test accuracy the card has no figures.
        format, library: which export it is, and what runs it.
    """
    name = facts.get("variant") or model.name
    fields = {
        "license": LICENSE,
        "library_name": library,
        "pipeline_tag": "image-classification",
        "tags": ["mnist", "digits", "tiny", "keras-mnist"],
        **_results(name, facts),
    }
    # JSON values are YAML too.
    front = "\n".join(f"{key}: {json.dumps(value)}" for key, value in fields.items())
    return f"---\n{front}\n---\n\n{_text(model, name, facts, format)}"


def _results(name: str, facts: dict) -> dict:
    """The fields that tell of the data set and the test score, as far as they are known."""
    if facts.get("dataset") not in DATASETS:
        return {}
    hub_name, title = DATASETS[facts["dataset"]]
    found = {"datasets": [hub_name]} if "/" in hub_name else {}
    if not _is_scored(facts):
        return found
    low, high = _interval(facts)
    metric = {
        "type": "accuracy",
        "name": f"accuracy on {facts['test_images']:,} test images, {CONFIDENCE:.0%} interval {low:.4f} to {high:.4f}",
        "value": facts["test_accuracy"],
    }
    result = {
        "task": {"type": "image-classification", "name": "image classification"},
        "dataset": {"type": hub_name, "name": title, "split": "test"},
        "metrics": [metric],
    }
    return {**found, "metrics": ["accuracy"], "model-index": [{"name": name, "results": [result]}]}


def _is_scored(facts: dict) -> bool:
    return bool(facts.get("test_accuracy") and facts.get("test_images"))


def _interval(facts: dict) -> tuple[float, float]:
    return wilson_interval(round(facts["test_accuracy"] * facts["test_images"]), facts["test_images"])


def _text(model: keras.Model, name: str, facts: dict, format: str) -> str:
    sentences = [
        f"A network of {trainable_parameters(model):,} parameters that recognises handwritten digits: from raw pixels, "
        "28x28, 0 to 255, the digit bright on black, to ten probabilities. Made with keras_mnist."
    ]
    if facts.get("dataset") in DATASETS and _is_scored(facts):
        low, high = _interval(facts)
        accuracy, images = facts["test_accuracy"], facts["test_images"]
        sentences.append(
            f"Test accuracy on {DATASETS[facts['dataset']][1]}: {accuracy:.2%} of {counted(images, 'image')} (one run; "
            f"{CONFIDENCE:.0%} interval over images {low:.2%} to {high:.2%})."
        )
    if facts.get("teacher"):
        sentences.append(
            f"Trained with a teacher, the network {facts['teacher']} of the same package: it learned that one's "
            "answers beside the labels."
        )
    known = [f"- {key}: {facts[key]}" for key in ("seed", "source_commit") if facts.get(key) is not None]
    parts = [f"# {name}, as {format}", *(textwrap.fill(text, 120) for text in sentences), "\n".join(known)]
    return "\n\n".join(part for part in parts if part) + "\n"
