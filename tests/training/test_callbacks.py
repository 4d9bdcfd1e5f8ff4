import types

import pytest

from keras_mnist.errors import UsageError
from keras_mnist.training.callbacks import AccuracyTarget, ReduceOnPlateau


class Model:
    """What callbacks use of a model."""

    def __init__(self):
        self.stop_training = False
        self.optimizer = types.SimpleNamespace(learning_rate=1.0)


def feed(callback, name, values, model=None):
    """Run a callback over hand-written epochs; gives the epoch (from 1) after which it stopped, and the rates."""
    model = model or Model()
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {name: value})
        rates.append(pytest.approx(model.optimizer.learning_rate))
        if model.stop_training:
            return epoch + 1, rates
    return None, rates


@pytest.mark.parametrize(
    ("accuracies", "stopped"),
    [
        ([0.993, 0.994, 0.994, 0.995], 3),
        ([0.994, 0.993, 0.994, 0.993], None),
        ([0.994, 0.995], 2),
        ([0.9939999, 0.994, 0.9939999], None),
        ([0.999], None),
    ],
)
def test_the_target_must_be_met_in_a_row(accuracies, stopped):
    assert feed(AccuracyTarget(0.994, 2), "val_accuracy", accuracies)[0] == stopped


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"target": 99.4}, "`target` is 99.4, .* write 0.994"),
        ({"target": "0.9"}, "`target` is '0.9', expected a number"),
        ({"target": 0.9, "consecutive": 0}, "`consecutive` is 0, expected at least 1"),
    ],
)
def test_a_target_that_cannot_be_reached_is_refused(wrong, words):
    with pytest.raises(UsageError, match=words):
        AccuracyTarget(**wrong)


def test_the_target_can_watch_another_accuracy_and_says_so():
    callback = AccuracyTarget(0.9, 1, monitor="accuracy")
    assert feed(callback, "accuracy", [0.8, 0.95])[0] == 2
    assert str(callback) == "accuracy at 0.9 or above in 1 epochs in a row"
    with pytest.raises(UsageError, match="AccuracyTarget monitors 'accuracy', expected one of val_accuracy"):
        callback.on_epoch_end(0, {"val_accuracy": 1.0})


def test_the_rate_drops_after_the_second_epoch_without_a_lower_loss():
    # The log of the fc_head study: losses of epochs 7 to 12, reduced after epoch 11.
    losses = [0.0304, 0.0292, 0.0252, 0.0254, 0.0262, 0.0210]
    callback = ReduceOnPlateau("val_loss", factor=0.1, patience=2, min_delta=0.0, mode="min")
    assert feed(callback, "val_loss", losses)[1] == [1, 1, 1, 1, 0.1, 0.1]


@pytest.mark.parametrize("split", range(6))
@pytest.mark.parametrize(
    ("make", "name", "values"),
    [
        (lambda: ReduceOnPlateau("loss", 0.1, 2, min_delta=0.0, mode="min"), "loss", [1, 2, 2, 0.5, 0.6, 0.7]),
        (lambda: AccuracyTarget(0.9, 3, "acc"), "acc", [0.8, 0.9, 0.9, 0.8, 0.9, 0.9]),
    ],
)
def test_state_handed_over_at_any_epoch_changes_nothing(make, name, values, split):
    model = Model()
    first = make()
    _, before = feed(first, name, values[:split], model)
    second = make()
    second.set_model(model)
    second.on_train_begin()
    second.restore(first.state())
    after = []
    for epoch, value in enumerate(values[split:], split):
        second.on_epoch_end(epoch, {name: value})
        after.append(model.optimizer.learning_rate)
    whole = make()
    assert [*before, *after] == feed(whole, name, values)[1]
    assert second.state() == whole.state()
