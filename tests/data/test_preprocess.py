"""What MNIST's form is, and that pictures come to it."""

import json

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import ndimage

import keras_mnist
from keras_mnist.data import preprocess as preprocessing
from keras_mnist.data.pictures import open_picture
from keras_mnist.data.preprocess import area_average, preprocess, read_digits
from keras_mnist.models import trained
from tests.data.hostile import seven
from tests.pictures import make, score

GREY = np.asarray(seven())


def test_an_image_has_the_form_of_mnist():
    for picture in (seven(), seven().resize((37, 45)), seven(size=(200, 130))):
        image = keras_mnist.preprocess(picture)
        assert image.shape == (1, 28, 28, 1) and image.dtype == np.uint8 and image.max() == 255
        rows, columns = np.nonzero(image[0, ..., 0])
        assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
        assert all(13.5 <= mass <= 14.5 for mass in ndimage.center_of_mass(image[0, ..., 0]))


def test_place_polarity_and_size_do_not_matter():
    usual = preprocess(seven()).astype(int)
    assert np.array_equal(preprocess(ImageOps.invert(seven())), usual)
    assert np.array_equal(preprocess(ImageOps.expand(seven(), (50, 3, 7, 90), fill=255)), usual)
    for times in (2, 5):
        large = seven().resize((100 * times, 120 * times), Image.Resampling.NEAREST)
        assert np.abs(preprocess(large) - usual).max() <= 1


def test_light_does_not_matter():
    shadow = np.where(np.arange(100) < 50, 1.0, 0.5) * np.linspace(1, 0.6, 120)[:, None]
    reading = read_digits(open_picture(Image.fromarray((np.maximum(GREY, 20) * shadow).astype(np.uint8))))
    assert "light evened out" in reading.notes and len(reading.images) == 1
    assert np.abs(reading.images.astype(int) - preprocess(seven())).mean() < 2


def test_specks_and_a_dark_table_beside_the_paper_are_left_out():
    dirty = GREY.copy()
    dirty[5:7, 80:83] = dirty[110:113, 4:6] = 0
    reading = read_digits(open_picture(Image.fromarray(dirty)))
    assert np.array_equal(reading.images, preprocess(seven())) and "2 specks left out" in reading.notes
    beside = np.hstack([GREY, np.full((120, 30), 60, np.uint8)])
    assert np.abs(preprocess(beside).astype(int) - preprocess(seven())).mean() < 2


def test_a_thin_pen_is_thickened_to_the_width_of_mnist():
    thin = Image.new("L", (400, 400), 255)
    thin.paste(0, (200, 50, 202, 350))
    reading = read_digits(open_picture(thin))
    assert "thickened" in reading.notes
    assert 2 <= np.count_nonzero(reading.images[0, 14] > 60) <= 4


def test_digits_in_a_row_are_found_from_left_to_right():
    row = ImageOps.expand(Image.fromarray(np.hstack([GREY, GREY[:, ::-1], GREY])), 20, fill=255)
    reading = read_digits(open_picture(row))
    mirrored = preprocess(ImageOps.mirror(seven()))
    assert np.array_equal(reading.images, np.concatenate([preprocess(seven()), mirrored, preprocess(seven())]))
    lefts = [box[1] for box in reading.boxes]
    assert lefts == sorted(lefts) and len(lefts) == 3


def test_a_pale_digit_beside_a_dark_one_is_read_as_if_alone():
    pale = 255 - (255 - GREY) // 3
    row = ImageOps.expand(Image.fromarray(np.hstack([GREY, pale])), 20, fill=255)
    images = preprocess(row).astype(int)
    assert len(images) == 2 and np.abs(images[1] - preprocess(seven())[0]).max() <= 1


def test_strokes_that_do_not_touch_are_one_digit():
    broken = GREY.copy()
    broken[50:56] = 255
    assert preprocess(broken).shape == (1, 28, 28, 1)


def test_area_average_gives_every_pixel_its_share():
    values = np.random.default_rng(0).random((60, 60))
    assert np.allclose(area_average(values, 20), values.reshape(20, 3, 20, 3).mean(axis=(1, 3)))
    odd = values[:33, :33]
    assert np.allclose(area_average(odd, 20), area_average(np.kron(odd, np.ones((20, 20))), 20))


def test_images_of_mnist_stay_as_they_are(mnist):
    images = mnist.test_images[:200]
    brought = np.stack([preprocess(image)[0] for image in images])
    same = np.abs(brought.astype(int) - images).mean(axis=(1, 2, 3)) < 1
    assert same.mean() > 0.95


def test_the_shipped_pictures_are_those_of_their_script():
    """Within what other versions of the JPEG and font libraries change."""
    shipped = list(make.FOLDER.rglob("*.*"))
    assert len(shipped) == 290 and sum(path.stat().st_size for path in shipped) < 400_000
    again = dict(make.pictures("7"))
    assert {make.FOLDER / path for path in again} == {path for path in shipped if path.stem == "7"}
    for path, content in again.items():
        drawn, kept = open_picture(content).grey, open_picture((make.FOLDER / path).read_bytes()).grey
        assert drawn.shape == kept.shape and np.abs(drawn - kept).mean() < 3, path


def recorded() -> dict:
    """The record of the pictures, where the package comes with the network that it is of."""
    record = json.loads(score.RECORD.read_text())
    manifest = trained.read_manifest(trained.FOLDER)
    if manifest.get(record["variant"], {}).get("run") != record["run"]:
        pytest.skip(f"the package has no trained {record['variant']} of {record['run']}, which the record is of")
    return record


def test_the_form_is_as_measured():
    form = json.loads(score.RECORD.read_text())["form"]
    assert [round(mean) for mean in form["centre_of_mass"]["mean"]] == [preprocessing.CENTRE] * 2
    measured = form["stroke_width"]["2 %"], form["stroke_width"]["median"]
    assert measured == pytest.approx((preprocessing.THINNEST, preprocessing.USUAL), rel=0.03)


def test_the_pictures_are_read_as_recorded():
    record = recorded()
    found = score.score(keras_mnist.create_model(record["variant"], weights="mnist"))
    assert score.by_kind(found) == record["kinds"]
    counts = [kind for half in record["kinds"].values() for kind in half.values()]
    assert sum(kind["right"] for kind in counts) >= 0.97 * sum(kind["digits"] for kind in counts)


@pytest.mark.slow
def test_the_way_out_of_mnist_s_form_and_back_loses_little(mnist):
    """The record has all 10,000 images, which take minutes."""
    record = recorded()
    assert record["round_trip"]["errors_after"] - record["round_trip"]["errors"] <= 10
    model = keras_mnist.create_model(record["variant"], weights="mnist")
    trip = score.round_trip(model, mnist.test_images[:1000], mnist.test_labels[:1000])
    assert trip["errors_after"] - trip["errors"] <= 3
