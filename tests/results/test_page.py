"""The page to draw on: its arithmetic beside Keras's, its colours, its parts."""

import base64
import configparser
import itertools
import json
import os
import re

import keras
import numpy as np
import pytest
from keras import layers

from keras_mnist.data import sources
from keras_mnist.errors import UsageError
from keras_mnist.models.registry import list_variants
from keras_mnist.results.evaluation import predict
from keras_mnist.results.page import PARTS, page, write_page
from keras_mnist.results.page.steps import network
from tests.conftest import ROOT
from tests.results import users_models
from tests.results.conftest import network_of
from tests.results.test_folding import lively

DEMO = ROOT / "docs" / "demo.html"
TOLERANCE = 1e-4  # of a probability
ANSWERS = """
(images) => images.map(fromBase64).map((image) => networks.map((network) => [...probabilities(network, image)]))
"""


def as_text(images):
    return [base64.b64encode(image.tobytes()).decode() for image in images]


def largest_differences(window, models, images):
    """Of the probabilities of each model on the page from Keras's."""
    found = np.array(window.evaluate(ANSWERS, as_text(images)))
    return [np.abs(found[:, number] - predict(model, images)).max() for number, model in enumerate(models)]


def test_the_page_computes_what_keras_does(opened, some_networks, digits):
    path, models = some_networks
    assert max(largest_differences(opened(path), models, digits.test_images[:20])) < TOLERANCE


@pytest.mark.slow
def test_the_page_computes_what_keras_does_for_every_variant(opened, tmp_path, request):
    """On real digits where the archives are at hand."""
    fixture = "mnist" if os.environ.get(sources.ARCHIVES_VARIABLE) else "digits"
    images = request.getfixturevalue(fixture).test_images[:200]
    models = [network_of(name) for name in list_variants()]
    write_page([(model, {}) for model in models], tmp_path / "page.html")
    differences = largest_differences(opened(tmp_path / "page.html"), models, images)
    print(f"largest difference of a probability on 200 images of {fixture}: {max(differences):.1g}")
    assert max(differences) < TOLERANCE, dict(zip(list_variants(), differences, strict=True))


def every_layer():
    """Each kind of layer that the page knows, with other settings than the variants have."""
    image = keras.Input((28, 28, 1))
    x = layers.Normalization(mean=33.0, variance=6000.0)(image)
    x = layers.Conv2D(6, (3, 4), strides=2, padding="same", activation="elu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
    x = layers.Conv2D(8, 3, groups=2, dilation_rate=2, padding="same", activation="silu")(x)
    x = layers.Add()([layers.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.2)(x), layers.GaussianNoise(1)(x), x])
    x = layers.AveragePooling2D(2, padding="same")(x)
    x = layers.Activation("tanh")(layers.Dense(5, activation="leaky_relu")(layers.Reshape((4, 4, 8))(x)))
    parts = layers.GlobalMaxPooling2D()(x), layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Add()([parts[0], layers.Flatten()(parts[1])])
    return keras.Model(image, layers.Softmax()(layers.Dense(10, activation="sigmoid")(x)))


def logits():
    model = users_models.norm_after_activation()
    return keras.Model(model.inputs, layers.Dense(10)(model.layers[-2].output))


UNDERSTOOD = (every_layer, logits, users_models.layers_called_twice)


@pytest.mark.slow
def test_a_user_s_models_are_computed_exactly(opened, tmp_path, digits):
    keras.utils.set_random_seed(0)
    models = [lively(build()) for build in UNDERSTOOD]
    write_page([(model, {}) for model in models], tmp_path / "page.html")
    assert max(largest_differences(opened(tmp_path / "page.html"), models, digits.test_images[:10])) < TOLERANCE


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (
            users_models.depthwise_and_separable,
            " is a DepthwiseConv2D, which the page cannot compute; it knows Acti",
        ),
        (users_models.nested, " is a Sequential, which the page cannot compute; it knows Activation,"),
        (users_models.mixed_precision, " computes in "),
        (users_models.subclassed, " is no graph of layers from one image to ten values"),
    ],
)
def test_what_the_page_cannot_compute_is_named(build, complaint):
    with pytest.raises(UsageError) as refusal:
        network(build())
    assert complaint in str(refusal.value) and "\n" not in str(refusal.value)


def test_nothing_is_loaded_from_anywhere():
    text = page([])
    assert not re.search(r"https?://|@import|<link[^>]+stylesheet|\bsrc=|url\(", text)


def luminance(colour):
    """Of a colour in #rrggbb or #rgb, as the Web Content Accessibility Guidelines define it."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return np.dot(linear, (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_stand_out_from_their_ground(theme):
    blocks = re.findall(r":root \{(.*?)\}", (PARTS / "page.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+)", blocks[theme]))
    pairs = [*itertools.product(("text", "soft", "accent"), ("page", "surface")), ("on-accent", "accent")]
    for words, ground in pairs:
        dark, light = sorted((luminance(colours[words]), luminance(colours[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (words, ground)


def test_a_wheel_has_every_part_of_the_page():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    patterns = settings["options.package_data"]["keras_mnist"].split()
    folder = ROOT / "keras_mnist"
    packed = {path for pattern in patterns for path in folder.glob(pattern)}
    parts = {path for path in (folder / "results" / "page").iterdir() if path.suffix in (".js", ".css", ".html")}
    assert len(parts) > 10 and parts <= packed


def split(text):
    """A page without its data, and its data."""
    before, data, after = re.fullmatch(r'(.*id="data">)(.*?)(</script>.*)', text, re.DOTALL).groups()
    return before + after, json.loads(data)


def test_the_demo_is_written_by_today_s_sources_and_names_its_runs():
    parts, data = split(DEMO.read_text())
    assert parts == split(page([]))[0], "docs/demo.html is of older sources; write it anew with keras-mnist page"
    assert DEMO.stat().st_size < 400_000
    for each in data["networks"]:
        assert re.search(
            r"\d\.\d\d % of the 10,000 test images of MNIST right. Weights of the run mnist/", each["facts"]
        )
