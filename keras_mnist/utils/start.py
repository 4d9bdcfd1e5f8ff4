"""A quiet and quick start of TensorFlow, for commands."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from keras_mnist.errors import RunError, UsageError
from keras_mnist.optimizations import optimizations_in_use
from keras_mnist.utils.garbage import uncollected
from keras_mnist.utils.lazy import require_keras_settings

# Lines that TensorFlow prints whenever it starts, and which tell a user nothing.
NOISE = re.compile(
    r"All log messages before absl|oneDNN custom operations|cpu_feature_guard|To enable the following instructions"
    r"|cuda_drivers|cudart_stub|Could not find cuda|computation_placer|Unable to register cu|TF-TRT Warning"
    r"|cuda_diagnostics|cuInit|INTERNAL: CUDA Runtime|gpu_device\.cc.*Cannot dlopen|Skipping registering GPU"
    r"|Created device|CUDA_VISIBLE_DEVICES|hostname:|libcuda|no supported devices found"
    r"|Created TensorFlow Lite XNNPACK delegate"
)

# What Keras imports wherever it is installed, and no script needs of Keras: a second of every start.
UNUSED = ("sklearn", "matplotlib", "matplotlib.pyplot")


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Import TensorFlow and look for devices without its usual noise; whatever else is said is shown afterwards."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    screen = os.dup(2)

    def leave(number, frame):
        # At once: an exception raised inside an import may be swallowed by the module that is imported.
        os.write(screen, f"{Path(sys.argv[0]).name}: interrupted before anything was under way\n".encode())
        os._exit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _redirected(screen):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(screen)


@contextlib.contextmanager
def without_noise() -> Iterator[None]:
    """Show what libraries write to file descriptor 2 inside the block after it, without the noise."""
    screen = os.dup(2)
    try:
        with _redirected(screen):
            yield
    finally:
        os.close(screen)


@contextlib.contextmanager
def _redirected(screen: int) -> Iterator[None]:
    """Collect what is written to file descriptor 2, and print it afterwards without the noise."""
    try:
        said = tempfile.TemporaryFile()  # noqa: SIM115
    except OSError:  # no folder for passing files: then with the noise
        yield
        return
    with said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            said.seek(0)
            for line in said.read().decode(errors="replace").splitlines():
                if line.strip() and not NOISE.search(line):
                    print(line, file=sys.stderr)


def import_tensorflow() -> None:
    """The quiet start: everything heavy, once, after the arguments are known to be good.

    Raises:
        UsageError: Keras is set up for other work.
        RunError: TensorFlow or Keras cannot be imported.
    """
    left_out = UNUSED if "imports" in optimizations_in_use() else ()
    with quiet_start(), _hidden(left_out), uncollected():
        try:
            # Named here, it is Keras's backend whatever keras.json says.
            os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "tensorflow"
            require_keras_settings()
            import tensorflow as tf

            tf.config.list_physical_devices()
        except UsageError:
            raise
        except Exception as error:
            why = f"{type(error).__name__}: {error}"
            raise RunError(
                f"cannot import TensorFlow and Keras ({why}); see keras.json, or install them anew"
            ) from error
    gc.freeze()  # what was imported stays until the process ends


@contextlib.contextmanager
def _hidden(modules: Iterable[str]) -> Iterator[None]:
    """Let imports of these modules fail inside the block, as if they were not installed."""
    hidden = [name for name in modules if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]
