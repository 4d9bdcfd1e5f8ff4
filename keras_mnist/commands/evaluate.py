"""Score a model on all test images of a data set."""

import argparse

from keras_mnist import cli
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    cli.add_network_flags(parser)
    cli.add_data_flags(parser)


def run(chosen: argparse.Namespace) -> None:
    cli.require_network(chosen)
    import_tensorflow()

    from keras_mnist.data.sources import load_data
    from keras_mnist.models.loading import load_model
    from keras_mnist.models.registry import create_model
    from keras_mnist.results.evaluation import evaluate
    from keras_mnist.results.tables import facts_table
    from keras_mnist.utils.screen import screen

    model = load_model(chosen.model) if chosen.model else create_model(chosen.variant, weights="mnist")
    score = evaluate(model, load_data(chosen.dataset, chosen.data_dir, chosen.mnist_archives))
    facts = {
        "data set": f"{score.dataset}, {score.images:,} test images",
        "accuracy": f"{score.accuracy:.2%} ({score.errors} misclassified)",
        "loss": f"{score.loss:.4f}",
    }
    screen().print(facts_table(str(chosen.model or chosen.variant), facts))
