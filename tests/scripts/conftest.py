"""Scripts are tried as a user does: as processes."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.fixture
def script(tmp_path):
    """Call a script in an empty folder with no MNIST in reach: (exit code, standard output, standard error)."""

    def call(name, *arguments, timeout=120, **variables):
        known = {key: value for key, value in os.environ.items() if key != "KERAS_MNIST_ARCHIVES"}
        environment = {**known, "TFDS_DATA_DIR": str(tmp_path / "tensorflow_datasets"), **variables}
        command = [sys.executable, str(ROOT / "scripts" / name), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, cwd=tmp_path, env=environment)
        return done.returncode, done.stdout, done.stderr

    return call
