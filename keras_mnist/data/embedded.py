"""The embedded digits: scikit-learn's, drawn as MNIST draws its own."""

from __future__ import annotations

import numpy as np

from keras_mnist.data.digit_set import DigitSet, stratified_split


def embedded_digits() -> DigitSet:
    """scikit-learn's 1,797 handwritten digits, drawn as MNIST draws its own; 1,400 to train and 397 to test.

    An epoch shows each training image ten times, augmented anew, so that recipes written for 60,000 images get
    enough steps.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits (UCI), in sklearn.datasets.load_digits.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = draw_as_mnist(digits.images)
    labels = digits.target.astype(np.uint8)
    train, test = stratified_split(labels, 397)
    return DigitSet(
        name="digits",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        held_out_count=140,
        passes_per_epoch=10,
    )


def draw_as_mnist(scans: np.ndarray) -> np.ndarray:
    """Enlarge 8x8 scans of 0..16 to 28x28 images of 0..255, as MNIST was made: (n, 8, 8) -> (n, 28, 28, 1) uint8.

    Each digit's bounding box is scaled to 20 pixels along its longer side, its centre of mass put in the middle.
    """
    import tensorflow as tf

    matrices = []
    for scan in scans:
        rows, columns = np.nonzero(scan)
        step = max(np.ptp(rows) + 1, np.ptp(columns) + 1) / 20  # scan pixels per image pixel
        row, column = np.average(rows, weights=scan[rows, columns]), np.average(columns, weights=scan[rows, columns])
        matrices.append([step, 0, column - 13.5 * step, 0, step, row - 13.5 * step, 0, 0])
    images = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.constant(scans[..., None] * (255 / 16), tf.float32),
        transforms=tf.constant(matrices, tf.float32),
        output_shape=(28, 28),
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return np.rint(images.numpy()).astype(np.uint8)
