"""Bilinear resampling of images at given coordinates, as a TensorFlow operation that Numba compiles."""

from __future__ import annotations

import numpy as np

from keras_mnist.ops import custom_op


@custom_op.operation("images: float", "matrices: float", "shift: float", gives="result: float")
def resample(_, context):
    """Images (batch, height, width, 1) sampled at the coordinates that (batch, 3, 3) matrices give for each (x, y, 1).

    It gives zero outside, and where a coordinate is not a number. Each pixel is shifted first, by shift (batch,
    height, width, 2) as (x, y), if that is not empty.
    """
    images, shape = custom_op.floats(context, 0)
    matrices, shift = custom_op.floats(context, 1)[0], custom_op.floats(context, 2)[0]
    result = custom_op.floats_out(context, shape)
    count, height, width = shape[0], shape[1], shape[2]
    padded = np.zeros((height + 3) * (width + 3), np.float32)
    size = height * width
    for image in range(count):
        pixels, out = images[image * size : (image + 1) * size], result[image * size : (image + 1) * size]
        for row in range(height):
            for column in range(width):
                padded[(row + 1) * (width + 3) + column + 1] = pixels[row * width + column]
        matrix, moved = matrices[image * 9 : image * 9 + 6], shift[image * size * 2 : (image + 1) * size * 2]
        _resample(padded, matrix, moved, height, width, out)


@custom_op.inlined
def _resample(padded, matrix, shift, height, width, out):
    """One image; `padded` has a border of zeros, one row and column before it and two behind."""
    corner, right, bottom = np.empty(width, np.int32), np.empty(width, np.float32), np.empty(width, np.float32)
    zero, one, limit_x, limit_y = np.float32(0), np.float32(1), np.float32(width + 1), np.float32(height + 1)
    length = width + 3
    for row in range(height):
        for column in range(width):
            x, y = np.float32(column), np.float32(row)
            if len(shift):
                x += shift[2 * (row * width + column)]
                y += shift[2 * (row * width + column) + 1]
            from_x = matrix[0] * x + matrix[1] * y + matrix[2] + one
            from_y = matrix[3] * x + matrix[4] * y + matrix[5] + one
            # Written so that NaN, which is above nothing, samples the border too: it must not become an index.
            from_x, from_y = from_x if from_x > zero else zero, from_y if from_y > zero else zero
            from_x, from_y = min(from_x, limit_x), min(from_y, limit_y)
            left, top = np.int32(from_x), np.int32(from_y)
            right[column], bottom[column] = from_x - np.float32(left), from_y - np.float32(top)
            corner[column] = top * length + left
        for column in range(width):
            index, share = corner[column], right[column]
            upper = padded[index] + (padded[index + 1] - padded[index]) * share
            lower = padded[index + length] + (padded[index + length + 1] - padded[index + length]) * share
            out[row * width + column] = upper + (lower - upper) * bottom[column]
