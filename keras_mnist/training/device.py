"""What a run computes on: the device, its threads, and what of the optimizations works there."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import keras
import tensorflow as tf

from keras_mnist.errors import UsageError
from keras_mnist.ops import custom_op
from keras_mnist.optimizations import optimizations_in_use
from keras_mnist.utils.environment import cores, processor, versions

DEVICES = ("auto", "gpu", "cpu")

# Shards of a batch that are computed at once: what a core gets must not become too small.
SHARDS = min(cores(), 4)


@dataclasses.dataclass(frozen=True)
class Device:
    """A kind of device ("gpu" or "cpu") and its name."""

    kind: str
    name: str

    @property
    def jit_compile(self) -> bool:
        """XLA compiles the training step on a GPU; on a CPU it makes dropout's random numbers far slower."""
        return self.kind == "gpu"

    @property
    def optimizations(self) -> tuple[str, ...]:
        """What makes training faster here: on a GPU only what works on the CPU beside it, where it was measured."""
        unusable = () if self.kind == "cpu" else ("fused_layers", "shards", "steps_per_execution")
        if not custom_op.available():
            unusable += ("resampling", "fused_layers", "shards")
        return tuple(name for name in optimizations_in_use() if name not in unusable)

    def __str__(self):
        return f"{self.kind} ({self.name})"


def choose_device(wanted: str = "auto") -> Device:
    """The GPU, with memory growth, if there is one and it is not unwanted; else the CPU.

    Raises: UsageError for another word, or if a GPU is asked for and none is there.
    """
    if wanted not in DEVICES:
        raise UsageError(f"`device` is {wanted!r}, expected one of {', '.join(DEVICES)}")
    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise UsageError(
            '`device` is "gpu", and no GPU is visible to TensorFlow; use "cpu", or install keras-mnist[cuda] '
            "on a machine with one"
        )
    if wanted == "cpu" or not gpus:
        with contextlib.suppress(RuntimeError):  # devices are already in use: placement below still holds
            tf.config.set_visible_devices([], "GPU")
        return Device("cpu", processor())
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return Device("gpu", tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


@contextlib.contextmanager
def dtype_policy(name: str) -> Iterator[None]:
    """Build networks with this dtype policy inside the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def set_threads() -> bool:
    """Give TensorFlow a thread for each shard and none for the inside of operations; False where it is too late.

    TensorFlow takes the setting once in a process, before it computes anything, and keeps it until the process ends.
    """
    wanted = 1, max(SHARDS, 2)
    threading = tf.config.threading
    with contextlib.suppress(RuntimeError):
        threading.set_intra_op_parallelism_threads(wanted[0])
        threading.set_inter_op_parallelism_threads(wanted[1])
    return (threading.get_intra_op_parallelism_threads(), threading.get_inter_op_parallelism_threads()) == wanted


def environment_of(device: Device, optimizations: tuple[str, ...]) -> dict:
    """What the last bits of a result depend on beside the arguments of the run."""
    return {
        "device": str(device),
        "processor": processor(),
        "threads": tf.config.threading.get_intra_op_parallelism_threads() or cores(),
        "shards": SHARDS if "shards" in optimizations else 1,
        "optimizations": list(optimizations),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        "versions": versions(),
    }
