"""Take the weights that come with the package from finished runs."""

import argparse
from pathlib import Path

from keras_mnist import cli
from keras_mnist.models.registry import list_variants
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=cli.path, default=Path("runs"), metavar="DIR", help="folder of all runs (runs)")


def run(chosen: argparse.Namespace) -> None:
    import_tensorflow()

    from keras_mnist.studies.weights import FOLDER, write_weights

    written = write_weights(chosen.runs, Path())
    for name, facts in written.items():
        print(
            f"{name:18} seed {facts['seed']}, the median of {facts['seeds']}: "
            f"held-out loss {facts['held_out_loss']:.4f}, {facts['test_accuracy']:.2%} of the {facts['dataset']} "
            f"test images, {facts['bytes'] / 1000:.0f} kB"
        )
    without = [name for name in list_variants() if name not in written]
    if without:
        print(f"left as they are, for want of finished runs: {', '.join(without)}")
    print(f"{FOLDER} written")
