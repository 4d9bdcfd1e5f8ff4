import zipfile

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.models.loading import load_model
from keras_mnist.results import evaluation, folding, graph


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


def test_names_that_tensorflow_does_not_take_are_changed_and_without_that_named(tmp_path):
    image = keras.Input((28, 28, 1))
    model = keras.Model(image, keras.layers.Dense(10, name="last layer")(keras.layers.Flatten()(image)), name="_my net")
    images = np.zeros((2, 28, 28, 1), np.uint8)
    with pytest.raises(UsageError, match="TensorFlow takes no model or layer called '_my net', expected letters"):
        evaluation.predict(model, images)
    again = keras_mnist.load_model(save(model, tmp_path / "model.keras"))
    assert (again.name, again.layers[-1].name) == ("model_my_net", "last_layer")
    assert evaluation.predict(again, images).shape == (2, 10)


def of_any_size(path, poolings=1):
    image = x = keras.Input((None, None, 1))
    for _ in range(poolings):
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(10, 3)(x))
    save(keras.Model(image, x, name="of_any_size"), path)


def test_a_model_for_images_of_any_size_takes_28x28(tmp_path):
    of_any_size(tmp_path / "model.keras")
    model = keras_mnist.load_model(tmp_path / "model.keras")
    assert (model.name, model.input_shape) == ("of_any_size", (None, 28, 28, 1))
    images = np.random.default_rng(0).uniform(0, 255, (3, 28, 28, 1)).astype(np.float32)
    expected = keras.saving.load_model(tmp_path / "model.keras")(images)
    np.testing.assert_array_equal(model(images), expected)
    assert graph.operations(folding.fold(model))[0].shape == (28, 28, 1)  # for the formats of fixed size


def too_many_poolings(path):
    of_any_size(path, poolings=4)


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
    "make",
    [
        nothing,
        not_an_archive,
        another_archive,
        cut_short,
        with_code,
        with_a_foreign_class,
        for_other_images,
        too_many_poolings,
    ],
)
def test_a_file_that_is_no_safe_model_of_digits_is_refused_in_one_line(make, tmp_path):
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(UsageError, match="model.keras") as error:
        load_model(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
