"""Where digits come from: MNIST through tensorflow-datasets, or the embedded digits of scikit-learn."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import hashlib
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

from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.utils.files import write_whole

DATASETS = ("auto", "mnist", "digits")
ARCHIVES_VARIABLE = "KERAS_MNIST_ARCHIVES"
REACH_SECONDS = 4

# The four original archives: size in bytes and sha256.
ARCHIVES = {
    "t10k-images-idx3-ubyte.gz": (1648877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
    "t10k-labels-idx1-ubyte.gz": (4542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    "train-images-idx3-ubyte.gz": (9912422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
    "train-labels-idx1-ubyte.gz": (28881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
}

# Images of each digit in MNIST: other data sets come in files of the same names and sizes.
TRAIN_COUNTS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
TEST_COUNTS = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)

FALLBACK_NOTICE = """\
MNIST is not here and cannot be downloaded: {why}.
This run uses the 1,797 embedded digits of scikit-learn instead (8x8 scans, enlarged to 28x28).
They are far fewer and easier to tell apart: no accuracy on them says anything about MNIST.
To get MNIST: connect to the network once, or put the four original archives
(train-images-idx3-ubyte.gz, ...) into a folder and pass it as --mnist-archives (mnist_archives in Python)."""


class _Unreachable(RunError):
    """MNIST is nowhere here, and there is no network to get it from."""


@dataclasses.dataclass(frozen=True)
class DigitSet:
    """Images (n, 28, 28, 1) uint8 and labels (n,) uint8 of a named data set, with how it is divided and repeated."""

    name: str
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    held_out_count: int  # training images kept aside for validation
    passes_per_epoch: int  # times that an epoch shows each training image

    def __post_init__(self):
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            if images.shape != (len(labels), 28, 28, 1) or images.dtype != np.uint8:
                raise RunError(
                    f"{self.name}: {part} images are {images.dtype} {images.shape}, "
                    f"expected uint8 ({len(labels)}, 28, 28, 1); prepare the data set again"
                )
            if set(np.unique(labels)) != set(range(10)):
                raise RunError(
                    f"{self.name}: {part} labels are {sorted(set(labels.tolist()))}, expected 0 to 9, each at "
                    "least once; prepare the data set again"
                )

    @property
    def held_out(self) -> tuple[np.ndarray, np.ndarray]:
        """(images, labels) of the training images kept aside: fixed, each class in its share."""
        return self._training(stratified_split(self.train_labels, self.held_out_count)[1])

    @property
    def kept(self) -> tuple[np.ndarray, np.ndarray]:
        """(images, labels) of the training images without those held out."""
        return self._training(stratified_split(self.train_labels, self.held_out_count)[0])

    def _training(self, indices) -> tuple[np.ndarray, np.ndarray]:
        return self.train_images[indices], self.train_labels[indices]


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
    if dataset not in DATASETS:
        raise UsageError(f"`dataset` is {dataset!r}, expected one of {', '.join(DATASETS)}")
    if dataset == "digits":
        return embedded_digits()
    archives = mnist_archives or os.environ.get(ARCHIVES_VARIABLE)
    try:
        return mnist(data_dir, Path(archives) if archives else None)
    except _Unreachable as error:
        if dataset == "mnist":
            raise
        _print_notice(FALLBACK_NOTICE.format(why=str(error).split(": ", 1)[-1].split(";")[0]))
        return embedded_digits()


def at_hand(dataset: str, data_dir: Path | None = None, mnist_archives: Path | None = None) -> bool:
    """Whether a data set can be loaded without a download."""
    if dataset == "mnist":
        archives = mnist_archives or os.environ.get(ARCHIVES_VARIABLE)
        return bool(archives) or _cache(data_dir).exists() or (_data_dir(data_dir) / "mnist" / "3.0.1").exists()
    return dataset in DATASETS


def _print_notice(text: str) -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.text import Text

    Console(stderr=True).print(
        Panel(Text(text), title="embedded digits, not MNIST", border_style="bold red", expand=False)
    )


def mnist(data_dir: Path | None = None, archives: Path | None = None) -> DigitSet:
    """MNIST from the archives, else from prepared data, else downloaded; 60,000 and 10,000 images.

    The same in every bit wherever it comes from, also in the order of its images: tensorflow-datasets' own.

    Raises: UsageError for a missing or altered archive; RunError if it cannot be had.
    """
    contents = read_archives(archives) if archives is not None else None
    digits = _read_cache(data_dir)
    if digits is None:
        digits = _mnist_set(_unpack(contents)) if contents else _from_tensorflow_datasets(_data_dir(data_dir))
        write_cache(data_dir, digits)
    return digits


def _data_dir(data_dir: Path | None) -> Path:
    """The folder of tensorflow-datasets: the one given, $TFDS_DATA_DIR, or its default."""
    folder = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    try:
        return Path(folder).expanduser()
    except RuntimeError as error:
        raise RunError(f"mnist: {folder} is nowhere: there is no such home folder; see `data_dir`") from error


def _mnist_set(arrays: dict[str, np.ndarray]) -> DigitSet:
    digits = DigitSet(name="mnist", **arrays, held_out_count=5_000, passes_per_epoch=1)
    for labels, expected in ((digits.train_labels, TRAIN_COUNTS), (digits.test_labels, TEST_COUNTS)):
        found = tuple(np.bincount(labels, minlength=10).tolist())
        if found != expected:
            raise RunError(f"mnist: {found} images of the digits 0 to 9, expected {expected}")
    return digits


def read_archives(folder: Path) -> dict[str, bytes]:
    """The contents of the four archives by file name.

    Raises: UsageError that names the first file that is missing or differs.
    """
    contents = {}
    for name, (size, checksum) in ARCHIVES.items():
        path = folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise UsageError(
                f"{path} is missing, expected the four original MNIST archives; see `mnist_archives`"
            ) from None
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}); see `mnist_archives`") from error
        if hashlib.sha256(content).hexdigest() != checksum:
            raise UsageError(
                f"{path} is not the original MNIST archive ({len(content)} bytes, expected {size} and "
                f"sha256 {checksum[:12]}...); copy or download it again"
            )
        contents[name] = content
    return contents


def _unpack(contents: dict[str, bytes]) -> dict[str, np.ndarray]:
    """Archives that were checked as arrays, in tensorflow-datasets' order."""
    arrays = {}
    for split, prefix in (("train", "train"), ("test", "t10k")):
        pixels = gzip.decompress(contents[f"{prefix}-images-idx3-ubyte.gz"])
        labels = np.frombuffer(gzip.decompress(contents[f"{prefix}-labels-idx1-ubyte.gz"]), np.uint8, offset=8)
        order = _order(split, len(labels))
        arrays[f"{split}_images"] = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28, 28, 1)[order]
        arrays[f"{split}_labels"] = labels[order]
    return arrays


