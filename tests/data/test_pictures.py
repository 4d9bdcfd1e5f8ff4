"""Pictures of every make, good and bad: read, or refused in one line."""

import sys

import numpy as np
import pytest
from PIL import Image

from keras_mnist.data import pictures
from keras_mnist.data.pictures import open_picture
from keras_mnist.data.preprocess import Reading, preprocess, read_digits, read_files
from keras_mnist.errors import UsageError
from tests.data.hostile import SAVED, alike, header_of_a_bomb, idx, mutated, saved, seven

GREY = np.asarray(seven())
GOOD = {
    "bilevel": (saved(seven("1", 1)), "inverted"),
    "16 bits": (saved(Image.fromarray(GREY.astype(np.uint16) * 16)), "values 0 to 4080 stretched"),
    "32 bits": (saved(Image.fromarray(GREY.astype(np.int32)), "TIFF"), "values 0 to 255 stretched"),
    "real numbers": (saved(Image.fromarray(GREY / np.float32(255)), "TIFF"), "values 0 to 1 stretched"),
    "CMYK": (saved(seven("RGB", "white").convert("CMYK"), "TIFF"), "CMYK in RGB"),
    "a palette": (saved(seven("RGB", "white").quantize(4), "GIF"), "inverted"),
    "dark on nothing": (saved(seven("LA", (0, 0), (0, 255))), "laid on white"),
    "bright on nothing": (
        saved(seven("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)), "WEBP", lossless=True),
        "laid on black",
    ),
    "frames": (saved(seven(), "GIF", save_all=True, append_images=[seven(ink=200)]), "first of 2 frames"),
    "yellow on white": (saved(seven("RGB", "white", "yellow")), "inverted"),
}


@pytest.mark.parametrize("name", GOOD)
def test_any_make_of_picture_gives_the_same_digit(name):
    content, note = GOOD[name]
    reading = read_digits(open_picture(content))
    assert np.array_equal(reading.images, preprocess(seven())) and note in reading.notes


@pytest.mark.parametrize("form", SAVED.values())
def test_every_format_is_read(form):
    images = read_digits(open_picture(saved(seven("RGB", "white", "navy"), form))).images
    assert alike(images, preprocess(seven()))


@pytest.mark.parametrize("mark", range(1, 9))
def test_a_picture_is_turned_as_its_mark_says(mark):
    """Pillow's own transposition undoes ours."""
    exif = Image.Exif()
    exif[274] = mark
    ways = [None, 0, 3, 1, 5, 2, 6, 4]  # that bring a picture into the position of each mark
    lying = seven() if mark == 1 else seven().transpose(Image.Transpose(ways[mark - 1]))
    for form in ("PNG", "JPEG", "TIFF"):
        reading = read_digits(open_picture(saved(lying, form, exif=exif)))
        assert alike(reading.images, preprocess(seven())), form


PNG, JPEG = saved(seven()), saved(seven(size=(400, 400)), "JPEG")
BAD = {
    "nothing": (b"", "empty, expected PNG, JPEG, "),
    "a text": (b"not a picture", "not a picture, or damaged, expected PNG, JPEG, "),
    "PostScript, which Pillow would run": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    "half a PNG": (PNG[: len(PNG) // 2], r"a damaged picture \(.*truncated"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], r"a damaged picture \(.*truncated"),
    "a bomb": (header_of_a_bomb(), "a picture of more than 64 million pixels; make it smaller"),
    "a small bomb": (header_of_a_bomb(9_000, 8_000), "a picture of more than 64 million pixels; make it smaller"),
    "blank": (saved(Image.new("L", (80, 80), 200)), "nothing drawn"),
    "noise": (saved(Image.effect_noise((100, 100), 12)), "nothing drawn"),
    "a page of text": (saved(Image.fromarray(np.tile(GREY, (1, 70)))), "70 strokes, as of a page of text, expected"),
    "transparent": (saved(Image.new("RGBA", (80, 80))), "nothing drawn: the picture is transparent everywhere"),
    "one pixel": (saved(Image.new("L", (1, 1))), "nothing drawn"),
    "half black": (saved(Image.fromarray(np.repeat(np.uint8([[0, 255]]), [40, 40], 1).repeat(80, 0))), "nothing drawn"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_refused_in_one_line(name):
    content, why = BAD[name]
    with pytest.raises(UsageError, match=why) as refusal:
        read_digits(open_picture(content))
    assert "\n" not in str(refusal.value)


def test_heic_without_its_extra_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(UsageError, match=r'pip install "keras-mnist\[heic\]"'):
        open_picture(b"\0\0\0\x18ftypheic" + bytes(50))


def test_heic_is_read():
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")
    pillow_heif.register_heif_opener()
    content = saved(seven("RGB", "white", "navy"), "HEIF", quality=95)
    assert alike(read_digits(open_picture(content)).images, preprocess(seven()))


def test_a_large_picture_is_made_smaller_first():
    large = seven().resize((2000, 2400), Image.Resampling.BICUBIC)
    for form in ("PNG", "JPEG"):
        picture = open_picture(saved(large, form))
        assert max(picture.image.size) <= pictures.LONGEST
        assert alike(read_digits(picture).images, preprocess(seven()))


@pytest.mark.parametrize(
    ("array", "why"),
    [
        (np.zeros((2, 28, 28)), r"an array \(2, 28, 28\), expected \(rows, columns\)"),
        (np.full((28, 28), np.nan), "nan to nan, expected 0..255"),
        (np.full((28, 28), -1), "an array of -1 to -1, expected 0..255"),
        (np.zeros((0, 28)), "expected a picture's numbers"),
        (np.full((28, 28), "7"), "expected a picture's numbers"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(array, why):
    with pytest.raises(UsageError, match=why):
        preprocess(array)


def test_arrays_of_other_numbers_are_the_same_picture():
    for array in (GREY / 255, GREY > 127, GREY[..., None], np.dstack([GREY] * 3), GREY.astype(np.int64)):
        assert np.array_equal(preprocess(array), preprocess(seven()))


def test_all_images_of_an_idx_file_are_read(tmp_path):
    (tmp_path / "two.idx").write_bytes(idx(np.stack([GREY, 255 - GREY])))
    assert np.array_equal(preprocess(tmp_path / "two.idx"), np.repeat(preprocess(seven()), 2, axis=0))


def test_a_folder_is_read_in_the_order_of_its_names_and_a_bad_file_stops_nothing(tmp_path):
    (tmp_path / "more").mkdir()
    for name, content in {"b.png": PNG, "more/a.JPG": JPEG, "a.png": PNG[:60], "readme.txt": b"text"}.items():
        (tmp_path / name).write_bytes(content)
    readings = read_files([tmp_path])
    assert [name.removeprefix(f"{tmp_path}/") for name in readings] == ["a.png", "b.png", "more/a.JPG"]
    assert [type(reading) for reading in readings.values()] == [UsageError, Reading, Reading]


@pytest.mark.parametrize("name", ["absent.png", "empty"])
def test_a_path_that_names_no_picture_is_refused(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="does not exist, expected a picture|holds no picture, expected PNG"):
        read_files([tmp_path / name])


def test_damaged_files_are_read_or_refused(tmp_path):
    for name, content in mutated(70, seed=1):
        (tmp_path / name).write_bytes(content)
    readings = read_files([tmp_path])
    refused = [str(reading) for reading in readings.values() if isinstance(reading, UsageError)]
    assert len(readings) >= 70 and len(refused) > 20 and not any("\n" in line for line in refused)
