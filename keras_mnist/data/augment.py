"""Random distortions of a batch of images, each a registered function of (images, uniform, augmentation).

Images are (batch, height, width, 1) float32. `uniform(count)` gives `count` random numbers in -1..1 for each image, as
columns (batch,); each distortion has a stream of its own, so that switching one on leaves the others as they were. A
distortion that is switched off gives None. There are three kinds, by what a distortion gives:

    "matrix": for each image the (3, 3) matrix that leads from a pixel (x, y, 1) of the result, measured from the
        centre, to where it is sampled in the image
    "shift": how far each pixel's sample is shifted, in pixels (batch, height, width, 2) as (x, y)
    "pixels": the images themselves, changed

All matrices are multiplied and all shifts are added before the images are sampled once, bilinear, with zeros outside.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import NamedTuple

from keras_mnist.optimizations import optimizations_in_use
from keras_mnist.recipe import Augmentation
from keras_mnist.settings import Setting, add_settings
from keras_mnist.utils.lazy import tf
from keras_mnist.utils.registry import Registry

KINDS = ("matrix", "shift", "pixels")


class Distortion(NamedTuple):
    """A registered function and what it gives."""

    kind: str
    function: Callable


DISTORTIONS = Registry("distortion")


def distortion(kind: str, **settings: Setting):
    """Register the decorated function as a distortion, with settings of its own if it has any.

    Distortions are applied in the order in which they are registered, which is also what numbers their random streams.

    Raises: ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind of distortion is {kind!r}, expected one of {', '.join(KINDS)}")

    def register(function):
        add_settings("augmentation", settings)
        DISTORTIONS[function.__name__] = Distortion(kind, function)
        return function

    return register


def augment(images, seed, augmentation: Augmentation):
    """Apply all distortions that `augmentation` asks for.

    Args:
        images: (batch, height, width, 1) of any number type.
        seed: an int tensor of shape (2,); the result is a pure function of images and seed.

    Returns: float32 images of the same shape.
    """
    plain = images = tf.cast(images, tf.float32)
    matrices, shifts = _asked_for("matrix", images, seed, augmentation), _asked_for("shift", images, seed, augmentation)
    if matrices or shifts:
        # A result of several distortions is looked up through the last one first.
        matrix = _about_the_centre(images, functools.reduce(operator.matmul, matrices)) if matrices else None
        images = _resample(images, matrix, sum(shifts[1:], shifts[0]) if shifts else None)
    images = [images, *_asked_for("pixels", images, seed, augmentation)][-1]
    if not augmentation.plain_share:
        return images
    (number,) = _uniform(images, seed, 1000, 1)
    return tf.where(((number + 1) / 2 < augmentation.plain_share)[:, None, None, None], plain, images)


def _asked_for(kind: str, images, seed, augmentation: Augmentation) -> list:
    """What the distortions of one kind give, those aside that are switched off."""
    given = []
    for stream, distortion in enumerate(DISTORTIONS.values()):
        if distortion.kind == kind:
            before = given[-1] if given and kind == "pixels" else images
            result = distortion.function(before, functools.partial(_uniform, images, seed, stream), augmentation)
            given += [] if result is None else [result]
    return given


def _uniform(images, seed, stream: int, count: int, shape: tuple[int, ...] = ()):
    """`count` numbers in -1..1 for each image, each of them with this shape: a list of (batch, *shape)."""
    key = tf.random.experimental.stateless_fold_in(seed, stream)
    return tf.unstack(tf.random.stateless_uniform((tf.shape(images)[0], count, *shape), key, -1.0, 1.0), axis=1)


def _about_the_centre(images, matrix):
    height, width = images.shape[1:3]
    to_centre = tf.constant([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]], tf.float32)
    return tf.linalg.inv(to_centre) @ matrix @ to_centre


def _matrix(rows):
    """(batch, 3, 3) matrices from two rows of three columns (batch,) each."""
    (a, b, c), (d, e, f) = rows
    zero = tf.zeros_like(a)
    return tf.stack([tf.stack([a, b, c], 1), tf.stack([d, e, f], 1), tf.stack([zero, zero, zero + 1], 1)], 1)


@distortion("matrix")
def crop_and_resize(images, uniform, augmentation):
    """Cut the central square of `crop_pixels` and enlarge it to full size, in a share `crop_probability` of images."""
    if not augmentation.crop_pixels:
        return None
    (number,) = uniform(1)
    factor = tf.where((number + 1) / 2 < augmentation.crop_probability, augmentation.crop_pixels / images.shape[1], 1.0)
    zero = tf.zeros_like(number)
    return _matrix([(factor, zero, zero), (zero, factor, zero)])


