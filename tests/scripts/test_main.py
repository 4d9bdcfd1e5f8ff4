"""python -m keras_mnist: the commands, which the scripts are thin doors of."""

import importlib.metadata
import pkgutil

import pytest

from keras_mnist import commands
from tests.conftest import ROOT

COMMANDS = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))


def test_help_lists_every_command(script):
    code, said, complaints = script("keras_mnist", "--help")
    assert code == 0 and complaints == ""
    assert [line.split()[0] for line in said.splitlines() if line.startswith("  ")] == COMMANDS
    assert "  summary    Print the layers of a variant" in said


def test_an_unknown_command_is_refused_in_one_line(script):
    known = f"expected one of {', '.join(COMMANDS)}; see keras-mnist --help"
    for word, hint in (("trian", "did you mean train?"), ("zzz", known)):
        assert script("keras_mnist", word) == (2, "", f"keras-mnist: no command {word!r}; {hint}\n")


def test_the_version_is_that_of_the_package(script):
    assert script("keras_mnist", "--version") == (0, f"keras-mnist {importlib.metadata.version('keras-mnist')}\n", "")


def test_every_command_has_a_script():
    assert sorted(path.stem for path in (ROOT / "scripts").glob("*.py")) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_a_script_and_its_command_share_their_help(name, script_here):
    code, by_script, _ = script_here(f"{name}.py", "--help")
    assert code == 0 and by_script.startswith(f"usage: {name}.py ")
    code, by_command, _ = script_here("keras_mnist", name, "--help")
    assert code == 0 and by_command.startswith(f"usage: keras-mnist {name} ")
    assert by_script.split("\n\n", 1)[1] == by_command.split("\n\n", 1)[1]


def test_a_command_does_what_its_script_does(script_here):
    by_script = script_here("train.py", "--list")
    assert script_here("keras_mnist", "train", "--list") == by_script and "bn_gap" in by_script[1]
    code, _, complaints = script_here("keras_mnist", "train", "--variant", "bn_gap", "--epochs", "0")
    assert (code, complaints) == (2, "keras-mnist: --epochs is 0, expected at least 1 and at most 1000000\n")
