"""A browser for the tests of the page: one for all of them."""

import os
import shutil

import keras
import pytest

import keras_mnist
from keras_mnist.models import trained
from keras_mnist.results.page import write_page
from tests.results.test_folding import lively

NETWORKS = ("swift", "evo_skip")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; tests that need it are skipped where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no playwright; pip install -e '.[test]'")
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no Chromium to open the page with; install your system's")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox"] if hasattr(os, "getuid") and os.getuid() == 0 else []
        browser = driver.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


def network_of(name):
    """A variant with its trained weights, where it comes with any, else with norms that do something."""
    has_weights = name in trained.read_manifest(trained.FOLDER)
    keras.utils.set_random_seed(0)
    return keras_mnist.create_model(name, weights="mnist") if has_weights else lively(keras_mnist.create_model(name))


@pytest.fixture(scope="session")
def some_networks(tmp_path_factory):
    """A page with two networks of different make, and the networks."""
    path = tmp_path_factory.mktemp("page") / "page.html"
    models = [network_of(name) for name in NETWORKS]
    write_page([(model, {"variant": model.name}) for model in models], path)
    return path, models


@pytest.fixture
def opened(browser):
    """Open a file in a window of its own; whatever the page complains of fails the test."""
    contexts, complaints = [], []

    def open_file(path, **window):
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **window})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(path.as_uri())
        return page

    yield open_file
    for context in contexts:
        context.close()
    assert complaints == []


def settle(window):
    window.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture(scope="session")
def desktop(browser, some_networks):
    """A window that all tests with a mouse and keys share."""
    window = browser.new_page(viewport={"width": 1280, "height": 900})
    window.goto(some_networks[0].as_uri())
    yield window
    window.close()


@pytest.fixture
def window(desktop):
    """The shared window, with nothing drawn on the sheet."""
    complaints = []
    desktop.on("pageerror", lambda error: complaints.append(str(error)))
    desktop.evaluate("document.activeElement.blur()")
    desktop.keyboard.press("Escape")
    settle(desktop)
    yield desktop
    assert complaints == []
