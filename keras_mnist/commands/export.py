"""Write a trained model for use without this package, and compare the two."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from keras_mnist import cli
from keras_mnist.models import trained
from keras_mnist.utils.start import import_tensorflow
from keras_mnist.utils.words import counted

if TYPE_CHECKING:
    from keras_mnist.data.digit_set import DigitSet

DEFAULT = "saved_model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from keras_mnist.results.export.formats import format_names

    cli.add_network_flags(parser)
    others = ", ".join(name for name in format_names() if name != DEFAULT)
    parser.add_argument("--format", default=DEFAULT, metavar="NAME", help=f"{DEFAULT} (default), {others}")
    parser.add_argument("--output", type=cli.path, metavar="PATH", help="where to (saved_models/<name of the model>)")
    parser.add_argument("--overwrite", action="store_true", help="replace whatever is there")
    cli.add_data_flags(parser, "auto (default): what it was trained on, where that is at hand; for the comparison")


def run(chosen: argparse.Namespace) -> None:
    cli.require_network(chosen)

    from keras_mnist.results.export.facts import facts_beside, require_free
    from keras_mnist.results.export.formats import get_format

    format = get_format(chosen.format)
    facts = facts_beside(chosen.model) if chosen.model else {"variant": chosen.variant, **trained.facts(chosen.variant)}
    name = (facts or {}).get("variant")  # else the model's own, which is known once it is loaded
    output = chosen.output or (Path("saved_models") / format.file_name(name) if name else None)
    if output:
        require_free(Path(os.path.abspath(output)), facts or {}, chosen.overwrite, format.suffix)
    import_tensorflow()

    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.export import export

    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    digits = _digits(chosen, facts or {})
    output = output or Path("saved_models") / format.file_name(model.name)
    images = {"images": digits.test_images, "training_images": digits.train_images} if digits else {}
    found = export(model, output, format=chosen.format, facts=facts, overwrite=chosen.overwrite, **images)
    what, of = ("test image", f" of {digits.name}") if digits else ("random image", "")
    print(
        f"{output}: {format.name}, largest difference of a probability from {chosen.model or chosen.variant}: "
        f"{found.difference:.1g}; the same digit for {found.agreement:.2%} of {counted(found.images, what)}{of}"
    )


def _digits(chosen: argparse.Namespace, facts: dict) -> DigitSet | None:
    """The data set that was named, or that the model was trained on; None for the latter where it is not at hand."""
    from keras_mnist.data.sources import at_hand, load_data

    folders = chosen.data_dir, chosen.mnist_archives
    if chosen.dataset != "auto":
        return load_data(chosen.dataset, *folders)
    dataset = facts.get("dataset") or "mnist"
    return load_data(dataset, *folders) if at_hand(dataset, *folders) else None
