"""Write a trained model for use without this package, and compare the two."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from keras_mnist import cli
from keras_mnist.models import trained
from keras_mnist.utils.start import import_tensorflow

if TYPE_CHECKING:
    from keras_mnist.data.digit_set import DigitSet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_network_flags(parser)
    parser.add_argument(
        "--format",
        default="saved_model",
        metavar="NAME",
        help="saved_model (default), keras-folder, onnx, litert, litert-int8, c, c-int8, or another in results/export",
    )
    parser.add_argument("--output", type=Path, metavar="PATH", help="where to (saved_models/<name of the model>)")
    parser.add_argument("--overwrite", action="store_true", help="replace whatever is there")
    cli.add_data_flags(parser, "auto (default): what it was trained on, where that is at hand; for the comparison")


def run(chosen: argparse.Namespace) -> None:
    cli.require_network(chosen)
    import_tensorflow()

    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.export import export
    from keras_mnist.results.export.facts import facts_beside
    from keras_mnist.results.export.formats import get_format

    format = get_format(chosen.format)
    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    facts = facts_beside(chosen.model) if chosen.model else {"variant": chosen.variant, **trained.facts(chosen.variant)}
    digits = _digits(chosen, facts or {})
    output = chosen.output or Path("saved_models") / format.file_name(model.name)
    images = {"images": digits.test_images, "training_images": digits.train_images} if digits else {}
    found = export(model, output, format=chosen.format, facts=facts, overwrite=chosen.overwrite, **images)
    what = f"test images of {digits.name}" if digits else "random images"
    print(
        f"{output}: {format.name}, largest difference of a probability from {chosen.model or chosen.variant}: "
        f"{found.difference:.1g}; the same digit for {found.agreement:.2%} of {found.images:,} {what}"
    )


def _digits(chosen: argparse.Namespace, facts: dict) -> DigitSet | None:
    """The data set that was named, or that the model was trained on; None for the latter where it is not at hand."""
    from keras_mnist.data.sources import at_hand, load_data

    folders = chosen.data_dir, chosen.mnist_archives
    if chosen.dataset != "auto":
        return load_data(chosen.dataset, *folders)
    dataset = facts.get("dataset") or "mnist"
    return load_data(dataset, *folders) if at_hand(dataset, *folders) else None
