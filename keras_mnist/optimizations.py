"""What makes this package fast, by name: described in docs/performance.md, each switched off by one word.

KERAS_MNIST_WITHOUT_OPTIMIZATIONS=shards,resampling leaves out those two.
"""

from __future__ import annotations

import os

from keras_mnist.errors import UsageError

WITHOUT = "KERAS_MNIST_WITHOUT_OPTIMIZATIONS"
OPTIMIZATIONS = ("imports", "resampling", "fused_layers", "shards", "steps_per_execution")


def optimizations_in_use() -> tuple[str, ...]:
    """All that KERAS_MNIST_WITHOUT_OPTIMIZATIONS does not name.

    Raises: UsageError if it names something else.
    """
    without = [name for name in os.environ.get(WITHOUT, "").split(",") if name]
    for name in without:
        if name not in OPTIMIZATIONS:
            raise UsageError(f"{WITHOUT} names {name!r}, expected some of {','.join(OPTIMIZATIONS)}")
    if "fused_layers" in without:
        without.append("shards")  # a plain batch norm would see one shard alone
    return tuple(name for name in OPTIMIZATIONS if name not in without)
