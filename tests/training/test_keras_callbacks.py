"""Keras's own callbacks, given to `train`: they get the model, the whole protocol, and can stop the run."""

import csv
import signal

import keras
import numpy as np
import pytest

import keras_mnist
from keras_mnist.errors import Interrupted, UsageError
from keras_mnist.recipe import Recipe
from keras_mnist.training.callbacks import Callbacks

EPOCHS, STEPS = 3, 4  # 240 images in batches of 64


@pytest.fixture
def train(tmp_path, small_digits, linear):
    """Train the smallest network, with callbacks."""

    def call(*callbacks, **settings):
        recipe = Recipe(**{"epochs": EPOCHS, "batch_size": 64, "learning_rate": 0.05, **settings})
        return keras_mnist.train(
            linear, recipe=recipe, dataset="digits", runs=tmp_path / "runs", callbacks=callbacks, verbose=0
        )

    return call


def test_callbacks_get_the_events_of_fit_in_its_order(train):
    events = []

    class Recorder(keras.callbacks.Callback):
        def __getattribute__(self, name):
            if name.startswith("on_") and "batch" not in name or name.startswith(("on_train_batch", "on_test_batch")):
                return lambda *arguments, **logs: events.append((name, arguments))
            return super().__getattribute__(name)

    train(Recorder(), epochs=1)
    names = [name for name, _ in events]
    batches = ["on_train_batch_begin", "on_train_batch_end"]
    tests = ["on_test_begin", "on_test_batch_begin", "on_test_batch_end", "on_test_end"]
    # The first step alone, the other three in one execution.
    assert names == ["on_train_begin", "on_epoch_begin", *batches * 2, *tests, "on_epoch_end", "on_train_end"]
    assert [arguments[0] for name, arguments in events if "train_batch" in name] == [0, 0, 1, 3]
    logs = dict(events)["on_epoch_end"][1]
    assert logs.keys() == {"loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds"}


def test_callbacks_get_the_model_under_training_write_their_files_and_set_the_rate(train, tmp_path):
    seen = {}

    def look(epoch, logs):
        model = callback.model
        probabilities = model.predict(np.zeros((2, 28, 28, 1), np.uint8), verbose=0)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
        model.save(tmp_path / "inside.keras")
        seen[epoch] = model.get_weights(), int(model.optimizer.iterations), callback.params

    callback = keras.callbacks.LambdaCallback(on_epoch_end=look)
    result = train(
        callback,
        keras.callbacks.TensorBoard(tmp_path / "logs", histogram_freq=1),
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", monitor="val_loss", save_best_only=True),
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01 * (epoch + 1)),
    )
    assert [seen[epoch][1] for epoch in range(EPOCHS)] == [STEPS, 2 * STEPS, 3 * STEPS]
    assert seen[0][2]["epochs"] == EPOCHS and seen[0][2]["steps"] == STEPS
    kept = result.model.get_weights()
    for last, weights in zip(seen[EPOCHS - 1][0], kept, strict=True):
        np.testing.assert_array_equal(last, weights)
    assert isinstance(keras_mnist.load_model(tmp_path / "inside.keras"), keras.Model)
    assert list((tmp_path / "logs" / "train").glob("events.*"))
    assert list((tmp_path / "logs" / "validation").glob("events.*"))
    best = keras_mnist.load_model(tmp_path / "best.keras")
    assert [weights.shape for weights in best.get_weights()] == [weights.shape for weights in kept]
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in rows] == pytest.approx(result.history["val_loss"])
    assert result.history["learning_rate"] == pytest.approx([0.01, 0.02, 0.03])


def test_early_stopping_stops_and_is_named_and_a_plateau_reduces_the_rate(train):
    plateau = keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.5, patience=1, min_delta=1e6)
    result = train(keras.callbacks.EarlyStopping("val_accuracy", patience=2, min_delta=2.0), plateau, epochs=5)
    assert result.record["stopped_by"] == "EarlyStopping"
    assert result.record["epochs_run"] == 3 == len(result.history["loss"])
    rates = result.history["learning_rate"]
    assert rates[-1] < rates[0] == pytest.approx(0.05)


def test_terminate_on_nan_ends_the_run_in_its_epoch(train):
    result = train(keras.callbacks.TerminateOnNaN(), epochs=20, learning_rate=100, l2=1)
    assert result.record["stopped_by"] == "TerminateOnNaN" and result.record["epochs_run"] < 20
    assert result.record["test_loss"] is None and result.test_accuracy == 0


@pytest.mark.slow
def test_a_callback_that_stops_at_a_batch_ends_the_epoch_there(train):
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(stop.model, "stop_training", 1)
    )
    result = train(stop)
    assert (result.record["stopped_by"], result.record["epochs_run"]) == ("LambdaCallback", 1)


