"""Write a trained model for use without this package, and compare the two."""

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.models import trained
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_network_flags(parser)
    parser.add_argument(
        "--format", default="saved_model", metavar="NAME", help="saved_model (default), or another in results/export"
    )
    parser.add_argument("--output", type=Path, metavar="PATH", help="where to (saved_models/<name of the model>)")
    parser.add_argument("--overwrite", action="store_true", help="replace whatever is there")


def run(chosen: argparse.Namespace) -> None:
    cli.require_network(chosen)
    import_tensorflow()

    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.export import export, facts_beside
    from keras_mnist.results.export.formats import get_format

    suffix = get_format(chosen.format).suffix
    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    output = chosen.output or Path("saved_models") / (model.name + suffix)
    facts = facts_beside(chosen.model) if chosen.model else {"variant": chosen.variant, **trained.facts(chosen.variant)}
    difference = export(model, output, format=chosen.format, facts=facts, overwrite=chosen.overwrite)
    original = chosen.model or chosen.variant
    print(f"{output}: {chosen.format}, largest difference of a probability from {original}: {difference:.1g}")
