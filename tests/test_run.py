import csv
import dataclasses
import json
import random
import signal
import threading
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_mnist
from keras_mnist import run as module
from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.models import blocks, registry
from keras_mnist.models.loading import load_model
from keras_mnist.recipe import Augmentation, Recipe
from keras_mnist.results.evaluation import evaluate
from keras_mnist.results.run_folder import RunFolder
from keras_mnist.training import device
from keras_mnist.training.plan import Plan
from tests.conftest import slow_beside

REQUIRED = {
    "variant",
    "dataset",
    "seed",
    "trainable_parameters",
    "total_parameters",
    "recipe",
    "validation",
    "epochs_run",
    "stopped_by",
    "train_images",
    "test_images",
    "test_accuracy",
    "test_loss",
    "test_errors",
    "seconds",
    "seconds_per_epoch",
    "device",
    "versions",
    "source_commit",
}


@pytest.fixture
def train(tmp_path, small_digits, short_recipe, tiny):
    """Train a tiny network in seconds."""

    def call(variant=tiny, **options):
        settings = {"recipe": short_recipe, "dataset": "digits", "device": "cpu", "runs": tmp_path / "runs", **options}
        return keras_mnist.train(variant, **settings)

    return call


def test_a_run_keeps_everything_it_gave(train, tmp_path, small_digits):
    result = train(saved_models=tmp_path / "saved_models")
    folder = result.folder
    files = {path.name for path in folder.iterdir()}
    assert files == {"model.keras", "history.csv", "curves.png", "summary.txt", "test_errors.csv", "run.json", ".lock"}
    record = json.loads((folder / "run.json").read_text())
    assert record == result.record
    assert record.keys() >= REQUIRED
    assert (record["trainable_parameters"], record["total_parameters"]) == (136, 148)
    assert (record["train_images"], record["test_images"], record["validation"]) == (240, 397, "held-out")
    assert (record["epochs_run"], record["stopped_by"]) == (2, "epochs")
    assert "trainable parameters: 136" in (folder / "summary.txt").read_text()
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert list(rows[0]) == columns
    assert [float(row["loss"]) for row in rows] == result.history["loss"]


def test_the_kept_figures_are_those_of_the_kept_model(train, trained, tmp_path, small_digits):
    trained(tmp_path / "runs")
    result = train(saved_models=tmp_path / "saved_models")
    images, labels = small_digits.test_images, small_digits.test_labels
    again = evaluate(load_model(result.folder / "model.keras"), small_digits)
    assert again.accuracy == result.test_accuracy
    assert again.loss == result.record["test_loss"]
    loss, accuracy = keras.saving.load_model(result.folder / "model.keras").evaluate(images, labels, verbose=0)
    assert (loss, accuracy) == pytest.approx((again.loss, again.accuracy), rel=1e-5)
    serve = tf.saved_model.load(tmp_path / "saved_models" / "tiny").signatures["serving_default"]
    assert np.mean(serve(image=tf.constant(images))["digit"] == labels) == result.test_accuracy


