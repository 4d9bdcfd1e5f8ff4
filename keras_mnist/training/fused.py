"""The same network, trained faster on a CPU; docs/performance.md has the figures of each trick.

- chains: what follows a convolution, up to four layers of ReLU, batch norm, ReLU and dropout, becomes one FusedChain.
- parts: each core computes its own part of the batch, and they meet at the batch norms alone.

Both work on the plain network's own variables: weights, gradients and files are the same.
"""

from __future__ import annotations

import inspect
import itertools

import keras
import numpy as np
import tensorflow as tf

from keras_mnist.models.analysis import layer_sources
from keras_mnist.training import kernels

CHAIN = (keras.layers.ReLU, keras.layers.BatchNormalization, keras.layers.ReLU, keras.layers.Dropout)


class FusedNetwork:
    """Computes what a network does, on the network's own variables.

    Args:
        parts: parts of a batch that are computed at once.
        chains: whether chains are fused; without, layers that meet at a batch norm need parts to be 1.
    """

    def __init__(self, network: keras.Model, parts: int, chains: bool = True):
        self.network, self.parts = network, parts
        self.sources = layer_sources(network)
        self.stand_ins = self._find_chains() if chains else {}

    def _find_chains(self) -> dict:
        """What stands in for layers of chains: a FusedChain for one of them, None for those whose work it does."""
        found = {}
        for layer in self.network.layers:
            if layer.name not in found:
                relu_first, norm, relu_last, dropout = chain = self._chain_from(layer)
                if norm or dropout:
                    found |= {part.name: None for part in chain if part}
                    found[(norm or dropout).name] = FusedChain(relu_first, norm, relu_last, dropout, self.parts)
        return found

    def _chain_from(self, layer) -> list:
        """The chain that begins with a layer: for each place in CHAIN its layer or None."""
        chain, place = [None] * len(CHAIN), 0
        while layer is not None:
            places = [k for k in range(place, len(CHAIN)) if type(layer) is CHAIN[k]]
            if not places:
                break
            chain[places[0]], place = layer, places[0] + 1
            readers = [other for other in self.network.layers if layer.name in self.sources[other.name]]
            layer = readers[0] if len(readers) == 1 else None
        return chain

    def __call__(self, images, training: bool):
        """Logits (batch, classes) of images (batch, 28, 28, 1)."""
        count = tf.shape(images)[0]
        cuts = [count * part // self.parts for part in range(self.parts + 1)]
        batch = [images[begin:end] for begin, end in itertools.pairwise(cuts)]
        results = {}
        for layer in self.network.layers:
            inputs = [results[name] for name in self.sources[layer.name]]
            results[layer.name] = self._compute(layer, inputs, training) if inputs else batch
        return tf.concat(results[self.network.layers[-1].name], axis=0)

    def _compute(self, layer, inputs: list, training: bool) -> list:
        """A layer's results for all parts, from one list of parts for each of its inputs."""
        stand_in = self.stand_ins.get(layer.name, layer)
        if stand_in is None:
            return inputs[0]
        if isinstance(stand_in, FusedChain):
            return stand_in(inputs[0], training)
        options = {"training": training} if "training" in inspect.signature(layer.call).parameters else {}
        return [layer(part[0] if len(part) == 1 else list(part), **options) for part in zip(*inputs, strict=True)]


class FusedChain:
    """Does the work of up to four layers, each None where the chain lacks it, with those layers' variables.

    What it takes in and gives out is a list: the parts of a batch.
    """

    def __init__(self, relu_first, norm, relu_last, dropout, parts: int):
        self.relu_first, self.norm, self.relu_last = bool(relu_first), norm, bool(relu_last)
        self.parts = parts
        rate = dropout.rate if dropout else 0.0
        self.seeds = dropout.seed_generator if rate else None
        self.threshold, self.scale = np.uint32(round(rate * 2**32)), 1 / (1 - rate)

    def __call__(self, parts: list, training: bool) -> list:
        if not training:
            return [self._plain(part) for part in parts]
        # Dropout takes a new pair of numbers at each step.
        seed = tf.cast(self.seeds.next(), tf.uint32) if self.seeds else tf.zeros(2, tf.uint32)
        return self._normalize(parts, seed) if self.norm else self._drop(parts, seed)

    def _plain(self, values):
        norm = self.norm
        values = tf.nn.relu(values) if self.relu_first else values
        if norm:
            values = tf.nn.batch_normalization(
                values, norm.moving_mean, norm.moving_variance, norm.beta, norm.gamma, norm.epsilon
            )
        return tf.nn.relu(values) if self.relu_last else values

    def _normalize(self, parts, seed) -> list:
        """The result of a chain with a norm; the moving statistics move."""
        norm = self.norm
        gamma, beta, shift = (tf.convert_to_tensor(v) for v in (norm.gamma, norm.beta, norm.moving_mean))

        @tf.custom_gradient
        def normalize(*inputs):
            outputs = _python(self._norm_forward, *inputs, shift, seed, like=(*parts, gamma, gamma))

            def gradient(*gradients):
                # Those of mean and variance are in the kernels' formula.
                arrays = (*gradients[: len(parts)], *inputs, *outputs[len(parts) :], seed)
                return _python(self._norm_backward, *arrays, like=inputs)

            return outputs, gradient

        *results, mean, variance = normalize(*parts, gamma, beta)
        for average, value in ((norm.moving_mean, mean), (norm.moving_variance, variance)):
            average.assign(average * norm.momentum + value * (1 - norm.momentum))
        return results

    def _drop(self, parts, seed) -> list:
        """The result of a chain without a norm."""

        @tf.custom_gradient
        def drop(*inputs):
            def gradient(*gradients):
                return _python(self._drop_backward, *gradients, *inputs, seed, like=inputs)

            return _python(self._drop_forward, *inputs, seed, like=inputs), gradient

        return drop(*parts)

    def _switches(self, seed):
        # Seeds of neighbouring steps differ by one; the keys made of them share nothing.
        keys = np.random.SeedSequence(seed).generate_state(2) if self.threshold else seed
        return kernels.Switches(self.relu_first, self.relu_last, self.threshold, *keys)

    def _norm_forward(self, *arrays):
        *parts, gamma, beta, shift, seed = arrays
        switches = self._switches(seed)
        # Shifted by what the mean was lately: the difference of two large sums would lose digits.
        shift = _float64(shift)
        first, second = _totals(kernels.moments, (parts,), shift, switches) / _rows(parts)
        mean, variance = shift + first, second - first**2
        gain, offset = self._gain_and_offset(gamma, beta, mean, variance)
        results = _whole(kernels.forward, (parts,), gain, offset, switches)
        return *results, _float32(mean), _float32(variance)

    def _gain_and_offset(self, gamma, beta, mean, variance):
        """The norm as one product and one sum, with dropout's factor in both."""
        gain = gamma / np.sqrt(variance + self.norm.epsilon, dtype=np.float64)
        return gain * self.scale, (beta - mean * gain) * self.scale

    def _norm_backward(self, *arrays):
        gradients, parts = arrays[: self.parts], arrays[self.parts : 2 * self.parts]
        gamma, beta, mean, variance, seed = arrays[2 * self.parts :]
        switches, mean = self._switches(seed), _float64(mean)
        gain, offset = self._gain_and_offset(gamma, beta, mean, variance)
        sums = _totals(kernels.gradient_sums, (gradients, parts), gain, offset, mean, switches)
        deviation = np.sqrt(variance + self.norm.epsilon, dtype=np.float64)
        for_beta, for_gamma = sums[0] * self.scale, sums[1] * self.scale / deviation
        share = gamma / deviation / _rows(parts)
        constant, slope = -share * for_beta, -share * for_gamma / deviation
        results = _whole(kernels.backward, (gradients, parts), gain, offset, mean, constant, slope, switches)
        return *results, _float32(for_gamma), _float32(for_beta)

    def _drop_forward(self, *arrays):
        *parts, seed = arrays
        zero = np.zeros(parts[0].shape[-1])
        return _whole(kernels.forward, (parts,), zero + self.scale, zero, self._switches(seed))

    def _drop_backward(self, *arrays):
        gradients, parts, seed = arrays[: self.parts], arrays[self.parts : -1], arrays[-1]
        zero = np.zeros(parts[0].shape[-1])
        parameters = zero + self.scale, zero, zero, zero, zero
        return _whole(kernels.backward, (gradients, parts), *parameters, self._switches(seed))


def _python(function, *inputs, like):
    """A Python function on arrays as an operation whose results have the types and shapes of `like`."""

    def quiet(*arrays):
        with np.errstate(all="ignore"):  # a run that diverges is told by its loss
            return function(*arrays)

    # Flattened, for a single result comes without a list.
    results = tf.nest.flatten(tf.numpy_function(quiet, inputs, [tensor.dtype for tensor in like], stateful=False))
    return [tf.ensure_shape(result, tensor.shape) for result, tensor in zip(results, like, strict=True)]


def _float32(numbers):
    return np.asarray(numbers, np.float32)


def _float64(numbers):
    return np.asarray(numbers, np.float64)


def _rows(parts) -> int:
    return sum(part.size for part in parts) // parts[0].shape[-1]


def _whole(kernel, activations, *parameters) -> list:
    """A kernel's result for all values of activations in parts: arrays of the same shapes."""
    shapes = [part.shape for part in activations[0]]
    results = [_aligned(part.size) for part in activations[0]]
    _for_each_part(lambda part, values, begin: kernel(*values, *parameters, begin, results[part]), activations)
    return [result.reshape(shape) for result, shape in zip(results, shapes, strict=True)]


def _totals(kernel, activations, *parameters):
    """A kernel's sums over all values: (2, channels)."""
    totals = np.zeros((len(activations[0]), 2, activations[0][0].shape[-1]))
    _for_each_part(lambda part, values, begin: kernel(*values, *parameters, begin, totals[part]), activations)
    return totals.sum(axis=0)


def _for_each_part(work, activations) -> None:
    """Call work(part, flat arrays, place of the first value in the batch) for each part.

    One after the other: waking another thread takes as long as it would save.
    """
    begin = 0
    for part, arrays in enumerate(zip(*activations, strict=True)):
        work(part, [array.reshape(-1) for array in arrays], begin)
        begin += arrays[0].size


def _aligned(size: int):
    """Memory that TensorFlow takes over without a copy: it begins at a multiple of 64 bytes."""
    memory = np.empty(size + 16, np.float32)
    begin = -memory.ctypes.data % 64 // 4
    return memory[begin : begin + size]
