import csv
import io
import json
import signal
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from rich.console import Console

import keras_mnist
from keras_mnist.errors import Interrupted, RunError, UsageError
from keras_mnist.results.evaluation import evaluate, load_model
from keras_mnist.training import run as module

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
def train(tmp_path, small_digits, short_recipe):
    """Train bn_gap in seconds."""

    def call(variant="bn_gap", **options):
        settings = {"recipe": short_recipe, "dataset": "digits", "device": "cpu", "runs": tmp_path / "runs", **options}
        return module.train(variant, **settings)

    return call


def test_a_run_keeps_everything_it_gave(train, tmp_path, small_digits):
    result = train(saved_models=tmp_path / "saved_models")
    folder = tmp_path / "runs" / "digits" / "bn_gap" / "seed0"
    files = {path.name for path in folder.iterdir()}
    assert files == {"model.keras", "history.csv", "curves.png", "summary.txt", "run.json", ".lock"}
    record = json.loads((folder / "run.json").read_text())
    assert record == result.record
    assert record.keys() >= REQUIRED
    assert (record["trainable_parameters"], record["total_parameters"]) == (7_550, 7_706)
    assert (record["train_images"], record["test_images"], record["validation"]) == (240, 397, "held-out")
    assert (record["epochs_run"], record["stopped_by"]) == (2, "epochs")
    assert (folder / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "trainable parameters: 7,550" in (folder / "summary.txt").read_text()
    with (folder / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"]
    assert list(rows[0]) == columns
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in result.history]


def test_the_kept_figures_are_those_of_the_kept_model(train, tmp_path, small_digits):
    result = train(saved_models=tmp_path / "saved_models")
    images, labels = small_digits.test_images, small_digits.test_labels
    again = evaluate(load_model(result.folder / "model.keras"), small_digits)
    assert again.accuracy == result.test_accuracy
    assert again.loss == result.record["test_loss"]
    loss, accuracy = keras.saving.load_model(result.folder / "model.keras").evaluate(images, labels, verbose=0)
    assert (loss, accuracy) == pytest.approx((again.loss, again.accuracy), rel=1e-5)
    serve = tf.saved_model.load(tmp_path / "saved_models" / "bn_gap").signatures["serving_default"]
    assert np.mean(serve(image=tf.constant(images))["digit"] == labels) == result.test_accuracy


@pytest.mark.parametrize(("validation", "images", "watched"), [("none", 300, set()), ("test", 300, {"val_loss"})])
def test_validation_decides_what_is_trained_on_and_watched(train, validation, images, watched):
    result = train(validation=validation)
    assert result.record["train_images"] == images and result.record["validation"] == validation
    assert {"val_loss"} & result.history[0].keys() == watched
    if validation == "test":
        assert result.history[-1]["val_accuracy"] == pytest.approx(result.test_accuracy, abs=1e-6)


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_run(train, tmp_path):
    first, again = train(), train(runs=tmp_path / "again")
    other = train(seed=1)
    weights = [result.model.get_weights() for result in (first, again, other)]
    for ours, theirs in zip(weights[0], weights[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert first.record["test_loss"] == again.record["test_loss"] != other.record["test_loss"]


def test_a_run_stops_at_its_accuracy_target_and_says_so(train, short_recipe):
    result = train(recipe=short_recipe.with_settings(epochs=5, target_accuracy=0.01, target_epochs=2))
    assert result.record["epochs_run"] == 2
    assert result.record["stopped_by"] == "val_accuracy at 0.01 or above in 2 epochs in a row"


def test_a_finished_run_is_read_and_not_trained_again(train, monkeypatch):
    first = train()
    monkeypatch.setattr(module, "Stepper", None)
    again = train()
    assert again.record == first.record and again.history == first.history


def test_another_recipe_in_the_same_folder_is_refused_with_the_difference(train, short_recipe):
    train()
    with pytest.raises(UsageError, match="epochs 2 is now 3, learning_rate 0.05 is now 0.01; .*--fresh"):
        train(recipe=short_recipe.with_settings(epochs=3, learning_rate=0.01))
    result = train(recipe=short_recipe.with_settings(epochs=3, learning_rate=0.01), fresh=True)
    assert result.record["epochs_run"] == 3


def test_a_batch_larger_than_the_training_set_is_refused(train, short_recipe):
    with pytest.raises(UsageError, match="batch_size is 241, expected at most the 240 training images of digits"):
        train(recipe=short_recipe.with_settings(batch_size=241))


def test_a_loss_that_is_no_number_stops_the_run_with_epoch_and_step(train, short_recipe, tmp_path):
    with pytest.raises(
        RunError, match=r"the loss became (nan|inf) at epoch \d+, step \d+; try a lower --learning-rate"
    ):
        train(recipe=short_recipe.with_settings(learning_rate=100, epochs=20, momentum=0.99))
    assert not (tmp_path / "runs" / "digits" / "bn_gap" / "seed0" / "run.json").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_training(train, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write to .*file.*--runs"):
        train(runs=tmp_path / "file")
    with pytest.raises(UsageError, match="cannot write to .*file"):
        train(saved_models=tmp_path / "file" / "models")


def test_two_runs_in_one_folder_are_refused(train, tmp_path):
    folder = tmp_path / "runs" / "digits" / "bn_gap" / "seed0"
    with module._owned(folder, None), pytest.raises(UsageError, match="seed0 is in use by another run"):
        train()


@pytest.mark.parametrize(("seed", "validation"), [(-1, "held-out"), (2**32, "held-out"), (0, "everything")])
def test_values_that_no_run_can_have_are_refused(train, seed, validation):
    with pytest.raises(UsageError, match="expected"):
        train(seed=seed, validation=validation)


def interrupt_after(steps, monkeypatch):
    """Send this process SIGTERM after so many steps."""
    count = iter(range(1, 10_000))
    monkeypatch.setattr(
        module.ScreenProgress,
        "on_train_batch_end",
        lambda self, batch, logs=None: next(count) == steps and signal.raise_signal(signal.SIGTERM),
    )


@pytest.mark.parametrize("schedule", ["one_cycle", "plateau"])
def test_a_signal_ends_the_step_and_the_same_call_continues_bit_by_bit(
    train, tmp_path, monkeypatch, short_recipe, schedule
):
    """Whatever the number of steps between two looks at signals."""
    recipe = short_recipe.with_settings(epochs=4, schedule=schedule, patience=1, min_delta=0.5, target_accuracy=0.999)
    whole = train(recipe=recipe, runs=tmp_path / "whole")
    for steps in (2, 4, 5):  # in the first epoch, at the end of the second, in the third
        with monkeypatch.context() as patch:
            patch.setattr("keras_mnist.training.runtime.STEPS_AT_ONCE", 1)
            interrupt_after(steps, patch)
            with pytest.raises(Interrupted, match="the same command continues") as error:
                train(recipe=recipe)
        assert error.value.exit_code == 143
    continued = train(recipe=recipe)
    for ours, theirs in zip(continued.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(continued.history, whole.history, strict=True):
        assert {**ours, "seconds": 0} == {**theirs, "seconds": 0}
    assert not (continued.folder / "state.bin").exists()


def test_progress_is_printed_line_by_line(train):
    console = Console(record=True, width=200, file=io.StringIO())
    train(console=console)
    lines = console.export_text().splitlines()
    assert lines[0].startswith("bn_gap, 7,550 parameters: 2 epochs of 4 steps on digits, seed 0, on cpu (")
    assert [line.split()[:2] for line in lines[1:]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert all("val_accuracy" in line and "learning rate" in line for line in lines[1:])


def test_a_run_can_be_trained_outside_the_main_thread(train):
    results = []
    thread = threading.Thread(target=lambda: results.append(train()))
    thread.start()
    thread.join()
    assert results[0].record["epochs_run"] == 2


def test_training_reads_the_embedded_digits(tmp_path, digits):
    recipe = keras_mnist.get_variant("bn_gap").recipe().with_settings(epochs=3)
    result = module.train("bn_gap", recipe=recipe, dataset="digits", runs=tmp_path)
    assert result.test_accuracy >= 0.97
