"""The same network, trained faster on a CPU; docs/performance.md says how much each of the two optimizations brings.

- Fused layers: up to four layers that follow each other (ReLU, batch norm, ReLU, dropout) are computed in one go.
- Shards: each core computes its own shard of the batch; only batch norms need the whole batch, and wait for all shards.

Both compute with the variables of the plain network: weights, gradients and files are the same.
"""

from __future__ import annotations

import inspect
import itertools

import keras
import tensorflow as tf

from keras_mnist.errors import UsageError
from keras_mnist.models.analysis import layer_calls
from keras_mnist.ops import batch_norm_relu_dropout as kernels

# Layers that are fused where some of them follow each other in this order.
ORDER = (keras.layers.ReLU, keras.layers.BatchNormalization, keras.layers.ReLU, keras.layers.Dropout)


def can_be_fused(network: keras.Model) -> bool:
    """Whether a network is a graph of layers with ordinary norms and dropouts; it may call a layer more than once."""
    try:
        calls = layer_calls(network)
    except UsageError:
        return False
    return all(_is_ordinary(call.layer) for call in calls.values())


def _is_ordinary(layer) -> bool:
    if isinstance(layer, keras.layers.BatchNormalization):
        last = layer.axis in (-1, layer.input_spec.ndim - 1)
        return type(layer) is keras.layers.BatchNormalization and layer.trainable and last
    return not isinstance(layer, keras.layers.Dropout) or layer.rate < 1


class FusedNetwork:
    """Computes what a network does, with the network's own variables.

    Args:
        network: one that can be fused.
        shards: shards of a batch that are computed at once.
        fused_layers: whether layers are fused; without, batch norms need shards to be 1.
    """

    def __init__(self, network: keras.Model, shards: int, fused_layers: bool = True):
        self.network, self.shards = network, shards
        self.calls = layer_calls(network)
        self.stand_ins = self._find_layers_to_fuse() if fused_layers else {}

    def _find_layers_to_fuse(self) -> dict:
        """By call what stands in for it: FusedLayers for one of them, None for the others that it works for."""
        found = {}
        for name in self.calls:
            if name not in found:
                names = self._calls_from(name)
                relu_first, norm, relu_last, dropout = (each and self.calls[each].layer for each in names)
                if norm or dropout:
                    found |= {each: None for each in names if each}
                    found[names[1] or names[3]] = FusedLayers(relu_first, norm, relu_last, dropout)
        return found

    def _calls_from(self, name: str) -> list:
        """The calls to fuse from this one on: for each of ORDER the call's name, or None where there is none."""
        found, start = [None] * len(ORDER), 0
        while name is not None:
            layer = self.calls[name].layer
            fitting = [index for index in range(start, len(ORDER)) if type(layer) is ORDER[index]]
            if not fitting:
                break
            found[fitting[0]], start = name, fitting[0] + 1
            users = [other for other, call in self.calls.items() if name in call.sources]
            name = users[0] if len(users) == 1 else None
        return found

    def __call__(self, images, training: bool):
        """Logits (batch, classes) of images (batch, 28, 28, 1)."""
        count = tf.shape(images)[0]
        cuts = [count * shard // self.shards for shard in range(self.shards + 1)]
        batch = [images[begin:end] for begin, end in itertools.pairwise(cuts)]
        results = {}
        for name, call in self.calls.items():
            inputs = [results[source] for source in call.sources]
            results[name] = self._compute(name, inputs, training) if inputs else batch
        return tf.concat(results[name], axis=0)

    def _compute(self, name: str, inputs: list, training: bool) -> list:
        """A call's results for all shards, from one list of shards for each of its inputs."""
        layer = self.calls[name].layer
        if name in self.stand_ins:
            stand_in = self.stand_ins[name]
            return stand_in(inputs[0], training) if stand_in else inputs[0]
        options = {"training": training} if "training" in inspect.signature(layer.call).parameters else {}
        return [layer(shard[0] if len(shard) == 1 else list(shard), **options) for shard in zip(*inputs, strict=True)]


class FusedLayers:
    """Does the work of up to four layers with their variables; each is None where it is missing.

    It takes and gives a list: the shards of a batch.
    """

    def __init__(self, relu_first, norm, relu_last, dropout):
        self.relu_first, self.norm, self.relu_last = bool(relu_first), norm, bool(relu_last)
        self.rate = dropout.rate if dropout else 0.0
        self.seeds = dropout.seed_generator if self.rate else None

    def __call__(self, shards: list, training: bool) -> list:
        if not training:
            return [self._plain(shard) for shard in shards]
        # Dropout takes a new pair of numbers at each step.
        seed = tf.cast(self.seeds.next(), tf.int64) if self.seeds else tf.zeros(2, tf.int64)
        return self._train(shards, seed)

    def _plain(self, values):
        norm = self.norm
        values = tf.nn.relu(values) if self.relu_first else values
        if norm:
            values = tf.nn.batch_normalization(
                values, norm.moving_mean, norm.moving_variance, norm.beta, norm.gamma, norm.epsilon
            )
        return tf.nn.relu(values) if self.relu_last else values

    def _train(self, shards, seed) -> list:
        """The results of the shards; the norm's moving statistics are updated."""
        norm, channels = self.norm, shards[0].shape[-1]
        settings = tf.constant([self.relu_first, self.relu_last, norm.epsilon if norm else 0.0, self.rate], tf.float64)
        positions = _positions(shards)
        if norm:
            statistics = self._statistics(shards, settings)
        else:  # those that change nothing
            statistics = tf.constant([[0.0] * channels, [1.0] * channels], tf.float64)
        gamma = tf.convert_to_tensor(norm.gamma) if norm and norm.scale else tf.ones(channels)
        beta = tf.convert_to_tensor(norm.beta) if norm and norm.center else tf.zeros(channels)

        @tf.custom_gradient
        def compute(gamma, beta, *shards):
            inputs = [
                (statistics, gamma, beta, settings, seed, position, shard)
                for shard, position in zip(shards, positions, strict=True)
            ]

            def gradient(*gradients):
                known = [(*given, of_result) for given, of_result in zip(inputs, gradients, strict=True)]
                weight_gradients = tf.zeros((2, channels), tf.float64)
                if norm:
                    weight_gradients = tf.add_n([kernels.gradient_sums(*each, shape=(2, channels)) for each in known])
                results = [kernels.backward(*each, weight_gradients, shape=each[-1].shape) for each in known]
                for_beta, for_gamma = tf.unstack(tf.cast(weight_gradients, tf.float32))
                return for_gamma, for_beta, *results

            return [kernels.forward(*given, shape=given[-1].shape) for given in inputs], gradient

        return compute(gamma, beta, *shards)

    def _statistics(self, shards, settings):
        """Mean and variance over the whole batch; the moving ones are updated."""
        norm, channels = self.norm, shards[0].shape[-1]
        moments = tf.stack([kernels.moments(shard, settings, shape=(3, channels)) for shard in shards])
        statistics = kernels.merge(moments, shape=(2, channels))
        for average, value in zip((norm.moving_mean, norm.moving_variance), tf.unstack(statistics), strict=True):
            average.assign(average * norm.momentum + tf.cast(value, tf.float32) * (1 - norm.momentum))
        return statistics


def _positions(shards) -> list:
    """For each shard the index of its first value in the batch, and the rows of the whole batch."""
    ends = tf.cumsum([tf.size(shard, tf.int64) for shard in shards])
    rows = ends[-1] // shards[0].shape[-1]
    return [
        tf.stack([end - tf.size(shard, tf.int64), rows]) for end, shard in zip(tf.unstack(ends), shards, strict=True)
    ]
