"""Real processes, killed without warning: the continued run must end with the bits of an uninterrupted one."""

import json
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest

from keras_mnist.results.run_folder import read_history
from tests.conftest import ROOT

# What can go wrong differs: dropout's seeds, the plateau's counters, Adam's moments, the target's count, the schedule.
CASES = {
    "one cycle and dropout": ["--variant", "bn_gap", "--target-accuracy", "none"],
    "plateau and target": ["--variant", "bn_gap", "--recipe", "document", "--target-epochs", "15"]
    + ["--target-accuracy", "0.3", "--patience", "1", "--min-delta", "0.1"],
    "Adam, steps and dropout of maps": ["--variant", "light_20k", "--recipe", "document", "--step-epochs", "8"],
    "four rates of dropout": ["--variant", "iter7_dropout", "--recipe", "document"],
    "large batches, plateau of Adam": ["--variant", "fc_bn_dropout", "--recipe", "document", "--patience", "1"]
    + ["--batch-size", "100"],
}
# 100 images: an epoch takes a fraction of a second.
SHORT = ["--epochs", "25", "--batch-size", "20", "--dataset", "digits", "--device", "cpu", "--no-export"]
# What two runs of the same bits may differ in.
TIMES = {"seconds", "seconds_per_epoch", "seconds_to_first_step", "peak_memory_mb"}


def outcome(runs, variant="*"):
    (record,) = runs.glob(f"digits/{variant}/*/seed0/run.json")
    facts = {key: value for key, value in json.loads(record.read_text()).items() if key not in TIMES}
    history = [{**row, "seconds": 0} for row in read_history(record.with_name("history.csv"))]
    return facts, history, record.with_name("model.keras")


def same_weights(one, other):
    import keras

    ours, theirs = (keras.saving.load_model(path).get_weights() for path in (one, other))
    return all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


def kill_and_compare(server, arguments, kills, folder, chance):
    """Kill a run so many times at random moments, let it end, and compare: (kills, of them in training, mismatches)."""

    def run(name, **kill):
        return server.run(ROOT / "scripts" / "train.py", [*SHORT, *arguments], folder / name, **kill).code

    started = time.perf_counter()
    assert run("whole") == 0
    duration = time.perf_counter() - started
    done, trained = 0, 0
    while done < kills:
        code = run("killed", number=signal.SIGKILL, after_seconds=chance.uniform(0, duration))
        if code == -signal.SIGKILL:
            done += 1
            trained += any(folder.glob("killed/runs/digits/*/*/seed0/state.bin"))
        else:  # it ended before its moment: begin again, so that the next kill meets a run
            assert code == 0
            shutil.rmtree(folder / "killed")
    assert run("killed") == 0
    facts, history, model = outcome(folder / "whole" / "runs")
    other_facts, other_history, other_model = outcome(folder / "killed" / "runs")
    mismatches = (facts != other_facts) + (history != other_history) + (not same_weights(model, other_model))
    assert not list(folder.glob("killed/runs/digits/*/*/seed0/.*.part")) and not list(folder.rglob("state.bin"))
    return done, trained, mismatches


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_many_kills_over_variants_and_recipes(server, tmp_path, number):
    """KERAS_MNIST_KILLS of them, shared out among the cases."""
    chance = random.Random(int(os.environ.get("KERAS_MNIST_KILL_SEED", "1")) + 1000 * number)
    wanted = int(os.environ.get("KERAS_MNIST_KILLS", "8"))
    share = wanted // len(CASES) + (number < wanted % len(CASES))
    kills, trained, wrong = kill_and_compare(server, list(CASES.values())[number], share, tmp_path, chance)
    print(f"{kills} kills, {trained} of them with a state on disk, {wrong} mismatches")
    assert (kills, wrong) == (share, 0)
