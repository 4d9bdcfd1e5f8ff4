"""What the page makes of pictures, in headless Chromium, beside what Python does."""

import base64
import json

import numpy as np
import pytest
from scipy import ndimage

from keras_mnist.data.picture_files import open_array, read_pictures
from keras_mnist.data.preprocess import read_digits
from keras_mnist.errors import UsageError
from keras_mnist.results.page import PARTS, SCRIPTS
from tests.pictures import make

FIND = """
() => pictures.map(([text, rows, columns]) => {
  const values = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return preprocess({ values, rows, columns }).map(({ pixels }) => btoa(String.fromCharCode(...pixels)));
})
"""


def on_page(opened, folder, greys):
    """The digits that the page's scripts find in each picture, in a page without anything else."""
    pictures = json.dumps([[base64.b64encode(grey.tobytes()).decode(), *grey.shape] for grey in greys])
    scripts = [(PARTS / f"{name}.js").read_text() for name in ("network", *SCRIPTS[: SCRIPTS.index("preprocess") + 1])]
    path = folder / "pictures.html"
    path.write_text("<script>" + "\n".join([*scripts, f"const pictures = {pictures};"]) + "</script>")
    found = opened(path).evaluate(FIND)
    return [[np.frombuffer(base64.b64decode(text), np.uint8) for text in images] for images in found]


def of_python(grey):
    try:
        return read_digits(open_array(grey)).images.reshape(-1, 28 * 28).astype(int)
    except UsageError:
        return np.zeros((0, 28 * 28), int)


def assert_alike(pictures, found):
    """As many digits, and no pixel differs by more than one grey level, where a half is rounded."""
    for (name, grey), images in zip(pictures.items(), found, strict=True):
        expected = of_python(grey)
        assert len(images) == len(expected), name
        assert np.abs(np.array(images).reshape(expected.shape) - expected).max(initial=0) <= 1, name


def shipped(pattern):
    """Those pictures that come with us, as grey as Python sees them."""
    paths = sorted(make.FOLDER.glob(pattern))
    return {str(path): next(read_pictures(path)).grey.astype(np.uint8) for path in paths}


def odd_pictures():
    """What no script of ours draws: noise, symmetric shapes, pale beside dark, one row, nothing."""
    generator = np.random.default_rng(0)
    rows, columns = np.mgrid[:90, :120]
    radius = np.hypot(rows - 44.5, columns - 60)
    pale = np.where(np.abs(radius - 30) < 6, 100, 0) + np.where((columns > 100) & (columns < 110), 255, 0)
    light = np.linspace(90, 220, 120) * np.ones((90, 1))
    blots = ndimage.gaussian_filter(generator.random((90, 120)), 2) > 0.53
    pictures = {
        "noise": generator.integers(0, 256, (40, 50)),
        "dots": (generator.random((50, 60)) < 0.05) * 255,
        "blots": 200 - blots * 90,
        "blots in uneven light": light - blots * 60,
        "bright blots in uneven light": light - 80 + blots * 60,
        "a ring": (np.abs(radius - 30) < 6) * 255,
        "a soft ring": np.clip(255 - np.abs(radius - 30) * 40, 0, 255),
        "pale beside dark": pale,
        "a frame": np.pad(np.zeros((60, 40)), 3, constant_values=255),
        "one row": generator.integers(0, 256, (1, 30)),
        "one pixel": np.full((1, 1), 7),
        "blank": np.full((30, 30), 255),
    }
    return {name: np.rint(grey).astype(np.uint8) for name, grey in pictures.items()}


def test_its_preprocessing_is_python_s(opened, tmp_path):
    pictures = odd_pictures() | shipped("seen/row/314.*") | shipped("unseen/*/7.*")
    assert_alike(pictures, on_page(opened, tmp_path, pictures.values()))


@pytest.mark.slow
def test_its_preprocessing_is_python_s_on_all_shipped_pictures(opened, tmp_path):
    pictures = shipped("*/*/*")
    assert len(pictures) == 290
    assert_alike(pictures, on_page(opened, tmp_path, pictures.values()))
