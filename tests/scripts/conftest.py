"""Scripts are tried as a user does: as processes, or where they need TensorFlow, which takes seconds, in this one."""

import os
import runpy
import signal
import subprocess
import sys

import pytest

from keras_mnist import __main__
from keras_mnist.data import sources
from tests.conftest import ROOT

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def script(tmp_path):
    """Call a script in an empty folder with no MNIST in reach: (exit code, standard output, standard error)."""

    def call(name, *arguments, timeout=900, **variables):
        known = {key: value for key, value in os.environ.items() if key != sources.ARCHIVES_VARIABLE}
        environment = {**known, "TFDS_DATA_DIR": str(tmp_path / "tensorflow_datasets"), **variables}
        path = ["-m", name] if name == "keras_mnist" else [str(ROOT / "scripts" / name)]
        command = [sys.executable, *path, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=tmp_path, env=environment)
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def exits(capsys):
    """Call a function that exits: (exit code, standard output, standard error)."""

    def call(function, *arguments, **options):
        before = {number: signal.getsignal(number) for number in SIGNALS}
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as end:
                function(*arguments, **options)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return end.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def script_here(exits, tmp_path, monkeypatch):
    """The same as `script`, in this process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(sources.ARCHIVES_VARIABLE, raising=False)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tensorflow_datasets"))

    def call(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        if name == "keras_mnist":
            return exits(__main__.main)
        return exits(runpy.run_path, str(ROOT / "scripts" / name), run_name="__main__")

    return call