def _order(split: str, count: int) -> list[int]:
    """The order in which tensorflow-datasets keeps a split: by the MD5 of its name and the image's index."""
    return sorted(range(count), key=lambda index: hashlib.md5(f"{split}{index}".encode()).digest())


def _from_tensorflow_datasets(data_dir: Path) -> DigitSet:
    """Prepared data, or what is now downloaded and prepared.

    Raises: RunError if it is damaged or cannot be had.
    """
    import tensorflow_datasets as tfds

    folder = data_dir / "mnist" / "3.0.1"
    if not os.path.exists(folder):
        _prepare(data_dir)
    with _in_one_line(f"mnist: the data in {folder} is damaged", "delete that folder, or choose another `data_dir`"):
        return _mnist_set(_decode(tfds.builder_cls("mnist")(data_dir=data_dir)))


@contextlib.contextmanager
def _in_one_line(what: str, remedy: str) -> Iterator[None]:
    """Turn all that tensorflow-datasets may raise, which is a lot, into RunError."""
    try:
        yield
    except (_Unreachable, Interrupted, MemoryError):
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
    """Raise _Unreachable within seconds where a download would retry for minutes."""
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
        raise _Unreachable(f"mnist: {host} cannot be reached ({why}); connect to the network or see `mnist_archives`")


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


