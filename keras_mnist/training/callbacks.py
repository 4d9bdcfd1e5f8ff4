"""What a run watches. Each callback that carries something from epoch to epoch can hand it over and take it back."""

from __future__ import annotations

import keras
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class ReduceOnPlateau(keras.callbacks.ReduceLROnPlateau):
    """Keras's callback, with its counters open to the checkpoint."""

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

    Raises: KeyError in on_epoch_end if the logs lack the monitored name.
    """

    def __init__(self, target: float, consecutive: int = 1, monitor: str = "val_accuracy"):
        super().__init__()
        self.target, self.consecutive, self.monitor = target, consecutive, monitor
        self.reached = 0

    def on_train_begin(self, logs=None):
        self.reached = 0

    def on_epoch_end(self, epoch, logs=None):
        self.reached = self.reached + 1 if logs[self.monitor] >= self.target else 0
        if self.reached >= self.consecutive:
            self.model.stop_training = True

    @property
    def message(self) -> str:
        """Why the run stopped."""
        return f"{self.monitor} at {self.target:g} or above in {self.consecutive} epochs in a row"

    def state(self) -> dict:
        """What later epochs depend on."""
        return {"reached": self.reached}

    def restore(self, state: dict) -> None:
        """Continue from `state`; call it after on_train_begin."""
        self.reached = state["reached"]


class ScreenProgress(keras.callbacks.Callback):
    """A progress bar during each epoch, and one line when it ends."""

    def __init__(self, console: Console, epochs: int, steps: int):
        super().__init__()
        self.console, self.epochs, self.steps = console, epochs, steps
        self.bar = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.console.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
            self.bar = Progress(*columns, console=self.console, transient=True, refresh_per_second=5)
            self.task = self.bar.add_task(f"epoch {epoch + 1:2d}/{self.epochs}", total=self.steps)
            self.bar.start()

    def on_train_batch_end(self, batch, logs=None):
        if self.bar is not None:
            self.bar.update(self.task, completed=batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        self.close()
        words = [f"epoch {epoch + 1:2d}/{self.epochs}"]
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            if name in logs:
                words.append(f"{name} {logs[name]:.4f}")
        words.append(f"learning rate {logs['learning_rate']:.2g}")
        words.append(f"{logs['seconds']:.1f} s")
        self.console.print("  ".join(words), highlight=False)

    def close(self):
        """Take the bar off the screen."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
