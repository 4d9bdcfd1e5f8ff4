"""The same network, trained faster on a CPU; docs/performance.md has the figures of each trick.

- chains: what follows a convolution, up to four layers of ReLU, batch norm, ReLU and dropout, becomes one FusedChain.
- parts: each core computes its own part of the batch, and they meet at the batch norms alone.

Both work on the plain network's own variables: weights, gradients and files are the same.
"""

from __future__ import annotations

import inspect
import itertools

import keras
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
                    found[(norm or dropout).name] = FusedChain(relu_first, norm, relu_last, dropout)
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

    def __init__(self, relu_first, norm, relu_last, dropout):
        self.relu_first, self.norm, self.relu_last = bool(relu_first), norm, bool(relu_last)
        self.rate = dropout.rate if dropout else 0.0
        self.seeds = dropout.seed_generator if self.rate else None

    def __call__(self, parts: list, training: bool) -> list:
        if not training:
            return [self._plain(part) for part in parts]
        # Dropout takes a new pair of numbers at each step.
        seed = tf.cast(self.seeds.next(), tf.int64) if self.seeds else tf.zeros(2, tf.int64)
        return self._train(parts, seed)

    def _plain(self, values):
        norm = self.norm
        values = tf.nn.relu(values) if self.relu_first else values
        if norm:
            values = tf.nn.batch_normalization(
                values, norm.moving_mean, norm.moving_variance, norm.beta, norm.gamma, norm.epsilon
            )
        return tf.nn.relu(values) if self.relu_last else values

    def _train(self, parts, seed) -> list:
        """The parts' results; the norm's moving statistics move."""
        norm, channels = self.norm, parts[0].shape[-1]
        settings = tf.constant([self.relu_first, self.relu_last, norm.epsilon if norm else 0.0, self.rate], tf.float64)
        places = _places(parts)
        if norm:
            weights = tf.convert_to_tensor(norm.gamma), tf.convert_to_tensor(norm.beta)
            statistics = self._statistics(parts, settings)
        else:  # the one that changes nothing
            weights = tf.ones(channels), tf.zeros(channels)
            statistics = tf.constant([[0.0] * channels, [1.0] * channels], tf.float64)

        @tf.custom_gradient
        def compute(gamma, beta, *parts):
            inputs = [
                (statistics, gamma, beta, settings, seed, place, part)
                for part, place in zip(parts, places, strict=True)
            ]

            def gradient(*gradients):
                known = [(*given, of_result) for given, of_result in zip(inputs, gradients, strict=True)]
                slopes = tf.zeros((2, channels), tf.float64)
                if norm:
                    slopes = tf.add_n([kernels.gradient_sums(*given, shape=(2, channels)) for given in known])
                results = [kernels.backward(*given, slopes, shape=given[-1].shape) for given in known]
                for_beta, for_gamma = tf.unstack(tf.cast(slopes, tf.float32))
                return for_gamma, for_beta, *results

            return [kernels.forward(*given, shape=given[-1].shape) for given in inputs], gradient

        return compute(*weights, *parts)

    def _statistics(self, parts, settings):
        """Mean and variance over the whole batch; the moving ones move."""
        norm, channels = self.norm, parts[0].shape[-1]
        moments = tf.stack([kernels.moments(part, settings, shape=(3, channels)) for part in parts])
        statistics = kernels.merge(moments, shape=(2, channels))
        for average, value in zip((norm.moving_mean, norm.moving_variance), tf.unstack(statistics), strict=True):
            average.assign(average * norm.momentum + tf.cast(value, tf.float32) * (1 - norm.momentum))
        return statistics


def _places(parts) -> list:
    """For each part the place of its first value in the batch, and the batch's rows."""
    ends = tf.cumsum([tf.size(part, tf.int64) for part in parts])
    rows = ends[-1] // parts[0].shape[-1]
    return [tf.stack([end - tf.size(part, tf.int64), rows]) for end, part in zip(tf.unstack(ends), parts, strict=True)]
