import gzip

import numpy as np
import pytest

from keras_mnist.data import idx
from keras_mnist.errors import UsageError
from tests.data import hostile


@pytest.mark.parametrize(("kind", "number"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_what_is_written_is_read(kind, number):
    array = np.arange(24).reshape(2, 3, 4).astype(f">{number}")
    content = hostile.idx(array, kind)
    for file in (content, gzip.compress(content, mtime=0)):
        assert idx.is_idx(file) and np.array_equal(idx.read_idx(file), array)


def test_the_archives_are_read(archives, mnist):
    labels = idx.read_idx((archives / "t10k-labels-idx1-ubyte.gz").read_bytes())
    images = idx.read_idx((archives / "t10k-images-idx3-ubyte.gz").read_bytes())
    assert images.shape == (10_000, 28, 28) and sorted(labels) == sorted(mnist.test_labels)


WHOLE = hostile.idx(np.zeros((2, 3), np.uint8))
WRONG = {
    WHOLE[:-1]: r"damaged IDX file: 17 bytes, expected 18 for an array of \[2, 3\]",
    WHOLE + b"x": "damaged IDX file: 19 bytes, expected 18",
    b"\0\0\x08\x03\x7f\xff\xff\xff" + bytes(8): "an empty IDX file",
    b"\0\0\x08\x09" + bytes(60): "no IDX file: it begins otherwise",
    gzip.compress(b"a letter", mtime=0): "no IDX file: it begins otherwise",
    gzip.compress(WHOLE, mtime=0)[:-9]: "a gzip file cut short",
    b"\x1f\x8b" + bytes(30): "damaged gzip file",
}


@pytest.mark.parametrize("content", WRONG)
def test_damage_is_one_line(content):
    with pytest.raises(UsageError, match=WRONG[content]):
        idx.read_idx(content)


def test_a_small_file_of_many_bytes_is_refused_before_they_are_there(monkeypatch):
    monkeypatch.setattr(idx, "LARGEST", 1000)
    with pytest.raises(UsageError, match="more than 1,000 bytes"):
        idx.read_idx(gzip.compress(bytes(10_000), mtime=0))