@distortion("matrix")
def rotation(images, uniform, augmentation):
    """Rotate each image about its centre by up to `rotation_degrees` either way."""
    if not augmentation.rotation_degrees:
        return None
    (number,) = uniform(1)
    angle = number * math.radians(augmentation.rotation_degrees)
    cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(number)
    return _matrix([(cos, -sin, zero), (sin, cos, zero)])


@distortion("matrix")
def affine(images, uniform, augmentation):
    """Shift by up to `translate_pixels`, zoom by 1 - `scale` to 1 + `scale`, slant by up to `shear_degrees`."""
    if not (augmentation.translate_pixels or augmentation.scale or augmentation.shear_degrees):
        return None
    right, down, zoom, slant = uniform(4)
    factor = 1 / (1 + zoom * augmentation.scale)
    shear = tf.tan(slant * math.radians(augmentation.shear_degrees))
    right, down = right * augmentation.translate_pixels, down * augmentation.translate_pixels
    zero = tf.zeros_like(factor)
    return _matrix([(factor, factor * shear, right), (zero, factor, down)])


@distortion("shift")
def elastic(images, uniform, augmentation):
    """Shift every pixel by noise of up to `elastic_alpha` pixels, smoothed by a Gaussian of `elastic_sigma` pixels.

    Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks (2003).
    """
    if not augmentation.elastic_alpha:
        return None
    height, width = images.shape[1:3]
    noise = tf.stack(uniform(2, (height, width)), axis=1)
    sigma = augmentation.elastic_sigma
    smooth = _gaussian(height, sigma) @ noise @ tf.transpose(_gaussian(width, sigma))
    return augmentation.elastic_alpha * tf.transpose(smooth, (0, 2, 3, 1))


def _gaussian(size: int, sigma: float):
    """The (size, size) matrix that smooths a column of `size` values; noise beyond the border counts as zero.

    A Gaussian narrower than a pixel becomes the matrix that changes nothing, where its density would grow for ever.
    """
    distance = tf.range(size, dtype=tf.float32)[:, None] - tf.range(size, dtype=tf.float32)[None, :]
    sigma = min(max(sigma, 0.05), 1e9)  # beyond these float32 sees no difference, and its squares end
    return tf.exp(-(distance**2) / (2 * sigma**2)) / max(sigma * math.sqrt(2 * math.pi), 1)


def _resample(images, matrices, shift):
    """Sample where (batch, 3, 3) matrices lead after a shift (batch, height, width, 2); either may be None."""
    if matrices is None:
        matrices = tf.eye(3, batch_shape=tf.shape(images)[:1])
    from keras_mnist.ops import custom_op, resample

    if custom_op.available() and "resampling" in optimizations_in_use():
        return resample.resample(images, matrices, tf.zeros(0) if shift is None else shift, shape=images.shape)
    return _sample(images, _coordinates(images, matrices, 0.0 if shift is None else shift))


def _coordinates(images, matrices, shift):
    """Where each pixel of the result is sampled: (batch, height, width, 2) as (x, y)."""
    height, width = images.shape[1:3]
    x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
    shifted = tf.reshape(tf.stack([x, y], axis=-1) + shift, (-1, height * width, 2))
    moved = shifted @ tf.transpose(matrices[:, :2, :2], (0, 2, 1)) + matrices[:, None, :2, 2]
    return tf.reshape(moved, (-1, height, width, 2))


def _sample(images, coordinates):
    """Images (batch, height, width, 1) sampled bilinearly at coordinates (batch, height, width, 2).

    It gives zero outside, and where a coordinate is not a number. The images get a border of zeros, and coordinates
    beyond it are moved onto it: so four flat gathers do, without branches.
    """
    height, width = images.shape[1:3]
    padded = tf.pad(images[..., 0], [[0, 0], [1, 2], [1, 2]])
    row_length, image_length = width + 3, (height + 3) * (width + 3)
    x, y = coordinates[..., 0] + 1, coordinates[..., 1] + 1
    # Not clip_by_value, which leaves NaN, and NaN must not become an index.
    x = tf.minimum(tf.where(x > 0, x, 0.0), width + 1.0)
    y = tf.minimum(tf.where(y > 0, y, 0.0), height + 1.0)
    left, top = tf.floor(x), tf.floor(y)
    right_share, bottom_share = x - left, y - top
    first = tf.range(tf.shape(images)[0])[:, None, None] * image_length
    corner = first + tf.cast(top, tf.int32) * row_length + tf.cast(left, tf.int32)
    pixels = tf.reshape(padded, (-1,))
    upper = tf.gather(pixels, corner) * (1 - right_share) + tf.gather(pixels, corner + 1) * right_share
    corner += row_length
    lower = tf.gather(pixels, corner) * (1 - right_share) + tf.gather(pixels, corner + 1) * right_share
    return (upper * (1 - bottom_share) + lower * bottom_share)[..., None]
