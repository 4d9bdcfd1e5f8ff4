"""Random distortions of a batch of images: pure functions of (batch, seed), zero fill, bilinear.

Every function takes images (batch, height, width, 1) of any number type and a seed, an int tensor of shape (2,), and
returns float32 images of the same shape. The geometric ones share one resampling: each says where the pixels of its
result come from, as a matrix an image, and the matrices are multiplied before anything is read.
"""

from __future__ import annotations

import math

import tensorflow as tf

from keras_mnist import native
from keras_mnist.data.resampling import resample
from keras_mnist.recipe import Augmentation
from keras_mnist.tricks import tricks_in_use

# One stream of random numbers a distortion, so that switching one on leaves the others as they were.
_CROP, _ROTATION, _AFFINE, _ELASTIC = range(4)


def augment(images, seed, augmentation: Augmentation):
    """Apply all distortions that `augmentation` asks for, with a single resampling."""
    images = tf.cast(images, tf.float32)
    matrices, shift = _matrices(images, seed, augmentation), None
    if augmentation.elastic_alpha:
        shift = _elastic_shift(images, seed, augmentation.elastic_alpha, augmentation.elastic_sigma)
    return images if matrices is None and shift is None else _resample(images, matrices, shift)


def rotate(images, seed, degrees: float):
    """Rotate each image about its centre by up to `degrees` either way."""
    return augment(images, seed, Augmentation(rotation_degrees=degrees))


def affine(images, seed, translate_pixels: float = 0.0, scale: float = 0.0, shear_degrees: float = 0.0):
    """Shift by up to `translate_pixels`, zoom by 1 - scale to 1 + scale, slant by up to `shear_degrees`."""
    settings = Augmentation(translate_pixels=translate_pixels, scale=scale, shear_degrees=shear_degrees)
    return augment(images, seed, settings)


def crop_and_resize(images, seed, crop_pixels: int, probability: float):
    """Cut the central square of `crop_pixels` and enlarge it to full size, in a share `probability` of images."""
    return augment(images, seed, Augmentation(crop_pixels=crop_pixels, crop_probability=probability))


def elastic(images, seed, alpha: float, sigma: float):
    """Shift every pixel by smoothed noise: uniform in -1..1, Gaussian of `sigma` pixels, times `alpha` pixels.

    Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks (2003).
    """
    return augment(images, seed, Augmentation(elastic_alpha=alpha, elastic_sigma=sigma))


def _matrices(images, seed, augmentation: Augmentation):
    """Where result pixels come from: (batch, 3, 3) matrices about the centre on (x, y, 1), or None for nowhere else.

    A result of several distortions is looked up through the last one first.
    """
    height, width = images.shape[1:3]
    steps = []
    if augmentation.crop_pixels:
        steps.append(_crop_matrices(images, seed, augmentation.crop_pixels / height, augmentation.crop_probability))
    if augmentation.rotation_degrees:
        steps.append(_rotation_matrices(images, seed, augmentation.rotation_degrees))
    if augmentation.translate_pixels or augmentation.scale or augmentation.shear_degrees:
        steps.append(_affine_matrices(images, seed, augmentation))
    if not steps:
        return None
    product = steps[0]
    for step in steps[1:]:
        product = product @ step
    to_centre = tf.constant([[1, 0, -(width - 1) / 2], [0, 1, -(height - 1) / 2], [0, 0, 1]], tf.float32)
    return tf.linalg.inv(to_centre) @ product @ to_centre


def _uniform(images, seed, stream: int, count: int):
    """`count` numbers in -1..1 for each image, as columns."""
    key = tf.random.experimental.stateless_fold_in(seed, stream)
    return tf.unstack(tf.random.stateless_uniform((tf.shape(images)[0], count), key, -1.0, 1.0), axis=1)


def _stack(rows):
    """(batch, 3, 3) matrices from two rows of three columns (batch,) each."""
    (a, b, c), (d, e, f) = rows
    zero = tf.zeros_like(a)
    return tf.stack([tf.stack([a, b, c], 1), tf.stack([d, e, f], 1), tf.stack([zero, zero, zero + 1], 1)], 1)


