import functools

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_mnist.data import augment as module
from keras_mnist.data.augment import augment
from keras_mnist.optimizations import WITHOUT
from keras_mnist.recipe import Augmentation

SEED = tf.constant([1, 2], tf.int64)
DISTORTIONS = {
    "rotation": Augmentation(rotation_degrees=20),
    "affine": Augmentation(translate_pixels=2, scale=0.1, shear_degrees=10),
    "crop_and_resize": Augmentation(crop_pixels=22, crop_probability=0.5),
    "elastic": Augmentation(elastic_alpha=8, elastic_sigma=3),
    "all": Augmentation(22, 0.5, rotation_degrees=7, translate_pixels=2, scale=0.1, shear_degrees=5, elastic_alpha=8),
}


def test_every_distortion_is_tested_here():
    assert set(module.DISTORTIONS) == DISTORTIONS.keys() - {"all"}


def given_by(name, images, augmentation):
    """What one distortion gives by itself, with the random numbers that `augment` hands it."""
    stream = list(module.DISTORTIONS).index(name)
    return module.DISTORTIONS[name].function(
        images, functools.partial(module._uniform, images, SEED, stream), augmentation
    )


@pytest.fixture
def images(digits):
    return digits.train_images[:16]


@pytest.mark.parametrize("name", DISTORTIONS)
def test_a_distortion_is_a_pure_function_of_batch_and_seed(name, images):
    once, again, other = (augment(images, seed, DISTORTIONS[name]) for seed in (SEED, SEED, SEED + 1))
    assert once.dtype == tf.float32 and once.shape == images.shape
    np.testing.assert_array_equal(once, again)
    assert np.abs(once - other).max() > 10
    data = tf.data.Dataset.from_tensors(images).map(lambda batch: augment(batch, SEED, DISTORTIONS[name]))
    np.testing.assert_allclose(next(iter(data)), once, atol=2e-3)


@pytest.mark.parametrize("name", DISTORTIONS)
def test_brightness_stays_in_range_and_what_lies_beyond_is_black(name, images):
    result = augment(images, SEED, DISTORTIONS[name]).numpy()
    assert result.min() >= 0 and result.max() <= 255.01
    bright = np.full_like(images, 255)
    if name != "crop_and_resize":  # it samples inside the image alone
        assert augment(bright, SEED, DISTORTIONS[name]).numpy().min() < 100


def test_images_of_a_batch_are_distorted_differently(images):
    same = np.repeat(images[:1], 8, axis=0)
    for name, augmentation in DISTORTIONS.items():
        result = augment(same, SEED, augmentation).numpy()
        assert len({image.tobytes() for image in result}) >= (2 if name == "crop_and_resize" else 8), name


def test_nothing_asked_for_changes_nothing(images):
    np.testing.assert_array_equal(augment(images, SEED, Augmentation()), images.astype(np.float32))
    never = Augmentation(crop_pixels=22, crop_probability=0)
    np.testing.assert_array_equal(augment(images, SEED, never), images.astype(np.float32))


def test_rotation_agrees_with_scipy(images):
    degrees = 30
    (numbers,) = module._uniform(images, SEED, list(module.DISTORTIONS).index("rotation"), 1)
    result = augment(images, SEED, Augmentation(rotation_degrees=degrees)).numpy()
    for image, share, turned in zip(images, numbers.numpy(), result, strict=True):
        expected = scipy.ndimage.rotate(image[..., 0].astype(float), share * degrees, reshape=False, order=1)
        # scipy fills from beyond the border differently: compare where digits are.
        np.testing.assert_allclose(turned[2:-2, 2:-2, 0], expected[2:-2, 2:-2], atol=0.5)


def test_crop_and_resize_agrees_with_tensorflow(images):
    result = augment(images, SEED, Augmentation(crop_pixels=22, crop_probability=1.0)).numpy()
    expected = tf.image.resize(images[:, 3:25, 3:25], (28, 28)).numpy()
    # At the crop's own border resizing repeats its pixels; here what lies beyond is seen.
    np.testing.assert_allclose(result[:, 1:-1, 1:-1], expected[:, 1:-1, 1:-1], atol=0.01)


def test_translation_moves_whole_pixels(images):
    matrices = tf.constant(np.tile([[1, 0, 2], [0, 1, -3], [0, 0, 1]], (len(images), 1, 1)), tf.float32)
    moved = module._resample(tf.cast(images, tf.float32), matrices, None).numpy()
    np.testing.assert_allclose(moved[:, 3:, :-2], images[:, :-3, 2:])
    assert not moved[:, :3].any() and not moved[:, :, -2:].any()


@pytest.mark.parametrize("name", DISTORTIONS)
def test_resampling_without_our_own_operation_gives_the_same(name, images, monkeypatch):
    fast = augment(images, SEED, DISTORTIONS[name])
    monkeypatch.setenv(WITHOUT, "resampling")
    np.testing.assert_allclose(fast, augment(images, SEED, DISTORTIONS[name]), atol=0.01)


def test_resampling_agrees_with_tensorflow_s_own(images):
    floats = tf.cast(images, tf.float32)
    everything = Augmentation(rotation_degrees=20, translate_pixels=3, scale=0.2, shear_degrees=10)
    parts = [given_by(name, floats, everything) for name in ("rotation", "affine")]
    matrices = module._about_the_centre(floats, parts[0] @ parts[1])
    theirs = tf.raw_ops.ImageProjectiveTransformV3(
        images=floats,
        transforms=tf.reshape(matrices, (-1, 9))[:, :8],
        output_shape=(28, 28),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
    )
    np.testing.assert_allclose(module._resample(floats, matrices, None), theirs, atol=0.1)


