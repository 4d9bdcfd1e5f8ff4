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
from keras_mnist.results.evaluation import as_probabilities
from keras_mnist.results.page import page, write_page
from keras_mnist.results.page.steps import network
from keras_mnist.results.theme import THEME
from tests.conftest import ROOT
from tests.results import users_models
from tests.results.conftest import network_of
from tests.results.test_export_formats import one_of_each
from tests.results.test_folding import lively

DEMO = ROOT / "docs" / "demo.html"
TOLERANCE = 1e-4  # of a probability
ANSWERS = """
(images) => images.map(fromBase64).map((image) => networks.map((network) => [...probabilities(network, image)]))
"""


def as_text(images):
    return [base64.b64encode(image.tobytes()).decode() for image in images]


def differences(window, models, images):
    """The largest of each model's probabilities on the page from Keras's, as a share of what is allowed.

    What an untrained network answers hardly depends on the image: of that little it must be a small part too.
    """
    found = np.array(window.evaluate(ANSWERS, as_text(images)))
    expected = np.stack([as_probabilities(np.asarray(model(images, training=False))) for model in models], axis=1)
    allowed = np.minimum(TOLERANCE, np.ptp(expected, axis=0).max(axis=1) / 50)
    return (np.abs(found - expected).max(axis=(0, 2)) / allowed).tolist()


def test_the_page_computes_what_keras_does(opened, some_networks, digits):
    path, models = some_networks
    assert max(differences(opened(path), models, digits.test_images[:20])) < 1


@pytest.mark.slow
def test_the_page_computes_what_keras_does_for_every_variant(opened, tmp_path, request):
    """On real digits where the archives are at hand."""
    fixture = "mnist" if os.environ.get(sources.ARCHIVES_VARIABLE) else "digits"
    images = request.getfixturevalue(fixture).test_images[:200]
    models = [network_of(name) for name in list_variants()]
    write_page([(model, {}) for model in models], tmp_path / "page.html")
    found = differences(opened(tmp_path / "page.html"), models, images)
    assert max(found) < 1, dict(zip(list_variants(), found, strict=True))


def logits():
    model = users_models.norm_after_activation()
    return keras.Model(model.inputs, layers.Dense(10)(model.layers[-2].output))


UNDERSTOOD = (one_of_each, logits, users_models.layers_called_twice, users_models.layers_of_several_passes)


@pytest.mark.slow
def test_a_user_s_models_are_computed_exactly(opened, tmp_path, digits):
    keras.utils.set_random_seed(0)
    models = [lively(build()) for build in UNDERSTOOD]
    write_page([(model, {}) for model in models], tmp_path / "page.html")
    assert max(differences(opened(tmp_path / "page.html"), models, digits.test_images[:10])) < 1


def five_values():
    image = keras.Input((28, 28, 1))
    return keras.Model(image, layers.Dense(5)(layers.Flatten()(image)))


def any_size():
    image = keras.Input((None, None, 1))
    return users_models.head(layers.Conv2D(8, 3)(image), image)


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (users_models.depthwise_and_separable, r"layer \w+ \(Conv2DTranspose\) cannot be written outside Keras"),
        (users_models.nested, r"layer \w+ \(Sequential\) cannot be written outside Keras, expected one of Dropout, "),
        (
            users_models.mixed_precision,
            r"layer \w+ \(Rescaling\) cannot be .*, in float32; the export format ",
        ),
        (users_models.subclassed, "is no graph of layers from one image of fixed size to one result"),
        (any_size, "is no graph of layers from one image of fixed size to one result"),
        (five_values, "gives 5 values for an image, expected 10: one for each digit"),
    ],
)
def test_what_the_page_cannot_compute_is_named(build, complaint):
    with pytest.raises(UsageError, match=complaint) as refusal:
        network(build())
    assert "\n" not in str(refusal.value)


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
    blocks = re.findall(r":root \{(.*?)\}", THEME.read_text(), re.DOTALL)
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
    parts = {path for path in (folder / "results").rglob("*.*") if path.suffix in (".js", ".css", ".html")}
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
