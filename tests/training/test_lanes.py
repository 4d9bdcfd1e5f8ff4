"""The fast way of computing a network must compute the network."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.recipe import Recipe
from keras_mnist.training import runtime
from keras_mnist.training.lanes import ByteDropout, in_lanes
from keras_mnist.training.steps import Stepper


def without_dropout(name, number_format="float32"):
    """A variant's network up to its logits, without dropout, whose random numbers differ."""
    keras.utils.set_random_seed(0)
    with runtime.number_format(number_format):
        model = keras_mnist.create_model(name, classifier_activation=None)
        for layer in model.layers:
            if hasattr(layer, "rate"):
                layer.rate = 0
        return keras.Model(model.input, model.get_layer("predictions").input)


def pass_through(model, weights, images, labels):
    """Logits and all gradients in one vector."""
    with tf.GradientTape() as tape:
        logits = model(images, training=True)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True)(labels, logits)
    return logits.numpy(), np.concatenate([np.ravel(gradient) for gradient in tape.gradient(loss, weights)])


@pytest.mark.parametrize("name", keras_mnist.list_variants())
def test_lanes_are_as_near_to_the_truth_as_the_plain_network(name, digits):
    """Two float32 ways differ by rounding, which norms amplify: both are held against double precision."""
    # Noise, because in an even background pooling has ties, and rounding decides which pixel gets the gradient.
    noise = np.random.default_rng(0).uniform(0, 80, (100, 28, 28, 1))
    images = tf.constant(digits.train_images[:100] + noise, tf.float32)
    labels = tf.one_hot(digits.train_labels[:100], 10)
    network, exact = without_dropout(name), without_dropout(name, "float64")
    before = network.get_weights()
    exact.set_weights(before)
    truth = pass_through(exact, exact.trainable_weights, tf.cast(images, tf.float64), tf.cast(labels, tf.float64))
    plain = pass_through(network, network.trainable_weights, images, labels)
    after = network.get_weights()
    network.set_weights(before)
    lanes = in_lanes(network)
    fast = pass_through(lanes, network.trainable_weights, images, labels)
    assert np.abs(fast[0] - truth[0]).max() <= 3 * np.abs(plain[0] - truth[0]).max() + 1e-6
    # A ReLU or a pooling that rounding tips over moves a gradient by whole pixels: here the direction is checked, and
    # below, without either, the figures.
    assert np.linalg.norm(fast[1] - truth[1]) <= 0.03 * np.linalg.norm(truth[1])
    for ours, theirs in zip(network.get_weights(), after, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(lanes(images, training=False), network(images, training=False), atol=1e-4)
    assert {id(w) for w in lanes.trainable_variables} == {id(w) for w in network.trainable_variables}


@pytest.mark.parametrize("filters", [4, 10, 16, 18])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("bias", [False, True])
def test_gradients_of_convolution_and_norm_are_those_of_the_plain_layers(filters, padding, bias):
    """Through two of each, so that the second reads the first one's lanes."""
    inputs = keras.Input((12, 12, 3))
    x = inputs
    for _ in range(2):
        x = keras.layers.Conv2D(filters, 3, padding=padding, use_bias=bias)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
    network = keras.Model(inputs, keras.layers.Flatten()(x))
    images = tf.constant(np.random.default_rng(0).normal(size=(32, 12, 12, 3)).astype(np.float32))
    weights = [*network.trainable_weights]
    readout = np.random.default_rng(1).normal(size=network.output.shape[1:]).astype(np.float32)

    def gradients(model):
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(tf.tanh(model(images, training=True)) @ readout[:, None])
        return [gradient.numpy() for gradient in tape.gradient(value, weights)]

    for ours, theirs in zip(gradients(in_lanes(network)), gradients(network), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * max(1.0, np.abs(theirs).max()))


def test_dropout_drops_at_exactly_its_rate_and_keeps_the_mean():
    for rate in (0.05, 0.1, 0.25, 0.5):
        dropout = ByteDropout(keras.layers.Dropout(rate, seed=1))
        ones = tf.ones((4000, 5, 5, 10))
        result = dropout(ones, training=True).numpy()
        dropped = np.mean(result == 0)
        # Five deviations of a share of a million draws.
        assert dropped == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / result.size) + 3e-5)
        assert result.max() == pytest.approx(1 / (1 - rate)) and result.mean() == pytest.approx(1, abs=0.005)
        neighbours = np.mean((result[:, :, :, :-1] == 0) & (result[:, :, :, 1:] == 0))
        assert neighbours == pytest.approx(rate**2, rel=0.05)
        np.testing.assert_array_equal(dropout(ones, training=False), ones)
        assert np.any(dropout(ones, training=True).numpy() != result)


def test_what_is_dropped_gets_no_gradient():
    dropout = ByteDropout(keras.layers.Dropout(0.3, seed=1))
    inputs = tf.Variable(tf.ones((8, 3, 3, 5)))
    with tf.GradientTape() as tape:
        result = dropout(inputs, training=True)
    gradient = tape.gradient(result, inputs)
    np.testing.assert_allclose(gradient, result, rtol=1e-6)


def test_one_switch_takes_lanes_away(monkeypatch):
    device = runtime.Device("cpu", "a CPU")
    assert device.use_lanes and not runtime.Device("gpu", "a GPU").use_lanes
    monkeypatch.setenv("KERAS_MNIST_LANES", "0")
    assert not device.use_lanes and runtime.surroundings(device)["lanes"] is False


def test_training_in_lanes_changes_the_plain_network(digits):
    network = keras_mnist.create_model("bn_gap", classifier_activation=None)
    stepper = Stepper(network, Recipe(learning_rate=0.05), 1, use_lanes=True)
    before = network.get_weights()
    images = tf.constant(digits.train_images[:64], tf.float32)
    losses = [float(stepper.train_step(images, tf.one_hot(digits.train_labels[:64], 10))) for _ in range(15)]
    assert losses[-1] < losses[0]
    assert all(np.any(a != b) for a, b in zip(before, network.get_weights(), strict=True))
