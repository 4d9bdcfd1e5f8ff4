"""Fused layers against plain Keras layers and against double precision, where numbers become hard.

400 random layers and 40 random networks instead of 40 and 4:
KERAS_MNIST_NETWORKS=40 pytest -m slow -rP tests/training/test_fused_random.py
"""

import itertools
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.recipe import Recipe
from keras_mnist.training import device
from keras_mnist.training.fused import FusedLayers
from keras_mnist.training.trainer import Trainer
from tests.conftest import slow_beside

NETWORKS = int(os.environ.get("KERAS_MNIST_NETWORKS", "4"))
NAMES = "result", "values", "gamma", "beta", "mean", "variance"
SCALES = 10.0 ** np.arange(-6, 7)


def layers_to_fuse(relu_first, relu_last, epsilon, weights, dtype="float32"):
    """ReLU, batch norm with the weights, ReLU, and None for those left out."""
    norm = keras.layers.BatchNormalization(momentum=0, epsilon=epsilon, dtype=dtype)  # moving ones are the batch's
    norm.build((None, None, None, len(weights[0])))
    norm.set_weights(weights)
    first, last = keras.layers.ReLU(dtype=dtype), keras.layers.ReLU(dtype=dtype)
    return first if relu_first else None, norm, last if relu_last else None


def results(compute, norm, values, readout):
    """What layers give in training: result, gradients of values, gamma and beta, mean and variance of the batch."""

    @tf.function(autograph=False)
    def differentiate():
        with tf.GradientTape() as tape:
            tape.watch(values)
            result = compute(values)
            total = tf.reduce_sum(result * tf.cast(readout, result.dtype))
        return [result, *tape.gradient(total, [values, norm.gamma.value, norm.beta.value])]

    found = [*differentiate(), norm.moving_mean, norm.moving_variance]
    return {name: np.asarray(tensor, np.float64) for name, tensor in zip(NAMES, found, strict=True)}


def compare(values, relu_first=False, relu_last=False, epsilon=1e-3, cuts=(), weights=None):
    """Largest errors of layers against double precision, fused and with plain layers: two dictionaries by name.

    An error is relative to what the figure's terms come to without their signs.

    Args:
        cuts: where the fused layers' batch is cut into shards.
        weights: the norm's four.
    """
    channels = values.shape[-1]
    weights = weights or [np.ones(channels), np.zeros(channels), np.full(channels, 3.0), np.ones(channels)]
    plain, exact = (layers_to_fuse(relu_first, relu_last, epsilon, weights, kind) for kind in ("float32", "float64"))
    layers = layers_to_fuse(relu_first, relu_last, epsilon, weights)
    fused, pairs = FusedLayers(*layers, None), list(itertools.pairwise([0, *cuts, len(values)]))
    readout = np.random.default_rng(0).normal(size=values.shape)
    inputs = np.maximum(values, 0) if relu_first else values
    # Rounding must not decide on which side of the last ReLU's 0 a value lies.
    before = exact[1](tf.constant(inputs, tf.float64), training=True).numpy()
    readout *= (np.abs(before) > 1e-3 * np.abs(before).max()) | (not relu_last)

    truth = results(lambda values: in_turn(exact, values), exact[1], tf.constant(values, tf.float64), readout)
    ours = results(
        lambda values: tf.concat(fused([values[a:b] for a, b in pairs], True), 0),
        layers[1],
        tf.constant(values),
        readout,
    )
    theirs = results(lambda values: in_turn(plain, values), plain[1], tf.constant(values), readout)
    axes = tuple(range(values.ndim - 1))
    deviation = np.sqrt(truth["variance"] + epsilon)
    normed = (inputs.astype(np.float64) - truth["mean"]) / deviation
    # The terms with 1e-10 and 1e-18 are where double precision ends too.
    sizes = {
        "result": np.abs(truth["result"]).max(axes) + np.abs(weights[1]),
        "values": np.abs(readout).max(axes) * np.abs(weights[0]) / deviation,
        "gamma": np.abs(readout * (np.abs(normed) + 1e-10 * np.abs(truth["mean"] / deviation))).sum(axes),
        "beta": np.abs(readout).sum(axes),
        "mean": np.abs(inputs).max(axes),
        "variance": truth["variance"] + 1e-18 * truth["mean"] ** 2,
    }
    return tuple(
        {name: (np.abs(found[name] - truth[name]) / (sizes[name] + 1e-30)).max() for name in NAMES}
        for found in (ours, theirs)
    )


