import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.recipe import Recipe
from keras_mnist.training.device import Device, dtype_policy
from keras_mnist.training.optimizers import build_optimizer
from keras_mnist.training.trainer import Trainer


def test_adam_has_the_epsilon_of_the_documents():
    assert build_optimizer(Recipe(optimizer="adam"), 1).epsilon == 1e-8


def linear_network():
    return keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])


def softened(logits, temperature):
    odds = np.exp(logits / temperature)
    return odds / odds.sum(axis=1, keepdims=True)


def one_step(recipe):
    """A linear network after one step, with its gradient by hand."""
    keras.utils.set_random_seed(0)
    network = linear_network()
    images = np.random.default_rng(0).uniform(-1, 1, (8, 28, 28, 1)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)[:8]
    before = [weight.numpy() for weight in network.trainable_weights]
    logits = images.reshape(8, -1) @ before[0] + before[1]
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    smooth = labels * (1 - recipe.label_smoothing) + recipe.label_smoothing / 10
    difference = odds - smooth
    if recipe.teacher:
        teacher = keras_mnist.create_model(recipe.teacher, weights="mnist", classifier_activation=None)
        ours, theirs = softened(logits, recipe.temperature), softened(teacher(images).numpy(), recipe.temperature)
        difference = (1 - recipe.teacher_share) * difference
        difference += recipe.teacher_share * recipe.temperature * (ours - theirs)
    gradient = images.reshape(8, -1).T @ difference / 8
    trainer = Trainer(network, recipe, 1)
    trainer.reset_metrics()
    loss = float(trainer.train_step(tf.constant(images), tf.constant(labels)))
    after = [weight.numpy() for weight in network.trainable_weights]
    assert loss == pytest.approx(-np.mean(np.sum(smooth * np.log(odds), axis=1)), rel=1e-5)
    assert trainer.metrics()["accuracy"] == pytest.approx(np.mean(logits.argmax(axis=1) == np.arange(8)))
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


def test_a_teacher_s_answers_have_their_share_of_the_gradient():
    recipe = Recipe(learning_rate=0.1, momentum=0.0, teacher="bn_gap", teacher_share=0.3, temperature=4)
    before, gradient, after = one_step(recipe)
    np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)
    assert np.abs(gradient - one_step(recipe.with_settings(teacher=None))[1]).max() > 1e-3


def test_a_large_gradient_is_scaled_to_the_norm_asked_for():
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, global_clipnorm=0.01))
    step = before - after
    np.testing.assert_allclose(step / np.linalg.norm(step), gradient / np.linalg.norm(gradient), atol=1e-4)
    assert 0.9 * 0.1 * 0.01 < np.linalg.norm(step) <= 0.1 * 0.01  # the bias has a share in the norm
    before, gradient, after = one_step(Recipe(learning_rate=0.1, momentum=0.0, global_clipnorm=1e5))
    np.testing.assert_allclose(after, before - 0.1 * gradient, atol=1e-6)


def test_metrics_weigh_a_smaller_last_batch_by_its_images():
    trainer = Trainer(linear_network(), Recipe(), 1)
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (10, 28, 28, 1)).astype(np.float32)
    labels = np.eye(10, dtype=np.float32)

    def tested(*batches):
        trainer.reset_metrics()
        for begin, end in batches:
            trainer.test_step(tf.constant(images[begin:end]), tf.constant(labels[begin:end]))
        return trainer.metrics()

    assert tested((0, 7), (7, 10)) == pytest.approx(tested((0, 10)), rel=1e-5)


def test_an_accuracy_exactly_at_a_target_is_not_a_rounding_below_it():
    network = linear_network()
    trainer = Trainer(network, Recipe(), 1)
    trainer.accuracy.count.assign(1000)
    for right in range(1, 1000):
        trainer.accuracy.total.assign(right)
        assert trainer.metrics()["accuracy"] == right / 1000


@pytest.mark.slow
def test_the_way_of_a_gpu_compiled_and_with_another_policy_trains_too(digits, tiny):
    keras.utils.set_random_seed(0)
    gpu = Device("gpu", "a GPU")
    with dtype_policy("mixed_bfloat16"):
        model = keras_mnist.create_model(tiny)
    recipe = Recipe(learning_rate=0.05)
    trainer = Trainer(model, recipe, 10, gpu.jit_compile, gpu.optimizations)
    images = tf.constant(digits.train_images[:64], tf.float32)
    labels = tf.one_hot(digits.train_labels[:64], 10)
    losses = [float(trainer.train_step(images, labels)) for _ in range(10)]
    assert np.all(np.isfinite(losses)) and np.mean(losses[-3:]) < losses[0]
    assert float(trainer.train_step(images[:16], labels[:16])) > 0
    trainer.reset_metrics()
    trainer.test_step(images, labels)
    assert trainer.metrics()["loss"] > 0
    plain = keras_mnist.create_model(tiny)
    plain.set_weights(model.get_weights())
    assert plain(images).dtype == tf.float32


def test_the_model_is_trained_with_its_softmax_and_keeps_the_trainer_s_optimizer(digits, tiny):
    model = keras_mnist.create_model(tiny)
    trainer = Trainer(model, Recipe(learning_rate=0.05), 1)
    before = model.get_weights()
    images = tf.constant(digits.train_images[:32], tf.float32)
    trainer.train_step(images, tf.one_hot(digits.train_labels[:32], 10))
    assert model.optimizer is trainer.optimizer and model.layers[-1].activation is keras.activations.softmax
    np.testing.assert_allclose(tf.nn.softmax(trainer.network(images)), model(images), atol=1e-6)
    assert all(np.any(one != two) for one, two in zip(before, model.get_weights(), strict=True))


def trainer_and_batches(images, labels):
    """A trainer of a tiny network and its batches of 16."""
    keras.utils.set_random_seed(0)
    network = keras_mnist.create_model("tiny", classifier_activation=None)
    data = tf.data.Dataset.from_tensor_slices((images, labels)).batch(16)
    return Trainer(network, Recipe(learning_rate=0.05), 6, optimizations=("fused_layers", "shards")), data


def test_many_steps_in_one_call_are_the_same_steps(digits, tiny):
    images, labels = tf.constant(digits.train_images[:96], tf.float32), tf.one_hot(digits.train_labels[:96], 10)
    trainer, data = trainer_and_batches(images, labels)
    start, results = [variable.numpy() for variable in trainer.variables], []
    for counts in ([6], [1, 1, 4], [1] * 6):
        for variable, value in zip(trainer.variables, start, strict=True):
            variable.assign(value)
        batches = iter(data)
        done = [int(trainer.train_steps(batches, tf.constant(count))[0]) for count in counts]
        assert done == counts
        results.append([variable.numpy() for variable in trainer.variables])
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(one, two)


def test_steps_end_where_the_loss_is_no_number(digits, tiny):
    images, labels = digits.train_images[:96].astype(np.float32), tf.one_hot(digits.train_labels[:96], 10).numpy()
    labels[40] = np.nan  # in the third batch; of images, a max pooling may drop it
    trainer, data = trainer_and_batches(images, labels)
    done, loss = trainer.train_steps(iter(data), tf.constant(6))
    assert int(done) == 3 and np.isnan(loss)
