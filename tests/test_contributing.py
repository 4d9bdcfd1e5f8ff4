"""CONTRIBUTING.md's five additions work as they are written there, through the command line."""

import json
import re

import keras
import pytest

from tests.conftest import ROOT

BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)

INTERRUPTED = """
import os, signal, keras, keras_mnist
recipe = keras_mnist.get_variant("evo_base").recipe().with_settings(epochs=2, batch_size=50)
stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: os.kill(os.getpid(), signal.SIGINT))
keras_mnist.train("evo_base", recipe=recipe, dataset="digits", callbacks=[stop], verbose=0)
"""
# Calls one command after the other, as a user's own program would.
DRIVER = """
import os, shlex, sys
sys.path.insert(0, "")
os.dup2(1, 2)
import additions
from keras_mnist.__main__ import main
for line in sys.argv[1:]:
    command, *arguments = shlex.split(line)
    sys.argv = [f"{command}.py", *arguments]
    print(f"> {line}", flush=True)
    try:
        main(command)
    except SystemExit as end:
        print(f"exit {end.code}", flush=True)
"""
SHORT = "--dataset digits --batch-size 50 --no-export"
OLD = f"train --variant evo_base --epochs 2 {SHORT}"
NEW = f"train --variant minimal --epochs 3 --fading 0.3 --schedule linear --last-rate 0.01 --least-gain 9 {SHORT}"
NAME = "tuned,epochs=3,batch_size=50,fading=0.3,schedule=linear,last_rate=0.01,least_gain=9"
CONTINUED = "continuing runs/digits/evo_base/tuned,epochs=2,batch_size=50/seed0 after epoch 1"
WRONG = {
    f"train --variant minimall {SHORT}": "train.py: no variant 'minimall'; did you mean minimal?",
    f"train --variant minimal --schedule lin {SHORT}": "train.py: --schedule is 'lin', expected one of constant, step, "
    "plateau, one_cycle, linear",
    f"train --variant minimal --fading 2 {SHORT}": "train.py: --fading is 2.0, expected at least 0 and at most 0.9",
    "export --model {model} --format folded": "export.py: no export format 'folded'; did you mean folded_keras or "
    "keras_folder?",
}


@pytest.fixture(scope="module")
def folder(server, tmp_path_factory):
    """An interrupted run from before the additions, and the additions as a module."""
    parent = tmp_path_factory.mktemp("additions")
    (parent / "interrupted.py").write_text(INTERRUPTED)
    (parent / "driver.py").write_text(DRIVER)
    folder = parent / "work"
    assert "Interrupted: interrupted in epoch 2" in server.run(parent / "interrupted.py", [], folder).complaints
    (folder / "additions.py").write_text("\n\n".join(BLOCKS))
    return folder


@pytest.fixture(scope="module")
def said(server, folder):
    """What each command line prints."""
    model = f"runs/digits/minimal/{NAME}/seed0/model.keras"
    lines = [NEW, OLD, f"export --model {model} --format folded_keras --output folded.keras"]
    lines += [line.format(model=model) for line in WRONG]
    output = server.run(folder.parent / "driver.py", lines, folder).output
    parts = re.split(r"^> .*\n", output, flags=re.MULTILINE)[1:]
    assert len(parts) == len(lines), output
    return dict(zip([*lines[:2], "export", *WRONG], parts, strict=True))


def test_there_is_one_block_for_each_of_the_five():
    decorators = [re.search(r"^@(\w+)", block, re.MULTILINE)[1] for block in BLOCKS]
    assert decorators == ["variant", "distortion", "schedule", "recipe_callback", "export_format"]
    assert all(len(block.strip().splitlines()) <= 16 for block in BLOCKS)


@pytest.mark.slow
def test_a_run_uses_all_that_was_added(folder, said):
    assert said[NEW].endswith("exit 0\n"), said[NEW]
    (path,) = folder.glob("runs/digits/minimal/*/seed0/run.json")
    assert path.parts[-3] == NAME
    record = json.loads(path.read_text())
    assert record["variant"] == "minimal" and f"params={record['trainable_parameters']:_}" in BLOCKS[0]
    assert (record["stopped_by"], record["epochs_run"]) == ("EarlyStopping", 2)
    settings = {"fading": 0.3, "schedule": "linear", "last_rate": 0.01, "least_gain": 9.0}
    assert settings.items() <= record["recipe"].items()


@pytest.mark.slow
def test_a_state_from_before_the_additions_is_continued(folder, said):
    assert said[OLD].endswith("exit 0\n") and CONTINUED in said[OLD], said[OLD]
    (path,) = folder.glob("runs/digits/evo_base/*/seed0/run.json")
    assert json.loads(path.read_text())["recipe"]["fading"] == 0


@pytest.mark.slow
def test_the_added_format_is_written_and_compared(folder, said):
    assert said["export"].endswith("exit 0\n") and "largest difference of a probability" in said["export"]
    layers = keras.saving.load_model(folder / "folded.keras").layers
    assert not [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]


@pytest.mark.slow
@pytest.mark.parametrize("line", WRONG)
def test_an_unknown_name_or_a_value_out_of_range_is_one_line(said, line):
    assert said[line] == f"{WRONG[line]}\nexit 2\n"
