"""What makes this package fast, by name: described in docs/performance.md, each switched off by one word.

KERAS_MNIST_WITHOUT=parts,loop leaves out those two.
"""

from __future__ import annotations

import os

from keras_mnist.errors import UsageError

WITHOUT = "KERAS_MNIST_WITHOUT"
TRICKS = ("imports", "resampling", "chains", "parts", "loop")


def tricks_in_use() -> tuple[str, ...]:
    """All that KERAS_MNIST_WITHOUT does not name.

    Raises: UsageError if it names something else.
    """
    without = [name for name in os.environ.get(WITHOUT, "").split(",") if name]
    for name in without:
        if name not in TRICKS:
            raise UsageError(f"{WITHOUT} names {name!r}, expected some of {','.join(TRICKS)}")
    if "chains" in without:
        without.append("parts")  # a plain batch norm would see one part alone
    return tuple(name for name in TRICKS if name not in without)
