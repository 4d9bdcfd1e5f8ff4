"""The same network, computed faster on a CPU: channels in lanes of 8, fused batch norm, dropout from random bytes.

oneDNN's fast kernels want channels in multiples of 8, and these networks have 4, 6, 10 or 18. So the kernel of each
convolution before a batch norm is padded with zeros to full lanes inside the step, and what lies in the added lanes
stays zero through ReLU, pooling, norm and dropout. Weights, gradients and files are those of the plain network: the
layers here only borrow its variables. docs/performance.md has the figures; KERAS_MNIST_LANES=0 in the environment
switches all of it off.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf

LANE = 8


def in_lanes(network: keras.Model) -> keras.Model:
    """A model that computes what `network` does, on the network's own variables."""
    normed = _convolutions_before_norms(network)

    def counterpart(layer):
        match layer:
            case keras.layers.Conv2D():
                return LaneConvolution(layer, LANE if layer.name in normed else 1)
            case keras.layers.BatchNormalization():
                return LaneBatchNorm(layer)
            case keras.layers.Dropout():
                return ByteDropout(layer)
            case keras.layers.Flatten():
                return LaneFlatten(layer)
        # Layers with variables are shared; of the others a copy keeps the plain network's graph its own.
        return layer if layer.variables else type(layer).from_config(layer.get_config())

    return keras.models.clone_model(network, clone_function=counterpart)


def _convolutions_before_norms(network: keras.Model) -> set[str]:
    """Names of the convolutions whose channels a batch norm takes in; only there do lanes pay for themselves."""
    makers = {id(layer.output): layer for layer in network.layers}
    found = set()
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            maker = makers[id(layer.input)]
            while isinstance(maker, keras.layers.ReLU):
                maker = makers[id(maker.input)]
            found.add(maker.name)
    return found


def _fill(tensor, axis: int, size: int):
    """Pad with zeros to `size` along one axis. Not tf.pad: oneDNN's graph pass takes that for a padded image."""
    missing = size - tensor.shape[axis]
    if not missing:
        return tf.convert_to_tensor(tensor)
    shape = [missing if place == axis else length for place, length in enumerate(tensor.shape)]
    return tf.concat([tensor, tf.zeros(shape, tensor.dtype)], axis)


class _Counterpart(keras.layers.Layer):
    """Does the work of a plain layer with that layer's variables."""

    def __init__(self, plain: keras.layers.Layer):
        super().__init__(name=f"{plain.name}_lanes")
        self.plain = plain
        self.built = True


class LaneConvolution(_Counterpart):
    """A convolution whose output channels fill whole lanes; takes inputs with or without lanes."""

    def __init__(self, plain, lane: int):
        super().__init__(plain)
        self.lane = lane

    def call(self, images):
        lanes = math.ceil(self.plain.filters / self.lane) * self.lane
        kernel = _fill(_fill(self.plain.kernel, 2, images.shape[-1]), 3, lanes)
        result = tf.nn.conv2d(images, kernel, 1, self.plain.padding.upper())
        return tf.nn.bias_add(result, _fill(self.plain.bias, 0, lanes)) if self.plain.use_bias else result


class LaneBatchNorm(_Counterpart):
    """Batch norm with TensorFlow's fused operation, which is fast on whole lanes alone."""

    def call(self, images, training=False, mask=None):
        plain, lanes, channels = self.plain, images.shape[-1], self.plain.gamma.shape[0]
        gain, offset = _fill(plain.gamma, 0, lanes), _fill(plain.beta, 0, lanes)
        if not training:
            mean, variance = _fill(plain.moving_mean, 0, lanes), _fill(plain.moving_variance, 0, lanes)
            return tf.nn.batch_normalization(images, mean, variance, offset, gain, plain.epsilon)
        result, mean, variance = tf.compat.v1.nn.fused_batch_norm(images, gain, offset, epsilon=plain.epsilon)
        # The fused operation reports the unbiased variance; Keras's layer averages the biased one.
        count = tf.cast(tf.size(images) // lanes, variance.dtype)
        for average, value in (
            (plain.moving_mean, mean[:channels]),
            (plain.moving_variance, variance[:channels] * (count - 1) / count),
        ):
            average.assign(average * plain.momentum + value * (1 - plain.momentum))
        return result


class ByteDropout(_Counterpart):
    """Dropout that spends one random byte a value where Keras's spends four.

    A byte alone would round the rate to a 256th. So each image draws its threshold from the two 256ths about the rate,
    with odds that make every value's chance exactly the rate.
    """

    def call(self, inputs, training=False):
        rate = self.plain.rate
        if not training or rate == 0:
            return inputs
        count = tf.shape(inputs)[0]
        values = math.prod(inputs.shape[1:])
        words = math.ceil(values / 8)
        seed = tf.cast(self.plain.seed_generator.next(), tf.int64)
        random = tf.random.stateless_uniform((count, words + 1), seed, None, None, tf.int64)
        uniform = tf.cast(random[:, words:] & 0xFFFFFF, tf.float32) / 2**24
        threshold = tf.cast(tf.floor(rate * 256 + uniform), tf.uint8)
        drawn = tf.reshape(tf.bitcast(random[:, :words], tf.uint8), (count, words * 8))[:, :values]
        kept = tf.cast(drawn >= threshold, inputs.dtype) * (1 / (1 - rate))
        return inputs * tf.reshape(kept, tf.shape(inputs))


class LaneFlatten(_Counterpart):
    """Flatten without the added lanes."""

    def __init__(self, plain):
        super().__init__(plain)
        self.channels = plain.input.shape[-1]

    def call(self, images):
        return tf.reshape(images[..., : self.channels], (-1, math.prod(images.shape[1:-1]) * self.channels))
