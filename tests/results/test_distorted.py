import numpy as np
import pytest

from keras_mnist.results import distorted
from keras_mnist.results.distorted import DISTORTIONS


@pytest.fixture(scope="module")
def images(digits):
    return digits.test_images[:40]


def test_every_distortion_changes_the_images_and_gives_others_of_their_form(images):
    before = images.copy()
    for distortion in DISTORTIONS:
        found = distortion(images)
        assert (found.shape, found.dtype) == (images.shape, np.uint8)
        assert np.all(np.any(found != images, axis=(1, 2, 3))), distortion
        np.testing.assert_array_equal(found, distortion(images))
    np.testing.assert_array_equal(images, before)


def test_images_are_moved_right_down_left_and_up(images):
    moved = distorted.shift(images, 3)
    np.testing.assert_array_equal(moved[0, :, 3:], images[0, :, :-3])
    np.testing.assert_array_equal(moved[5, 3:], images[5, :-3])
    np.testing.assert_array_equal(moved[2, :, :-3], images[2, :, 3:])
    np.testing.assert_array_equal(moved[7, :-3], images[7, 3:])
    assert not moved[0, :, :3].any() and not moved[5, :3].any()


def test_images_are_turned_both_ways(images):
    turned = distorted.rotation(images, 90)
    np.testing.assert_array_equal(turned[::2], np.rot90(images[::2], axes=(1, 2)))
    np.testing.assert_array_equal(turned[1::2], np.rot90(images[1::2], -1, axes=(1, 2)))


def test_noise_has_its_deviation_and_no_two_images_the_same():
    grey = np.full((50, 28, 28, 1), 128, np.uint8)
    noisy = distorted.noise(grey, 20).astype(float)
    assert noisy.mean() == pytest.approx(128, abs=0.5) and noisy.std() == pytest.approx(20, rel=0.02)
    assert np.any(noisy[0] != noisy[1])


def test_strokes_are_thinner_and_thicker_by_pixels():
    bar = np.zeros((1, 28, 28, 1), np.uint8)
    bar[0, 5:20, 10:14] = 255
    for function, pixels, expected in ((distorted.thinner, 1, 3), (distorted.thicker, 1, 5), (distorted.thicker, 2, 6)):
        assert np.count_nonzero(function(bar, pixels)[0, 12]) == expected
