"""Predict the digits on pictures: photographs, scans, drawings, in any common format."""

import argparse

from keras_mnist import cli
from keras_mnist.errors import RunError, UsageError
from keras_mnist.utils.start import import_tensorflow

FORMATS = ("table", "csv", "json")
USUAL = "bn_gap"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", type=cli.path, metavar="PATH", help="pictures, folders, or - for standard input"
    )
    cli.add_network_flags(parser, required=False)
    parser.add_argument("--format", default="table", metavar="|".join(FORMATS), help="how to print the answers (table)")
    parser.add_argument(
        "--show", type=cli.path, metavar="FILE", help="draw originals, 28x28 and answers into a PNG file"
    )


def run(chosen: argparse.Namespace) -> None:
    if chosen.format not in FORMATS:
        raise UsageError(f"`format` is {chosen.format!r}, expected one of {', '.join(FORMATS)}")
    if chosen.model is None and chosen.variant is None:
        chosen.variant = USUAL
    cli.require_network(chosen)

    from keras_mnist.data.preprocess import read_files
    from keras_mnist.results.show import require_ours, show_answers

    if chosen.show:
        require_ours(chosen.show)
    readings = read_files(chosen.paths)
    refused = {name: reading for name, reading in readings.items() if isinstance(reading, UsageError)}
    if len(readings) == len(refused) == 1:
        raise UsageError("; ".join(f"{name}: {error}" for name, error in refused.items()))
    import_tensorflow()

    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results import predictions
    from keras_mnist.utils.screen import print_tables

    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    answers, probabilities = predictions.answers(model, readings)
    if chosen.format == "table":
        print_tables(predictions.answers_table(str(chosen.model or chosen.variant), answers))
    else:
        print({"csv": predictions.answers_csv, "json": predictions.answers_json}[chosen.format](answers), end="")
    if chosen.show:
        show_answers(readings, probabilities, chosen.show)
    if refused:
        raise RunError(f"{len(refused)} of {len(readings)} pictures could not be read; the answers above say why")
