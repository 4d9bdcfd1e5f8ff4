import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.recipe import Recipe, Schedule
from keras_mnist.training import runtime
from keras_mnist.training.steps import Stepper, build_optimizer, learning_rate


def rates(recipe, steps):
    rate = learning_rate(recipe, steps)
    return [float(rate(step)) for step in range(recipe.epochs * steps)]


def test_one_cycle_rises_to_the_peak_and_ends_near_zero():
    found = rates(Recipe(epochs=10, learning_rate=0.1, schedule=Schedule("one_cycle")), 50)
    assert found[0] == pytest.approx(0.004)
    assert max(found) == pytest.approx(0.1) and found.index(max(found)) == 100
    assert np.all(np.diff(found[:100]) > 0) and np.all(np.diff(found[101:]) < 0)
    assert found[-1] == pytest.approx(0.0001, rel=0.1)


def test_one_cycle_without_warmup_begins_at_the_peak():
    found = rates(Recipe(epochs=2, learning_rate=0.1, schedule=Schedule("one_cycle", warmup_fraction=0)), 50)
    assert found[0] == pytest.approx(0.1) and np.all(np.diff(found) < 0)


def test_step_reduces_between_epochs():
    schedule = Schedule("step", step_epochs=2, reduction_factor=0.5)
    found = rates(Recipe(epochs=6, learning_rate=0.8, schedule=schedule), 3)
    assert found == pytest.approx([0.8] * 6 + [0.4] * 6 + [0.2] * 6)


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_other_schedules_begin_as_a_number(name):
    assert learning_rate(Recipe(learning_rate=0.3, schedule=Schedule(name)), 10) == 0.3


def test_adam_has_the_epsilon_of_the_documents():
    assert build_optimizer(Recipe(optimizer="adam"), 1).epsilon == 1e-8


def one_step(recipe):
    """A linear network after one step, with its gradient by hand."""
    keras.utils.set_random_seed(0)
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    images = np.random.default_rng(0).uniform(-1, 1, (8, 28, 28, 1)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[:8]
    before = [weight.numpy() for weight in network.trainable_weights]
    logits = images.reshape(8, -1) @ before[0] + before[1]
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    smooth = labels * (1 - recipe.label_smoothing) + recipe.label_smoothing / 10
    gradient = images.reshape(8, -1).T @ (odds - smooth) / 8
    stepper = Stepper(network, recipe, 1)
    stepper.reset_means()
    loss = float(stepper.train_step(tf.constant(images), tf.constant(labels)))
    after = [weight.numpy() for weight in network.trainable_weights]
    assert loss == pytest.approx(-np.mean(np.sum(smooth * np.log(odds), axis=1)), rel=1e-5)
    assert stepper.means()["accuracy"] == pytest.approx(np.mean(logits.argmax(axis=1) == np.arange(8)))
    return before[0], gradient, after[0]


def test_a_step_follows_the_gradient():
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0))
    np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)


def test_label_smoothing_spreads_the_label():
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, label_smoothing=0.05))
    np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)


def test_l2_is_added_to_the_gradient():
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, l2=0.5))
    np.testing.assert_allclose(after, before - 0.1 * (gradient + 0.5 * before), atol=1e-6)


def test_a_large_gradient_is_scaled_to_the_norm_asked_for():
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, clip_norm=0.01))
    step = before - after
    np.testing.assert_allclose(step / np.linalg.norm(step), gradient / np.linalg.norm(gradient), atol=1e-4)
    assert 0.9 * 0.1 * 0.01 < np.linalg.norm(step) <= 0.1 * 0.01  # the bias has a share in the norm
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, clip_norm=1e5))
    np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)


def test_means_weigh_a_smaller_last_batch_by_its_images():
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    stepper = Stepper(network, Recipe(), 1)
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (10, 28, 28, 1)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)
    whole = stepper.score([(tf.constant(images), tf.constant(labels))])
    parts = [(tf.constant(images[a:b]), tf.constant(labels[a:b])) for a, b in ((0, 7), (7, 10))]
    assert stepper.score(parts) == pytest.approx(whole, rel=1e-5)


def test_an_accuracy_exactly_at_a_target_is_not_a_rounding_below_it():
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    stepper = Stepper(network, Recipe(), 1)
    for right in range(1, 1000):
        stepper.accuracy.total.assign(right)
        stepper.accuracy.count.assign(1000)
        assert stepper.means()["accuracy"] == right / 1000


def test_the_way_of_a_gpu_compiled_and_in_short_numbers_trains_too(digits):
    keras.utils.set_random_seed(0)
    gpu = runtime.Device("gpu", "a GPU")
    with runtime.number_format(gpu.number_format):
        network = keras_mnist.create_model("bn_gap", classifier_activation=None)
    recipe = keras_mnist.get_variant("bn_gap").recipe().with_settings(schedule="constant", learning_rate=0.05)
    stepper = Stepper(network, recipe, 10, gpu.compile_steps, gpu.tricks)
    images = tf.constant(digits.train_images[:64], tf.float32)
    labels = tf.one_hot(digits.train_labels[:64], 10)
    losses = [float(stepper.train_step(images, labels)) for _ in range(10)]
    assert np.all(np.isfinite(losses)) and np.mean(losses[-3:]) < losses[0]
    assert float(stepper.train_step(images[:16], labels[:16])) > 0
    assert stepper.score([(images, labels)])["loss"] > 0
    plain = keras_mnist.create_model("bn_gap")
    plain.set_weights(network.get_weights())
    assert plain(images).dtype == tf.float32


def steppers_and_batches(images, labels):
    """A trainer of bn_gap and its batches of 16, both always the same."""
    keras.utils.set_random_seed(0)
    network = keras_mnist.create_model("bn_gap", classifier_activation=None)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    return Stepper(network, Recipe(learning_rate=0.05), 6, tricks=("chains", "parts")), iter(data)


def test_many_steps_in_one_call_are_the_same_steps(digits):
    images, labels = tf.constant(digits.train_images[:96], tf.float32), tf.one_hot(digits.train_labels[:96], 10)
    results = []
    for counts in ([6], [1, 1, 4], [1] * 6):
        stepper, batches = steppers_and_batches(images, labels)
        done = [int(stepper.train_steps(batches, tf.constant(count))[0]) for count in counts]
        assert done == counts
        results.append([variable.numpy() for variable in stepper.variables])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_steps_end_where_the_loss_is_no_number(digits):
    images = digits.train_images[:96].astype(np.float32)
    images[40] = np.nan  # in the third batch
    stepper, batches = steppers_and_batches(images, tf.one_hot(digits.train_labels[:96], 10))
    done, loss = stepper.train_steps(batches, tf.constant(6))
    assert int(done) == 3 and np.isnan(loss)
