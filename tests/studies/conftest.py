"""A study whose runs take no time: a program that leaves behind what `train` does."""

import json
import sys

import pytest

from keras_mnist.studies import pool
from keras_mnist.studies.study import plan_study
from tests.studies.made_up_records import facts_of

# Seed 1 fails, seed 2 is killed, seed 3 trains until it is told to stop, and then is done when it continues.
TRAIN = """
import json, os, pathlib, signal, sys, time
flags = dict(zip(sys.argv[2::2], sys.argv[3::2]))
seed, home = int(flags["--seed"]), pathlib.Path(sys.argv[-1])
print("cores", sorted(os.sched_getaffinity(0)), flush=True)
columns = "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds"
(home / "history.csv").write_text(f"{columns}\\n1,0.5,0.75,0.5,0.75,0.1,60.0\\n")
def stop(number, frame):
    (home / "state.bin").write_text("")
    print("keras-mnist: interrupted in epoch 2")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
if seed == 1:
    print("a first line\\nkeras-mnist: the loss became nan")
    sys.exit(1)
if seed == 2 and not (home / "state.bin").exists():
    os.kill(os.getpid(), signal.SIGKILL)
if seed == 3 and not (home / "state.bin").exists():
    (home / "started").touch()
    time.sleep(60)
wrong = [f"{index},1,7,0.5\\n" for index in range(50 - seed)]
(home / "test_errors.csv").write_text("index,label,prediction,probability\\n" + "".join(wrong))
facts = json.loads(os.environ["FACTS"]) | {"variant": flags["--variant"], "seed": seed, "epochs_run": 1}
facts |= {"test_images": 100, "test_accuracy": 0.5 + seed / 100, "test_errors": len(wrong)}
facts |= {"seconds": 60.0, "seconds_per_epoch": 60.0}
(home / "run.json").write_text(json.dumps(facts))
(home / "state.bin").unlink(missing_ok=True)
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Plan a study of quick runs: study(seeds=3)."""
    (tmp_path / "train.py").write_text(TRAIN)

    def plan(seeds=1, variants="bn_gap", recipe="fast", validation="held-out", records=None):
        found = plan_study(
            variants,
            recipe=recipe,
            validation=validation,
            seeds=seeds,
            dataset="digits",
            folder=tmp_path / "runs",
            records=records,
        )
        monkeypatch.setenv("FACTS", json.dumps(facts_of(found.runs[0], accuracy=0.5, epochs=1)))
        return found

    monkeypatch.setattr(pool, "COMMAND", (sys.executable, tmp_path / "train.py"))
    monkeypatch.setattr(pool, "TICK", 0.02)
    train = pool.Run.train_arguments
    monkeypatch.setattr(pool.Run, "train_arguments", lambda run, runs: [*train(run, runs), str(runs / run.folder)])
    return plan