def test_the_record_says_which_digits_are_misclassified_and_how_training_images_are(trained, tmp_path, small_digits):
    result = trained(tmp_path / "runs")
    images, labels = small_digits.test_images, small_digits.test_labels
    probabilities = keras.saving.load_model(result.folder / "model.keras").predict(images, verbose=0)
    with (result.folder / "test_errors.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert [row["index"] for row in rows] == list(np.flatnonzero(probabilities.argmax(axis=1) != labels))
    assert len(rows) == result.record["test_errors"] > 0
    for row in rows:
        assert row["label"] == labels[int(row["index"])] != row["prediction"]
        assert row["probability"] == pytest.approx(probabilities[int(row["index"]), int(row["prediction"])], abs=1e-4)
    kept_images, kept_labels = small_digits.kept
    predicted = result.model.predict(kept_images, verbose=0).argmax(axis=1)
    assert result.record["train_accuracy"] == np.mean(predicted == kept_labels)
    assert "augmented_train_accuracy" not in result.record


@pytest.mark.slow
def test_what_a_source_measured_on_augmented_training_images_is_measured_there(train, tiny, monkeypatch):
    """Without distortion that is the accuracy on the training images; with it, the accuracy is another one."""
    claim = registry.Claim(0.99, epochs=20, images="train")
    claimed = dataclasses.replace(keras_mnist.get_variant(tiny), name="tiny_claimed", claim=claim)
    monkeypatch.setitem(registry._VARIANTS, "tiny_claimed", claimed)
    plain = train("tiny_claimed", recipe=Recipe(epochs=1, learning_rate=0.05)).record
    assert plain["augmented_train_accuracy"] == plain["train_accuracy"]
    turned = train(
        "tiny_claimed", recipe=Recipe(epochs=2, learning_rate=0.05, augmentation=Augmentation(rotation_degrees=90))
    ).record
    assert 0 < turned["augmented_train_accuracy"] < turned["train_accuracy"]


@pytest.mark.slow
@pytest.mark.parametrize(("validation", "images", "watched"), [("none", 300, set()), ("test", 300, {"val_loss"})])
def test_validation_decides_what_is_trained_on_and_watched(train, validation, images, watched):
    result = train(validation=validation)
    assert result.record["train_images"] == images and result.record["validation"] == validation
    assert {"val_loss"} & result.history.keys() == watched
    assert result.folder.parent.name.endswith(f",validation={validation}")
    if validation == "test":
        assert result.history["val_accuracy"][-1] == pytest.approx(result.test_accuracy, abs=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_run(train, trained, tmp_path):
    first, again, other = trained(tmp_path / "first"), train(), trained(tmp_path / "other", seed=1)
    weights = [result.model.get_weights() for result in (first, again, other)]
    for ours, theirs in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert first.record["test_loss"] == again.record["test_loss"] != other.record["test_loss"]


def test_a_run_stops_at_its_accuracy_target_says_so_and_counts_its_seconds(train, short_recipe):
    """Seconds per epoch are the median without the first."""
    result = train(recipe=short_recipe.with_settings(epochs=5, target_accuracy=0.01, target_epochs=3))
    assert result.record["epochs_run"] == 3
    assert result.record["stopped_by"] == "val_accuracy at 0.01 or above in 3 epochs in a row"
    seconds = result.history["seconds"]
    assert result.record["seconds_per_epoch"] == pytest.approx(np.median(seconds[1:]))
    assert result.record["seconds"] == pytest.approx(sum(seconds))


def test_a_finished_run_is_read_and_not_trained_again(train, trained, tmp_path, monkeypatch, capsys):
    first = trained(tmp_path / "runs")
    monkeypatch.setattr(module, "Trainer", None)
    again = train()
    assert again.record == first.record and again.history == first.history
    assert "holds this run, finished" in capsys.readouterr().out


def test_another_recipe_is_another_run(train, trained, tiny, small_digits, short_recipe, tmp_path):
    """Each setting that differs from the recipe by that name is in the folder's name, and so is the validation."""
    once = short_recipe.with_settings(epochs=1)
    folders = [
        trained(tmp_path / "runs").folder,
        train(recipe=once).folder,
        tmp_path / "runs" / Plan(keras_mnist.get_variant(tiny), once, small_digits, "none", 0).folder,
    ]
    names = [folder.parent.name for folder in folders]
    settings = "batch_size=64,learning_rate=0.05,nesterov=true,rotation_degrees=7,schedule=one_cycle"
    assert names[0] == f"custom,epochs=2,{settings}"
    assert names[1:] == [names[0].replace("epochs=2", "epochs=1"), names[1] + ",validation=none"]
    assert all(folder.parents[1] == tmp_path / "runs" / "digits" / "tiny" for folder in folders)
    before = (folders[1] / "run.json").stat().st_mtime_ns
    result = train(recipe=once, overwrite=True)
    assert result.folder == folders[1] and (folders[1] / "run.json").stat().st_mtime_ns > before


def test_the_named_recipe_gives_its_name(tmp_path, small_digits):
    variant, digits = keras_mnist.get_variant("bn_gap"), small_digits
    for recipe, validation, name in (
        (variant.recipe("tuned"), "held-out", "tuned"),
        (
            variant.recipe("fast").with_settings(epochs=20, target_accuracy=0.99),
            "held-out",
            "fast,epochs=20,target_accuracy=0.99",
        ),
        (variant.recipe("document"), "test", "document,validation=test"),
    ):
        assert Plan(variant, recipe, digits, validation, 3).folder == Path("digits", "bn_gap", name, "seed3")


def test_a_batch_larger_than_the_training_set_is_refused(train, short_recipe):
    with pytest.raises(UsageError, match="`batch_size` is 241, expected at most the 240 training images of digits"):
        train(recipe=short_recipe.with_settings(batch_size=241))


@pytest.mark.parametrize(
    ("teacher", "words"),
    [
        ("", "`teacher`: no variant ''; expected one of"),
        ("../bn_gap", "`teacher`: no variant '../bn_gap'"),
        ("bn_gpa", "no variant 'bn_gpa'; did you mean bn_gap"),
        ("evo_base", "evo_base comes without trained weights"),
    ],
)
def test_a_teacher_that_does_not_come_trained_is_told_before_anything_is_written(
    train, short_recipe, weights_here, tmp_path, teacher, words
):
    with pytest.raises(UsageError, match=words):
        train(recipe=short_recipe.with_settings(teacher=teacher))
    assert not (tmp_path / "runs").exists()


def test_without_mnist_a_network_is_trained_without_the_teacher_that_knows_it(train, short_recipe, capsys):
    taught = train(recipe=short_recipe.with_settings(teacher="swift", teacher_share=0.9))
    assert "without its teacher swift, which was not trained on digits" in capsys.readouterr().out
    alone = train(recipe=short_recipe)
    assert taught.history["loss"] == alone.history["loss"] and taught.record["recipe"]["teacher"] == "swift"


def test_a_loss_that_is_no_number_stops_the_run_with_epoch_and_step(train, short_recipe, tmp_path):
    with pytest.raises(
        RunError, match=r"the loss became (nan|inf) at epoch \d+, step \d+; try a lower `learning_rate`"
    ):
        train(recipe=short_recipe.with_settings(learning_rate=100, l2=1, epochs=20))
    assert not list(tmp_path.rglob("run.json"))


def test_a_folder_that_cannot_be_written_is_refused_before_training(train, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write to .*file.*`runs`"):
        train(runs=tmp_path / "file")
    with pytest.raises(UsageError, match="cannot write to .*file.*`saved_models`"):
        train(saved_models=tmp_path / "file" / "models")
    with pytest.raises(UsageError, match="cannot write to .*file.*`saved_models`"):
        train(saved_models=tmp_path / "file")


def test_two_runs_in_one_folder_are_refused(train, trained, tmp_path):
    folder = RunFolder(trained(tmp_path / "runs").folder)
    with folder.owned(), pytest.raises(UsageError, match="seed0 is in use by another run"):
        train()


@pytest.mark.parametrize(("seed", "validation"), [(-1, "held-out"), (2**32, "held-out"), (0, "everything")])
def test_values_that_no_run_can_have_are_refused(train, seed, validation):
    with pytest.raises(UsageError, match="expected"):
        train(seed=seed, validation=validation)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"runs": None}, "`runs` is None, expected the path"),
        ({"runs": ""}, "`runs` is '', expected the path"),
        ({"runs": "a\0b"}, "`runs` is 'a.*b', expected the path"),
        ({"saved_models": 3}, "`saved_models` is 3, expected the path"),
        ({"overwrite": "no"}, "`overwrite` is 'no', expected True or False"),
    ],
)
def test_an_argument_of_another_kind_is_refused_by_its_name_before_anything_is_written(train, tmp_path, wrong, words):
    with pytest.raises(UsageError, match=words):
        train(**wrong)
    assert not list(tmp_path.rglob("*"))


