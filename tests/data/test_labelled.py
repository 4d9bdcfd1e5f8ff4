import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from keras_mnist.data import npz
from keras_mnist.data.labelled import read_labelled
from keras_mnist.errors import UsageError
from tests.data import hostile

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
LABELS = np.array([0, 1, 2, 9, 1, 0], np.uint8)


def saved(path, **arrays):
    np.savez(path, **arrays)
    return path


def idx_files(folder, images=IMAGES, labels=LABELS, names=("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")):
    for name, array in zip(names, (images, labels), strict=True):
        content = hostile.idx(array)
        (folder / name).write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)
    return folder / names[0]


@pytest.mark.parametrize(
    "pair", [("x_test", "y_test"), ("images", "labels"), ("X", "y"), ("test_images", "test_labels")]
)
def test_npz_files_of_the_usual_names_are_read(pair, tmp_path):
    path = saved(tmp_path / "mine.npz", **dict(zip(pair, (IMAGES, LABELS), strict=True)), other=np.zeros(3))
    found = read_labelled(path)
    assert found.name == "mine.npz" and found.test_images.dtype == found.test_labels.dtype == np.uint8
    np.testing.assert_array_equal(found.test_images, IMAGES[..., None])
    np.testing.assert_array_equal(found.test_labels, LABELS)


@pytest.mark.parametrize(
    "images",
    [IMAGES[..., None], IMAGES.reshape(6, 784), IMAGES / 255, IMAGES.astype(">i4"), np.asfortranarray(IMAGES)],
    ids=["channel", "flat", "fractions", "big-endian", "by columns"],
)
def test_images_of_other_forms_are_the_same(images, tmp_path):
    path = tmp_path / "mine.npz"
    np.savez_compressed(path, x=images, y=LABELS.astype(np.int64)[:, None])
    found = read_labelled(path)
    np.testing.assert_array_equal(found.test_images, IMAGES[..., None])
    np.testing.assert_array_equal(found.test_labels, LABELS)


@pytest.mark.parametrize(
    "names",
    [
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte"),
        ("my-images.idx", "my-labels.idx.gz"),
    ],
)
def test_idx_images_find_their_labels(names, tmp_path):
    found = read_labelled(idx_files(tmp_path, names=names))
    assert found.name == names[0]
    np.testing.assert_array_equal(found.test_images, IMAGES[..., None])
    np.testing.assert_array_equal(found.test_labels, LABELS)


def test_the_archives_are_mnist_s_test_set(archives, mnist):
    found = read_labelled(archives / "t10k-images-idx3-ubyte.gz")
    assert found.test_images.sum(dtype=int) == mnist.test_images.sum(dtype=int)
    assert np.bincount(found.test_labels).tolist() == np.bincount(mnist.test_labels).tolist()


class Trap:
    """Whose pickle does something when it is loaded."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was loaded",)


def bomb(path):
    """An archive of an array that is much larger than its file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("x", "y"):
            archive.writestr(f"{name}.npy", bytes(5000))
    return path


def of_a_false_header(path):
    """An archive whose array says that it has a billion images."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "|u1", "fortran_order": False, "shape": (10**9, 28, 28)})
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("x", "y"):
            archive.writestr(f"{name}.npy", content.getvalue())
    return path


def cut_short(path):
    saved(path, x=IMAGES, y=LABELS)
    path.write_bytes(path.read_bytes()[:-30])
    return path


def written(path, content):
    path.write_bytes(content)
    return path


def alone(folder):
    path = idx_files(folder)
    path.with_name("t10k-labels-idx1-ubyte.gz").unlink()
    return path


WRONG = {
    "no such file": (lambda folder: folder / "mine.npz", "cannot be read .No such file"),
    "a folder": (lambda folder: folder, "is a folder, expected an NPZ file"),
    "a device": (lambda folder: Path(os.devnull), "is no ordinary file, expected an NPZ file"),
    "a letter": (lambda folder: written(folder / "a.npz", b"dear friend"), "neither NPZ nor IDX, expected"),
    "names": (lambda folder: saved(folder / "a.npz", pictures=IMAGES), "an NPZ file of pictures, expected x_test and"),
    "no labels": (lambda folder: saved(folder / "a.npz", x=IMAGES), "an NPZ file of x, expected x_test and y_test"),
    "cut short": (lambda folder: cut_short(folder / "a.npz"), "a damaged NPZ file"),
    "a pickle": (
        lambda folder: saved(folder / "a.npz", x=np.array([Trap()] * 6), y=LABELS),
        "x.npy holds Python objects, which are never loaded",
    ),
    "a bomb": (lambda folder: bomb(folder / "a.npz"), "x.npy has 5,000 bytes, expected at most 4,800"),
    "a false header": (
        lambda folder: of_a_false_header(folder / "a.npz"),
        "x.npy is damaged, expected 784,000,000,000",
    ),
    "larger": (
        lambda folder: saved(folder / "a.npz", x=np.zeros((2, 32, 32)), y=LABELS[:2]),
        r"\(2, 32, 32\), expected",
    ),
    "none": (lambda folder: saved(folder / "a.npz", x=IMAGES[:0], y=LABELS[:0]), r"images are uint8 \(0, 28, 28\)"),
    "words": (lambda folder: saved(folder / "a.npz", x=IMAGES, y=LABELS.astype(str)), "labels are <U3, expected whole"),
    "ten": (lambda folder: saved(folder / "a.npz", x=IMAGES, y=LABELS + 1), "a label is 10, expected digits 0 to 9"),
    "minus": (lambda folder: saved(folder / "a.npz", x=IMAGES, y=LABELS.astype(int) - 1), "a label is -1, expected"),
    "fewer": (lambda folder: saved(folder / "a.npz", x=IMAGES, y=LABELS[:5]), r"labels are \(5,\) for 6 images"),
    "NaN": (lambda folder: saved(folder / "a.npz", x=IMAGES * np.nan, y=LABELS), "images are of nan to nan"),
    "IDX alone": (alone, "its labels are missing, expected t10k-labels-idx1-ubyte.gz beside it"),
    "IDX without a name": (
        lambda folder: idx_files(folder, names=("digits.idx", "labels.idx")),
        "an IDX file whose name has no `images` in it",
    ),
    "IDX of few": (lambda folder: idx_files(folder, labels=LABELS[:2]), r"labels are \(2,\) for 6 images"),
    "IDX of labels": (lambda folder: idx_files(folder, images=LABELS), r"images are uint8 \(6,\), expected"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_labelled_digits_is_told_in_one_line_that_names_the_file(case, tmp_path, monkeypatch):
    make, words = WRONG[case]
    path = make(tmp_path)
    if case == "a bomb":
        monkeypatch.setattr(npz, "LARGEST", 4800)
    with pytest.raises(UsageError, match=words) as error:
        read_labelled(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
