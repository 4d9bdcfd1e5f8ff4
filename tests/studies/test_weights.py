import hashlib
import json

import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import RunError
from keras_mnist.recipe import TUNED
from keras_mnist.studies.weights import write_weights
from tests.conftest import slow_beside

HELD_OUT = {1: [2], 2: [2, 1], 3: [3, 1, 2], 4: [4, 1, 3, 2], 5: [5, 3, 1, 4, 2]}  # losses of the seeds 0, 1, ...


@pytest.mark.parametrize("count", slow_beside([2, 5], HELD_OUT))
def test_the_median_seed_is_chosen_by_the_held_out_loss_of_the_last_epoch(
    count, tiny, finished_run, weights_here, tmp_path
):
    for seed, loss in enumerate(HELD_OUT[count]):
        finished_run(tiny, seed, loss)
    facts = write_weights(tmp_path / "runs", tmp_path)[tiny]
    chosen = sorted(HELD_OUT[count])[(count - 1) // 2]  # the lower of the two in the middle
    assert (facts["held_out_loss"], facts["seeds"]) == (chosen, count)
    assert facts["seed"] == HELD_OUT[count].index(chosen) and facts["test_errors"] == 100 + facts["seed"]
    assert facts["run"] == f"mnist/tiny/tuned/seed{facts['seed']}"


def test_the_manifest_names_the_teacher_of_a_network_that_had_one(finished_run, weights_here, tmp_path):
    for name in ("tiny_1k", "swift"):
        finished_run(name)
    manifest = write_weights(tmp_path / "runs", tmp_path)
    assert manifest["tiny_1k"]["teacher"] == "swift" and "teacher" not in manifest["swift"]


def test_a_seed_that_diverged_or_was_interrupted_is_not_chosen(tiny, finished_run, weights_here, tmp_path):
    for seed, loss in enumerate([float("nan"), 0.3, 0.2]):
        finished_run(tiny, seed, loss)
    (tmp_path / "runs" / "mnist" / tiny / "tuned" / "seed3").mkdir()
    facts = write_weights(tmp_path / "runs", tmp_path)[tiny]
    assert (facts["seed"], facts["seeds"]) == (1, 3)
    finished_run(tiny, 4, float("nan"))
    finished_run(tiny, 5, float("nan"))
    with pytest.raises(RunError, match=r"tuned/seed\d has diverged and is the median of 5 seeds"):
        write_weights(tmp_path / "runs", tmp_path)


@pytest.mark.slow
def test_the_same_runs_give_the_same_bytes_and_the_manifest_tells_them(finished_run, weights_here, tmp_path):
    models = {name: finished_run(name, seed=7) for name in ("evo_skip", "bn_gap")}
    write_weights(tmp_path / "runs", tmp_path)
    first = {path.name: path.read_bytes() for path in weights_here.iterdir()}
    assert sorted(first) == ["bn_gap.weights.h5", "evo_skip.weights.h5", "manifest.json"]
    write_weights(tmp_path / "runs", tmp_path)
    assert {path.name: path.read_bytes() for path in weights_here.iterdir()} == first
    manifest = json.loads(first["manifest.json"])
    assert list(manifest) == ["bn_gap", "evo_skip"]
    for name, facts in manifest.items():
        content = first[f"{name}.weights.h5"]
        assert facts["sha256"] == hashlib.sha256(content).hexdigest() and facts["bytes"] == len(content)
        assert facts["run"] == f"mnist/{name}/tuned/seed7" and facts["source_commit"].startswith("0123")
        model = keras_mnist.create_model(name)
        model.load_weights(weights_here / f"{name}.weights.h5")
        for found, expected in zip(model.get_weights(), models[name].get_weights(), strict=True):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"variant": "bn"}, "mnist/bn/tuned/seed0"),
        ({"dataset": "digits"}, "digits/tiny/tuned/seed0"),
        ({"validation": "test"}, "mnist/tiny/tuned,validation=test/seed0"),
        ({"recipe": TUNED.with_settings(epochs=1).flat()}, "mnist/tiny/tuned,epochs=1/seed0"),
    ],
)
def test_a_run_that_is_not_what_its_folder_says_is_refused(changed, named, tiny, finished_run, weights_here, tmp_path):
    finished_run(tiny, **changed)
    with pytest.raises(RunError, match=f"run.json is of the run {named}, expected mnist/tiny/tuned/seed0 as its"):
        write_weights(tmp_path / "runs", tmp_path)
    assert not weights_here.exists()


def test_a_model_of_another_variant_in_a_run_is_refused(tiny, finished_run, weights_here, tmp_path):
    finished_run(tiny)
    keras_mnist.create_model("bn").save(tmp_path / "runs" / "mnist" / tiny / "tuned" / "seed0" / "model.keras")
    with pytest.raises(RunError, match="model.keras cannot be taken as tiny") as error:
        write_weights(tmp_path / "runs", tmp_path)
    assert "\n" not in str(error.value) and not weights_here.exists()
