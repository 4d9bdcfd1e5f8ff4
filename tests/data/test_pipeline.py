import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist.data.digit_set import DigitSet
from keras_mnist.data.pipeline import epoch_order, evaluation_batches, steps_per_epoch, training_batches
from keras_mnist.errors import UsageError
from keras_mnist.recipe import Augmentation

AUGMENTATION = Augmentation(rotation_degrees=7, elastic_alpha=4)


def numbered(count):
    """Images in which each pixel is the image's number, and labels that are its last digit."""
    numbers = np.arange(count, dtype=np.uint8)
    return np.tile(numbers[:, None, None, None], (1, 28, 28, 1)), numbers % 10


def numbers_of(batches):
    return np.concatenate([images[:, 0, 0, 0] for images, _ in batches]).astype(int)


def batches(count=50, **options):
    images, labels = numbered(count)
    settings = {"batch_size": 16, "augmentation": Augmentation(), "seed": 3, "epochs": 3, **options}
    return [(x.numpy(), y.numpy()) for x, y in training_batches(images, labels, **settings)]


@pytest.mark.parametrize("passes", [1, 2])
def test_an_epoch_shows_every_image_once_a_pass(passes):
    steps = steps_per_epoch(50, 16, passes)
    found = batches(passes=passes, epochs=2)
    assert len(found) == 2 * steps
    for epoch in (found[:steps], found[steps:]):
        shown = numbers_of(epoch)
        assert sorted(shown) == sorted([*range(50)] * passes)
        labels = np.concatenate([y.argmax(axis=1) for _, y in epoch])
        np.testing.assert_array_equal(labels, shown % 10)


def test_orders_differ_by_epoch_and_seed_and_repeat():
    orders = [epoch_order(100, 1, seed, epoch).numpy().tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert orders[0] == epoch_order(100, 1, 0, 0).numpy().tolist()


def test_the_pipeline_can_begin_anywhere_bit_by_bit():
    whole = batches(augmentation=AUGMENTATION)
    for epoch, step in [(0, 0), (0, 3), (1, 0), (2, 2)]:
        rest = batches(augmentation=AUGMENTATION, first_epoch=epoch, first_step=step)
        assert len(rest) == len(whole) - 4 * epoch - step
        for (x, y), (expected_x, expected_y) in zip(rest, whole[4 * epoch + step :], strict=True):
            np.testing.assert_array_equal(x, expected_x)
            np.testing.assert_array_equal(y, expected_y)


def test_every_epoch_augments_anew(digits):
    options = {"batch_size": 10, "augmentation": AUGMENTATION, "seed": 0, "epochs": 2}
    first, second = (x.numpy() for x, _ in training_batches(digits.train_images[:10], range(10), **options))
    assert len({image.tobytes() for image in [*first, *second]}) == 20


def test_the_last_epochs_show_images_as_they_are(sixty):
    found = batches(augmentation=dataclasses.replace(AUGMENTATION, plain_epochs=2))
    plain, distorted = batches(), batches(augmentation=AUGMENTATION)
    for step, (images, _) in enumerate(found):
        np.testing.assert_array_equal(images, (distorted if step < 4 else plain)[step][0])
    assert not np.array_equal(plain[0][0], distorted[0][0])
    with pytest.raises(UsageError, match="`plain_epochs` is 1, expected 0"):
        keras_mnist.batches(sixty, Augmentation(plain_epochs=1))


def test_evaluation_keeps_order_and_drops_nothing(digits):
    data = list(evaluation_batches(digits.test_images, digits.test_labels, 100))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in data]), digits.test_images)
    np.testing.assert_array_equal(np.concatenate([y for _, y in data]).argmax(axis=1), digits.test_labels)


@pytest.fixture(scope="module")
def sixty():
    """Sixty training images that can be told apart, ten of them held out, each shown twice in an epoch."""
    return DigitSet("sixty", *numbered(60), *numbered(20), held_out_count=10, passes_per_epoch=2)


def passes_over(data, count):
    return [[(x.numpy(), y.numpy()) for x, y in data] for _ in range(count)]


def test_one_pass_over_batches_is_an_epoch_of_the_images_that_are_not_held_out(sixty):
    data = keras_mnist.batches(sixty, batch_size=16, seed=3)
    assert data.cardinality() == len(data) == 7
    kept = sixty.kept[0][:, 0, 0, 0]
    assert len(kept) == 50 and not set(kept) & set(sixty.held_out[0][:, 0, 0, 0])
    for epoch in passes_over(data, 2):
        shown = numbers_of(epoch)
        assert sorted(shown) == sorted([*kept, *kept])
        assert [len(x) for x, _ in epoch] == [16] * 6 + [4]
        np.testing.assert_array_equal(np.concatenate([y for _, y in epoch]), shown % 10)
        assert all(x.dtype == np.float32 and y.dtype == np.int32 for x, y in epoch)


def test_each_pass_has_another_order_and_the_same_seed_the_same_orders(sixty):
    def orders(seed):
        return [numbers_of(epoch).tolist() for epoch in passes_over(keras_mnist.batches(sixty, seed=seed), 3)]

    first = orders(3)
    assert len({tuple(order) for order in [*first, *orders(4)]}) == 6
    keras.utils.set_random_seed(1)  # whatever the process's own seed
    assert orders(3) == first


def test_batches_augment_each_image_anew(sixty):
    data = keras_mnist.batches(sixty, AUGMENTATION, batch_size=100)
    images = [image for epoch in passes_over(data, 2) for image in epoch[0][0] if image.any()]  # one is black
    assert len({image.tobytes() for image in images}) == len(images) >= 196


@pytest.mark.slow
def test_batches_serve_plain_fit(small_digits):
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 255), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential([keras.Input((28, 28, 1)), *layers])
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    digits = keras_mnist.load_data("digits")
    history = model.fit(
        keras_mnist.batches(digits, Augmentation(rotation_degrees=7), batch_size=32),
        validation_data=digits.held_out,
        epochs=20,
        verbose=0,
        callbacks=[
            keras_mnist.callbacks.AccuracyTarget(0.6, consecutive=3),
            # Nothing gets better by so much: it reduces the rate after every epoch.
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.9, patience=1, min_delta=100),
        ],
    ).history
    reached = [accuracy >= 0.6 for accuracy in history["val_accuracy"]]
    assert len(reached) < 20 and reached[-3:] == [True] * 3
    assert all(reached[k : k + 3] != [True] * 3 for k in range(len(reached) - 3))
    rates = [0.5 * 0.9 ** max(epoch - 1, 0) for epoch in range(len(reached))]
    assert history["learning_rate"] == pytest.approx(rates, rel=1e-5)
    assert model.evaluate(*digits.held_out, verbose=0)[1] == pytest.approx(history["val_accuracy"][-1])
    assert isinstance(keras_mnist.batches(digits), tf.data.Dataset)
