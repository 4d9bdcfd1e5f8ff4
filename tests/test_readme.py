"""What the documents tell a reader to type is there, and works."""

import re

import keras
import numpy as np
import pytest

import keras_mnist
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()
PAGES = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]


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
    (table,) = re.findall(r"^\| name \|.*?\n\n", README, re.MULTILINE | re.DOTALL)
    first_cells = " ".join(line.split(" | ")[0] for line in table.splitlines()[2:])
    assert sorted(re.findall(r"`(\w+)`", first_cells)) == keras_mnist.__all__


def test_the_readme_s_python_runs_in_its_order(monkeypatch, tmp_path, small_digits, shipped):
    """On a few of the embedded digits, in two epochs."""
    for module in ("keras_mnist", "keras_mnist.run", "keras_mnist.results.evaluation"):
        monkeypatch.setattr(f"{module}.load_data", lambda *arguments: small_digits)
    recipe = keras_mnist.get_variant("bn_gap").recipe().with_settings(epochs=2)
    monkeypatch.setattr("keras_mnist.train", _with(keras_mnist.train, recipe=recipe, runs=tmp_path))
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (export,) = [block for block in blocks if "keras_mnist.export" in block]
    (fit,) = [block for block in blocks if "model.fit" in block]
    (use,) = [block for block in blocks if "saved_model.load" in block]
    (pretrained,) = [block for block in blocks if 'weights="mnist"' in block]
    assert len(blocks) == 4 and len(fit.strip().splitlines()) <= 12 and "epochs=15" in fit
    names = {}
    exec(export, names)
    assert names["result"].record["epochs_run"] == 2 and (tmp_path / "best.keras").is_file()
    exec(use.replace("saved_models/", "exported/"), names)
    expected = shipped("bn_gap")
    exec(pretrained, names)
    assert all(map(np.array_equal, names["model"].get_weights(), expected.get_weights()))
    exec(fit.replace("epochs=15", "epochs=2"), names)
    assert isinstance(names["model"], keras.Model) and names["model"].history.epoch == [0, 1]
    assert {"val_accuracy", "learning_rate"} <= names["model"].history.history.keys()


def _with(function, **changed):
    return lambda *arguments, **named: function(*arguments, **named | changed)
