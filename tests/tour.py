"""Run docs/tour.ipynb anew and keep what its cells give: python -m tests.tour"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from keras_mnist.utils.files import write_whole
from tests.conftest import ROOT

TOUR = ROOT / "docs" / "tour.ipynb"
SECONDS = 600  # for a cell
QUIET = "--IPKernelApp.capture_fd_output=False"  # what TensorFlow says when it starts is no output of a cell


def run_tour(folder: Path) -> nbformat.NotebookNode:
    """The tour with what its cells give in a new folder, beside which the repository's `tests` are found."""
    (folder / "docs").mkdir(parents=True)
    (folder / "tests").symlink_to(ROOT / "tests")
    tour = nbformat.read(TOUR, as_version=4)
    resources = {"metadata": {"path": str(folder / "docs")}}
    options = {"timeout": SECONDS, "record_timing": False, "coalesce_streams": True, "extra_arguments": [QUIET]}
    return NotebookClient(tour, resources=resources, **options).execute()


def main() -> None:
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        write_whole(TOUR, nbformat.writes(run_tour(Path(folder) / "tour")) + "\n")


if __name__ == "__main__":
    main()
