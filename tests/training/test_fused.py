"""The fast way of computing a network must compute the network."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.recipe import Recipe
from keras_mnist.training.device import dtype_policy
from keras_mnist.training.fused import FusedLayers, FusedNetwork, can_be_fused
from keras_mnist.training.trainer import Trainer
from tests.conftest import every_variant, slow_beside
from tests.results import users_models


def without_dropout(name, policy="float32"):
    """A variant's network up to its logits, without dropout, whose random numbers differ."""
    keras.utils.set_random_seed(0)
    with dtype_policy(policy):
        model = keras_mnist.create_model(name, classifier_activation=None)
        for layer in model.layers:
            if hasattr(layer, "rate"):
                layer.rate = 0
        return keras.Model(model.input, model.get_layer("predictions").input)


def pass_through(model, weights, images, labels):
    """Logits and all gradients in one vector."""

    @tf.function(autograph=False)  # operations of our own work in graphs
    def differentiate():
        with tf.GradientTape() as tape:
            logits = model(images, training=True)
            loss = keras.losses.CategoricalCrossentropy(from_logits=True)(labels, logits)
        return logits, tape.gradient(loss, weights)

    logits, gradients = differentiate()
    return logits.numpy(), np.concatenate([np.ravel(gradient) for gradient in gradients])


@pytest.mark.parametrize("name", every_variant(quick=("bn_gap",)))
def test_fused_networks_are_as_near_to_the_truth_as_plain_ones(name, digits):
    """Two float32 ways differ by rounding, which norms amplify: both are held against double precision."""
    # Noise, because in an even background pooling has ties, and rounding decides which pixel gets the gradient.
    noise = np.random.default_rng(0).uniform(0, 80, (101, 28, 28, 1))
    images = tf.constant(digits.train_images[:101] + noise, tf.float32)
    labels = tf.one_hot(digits.train_labels[:101], 10)
    network, exact = without_dropout(name), without_dropout(name, "float64")
    before = network.get_weights()
    exact.set_weights(before)
    truth = pass_through(exact, exact.trainable_weights, tf.cast(images, tf.float64), tf.cast(labels, tf.float64))
    plain = pass_through(network, network.trainable_weights, images, labels)
    after = network.get_weights()
    network.set_weights(before)
    fused = FusedNetwork(network, shards=3)
    fast = pass_through(fused, network.trainable_weights, images, labels)
    assert np.abs(fast[0] - truth[0]).max() <= 3 * np.abs(plain[0] - truth[0]).max() + 1e-6
    # A ReLU or a pooling that rounding tips over moves a gradient by whole pixels: here the direction is checked, and
    # below, without either, the figures.
    assert np.linalg.norm(fast[1] - truth[1]) <= 0.03 * np.linalg.norm(truth[1])
    for ours, theirs in zip(network.get_weights(), after, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(fused(images, training=False), network(images, training=False), atol=1e-4)


@pytest.mark.slow
def test_a_layer_of_several_passes_gets_the_sum_of_their_gradients(digits):
    keras.utils.set_random_seed(0)
    model = users_models.layers_of_several_passes()
    network = keras.Model(model.inputs, model.layers[-1].input)
    images = tf.constant(digits.train_images[:31], tf.float32)
    labels = tf.one_hot(digits.train_labels[:31], network.output_shape[-1])
    before = network.get_weights()
    plain = pass_through(network, network.trainable_weights, images, labels)
    after = network.get_weights()
    network.set_weights(before)
    assert can_be_fused(network)
    fused = FusedNetwork(network, shards=3)
    fast = pass_through(fused, network.trainable_weights, images, labels)
    for ours, theirs in zip((*fast, *network.get_weights()), (*plain, *after), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fused(images, training=False), network(images, training=False), atol=1e-4)


def fused_together(relu_first, relu_last, dropout, channels, epsilon=1e-3):
    """A Keras model of layers that are fused and the layers themselves, with weights that are not ones and zeros."""
    inputs = x = keras.Input((5, 7, channels))
    generator = np.random.default_rng(channels)
    layers = [keras.layers.ReLU() if relu_first else None, keras.layers.BatchNormalization(epsilon=epsilon)]
    layers += [keras.layers.ReLU() if relu_last else None, keras.layers.Dropout(dropout, seed=1) if dropout else None]
    for layer in filter(None, layers):
        x = layer(x)
    layers[1].set_weights([generator.uniform(0.2, 2, channels).astype(np.float32) for _ in range(4)])
    return keras.Model(inputs, x), layers


@pytest.mark.parametrize("channels", slow_beside([1, 18], [1, 4, 10, 16, 18]))
@pytest.mark.parametrize(("relu_first", "relu_last"), [(False, False), (True, False), (False, True), (True, True)])
def test_fused_layers_give_the_gradients_of_plain_ones(channels, relu_first, relu_last):
    model, layers = fused_together(relu_first, relu_last, 0, channels)
    generator = np.random.default_rng(0)
    images = tf.Variable(generator.normal(0.3, 1, (10, 5, 7, channels)).astype(np.float32))
    readout = generator.normal(size=(10, 5, 7, channels)).astype(np.float32)
    weights = [images, layers[1].gamma.value, layers[1].beta.value]

    @tf.function(autograph=False)
    def differentiate(compute):
        with tf.GradientTape() as tape:
            result = compute(images)
            value = tf.reduce_sum(tf.tanh(result) * readout)
        return [result, *tape.gradient(value, weights)]

    def results(compute):
        layers[1].moving_mean.assign(tf.ones(channels) * 0.5)
        layers[1].moving_variance.assign(tf.ones(channels))
        return [np.array(each) for each in [*differentiate(compute), layers[1].moving_mean, layers[1].moving_variance]]

    def in_shards(pairs):
        return lambda images: tf.concat(fused([images[a:b] for a, b in pairs], True), 0)

    theirs, fused = results(lambda images: model(images, training=True)), FusedLayers(*layers)
    for cuts in [0, 10], [0, 3, 10], [0, 3, 6, 10]:
        ours = results(in_shards(list(itertools.pairwise(cuts))))
        for our, their in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-4 * max(1.0, np.abs(their).max()))


