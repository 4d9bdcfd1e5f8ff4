import zipfile

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.models.loading import load_model


def save(model, path):
    model.save(path)
    return path


def test_a_saved_model_comes_back_and_can_be_evaluated_on_labels(tmp_path):
    model = keras_mnist.create_model("bn_gap")
    again = keras_mnist.load_model(str(save(model, tmp_path / "model.keras")))
    images = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    predicted = model(images).numpy()
    np.testing.assert_array_equal(again(images), predicted)
    loss, accuracy = again.evaluate(images, predicted.argmax(axis=1), verbose=0)
    assert accuracy == 1 and loss == pytest.approx(-np.log(predicted.max(axis=1)).mean(), rel=1e-4)


def test_logits_are_evaluated_as_logits(tmp_path, linear):
    model = keras_mnist.create_model(linear, classifier_activation=None)
    again = keras_mnist.load_model(save(model, tmp_path / "model.keras"))
    images = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    loss, _ = again.evaluate(images, np.array([3, 1, 4]), verbose=0)
    odds = keras.ops.softmax(model(images)).numpy()
    assert loss == pytest.approx(-np.log(odds[range(3), [3, 1, 4]]).mean(), rel=1e-4)


def nothing(path):
    pass


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
    "make", [nothing, not_an_archive, another_archive, cut_short, with_code, with_a_foreign_class, for_other_images]
)
def test_a_file_that_is_no_safe_model_of_digits_is_refused_in_one_line(make, tmp_path):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(UsageError, match="model.keras") as error:
        load_model(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
