"""docs/tour.ipynb shows what its cells give."""

import os
import re

import nbformat
import pytest

from tests.conftest import ROOT
from tests.tour import TOUR, run_tour

FRACTION = re.compile(r"\d+\.\d+(?:e-\d+)?")
MACHINE = re.compile(r" on [cg]pu \(.*\)")


@pytest.fixture
def tour():
    return nbformat.read(TOUR, as_version=4)


def code_of(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(cell):
    """The kinds of a cell's outputs and their texts, but for fractions and the machine."""
    texts = ["".join(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in cell.outputs]
    kinds = [(output.output_type, sorted(output.get("data", ()))) for output in cell.outputs]
    return kinds, MACHINE.sub("", FRACTION.sub("#", "".join(texts)))


def test_it_was_run_once_from_top_to_bottom_without_a_complaint(tour):
    nbformat.validate(tour)
    assert [cell.execution_count for cell in code_of(tour)] == list(range(1, len(code_of(tour)) + 1))
    outputs = [output for cell in code_of(tour) for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert sum("image/png" in output.get("data", ()) for output in outputs) == 2 and TOUR.stat().st_size < 120_000


@pytest.mark.slow
def test_the_tour_gives_again_what_it_shows(tour, tmp_path, monkeypatch):
    """Within two minutes, the same outputs but for fractions: the same names, layers, numbers of images and digits."""
    for name, value in {"PYTHONPATH": ROOT, "JUPYTER_RUNTIME_DIR": tmp_path, "IPYTHONDIR": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    before = os.times()
    again = run_tour(tmp_path / "tour")
    after = os.times()
    assert 0 < sum(after[2:4]) - sum(before[2:4]) < 120  # of the processor, which other tests use as well
    for cell, committed in zip(code_of(again), code_of(tour), strict=True):
        assert shown(cell) == shown(committed), cell.source
