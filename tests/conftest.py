"""What tests share: small data, the real archives where they are at hand, and short recipes."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from keras_mnist.data import sources
from keras_mnist.recipe import Augmentation, Recipe, Schedule

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def archives() -> Path:
    """The folder of the four original MNIST archives; tests that need it are skipped where it is not at hand."""
    folder = Path(os.environ.get(sources.ARCHIVES_VARIABLE) or ROOT.parent / "shared" / "mnist")
    if not (folder / "train-images-idx3-ubyte.gz").is_file():
        pytest.skip(f"no MNIST archives in {folder}; set {sources.ARCHIVES_VARIABLE}")
    return folder


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
    """The embedded digits with 300 training images and one pass an epoch, also for `load`: epochs of a second."""
    order = np.argsort(np.argsort(digits.train_labels, kind="stable") % 100, kind="stable")[:300]
    small = dataclasses.replace(
        digits,
        train_images=digits.train_images[order],
        train_labels=digits.train_labels[order],
        held_out=60,
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
