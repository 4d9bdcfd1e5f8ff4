"""Data sets by name: MNIST where it can be had, or the embedded digits."""

from __future__ import annotations

import os
from pathlib import Path

from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.embedded import embedded_digits
from keras_mnist.data.mnist import is_prepared, mnist
from keras_mnist.data.prepared import Unreachable
from keras_mnist.errors import UsageError
from keras_mnist.utils.arguments import path_of, shown_value

DATASETS = ("auto", "mnist", "digits")
ARCHIVES_VARIABLE = "KERAS_MNIST_ARCHIVES"

FALLBACK_NOTICE = """\
MNIST is not here and cannot be downloaded: {why}.
This run uses the 1,797 embedded digits of scikit-learn instead (8x8 scans, enlarged to 28x28).
They are far fewer and easier to tell apart: no accuracy on them says anything about MNIST.
To get MNIST: connect to the network once, or put the four original archives
(train-images-idx3-ubyte.gz, ...) into a folder and pass it as --mnist-archives (mnist_archives in Python)."""


def load_data(
    dataset: str = "auto", data_dir: Path | str | None = None, mnist_archives: Path | str | None = None
) -> DigitSet:
    """Load a data set by name: "mnist", "digits" (embedded), or "auto", MNIST where it can be had.

    Args:
        data_dir: folder of tensorflow-datasets; None for its default.
        mnist_archives: folder with the four original MNIST archives; None for $KERAS_MNIST_ARCHIVES. They are checked
            whenever they are named, and need no other folder.

    Raises:
        UsageError: an unknown name, or an archive that is missing or altered.
        RunError: MNIST was asked for and cannot be had, or what is here of it is damaged.

    Example:
        digits = keras_mnist.load_data()
        digits.train_images.shape  # (60000, 28, 28, 1), uint8
    """
    if not isinstance(dataset, str) or dataset not in DATASETS:
        raise UsageError(f"`dataset` is {shown_value(dataset)}, expected one of {', '.join(DATASETS)}")
    data_dir = path_of(data_dir, "data_dir") if data_dir else None
    archives = mnist_archives or os.environ.get(ARCHIVES_VARIABLE)
    archives = path_of(archives, "mnist_archives") if archives else None
    if dataset == "digits":
        return embedded_digits()
    try:
        return mnist(data_dir, archives)
    except Unreachable as error:
        if dataset == "mnist":
            raise
        _print_notice(FALLBACK_NOTICE.format(why=str(error).split(": ", 1)[-1].split(";")[0]))
        return embedded_digits()


def at_hand(dataset: str, data_dir: Path | None = None, mnist_archives: Path | None = None) -> bool:
    """Whether a data set can be loaded without a download."""
    if dataset == "mnist":
        archives = mnist_archives or os.environ.get(ARCHIVES_VARIABLE)
        return bool(archives) or is_prepared(data_dir)
    return dataset in DATASETS


def _print_notice(text: str) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(
        Panel(Text(text), title="embedded digits, not MNIST", border_style="bold red", expand=False)
    )
