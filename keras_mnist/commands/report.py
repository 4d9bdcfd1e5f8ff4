"""Rewrite what is made from records: the tables of README.md and docs/, docs/results.csv and docs/report.html."""

import argparse
from pathlib import Path

from keras_mnist.errors import RunError
from keras_mnist.utils.start import import_tensorflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if a file differs")


def run(chosen: argparse.Namespace) -> None:
    import_tensorflow()  # mult-adds are counted on the networks themselves

    from keras_mnist.studies.report.documents import outdated
    from keras_mnist.utils.files import write_whole

    found = outdated(Path())
    if found and chosen.check:
        names = ", ".join(map(str, found))
        raise RunError(f"{names} differ from the records; keras-mnist report rewrites what is generated there")
    for path, text in found.items():
        write_whole(path, text)
        print(f"{path} rewritten")
