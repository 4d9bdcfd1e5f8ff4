"""A study from the command line, its runs real processes; `fast` takes one epoch of ten steps here."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.reliability.test_kills import outcome, same_weights

SHORTER = """
from keras_mnist import recipe
recipe.FAST.update(epochs={epochs}, batch_size=1260)
"""
SMALL = ["--variants", "evo_base,base_7k", "--recipe", "fast", "--dataset", "digits", "--seeds", "1"]
ENDED = "digits test images, 1 epoch in"


@pytest.fixture
def shorter(tmp_path, monkeypatch):
    """Let every process begin with a `fast` of so few epochs."""

    def of(epochs):
        (tmp_path / "sitecustomize.py").write_text(SHORTER.format(epochs=epochs))
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))

    return of


@pytest.mark.slow
def test_a_study_trains_what_is_missing_keeps_records_and_tells_the_rest(script, shorter, tmp_path):
    shorter(epochs=1)
    small = ["--variants", "evo_base", *SMALL[2:]]
    code, said, complaints = script("study.py", *small, "--records", "records")
    assert (code, complaints) == (0, ""), said
    assert "1 of 1 run to train" in said and said.count(ENDED) == 1 and "runs per hour" in said
    assert ["evo_base", "1"] in [line.split()[:2] for line in said.splitlines()]
    run = tmp_path / "runs" / "digits" / "evo_base" / "fast" / "seed0"
    assert "epoch  1/1  loss" in (run / "output.txt").read_text()
    copy = tmp_path / "records" / run.relative_to(tmp_path / "runs")
    assert sorted(path.name for path in copy.iterdir()) == ["history.csv", "run.json", "test_errors.csv"]
    assert (copy / "run.json").read_bytes() == (run / "run.json").read_bytes()
    code, said, _ = script("study.py", *small)
    assert code == 0 and "0 of 1 run to train" in said and ENDED not in said and "runs per hour" not in said
    more = [*small[:-1], "2", "--from-records", "--records", "records", "--runs", "elsewhere"]
    code, said, _ = script("study.py", *more)
    flags = "--recipe fast --validation held-out --seeds 2 --dataset digits --runs elsewhere --records records"
    assert code == 0 and "missing: 1 of 2 runs\n  evo_base: seed 1\n" in said
    assert said.endswith(f"\nkeras-mnist study --variants evo_base {flags}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--variants", "bn_gpa"], "no variant 'bn_gpa'; did you mean bn_gap"),
        (["--seeds", "0"], "--seeds is 0, expected at least 1"),
        (["--workers", "0"], "--workers is 0, expected at least 1"),
        (["--validation", "all"], "--validation is 'all'"),
        (["--dataset", "fashion"], "--dataset is 'fashion'"),
        (["--mnist-archives", "nowhere"], "nowhere/t10k-images-idx3-ubyte.gz is missing"),
        (["--dataset", "digits", "--runs", "/proc/runs"], "cannot write to /proc/runs"),
        (["--dataset", "digits", "--records", "/proc/records"], "choose another --records"),
    ],
)
def test_wrong_use_is_one_line(script_here, arguments, words):
    code, said, complaints = script_here("study.py", *arguments)
    assert code in (1, 2) and complaints.count("\n") == 1 and words in complaints
    assert complaints.startswith("study.py: ")


@pytest.mark.slow
def test_a_study_killed_and_stopped_ends_as_one_that_was_not(script, shorter, tmp_path):
    """First the study is killed without warning, then stopped by Ctrl-C: no run is left behind, and none differs."""
    shorter(epochs=6)
    assert script("study.py", *SMALL, "--runs", "whole")[0] == 0
    command = [sys.executable, ROOT / "scripts" / "study.py", *SMALL, "--runs", "broken"]
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 143)):
        study = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for_epoch(tmp_path / "broken")
        study.send_signal(number)
        _, complaints = study.communicate(timeout=600)
        assert study.returncode == code
        assert number == signal.SIGKILL or "broken keeps every run and the state of those under way" in complaints
    assert script("study.py", *SMALL, "--runs", "broken")[0] == 0
    for variant in ("evo_base", "base_7k"):
        *whole, model = outcome(tmp_path / "whole", variant)
        *broken, other_model = outcome(tmp_path / "broken", variant)
        assert whole == broken and same_weights(model, other_model)


def wait_for_epoch(runs):
    """Until some run has ended one more epoch than it had."""

    def epochs():
        return sum(len(path.read_text().splitlines()) for path in runs.rglob("history.csv"))

    before, started = epochs(), time.monotonic()
    while epochs() == before and time.monotonic() < started + 600:
        time.sleep(0.05)
