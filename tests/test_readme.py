"""What the documents name is there, and their Python runs."""

import ast
import dataclasses
import importlib
import re

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.models import registry
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/tour.ipynb"]
PAGES += sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))


def test_ci_calls_the_readme_s_own_test_line():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("python3 -m venv")]
    assert line in README.splitlines()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_names_is_there(page):
    text = (ROOT / page).read_text()
    for path in re.findall(r"\]\(([\w/.-]+)\)", text):
        assert ((ROOT / page).parent / path).exists(), path
    for path in re.findall(r"\b(?:scripts|keras_mnist|tests|docs)/[\w/]+(?:\.\w+|/)", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("page", PAGES)
def test_a_page_s_flags_are_flags_of_its_commands(page):
    text = (ROOT / page).read_text().replace("\\\n", "")
    settings = {f"--{name.replace('_', '-')}" for name in keras_mnist.Recipe().flat()}
    shared = re.findall(r'"(--[\w-]+)"', (ROOT / "keras_mnist" / "cli.py").read_text())
    for command, words in re.findall(r"(?:scripts/|keras-mnist |-m keras_mnist )(\w+)(?:\.py)?([^`&|;\n]*)", text):
        path = ROOT / "keras_mnist" / "commands" / f"{command}.py"
        if path.is_file():
            own = re.findall(r'"(--[\w-]+)"', path.read_text())
            assert set(re.findall(r"--[\w-]+", words)) <= {*settings, *shared, *own, "--no-export", "--help"}, words


def test_every_public_name_is_described():
    text = (ROOT / "docs" / "python.md").read_text()
    (table,) = re.findall(r"^\| name \|.*?\n\n", text, re.MULTILINE | re.DOTALL)
    first_cells = " ".join(line.split(" | ")[0] for line in table.splitlines()[2:])
    assert sorted(re.findall(r"`(\w+)`", first_cells)) == keras_mnist.__all__


def test_type_checkers_find_every_public_name():
    tree = ast.parse((ROOT / "keras_mnist" / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = {alias.asname: (line.module, alias.name) for line in block.body for alias in line.names}
    assert sorted(imported) == keras_mnist.__all__
    for name, (module, found) in imported.items():
        assert getattr(importlib.import_module(module), found) is getattr(keras_mnist, name)


def test_the_network_that_the_readme_adds_is_that_of_contributing_which_is_tried():
    network, *_ = python_of("README.md")
    assert network == python_of("CONTRIBUTING.md")[0]


def test_the_readme_s_python_runs_in_its_order(monkeypatch, tmp_path, small_digits, tiny, shipped):
    """On a few of the embedded digits, in two epochs, with a network that is built in no time under the name bn_gap."""
    smaller = dataclasses.replace(keras_mnist.get_variant(tiny), name="bn_gap")
    monkeypatch.delitem(registry._VARIANTS, "bn_gap")
    monkeypatch.setitem(registry._VARIANTS, "bn_gap", smaller)
    for module in ("keras_mnist", "keras_mnist.run", "keras_mnist.results.evaluation"):
        monkeypatch.setattr(f"{module}.load_data", lambda *arguments: small_digits)
    recipe = keras_mnist.get_variant("bn_gap").recipe().with_settings(epochs=2)
    monkeypatch.setattr("keras_mnist.train", _with(keras_mnist.train, recipe=recipe, runs=tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    expected = shipped("bn_gap")
    _, package, fit = python_of("README.md")
    (use,) = python_of("docs/formats.md")
    assert len(fit.strip().splitlines()) <= 12 and "epochs=15" in fit
    names = {}
    exec(package, names)
    assert names["result"].record["epochs_run"] == 2 and (tmp_path / "best.keras").is_file()
    assert all(map(np.array_equal, names["model"].get_weights(), expected.get_weights()))
    exec(use.replace("saved_models/", "exported/"), names)
    exec(fit.replace("epochs=15", "epochs=2"), names)
    assert isinstance(names["model"], keras.Model) and names["model"].history.epoch == [0, 1]
    assert {"val_accuracy", "learning_rate"} <= names["model"].history.history.keys()


def python_of(page):
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def _with(function, **changed):
    return lambda *arguments, **named: function(*arguments, **named | changed)
