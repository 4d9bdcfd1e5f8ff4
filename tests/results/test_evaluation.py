import dataclasses
import zipfile

import keras
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, log_loss

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.results.evaluation import evaluate, load_model, score


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


def save(model, path):
    model.save(path)
    return path


def test_a_saved_model_comes_back(tmp_path):
    model = keras_mnist.create_model("bn_gap")
    again = load_model(save(model, tmp_path / "model.keras"))
    image = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    np.testing.assert_array_equal(again(image), model(image))


def not_an_archive(path):
    path.write_text("no model")


def another_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", "{}")


def cut_short(path):
    save(keras_mnist.create_model("bn_gap"), path)
    path.write_bytes(path.read_bytes()[:5000])


def with_code(path):
    inputs = keras.Input((28, 28, 1))
    save(keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs)), path)


def with_a_foreign_class(path):
    class Foreign(keras.layers.Layer):
        def call(self, x):
            return x

    inputs = keras.Input((28, 28, 1))
    save(keras.Model(inputs, Foreign()(inputs)), path)


def for_other_images(path):
    inputs = keras.Input((32, 32, 3))
    save(keras.Model(inputs, keras.layers.Flatten()(inputs)), path)


@pytest.mark.parametrize(
    "make", [not_an_archive, another_archive, cut_short, with_code, with_a_foreign_class, for_other_images]
)
def test_a_file_that_is_no_safe_model_of_digits_is_refused_in_one_line(make, tmp_path):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(UsageError, match="model.keras") as error:
        load_model(path)
    assert "\n" not in str(error.value) and "--model" in str(error.value)
