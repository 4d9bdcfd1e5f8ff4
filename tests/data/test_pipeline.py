import numpy as np
import pytest

from keras_mnist.data.pipeline import epoch_order, evaluation_batches, steps_per_epoch, training_batches
from keras_mnist.recipe import Augmentation

AUGMENTATION = Augmentation(rotation_degrees=7, elastic_alpha=4)


def batches(count=50, **options):
    images = np.tile(np.arange(count, dtype=np.uint8)[:, None, None, None], (1, 28, 28, 1))
    settings = {"batch_size": 16, "augmentation": Augmentation(), "seed": 3, "epochs": 3, **options}
    return [(x.numpy(), y.numpy()) for x, y in training_batches(images, np.arange(count) % 10, **settings)]


@pytest.mark.parametrize("passes", [1, 2])
def test_an_epoch_shows_every_image_once_a_pass(passes):
    steps = steps_per_epoch(50, 16, passes)
    found = batches(passes=passes, epochs=2)
    assert len(found) == 2 * steps
    for epoch in (found[:steps], found[steps:]):
        shown = np.concatenate([x[:, 0, 0, 0] for x, _ in epoch]).astype(int)
        assert sorted(shown) == sorted([*range(50)] * passes)
        labels = np.concatenate([y.argmax(axis=1) for _, y in epoch])
        np.testing.assert_array_equal(labels, shown % 10)


def test_orders_differ_by_epoch_and_seed_and_repeat():
    orders = [epoch_order(100, 1, seed, epoch).numpy().tolist() for seed in (0, 1) for epoch in (0, 1)]
    assert len({tuple(order) for order in orders}) == 4
    assert orders[0] == epoch_order(100, 1, 0, 0).numpy().tolist()


@pytest.mark.parametrize(("epoch", "step"), [(0, 0), (0, 3), (1, 0), (2, 2)])
def test_the_pipeline_can_begin_anywhere_bit_by_bit(epoch, step):
    whole = batches(augmentation=AUGMENTATION)
    rest = batches(augmentation=AUGMENTATION, first_epoch=epoch, first_step=step)
    assert len(rest) == len(whole) - 4 * epoch - step
    for (x, y), (expected_x, expected_y) in zip(rest, whole[4 * epoch + step :], strict=True):
        np.testing.assert_array_equal(x, expected_x)
        np.testing.assert_array_equal(y, expected_y)


def test_every_epoch_augments_anew(digits):
    options = {"batch_size": 10, "augmentation": AUGMENTATION, "seed": 0, "epochs": 2}
    first, second = (x.numpy() for x, _ in training_batches(digits.train_images[:10], range(10), **options))
    assert len({image.tobytes() for image in [*first, *second]}) == 20


def test_evaluation_keeps_order_and_drops_nothing(digits):
    data = list(evaluation_batches(digits.test_images, digits.test_labels, 100))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in data]), digits.test_images)
    np.testing.assert_array_equal(np.concatenate([y for _, y in data]).argmax(axis=1), digits.test_labels)
