"""What the package's functions are given wrongly is named in one line, before anything is computed."""

import re

import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import UsageError
from keras_mnist.results.evaluation import predict

NAN = np.full((2, 28, 28, 1), np.nan)
NONE = np.empty((0, 28, 28, 1), np.uint8)
OBJECTS = np.zeros((2, 28, 28, 1), object)


def create(**wrong):
    return lambda: keras_mnist.create_model("bn_gap", **wrong)


def batches(**wrong):
    return lambda digits: keras_mnist.batches(digits, **wrong)


def export(output="out", **wrong):
    return lambda model: keras_mnist.export(model, output, **wrong)


def answers(images=NONE, **options):
    return lambda model: predict(model, images, **options)


WRONG = [
    (lambda: keras_mnist.preprocess(None), "`picture` is None, expected a path, a Pillow image or a NumPy array"),
    (lambda: keras_mnist.preprocess(""), "`picture` is '', expected a path"),
    (lambda: keras_mnist.preprocess("a\0b"), r"`picture` is 'a\x00b', expected a path"),
    (lambda: keras_mnist.preprocess([1] * 99), f"`picture` is [{'1, ' * 19}1…, expected a path"),
    (lambda: keras_mnist.load_model(b"model.keras"), "`path` is b'model.keras', expected that of a .keras file"),
    (lambda: keras_mnist.load_data(np.zeros(3)), "`dataset` is an array (3,) of float64, expected one of auto, mnist,"),
    (lambda: keras_mnist.load_data("digits", 5), "`data_dir` is 5, expected the path of a file or folder"),
    (lambda: keras_mnist.load_data(mnist_archives=["x"]), "`mnist_archives` is ['x'], expected the path of a"),
    (lambda: keras_mnist.create_model(["bn_gap"]), "no variant ['bn_gap']; expected one of base_16k, "),
    (create(num_classes="10"), "`num_classes` is '10', expected a whole number"),
    (create(num_classes=10**12), "`num_classes` is 1000000000000, expected at least 1 and at most 1000000"),
    (create(classifier_activation="sofmax"), "`classifier_activation` is 'sofmax', expected 'softmax', or None for"),
    (lambda: keras_mnist.batches("digits"), "`digits` is 'digits', expected what load_data gives"),
    (batches(augmentation="rotation"), "`augmentation` is 'rotation', expected Augmentation(...) or None"),
    (batches(batch_size=np.nan), "`batch_size` is nan, expected a whole number"),
    (batches(batch_size=0), "`batch_size` is 0, expected at least 1"),
    (batches(seed=-1), "`seed` is -1, expected at least 0"),
    (lambda digits: keras_mnist.evaluate("bn_gap", digits), "`model` is 'bn_gap', expected a Keras model"),
    (lambda model: keras_mnist.evaluate(model, []), "`digits` is [], expected what load_data gives, or None"),
    (answers(), "`images` are an array (0, 28, 28, 1) of uint8, expected numbers (n, 28, 28, 1)"),
    (answers(OBJECTS), "`images` are an array (2, 28, 28, 1) of object, expected numbers"),
    (answers(NAN), "`images` hold NaN or infinity, expected numbers 0 to 255"),
    (answers(np.zeros((2, 28, 28)), batch_size=0), "`batch_size` is 0, expected at least 1"),
    (lambda: keras_mnist.export("bn_gap", "out"), "`model` is 'bn_gap', expected a Keras model"),
    (export(None), "`output` is None, expected the path of a file or folder"),
    (export(""), "`output` is '', expected the path of a file or folder"),
    (export(format=None), "no export format None; expected one of c, c_int8, "),
    (export(images=NAN), "`images` are of nan to nan, expected 0 to 255, or fractions 0 to 1"),
    (export(images=OBJECTS), "`images` are object (2, 28, 28, 1), expected numbers (n, 28, 28)"),
    (export(training_images="many"), "`training_images` are <U4 (), expected numbers (n, 28, 28)"),
    (export(facts="bn_gap"), "`facts` is 'bn_gap', expected a dictionary that JSON can hold"),
    (export(facts={"seed": {1}}), "`facts` is {'seed': {1}}, expected a dictionary that JSON can hold"),
    (export(facts={"dataset": ["mnist"]}), "`facts` is {'dataset': ['mnist']}, expected a dictionary"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_a_wrong_argument_is_named(number, digits, tmp_path, monkeypatch):
    call, words = WRONG[number]
    monkeypatch.chdir(tmp_path)
    given = {"digits": lambda: digits, "model": lambda: keras_mnist.create_model("bn_gap")}
    names = call.__code__.co_varnames[: call.__code__.co_argcount]
    with pytest.raises(UsageError, match=re.escape(words)) as error:
        call(*(given[name]() for name in names))
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())