def test_a_monitored_name_that_is_missing_lists_those_there_are(train):
    seen = []
    recorder = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs))
    words = "{} monitors 'val_acc', expected one of accuracy, .*val_loss"
    with pytest.raises(UsageError, match=words.format("ReduceOnPlateau")):
        train(recorder, keras_mnist.callbacks.ReduceOnPlateau("val_acc"))
    with pytest.raises(UsageError, match=words.format("AccuracyTarget")):
        keras_mnist.callbacks.AccuracyTarget(0.9, monitor="val_acc").on_epoch_end(0, *seen)


def listening(callback):
    """A callback as training calls it, with a model of two weights."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.stop_training = False
    called = Callbacks([callback], model, epochs=1, steps=1)
    called.call("on_train_begin", {})
    return called


@pytest.mark.parametrize(
    "callback",
    [
        keras.callbacks.EarlyStopping("val_acc"),
        keras.callbacks.ReduceLROnPlateau("val_acc"),
        keras.callbacks.ModelCheckpoint("best.keras", monitor="val_acc", save_best_only=True),
    ],
    ids=lambda callback: type(callback).__name__,
)
def test_keras_s_own_callbacks_name_what_they_could_monitor(callback):
    called = listening(callback)
    with pytest.raises(UsageError, match=f"{type(callback).__name__} monitors 'val_acc', .* one of accuracy, loss"):
        called.call("on_epoch_end", 0, {"loss": 1.0, "accuracy": 0.5})


def test_a_checkpoint_of_every_epoch_monitors_nothing(tmp_path):
    called = listening(keras.callbacks.ModelCheckpoint(tmp_path / "last.keras"))
    called.call("on_epoch_end", 0, {"loss": 1.0})
    assert (tmp_path / "last.keras").is_file()


class Counter(keras.callbacks.Callback):
    """Counts epochs, and can tell how many."""

    count = 0

    def on_epoch_end(self, epoch, logs=None):
        self.count += 1

    def state(self):
        return {"count": self.count}

    def restore(self, state):
        self.count = state["count"]


def test_an_interrupted_run_continues_callbacks_that_keep_a_state_and_names_the_others(train, linear, tmp_path, capsys):
    def interrupt(epoch, logs):
        if epoch == 1:
            signal.raise_signal(signal.SIGTERM)

    other = keras.callbacks.LambdaCallback(on_epoch_begin=interrupt)
    with pytest.raises(Interrupted):
        train(Counter(), other)
    counter = Counter()
    recipe = Recipe(epochs=EPOCHS, batch_size=64, learning_rate=0.05)
    keras_mnist.train(
        linear,
        recipe=recipe,
        dataset="digits",
        runs=tmp_path / "runs",
        callbacks=[counter, keras.callbacks.LambdaCallback()],
    )
    assert counter.count == EPOCHS
    assert "start anew: LambdaCallback" in capsys.readouterr().out


def test_a_callback_that_sets_the_rate_needs_a_schedule_that_leaves_it(tiny, small_digits, tmp_path):
    """One callback is taken as by fit, without a list."""
    callback = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.01)
    recipe = keras_mnist.get_variant(tiny).recipe("tuned").with_settings(epochs=1, batch_size=64)
    with pytest.raises(UsageError, match="LearningRateScheduler sets the learning rate, .*`schedule` is constant"):
        keras_mnist.train(tiny, recipe=recipe, dataset="digits", runs=tmp_path, verbose=0, callbacks=callback)


@pytest.mark.slow
def test_none_is_taken_for_no_callbacks_as_by_fit(trained, tiny, short_recipe, tmp_path):
    trained(tmp_path)
    settings = {"recipe": short_recipe, "dataset": "digits", "device": "cpu", "runs": tmp_path, "verbose": 0}
    assert keras_mnist.train(tiny, callbacks=None, **settings).record["callbacks"] == []


def test_what_is_no_callback_or_does_the_work_of_train_is_refused(train, tmp_path):
    for wrong, words in ((print, "expected instances"), (keras.callbacks.BackupAndRestore(tmp_path), "by itself")):
        with pytest.raises(UsageError, match=f"`callbacks` holds .*{words}"):
            train(wrong)


def test_a_state_that_json_cannot_hold_is_told_before_training(train):
    counter = Counter()
    counter.count = np.float32(1)
    with pytest.raises(UsageError, match="state.. of Counter is no JSON"):
        train(counter)


def test_a_callback_s_own_error_is_let_through(train, tmp_path):
    with pytest.raises(FileNotFoundError):
        train(keras.callbacks.CSVLogger(tmp_path / "nowhere" / "log.csv"))


def test_a_finished_run_says_that_it_did_not_call_the_callbacks(trained, short_recipe, tiny, tmp_path, capsys):
    trained(tmp_path / "runs")
    settings = {"recipe": short_recipe, "dataset": "digits", "runs": tmp_path / "runs", "device": "cpu"}
    keras_mnist.train(tiny, **settings, callbacks=[Counter()])
    assert "['Counter'] were not called" in capsys.readouterr().out