def in_turn(layers, values):
    """What plain layers give in training."""
    first, norm, last = layers
    values = norm(first(values) if first else values, training=True)
    return last(values) if last else values


def of_all_scales(generator):
    """Values (24, 9, 9, 169): a channel for each mean and deviation from 1e-6 to 1e6."""
    means, deviations = (grid.ravel() for grid in np.meshgrid(SCALES, SCALES))
    return (means + deviations * generator.normal(size=(24, 9, 9, len(means)))).astype(np.float32)


def dark_at_first(values):
    values[:3] = 0
    return values


def one_far_away(values):
    values[0, 0, 0] = 0
    return values


ARRANGEMENTS = {
    "as drawn": lambda values: values,
    "sorted": lambda values: np.sort(values.reshape(-1, values.shape[-1]), axis=0).reshape(values.shape),
    "dark at first": dark_at_first,
    "one far away": one_far_away,
}


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize("name", slow_beside(["sorted", "one far away"], ARRANGEMENTS))
def test_a_norm_keeps_its_digits_at_all_scales(name, relu):
    values = ARRANGEMENTS[name](of_all_scales(np.random.default_rng(0)))
    fused, _ = compare(values, relu_first=relu, relu_last=relu, cuts=(7, 8))
    assert max(fused.values()) < 1e-5, fused


@pytest.mark.parametrize("value", [0.0, 3.0, -1e6, 0.1])
@pytest.mark.parametrize("moving_mean", [0.0, 3.0, -1e6])
def test_a_channel_of_one_value_has_no_variance(value, moving_mean):
    values = np.full((5, 3, 3, 4), value, np.float32)
    first, norm, last = layers_to_fuse(
        True, False, 1e-3, [np.ones(4), np.full(4, 0.5), np.full(4, moving_mean), np.ones(4)]
    )
    fused = tf.function(FusedLayers(first, norm, last, None), autograph=False)
    result = np.concatenate(fused([values[:1], values[1:1], values[1:]], True))
    np.testing.assert_array_equal(norm.moving_mean, np.full(4, max(np.float32(value), 0)))
    np.testing.assert_array_equal(norm.moving_variance, np.zeros(4))
    np.testing.assert_array_equal(result, np.full(values.shape, 0.5))


def random_layers(seed):
    """Arguments of `compare`: scales, shapes, weights and cuts drawn at random."""
    generator = np.random.default_rng(seed)
    channels, side = generator.integers(1, 20), generator.integers(1, 12)
    count = generator.integers(2, 20)
    means, deviations = (10.0 ** generator.uniform(-6, 6, channels) for _ in range(2))
    values = means * generator.choice([-1, 0, 1], channels) + deviations * generator.normal(
        size=(count, side, side, channels)
    )
    return {
        "values": values.astype(np.float32),
        "relu_first": bool(generator.integers(2)),
        "relu_last": bool(generator.integers(2)),
        "epsilon": 10.0 ** generator.uniform(-7, 0),
        "cuts": sorted(generator.integers(0, count + 1, generator.integers(4)).tolist()),
        "weights": [generator.normal(size=channels), generator.normal(size=channels)]
        + [generator.uniform(0, 9, channels) for _ in range(2)],
    }


def fuzz_layers(seeds) -> dict:
    """The largest errors, fused and plain, of random layers."""
    largest = {name: [0.0, 0.0] for name in NAMES}
    for seed in seeds:
        for name, errors in zip(
            NAMES, zip(*(found.values() for found in compare(**random_layers(seed))), strict=True), strict=True
        ):
            largest[name] = np.maximum(largest[name], errors)
        assert all(fused < 1e-5 for fused, _ in largest.values()), (seed, largest)
    return largest


def test_random_layers_are_as_exact_as_float32_allows():
    fuzz_layers(range(8))


@pytest.mark.slow
def test_many_random_layers_are_as_exact_as_float32_allows():
    largest = fuzz_layers(range(12, 12 + 10 * NETWORKS))
    print(f"{10 * NETWORKS} cases; largest errors against double precision, relative, fused and plain:")
    for name, (fused, plain) in largest.items():
        print(f"  {name:8} {fused:.1e} {plain:.1e}")


