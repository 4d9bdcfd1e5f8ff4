"""What tests share: small data, the real archives where they are at hand, short recipes, and trained networks."""

import dataclasses
import gc
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import keras_mnist
from keras_mnist.data import sources
from keras_mnist.models import blocks, registry
from keras_mnist.models import trained as trained_networks
from keras_mnist.recipe import Augmentation, Recipe, Schedule
from keras_mnist.results import plots
from keras_mnist.studies.run import Run
from keras_mnist.studies.weights import write_weights
from keras_mnist.training.device import set_threads
from keras_mnist.utils.files import write_whole
from tests.fork_server import fork_server
from tests.studies.made_up_records import write_record

set_threads()  # before TensorFlow computes: threads inside its operations only wait for each other here


def pytest_collection_finish():
    """Python looks for cycles less often, and not in all that was imported: that took 5 s of each process."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


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


@pytest.fixture(scope="session")
def server(digits, tmp_path_factory):
    """Runs scripts as processes of their own, on 120 training images: a run ends within seconds."""
    if not hasattr(os, "fork"):
        pytest.skip("this system starts processes by fork nowhere")
    train, test = (
        np.concatenate([np.flatnonzero(labels == digit)[:count] for digit in range(10)])
        for labels, count in ((digits.train_labels, 12), (digits.test_labels, 2))
    )
    few = {
        "train_images": digits.train_images[train],
        "train_labels": digits.train_labels[train],
        "test_images": digits.test_images[test],
        "test_labels": digits.test_labels[test],
    }
    numbers = {"name": "digits", "held_out_count": 20, "passes_per_epoch": 1}
    with fork_server(few, numbers, tmp_path_factory.mktemp("server")) as server:
        yield server


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
    """Two epochs with something of everything; each further distortion takes half a second to build."""
    return Recipe(
        epochs=2,
        batch_size=64,
        learning_rate=0.05,
        nesterov=True,
        schedule=Schedule("one_cycle"),
        augmentation=Augmentation(rotation_degrees=7),
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

    variant = registry.Variant("tiny", build, 136, None, "the tests", None)
    monkeypatch.setitem(registry._VARIANTS, "tiny", variant)
    draw = plots.curves

    def curves(history, title, watched, path):
        """Drawn for the other networks: a picture takes longer than the epochs of this one."""
        return write_whole(path, "drawn") if title.startswith("tiny") else draw(history, title, watched, path)

    monkeypatch.setattr(plots, "curves", curves)
    return "tiny"


@pytest.fixture
def linear(monkeypatch, tiny) -> str:
    """A variant with weights in one layer alone, quicker still, for what has nothing to do with layers: its name."""

    def build(*, num_classes=10, classifier_activation="softmax", name="tiny_linear"):
        """Pooling and a linear layer."""
        image, x = blocks.image_input()
        x = blocks.linear_head(blocks.max_pool(x, name="block1_pool"), num_classes)
        return blocks.classifier(image, x, activation=classifier_activation, name=name)

    variant = registry.Variant("tiny_linear", build, 1_970, None, "the tests", None)
    monkeypatch.setitem(registry._VARIANTS, "tiny_linear", variant)
    return "tiny_linear"


@pytest.fixture(scope="session")
def kept(tmp_path_factory) -> Path:
    """A folder for what is trained once a session."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def trained(kept, small_digits, short_recipe, tiny):
    """Put a finished run of `tiny` with `short_recipe` into a folder of runs: trained once, and copied from then on."""

    def call(runs: Path | str, seed: int = 0):
        settings = {"recipe": short_recipe, "dataset": "digits", "device": "cpu", "seed": seed, "verbose": 0}
        folder = keras_mnist.train(tiny, runs=kept, **settings).folder
        shutil.copytree(folder, Path(runs) / folder.relative_to(kept), dirs_exist_ok=True)
        return keras_mnist.train(tiny, runs=runs, **settings)

    return call


@pytest.fixture
def finished_run(tmp_path):
    """Write what weights are taken from: a function that leaves a finished run of `tuned` and gives its network."""

    def write(name: str, seed: int = 0, loss: float = 0.05, **changed):
        variant = registry.get_variant(name)
        run = Run(variant, variant.recipe("tuned"), "mnist", "held-out", seed)
        folder = tmp_path / "runs" / run.folder
        model, generator = variant.build(), np.random.default_rng(seed)
        facts = {"total_parameters": model.count_params()} | changed
        write_record(folder, run, accuracy=0.99 - seed / 10_000, loss=loss, **facts)
        model.set_weights([generator.uniform(0, 1, weight.shape) for weight in model.weights])
        model.compile("sgd", loss="sparse_categorical_crossentropy")
        model.save(folder / "model.keras")
        return model

    return write


@pytest.fixture
def weights_here(tmp_path, monkeypatch) -> Path:
    """The folder of an empty checkout in which trained weights are written, and from which they are loaded."""
    folder = tmp_path / "keras_mnist" / "models" / "weights"
    folder.parent.mkdir(parents=True)
    monkeypatch.setattr(trained_networks, "FOLDER", folder)
    return folder


@pytest.fixture(scope="session")
def shipped_before() -> dict:
    """By name and builder, what `shipped` made: the network, and the files by their paths."""
    return {}


@pytest.fixture
def shipped(finished_run, weights_here, tmp_path, shipped_before):
    """Give a variant trained weights as the command writes them: a function that gives the trained network."""

    def write(name: str):
        made_of = name, registry.get_variant(name).build
        if made_of not in shipped_before:
            model = finished_run(name)
            write_weights(tmp_path / "runs", tmp_path)
            made = [path for folder in (tmp_path / "runs", weights_here) for path in folder.rglob("*.*")]
            shipped_before[made_of] = model, {path.relative_to(tmp_path): path.read_bytes() for path in made}
        model, files = shipped_before[made_of]
        for path, content in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
        return model

    return write