def _crop_matrices(images, seed, share: float, probability: float):
    (u,) = _uniform(images, seed, _CROP, 1)
    factor = tf.where((u + 1) / 2 < probability, share, 1.0)
    zero = tf.zeros_like(u)
    return _stack([(factor, zero, zero), (zero, factor, zero)])


def _rotation_matrices(images, seed, degrees: float):
    (u,) = _uniform(images, seed, _ROTATION, 1)
    angle = u * math.radians(degrees)
    cos, sin, zero = tf.cos(angle), tf.sin(angle), tf.zeros_like(u)
    return _stack([(cos, -sin, zero), (sin, cos, zero)])


def _affine_matrices(images, seed, augmentation: Augmentation):
    right, down, zoom, slant = _uniform(images, seed, _AFFINE, 4)
    factor = 1 / (1 + zoom * augmentation.scale)
    shear = tf.tan(slant * math.radians(augmentation.shear_degrees))
    right, down = right * augmentation.translate_pixels, down * augmentation.translate_pixels
    zero = tf.zeros_like(factor)
    return _stack([(factor, factor * shear, right), (zero, factor, down)])


def _elastic_shift(images, seed, alpha: float, sigma: float):
    """Smoothed noise in pixels: (batch, height, width, 2)."""
    height, width = images.shape[1:3]
    key = tf.random.experimental.stateless_fold_in(seed, _ELASTIC)
    noise = tf.random.stateless_uniform((tf.shape(images)[0], 2, height, width), key, -1.0, 1.0)
    smooth = _gaussian(height, sigma) @ noise @ tf.transpose(_gaussian(width, sigma))
    return alpha * tf.transpose(smooth, (0, 2, 3, 1))


def _gaussian(size: int, sigma: float):
    """The (size, size) matrix that smooths a column of `size` values; noise beyond the border counts as zero.

    A Gaussian narrower than a pixel becomes the matrix that changes nothing, where its density would grow for ever.
    """
    distance = tf.range(size, dtype=tf.float32)[:, None] - tf.range(size, dtype=tf.float32)[None, :]
    sigma = min(max(sigma, 0.05), 1e9)  # beyond these float32 sees no difference, and its squares end
    return tf.exp(-(distance**2) / (2 * sigma**2)) / max(sigma * math.sqrt(2 * math.pi), 1)


def _resample(images, matrices, shift):
    """Read pixels where (batch, 3, 3) matrices lead after a shift (batch, height, width, 2); either may be None."""
    if matrices is None:
        matrices = tf.eye(3, batch_shape=tf.shape(images)[:1])
    if native.available() and "resampling" in tricks_in_use():
        return resample(images, matrices, tf.zeros(0) if shift is None else shift, shape=images.shape)
    return _sample(images, _places(images, matrices, 0.0 if shift is None else shift))


def _places(images, matrices, shift):
    """Where each result pixel comes from: (batch, height, width, 2) as (x, y)."""
    height, width = images.shape[1:3]
    x, y = tf.meshgrid(tf.range(width, dtype=tf.float32), tf.range(height, dtype=tf.float32))
    shifted = tf.reshape(tf.stack([x, y], axis=-1) + shift, (-1, height * width, 2))
    moved = shifted @ tf.transpose(matrices[:, :2, :2], (0, 2, 1)) + matrices[:, None, :2, 2]
    return tf.reshape(moved, (-1, height, width, 2))


def _sample(images, places):
    """Bilinear reading of images (batch, height, width, 1) at places (batch, height, width, 2).

    It gives zero outside, and where a place is not a number. The images get a border of zeros, and places beyond it
    are moved onto it: four flat gathers, no branches.
    """
    height, width = images.shape[1:3]
    padded = tf.pad(images[..., 0], [[0, 0], [1, 2], [1, 2]])
    row_length, image_length = width + 3, (height + 3) * (width + 3)
    x, y = places[..., 0] + 1, places[..., 1] + 1
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