def random_network(seed):
    """A small network: convolutions, each followed by some of ReLU, batch norm, ReLU and dropout."""
    generator = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    inputs = x = keras.Input((28, 28, 1))
    x = keras.layers.AveragePooling2D(4)(keras.layers.Rescaling(1 / 255)(x))
    for _ in range(generator.integers(1, 4)):
        x = keras.layers.Conv2D(int(generator.integers(1, 12)), int(generator.integers(1, 4)), padding="same")(x)
        choices = [
            keras.layers.ReLU(),
            keras.layers.BatchNormalization(epsilon=10.0 ** generator.uniform(-6, -2)),
            keras.layers.ReLU(),
            keras.layers.Dropout(generator.uniform(0.05, 0.7), seed=1),
        ]
        for layer, wanted in zip(choices, generator.random(4) < (0.4, 0.8, 0.5, 0.3), strict=True):
            x = layer(x) if wanted else x
    x = keras.layers.Dense(10)(keras.layers.Flatten()(keras.layers.GlobalAveragePooling2D(keepdims=True)(x)))
    return keras.Model(inputs, x)


def train_side_by_side(seed, digits) -> tuple[int, float]:
    """(steps, largest relative difference of losses below 1000): each step is done both ways, from the same weights.

    Wherever plain layers stay finite, fused ones must, whatever the rate.
    """
    generator = np.random.default_rng(seed)
    device.SHARDS = shards = int(generator.integers(1, 5))  # a batch has at least an image for each
    recipe = Recipe(optimizer=str(generator.choice(["sgd", "adam"])))
    plain = Trainer(random_network(seed), recipe, 1)
    fused = Trainer(random_network(seed), recipe, 1, optimizations=("fused_layers", "shards"))
    random = any(isinstance(layer, keras.layers.Dropout) for layer in plain.network.layers)
    steps, largest, start = 0, 0.0, [variable.numpy() for variable in plain.variables]
    for size, rate in itertools.product((shards, shards + 1, 32), 10.0 ** generator.uniform(-3, 6, 3)):
        for variable, value in zip(plain.variables, start, strict=True):
            variable.assign(value)
        plain.optimizer.learning_rate = rate
        for _ in range(8):
            for ours, theirs in zip(fused.variables, plain.variables, strict=True):
                ours.assign(theirs)
            chosen = generator.integers(0, len(digits.train_images), size)
            batch = digits.train_images[chosen].astype(np.float32), tf.one_hot(digits.train_labels[chosen], 10)
            expected, found = (float(trainer.train_step(*batch)) for trainer in (plain, fused))
            if not all(np.isfinite(value).all() for value in [expected, *plain.variables]):
                break
            assert all(np.isfinite(value).all() for value in [found, *fused.variables]), (seed, size, rate, expected)
            steps += 1
            if not random and expected < 1000:  # beyond, both are rounding alone
                largest = max(largest, abs(found - expected) / (1 + abs(expected)))
    return steps, largest


@pytest.fixture
def any_shards(monkeypatch):
    """The number of shards may be changed, and is set back."""
    monkeypatch.setattr(device, "SHARDS", device.SHARDS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 8])
def test_random_networks_stay_finite_where_plain_layers_do(seed, digits, any_shards):
    assert train_side_by_side(seed, digits)[1] < 1e-3


@pytest.mark.slow
def test_many_random_networks_stay_finite_where_plain_layers_do(digits, any_shards):
    steps, differences = zip(*(train_side_by_side(seed, digits) for seed in range(9, 9 + NETWORKS)), strict=True)
    print(f"{NETWORKS} networks, 9 rates and batch sizes each, {sum(steps)} steps that were finite with plain layers")
    print(f"largest relative difference of losses, without dropout: {max(differences):.1e}")


@pytest.mark.slow
def test_training_survives_what_plain_layers_survive(digits):
    keras.utils.set_random_seed(0)
    recipe = Recipe(optimizer="adam", learning_rate=1.0)
    network = keras_mnist.create_model("bn_gap", classifier_activation=None)
    trainer = Trainer(network, recipe, 1, optimizations=("fused_layers", "shards"))
    for step in range(60):
        chosen = np.arange(step * 32, step * 32 + 32) % len(digits.train_images)
        images, labels = digits.train_images[chosen].astype(np.float32), tf.one_hot(digits.train_labels[chosen], 10)
        assert np.isfinite(trainer.train_step(images, labels)), step
