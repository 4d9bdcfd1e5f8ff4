"""MNIST as tensorflow-datasets downloads and prepares it."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import filelock
import numpy as np

from keras_mnist.data.digit_set import DigitSet, mnist_set
from keras_mnist.errors import RunError

REACH_SECONDS = 4


class Unreachable(RunError):
    """MNIST is nowhere here, and there is no network to get it from."""


def prepared_folder(data_dir: Path) -> Path:
    """Where tensorflow-datasets keeps what it prepares."""
    return data_dir / "mnist" / "3.0.1"


def read_prepared(data_dir: Path) -> DigitSet:
    """Prepared data, or what is now downloaded and prepared.

    Raises: RunError if it is damaged or cannot be had.
    """
    import tensorflow_datasets as tfds

    folder = prepared_folder(data_dir)
    if not os.path.exists(folder):
        _prepare(data_dir)
    with _in_one_line(f"mnist: the data in {folder} is damaged", "delete that folder, or choose another `data_dir`"):
        return mnist_set(_decode(tfds.builder_cls("mnist")(data_dir=data_dir)))


@contextlib.contextmanager
def _in_one_line(what: str, remedy: str) -> Iterator[None]:
    """Turn all that tensorflow-datasets may raise, which is a lot, into RunError."""
    try:
        yield
    except (Unreachable, MemoryError):
        raise
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise RunError(f"{what} ({why}); {remedy}") from error


def _prepare(data_dir: Path) -> None:
    """Download MNIST and make tensorflow-datasets' prepared data of it; other processes wait for it.

    Its extraction cache goes by base name without a checksum, and other data sets' files have the same names:
    so each preparation extracts into a folder of its own.
    """
    import tensorflow_datasets as tfds

    home = data_dir / "mnist"
    private = home / "keras_mnist_private"
    remedy = "make room there, or see `data_dir` and `mnist_archives`"
    with _in_one_line(f"mnist: cannot prepare the data in {home}", remedy):
        builder = tfds.builder_cls("mnist")(data_dir=data_dir)
        _require_reachable(next(iter(builder.url_infos)))
        print(f"preparing MNIST in {home}: once, about 20 seconds", file=sys.stderr)
        home.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(home / ".keras_mnist.lock"), _quiet(tfds):
            shutil.rmtree(private, ignore_errors=True)  # of a preparation that was killed
            settings = tfds.download.DownloadConfig(extract_dir=private / "extracted", try_download_gcs=False)
            try:
                builder.download_and_prepare(download_dir=private / "downloads", download_config=settings)
            finally:
                shutil.rmtree(private, ignore_errors=True)


def _require_reachable(url: str) -> None:
    """Raise Unreachable within seconds where a download would retry for minutes."""
    answer: list[str] = []

    def ask():
        try:
            urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REACH_SECONDS).close()
            answer.append("")
        except OSError as error:
            answer.append(str(getattr(error, "reason", error)))

    # A thread, because looking up a host name knows no time limit.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(REACH_SECONDS + 1)
    why = answer[0] if answer else f"no answer within {REACH_SECONDS} s"
    if why:
        host = url.split("/")[2]
        raise Unreachable(f"mnist: {host} cannot be reached ({why}); connect to the network or see `mnist_archives`")


@contextlib.contextmanager
def _quiet(tfds):
    """Keep tensorflow-datasets' progress bars and prints off the screen."""
    tfds.disable_progress_bar()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _decode(builder) -> dict[str, np.ndarray]:
    """Read the prepared data into arrays, in tensorflow-datasets' own order."""
    arrays = {}
    for split in ("train", "test"):
        examples = builder.as_dataset(split=split, batch_size=-1)
        arrays[f"{split}_images"] = examples["image"].numpy()
        arrays[f"{split}_labels"] = examples["label"].numpy().astype(np.uint8)
    return arrays
