import dataclasses

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

import keras_mnist
from keras_mnist.errors import RunError, UsageError
from keras_mnist.results.evaluation import evaluate
from keras_mnist.results.score import score


def test_the_score_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(10), 500)
    labels = rng.integers(0, 10, 500)
    found = score("mnist", probabilities, labels)
    assert found.accuracy == pytest.approx(accuracy_score(labels, probabilities.argmax(axis=1)))
    assert found.loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)))
    assert found.errors == round((1 - found.accuracy) * 500)
    assert (found.dataset, found.images) == ("mnist", 500)


def test_every_test_image_counts_also_in_the_last_batch(digits):
    model = keras_mnist.create_model("bn_gap")
    images = np.concatenate([digits.test_images, digits.train_images])[:1003]
    labels = np.concatenate([digits.test_labels, digits.train_labels])[:1003]
    found = evaluate(model, dataclasses.replace(digits, test_images=images, test_labels=labels))
    expected = model(images.astype(np.float32)).numpy().argmax(axis=1)
    assert (found.dataset, found.images) == ("digits", 1003)
    assert found.errors == int(np.sum(expected != labels))


def test_logits_are_scored_as_what_they_are(digits):
    keras.utils.set_random_seed(0)
    logits = keras_mnist.create_model("bn_gap", classifier_activation=None)
    probabilities = keras_mnist.create_model("bn_gap")
    probabilities.set_weights(logits.get_weights())
    found, expected = evaluate(logits, digits), evaluate(probabilities, digits)
    assert found.loss == pytest.approx(expected.loss, abs=1e-5) and found.errors == expected.errors
    assert 2 < found.loss < 3


def test_probabilities_in_short_numbers_are_no_logits(digits):
    keras.utils.set_random_seed(0)
    plain = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    short = keras.layers.Softmax(dtype="bfloat16")
    assert evaluate(keras.Sequential([plain, short]), digits).loss == pytest.approx(
        evaluate(keras.Sequential([plain, keras.layers.Softmax()]), digits).loss, rel=0.02
    )


def five_classes():
    return keras_mnist.create_model("bn_gap", num_classes=5)


def fractions_of_nothing():
    model = keras_mnist.create_model("bn_gap")
    model.set_weights([weight * np.nan for weight in model.get_weights()])
    return model


def color_images():
    return keras.Sequential([keras.Input((28, 28, 3)), keras.layers.Flatten(), keras.layers.Dense(10)])


class Stubborn(keras.Model):
    def call(self, images):
        return keras.ops.reshape(images, (-1, 785))


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (five_classes, UsageError, "bn_gap gives 5 values for an image, expected 10"),
        (fractions_of_nothing, RunError, "bn_gap gives NaN for 397 of 397 images"),
        (color_images, UsageError, r"takes inputs \(None, 28, 28, 3\), expected images"),
        (Stubborn, UsageError, "stubborn does not take images .*: .*785"),
    ],
)
def test_a_model_that_cannot_be_scored_is_told_in_one_line(make, kind, words, digits):
    with pytest.raises(kind, match=words) as error:
        evaluate(make(), digits)
    assert "\n" not in str(error.value) and "\x1b" not in str(error.value)