def test_elastic_distortion_has_the_strength_that_smoothed_noise_has():
    alpha, sigma = 8.0, 3.0
    batch = tf.zeros((200, 28, 28, 1))
    augmentation = Augmentation(elastic_alpha=alpha, elastic_sigma=sigma)
    shift = given_by("elastic", batch, augmentation).numpy()[:, 10:18, 10:18]
    # Uniform noise has variance 1/3; a Gaussian filter in two dimensions keeps 1/(4 pi sigma^2) of it.
    expected = alpha * np.sqrt(1 / 3 / (4 * np.pi * sigma**2))
    assert shift.std() == pytest.approx(expected, rel=0.05)
    assert abs(shift.mean()) < expected / 10


HOSTILE = [np.nan, np.inf, -np.inf, 1e38, -1e38, 1e-45, -1e-45, 2.0**31, -(2.0**31), 1e10]


@pytest.mark.parametrize("without", ["", "resampling"])
def test_resampling_survives_any_coordinate(without, images, monkeypatch):
    monkeypatch.setenv(WITHOUT, without)
    floats = tf.cast(images, tf.float32)
    shift = np.zeros((16, 28, 28, 2), np.float32)
    shift[..., 0].flat[: len(HOSTILE)] = shift[..., 1].flat[28 : 28 + len(HOSTILE)] = HOSTILE
    matrices = np.tile(np.eye(3, dtype=np.float32), (16, 1, 1))
    matrices[1:11, 0, 0] = matrices[6:16, 1, 2] = HOSTILE
    result = module._resample(floats, tf.constant(matrices), tf.constant(shift)).numpy()
    assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 255
    assert not result[1:3].any()  # NaN and infinity lead outside
    nowhere = module._resample(floats, tf.fill((16, 3, 3), np.float32(np.nan)), None)
    np.testing.assert_array_equal(nowhere, np.zeros_like(images))


@pytest.mark.parametrize("without", ["", "resampling"])
@pytest.mark.parametrize("sigma", [1e-300, 1e-45, 1e-19, 0.01, 0.3, 1e19, 1e300])
@pytest.mark.parametrize("alpha", [1.0, 200.0, 1e300])
def test_an_elastic_distortion_survives_any_smoothing(sigma, alpha, without, images, monkeypatch):
    monkeypatch.setenv(WITHOUT, without)
    settings = {"elastic_alpha": alpha, "elastic_sigma": sigma, "rotation_degrees": 7}
    augmentation = Augmentation(rotation_degrees=7)
    for name, value in settings.items():  # past the recipe's ranges
        object.__setattr__(augmentation, name, value)
    result = augment(images, SEED, augmentation).numpy()
    assert np.isfinite(result).all() and result.min() >= 0 and result.max() <= 255.01


def test_narrow_smoothing_changes_nothing_and_never_strengthens():
    np.testing.assert_array_equal(module._gaussian(28, 1e-19), np.eye(28))
    for sigma in (0.05, 0.1, 0.3, 0.39, 0.4, 0.5, 3.0, 1e300):
        matrix = module._gaussian(28, sigma).numpy()
        assert np.isfinite(matrix).all() and np.linalg.norm(matrix, 2) <= 1.1, sigma


@pytest.fixture
def registered():
    """Register distortions for one test."""
    before = dict(module.DISTORTIONS)
    yield module.distortion
    for name in module.DISTORTIONS.keys() - before.keys():
        del module.DISTORTIONS[name]


def test_a_registered_distortion_is_applied_with_numbers_of_its_own(registered, images):
    before = augment(images, SEED, DISTORTIONS["all"])

    @registered("pixels")
    def noise(images, uniform, augmentation):
        (numbers,) = uniform(1, (28, 28, 1))
        return images + numbers

    @registered("pixels")
    def never(images, uniform, augmentation):
        return None

    @registered("pixels")
    def twice(images, uniform, augmentation):
        return images * 2

    with_noise = augment(images, SEED, DISTORTIONS["all"]) / 2
    difference = with_noise - before
    assert -1 <= difference.numpy().min() < -0.9 and 0.9 < difference.numpy().max() <= 1
    alone = augment(images, SEED, Augmentation()) / 2 - images.astype(np.float32)
    np.testing.assert_allclose(alone, difference, atol=1e-4)

    @registered("shift")
    def left(images, uniform, augmentation):
        return tf.ones((*images.shape[:3], 2)) * (1.0, 0.0)

    @registered("matrix")
    def up(images, uniform, augmentation):
        return tf.constant([[[1, 0, 0], [0, 1, 2], [0, 0, 1]]] * len(images), tf.float32)

    moved = augment(images, SEED, Augmentation()) / 2 - alone
    np.testing.assert_allclose(moved[:, :-2, :-1], images[:, 2:, 1:], atol=1e-3)


def test_a_distortion_of_no_known_kind_or_of_a_taken_name_is_an_error(registered):
    with pytest.raises(ValueError, match="kind of distortion is 'colour', expected one of matrix, shift, pixels"):
        registered("colour")

    def rotation(images, uniform, augmentation):
        return images

    with pytest.raises(ValueError, match="distortion 'rotation' is defined twice"):
        registered("pixels")(rotation)
