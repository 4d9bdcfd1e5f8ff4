"""Faults between any two writes, a full disk, signals, and states that are damaged or of another run."""

import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import keras_mnist
from keras_mnist import run as module
from keras_mnist.errors import Interrupted, RunError
from keras_mnist.recipe import Recipe
from keras_mnist.utils import files
from tests.conftest import ROOT


class PowerCut(BaseException):
    """Ends everything at once."""


@pytest.fixture
def train(tmp_path, small_digits, short_recipe, tiny):
    def call(variant=tiny, **options):
        settings = {"recipe": short_recipe, "dataset": "digits", "device": "cpu", "runs": tmp_path / "runs", **options}
        return keras_mnist.train(variant, **settings)

    return call


def same_bits(one, other):
    weights = zip(one.model.get_weights(), other.model.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in weights) and one.record["test_loss"] == other.record["test_loss"]


@pytest.mark.slow
def test_power_may_fail_before_any_of_the_writes(train, linear, tmp_path, monkeypatch):
    """Every fsync and every rename of a run, one after the other, is the last thing that happens."""
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=0.05)  # the plainest: what is written is the same
    whole = train(linear, recipe=recipe, runs=tmp_path / "whole")
    calls = 0

    def failing(function, at):
        def call(*arguments):
            nonlocal calls
            calls += 1
            if calls == at:
                raise PowerCut
            return function(*arguments)

        return call

    # A power cut tidies nothing up.
    monkeypatch.setattr(files.shutil, "rmtree", lambda *arguments, **options: None)
    cuts = 0
    for at in range(1, 60):
        calls = 0
        with monkeypatch.context() as patch:
            patch.setattr(files.os, "replace", failing(os.replace, at))
            patch.setattr(files.os, "fsync", failing(os.fsync, at))
            patch.setattr(files.os, "rename", failing(os.rename, at))
            try:
                result = train(linear, recipe=recipe, saved_models=tmp_path / "saved_models")
            except PowerCut:
                cuts += 1
                continue
        break
    assert cuts >= 10
    print(f"{cuts} power cuts, one before each fsync and rename")
    assert same_bits(result, whole)


@pytest.mark.slow
def test_a_full_disk_is_reported_the_last_state_stays_and_the_run_continues(train, trained, tmp_path):
    if shutil.which("mount") is None or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disk = tmp_path / "runs"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        with pytest.raises(RunError, match="No space left on device.*run the same command again"):
            train()
        assert list(disk.rglob("state.bin"))
        subprocess.run(["mount", "-o", "remount,size=8m", disk], check=True)
        assert same_bits(train(), trained(tmp_path / "whole"))
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_command_cleanly_and_names_what_is_kept(server, tmp_path, number, code):
    arguments = ["--variant", "base_7k", "--dataset", "digits", "--device", "cpu", "--epochs", "900", "--no-export"]
    work = tmp_path / "work"
    script = ROOT / "scripts" / "train.py"
    ended = server.run(script, [*arguments, "--batch-size", "20"], work, number=number, after_words="epoch  1/900")
    assert ended.output.startswith("base_7k, 7,092 parameters: 900 epochs of 5 steps on digits")
    assert ended.code == code
    complaints = ended.complaints
    assert complaints.count("\n") == 1 and "seed0 keeps the state: the same command continues" in complaints
    assert list(work.rglob("state.bin"))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_training_ends_in_one_line(tmp_path, number, code):
    command = [sys.executable, ROOT / "scripts" / "train.py", "--variant", "bn_gap", "--dataset", "digits"]
    process = subprocess.Popen([*command, "--runs", tmp_path], stderr=subprocess.PIPE, text=True)
    time.sleep(1.5)  # in the middle of importing
    process.send_signal(number)
    _, complaints = process.communicate(timeout=600)
    assert process.returncode == code and "Traceback" not in complaints
    assert complaints.strip().splitlines()[-1].startswith("train.py: ")


def stop_after_a_step(train, monkeypatch):
    """Call train, and send this process SIGTERM after its first step."""
    with monkeypatch.context() as patch:
        step = module.ScreenProgress.on_train_batch_end
        patch.setattr(
            module.ScreenProgress,
            "on_train_batch_end",
            lambda self, batch, logs=None: (step(self, batch), signal.raise_signal(signal.SIGTERM)),
        )
        train()


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A folder for a run that is stopped once."""
    return tmp_path_factory.mktemp("stopped")


@pytest.fixture
def interrupted_state(train, stopped, monkeypatch, tmp_path):
    """A run stopped in its first epoch: the path of its state."""
    if not any(stopped.rglob("state.bin")):
        with pytest.raises(Interrupted):
            stop_after_a_step(lambda: train(runs=stopped), monkeypatch)
    shutil.copytree(stopped, tmp_path / "runs")
    (state,) = tmp_path.glob("runs/digits/tiny/*/seed0/state.bin")
    return state


@pytest.mark.slow
def test_a_damaged_state_is_refused_by_name_and_fresh_starts_over(train, trained, interrupted_state, tmp_path):
    state = interrupted_state
    content = bytearray(state.read_bytes())
    content[-5000] ^= 1
    state.write_bytes(content)
    with pytest.raises(RunError, match="state.bin is damaged: its checksum differs; pass `overwrite`"):
        train()
    assert same_bits(train(overwrite=True), trained(tmp_path / "whole"))


def test_a_state_of_other_arguments_is_refused_with_the_difference(train, interrupted_state, short_recipe):
    """As after a copy by hand: by itself each recipe has a folder of its own."""
    run = interrupted_state.parents[1]
    run.rename(run.with_name(run.name.replace("epochs=2", "epochs=3")))
    with pytest.raises(RunError, match="epochs 2 is now 3; pass `overwrite`"):
        train(recipe=short_recipe.with_settings(epochs=3))


@pytest.mark.slow
def test_an_interrupted_new_start_says_which_command_continues(train, trained, monkeypatch, tmp_path):
    trained(tmp_path / "runs")
    with pytest.raises(Interrupted, match="the same command without `overwrite` continues"):
        stop_after_a_step(lambda: train(overwrite=True), monkeypatch)
    assert same_bits(train(), trained(tmp_path / "whole"))


@pytest.mark.slow
def test_a_state_from_another_machine_continues_with_a_warning(train, interrupted_state, monkeypatch, capsys):
    here = module.environment_of
    monkeypatch.setattr(module, "environment_of", lambda *arguments: {**here(*arguments), "threads": 64})
    train()
    said = capsys.readouterr().out
    assert "saved with another threads: the last bits may differ" in said and "continuing" in said


def test_a_record_that_is_none_is_refused(train, trained, tmp_path):
    result = trained(tmp_path / "runs")
    (result.folder / "run.json").write_text("{}")
    with pytest.raises(RunError, match="run.json is no record of a run; pass `overwrite`"):
        train()
