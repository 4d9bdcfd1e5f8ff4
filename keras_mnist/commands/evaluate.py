"""Score a model on all test images of a data set, or on digits of your own."""

import argparse

from keras_mnist import cli
from keras_mnist.data.labelled import read_labelled
from keras_mnist.errors import UsageError
from keras_mnist.utils.files import require_room
from keras_mnist.utils.start import import_tensorflow

FORMATS = ("table", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_network_flags(parser)
    cli.add_data_flags(parser)
    parser.add_argument(
        "--data",
        type=cli.path,
        metavar="FILE",
        help="labelled digits of your own instead: NPZ with x_test and y_test, images and labels, or x and y; or IDX "
        "such as t10k-images-idx3-ubyte.gz, with t10k-labels-idx1-ubyte.gz beside it",
    )
    parser.add_argument("--format", default="table", metavar="|".join(FORMATS), help="how to print the score (table)")
    parser.add_argument(
        "--report",
        type=cli.path,
        metavar="DIR",
        help="write evaluation.html, a page with pictures, and evaluation.json into this folder; distorted images "
        "are scored too, each of 13 distortions taking as long as the score itself",
    )


def run(chosen: argparse.Namespace) -> None:
    _require_sense(chosen)
    cli.require_network(chosen)
    own_digits = read_labelled(chosen.data) if chosen.data else None
    if chosen.report:
        require_room(chosen.report, "report")
    import_tensorflow()

    from keras_mnist.data.sources import load_data
    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.distorted import distorted_scores
    from keras_mnist.results.evaluation import evaluate
    from keras_mnist.results.evaluation_output import evaluation_json, evaluation_tables
    from keras_mnist.utils.screen import print_tables

    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    digits = own_digits or load_data(chosen.dataset, chosen.data_dir, chosen.mnist_archives)
    network, score = str(chosen.model or chosen.variant), evaluate(model, digits)
    distorted = distorted_scores(model, digits) if chosen.report else []
    if chosen.report:
        from keras_mnist.results.evaluation_page import write_evaluation  # with matplotlib, which takes its time

        page = write_evaluation(chosen.report, network, digits, score, distorted)
    if chosen.format == "json":
        print(evaluation_json(network, score, distorted), end="")
        return
    print_tables(*evaluation_tables(network, score, distorted))
    if chosen.report:
        print(f"report: {page}")


def _require_sense(chosen: argparse.Namespace) -> None:
    if chosen.format not in FORMATS:
        raise UsageError(f"`format` is {chosen.format!r}, expected one of {', '.join(FORMATS)}")
    named = [name for name in ("data_dir", "mnist_archives") if getattr(chosen, name)]
    named += ["dataset"] if chosen.dataset != "auto" else []
    if chosen.data and named:
        raise UsageError(f"`data` and `{named[0]}` are given, expected one of them; leave one out")