def _cache(data_dir: Path | None) -> Path:
    return _data_dir(data_dir) / "keras_mnist" / "mnist-3.0.1.npz"


def _read_cache(data_dir: Path | None) -> DigitSet | None:
    """The decoded arrays kept beside the prepared data, or None: damaged in any way, they count as absent."""
    try:
        with np.load(_cache(data_dir), allow_pickle=False) as arrays:
            return _mnist_set(dict(arrays))
    except Interrupted:
        raise
    except Exception:
        return None


def write_cache(data_dir: Path | None, digits: DigitSet) -> None:
    """Keep the decoded arrays: decoding 70,000 PNG images takes four seconds, reading these a tenth of one."""
    arrays = {name: value for name, value in vars(digits).items() if isinstance(value, np.ndarray)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    with contextlib.suppress(OSError, RunError):  # a folder that cannot be written, or is nowhere, is only slower
        write_whole(_cache(data_dir), buffer.getbuffer())


def embedded_digits() -> DigitSet:
    """scikit-learn's 1,797 handwritten digits, drawn as MNIST draws its own; 1,400 to train and 397 to test.

    An epoch shows each training image ten times, augmented anew, so that recipes written for 60,000 images get
    enough steps.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI), in sklearn.datasets.load_digits.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = draw_as_mnist(digits.images)
    labels = digits.target.astype(np.uint8)
    train, test = stratified_split(labels, 397)
    return DigitSet(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        held_out_count=140,
        passes_per_epoch=10,
    )


def draw_as_mnist(scans: np.ndarray) -> np.ndarray:
    """Enlarge 8x8 scans of 0..16 to 28x28 images of 0..255, as MNIST was made: (n, 8, 8) -> (n, 28, 28, 1) uint8.

    Each digit's bounding box is scaled to 20 pixels along its longer side, its centre of mass put in the middle.
    """
    import tensorflow as tf

    matrices = []
    for scan in scans:
        rows, columns = np.nonzero(scan)
        step = max(np.ptp(rows) + 1, np.ptp(columns) + 1) / 20  # scan pixels per image pixel
        row, column = np.average(rows, weights=scan[rows, columns]), np.average(columns, weights=scan[rows, columns])
        matrices.append([step, 0, column - 13.5 * step, 0, step, row - 13.5 * step, 0, 0])
    images = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.constant(scans[..., None] * (255 / 16), tf.float32),
        transforms=tf.constant(matrices, tf.float32),
        output_shape=(28, 28),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return np.rint(images.numpy()).astype(np.uint8)


def stratified_split(labels: np.ndarray, held_out: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (kept, held out), each class in its share; fixed: it depends on nothing but the labels.

    scikit-learn has this too, and importing it takes longer than everything else between TensorFlow and the first step.
    """
    generator = np.random.RandomState(0)  # whose numbers never change, unlike default_rng's
    exact = np.bincount(labels) * held_out / len(labels)
    share = np.floor(exact).astype(int)
    share[np.argsort(share - exact, kind="stable")[: held_out - share.sum()]] += 1  # the largest remainders
    by_class = [np.flatnonzero(labels == label) for label in range(len(share))]
    chosen = [generator.permutation(indices)[:count] for indices, count in zip(by_class, share, strict=True)]
    aside = np.zeros(len(labels), bool)
    aside[np.concatenate(chosen)] = True
    return np.flatnonzero(~aside), np.flatnonzero(aside)