def test_shards_change_nothing_but_rounding():
    """The same values are dropped, wherever a batch is cut."""
    _, layers = fused_together(True, False, 0.2, 6)
    images = tf.constant(np.random.default_rng(0).normal(size=(40, 5, 7, 6)).astype(np.float32))
    results = []
    for cuts in ([0, 40], [0, 15, 40]):
        layers[3].seed_generator.state.assign([1, 2])
        layers[1].moving_mean.assign(tf.zeros(6))
        fused = tf.function(FusedLayers(*layers), autograph=False)
        results.append(np.concatenate(fused([images[a:b] for a, b in itertools.pairwise(cuts)], True)))
    np.testing.assert_allclose(*results, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(results[0] == 0, results[1] == 0)
    assert 0.1 < np.mean(results[0] == 0) < 0.3


def drop(rate, seed=1):
    """Dropout of ones without a norm: a function of images in shards."""
    layer = keras.layers.Dropout(rate, seed=seed)
    layer.build((None, 5, 5, 10))
    return tf.function(FusedLayers(None, None, None, layer), autograph=False)


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.25, 0.5])
def test_dropout_drops_at_its_rate_independently_of_neighbours_and_steps(rate):
    dropout = drop(rate)
    halves = [tf.ones((2000, 5, 5, 10))] * 2
    first, second = (np.concatenate(dropout(halves, True)) for _ in range(2))
    gone = first == 0
    # Five deviations of a share of a million draws.
    tolerance = 5 * np.sqrt(rate * (1 - rate) / gone.size)
    assert gone.mean() == pytest.approx(rate, abs=tolerance)
    assert first.max() == pytest.approx(1 / (1 - rate)) and first.mean() == pytest.approx(1, abs=0.01)
    pairs = {
        "next step": (gone, second == 0),
        "other shard": (gone[:2000], gone[2000:]),
        "next image": (gone[1:], gone[:-1]),
        "next row": (gone[:, 1:], gone[:, :-1]),
        "next channel": (gone[..., 1:], gone[..., :-1]),
        "other seed": (gone, np.concatenate(drop(rate, seed=2)(halves, True)) == 0),
    }
    for name, (one, other) in pairs.items():
        deviation = np.sqrt(rate**2 * (1 - rate**2) / one.size)
        assert np.mean(one & other) == pytest.approx(rate**2, abs=6 * deviation), name
    np.testing.assert_array_equal(np.concatenate(dropout(halves, False)), np.ones((4000, 5, 5, 10)))


@pytest.mark.parametrize("norm", [False, True])
def test_what_is_dropped_gets_no_gradient(norm):
    """A value's gradient is what a change of it changes, the dropped ones included."""
    _, layers = fused_together(False, False, 0.3, 4)
    fused = FusedLayers(None, layers[1] if norm else None, None, layers[3])
    images = tf.Variable(np.random.default_rng(0).normal(size=(4, 5, 7, 4)).astype(np.float32))
    readout = np.random.default_rng(1).normal(size=(4, 5, 7, 4)).astype(np.float32)

    @tf.function(autograph=False)
    def differentiate():
        layers[3].seed_generator.state.assign([1, 2])
        with tf.GradientTape() as tape:
            value = tf.reduce_sum(fused([images.value()], True)[0] * readout)
        return value, tape.gradient(value, images)

    gradient = differentiate()[1].numpy()
    direction = np.random.default_rng(2).normal(size=images.shape).astype(np.float32)
    here, step = images.numpy(), 1e-2
    images.assign(here + step * direction)
    above = float(differentiate()[0])
    images.assign(here - step * direction)
    difference = (above - float(differentiate()[0])) / (2 * step)
    assert difference == pytest.approx(float(np.sum(gradient * direction)), rel=0.01)
    if not norm:
        assert 0.2 < np.mean(gradient == 0) < 0.4


@pytest.mark.parametrize("used", [(), ("fused_layers",), ("fused_layers", "shards")])
def test_training_changes_the_plain_network(used, digits, tiny):
    network = keras_mnist.create_model(tiny, classifier_activation=None)
    trainer = Trainer(network, Recipe(learning_rate=0.05), 1, optimizations=used)
    before = network.get_weights()
    images = tf.constant(digits.train_images[:64], tf.float32)
    losses = [float(trainer.train_step(images, tf.one_hot(digits.train_labels[:64], 10))) for _ in range(15)]
    assert losses[-1] < losses[0]
    assert all(np.any(a != b) for a, b in zip(before, network.get_weights(), strict=True))


@pytest.mark.parametrize(("relu_first", "relu_last"), [(False, False), (True, True)])
def test_what_is_no_number_stays_none(relu_first, relu_last):
    """A run that diverged must be seen to."""
    _, layers = fused_together(relu_first, relu_last, 0.2, 6)
    images = np.ones((8, 5, 7, 6), np.float32)
    images[3] = np.nan
    result = np.concatenate(tf.function(FusedLayers(*layers), autograph=False)([images[:4], images[4:]], True))
    assert np.isnan(result).mean() > 0.7 and np.isnan(layers[1].moving_variance).all()
