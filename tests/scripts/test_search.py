"""The search as a user calls it."""

import contextlib
import json
import os
import signal

import pytest

from keras_mnist import __main__
from keras_mnist.commands.search import _lines
from keras_mnist.studies.search import notation, trial
from tests.conftest import ROOT


@pytest.fixture
def search(monkeypatch, exits, tmp_path):
    """Call the command in this process on the embedded digits."""

    def call(lines, *arguments):
        (tmp_path / "list.txt").write_text(lines)
        given = "--list", "list.txt", "--dataset", "digits", "--folder", "found", *arguments
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("sys.argv", ["search.py", *given])
        return exits(__main__.main, "search")

    return call


@pytest.mark.slow
def test_a_search_trains_what_has_no_record_and_shows_what_is_best(search, tmp_path):
    lines = "# small ones\nconv 2, pool, pool, average, dense | batch_size=256, nesterov=false, teacher=swift\n\n"
    code, out, err = search(lines, "--seeds", "1", "--epochs", "1")
    assert (code, err) == (0, "") and "seed 0: conv 2, pool" in out and "held-out training images of digits" in out
    assert "without its teacher swift, which was not trained on digits" in out
    (record,) = (tmp_path / "found").glob("*/seed0_digits.json")
    kept = json.loads(record.read_text())
    assert kept["recipe"]["nesterov"] is False and kept["recipe"]["epochs"] == kept["epochs"] == 1
    before = record.stat().st_mtime_ns
    code, out, _ = search(lines, "--seeds", "1", "--epochs", "1")
    assert code == 0 and "seed 0:" not in out and "conv 2, pool" in out and record.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_signal_that_comes_while_a_network_is_built_ends_the_search(search, tmp_path, monkeypatch):
    def swallowing(*arguments, prepare=trial.prepare):
        with contextlib.suppress(KeyboardInterrupt):  # as TensorFlow may
            os.kill(os.getpid(), signal.SIGTERM)
        return prepare(*arguments)

    monkeypatch.setattr(trial, "prepare", swallowing)
    lines = "conv 2, pool, pool, average, dense\nconv 3, pool, pool, average, dense\n"
    code, out, err = search(lines, "--seeds", "1", "--epochs", "1")
    assert code == 143 and "interrupted; the finished trials are kept" in err and out.count("seed 0:") == 1
    assert not [*(tmp_path / "found").glob("*/*.json")]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("conv 2, dense\nconv two, dense", "list.txt:2: 'conv two' is no part of a network"),
        ("conv 2, dense | colour=red", "list.txt:1: 'colour' is no recipe setting with a value"),
        ("conv 2, dense | batch_size=many", "batch_size is 'many', expected a whole number"),
        ("conv 2, dense | momentum=7", "list.txt:1: momentum is 7.0, expected at least 0"),
        ("conv 2, dense | teacher=swfit", "list.txt:1: teacher: no variant 'swfit'; did you mean swift"),
        ("conv 2, dense | teacher=swfit", " (or none)"),
        ("conv 2 pooled pooled, dense", "'conv 2 pooled pooled' is no part of a network"),
    ],
)
def test_a_line_that_is_wrong_is_named_before_anything_is_trained(search, tmp_path, lines, words):
    code, _, err = search(lines)
    assert code == 2 and words in err and err.count("\n") == 1 and not (tmp_path / "found").exists()


def test_the_list_of_candidates_that_comes_with_the_repository_can_be_read():
    lines = _lines(ROOT / "docs" / "records" / "frontier" / "candidates.txt")
    assert len(lines) > 40 and all(notation.parse(network) for _, network, _ in lines)