def test_a_number_of_numpy_s_is_a_seed_like_python_s(small_digits):
    chosen = registry.get_variant("bn_gap")
    plan = Plan(chosen, chosen.recipe(), small_digits, "held-out", np.int64(3))
    assert type(plan.seed) is int and plan.folder.name == "seed3"
    weights = [module._build(each, "float32").get_weights() for each in (plan, dataclasses.replace(plan, seed=3))]
    assert all(map(np.array_equal, *weights))


def interrupt_after(steps, monkeypatch):
    """Send this process SIGTERM after so many steps."""
    count = iter(range(1, 10_000))
    monkeypatch.setattr(
        module.ScreenProgress,
        "on_train_batch_end",
        lambda self, batch, logs=None: next(count) == steps and signal.raise_signal(signal.SIGTERM),
    )


# In the first epoch, at the end of the second, in the third.
SIGNALLED = [("plateau", (5,)), ("one_cycle", (2, 4, 5)), ("plateau", (2, 4, 5))]


@pytest.mark.parametrize(("schedule", "signalled"), slow_beside(SIGNALLED[:1], SIGNALLED))
def test_a_signal_ends_the_step_and_the_same_call_continues_bit_by_bit(
    train, tmp_path, monkeypatch, short_recipe, schedule, signalled
):
    """Whatever the number of steps between two looks at signals."""
    everything = short_recipe.with_settings(translate_pixels=1, scale=0.05, shear_degrees=3)
    recipe = everything if schedule == "one_cycle" else Recipe(batch_size=64, learning_rate=0.05)
    recipe = recipe.with_settings(epochs=4, schedule=schedule, patience=1, min_delta=0.5, target_accuracy=0.999)
    whole = train(recipe=recipe, runs=tmp_path / "whole")
    for steps in signalled:
        with monkeypatch.context() as patch:
            patch.setattr(module, "STEPS_PER_EXECUTION", 1)
            interrupt_after(steps, patch)
            with pytest.raises(Interrupted, match="the same command continues") as error:
                train(recipe=recipe)
        assert error.value.exit_code == 143
    continued = train(recipe=recipe)
    for ours, theirs in zip(continued.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert {**continued.history, "seconds": 0} == {**whole.history, "seconds": 0}
    assert not (continued.folder / "state.bin").exists()


def test_progress_is_printed_line_by_line(train, capsys):
    train()
    lines = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("TensorFlow is in use")]
    assert lines[0].startswith("tiny, 136 parameters: 2 epochs of 4 steps on digits, seed 0, on cpu (")
    assert [line.split()[:2] for line in lines[1:]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert all("val_accuracy" in line and "learning rate" in line for line in lines[1:])
    with pytest.raises(UsageError, match="`verbose` is 3, expected"):
        train(verbose=3)


@pytest.mark.slow
def test_a_run_can_be_trained_outside_the_main_thread_and_without_a_word(train, capsys):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(verbose=0)))
    thread.start()
    thread.join()
    assert results[0].record["epochs_run"] == 2 and capsys.readouterr().out == ""


