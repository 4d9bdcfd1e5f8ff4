"""How tests are run, and what their files begin with. The process that hands them out imports no TensorFlow."""

import functools
import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# One network of each make: norm after ReLU, skip connections, norm before ReLU and dropout of maps, and one of ours.
QUICK = ("bn_gap", "evo_skip", "light_20k", "swift")

# These files come first, so that two processes end together. The first compiles the kernels, while the second, which
# needs none, keeps the other process until they are compiled.
LONG = (
    "test_run.py",
    "studies/test_report.py",
    "scripts/test_train.py",
    "results/test_export.py",
    "models/test_variants.py",
    "training/test_keras_callbacks.py",
    "results/test_export_formats.py",
    "training/test_fused.py",
    "models/test_trained.py",
    "results/test_folding.py",
    "data/test_preprocess.py",
    "data/test_augment.py",
    "training/test_fused_random.py",
    "results/test_page_in_use.py",
    "data/test_pipeline.py",
    "test_readme.py",
    "test_contributing.py",
    "training/test_trainer.py",
    "models/test_analysis.py",
    "scripts/test_cli.py",
)


# What must not be lost comes first of the slow tests. The other files follow in an order of each day's own, so that
# where there is no time for all of them, each has its turn.
ALWAYS = "reliability"
DAY = os.environ.setdefault("KERAS_MNIST_TEST_DAY", time.strftime("%Y-%m-%d"))


def pytest_addoption(parser):
    parser.addoption(
        "--seconds",
        type=float,
        help="skip what has not begun after so many seconds, but for reliability",
    )


def pytest_collection_modifyitems(config, items):
    order = {ROOT / "tests" / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
    if config.getoption("seconds"):
        items.sort(key=lambda item: (ALWAYS not in item.path.parts, _turn(item.path)))


def _turn(path):
    return hashlib.sha256(f"{DAY} {path.relative_to(ROOT)}".encode()).hexdigest()


def pytest_runtest_setup(item):
    seconds = item.config.getoption("seconds")
    if seconds and time.monotonic() > item.session.began + seconds and ALWAYS not in item.path.parts:
        pytest.skip(f"not begun within the {seconds:g} seconds that --seconds gives")


def pytest_sessionstart(session):
    session.began = time.monotonic()


def pytest_configure(config):
    # What a shell starts in its background ignores Ctrl-C, and so would the processes to which tests send it.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(config, "workerinput") or not config.getoption("numprocesses"):
        config.pluginmanager.import_plugin("tests.fixtures")


def every_variant(quick=QUICK):
    """All variants as parameters of a test that takes seconds with each: those beside the quick ones are slow tests."""
    from keras_mnist.models import registry

    return slow_beside(quick, registry.list_variants())


def slow_beside(quick, values):
    """Parameters of a test: those beside the quick ones are slow tests."""
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else [value]), marks=() if value in quick else pytest.mark.slow
        )
        for value in values
    ]


@functools.cache
def network(name):
    """A variant's network with random weights, built once in a process: to look at, not to change."""
    import keras

    from keras_mnist.models import registry

    keras.utils.set_random_seed(0)
    return registry.create_model(name)
