"""The training loop: epochs of steps, with everything that changes on the way in one state."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import tensorflow as tf

from keras_mnist.data.pipeline import evaluation_batches, training_batches
from keras_mnist.errors import RunError
from keras_mnist.training.callbacks import Callbacks
from keras_mnist.training.plan import Plan
from keras_mnist.training.trainer import Trainer
from keras_mnist.utils.environment import process_seconds

STEPS_PER_EXECUTION = 20  # between looks at Ctrl-C and the progress bar: a fraction of a second


class TrainingLoop:
    """Trains as a plan says, from any step on.

    Args:
        steps_per_execution: steps that TensorFlow takes before it comes back to Python.
    """

    def __init__(self, plan: Plan, trainer: Trainer, callbacks: Callbacks, steps_per_execution: int):
        self.plan, self.trainer, self.callbacks = plan, trainer, callbacks
        self.steps_per_execution = steps_per_execution
        self.epoch, self.step = 0, 0  # epochs finished, and steps of the one under way
        self.history: list[dict] = []
        self.seconds = 0.0  # of the epoch under way, before an interruption
        self.seconds_to_first_step: float | None = None  # from the start of this process
        self.first_execution = True
        self.train_data, watched = plan.divide()
        self.watched_batches = evaluation_batches(*watched) if watched else None

    def state(self) -> dict:
        """What a later process needs to continue, beside the trainer's variables."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "seconds": self.seconds,
            "stopped_by": self.callbacks.stopped_by,
            "callbacks": self.callbacks.state(),
        }

    def restore(self, state: dict) -> list[str]:
        """Continue from `state()`; returns the classes of the callbacks that start anew."""
        self.epoch, self.step = state["epoch"], state["step"]
        self.history, self.seconds = state["history"], state["seconds"]
        self.callbacks.stopped_by = state["stopped_by"] or self.callbacks.stopped_by
        return self.callbacks.restore(state["callbacks"])

    @property
    def ended(self) -> bool:
        """Whether nothing is left to train."""
        return self.epoch == self.plan.recipe.epochs or bool(self.epoch and self._stopped and not self.step)

    @property
    def _stopped(self) -> bool:
        return self.callbacks.stopped_by is not None

    def run(self, save: Callable[[], None], interrupted: Callable[[], bool]) -> None:
        """Train to the end; `save` is called after each epoch, and after a step once `interrupted` says so.

        Raises: RunError if the loss is no number any more.
        """
        if self.ended:
            return
        plan = self.plan
        batches = iter(
            training_batches(
                *self.train_data,
                batch_size=plan.recipe.batch_size,
                augmentation=plan.recipe.augmentation,
                seed=plan.seed,
                epochs=plan.recipe.epochs,
                passes=plan.digits.passes_per_epoch,
                first_epoch=self.epoch,
                first_step=self.step,
            )
        )
        while not self.ended:
            started = time.perf_counter() - self.seconds
            if not self._train_epoch(batches, interrupted):
                self.seconds = time.perf_counter() - started
                save()
                return
            self._end_epoch(started)
            save()

    def _train_epoch(self, batches, interrupted) -> bool:
        """The steps of an epoch; False if an interruption left some of them."""
        if self.step == 0:
            self.trainer.reset_metrics()
        self.callbacks.call("on_epoch_begin", self.epoch, {})
        while self.step < self.plan.steps and not (self.step and self._stopped):
            self._execute(batches)
            if interrupted():
                return False
        return True

    def _execute(self, batches) -> None:
        """Some steps at once; the first one alone, for its time is kept."""
        count = min(1 if self.first_execution else self.steps_per_execution, self.plan.steps - self.step)
        self.callbacks.call("on_train_batch_begin", self.step, {})
        done, loss = self.trainer.train_steps(batches, tf.constant(count))
        self.step += int(done)
        if self.first_execution:
            self.first_execution, self.seconds_to_first_step = False, process_seconds()
        self.callbacks.call("on_train_batch_end", self.step - 1, self.trainer.metrics())
        if not math.isfinite(loss) and not self._stopped:
            raise RunError(
                f"the loss became {float(loss)} at epoch {self.epoch + 1}, step {self.step}; "
                f"try a lower `learning_rate` than {self.plan.recipe.learning_rate:g}"
            )

    def _end_epoch(self, started: float) -> None:
        logs = self.trainer.metrics()
        if self.watched_batches is not None:
            logs |= {f"val_{name}": value for name, value in self._test().items()}
        logs |= {"learning_rate": self.trainer.learning_rate, "seconds": time.perf_counter() - started}
        self.epoch, self.step, self.seconds = self.epoch + 1, 0, 0.0
        self.history.append({"epoch": self.epoch, **logs})
        self.callbacks.call("on_epoch_end", self.epoch - 1, logs)

    def _test(self) -> dict[str, float]:
        """Loss and accuracy on the images that the callbacks watch."""
        trainer, logs = self.trainer, {}
        trainer.reset_metrics()
        self.callbacks.call("on_test_begin", {})
        for number, batch in enumerate(self.watched_batches):
            self.callbacks.call("on_test_batch_begin", number, {})
            trainer.test_step(*batch)
            logs = trainer.metrics()
            self.callbacks.call("on_test_batch_end", number, logs)
        self.callbacks.call("on_test_end", logs)
        return logs
