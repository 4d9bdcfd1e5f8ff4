"""What tests share: small data, the real archives where they are at hand, and short recipes."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from keras_mnist.data import sources
from keras_mnist.models import blocks, registry
from keras_mnist.recipe import Augmentation, Recipe, Schedule

ROOT = Path(__file__).resolve().parents[1]

# One network of each make: norm after ReLU, norm before, skip connections, dropout of maps, a linear head, ours.
QUICK = ("bn_gap", "bn_dropout", "evo_skip", "light_20k", "fc_bn_dropout", "swift")


def every_variant():
    """All variants as parameters of a test that takes seconds with each: those beside QUICK are slow tests."""
    names = registry.list_variants()
    return [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in names]


@pytest.fixture(scope="session")
def archives() -> Path:
    """The folder of the four original MNIST archives; tests that need it are skipped where it is not at hand."""
    folder = os.environ.get(sources.ARCHIVES_VARIABLE)
    if not folder:
        pytest.skip(f"no MNIST archives; name their folder in {sources.ARCHIVES_VARIABLE}")
    return Path(folder)


@pytest.fixture(scope="session")
def mnist(archives, tmp_path_factory):
    """Real MNIST, prepared once a session from the archives."""
    return sources.mnist(tmp_path_factory.mktemp("tensorflow_datasets"), archives)


@pytest.fixture(scope="session")
def digits():
    """The embedded digits."""
    return sources.embedded_digits()


@pytest.fixture
def small_digits(monkeypatch, digits):
    """The embedded digits with 300 training images and one pass per epoch, also for `load_data`: epochs of a second."""
    order = np.argsort(np.argsort(digits.train_labels, kind="stable") % 100, kind="stable")[:300]
    small = dataclasses.replace(
        digits,
        train_images=digits.train_images[order],
        train_labels=digits.train_labels[order],
        held_out_count=60,
        passes_per_epoch=1,
    )
    monkeypatch.setattr(sources, "embedded_digits", lambda: small)
    return small


@pytest.fixture
def short_recipe() -> Recipe:
    """Two epochs with everything switched on."""
    return Recipe(
        epochs=2,
        batch_size=64,
        learning_rate=0.05,
        nesterov=True,
        schedule=Schedule("one_cycle"),
        augmentation=Augmentation(rotation_degrees=7, translate_pixels=1, scale=0.05, shear_degrees=3),
    )


@pytest.fixture
def tiny(monkeypatch) -> str:
    """A variant with one of each kind of layer, quick to build and to train: its name."""

    def build(*, num_classes=10, classifier_activation="softmax", name="tiny"):
        """A convolution, ReLU, batch norm, dropout, pooling."""
        image, x = blocks.image_input()
        x = blocks.max_pool(blocks.conv_relu(x, 6, name="block1_conv1", padding="valid"), name="block1_pool")
        x = blocks.dropout(blocks.batch_norm(x, name="block1_bn"), 0.1, name="block1_dropout")
        x = blocks.linear_head(blocks.average_pool(x), num_classes)
        return blocks.classifier(image, x, activation=classifier_activation, name=name)

    variant = registry.Variant("tiny", build, 142, None, "the tests", None)
    monkeypatch.setitem(registry._VARIANTS, "tiny", variant)
    return "tiny"
