"""What a run runs on: device, number format, versions, and what its bits depend on."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import os
import platform
import subprocess
import time
from pathlib import Path

import keras
import tensorflow as tf

from keras_mnist import native
from keras_mnist.errors import UsageError
from keras_mnist.tricks import tricks_in_use

DEVICES = ("auto", "gpu", "cpu")
STEPS_AT_ONCE = 20  # between looks at Ctrl-C and the progress bar: a fraction of a second
PACKAGES = ("keras-mnist", "tensorflow", "keras", "numpy", "numba", "tensorflow-datasets")


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


# Parts of a batch that are computed at once: what a core gets must not become too small.
PARTS = min(cores(), 4)


@dataclasses.dataclass(frozen=True)
class Device:
    """A kind of device ("gpu" or "cpu") and its name."""

    kind: str
    name: str

    @property
    def compile_steps(self) -> bool:
        """XLA compiles the training step on a GPU; on a CPU it makes dropout's random numbers far slower."""
        return self.kind == "gpu"

    @property
    def tricks(self) -> tuple[str, ...]:
        """What makes training faster here: on a GPU only what does not mind its compiled steps."""
        unusable = () if self.kind == "cpu" else ("chains", "parts")
        if not native.available():
            unusable += ("resampling", "chains", "parts")
        return tuple(name for name in tricks_in_use() if name not in unusable)

    @property
    def number_format(self) -> str:
        """bfloat16 for the arithmetic of a GPU, with float32 weights; nothing is gained by it on a CPU."""
        return "mixed_bfloat16" if self.kind == "gpu" else "float32"

    def __str__(self):
        return f"{self.kind} ({self.name})"


def choose_device(wanted: str = "auto") -> Device:
    """The GPU, with memory growth, if there is one and it is not unwanted; else the CPU.

    Raises: UsageError for another word, or if a GPU is asked for and none is there.
    """
    if wanted not in DEVICES:
        raise UsageError(f"device is {wanted!r}, expected one of {', '.join(DEVICES)}; see --device")
    gpus = tf.config.list_physical_devices("GPU")
    if wanted == "gpu" and not gpus:
        raise UsageError(
            'no GPU is visible to TensorFlow; use --device cpu, or install ".[cuda]" on a machine with one'
        )
    if wanted == "cpu" or not gpus:
        with contextlib.suppress(RuntimeError):  # devices are already in use: placement below still holds
            tf.config.set_visible_devices([], "GPU")
        return Device("cpu", processor())
    for gpu in gpus:
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(gpu, True)
    return Device("gpu", tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))


def processor() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@contextlib.contextmanager
def number_format(name: str):
    """Build networks in this number format inside the block."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def prepare(device: Device) -> None:
    """Set this process up for a device's tricks; call it before TensorFlow computes anything."""
    if "parts" in device.tricks:
        with contextlib.suppress(RuntimeError):  # TensorFlow is in use, with threads of its own: only slower
            # One thread for each part of a batch, none for the inside of single operations.
            tf.config.threading.set_intra_op_parallelism_threads(1)
            tf.config.threading.set_inter_op_parallelism_threads(max(PARTS, 2))


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that a result depends on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def surroundings(device: Device) -> dict:
    """What the last bits of a result depend on beside the arguments of the run."""
    return {
        "device": str(device),
        "processor": processor(),
        "threads": tf.config.threading.get_intra_op_parallelism_threads() or cores(),
        "parts": PARTS if "parts" in device.tricks else 1,
        "tricks": list(device.tricks),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        "versions": versions(),
    }


def peak_memory_mb() -> int | None:
    """The most memory that this process has held so far, in MB; None where the system does not say.

    Not getrusage's figure, which a process inherits from the one that started it.
    """
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) // 1024
    return None


def process_seconds() -> float | None:
    """Seconds since this process was started; None where the system does not say."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, AttributeError, ValueError):  # not Linux
        return None


def source_commit() -> str | None:
    """The commit of this package's source, "-dirty" if files differ from it; None outside a git checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("-dirty" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None