@pytest.mark.slow
def test_training_learns_the_embedded_digits(tmp_path, digits):
    recipe = keras_mnist.get_variant("swift").recipe().with_settings(epochs=2)
    result = keras_mnist.train("swift", recipe=recipe, dataset="digits", runs=tmp_path)
    assert result.test_accuracy >= 0.97


def test_a_finished_run_that_lost_a_file_is_an_error(train, trained, tmp_path):
    result = trained(tmp_path / "runs")
    for name in ("history.csv", "model.keras"):
        content = (result.folder / name).read_bytes()
        (result.folder / name).unlink()
        with pytest.raises(RunError, match=f"{name} is missing from a finished run; pass `overwrite`"):
            train()
        (result.folder / name).write_bytes(content)
    assert train().record == result.record


def test_the_result_outlives_a_change_of_the_working_directory(trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = trained("here")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert result.model is result.model and len(result.history["loss"]) == 2


def exported(folder):
    return json.loads((folder / "tiny" / "keras_mnist.json").read_text())


def test_an_export_is_named_by_its_own_run_alone(train, trained, tmp_path, capsys):
    models = tmp_path / "saved_models"
    assert trained(tmp_path / "runs").saved_model is None
    first = train(saved_models=models)  # trained before: exported from its model file
    assert exported(models)["seed"] == 0 and first.saved_model == models / "tiny"
    assert train(seed=1, saved_models=models).saved_model == models / "tiny" and exported(models)["seed"] == 1
    assert train(saved_models=models).saved_model == models / "tiny" and exported(models)["seed"] == 0
    facts = models / "tiny" / "keras_mnist.json"
    facts.write_text(facts.read_text().replace('"digits"', '"mnist"'))
    capsys.readouterr()
    assert train(seed=1, saved_models=models).saved_model is None
    assert "tiny is of mnist and left alone" in capsys.readouterr().out and exported(models)["dataset"] == "mnist"


def test_a_folder_that_is_no_export_is_refused_before_training(train, tmp_path):
    thesis = tmp_path / "saved_models" / "tiny" / "thesis.tex"
    thesis.parent.mkdir(parents=True)
    thesis.write_text("years of work")
    with pytest.raises(UsageError, match="thesis.tex.*move it, or choose another `saved_models`"):
        train(saved_models=tmp_path / "saved_models")
    assert thesis.read_text() == "years of work" and not list(tmp_path.rglob("state.bin"))


@pytest.mark.slow
def test_an_export_that_differs_is_reported_and_the_run_is_kept(train, trained, tmp_path, monkeypatch):
    trained(tmp_path / "runs")

    def differ(*arguments, **options):
        raise RunError("the exported tiny differs by 1, expected at most 1e-05")

    with monkeypatch.context() as patch:
        patch.setattr(module, "export", differ)
        with pytest.raises(RunError, match="differs by 1, .*the run itself is kept in .*seed0"):
            train(saved_models=tmp_path / "saved_models")
    assert train(saved_models=tmp_path / "saved_models").saved_model


@pytest.mark.slow
@pytest.mark.skipif(device.SHARDS == 1, reason="a single core has nothing to share")
def test_what_was_used_is_what_the_record_names(train, trained, tmp_path, short_recipe):
    """With 240 images in batches of 239 the last batch has one image, which two cores cannot share."""
    usual = trained(tmp_path / "runs").record
    assert "shards" in usual["optimizations"] and usual["shards"] == device.SHARDS
    uneven = train(recipe=short_recipe.with_settings(epochs=1, batch_size=239)).record
    assert "shards" not in uneven["optimizations"] and uneven["shards"] == 1


@pytest.mark.slow
def test_steps_are_executed_together_where_the_age_of_the_process_is_unknown(train, monkeypatch):
    monkeypatch.setattr("keras_mnist.training.loop.process_seconds", lambda: None)
    counts = []
    recorder = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: counts.append(batch))
    assert train(callbacks=[recorder]).record["seconds_to_first_step"] is None
    assert counts == [0, 3, 3]  # the first step alone, then three at once, then all four


