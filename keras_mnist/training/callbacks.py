"""Callbacks for `train` and for Keras's `fit`, and the list that hands them each event of a run.

A callback with `state()`, which gives what JSON can hold, and `restore(state)` continues exactly where an interrupted
run was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from keras_mnist.errors import UsageError
from keras_mnist.settings import checked

# Keras's own, which decide by a logged value.
MONITORING = (keras.callbacks.EarlyStopping, keras.callbacks.ModelCheckpoint, keras.callbacks.ReduceLROnPlateau)


def monitored(logs: dict, name: str, callback: str) -> float:
    """The logged value that a callback monitors.

    Raises: UsageError that lists the names there are.
    """
    if name not in logs:
        raise UsageError(f"{callback} monitors {name!r}, expected one of {', '.join(sorted(logs))}; see `monitor`")
    return logs[name]


class ReduceOnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Keras's ReduceLROnPlateau, with its counters open to the checkpoint.

    Raises: UsageError in on_epoch_end if the logs lack the monitored name.
    """

    def on_epoch_end(self, epoch, logs=None):
        monitored(logs or {}, self.monitor, "ReduceOnPlateau")
        super().on_epoch_end(epoch, logs)

    def state(self) -> dict:
        """What later epochs depend on."""
        return {"best": self.best, "wait": self.wait, "cooldown_counter": self.cooldown_counter}

    def restore(self, state: dict) -> None:
        """Continue from `state`; call it after on_train_begin, which resets the counters."""
        self.best, self.wait = state["best"], state["wait"]
        self.cooldown_counter = state["cooldown_counter"]


class AccuracyTarget(keras.callbacks.Callback):
    """Stop once the monitored accuracy has been at the target for `consecutive` epochs in a row.

    Args:
        target: a fraction, such as 0.994.
        consecutive: epochs in a row.
        monitor: name of the accuracy in the logs.

    Raises: UsageError for a number out of its range, and in on_epoch_end if the logs lack the monitored name.
    """

    def __init__(self, target: float, consecutive: int = 1, monitor: str = "val_accuracy"):
        super().__init__()
        self.target = checked("target", target, float, above=0, high=1)
        self.consecutive = checked("consecutive", consecutive, int, low=1)
        self.monitor = monitor
        self.reached = 0

    def on_train_begin(self, logs=None):
        self.reached = 0

    def on_epoch_end(self, epoch, logs=None):
        accuracy = monitored(logs or {}, self.monitor, "AccuracyTarget")
        self.reached = self.reached + 1 if accuracy >= self.target else 0
        if self.reached >= self.consecutive:
            self.model.stop_training = True

    def __str__(self):
        return f"{self.monitor} at {self.target:g} or above in {self.consecutive} epochs in a row"

    def state(self) -> dict:
        """What later epochs depend on."""
        return {"reached": self.reached}

    def restore(self, state: dict) -> None:
        """Continue from `state`; call it after on_train_begin."""
        self.reached = state["reached"]


class ScreenProgress(keras.callbacks.Callback):
    """A progress bar during each epoch where a terminal shows one, and one line when it ends."""

    def __init__(self, console: Console, bar: bool = True):
        super().__init__()
        self.console, self.shows_bar = console, bar and console.is_terminal
        self.bar = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.shows_bar:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            self.bar = Progress(*columns, console=self.console, transient=True, refresh_per_second=5)
            self.task = self.bar.add_task(f"epoch {epoch + 1:2d}/{self.params['epochs']}", total=self.params["steps"])
            self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        if self.bar is not None:
            self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.close()
        words = [f"epoch {epoch + 1:2d}/{self.params['epochs']}"]
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            if name in logs:
                words.append(f"{name} {logs[name]:.4f}")
        words.append(f"learning rate {logs['learning_rate']:.2g}")
        words.append(f"{logs['seconds']:.1f} s")
        self.console.print("  ".join(words))

    def close(self):
        """Take the bar off the screen."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


def as_list(callbacks) -> list[keras.callbacks.Callback]:
    """Callbacks as `fit` takes them, None, one or several, in a list.

    Raises: UsageError for anything else, and for BackupAndRestore, whose work `train` does itself.
    """
    found = keras.tree.flatten(callbacks) if callbacks is not None else []
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            raise UsageError(f"`callbacks` holds {callback!r}, expected instances of keras.callbacks.Callback")
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise UsageError("`callbacks` holds BackupAndRestore, which train does not need: it continues by itself")
    return found


def names_of(callbacks: Sequence[keras.callbacks.Callback]) -> list[str]:
    """The classes of callbacks, in order."""
    return [type(callback).__name__ for callback in callbacks]


def _require_monitored(callback: keras.callbacks.Callback, logs: dict) -> None:
    """Raise UsageError if one of Keras's callbacks does nothing, or fails, because the logs lack what it monitors."""
    saves_all = isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_best_only
    if isinstance(callback, MONITORING) and not saves_all:
        monitored(logs, callback.monitor, type(callback).__name__)


def _continues(callback) -> bool:
    return callable(getattr(callback, "state", None)) and callable(getattr(callback, "restore", None))


class Callbacks:
    """Hands each event to every callback in turn, as `fit` does, and notes which one stops the run.

    Source: Keras, callbacks/callback_list.py and the order of calls in `fit`.
    """

    def __init__(self, callbacks: Sequence[keras.callbacks.Callback], model: keras.Model, **params):
        self.callbacks, self.model = list(callbacks), model
        self.stopped_by: str | None = None
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)

    def call(self, event: str, *arguments) -> None:
        """Call the method `event` of each callback, such as on_epoch_end."""
        for callback in self.callbacks:
            if event == "on_epoch_end":
                _require_monitored(callback, arguments[-1])
            try:
                getattr(callback, event)(*arguments)
            except TypeError as error:
                if "LearningRateSchedule" not in str(error):
                    raise
                raise UsageError(
                    f"{type(callback).__name__} sets the learning rate, which this recipe's schedule decides; "
                    "use a recipe whose `schedule` is constant"
                ) from error
            if self.stopped_by is None and self.model.stop_training:
                own_words = type(callback).__str__ is not object.__str__
                self.stopped_by = str(callback) if own_words else type(callback).__name__

    def state(self) -> dict:
        """What the callbacks that can tell will need to continue, by their position and class."""
        states = {}
        for name, callback in self._named():
            if _continues(callback):
                states[name] = callback.state()
                try:
                    json.dumps(states[name])
                except (TypeError, ValueError) as error:
                    raise UsageError(f"state() of {type(callback).__name__} is no JSON ({error})") from error
        return states

    def restore(self, states: dict) -> list[str]:
        """Continue from `state()`; call it after on_train_begin.

        Returns: the classes of those callbacks that start anew, having kept nothing.
        """
        anew = []
        for name, callback in self._named():
            if name in states and _continues(callback):
                callback.restore(states[name])
            elif not isinstance(callback, ScreenProgress):
                anew.append(type(callback).__name__)
        return anew

    def _named(self) -> list[tuple[str, keras.callbacks.Callback]]:
        return [(f"{number} {type(callback).__name__}", callback) for number, callback in enumerate(self.callbacks)]
