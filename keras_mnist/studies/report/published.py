"""What others have published of networks under 8,000 parameters, to stand beside what is measured here."""

from __future__ import annotations

from typing import NamedTuple

from keras_mnist.studies.report.words import percent, table


class Published(NamedTuple):
    """A network of others: its size, its accuracy as a fraction, how that was measured, and where it is published."""

    parameters: int
    accuracy: float
    protocol: str
    source: str


PUBLISHED = (
    Published(
        697, 0.9903, "best of about 700 runs, the test images watched", "github.com/JoshWarn/Parameter-Efficient-MNIST"
    ),
    Published(1_936, 0.9910, "one run on the test images", "github.com/ruslangrimov/mnist-minimal-model, folder 1936"),
    Published(
        3_197,
        0.9925,
        "best epoch of one run on a held-out tenth of the training images",
        "github.com/ruslangrimov/mnist-minimal-model, folder 3197",
    ),
    Published(7_496, 0.9956, "last epoch of one run, the test images watched", "github.com/vivek-a81/EVA6, session 5"),
    Published(
        7_918, 0.9952, "best epoch of one run, the test images watched", "github.com/snehanshu-raj/ERA, assignment 6"
    ),
)


def published_table() -> str:
    """All of them, the smallest first."""
    rows = [[f"{one.parameters:,}", percent(one.accuracy), one.protocol, one.source] for one in PUBLISHED]
    return table([">parameters", ">accuracy on mnist", "measured as", "published at"], rows)