def test_the_state_of_the_process_is_as_before_and_what_is_kept_in_float32_whatever_its_policy(train):
    random.seed(5)
    np.random.seed(5)
    before = random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2]
    keras.config.set_dtype_policy("mixed_bfloat16")
    policy = keras.config.dtype_policy()
    try:
        result = train()
        assert before == (random.getstate(), np.random.get_state()[1].tolist(), np.random.get_state()[2])
        assert keras.config.dtype_policy() is policy
        assert {layer.compute_dtype for layer in result.model.layers[1:]} == {"float32"}
    finally:
        keras.config.set_dtype_policy("float32")


NOTEBOOK = """
import matplotlib
matplotlib.use("svg")
import keras_mnist, tensorflow as tf
keras_mnist.create_model("bn_dropout_gap")  # TensorFlow is in use from here on
from keras_mnist.recipe import Augmentation, Recipe
keras_mnist.train("bn_dropout_gap", recipe=Recipe(epochs=1, batch_size=50), dataset="digits")
assert matplotlib.get_backend() == "svg"
assert tf.config.threading.get_intra_op_parallelism_threads() == 0
"""


@pytest.mark.slow
def test_in_a_notebook_plots_and_threads_stay_and_slower_training_is_said(server, tmp_path):
    output = server.printed_by(NOTEBOOK, tmp_path)
    assert output.startswith("TensorFlow is in use already and keeps its threads")


@pytest.mark.slow
def test_a_network_that_cannot_be_fused_is_trained_with_plain_layers(train, tiny, monkeypatch):
    """One with an operation that is no layer."""

    def build(*, num_classes=10, classifier_activation="softmax", name="operation"):
        image, x = blocks.image_input()
        logits = keras.layers.Dense(num_classes)(keras.layers.Flatten()(keras.ops.abs(x)))
        return blocks.classifier(image, logits, activation=classifier_activation, name=name)

    variant = keras_mnist.get_variant(tiny)
    monkeypatch.setattr(module, "get_variant", lambda name: dataclasses.replace(variant, build=build))
    record = train().record
    assert not {"fused_layers", "shards"} & set(record["optimizations"])


def test_a_finished_run_of_other_settings_is_never_returned_as_this_one(train, trained, tmp_path, short_recipe):
    result = trained(tmp_path / "runs")
    other = result.folder.parents[1] / result.folder.parent.name.replace("epochs=2", "epochs=1") / "seed0"
    other.parent.mkdir()
    result.folder.rename(other)
    with pytest.raises(RunError, match="run.json is of another run: epochs 2 is now 1"):
        train(recipe=short_recipe.with_settings(epochs=1))


@pytest.mark.parametrize("name", ["", "a/b", "..", "a\0", "x" * 51, "tuned,epochs=1"])
def test_a_recipe_s_name_can_stand_in_a_folder_s(name):
    with pytest.raises(UsageError, match="`name` is .*, expected up to 50 letters"):
        Recipe(name=name)


def test_a_document_s_recipe_can_be_borrowed(small_digits):
    borrowed = keras_mnist.get_variant("bn_gap").recipe("document")
    plan = Plan(keras_mnist.get_variant("swift"), borrowed, small_digits, "held-out", 0)
    assert plan.name.startswith("document,rotation_degrees=7")


def test_a_word_in_place_of_a_recipe_is_refused(train):
    with pytest.raises(UsageError, match="`recipe` is None, expected a name or a Recipe"):
        train(recipe=None)
