import functools
import gzip
import os
import shutil
import struct
import subprocess
import time
import zlib

import numpy as np
import pytest

from keras_mnist.data import digit_set, sources
from keras_mnist.data import prepared as prepared_data
from keras_mnist.errors import RunError, UsageError


def copy_archives(archives, folder):
    folder.mkdir()
    for path in archives.glob("*.gz"):
        shutil.copyfile(path, folder / path.name)
    return folder


def png(pixels):
    """An image (28, 28, 1) as a PNG file: what takes TensorFlow half a minute for all images, in five seconds."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)
    rows = np.pad(pixels[..., 0], ((0, 0), (1, 0))).tobytes()  # each begins with its filter: none
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def from_disk(patch, archives):
    """Let tensorflow-datasets find the archives on the disk in place of a download."""
    import tensorflow_datasets as tfds  # here, for it takes seconds

    patch.setattr(tfds.features.Image, "encode_example", lambda self, pixels: png(pixels))
    patch.setattr(prepared_data, "_require_reachable", lambda url: None)
    patch.setattr(tfds.download, "DownloadConfig", functools.partial(tfds.download.DownloadConfig, manual_dir=archives))


@pytest.fixture(scope="module")
def prepared(archives, tmp_path_factory):
    """A folder of tensorflow-datasets with MNIST as it prepares a download, and nothing else."""
    folder = tmp_path_factory.mktemp("prepared")
    # Where tensorflow-datasets caches extractions lies a file of the right name with other labels: it is not read.
    stale = folder / "downloads" / "extracted" / "GZIP.train-labels-idx1-ubyte.gz"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(bytes(60_008))
    with pytest.MonkeyPatch.context() as patch:
        from_disk(patch, archives)
        prepared_data._prepare(folder)
    return folder


def same_arrays(one, other):
    names = ("train_images", "train_labels", "test_images", "test_labels")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_embedded_digits_are_divided_in_fixed_stratified_parts(digits):
    assert digits.train_images.shape == (1400, 28, 28, 1)
    assert digits.test_images.shape == (397, 28, 28, 1)
    shares = [np.bincount(labels) / len(labels) for labels in (digits.train_labels, digits.test_labels)]
    np.testing.assert_allclose(shares[0], shares[1], atol=0.002)
    again = sources.embedded_digits()
    np.testing.assert_array_equal(digits.train_images, again.train_images)
    train = {image.tobytes() for image in digits.train_images}
    assert not train & {image.tobytes() for image in digits.test_images}


def test_embedded_digits_fill_twenty_pixels_about_the_middle_as_mnist_does(digits):
    images = digits.train_images[..., 0].astype(float)
    rows, columns = np.mgrid[:28, :28]
    weight = images.sum(axis=(1, 2))
    assert abs((images * rows).sum(axis=(1, 2)) / weight - 13.5).max() < 0.6
    assert abs((images * columns).sum(axis=(1, 2)) / weight - 13.5).max() < 0.6
    heights = [np.ptp(np.nonzero(image.max(axis=1) > 64)[0]) + 1 for image in images]
    assert 17 <= np.median(heights) <= 21
    assert np.median(images.max(axis=(1, 2))) > 200


def test_the_held_out_part_is_fixed_stratified_and_apart():
    labels = np.repeat(np.arange(10), 100)
    kept, held_out = digit_set.stratified_split(labels, 100)
    assert np.bincount(labels[held_out]).tolist() == [10] * 10
    assert sorted([*kept, *held_out]) == list(range(1000))
    np.testing.assert_array_equal(held_out, digit_set.stratified_split(labels, 100)[1])


def test_mnist_comes_from_the_archives_pixel_by_pixel(mnist, archives):
    with gzip.open(archives / "train-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(60_000, 28 * 28)
    with gzip.open(archives / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    # tensorflow-datasets keeps another order: compare sums over each class.
    ours = mnist.train_images.reshape(60_000, 28 * 28)
    for digit in range(10):
        expected = pixels[labels == digit].sum(axis=0, dtype=np.int64)
        np.testing.assert_array_equal(ours[mnist.train_labels == digit].sum(axis=0, dtype=np.int64), expected)
    assert len(mnist.test_labels) == 10_000


@pytest.mark.slow
def test_prepared_data_and_archives_give_the_same_images_in_the_same_order(mnist, prepared):
    found = sources.mnist(prepared)
    assert same_arrays(found, mnist)
    assert found.train_labels[:5].tolist() == [4, 1, 0, 7, 8]
    assert sorted(p.name for p in prepared.iterdir()) == ["downloads", "keras_mnist", "mnist"]
    assert not (prepared / "mnist" / "keras_mnist_private").exists()


def seconds_of(call):
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


@pytest.mark.slow
def test_what_was_read_once_is_there_at_once_and_a_damaged_cache_is_made_anew(mnist, archives, tmp_path):
    first = seconds_of(lambda: sources.mnist(tmp_path, archives))
    cache = tmp_path / "keras_mnist" / "mnist-3.0.1.npz"
    assert seconds_of(lambda: sources.mnist(tmp_path)) < first / 2
    assert same_arrays(sources.mnist(tmp_path), mnist)
    content = bytearray(cache.read_bytes())
    content[20_000_000] ^= 255
    np.savez(tmp_path / "other.npz", train_images=mnist.train_images)
    swapped = mnist.train_labels[::-1] // 2
    arrays = {"train_images": mnist.train_images, "test_images": mnist.test_images, "test_labels": mnist.test_labels}
    np.savez(tmp_path / "wrong.npz", train_labels=swapped, **arrays)
    for damaged in (content, b"", (tmp_path / "other.npz").read_bytes(), (tmp_path / "wrong.npz").read_bytes()):
        cache.write_bytes(damaged)
        assert same_arrays(sources.mnist(tmp_path, archives), mnist)
        assert same_arrays(sources.mnist(tmp_path), mnist)


@pytest.mark.parametrize("folder", ["/proc/data", "~nobody_of_that_name/data", "a file"])
def test_archives_need_no_folder_that_can_be_written(mnist, archives, folder, tmp_path, capsys):
    (tmp_path / "a file").write_text("")
    folder = tmp_path / folder if folder == "a file" else folder
    assert same_arrays(sources.load_data("auto", folder, archives), mnist)
    assert capsys.readouterr() == ("", "")


def test_a_folder_of_nobody_is_refused_in_one_line(monkeypatch):
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)
    with pytest.raises(RunError, match="~nobody_of_that_name/data is nowhere.*`data_dir`"):
        sources.load_data("auto", "~nobody_of_that_name/data")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("victim", "harm"),
    [
        ("mnist-train.tfrecord-00000-of-00001", lambda path: path.unlink()),
        ("mnist-train.tfrecord-00000-of-00001", lambda path: os.truncate(path, 1_000_000)),
        ("mnist-train.tfrecord-00000-of-00001", lambda path: os.truncate(path, 0)),
        ("dataset_info.json", lambda path: os.truncate(path, 0)),
        ("dataset_info.json", lambda path: path.unlink()),
    ],
)
def test_damaged_prepared_data_is_named_with_the_remedy(prepared, tmp_path, monkeypatch, victim, harm):
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)
    shutil.copytree(prepared / "mnist", tmp_path / "mnist")
    folder = tmp_path / "mnist" / "3.0.1"
    harm(folder / victim)
    with pytest.raises(RunError) as error:
        sources.load_data("auto", tmp_path)
    message = str(error.value)
    assert message.startswith(f"mnist: the data in {folder} is damaged (") and "\n" not in message
    assert "delete that folder, or choose another `data_dir`" in message
    assert not (tmp_path / "keras_mnist").exists()


@pytest.mark.parametrize("size", ["1m", "20m"])
def test_a_full_disk_while_preparing_is_one_line_and_leaves_nothing(archives, tmp_path, monkeypatch, size):
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", tmp_path]).returncode:
        pytest.skip("no small disk can be mounted here")
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)
    from_disk(monkeypatch, archives)
    try:
        with pytest.raises(RunError) as error:
            sources.load_data("auto", tmp_path)
        left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    finally:
        subprocess.run(["umount", tmp_path], check=True)
    message = str(error.value)
    assert message.startswith(f"mnist: cannot prepare the data in {tmp_path / 'mnist'} (") and "\n" not in message
    assert "No space left" in message and message.endswith("make room there, or see `data_dir` and `mnist_archives`")
    assert left == [".keras_mnist.lock"]


@pytest.mark.parametrize("harm", ["missing", "empty", "cut short", "altered", "swapped"])
def test_a_bad_archive_is_named_even_where_prepared_data_is_there(harm, archives, tmp_path):
    folder = copy_archives(archives, tmp_path / "archives")
    victim = folder / "train-labels-idx1-ubyte.gz"
    content = victim.read_bytes()
    changed = {
        "empty": b"",
        "cut short": content[:5000],
        "altered": content[:5000] + b"x" + content[5001:],
        "swapped": (folder / "t10k-labels-idx1-ubyte.gz").read_bytes(),
    }
    victim.unlink() if harm == "missing" else victim.write_bytes(changed[harm])
    with pytest.raises(UsageError) as error:
        sources.load_data("auto", tmp_path / "data", folder)
    assert str(victim) in str(error.value)
    assert not (tmp_path / "data").exists()


@pytest.fixture
def offline(monkeypatch):
    def refuse(*arguments, **options):
        raise OSError("Name or service not known")

    monkeypatch.setattr(prepared_data.urllib.request, "urlopen", refuse)
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)


def test_without_mnist_auto_says_loudly_that_it_takes_the_embedded_digits(offline, tmp_path, capsys):
    assert sources.load_data("auto", tmp_path).name == "digits"
    said = capsys.readouterr().err
    for words in ("embedded digits, not MNIST", "1,797", "--mnist-archives", "storage.googleapis.com"):
        assert words in said


def test_without_mnist_asking_for_it_fails_in_one_line(offline, tmp_path):
    with pytest.raises(RunError, match="cannot be reached .*; connect to the network or see `mnist_archives`"):
        sources.load_data("mnist", tmp_path)


def test_a_host_that_never_answers_costs_seconds(monkeypatch, tmp_path):
    def silent(*arguments, **options):
        time.sleep(30)
        raise TimeoutError

    monkeypatch.setattr(prepared_data, "REACH_SECONDS", 0.2)
    monkeypatch.setattr(prepared_data.urllib.request, "urlopen", silent)
    started = time.perf_counter()
    with pytest.raises(RunError, match="no answer"):
        prepared_data._require_reachable("https://example.invalid/file")
    assert time.perf_counter() - started < 20


def test_an_unknown_data_set_is_refused():
    with pytest.raises(UsageError, match="'fashion', expected one of auto, mnist, digits"):
        sources.load_data("fashion")


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        ("train_labels", np.zeros(1400, np.uint8), "0 to 9"),
        ("train_images", np.zeros((1400, 28, 28), np.uint8), "expected uint8"),
        ("test_labels", np.arange(10, dtype=np.uint8), "test images"),
    ],
)
def test_sizes_and_labels_are_checked(digits, part, value, words):
    with pytest.raises(RunError, match=words):
        digit_set.DigitSet(**{**vars(digits), part: value})


def test_prepared_data_of_another_set_is_refused(mnist):
    """Fashion-MNIST has the same names, sizes and label range."""
    arrays = {name: getattr(mnist, name) for name in ("train_images", "train_labels", "test_images", "test_labels")}
    even = np.repeat(np.arange(10, dtype=np.uint8), 6000)
    with pytest.raises(RunError, match="images of the digits 0 to 9, expected "):
        digit_set.mnist_set({**arrays, "train_labels": even})
